"""Policies, what was gathered for them, the runs that made letters of it, notices and findings.

Events themselves never become rows here: they stand in Parquet files (pools, plans, told files)
of which these tables keep path and digest. A file exists for readers only when its row is
committed.
"""

from __future__ import annotations

import uuid

from django.db import models


class Cadence(models.TextChoices):
    """How often a policy's letters go out; days and weeks are the jurisdiction's."""

    AT_ONCE = "at_once", "At once"
    HOURLY = "hourly", "Every hour"
    DAILY = "daily", "Every day"
    WEEKLY = "weekly", "Every Monday"


class DigestPolicy(models.Model):
    """One version of a policy. An edit closes it and opens the next one under the same code."""

    code = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    classes = models.CharField(max_length=100, default="*")  # glob: "taxonomy/type" or "type"
    feed = models.CharField(max_length=100, default="*")  # glob over the report type
    sector = models.CharField(max_length=40, blank=True)  # empty: every sector
    organization_id = models.BigIntegerField(null=True)  # NULL: every organization
    cadence = models.CharField(max_length=10, choices=Cadence.choices)
    threshold = models.IntegerField(default=1)  # events below which a letter waits for more
    resend_days = models.IntegerField(default=7)  # a lasting finding is told again after these
    attach_xarf = models.BooleanField(default=False)
    tlp = models.CharField(max_length=20, default="AMBER")  # the letter is at least this strict
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    created_by = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code"],
                condition=models.Q(valid_to__isnull=True),
                name="detection_policy_open",
            )
        ]

    def __str__(self) -> str:
        return self.code


class Watermark(models.Model):
    """Up to which moment the windows of one policy are sealed: nothing is added to them."""

    policy_code = models.CharField(max_length=60, primary_key=True)
    sealed_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.policy_code} until {self.sealed_until}"


class Position(models.Model):
    """The one row that says up to which audit entry the lake's appends were gathered."""

    audit_index = models.BigIntegerField(default=-1)

    def __str__(self) -> str:
        return str(self.audit_index)


class DigestRun(models.Model):
    """One policy's closed window on its way to letters."""

    class State(models.TextChoices):
        """The step that comes next."""

        SEALED = "sealed", "Sealed: its events are fixed"
        COMPOSING = "composing", "Planned: letters are being composed"
        DONE = "done", "All letters composed"

    policy = models.ForeignKey(DigestPolicy, on_delete=models.PROTECT)  # the version that holds
    policy_code = models.CharField(max_length=60)
    window = models.CharField(max_length=60)  # as the outbox names it
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    organization_id = models.BigIntegerField(null=True)  # send_now: this organization alone
    state = models.CharField(max_length=10, choices=State.choices, default=State.SEALED)
    sealed_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    path = models.CharField(max_length=200, blank=True)  # the plan: every row and its decision
    digest = models.CharField(max_length=64, blank=True)
    decisions = models.JSONField(default=dict)  # decision → events
    recipients = models.IntegerField(default=0)  # organizations in the plan
    composed_until = models.BigIntegerField(default=-1)  # the last organization that is through

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["policy_code", "window"], name="detection_run_once")
        ]
        indexes = [models.Index(fields=["state"], name="detection_run_state")]

    def __str__(self) -> str:
        return f"{self.policy_code} {self.window}"


class Pool(models.Model):
    """Events that wait for their policy's window to close. `run` NULL: still waiting."""

    policy_code = models.CharField(max_length=60, blank=True)  # empty: no policy matched yet
    path = models.CharField(max_length=200, unique=True)
    digest = models.CharField(max_length=64)
    rows = models.BigIntegerField()
    carried = models.BooleanField(default=False)  # came from a window below its threshold
    matched_version = models.BigIntegerField(default=0)  # newest policy when it was matched
    gathered_at = models.DateTimeField()
    run = models.ForeignKey(DigestRun, null=True, on_delete=models.PROTECT, related_name="pools")

    class Meta:
        indexes = [models.Index(fields=["policy_code", "run"], name="detection_pool_waiting")]

    def __str__(self) -> str:
        return self.path


class GatheredReport(models.Model):
    """A report with rows in a pool: where to look when more batches of it arrive."""

    report_id = models.BigIntegerField(db_index=True)
    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="reports")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["report_id", "pool"], name="detection_report_pool")
        ]

    def __str__(self) -> str:
        return f"report {self.report_id} in pool {self.pool_id}"


class TakenAhead(models.Model):
    """One organization's rows of a waiting pool that a `send_now` run took ahead of the window."""

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="taken")
    organization_id = models.BigIntegerField()
    run = models.ForeignKey(DigestRun, on_delete=models.PROTECT, related_name="taken")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pool", "organization_id"], name="detection_ahead")
        ]

    def __str__(self) -> str:
        return f"{self.pool_id}: {self.organization_id}"


class ToldFile(models.Model):
    """Findings told by one run (or by several, merged): finding, owner, told when, seen when."""

    path = models.CharField(max_length=200, unique=True)
    digest = models.CharField(max_length=64)
    rows = models.BigIntegerField()
    retired_at = models.DateTimeField(null=True)  # merged into a later one

    def __str__(self) -> str:
        return self.path


