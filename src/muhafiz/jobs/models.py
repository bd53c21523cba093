"""The queue's tables."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from muhafiz.jobs.rules import ACTIVE, QUEUED


class Job(models.Model):
    """One piece of work. `attempt` counts claims; a run is owned by (`worker`, `attempt`)."""

    name = models.CharField(max_length=100)
    payload = models.TextField(default="{}")
    state = models.CharField(max_length=10, default=QUEUED)
    unique_key = models.CharField(max_length=200, null=True)  # noqa: DJ001 - NULL: no such key
    slot = models.BigIntegerField(null=True)  # of a timed job
    queued_by = models.TextField()
    queued_at = models.DateTimeField()
    run_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField()
    worker = models.CharField(max_length=100, default="")
    leased_until = models.DateTimeField(null=True)
    cancel_asked = models.BooleanField(default=False)
    done = models.BigIntegerField(null=True)
    total = models.BigIntegerField(null=True)
    note = models.TextField(default="")
    error = models.TextField(default="")

    class Meta:
        db_table = "jobs_job"
        constraints = [
            models.UniqueConstraint(
                fields=["unique_key"],
                condition=Q(state__in=ACTIVE),
                name="jobs_one_active_per_key",
            ),
        ]
        indexes = [
            models.Index(
                fields=["run_at", "id"], condition=Q(state=QUEUED), name="jobs_queued_by_time"
            ),
            models.Index(fields=["state", "leased_until"], name="jobs_by_lease"),
            models.Index(fields=["name", "-id"], name="jobs_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.pk}"


class JobHistory(models.Model):
    """One attempt at a job. `outcome`: done, failed, cancelled, lost, stopped; empty: running."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="history")
    attempt = models.PositiveIntegerField()
    worker = models.CharField(max_length=100)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, default="")
    error = models.TextField(default="")

    class Meta:
        db_table = "jobs_history"

    def __str__(self) -> str:
        return f"job {self.job_id}, attempt {self.attempt}"


class TimedJob(models.Model):
    """Which slot a timed job was last queued for, and the highest ever."""

    name = models.CharField(max_length=100, primary_key=True)
    last_slot = models.BigIntegerField()
    highest_slot = models.BigIntegerField()
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "jobs_timed"

    def __str__(self) -> str:
        return self.name


class ClockMark(models.Model):
    """The one row (id 1) with the latest time of day that the queue has seen."""

    id = models.SmallIntegerField(primary_key=True)
    latest = models.DateTimeField()

    class Meta:
        db_table = "jobs_clock"

    def __str__(self) -> str:
        return self.latest.isoformat()


class Worker(models.Model):
    """One worker's sign of life: since when it runs, when it was seen, what it works on."""

    name = models.CharField(max_length=100, primary_key=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)
    stopped_at = models.DateTimeField(null=True)  # it said farewell
    job_id = models.BigIntegerField(null=True)  # NULL: it waits for work
    ran = models.BigIntegerField(default=0)  # jobs it has taken

    class Meta:
        db_table = "jobs_worker"

    def __str__(self) -> str:
        return self.name
