"""Reports, by file, digest and feed."""

from __future__ import annotations

from muhafiz.feeds.queries import reports_after
from muhafiz.search.rules import terms
from muhafiz.search.sources import Draft

KIND = "report"
PERMISSION = "reports.read"
TENANTS = False


def told(mark: str, limit: int) -> tuple[list[Draft], str]:
    """The next reports by id."""
    found = reports_after(int(mark or 0), limit=limit)
    drafts = [
        Draft(
            key=str(each.id),
            title=each.file_name,
            told=each.feed,
            terms=terms(
                names=(each.sha256, each.file_name),
                words=(each.file_name.replace("_", " ").replace("-", " "),),
                mentions=(each.feed, each.source),
            ),
            args={"report_id": each.id},
            moment=each.received_at,
        )
        for each in found
    ]
    return drafts, str(found[-1].id) if found else mark
