"""From the events of a window to a decision about each row: a plan, written as one file.

The same inputs give the same plan, so a run that was killed is planned again and loses nothing.
Work is cut into ranges of organizations, so memory does not grow with the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.detection.columns import PLAN, ROWS, TOLD
from muhafiz.detection.files import Writer, Written, folder, writing
from muhafiz.detection.rules import Policy
from muhafiz.formats import tlp
from muhafiz.lake.exposures import ASSET_SQL

RANGE_ROWS = 250_000
_FINDING_COLUMNS = ["organization_id", "finding", "first_told", "last_seen"]

#: (organization ids, RSIT types, claim ids) → pairs (organization, type), pairs (claim, type).
Inhibitions = Callable[
    [set[int], set[str], set[int]], tuple[list[tuple[int, str]], list[tuple[int, str]]]
]

#: Organization ids → what owners live with, or the CERT agreed is not theirs: (organization,
#: RSIT type, identifier or "", asset or None for all).
Excepted = Callable[[set[int]], list[tuple[int, str, str, str | None]]]

# A standing problem is told apart by what the owner has to mend. The port counts only where it is
# a service of the owner's (class "vulnerable"): an infected machine's source port changes with
# every connection. Destinations and times never count.
_FINDING = """
(md5_number_lower(concat_ws(chr(31),
    organization_id::VARCHAR, coalesce(classification_type, ''),
    coalesce(classification_identifier, ''), coalesce(malware_name, ''),
    coalesce(source_ip, ''), coalesce(source_fqdn, ''), coalesce(source_url, ''),
    coalesce(source_account, ''),
    CASE WHEN classification_taxonomy = 'vulnerable'
         THEN coalesce(source_port::VARCHAR, '') ELSE '' END
))::HUGEINT - 9223372036854775808)::BIGINT
"""
# Only the columns that decide pass through the engine; the rows are then taken in its order.
#: A letter may be this much later than a window's end: a week's, sealed late. What is told later
#: still was told under a clock that went too fast, so nobody knows when.
_AHEAD = timedelta(days=8)
_DECIDED = f"""
WITH told AS (
    SELECT finding, min(first_told) AS first_told,
        max(last_told) FILTER (last_told <= $latest) AS last_told
    FROM told_part GROUP BY finding
), found AS (
    SELECT *, {_FINDING} AS finding, {ASSET_SQL} AS asset FROM part
), marked AS (
    SELECT p.*, t.first_told,
        CASE
            WHEN p.tlp IS NULL OR list_contains($barred, p.tlp) THEN 'refused'
            WHEN EXISTS (SELECT 1 FROM inhibited_owners i WHERE i.id = p.organization_id
                         AND i.type = p.classification_type) THEN 'inhibited'
            WHEN EXISTS (SELECT 1 FROM inhibited_claims i WHERE i.id = p.network_id
                         AND i.type = p.classification_type) THEN 'inhibited'
            WHEN EXISTS (SELECT 1 FROM excepted e WHERE e.organization_id = p.organization_id
                         AND e.type = coalesce(p.classification_type, '')
                         AND e.identifier = coalesce(p.classification_identifier, '')
                         AND coalesce(e.asset, p.asset) = p.asset) THEN 'inhibited'
            WHEN t.last_told > $cutoff THEN 'withheld'
            ELSE 'tell'
        END AS marked
    FROM found p LEFT JOIN told t USING (finding)
), due AS (
    SELECT organization_id, count(*) AS rows FROM marked WHERE marked = 'tell' GROUP BY ALL
)
SELECT m.place, m.finding, m.first_told,
    CASE WHEN marked = 'tell' AND d.rows < $threshold THEN 'carried' ELSE marked END AS decision
FROM marked m LEFT JOIN due d USING (organization_id)
ORDER BY m.organization_id, decision, coalesce(classification_taxonomy, ''),
    coalesce(classification_type, ''), source_ip, source_fqdn, source_port, time, key,
    report_id, row
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Source:
    """A pool file, and the organizations whose rows a `send_now` has already taken from it."""

    path: Path
    taken: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning wrote. `told` and `carried` are None when no row belongs there."""

    plan: Written
    told: Written | None
    carried: Written | None
    decisions: dict[str, int]
    recipients: int


@dataclass
class _Outputs:
    """The three files under construction and their sums."""

    plan: Writer
    told: Writer
    carried: Writer
    decisions: dict[str, int] = field(default_factory=dict)
    recipients: int = 0

    def take(self, rows: pa.Table, window_end: datetime) -> None:
        """Add one range's decided rows."""
        self.plan.write(rows)
        for entry in rows["decision"].value_counts().to_pylist():
            name = entry["values"]
            self.decisions[name] = self.decisions.get(name, 0) + entry["counts"]
        told = rows.select(_FINDING_COLUMNS).filter(pc.equal(rows["decision"], "tell"))
        self.told.write(_told_rows(told, window_end))
        self.carried.write(rows.filter(pc.equal(rows["decision"], "carried")).select(ROWS.names))
        outward = pc.is_in(rows["decision"], pa.array(["tell", "refused"]))
        self.recipients += pc.count_distinct(rows["organization_id"].filter(outward)).as_py()


