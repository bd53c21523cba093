"""What the relational database knows of the lake: segments, and where each accepted row went."""

from __future__ import annotations

import json

from django.db import models


class Installation(models.Model):
    """The one row that makes this installation's event keys its own."""

    salt = models.BinaryField()  # 16 random bytes, never changed: keys would change with it

    def __str__(self) -> str:
        return "installation"


class Day(models.Model):
    """One UTC day of events: the point where concurrent appends of the day meet.

    `version` grows by one with each append; a segment's `version` is the day's when it was added.
    `epoch` grows when keys leave the day (retention, erasure), so that nobody trusts what they
    remembered of it.
    """

    day = models.DateField(primary_key=True)
    version = models.BigIntegerField(default=0)
    epoch = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"day:{self.day}"


class SegmentKind(models.TextChoices):
    """What a file holds."""

    EVENTS = "events", "Events, one row each"
    RESIGHTINGS = "resightings", "Further sightings of events already stored"


class Segment(models.Model):
    """One immutable Parquet file. It exists for readers only once this row is committed.

    The ranges tell which questions the file cannot answer; NULL means that no row has the value.
    """

    day = models.DateField()
    kind = models.CharField(max_length=12, choices=SegmentKind.choices)
    path = models.CharField(max_length=200, unique=True)  # relative to the lake's folder
    digest = models.CharField(max_length=64)  # SHA-256 of the file, hexadecimal
    size_bytes = models.BigIntegerField()
    rows = models.BigIntegerField()
    sightings = models.BigIntegerField()  # the file's sum
    version = models.BigIntegerField()  # all appends of the day up to here are covered
    generation = models.IntegerField(default=0)  # 0: as appended; 1 and more: compacted
    folded = models.BooleanField(default=False)  # re-sightings already in the events' own rows
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)  # replaced or removed: no reader starts on it

    time_min = models.DateTimeField(null=True)
    time_max = models.DateTimeField(null=True)
    received_min = models.DateTimeField(null=True)
    received_max = models.DateTimeField(null=True)
    key_min = models.BigIntegerField(null=True)
    key_max = models.BigIntegerField(null=True)
    organization_min = models.BigIntegerField(null=True)
    organization_max = models.BigIntegerField(null=True)
    has_nobody = models.BooleanField(default=False)  # some event is owned by nobody
    address_min = models.BinaryField(null=True)  # 16 bytes, big-endian, IPv4 mapped
    address_max = models.BinaryField(null=True)
    asn_min = models.BigIntegerField(null=True)
    asn_max = models.BigIntegerField(null=True)
    fqdn_reversed_min = models.TextField(null=True)  # noqa: DJ001 - NULL: no row has a name
    fqdn_reversed_max = models.TextField(null=True)  # noqa: DJ001 - as above
    feed_codes = models.TextField(default="[]")  # JSON list
    class_counts = models.TextField(default="{}")  # JSON: classification type → events
    organization_counts = models.BinaryField(null=True)  # rules.rollup: events per organization

    class Meta:
        indexes = [
            models.Index(fields=["day", "kind", "retired_at"], name="lake_segment_live"),
            models.Index(fields=["retired_at"], name="lake_segment_retired"),
        ]

    def __str__(self) -> str:
        return f"segment:{self.pk}"

    def classes(self) -> dict[str, int]:
        """Events per classification type; the empty name stands for none."""
        found: dict[str, int] = json.loads(self.class_counts)
        return found

    def feeds(self) -> frozenset[str]:
        """The feed codes that occur."""
        return frozenset(json.loads(self.feed_codes))


class Contribution(models.Model):
    """How many rows of one report a segment's own sightings account for."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="contributions")
    report_id = models.BigIntegerField(db_index=True)
    sightings = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["segment", "report_id"], name="lake_contribution_once")
        ]

    def __str__(self) -> str:
        return f"report:{self.report_id}"


class Receipt(models.Model):
    """The answer given for one batch of one report: a second append gets the same answer."""

    report_id = models.BigIntegerField()
    batch_number = models.IntegerField()
    rows = models.BigIntegerField()
    new_events = models.BigIntegerField()
    segment = models.BigIntegerField(null=True)  # the first segment written; it may since be gone
    appended_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["report_id", "batch_number"], name="lake_receipt_once")
        ]

    def __str__(self) -> str:
        return f"report:{self.report_id}"


class Removal(models.Model):
    """Rows that left the lake on purpose, so that the sums still meet."""

    report_id = models.BigIntegerField(db_index=True)
    day = models.DateField()
    sightings = models.BigIntegerField()
    reason = models.CharField(max_length=200)
    removed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"report:{self.report_id}"


class Export(models.Model):
    """Events that somebody asked to take along: what, for whom, and the file that came of it.

    `file_name` is random and set only once the file is whole on the disk.
    """

    public_id = models.UUIDField(unique=True)
    requested_by = models.CharField(max_length=200)  # as the audit log names them
    requested_name = models.CharField(max_length=300)
    requested_at = models.DateTimeField()
    query = models.TextField()  # lake.written_query
    told = models.TextField()  # the filters as the explorer's address had them
    columns = models.TextField()  # JSON list
    format = models.CharField(max_length=8)  # csv, jsonl, parquet
    expected = models.BigIntegerField()  # events counted when it was asked for
    job_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10)
    reason = models.TextField(blank=True)  # why it failed, English
    rows = models.BigIntegerField(default=0)
    left_out = models.BigIntegerField(default=0)  # TLP:RED and unlabeled: they leave by no door
    tlp = models.CharField(max_length=40, blank=True)  # the strictest label of the rows in it
    organizations = models.TextField(default="[]")  # JSON list: whose facts it tells
    file_name = models.CharField(max_length=64, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)  # SHA-256 of the file, hexadecimal
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    handed_out = models.IntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["requested_by", "-id"], name="lake_export_mine")]

    def __str__(self) -> str:
        return f"export:{self.public_id}"
