"""Feeds, the reports they deliver, the rows that could not be read, the mails they came in."""

from __future__ import annotations

from django.db import models


class Feed(models.Model):
    """A standing delivery of reports: from whom, how read, how often, and who looks after it."""

    name = models.SlugField(max_length=80, unique=True)
    source = models.CharField(max_length=80)  # a folder of feeds.sources; empty: nothing reads it
    title = models.CharField(max_length=200)
    options = models.JSONField(default=dict)  # what the source's parser and fetch understand
    sealed_secrets = models.BinaryField(null=True)  # a JSON object, sealed by keyring
    fetch_every = models.DurationField(null=True)  # how often the source's API is asked
    fetched_until = models.DateTimeField(null=True)  # watermark of the last fetch that succeeded
    fetch_due_at = models.DateTimeField(null=True)
    expected_every = models.DurationField(null=True)  # longest usual gap between two reports
    expected_rows_per_day = models.PositiveBigIntegerField(null=True)
    file_pattern = models.CharField(max_length=200, blank=True)  # glob that settles a guess
    tlp = models.CharField(max_length=16)  # for rows that carry none
    owner = models.CharField(max_length=200, blank=True)  # who is asked when it falls silent
    owner_person = models.BigIntegerField(null=True)  # the person of the desk who looks after it
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    last_report_at = models.DateTimeField(null=True)
    silent_since = models.DateTimeField(null=True)  # an alarm is standing
    silent_reason = models.CharField(max_length=40, blank=True)  # "no-report" or "few-rows"
    quiet_until = models.DateTimeField(null=True)  # somebody knows of the silence until then
    quiet_by = models.CharField(max_length=200, blank=True)
    quiet_note = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "feeds_feed"

    def __str__(self) -> str:
        return self.name


class Report(models.Model):
    """One delivered file: its raw bytes' digest, how far it was read, what came of its rows."""

    class State(models.TextChoices):
        """Where a report stands."""

        RECEIVED = "received"
        PROCESSING = "processing"
        DONE = "done"
        FAILED = "failed"
        QUARANTINED = "quarantined"

    feed = models.ForeignKey(Feed, on_delete=models.PROTECT, related_name="reports")
    file_name = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64, db_index=True)  # of the bytes as delivered
    size = models.PositiveBigIntegerField()  # bytes as delivered
    identifier = models.CharField(max_length=300, blank=True)  # the sender's own name for it
    door = models.CharField(max_length=20)  # drop, mail, api, command, web
    received_at = models.DateTimeField(db_index=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.RECEIVED)
    reason = models.CharField(max_length=60, blank=True)  # code of the refusal or error
    detail = models.TextField(blank=True)
    parser = models.CharField(max_length=100, blank=True)  # "shadowserver/1"
    batch_rows = models.PositiveIntegerField(default=0)  # fixed at the first try
    attempts = models.PositiveSmallIntegerField(default=0)  # tries since the last progress
    blocks_done = models.PositiveIntegerField(default=0)  # a killed run resumes after them
    next_batch = models.PositiveIntegerField(default=0)  # next batch number towards the lake
    rows_read = models.PositiveBigIntegerField(default=0)
    bytes_read = models.PositiveBigIntegerField(default=0)  # unpacked
    rows_accepted = models.PositiveBigIntegerField(default=0)
    rows_set_aside = models.PositiveBigIntegerField(default=0)  # ever, replayed ones included
    rows_open = models.PositiveBigIntegerField(default=0)  # set aside and not yet settled
    rows_owned = models.PositiveBigIntegerField(default=0)
    new_events = models.PositiveBigIntegerField(default=0)  # the others were seen before
    #: Of what was opened: [{"name", "first_row", "block", "layout"}].
    members = models.JSONField(default=list)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    raw_removed_at = models.DateTimeField(null=True)  # retention removed the raw bytes

    class Meta:
        db_table = "feeds_report"
        constraints = [
            models.UniqueConstraint(fields=["feed", "sha256"], name="report_once_per_feed")
        ]
        indexes = [
            models.Index(fields=["state", "received_at"], name="report_by_state"),
            models.Index(fields=["feed", "received_at"], name="report_by_feed"),
        ]

    def __str__(self) -> str:
        return f"report:{self.pk} {self.file_name}"


class SetAsideRow(models.Model):
    """A row of a report that could not be read, its bytes as they stood, and what became of it.

    Of very many rows with one fault the first are kept one by one; the others share one of these,
    which stands for `rows` of them: `row`, `raw` and `detail` are the first's, `places` all of
    theirs. Their bytes are in the report.
    """

    class State(models.TextChoices):
        """What became of the row."""

        OPEN = "open"
        REPLAYED = "replayed"
        DISMISSED = "dismissed"

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="set_aside")
    row = models.PositiveBigIntegerField()  # 1-based, counted through all members of the report
    rows = models.PositiveIntegerField(default=1)  # how many it stands for
    places = models.BinaryField(null=True)  # where those lie (feeds.places); NULL: it is one row
    kind = models.CharField(max_length=100, blank=True)  # report type, as the source names it
    reason = models.CharField(max_length=60)
    detail = models.TextField()
    column = models.CharField(max_length=200, blank=True)
    raw = models.BinaryField()
    edited = models.BinaryField(null=True)  # the bytes a person put in place of `raw`
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)  # why it was dismissed

    class Meta:
        db_table = "feeds_set_aside_row"
        constraints = [
            models.UniqueConstraint(fields=["report", "row"], name="set_aside_once_per_row")
        ]
        indexes = [models.Index(fields=["state", "kind", "reason"], name="set_aside_by_reason")]

    def __str__(self) -> str:
        return f"report:{self.report_id} row {self.row}"


class Sample(models.Model):
    """A row kept with what it must be read as: checked whenever a mapping of its feed changes."""

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="samples")
    kind = models.CharField(max_length=100)  # report type
    file_name = models.CharField(max_length=300)  # sources read the type from it
    content = models.BinaryField()  # the report's beginning (header) and the one row
    received_at = models.DateTimeField()  # of the report it was taken from
    expected = models.JSONField()  # event column → text, or {"set aside": reason}
    note = models.CharField(max_length=300, blank=True)
    kept_at = models.DateTimeField()
    kept_by = models.CharField(max_length=200)
    checked_at = models.DateTimeField(null=True)
    found = models.JSONField(null=True)  # what it was read as when checked last

    class Meta:
        db_table = "feeds_sample"
        indexes = [models.Index(fields=["feed", "kind"], name="sample_by_kind")]

    def __str__(self) -> str:
        return f"sample:{self.pk}"


class TakenMail(models.Model):
    """A mail that was taken from the mailbox, so that it is never taken twice."""

    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of Message-ID and content
    sha256 = models.CharField(max_length=64, db_index=True)  # of the whole mail, kept raw
    message_id = models.CharField(max_length=1000, blank=True)
    sender = models.CharField(max_length=400, blank=True)
    subject = models.CharField(max_length=400, blank=True)
    taken_at = models.DateTimeField(db_index=True)
    outcome = models.CharField(max_length=20)  # reports, bounce, nothing, malformed
    reports = models.JSONField(default=list)  # ids

    class Meta:
        db_table = "feeds_taken_mail"

    def __str__(self) -> str:
        return self.message_id or self.digest