def make_plan(
    sources: Sequence[Source],
    told: Sequence[Path],
    policy: Policy,
    window_end: datetime,
    inhibitions: Inhibitions,
    *,
    excepted: Excepted = lambda _: [],
    only: int | None = None,
    root: Path | None = None,
    memory_mib: int = 512,
) -> Planned:
    """Decide about every row of `sources` (about one organization's when `only` is given).

    1. the label: RED, missing or unknown is refused;
    2. inhibitions of the owner or of the matched network, and what its owner has an exception for;
    3. a finding told less than `policy.resend_days` before `window_end` is withheld;
    4. an owner with fewer rows to tell than `policy.threshold` is carried to the next window
       (not when `only` is given: a person asked for it).
    """
    where = root or folder()
    with (
        _engine(memory_mib, where) as engine,
        writing("plan", PLAN, window_end, where) as plan,
        writing("told", TOLD, window_end, where) as told_writer,
        writing("carried", ROWS, window_end, where) as carried,
    ):
        _open_sources(engine, sources)
        outputs = _Outputs(plan, told_writer, carried)
        for first, last in _ranges(engine, only):
            rows = _load_range(engine, first, last, told)
            _load_inhibitions(engine, rows, inhibitions)
            _load_excepted(engine, rows, excepted)
            decided = _decided(engine, _barred(rows), policy, window_end, only=only)
            outputs.take(_in_order(rows, decided), window_end)
        decisions = outputs.decisions
        return Planned(
            plan=plan.finish(),
            told=_finished(told_writer, decisions.get("tell", 0)),
            carried=_finished(carried, decisions.get("carried", 0)),
            decisions=decisions,
            recipients=outputs.recipients,
        )


def merge_told(files: Sequence[Path], forget_before: datetime, now: datetime) -> Written:
    """Several told files as one, without findings last told before a moment."""
    with (
        _engine(512, folder()) as engine,
        writing("told", TOLD, now) as writer,
    ):
        rows = engine.execute(
            "SELECT organization_id, finding, min(first_told) AS first_told, "
            "coalesce(max(last_told) FILTER (last_told <= $latest), max(last_told)) AS last_told, "
            "max(last_seen) AS last_seen "
            "FROM read_parquet($files) GROUP BY ALL HAVING max(last_told) >= $before "
            "ORDER BY organization_id, finding",
            {
                "files": [str(path) for path in files],
                "before": forget_before,
                "latest": now + _AHEAD,
            },
        )
        for batch in rows.to_arrow_reader(RANGE_ROWS):
            writer.write(pa.Table.from_batches([batch]))
        return writer.finish()


