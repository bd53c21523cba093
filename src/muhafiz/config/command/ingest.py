"""`muhafiz ingest FILE…`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from muhafiz.config.command import PARTLY, REFUSED
from muhafiz.config.command.ground import Progress, as_json, clock, operator, show, with_django


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option("--feed", help="The feed it belongs to; left out, the bytes tell.")
@click.option("--queue", is_flag=True, help="Only keep the reports; the workers read them.")
@as_json
@with_django
def ingest(*, files: tuple[str, ...], feed: str | None, queue: bool, as_json: bool) -> None:
    """Take reports in from files, and read them at once.

    Status 3 when rows were set aside, 1 when a report could not be read at all.
    """
    answers = [_ingest(Path(name), feed, queue=queue, quiet=as_json) for name in files]
    show(answers, as_json=as_json, words=[_words(answer) for answer in answers])
    if any(answer.get("state") in {"quarantined", "failed"} for answer in answers):
        sys.exit(REFUSED)
    sys.exit(PARTLY if any(answer.get("rows_set_aside") for answer in answers) else 0)


def _ingest(path: Path, feed: str | None, *, queue: bool, quiet: bool) -> dict[str, object]:
    from muhafiz.feeds.actions.dropped import ingest_file
    from muhafiz.feeds.actions.processing import process_report
    from muhafiz.feeds.queries import report

    kept = ingest_file(path=path, feed=feed, actor=operator(), now=clock.now())
    answer: dict[str, object] = {"file": path.name, "report": kept.id, "duplicate": kept.duplicate}
    if queue:
        return answer
    progress = Progress(path.name, quiet=quiet)
    process_report(kept.id, actor=operator(), clock=clock, progress=progress)
    progress.close()
    facts = report(kept.id)
    return answer if facts is None else {**asdict(facts), **answer}


def _words(answer: dict[str, object]) -> str:
    head = f"{answer['file']}: report {answer['report']}"
    if answer["duplicate"]:
        head += " (delivered before)"
    if "state" not in answer:
        return f"{head}, queued"
    counts = (
        f"{answer['rows_accepted']:,} rows accepted, {answer['rows_set_aside']:,} set aside, "
        f"{answer['rows_owned']:,} owned, {answer['new_events']:,} new events"
    )
    reason = f" ({answer['detail']})" if answer["detail"] else ""
    return f"{head}, {answer['state']}{reason}: {counts}"
