"""Shadowserver's daily reports: CSV by column name, the report type from the file's name.

Options of the feed: `mappings`, a folder of TOML files which add to or replace the built-in
mappings (see `muhafiz.feeds.columns.mapping`) without a release; `overrides`, a table of report
type → such a mapping, which goes before both (the desk's workbench writes it); `report`, the
report type when the file's name does not tell it. For `fetch`: `api_key`, `secret`, and optionally
`api_url`, `download_url`, `types` (a list of report types), `reports` (a list of the subscriptions'
names, as Shadowserver calls them), `report_bytes` (limit for one report).

`mappings`, the addresses and the secrets are set at the machine's command line only: whoever could
change an address in a browser could have the secrets sent there.

A report type that nobody mapped is read by the common columns as RSIT "undetermined".
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from muhafiz.feeds.columns.chunks import decode_head
from muhafiz.feeds.columns.csv_rows import column_names, csv_blocks, read_fields
from muhafiz.feeds.columns.drafts import finish
from muhafiz.feeds.columns.mapped import draft_of
from muhafiz.feeds.columns.mapping import (
    BadMapping,
    FieldMapping,
    load_mappings,
    read_mapping,
    table_of,
)
from muhafiz.feeds.columns.mapping_data import mapping_data
from muhafiz.feeds.columns.splitting import split_row
from muhafiz.feeds.sources import Block, Mapped, ParseContext, ParsedBatch, Source
from muhafiz.feeds.sources.shadowserver.api import fetch_reports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAPPINGS = Path(__file__).parent / "mappings"
COMMON = "common"  # the table of columns that all reports share
_NAME = re.compile(
    r"""^(?:\d{4}-\d{2}-\d{2}-)?      # 2026-11-22-
        (?P<report>[a-z][a-z0-9_]*?)  # scan_telnet
        (?:-.*)?                      # -pakistan_national-asn
        (?:\.csv)?$""",
    re.VERBOSE,
)
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}-[a-z]")
_FEED = {"feed_provider": "Shadowserver", "tlp": "AMBER"}


def report_type(file_name: str) -> str:
    """The report type in a file's name: "2026-11-22-scan_telnet-pakistan.csv" → "scan_telnet".

    IPv6 reports ("scan6_telnet") keep their own type. An unusable name gives "unknown".
    """
    found = _NAME.match(file_name.lower().rsplit("/", 1)[-1])
    return found["report"] if found else "unknown"


@lru_cache(maxsize=16)
def _mappings(folder: str | None, _stamps: tuple[tuple[str, int], ...]) -> dict[str, FieldMapping]:
    files = sorted(MAPPINGS.glob("*.toml"))
    if folder:
        files += sorted(Path(folder).glob("*.toml"))
    found = load_mappings(files)
    base = found.pop(COMMON).columns
    return {code: mapping.on(base) for code, mapping in found.items()} | {
        COMMON: FieldMapping(code=COMMON, columns=base)
    }


def mappings(folder: str | None = None) -> dict[str, FieldMapping]:
    """Mappings by report type, those of `folder` last; re-read when a file there changes."""
    found = sorted(Path(folder).glob("*.toml")) if folder else []
    stamps = tuple((path.name, path.stat().st_mtime_ns) for path in found)
    return _mappings(folder, stamps)


def mapping_for(context: ParseContext) -> tuple[str, FieldMapping]:
    """The report type and its mapping; an unknown type has the common columns only."""
    return mapping_of(kind(context.file_name, context.options), context.options)


def mapping_of(code: str, options: Mapping[str, Any]) -> tuple[str, FieldMapping]:
    """A report type and its mapping, as the feed's options have it.

    IPv6 reports ("scan6_telnet", "event6_sinkhole", "device_id6") have their IPv4 twin's mapping.
    """
    known = mappings(options.get("mappings"))
    own = table_of("overrides", options, "overrides").get(code)
    if own is not None:
        return code, read_mapping(code, own).on(known[COMMON].columns)
    for name in (code, _twin(code)):
        if name in known and name != COMMON:
            return code, known[name]
    common = known[COMMON]
    return code, FieldMapping(code=code, identifier=code.replace("_", "-"), columns=common.columns)


def _twin(code: str) -> str:
    """The IPv4 report type of an IPv6 one."""
    for six, four in (("scan6_", "scan_"), ("population6_", "population_"), ("event6_", "event4_")):
        if code.startswith(six):
            return four + code.removeprefix(six)
    return code.removesuffix("6")


def kind(file_name: str, options: Mapping[str, Any]) -> str:
    """The report type: the feed's option, else what the file's name says."""
    return str(options.get("report") or report_type(file_name))


def check(options: Mapping[str, Any]) -> None:
    """Every mapping that the options bring can be read; raises BadMapping."""
    for name in ("types", "reports"):
        given = options.get(name) or []
        if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
            raise BadMapping(reason=f"{name} is a list of texts")
    folder = options.get("mappings")
    if folder and not Path(folder).is_dir():
        raise BadMapping(reason=f"mappings: there is no folder {folder}")
    mappings(folder or None)
    for code, data in table_of("overrides", options, "overrides").items():
        read_mapping(code, table_of("overrides", {code: data}, code))


def _current(code: str, options: Mapping[str, Any], _head: bytes) -> Mapping[str, Any]:
    return mapping_data(mapping_of(code, options)[1])


def _changed(code: str, options: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    overrides = {**table_of("overrides", options, "overrides"), code: dict(data)}
    return {**options, "overrides": overrides}


def recognizes(file_name: str, head: bytes) -> int:
    """By the report type in the name, or by the columns that its reports share.

    Some types name no address (accounts, ransomware), so with a known name the time is enough.
    """
    line = decode_head(head).split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")
    names = set(column_names(split_row(line) or ()))
    if "timestamp" not in names:
        return 0
    code, mapping = mapping_of(report_type(file_name), {})
    if mapping.title and code != COMMON:
        return 95
    if not names & {"ip", "src_ip", "url"}:
        return 0
    shared = {"asn", "geo"} <= names or {"src_asn", "src_geo"} <= names
    return 60 if shared else 40 if _DATED.match(file_name) else 0


def blocks(stream: BinaryIO, context: ParseContext) -> Iterator[Block]:
    """Cut a report; see `csv_blocks`."""
    _, mapping = mapping_for(context)
    return csv_blocks(stream, context, known=mapping.known_fields())


def parse_block(block: Block, context: ParseContext) -> ParsedBatch:
    """Turn a block's rows into events by the mapping of the report's type."""
    code, mapping = mapping_for(context)
    constants = {**_FEED, "feed_name": mapping.title or code}
    return finish(
        draft_of(read_fields(block), mapping, code=code, constants=constants), block, context
    )


SOURCE = Source(
    name="shadowserver",
    title="Shadowserver reports",
    version=2,
    recognizes=recognizes,
    blocks=blocks,
    parse_block=parse_block,
    fetch=fetch_reports,
    check=check,
    mapped=Mapped(kind, _current, _changed),
    machine=frozenset({"api_key", "secret", "api_url", "download_url", "mappings"}),
)