def _engine(memory_mib: int, where: Path) -> duckdb.DuckDBPyConnection:
    where.mkdir(parents=True, exist_ok=True)
    return duckdb.connect(
        config={
            "memory_limit": f"{memory_mib}MiB",
            "temp_directory": str(where / ".spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )


def _open_sources(engine: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> None:
    """The view `pooled`: all rows but those taken ahead."""
    empty = ROWS.empty_table()
    engine.register("no_rows", empty)
    if not sources:
        engine.execute("CREATE VIEW pooled AS SELECT * FROM no_rows")
        return
    taken = [(str(s.path), owner) for s in sources for owner in sorted(s.taken)]
    engine.register(
        "taken",
        pa.table(
            {
                "filename": pa.array([path for path, _ in taken], pa.string()),
                "organization_id": pa.array([owner for _, owner in taken], pa.int64()),
            }
        ),
    )
    listed = ", ".join("'" + str(source.path).replace("'", "''") + "'" for source in sources)
    engine.execute(
        f"CREATE VIEW pooled AS SELECT * EXCLUDE (filename) "  # noqa: S608 - our own paths, quoted
        f"FROM read_parquet([{listed}], filename = true) r "
        + ("ANTI JOIN taken USING (filename, organization_id)" if taken else "")
    )


def _ranges(engine: duckdb.DuckDBPyConnection, only: int | None) -> Iterator[tuple[int, int]]:
    """First and last organization of each range of about `RANGE_ROWS` rows."""
    sizes = engine.execute(
        "SELECT organization_id, count(*) FROM pooled "
        "WHERE $only IS NULL OR organization_id = $only GROUP BY ALL ORDER BY ALL",
        {"only": only},
    ).fetchall()
    first: int | None = None
    newest = held = 0
    for owner, rows in sizes:
        if first is not None and held + rows > RANGE_ROWS:
            yield first, newest
            first, held = None, 0
        first = owner if first is None else first
        newest, held = owner, held + rows
    if first is not None:
        yield first, newest


def _load_range(
    engine: duckdb.DuckDBPyConnection, first: int, last: int, told: Sequence[Path]
) -> pa.Table:
    """The rows of the organizations `first` to `last`; they are the table `part` as well.

    `told_part` holds what these organizations were told before.
    """
    limits = {"first": first, "last": last}
    chosen = "WHERE organization_id BETWEEN $first AND $last"
    rows = engine.execute(f"SELECT * FROM pooled {chosen}", limits).to_arrow_table()  # noqa: S608 - constants
    engine.register("part", rows.append_column("place", pa.array(np.arange(rows.num_rows))))
    if told:
        engine.execute(
            f"CREATE OR REPLACE TEMP TABLE told_part AS "  # noqa: S608 - constants
            f"SELECT * FROM read_parquet($files) {chosen}",
            {**limits, "files": [str(path) for path in told]},
        )
    else:
        engine.register("told_part", TOLD.empty_table())
    return rows


def _load_inhibitions(
    engine: duckdb.DuckDBPyConnection, rows: pa.Table, inhibitions: Inhibitions
) -> None:
    """The tables `inhibited_owners` and `inhibited_claims` for the rows of `part`."""
    owners, types, claims = (
        set(rows[name].unique().drop_null().to_pylist())
        for name in ("organization_id", "classification_type", "network_id")
    )
    for name, pairs in zip(
        ("inhibited_owners", "inhibited_claims"), inhibitions(owners, types, claims), strict=True
    ):
        engine.register(name, _pairs(pairs))


def _load_excepted(engine: duckdb.DuckDBPyConnection, rows: pa.Table, excepted: Excepted) -> None:
    """The table `excepted` for the owners of the rows of `part`."""
    listed = excepted(set(rows["organization_id"].unique().to_pylist()))
    kinds = (pa.int64(), pa.string(), pa.string(), pa.string())
    names = ("organization_id", "type", "identifier", "asset")
    columns = [pa.array([line[at] for line in listed], kind) for at, kind in enumerate(kinds)]
    engine.register("excepted", pa.table(dict(zip(names, columns, strict=True))))


def _pairs(pairs: Iterable[tuple[int, str]]) -> pa.Table:
    listed = sorted(pairs)
    return pa.table(
        {
            "id": pa.array([identifier for identifier, _ in listed], pa.int64()),
            "type": pa.array([kind for _, kind in listed], pa.string()),
        }
    )


def _barred(rows: pa.Table) -> list[str]:
    """The labels in some rows that bar them from leaving."""
    labels = rows["tlp"].unique().drop_null().to_pylist()
    return [label for label in labels if tlp.parse(label) == tlp.RED]


def _decided(
    engine: duckdb.DuckDBPyConnection,
    barred: list[str],
    policy: Policy,
    window_end: datetime,
    *,
    only: int | None,
) -> pa.Table:
    return engine.execute(
        _DECIDED,
        {
            "barred": barred or [""],
            "cutoff": window_end - timedelta(days=policy.resend_days),
            "latest": window_end + _AHEAD,
            "threshold": 1 if only is not None else policy.threshold,
        },
    ).to_arrow_table()


def _in_order(rows: pa.Table, decided: pa.Table) -> pa.Table:
    """The rows as `PLAN`, in the order of their decisions."""
    ordered = rows.take(decided["place"])
    for name in ("finding", "first_told", "decision"):
        ordered = ordered.append_column(name, decided[name])
    return ordered


def _told_rows(told: pa.Table, window_end: datetime) -> pa.Table:
    """One row per finding told, in the columns of `TOLD`."""
    seen = told.group_by(["organization_id", "finding"]).aggregate(
        [("first_told", "min"), ("last_seen", "max")]
    )
    moment = pa.scalar(window_end, TOLD.field("last_told").type)
    return pa.table(
        {
            "organization_id": seen["organization_id"],
            "finding": seen["finding"],
            "first_told": pc.coalesce(seen["first_told_min"], moment),
            "last_told": pa.repeat(moment, seen.num_rows),
            "last_seen": seen["last_seen_max"],
        }
    ).sort_by("organization_id")


def _finished(writer: Writer, rows: int) -> Written | None:
    if rows:
        return writer.finish()
    writer.abandon()
    return None
