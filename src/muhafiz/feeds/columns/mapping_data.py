"""A mapping as data again, as `columns.mapping.read_mapping` takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muhafiz.feeds.columns.readings import PLAIN

if TYPE_CHECKING:
    from muhafiz.feeds.columns.mapping import FieldMapping


def mapping_data(mapping: FieldMapping) -> dict[str, Any]:
    """The mapping's data; what it does not say is left out."""
    data: dict[str, Any] = {
        "title": mapping.title,
        "type": mapping.type,
        "identifier": mapping.identifier,
        "map": {column: list(names) for column, names in mapping.columns.items()},
        "constants": dict(mapping.constants),
        "when": [
            {
                "field": rule.field,
                "equals": list(rule.equals),
                "type": rule.type,
                **({"identifier": rule.identifier} if rule.identifier else {}),
            }
            for rule in mapping.when
        ],
        "header": list(mapping.header or ()),
        "delimiter": mapping.delimiter,
        "drop": sorted(mapping.drop),
        "time_format": list(mapping.times.formats),
        "time_zone": mapping.times.zone if mapping.times.zone != PLAIN.zone else "",
        "comment": mapping.comment,
    }
    data["constants"].pop("tlp", None)
    if severity := data["constants"].pop("severity", None):
        data["severity"] = severity
    if label := mapping.constants.get("tlp"):
        data["tlp"] = label
    return {key: value for key, value in data.items() if value not in (None, "", [], {})}