class Notice(models.Model):
    """What one organization is told about one window of one policy, or why it was not."""

    class State(models.TextChoices):
        """What became of it. The message's own fate stands in the outbox."""

        RELEASED = "released", "Released: its letter is in the outbox"
        HELD = "held", "Held by the desk"
        CANCELLED = "cancelled", "Cancelled by the desk"
        UNDELIVERABLE = "undeliverable", "Nobody to write to"
        REFUSED = "refused", "Refused by the gate"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True)
    number = models.CharField(max_length=100, blank=True, db_index=True)  # empty until released
    organization_id = models.BigIntegerField(db_index=True)
    run = models.ForeignKey(DigestRun, on_delete=models.PROTECT, related_name="notices")
    policy_code = models.CharField(max_length=60)
    window = models.CharField(max_length=60)
    decision = models.CharField(max_length=10)  # which rows of the plan: "tell" or "refused"
    state = models.CharField(max_length=15, choices=State.choices)
    reason = models.TextField(blank=True)
    tlp = models.CharField(max_length=20)
    events = models.IntegerField()
    classes = models.JSONField(default=dict)  # "taxonomy/type" → events
    digest = models.CharField(max_length=64, blank=True)  # SHA-256 of the CSV attachment
    verify_code = models.CharField(max_length=20, blank=True)
    letters = models.JSONField(default=list)  # [{"contact": id, "version": n, "message": uuid}]
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["policy_code", "window", "organization_id", "decision"],
                name="detection_notice_once",
            )
        ]
        indexes = [models.Index(fields=["state", "created_at"], name="detection_notice_state")]

    def __str__(self) -> str:
        return self.number or f"notice {self.pk}"


class NumberRange(models.Model):
    """The one row from which findings take their numbers.

    Numbers are a permutation of 1, 2, 3 …: never given twice, and telling nothing about how many
    findings others have.
    """

    factor = models.BigIntegerField()
    offset = models.BigIntegerField()
    taken = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.taken)


class Finding(models.Model):
    """One organization's problem of one kind, for as long as it lasts; the events are the lake's.

    `first_seen`, `last_seen` and `events` are of the days that the lake still keeps.
    """

    number = models.CharField(max_length=20, unique=True)
    organization_id = models.BigIntegerField()
    classification_taxonomy = models.CharField(max_length=60, blank=True)
    classification_type = models.CharField(max_length=60, blank=True)
    classification_identifier = models.CharField(max_length=200, blank=True)
    severity = models.CharField(max_length=10, blank=True)  # empty: no source said
    rank = models.SmallIntegerField(default=-1)  # the severity's place, the worst is greatest
    tlp = models.CharField(max_length=20)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    events = models.BigIntegerField()
    assets = models.IntegerField()  # distinct, of the days that count as now
    state = models.CharField(max_length=15, default="open")  # finding_rules.STATES
    state_at = models.DateTimeField()
    until = models.DateField(null=True)  # an exception holds up to, but not on, this day
    review = models.CharField(max_length=10, blank=True)  # of "not ours": finding_rules.Review
    by_assets = models.BooleanField(default=False)  # the state is what its assets' answers say
    reopened = models.IntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "classification_type", "classification_identifier"],
                name="detection_finding_once",
            )
        ]
        indexes = [
            models.Index(fields=["organization_id", "state"], name="detection_finding_owner"),
            models.Index(fields=["state", "last_seen"], name="detection_finding_state"),
        ]

    def __str__(self) -> str:
        return self.number


class FindingDay(models.Model):
    """What one UTC day tells of a finding: counted anew from the lake whenever the day changes."""

    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="days")
    organization_id = models.BigIntegerField()
    day = models.DateField()
    events = models.BigIntegerField()
    assets = models.IntegerField()
    rank = models.SmallIntegerField()
    strictness = models.SmallIntegerField()  # formats.tlp.rank of the strictest label
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["finding", "day"], name="detection_finding_day")
        ]
        indexes = [
            models.Index(fields=["day"], name="detection_day"),
            models.Index(fields=["organization_id", "day"], name="detection_day_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.finding_id} on {self.day}"


class GatheredDay(models.Model):
    """How far one UTC day of the lake is counted into findings."""

    day = models.DateField(primary_key=True)
    version = models.BigIntegerField()
    epoch = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day} up to {self.version}"


class Response(models.Model):
    """One line of a finding's history: an answer of its owner, or what the platform or CERT did."""

    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="responses")
    organization_id = models.BigIntegerField()
    kind = models.CharField(max_length=15)  # finding_rules.ANSWERS or NOTED
    asset = models.CharField(max_length=300, blank=True)  # empty: the whole finding
    until = models.DateField(null=True)
    reason = models.TextField(blank=True)
    state = models.CharField(max_length=15)  # of the finding after it
    at = models.DateTimeField()
    by = models.CharField(max_length=200)  # the actor, as the audit log names it
    by_name = models.CharField(max_length=200)
    by_owner = models.BooleanField()  # a person of the organization, not the CERT or the platform

    class Meta:
        indexes = [models.Index(fields=["finding", "at"], name="detection_response_of")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at}"


class Simulation(models.Model):
    """A policy tried on the past: as edited, and what came of it."""

    title = models.CharField(max_length=200)
    policy = models.JSONField()  # the fields of rules.Policy without valid_from
    days = models.PositiveSmallIntegerField()
    job_id = models.BigIntegerField(null=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=200)
    finished_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)  # a simulation.Comparison as data

    def __str__(self) -> str:
        return f"simulation {self.pk}"
