"""Findings, by number, kind and what they name (a CVE, a family of malware)."""

from __future__ import annotations

from muhafiz.constituency.queries import organizations
from muhafiz.detection.finding_queries import findings_after
from muhafiz.release.rules import may_be_given
from muhafiz.search.rules import terms
from muhafiz.search.sources import Draft

KIND = "finding"
PERMISSION = "events.read"
TENANTS = True


def told(mark: str, limit: int) -> tuple[list[Draft], str]:
    """The next findings by id."""
    found = findings_after(int(mark or 0), limit=limit)
    owners = organizations(each.organization_id for each in found)
    drafts = []
    for each in found:
        owner = owners.get(each.organization_id)
        names = (owner.name_en, owner.name_ur) if owner else ("", "")
        drafts.append(
            Draft(
                key=str(each.id),
                title=f"{each.number} · {each.name}",
                told=names[0],
                terms=terms(
                    names=(each.number, each.identifier),
                    words=(each.name.replace("-", " "), each.type, *names),
                    mentions=(each.taxonomy,),
                ),
                args={
                    "finding_id": each.id,
                    "organization_id": each.organization_id,
                    "identifier": each.identifier,
                    "type": each.type,
                },
                organization_id=each.organization_id,
                owner_finds=may_be_given(each.tlp, "organization"),
                moment=each.last_seen,
            )
        )
    return drafts, str(found[-1].id) if found else mark
