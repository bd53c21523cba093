"""Changes to organizations, claims, contacts and inhibitions, with what they do to attribution."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from muhafiz.audit.models import LogEntry
from muhafiz.constituency import directory, queries
from muhafiz.constituency.actions import claims, contacts, inhibitions, organizations
from muhafiz.constituency.actions.contacts import ContactDetails
from muhafiz.constituency.actions.imports import apply_import, preview_import
from muhafiz.constituency.attribution import attribute, match_tables
from muhafiz.constituency.rules import (
    AlreadyClaimed,
    AlreadyContact,
    BadClaim,
    BadContact,
    BadHours,
    BadName,
    BadPeriod,
    CannotMerge,
    HandleTaken,
    NoSuchOrganization,
    NoSuchRecord,
    UnknownSector,
    WouldCycle,
)
from muhafiz.formats.addresses import parse_addresses
from muhafiz.formats.events import TIME
from muhafiz.keyring.openpgp import new_certificate


def owner_on(day: date, address: str | None, fqdn: str | None = None, asn: int | None = None):
    """(organization, sector, network) of an event on a day."""
    _, packed = parse_addresses(pa.array([address], pa.string()))
    batch = pa.table(
        {
            "time_source": pa.array([datetime(day.year, day.month, day.day, 23, tzinfo=UTC)], TIME),
            "source_address": packed,
            "source_asn": pa.array([asn], pa.int64()),
            "source_fqdn": pa.array([fqdn], pa.string()),
        }
    )
    line = attribute(batch, match_tables()).to_pylist()[0]
    return line["organization_id"], line["sector"], line["network"]


def test_a_letter_for_last_months_event_goes_by_last_months_owner(organization, actor, now) -> None:
    old, new = organization("Old Owner", sector="power"), organization("New Owner")
    for owner, start, end in ((old, None, date(2026, 11, 1)), (new, date(2026, 11, 1), None)):
        claims.add_claim(
            organization_id=owner, kind="address", value="203.0.113.0/24",
            valid_from=start, valid_to=end, actor=actor, now=now,
        )  # fmt: skip
    assert owner_on(date(2026, 10, 31), "203.0.113.9") == (old, "power", "203.0.113.0/24")
    assert owner_on(date(2026, 11, 1), "203.0.113.9") == (new, None, "203.0.113.0/24")


def test_nothing_is_matched_by_nothing(organization, actor, now) -> None:
    everything = organization("Everything")
    for value in ("0.0.0.0/0", "::/0"):
        claims.add_claim(
            organization_id=everything, kind="address", value=value, actor=actor, now=now
        )
    today = now.date()
    for nothing in (None, "0.0.0.0", "::", "::ffff:0.0.0.0"):
        assert owner_on(today, nothing) == (None, None, None)
    assert owner_on(today, "0.0.0.1")[2] == "0.0.0.0/0"
    assert owner_on(today, "::1")[2] == "::/0"


def test_address_then_domain_then_asn(organization, actor, now) -> None:
    one, two, three = (organization(name) for name in ("One", "Two", "Three"))
    for owner, kind, value in (
        (one, "address", "2001:DB8::/32"),
        (two, "domain", "*.Example.org."),
        (three, "asn", "as64500"),
    ):
        claims.add_claim(organization_id=owner, kind=kind, value=value, actor=actor, now=now)
    today = now.date()
    assert owner_on(today, "2001:db8::1", "www.example.org", 64500)[0] == one
    assert owner_on(today, "192.0.2.1", "www.example.org", 64500)[0] == two
    assert owner_on(today, "192.0.2.1", "notexample.org", 64500) == (three, None, "AS64500")
    assert owner_on(today, None, "example.org")[2] == "example.org"


def test_manual_wins_and_conflicts_are_listed(organization, actor, now) -> None:
    one, two = organization("One"), organization("Two")
    first = claims.add_claim(
        organization_id=one, kind="address", value="198.51.100.0/24", actor=actor, now=now
    )
    claims.add_claim(
        organization_id=two, kind="address", value="198.51.100.0/24", actor=actor, now=now
    )
    assert owner_on(now.date(), "198.51.100.1")[0] == one
    (conflict,) = directory.conflicts(viewer=actor, at=now)
    assert (conflict.text, conflict.origin, conflict.winner) == ("198.51.100.0/24", "manual", first)
    assert {claim.organization_id for claim in conflict.claims} == {one, two}
    claims.withdraw_claim(claim_id=first, reason="typed twice", actor=actor, now=now)
    assert directory.conflicts(viewer=actor, at=now) == []
    assert owner_on(now.date(), "198.51.100.1")[0] == two


def test_claims_are_refused_with_a_reason(organization, actor, now) -> None:
    owner = organization("Owner")

    def add(kind: str, value: str, **dates: date) -> int:
        return claims.add_claim(
            organization_id=owner, kind=kind, value=value, actor=actor, now=now, **dates
        )

    for kind, value in (
        ("address", "203.0.113.5/24"),
        ("address", "010.0.0.0/8"),
        ("address", "fe80::%eth0/64"),
        ("domain", "org"),
        ("domain", "192.0.2.1"),
        ("asn", "AS0"),
        ("asn", "AS4294967296"),
        ("hash", "x"),
    ):
        with pytest.raises(BadClaim):
            add(kind, value)
    with pytest.raises(BadPeriod):
        add("asn", "64500", valid_from=date(2026, 2, 1), valid_to=date(2026, 1, 1))
    add("asn", "AS1.0", valid_to=date(2026, 2, 1))
    with pytest.raises(AlreadyClaimed):
        add("asn", "65536", valid_from=date(2026, 1, 31))
    add("asn", "65536", valid_from=date(2026, 2, 1))
    add("address", "::ffff:203.0.113.0/120")
    assert owner_on(now.date(), "203.0.113.255")[2] == "203.0.113.0/24"
    with pytest.raises(NoSuchOrganization):
        claims.add_claim(organization_id=999, kind="asn", value="1", actor=actor, now=now)


def test_dating_a_claim_renews_matching(organization, actor, now) -> None:
    owner = organization("Owner")
    claim = claims.add_claim(
        organization_id=owner, kind="domain", value="example.org", actor=actor, now=now
    )
    assert owner_on(now.date(), None, "example.org")[0] == owner
    claims.date_claim(claim_id=claim, valid_from=None, valid_to=now.date(), actor=actor, now=now)
    assert owner_on(now.date(), None, "example.org")[0] is None
    assert owner_on(now.date() - timedelta(days=1), None, "example.org")[0] == owner


def test_the_sector_is_that_of_the_day(organization, actor, now) -> None:
    owner = organization("Owner", sector="power")
    claims.add_claim(organization_id=owner, kind="asn", value="64500", actor=actor, now=now)
    with pytest.raises(UnknownSector):
        organizations.change_sector(
            organization_id=owner, sector="nowhere", since=now.date(), actor=actor, now=now
        )
    organizations.change_sector(
        organization_id=owner, sector="telecom", since=date(2026, 6, 1), actor=actor, now=now
    )
    assert owner_on(date(2026, 5, 31), None, None, 64500)[1] == "power"
    assert owner_on(date(2026, 6, 1), None, None, 64500)[1] == "telecom"
    with pytest.raises(BadPeriod):
        organizations.change_sector(
            organization_id=owner, sector="power", since=date(2026, 6, 1), actor=actor, now=now
        )


def test_the_tree_takes_no_cycle(organization, actor, now) -> None:
    top = organization("Top")
    middle = organization("Middle", parent_id=top)
    leaf = organization("Leaf", parent_id=middle)
    for parent in (top, leaf, middle):
        with pytest.raises(WouldCycle):
            organizations.move_organization(
                organization_id=top, parent_id=parent, actor=actor, now=now
            )
    organizations.move_organization(organization_id=leaf, parent_id=top, actor=actor, now=now)
    assert queries.organization(leaf).parent_id == top
    page = directory.organization_page(leaf, viewer=actor, at=now)
    assert [one.id for one in page.ancestors] == [top]


def test_names_handles_and_sectors_are_checked(organization, actor, now) -> None:
    organization("First", handles=[("APNIC", "org-x1-ap")])
    with pytest.raises(HandleTaken):
        organization("Second", handles=[("apnic", "ORG-X1-AP")])
    for name in ("", "=cmd()", "+1", "a\nb", "x" * 201):
        with pytest.raises(BadName):
            organization(name)
    with pytest.raises(UnknownSector):
        organization("Third", sector="nowhere")
    with pytest.raises(BadName):
        organization("Fourth", language="fr")


def test_merging_keeps_history_and_moves_what_is_left(organization, actor, now) -> None:
    kept, absorbed = organization("Kept"), organization("Absorbed")
    child = organization("Child", parent_id=absorbed)
    claim = claims.add_claim(
        organization_id=absorbed, kind="address", value="203.0.113.0/24", actor=actor, now=now
    )
    contacts.add_contact(
        organization_id=absorbed, details=ContactDetails("abuse@absorbed.example", "abuse"),
        actor=actor, now=now,
    )  # fmt: skip
    inhibitions.inhibit_letters(
        organization_id=absorbed, claim_id=claim, until=now + timedelta(days=1),
        reason="migration", actor=actor, now=now,
    )  # fmt: skip
    with pytest.raises(CannotMerge):
        organizations.merge_organizations(
            kept_id=child, absorbed_id=absorbed, since=now.date(), actor=actor, now=now
        )
    organizations.merge_organizations(
        kept_id=kept, absorbed_id=absorbed, since=now.date(), actor=actor, now=now
    )
    yesterday = now.date() - timedelta(days=1)
    assert owner_on(yesterday, "203.0.113.1")[0] == absorbed
    assert owner_on(now.date(), "203.0.113.1")[0] == kept
    for asked in (kept, absorbed, child):
        (contact,) = queries.contacts_for([asked], at=now)[asked]
        assert contact.address == "abuse@absorbed.example"
    moved = directory.owners_of("203.0.113.1", viewer=actor, at=now)[0]
    assert queries.inhibited_claims([moved.id], ["x"], now)[moved.id, "x"].reason == "migration"
    facts = queries.organization(absorbed)
    assert (facts.retired, facts.merged_into_id) == (True, kept)
    with pytest.raises(NoSuchOrganization):
        organizations.edit_organization(
            organization_id=absorbed, name_en="Again", actor=actor, now=now
        )


def test_merging_silences_what_was_silent_and_nothing_else(organization, actor, now) -> None:
    kept, absorbed = organization("Kept"), organization("Absorbed")
    by = {"actor": actor, "now": now}
    own = claims.add_claim(organization_id=kept, kind="asn", value="AS64500", **by)
    old = claims.add_claim(organization_id=absorbed, kind="address", value="192.0.2.0/24", **by)
    until = now + timedelta(days=30)
    inhibitions.inhibit_letters(
        organization_id=absorbed, classes="vulner*", until=until, reason="police", **by
    )
    organizations.merge_organizations(kept_id=kept, absorbed_id=absorbed, since=now.date(), **by)
    types = ["vulnerable-system", "spam"]
    assert queries.inhibited([kept], types, now) == {}
    # Events before the merger are still its own.
    assert list(queries.inhibited([absorbed], types, now)) == [(absorbed, "vulnerable-system")]
    moved = directory.owners_of("192.0.2.1", viewer=actor, at=now)[0]
    assert moved.organization_id == kept
    silent = queries.inhibited_claims([own, old, moved.id], types, now)
    assert list(silent) == [(moved.id, "vulnerable-system")]
    page = directory.organization_page(kept, viewer=actor, at=now)
    assert [each.reason for each in page.inhibitions] == ["police"]
    inhibitions.lift_inhibition(inhibition_id=page.inhibitions[0].id, **by)
    assert queries.inhibited_claims([moved.id], types, now) == {}


def test_retiring_ends_claims(organization, actor, now) -> None:
    top = organization("Top")
    leaf = organization("Leaf", parent_id=top)
    claims.add_claim(organization_id=leaf, kind="asn", value="64500", actor=actor, now=now)
    claims.add_claim(
        organization_id=leaf, kind="asn", value="64501", valid_from=date(2027, 1, 1),
        actor=actor, now=now,
    )  # fmt: skip
    with pytest.raises(CannotMerge):
        organizations.retire_organization(
            organization_id=top, since=now.date(), actor=actor, now=now
        )
    organizations.retire_organization(organization_id=leaf, since=now.date(), actor=actor, now=now)
    assert owner_on(date(2026, 11, 22), None, None, 64500)[0] == leaf
    assert owner_on(now.date(), None, None, 64500)[0] is None
    assert owner_on(date(2027, 2, 1), None, None, 64501)[0] is None


def test_a_changed_contact_is_a_new_version(organization, actor, now) -> None:
    owner = organization("Owner", language="ur")
    contact = contacts.add_contact(
        organization_id=owner, details=ContactDetails("abuse@Example.ORG", "Abuse"),
        actor=actor, now=now,
    )  # fmt: skip
    same = ContactDetails("abuse@example.org", "abuse")
    assert contacts.change_contact(contact_id=contact, details=same, actor=actor, now=now) == 1
    other = ContactDetails("soc@example.org", "abuse", name="SOC", language="en")
    assert contacts.change_contact(contact_id=contact, details=other, actor=actor, now=now) == 2
    contacts.confirm_contact(contact_id=contact, actor=actor, now=now)
    (current,) = queries.contacts_for([owner], at=now)[owner]
    assert (current.version, current.address, current.confirmed_at) == (2, "soc@example.org", now)
    first = queries.contact_version(contact, 1)
    assert (first.address, first.language, first.confirmed_at) == ("abuse@example.org", "ur", None)
    contacts.withdraw_contact(contact_id=contact, reason="left", actor=actor, now=now)
    assert queries.contacts_for([owner], at=now) == {owner: []}
    assert queries.contact_version(contact, 2).address == "soc@example.org"
    with pytest.raises(NoSuchRecord):
        contacts.change_contact(contact_id=contact, details=other, actor=actor, now=now)


def test_contacts_are_refused_with_a_reason(organization, actor, now) -> None:
    from muhafiz.keyring.openpgp import BadCertificate

    owner = organization("Owner")
    for details, refusal in (
        (ContactDetails("nobody", "abuse"), BadContact),
        (ContactDetails("a@b.example, c@d.example", "abuse"), BadContact),
        (ContactDetails("a@b.example\nBcc: x@y.example", "abuse"), BadContact),
        (ContactDetails("=a@b.example", "abuse"), BadContact),
        (ContactDetails("a@127.0.0.1", "abuse"), BadContact),
        (ContactDetails("a@b.example", "boss"), BadContact),
        (ContactDetails("a@b.example", "abuse", hours="always"), BadHours),
        (ContactDetails("a@b.example", "abuse", hours="Mon 25:00-26:00"), BadHours),
        (ContactDetails("a@b.example", "abuse", language="fr"), BadName),
        (ContactDetails("a@b.example", "abuse", certificate="nonsense"), BadCertificate),
    ):
        with pytest.raises(refusal):
            contacts.add_contact(organization_id=owner, details=details, actor=actor, now=now)


def add(organization_id: int, address: str, role: str, actor, now, **details: object) -> int:
    return contacts.add_contact(
        organization_id=organization_id, details=ContactDetails(address, role, **details),
        actor=actor, now=now,
    )  # fmt: skip


def test_whom_to_write_to(organization, actor, now) -> None:
    # `now` is Monday 09:00 UTC, 14:00 in Karachi.
    top = organization("Top")
    leaf = organization("Leaf", parent_id=top)
    add(top, "top@example.org", "ciso", actor, now)
    assert addresses(leaf, now) == ["top@example.org"]
    add(leaf, "press@leaf.example", "press", actor, now)
    assert addresses(leaf, now) == ["top@example.org"]
    add(leaf, "always@leaf.example", "24/7", actor, now)
    assert addresses(leaf, now) == ["always@leaf.example"]
    add(leaf, "day@leaf.example", "abuse", actor, now, hours="Mon-Fri 09:00-17:00")
    assert addresses(leaf, now) == ["day@leaf.example"]
    assert addresses(leaf, now + timedelta(hours=4)) == ["always@leaf.example"]
    assert addresses(leaf, now, role_order=("ciso",)) == ["top@example.org"]
    add(leaf, "late@leaf.example", "ciso", actor, now, valid_from=date(2026, 12, 1))
    assert addresses(leaf, now, role_order=("ciso",)) == ["top@example.org"]
    assert addresses(leaf, now + timedelta(days=9), role_order=("ciso",)) == ["late@leaf.example"]


def test_nobody_on_call_means_the_mailbox_all_the_same(organization, actor, now) -> None:
    owner = organization("Owner")
    add(owner, "day@example.org", "abuse", actor, now, hours="Sat 09:00-17:00")
    add(owner, "ciso@example.org", "ciso", actor, now, hours="Sun 22:00-02:00")
    assert addresses(owner, now) == ["day@example.org"]
    sunday_night = datetime(2026, 11, 22, 20, 30, tzinfo=UTC)  # Monday 01:30 in Karachi
    assert addresses(owner, sunday_night) == ["ciso@example.org"]


def test_a_contact_is_not_entered_twice(organization, actor, now) -> None:
    owner, other = organization("Owner"), organization("Other")
    first = add(owner, "desk@example.org", "abuse", actor, now, valid_to=date(2026, 12, 1))
    with pytest.raises(AlreadyContact):
        add(owner, "Desk@example.org", "abuse", actor, now)
    add(owner, "desk@example.org", "abuse", actor, now, valid_from=date(2026, 12, 1))
    add(owner, "desk@example.org", "ciso", actor, now)
    second = add(other, "desk@example.org", "abuse", actor, now)
    add(other, "two@example.org", "abuse", actor, now)
    with pytest.raises(AlreadyContact):
        contacts.change_contact(
            contact_id=second,
            details=ContactDetails("two@example.org", "abuse"),
            actor=actor,
            now=now,
        )
    contacts.withdraw_contact(contact_id=first, reason="left", actor=actor, now=now)
    add(owner, "desk@example.org", "abuse", actor, now, valid_to=date(2026, 12, 1))


def test_one_mailbox_gets_one_letter(nation, organization, actor, now) -> None:
    """A list may name one mailbox under two spellings: the one with a key that holds is chosen."""
    owner = organization("Owner")
    key = new_certificate("<desk@example.org>", valid_for=timedelta(days=3650))
    content = "organization,record,value,role,certificate\n" + "".join(
        f'Owner,contact,{address},abuse,"{certificate}"\n'
        for address, certificate in (
            ("DESK@example.org", ""), ("desk@example.org", key.public), ("Desk@example.org", ""),
        )
    )  # fmt: skip
    diff = preview_import(content.encode(), file_name="list.csv", now=now)
    assert diff.problems == ()
    apply_import(diff, actor=actor, now=now)
    assert addresses(owner, now) == ["desk@example.org"]
    past = key.expires + timedelta(days=1)
    assert addresses(owner, past) == ["DESK@example.org"]


def test_refused_addresses_are_skipped(organization, actor, now) -> None:
    from muhafiz.notifications.models import RetiredAddress

    top = organization("Top")
    leaf = organization("Leaf", parent_id=top)
    add(top, "top@example.org", "abuse", actor, now)
    add(leaf, "Gone@leaf.example", "abuse", actor, now)
    retire = RetiredAddress._meta
    values = {"address": "gone@leaf.example"}
    for field in retire.fields:
        if field.name not in values and not field.null and not field.primary_key:
            kind = field.get_internal_type()
            values[field.name] = now if kind == "DateTimeField" else field.get_default()
    RetiredAddress.objects.create(**values)
    assert addresses(leaf, now) == ["top@example.org"]


def addresses(owner: int, at: datetime, **options: object) -> list[str]:
    return [contact.address for contact in queries.contacts_for([owner], at=at, **options)[owner]]


def test_inhibitions_end_by_themselves(organization, actor, now) -> None:
    owner, other = organization("Owner"), organization("Other")
    until = now + timedelta(days=2)
    with pytest.raises(BadPeriod):
        inhibitions.inhibit_letters(
            organization_id=owner, until=now, reason="late", actor=actor, now=now
        )
    held = inhibitions.inhibit_letters(
        organization_id=owner, classes="vulner*", until=until, reason="audit week",
        actor=actor, now=now,
    )  # fmt: skip
    types = ["vulnerable-system", "infected-system"]
    asked = [owner, other]
    assert set(queries.inhibited(asked, types, now)) == {(owner, "vulnerable-system")}
    assert queries.inhibited(asked, types, now - timedelta(seconds=1)) == {}
    assert queries.inhibited(asked, types, until) == {}
    inhibitions.lift_inhibition(inhibition_id=held, actor=actor, now=now)
    assert queries.inhibited(asked, types, now) == {}
    with pytest.raises(NoSuchRecord):
        inhibitions.lift_inhibition(inhibition_id=held, actor=actor, now=now)


def test_every_change_is_in_the_audit_log_and_in_the_history(organization, actor, now) -> None:
    owner = organization("Owner")
    before = LogEntry.objects.count()
    organizations.edit_organization(
        organization_id=owner, name_en="Owner Ltd", actor=actor, now=now
    )
    organizations.edit_organization(
        organization_id=owner, name_en="Owner Ltd", actor=actor, now=now
    )
    organizations.add_handle(
        organization_id=owner, source="ripe", handle="org-1", actor=actor, now=now
    )
    assert LogEntry.objects.count() == before + 2
    lines = directory.history(owner, viewer=actor)
    assert [line.action for line in lines] == [
        "add_handle",
        "edit_organization",
        "register_organization",
    ]
    assert lines[1].details == {"name_en": ["Owner", "Owner Ltd"]}
