"""`muhafiz jobs`."""

from __future__ import annotations

from dataclasses import asdict

import click

from muhafiz.config.command.ground import as_json, clock, operator, show, table, with_django

_COLUMNS = ("job_id", "name", "state", "attempt", "run_at", "done", "total", "note")


@click.group()
def jobs() -> None:
    """Queued and timed work."""


@jobs.command("list")
@click.option("--state", type=click.Choice(["queued", "running", "done", "failed", "cancelled"]))
@click.option("--name", help="Only jobs of this name.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@as_json
@with_django
def list_jobs(*, state: str | None, name: str | None, limit: int, as_json: bool) -> None:
    """Jobs, newest first."""
    from muhafiz.jobs.queries import jobs as queued

    rows = [asdict(one) for one in queued(state=state, name=name, limit=limit)]
    show(rows, as_json=as_json, words=table(rows, _COLUMNS))


@jobs.command("timed")
@as_json
@with_django
def list_timed(*, as_json: bool) -> None:
    """Timed jobs: how often, when last, when next."""
    from muhafiz.jobs.queries import timed_jobs

    rows = [
        {
            "name": one.name,
            "every": str(one.every),
            "last": one.last_run and one.last_run.finished_at,
            "state": one.last_run and one.last_run.state,
            "next": one.next_at,
        }
        for one in timed_jobs()
    ]
    show(rows, as_json=as_json, words=table(rows, ("name", "every", "last", "state", "next")))


@jobs.command("retry")
@click.argument("job_id", type=int)
@with_django
def retry(*, job_id: int) -> None:
    """Queue a failed or cancelled job again."""
    from muhafiz.jobs.actions.queue import retry_job

    retry_job(job_id, actor=operator(), now=clock.now())
    click.echo(f"Job {job_id} is queued again.")


@jobs.command("cancel")
@click.argument("job_id", type=int)
@with_django
def cancel(*, job_id: int) -> None:
    """Take a job off the queue, or ask a running one to stop."""
    from muhafiz.jobs.actions.queue import cancel_job

    cancel_job(job_id, actor=operator(), now=clock.now())
    click.echo(f"Job {job_id} is cancelled, or will stop at its next step.")
