"""Re-sightings joined to their events. Pure."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from muhafiz.formats.events import STORED


def merged_sightings(page: pa.Table, seen: pa.Table) -> pa.Table:
    """The events with first_seen, last_seen and sightings of `seen` (one row per key) merged in."""
    if not seen.num_rows:
        return page
    seen = seen.sort_by("key")
    keys, wanted = seen["key"].to_numpy(), page["key"].to_numpy()
    places = np.searchsorted(keys, wanted)
    places[places == len(keys)] = 0
    hit = keys[places] == wanted
    for name, join in (
        ("first_seen", np.minimum),
        ("last_seen", np.maximum),
        ("sightings", np.add),
    ):
        field = STORED.field(name)
        mine = page[name].cast(pa.int64()).to_numpy()
        theirs = seen[name].cast(pa.int64()).to_numpy()[places]
        both = pa.array(np.where(hit, join(mine, theirs), mine)).cast(field.type)
        page = page.set_column(page.schema.get_field_index(name), field, both)
    return page
