"""The queue's tables."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from muhafiz.triage.rules import CLOSED, NEW


class Item(models.Model):
    """Something that waits for a person. (kind, key) names it for ever; owner and notes stay."""

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    title = models.CharField(max_length=60)  # a code: the faces hold the words
    params = models.JSONField(default=dict)
    rank = models.SmallIntegerField()  # of the severity; 4 is critical
    tlp = models.CharField(max_length=20)
    organization_id = models.BigIntegerField(null=True)
    sector = models.CharField(max_length=40, blank=True)
    reference = models.CharField(max_length=100, blank=True)
    route = models.CharField(max_length=60, blank=True)
    route_args = models.JSONField(default=dict)
    route_query = models.JSONField(default=dict)
    likeness = models.CharField(max_length=200)
    seen_count = models.BigIntegerField(default=1)
    more = models.JSONField(default=list)
    text = models.TextField()  # what the search box looks in, in lower case
    since = models.DateTimeField()  # the thing lasts since then
    arrived_at = models.DateTimeField()  # it came, or came back, to the queue
    arrival = models.BigIntegerField()  # the number of the sweep that brought it
    due_at = models.DateTimeField(null=True)  # NULL: no clock
    owner = models.BigIntegerField(null=True)  # a person's id; NULL: nobody
    state = models.CharField(max_length=10, default=NEW)
    wait_until = models.DateTimeField(null=True)  # a waiting item wakes then
    waits_for = models.CharField(max_length=20, blank=True)
    closed_reason = models.CharField(max_length=20, blank=True)
    closed_at = models.DateTimeField(null=True)
    told = models.BooleanField(default=True)  # its source told of it in the last sweep
    version = models.IntegerField(default=1)  # counts what was done to it
    changed_by = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "triage_item"
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="triage_item_once"),
            models.CheckConstraint(
                condition=Q(state=CLOSED, closed_at__isnull=False)
                | (~Q(state=CLOSED) & Q(closed_at__isnull=True)),
                name="triage_item_closed",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"], condition=~Q(state=CLOSED), name="triage_open_by_due"
            ),
            models.Index(fields=["owner", "state"], name="triage_by_owner"),
            models.Index(fields=["likeness", "-id"], name="triage_by_likeness"),
            models.Index(fields=["organization_id", "-id"], name="triage_by_organization"),
            models.Index(fields=["-closed_at", "-id"], name="triage_by_closing"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class ItemNote(models.Model):
    """One line of an item's history: what was done, by whom, and what they wrote. Never changed."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="notes")
    act = models.CharField(max_length=20)  # note, or what was done
    at = models.DateTimeField()
    by = models.CharField(max_length=200)  # "person:4"
    by_name = models.CharField(max_length=200)
    reason = models.CharField(max_length=20, blank=True)  # code of the choice
    text = models.TextField(blank=True)
    whom = models.CharField(max_length=200, blank=True)  # the name of the owner it went to
    until = models.DateTimeField(null=True)

    class Meta:
        db_table = "triage_note"
        indexes = [models.Index(fields=["item", "id"], name="triage_note_by_item")]

    def __str__(self) -> str:
        return f"{self.act} of item {self.item_id}"


class SourceMark(models.Model):
    """When a source was last asked, by which sweep, and what went wrong."""

    kind = models.CharField(max_length=40, primary_key=True)
    asked_at = models.DateTimeField()
    sweep = models.BigIntegerField()
    items = models.IntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        db_table = "triage_source"

    def __str__(self) -> str:
        return self.kind


class SweepCounter(models.Model):
    """The one row (id 1) with the number of the last sweep; sweeps hold its lock."""

    id = models.SmallIntegerField(primary_key=True)
    number = models.BigIntegerField(default=0)

    class Meta:
        db_table = "triage_sweep"

    def __str__(self) -> str:
        return str(self.number)


class BulkRun(models.Model):
    """One act on many items, fixed when it was confirmed; `position` moves with each portion."""

    act = models.CharField(max_length=10)
    params = models.JSONField(default=dict)
    query = models.TextField(blank=True)  # the filter, as the address line writes it
    items = models.JSONField(default=list)  # ids, in order
    total = models.IntegerField()
    position = models.IntegerField(default=0)
    done = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    state = models.CharField(max_length=10, default="running")  # running, done, stopped
    stop_asked = models.BooleanField(default=False)
    actor = models.JSONField()  # who asked for it, with the roles held then
    started_by = models.BigIntegerField(null=True)
    started_name = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    job_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "triage_bulk"

    def __str__(self) -> str:
        return f"{self.act} of {self.total}"


class BulkFailure(models.Model):
    """One item that a bulk run could not move, and why."""

    run = models.ForeignKey(BulkRun, on_delete=models.CASCADE, related_name="failures")
    item_id = models.BigIntegerField()
    text = models.TextField()  # the refusal's English pattern: the faces translate it
    params = models.JSONField(default=dict)

    class Meta:
        db_table = "triage_bulk_failure"
        indexes = [models.Index(fields=["run", "id"], name="triage_failure_by_run")]

    def __str__(self) -> str:
        return f"item {self.item_id} of run {self.run_id}"


class Handover(models.Model):
    """A shift that goes from one officer to the next: a signed note and what stood open then."""

    from_person = models.BigIntegerField(null=True)  # NULL: nobody was on duty
    from_name = models.CharField(max_length=200, blank=True)
    to_person = models.BigIntegerField()
    to_name = models.CharField(max_length=200)
    note = models.TextField(blank=True)
    seized = models.BooleanField(default=False)  # taken over by the incoming officer alone
    at = models.DateTimeField()
    body = models.BinaryField()  # canonical bytes of note and list; what the signature covers
    signature = models.BinaryField()
    public_key = models.BinaryField()
    items = models.IntegerField(default=0)
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "triage_handover"
        constraints = [
            models.UniqueConstraint(
                fields=["seized"],
                condition=Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
                name="triage_one_open_handover",
            ),
        ]
        indexes = [models.Index(fields=["-accepted_at", "-id"], name="triage_duty")]

    def __str__(self) -> str:
        return f"handover {self.pk}"
