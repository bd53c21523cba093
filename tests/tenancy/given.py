"""Two organizations' trees with a row of each kind, for asking who sees what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import uuid4

from django.apps import apps

MOMENT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DATABASES = ["default", "portal"]


def make(table: str, **values):
    """A row of a table, made as the house."""
    model = next(m for m in apps.get_models() if m._meta.db_table == table)
    return model._base_manager.using("default").create(**values)


def model_of(table: str):
    """The model of a table."""
    return next(m for m in apps.get_models() if m._meta.db_table == table)


@dataclass(frozen=True)
class Owner:
    """An organization and its rows' ids."""

    id: int
    contact: int
    notice: int
    message: object
    finding: int


def organization(name: str, parent: int | None = None) -> int:
    """An organization alone."""
    return make("constituency_organization", name_en=name, parent_id=parent, created_at=MOMENT).pk


def owner(name: str, parent: int | None = None) -> Owner:
    """An organization with a claim, a contact, a finding and a notice with its letter."""
    own = organization(name, parent)
    make(
        "constituency_claim", organization_id=own, kind="domain", text=f"{name}.example",
        origin="manual", source="manual", created_at=MOMENT,
    )  # fmt: skip
    contact = make(
        "constituency_contact", organization_id=own, origin="manual", source="manual",
        created_at=MOMENT,
    )  # fmt: skip
    make(
        "constituency_contactversion", contact=contact, version=1, role="abuse",
        address=f"abuse@{name}.example", created_at=MOMENT, created_by="x",
    )  # fmt: skip
    policy = make(
        "detection_digestpolicy", code=f"p{own}", title="t", cadence="daily", valid_from=MOMENT,
        created_by="x",
    )  # fmt: skip
    run = make(
        "detection_digestrun", policy=policy, policy_code=policy.code, window="w",
        window_start=MOMENT, window_end=MOMENT, sealed_at=MOMENT,
    )  # fmt: skip
    message = make(
        "notifications_message", policy=policy.code, window="w", ledger_id=1, item="notice:x",
        recipient=f"organization:{own}/contact:{contact.pk}", tlp="AMBER", language="en",
        address=f"abuse@{name}.example", subject=f"To {name}", state="sent", sender="x",
        message_id=f"{uuid4()}@x", created_at=MOMENT,
    )  # fmt: skip
    make("notifications_messagebytes", message=message, compressed=name.encode())
    notice = make(
        "detection_notice", number=f"N-{own}", organization_id=own, run=run,
        policy_code=policy.code, window="w", decision="tell", state="released", tlp="AMBER",
        events=3, created_at=MOMENT,
    )  # fmt: skip
    finding = make(
        "detection_finding", number=f"F-{own}", organization_id=own, tlp="AMBER", events=3, assets=1,
        classification_type="scanner", first_seen=MOMENT, last_seen=MOMENT, state_at=MOMENT,
        created_at=MOMENT,
    )  # fmt: skip
    make(
        "detection_findingday", finding=finding, organization_id=own, day=date(2026, 11, 23),
        events=3, assets=1, rank=1, strictness=1, first_seen=MOMENT, last_seen=MOMENT,
    )  # fmt: skip
    return Owner(own, contact.pk, notice.pk, message.pk, finding.pk)
