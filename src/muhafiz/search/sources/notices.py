"""Notices, by number and owner."""

from __future__ import annotations

from muhafiz.constituency.queries import organizations
from muhafiz.detection.queries import notices_after
from muhafiz.search.rules import terms
from muhafiz.search.sources import Draft

KIND = "notice"
PERMISSION = "notices.read"
TENANTS = True


def told(mark: str, limit: int) -> tuple[list[Draft], str]:
    """The next notices by id. Its owner finds a notice once it was released."""
    found = notices_after(int(mark or 0), limit=limit)
    owners = organizations(each.organization_id for each in found)
    drafts = []
    for each in found:
        owner = owners.get(each.organization_id)
        names = (owner.name_en, owner.name_ur) if owner else ("", "")
        drafts.append(
            Draft(
                key=str(each.id),
                title=" · ".join(filter(None, (each.number, names[0]))) or each.policy_code,
                title_ur=" · ".join(filter(None, (each.number, names[1]))),
                told=" ".join(each.classes),
                terms=terms(
                    names=(each.number, str(each.public_id), each.digest),
                    words=names,
                    mentions=(each.policy_code, *each.classes),
                ),
                args={"notice_id": each.id},
                organization_id=each.organization_id,
                owner_finds=each.state == "released",
                moment=each.created_at,
            )
        )
    return drafts, str(found[-1].id) if found else mark
