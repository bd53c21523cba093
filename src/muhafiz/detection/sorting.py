"""Which policy each event belongs to, a column at a time. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.detection.rules import Policy, Traits, choose_policy

_TRAITS = ("classification_taxonomy", "classification_type", "feed_code", "sector")


def sort_by_policy(rows: pa.Table, policies: Sequence[Policy]) -> dict[str, pa.Table]:
    """The rows (columns `ROWS`) per policy code, each part sorted by organization.

    Rows that no policy speaks of stand under "". Every row is in exactly one part. The rule is
    asked once per distinct combination of traits, not once per row.
    """
    if rows.num_rows == 0:
        return {}
    codes = ["", *(policy.code for policy in policies)]
    chosen = _chosen(rows, policies)
    parts = {}
    for number in np.unique(chosen).tolist():
        part = rows.filter(pa.array(chosen == number))
        parts[codes[number]] = part.sort_by("organization_id")
    return parts


def _chosen(rows: pa.Table, policies: Sequence[Policy]) -> np.ndarray:
    """For each row 0 (no policy) or 1 + the place of its policy."""
    places = {policy.code: place for place, policy in enumerate(policies, start=1)}
    special = {p.organization_id for p in policies if p.organization_id is not None}
    owners = rows["organization_id"].to_numpy()
    # Organizations without a policy of their own are alike: they count as one, number 0.
    named = np.isin(owners, np.array(sorted(special), dtype=np.int64))
    kind = np.where(named, owners, 0)
    encoded = [pc.dictionary_encode(rows[name], null_encoding="encode") for name in _TRAITS]
    arrays = [column.combine_chunks() for column in encoded]
    combined = kind.astype(np.int64)
    sizes = [len(array.dictionary) for array in arrays]
    for array, size in zip(arrays, sizes, strict=True):
        combined = combined * size + array.indices.to_numpy()
    distinct, first, inverse = np.unique(combined, return_index=True, return_inverse=True)
    answers = np.zeros(len(distinct), dtype=np.int64)
    for number, row in enumerate(first.tolist()):
        taxonomy, kind_name, feed, sector = (array[row].as_py() for array in arrays)
        event = Traits(taxonomy, kind_name, feed, sector, int(kind[row]))
        policy = choose_policy(policies, event)
        answers[number] = places[policy.code] if policy else 0
    return answers[inverse]
