"""What the queries of feeds tell: plain, frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class FeedState:
    """A feed and how it stands. Counts are of the window asked for."""

    id: int
    name: str
    title: str
    source: str
    owner: str
    enabled: bool
    tlp: str
    fetch_every: timedelta | None
    expected_every: timedelta | None
    expected_rows_per_day: int | None
    last_report_at: datetime | None
    fetched_until: datetime | None
    silent_since: datetime | None
    silent_reason: str  # "", "no-report", "few-rows"
    owner_person: int | None
    quiet_until: datetime | None
    quiet_by: str
    quiet_note: str
    options: dict[str, object]
    file_pattern: str
    reports: int
    rows_read: int

    def is_known(self, now: datetime) -> bool:
        """Whether somebody said of its silence that they know, and the time is not over."""
        return self.quiet_until is not None and self.quiet_until > now


@dataclass(frozen=True, slots=True)
class FeedDay:
    """What a feed brought on one UTC day."""

    day: date
    reports: int
    rows: int
    aside: int


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """A report and what came of its rows."""

    id: int
    feed: str
    source: str
    file_name: str
    sha256: str
    size_bytes: int
    door: str
    received_at: datetime
    state: str
    reason: str
    detail: str
    parser: str
    rows_read: int
    rows_accepted: int
    rows_set_aside: int
    rows_open: int
    rows_owned: int
    new_events: int
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def rows_unowned(self) -> int:
        """Accepted rows that belong to nobody."""
        return self.rows_accepted - self.rows_owned


@dataclass(frozen=True, slots=True)
class RiverStage:
    """The counts of one source, or of all (`source` is then empty), at each stage."""

    source: str
    reports_kept: int
    reports_waiting: int
    reports_done: int
    reports_failed: int
    reports_quarantined: int
    bytes_kept: int
    rows_read: int
    rows_accepted: int
    rows_set_aside: int
    rows_open: int
    rows_owned: int
    rows_unowned: int
    new_events: int


@dataclass(frozen=True, slots=True)
class River:
    """What flowed in since a moment: in total and by source, largest first."""

    since: datetime | None
    total: RiverStage
    sources: tuple[RiverStage, ...]


@dataclass(frozen=True, slots=True)
class SetAsideChoice:
    """Which rows set aside are meant; None leaves a trait open.

    `upto` is the highest id that counts: what came later was not looked at.
    """

    feed: str | None = None
    kind: str | None = None
    reason: str | None = None
    column: str | None = None
    report_id: int | None = None
    state: str = "open"
    upto: int | None = None
    row: int | None = None  # its place in the report


@dataclass(frozen=True, slots=True)
class SetAsideGroup:
    """Rows set aside for one reason, at one column, in one report type of one feed."""

    feed: str
    kind: str
    reason: str
    column: str
    rows: int
    reports: int
    example_id: int
    example_detail: str
    newest_id: int
    since: datetime  # when the oldest of the reports came


@dataclass(frozen=True, slots=True)
class SetAsideFacts:
    """One row that could not be read, or the first of `rows` with one fault that are kept as one.

    `last` is the place of the last of them.
    """

    id: int
    report_id: int
    file_name: str
    feed: str
    kind: str
    row: int
    rows: int
    last: int
    reason: str
    detail: str
    column: str
    raw: bytes
    edited: bytes | None
    state: str
    settled_at: datetime | None
    settled_by: str
    note: str

    @property
    def others(self) -> int:
        """The rows beside the first."""
        return self.rows - 1


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """A row kept with what it must be read as. `found` is None before the first check."""

    id: int
    feed: str
    kind: str
    file_name: str
    content: bytes
    expected: dict[str, str]
    found: dict[str, str] | None
    note: str
    kept_at: datetime
    kept_by: str
    checked_at: datetime | None

    @property
    def holds(self) -> bool:
        """Whether it was read as expected when it was checked last."""
        return self.found is None or self.found == self.expected

    @property
    def differences(self) -> list[tuple[str, str, str]]:
        """(column, expected, found) where they differ."""
        found = self.expected if self.found is None else self.found
        names = sorted(set(self.expected) | set(found))
        pairs = [(name, self.expected.get(name, ""), found.get(name, "")) for name in names]
        return [each for each in pairs if each[1] != each[2]]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a row lies: the member within the report and the row within the member."""

    report_id: int
    file_name: str
    member: str
    row: int
