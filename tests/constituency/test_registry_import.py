"""Registry files become automatic claims that follow the registry; manual ones stay untouched."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from muhafiz.constituency import directory, queries
from muhafiz.constituency.actions.claims import add_claim
from muhafiz.constituency.actions.imports import (
    RegisterShrank,
    UnreadableRegister,
    import_delegated,
    import_rpsl,
    undo_import,
)
from muhafiz.constituency.actions.organizations import add_handle, merge_organizations
from muhafiz.constituency.models import Claim


def delegated(*records: str) -> bytes:
    version = f"2|apnic|20261122|{len(records)}|19830613|20261121|+1000"
    return "".join(f"{line}\n" for line in (version, *records)).encode()


ALPHA = "apnic|PK|ipv4|192.0.2.0|256|20110131|allocated|a91alpha"
ALPHA_ODD = "apnic|PK|ipv4|198.51.100.64|192|20120131|assigned|A91ALPHA"
BETA = "apnic|PK|ipv6|2001:db8::|32|20130131|allocated|A91BETA"
NUMBERS = "apnic|PK|asn|64496|2|20140131|allocated|A91BETA"
STRANGER = "apnic|PK|ipv4|203.0.113.0|256|20150131|allocated|A91OTHER"
FREE = "apnic|PK|ipv4|100.64.0.0|256||available|A91BETA"


@pytest.fixture
def two(organization):
    """Alpha and Beta, known to the registry."""
    return (
        organization("Alpha", handles=[("apnic", "A91ALPHA")]),
        organization("Beta", handles=[("APNIC", "a91beta")]),
    )


def taken(content: bytes, actor, now, **options: object):
    return import_delegated(
        content, source="APNIC", file_name="delegated-apnic", actor=actor, now=now, **options
    )


def standing() -> set[tuple[str, str, date | None, date | None]]:
    rows = Claim.objects.filter(withdrawn_at=None, origin="automatic")
    return set(rows.values_list("organization__name_en", "text", "valid_from", "valid_to"))


def test_holders_are_matched_by_handle(two, actor, now) -> None:
    done = taken(delegated(ALPHA, ALPHA_ODD, BETA, NUMBERS, STRANGER, FREE), actor, now)
    assert (done.added, done.ended, done.unchanged) == (6, 0, 0)
    assert done.unmatched == (("A91OTHER", 1),)
    assert standing() == {
        ("Alpha", "192.0.2.0/24", date(2011, 1, 31), None),
        ("Alpha", "198.51.100.64/26", date(2012, 1, 31), None),
        ("Alpha", "198.51.100.128/25", date(2012, 1, 31), None),
        ("Beta", "2001:db8::/32", date(2013, 1, 31), None),
        ("Beta", "AS64496", date(2014, 1, 31), None),
        ("Beta", "AS64497", date(2014, 1, 31), None),
    }
    assert directory.imports()[0].counts["added"] == 6


def test_what_disappears_ends_and_what_moves_begins_today(two, actor, now) -> None:
    alpha, _ = two
    taken(delegated(ALPHA, ALPHA_ODD, BETA, NUMBERS), actor, now)
    own = add_claim(
        organization_id=alpha, kind="address", value="192.0.2.0/24", actor=actor, now=now
    )
    later = now + timedelta(days=7)
    moved = ALPHA.replace("a91alpha", "A91BETA")
    done = taken(delegated(moved, BETA, NUMBERS), actor, later)
    assert (done.added, done.ended, done.unchanged) == (1, 3, 3)
    assert ("Alpha", "192.0.2.0/24", date(2011, 1, 31), later.date()) in standing()
    assert ("Beta", "192.0.2.0/24", later.date(), None) in standing()
    untouched = Claim.objects.get(pk=own)
    assert (untouched.valid_to, untouched.origin) == (None, "manual")
    assert Claim.objects.filter(origin="automatic").count() == 7  # ended, not deleted
    assert taken(delegated(moved, BETA, NUMBERS), actor, later).unchanged == 4
    undo_import(done.import_id, actor=actor, now=later)
    assert ("Alpha", "192.0.2.0/24", date(2011, 1, 31), None) in standing()
    assert not [row for row in standing() if row[0] == "Beta" and row[1] == "192.0.2.0/24"]


def test_a_handle_learnt_later_brings_its_networks(two, organization, actor, now) -> None:
    taken(delegated(ALPHA, STRANGER), actor, now)
    other = organization("Other")
    add_handle(organization_id=other, source="apnic", handle="A91OTHER", actor=actor, now=now)
    taken(delegated(ALPHA, STRANGER), actor, now)
    assert ("Other", "203.0.113.0/24", date(2015, 1, 31), None) in standing()


def test_merged_organizations_keep_following_the_registry(two, actor, now) -> None:
    alpha, beta = two
    taken(delegated(ALPHA, BETA), actor, now)
    merge_organizations(kept_id=alpha, absorbed_id=beta, since=now.date(), actor=actor, now=now)
    done = taken(delegated(ALPHA, BETA), actor, now)
    assert (done.added, done.ended, done.unchanged) == (0, 0, 2)
    assert ("Alpha", "2001:db8::/32", now.date(), None) in standing()


def test_a_file_cut_short_ends_nothing(two, actor, now) -> None:
    content = delegated(ALPHA, BETA, NUMBERS)
    taken(content, actor, now)
    before = standing()
    for bad in (b"<html>\n", *(content[:size] for size in range(len(content)))):
        with pytest.raises(UnreadableRegister):
            taken(bad, actor, now)
    assert standing() == before


def test_a_file_that_shrank_needs_a_word(two, actor, now) -> None:
    many = [f"apnic|PK|asn|{number}|1|20140131|allocated|A91BETA" for number in range(64500, 64530)]
    taken(delegated(ALPHA, *many), actor, now)
    with pytest.raises(RegisterShrank):
        taken(delegated(ALPHA), actor, now)
    assert taken(delegated(ALPHA), actor, now, even_if_shrunk=True).ended == 30


DUMP = """\
organisation:   ORG-ALPHA-RIPE
org-name:       Alpha
e-mail:         office@alpha.example
abuse-c:        AC1-RIPE

role:           Alpha abuse desk
nic-hdl:        AC1-RIPE
abuse-mailbox:  Abuse@ALPHA.example
abuse-mailbox:  not an address

inetnum:        192.0.2.0 - 192.0.2.255
org:            ORG-ALPHA-RIPE
mnt-by:         RIPE-NCC-HM-MNT
created:        2019-02-03T04:05:06Z

aut-num:        AS64496
mnt-by:         MNT-BETA
admin-c:        BP1-RIPE

person:         Beta Person
nic-hdl:        BP1-RIPE
e-mail:         noc@beta.example

route:          198.51.100.0/24
origin:         as64496
mnt-by:         MNT-SOMEBODY

inet6num:       2001:db8::1/32
mnt-by:         MNT-BETA

inetnum:        203.0.113.0 - 203.0.113.255
mnt-by:         MNT-NOBODY
"""


@pytest.fixture
def ripe(organization):
    """Alpha and Beta as RIPE knows them."""
    return (
        organization("Alpha", handles=[("ripe", "ORG-ALPHA-RIPE")]),
        organization("Beta", handles=[("ripe", "MNT-BETA")]),
    )


def test_registry_objects_bring_claims_and_mailboxes(ripe, actor, now) -> None:
    alpha, beta = ripe
    done = import_rpsl(
        DUMP.encode("latin-1"), source="ripe", file_name="r.db", actor=actor, now=now
    )
    assert standing() == {
        ("Alpha", "192.0.2.0/24", date(2019, 2, 3), None),
        ("Beta", "AS64496", None, None),
        ("Beta", "198.51.100.0/24", None, None),
    }
    assert done.unmatched == (("MNT-NOBODY", 1),)
    assert [line for line, _ in done.problems] == [28]
    found = queries.contacts_for([alpha, beta], at=now)
    assert [c.address for c in found[alpha]] == ["Abuse@alpha.example"]
    assert [(c.address, c.origin, c.source) for c in found[beta]] == [
        ("noc@beta.example", "automatic", "ripe")
    ]
    with pytest.raises(UnreadableRegister):
        import_rpsl(b"person: x\n", source="ripe", file_name="r.db", actor=actor, now=now)


def test_mailboxes_follow_the_registry(ripe, actor, now) -> None:
    alpha, _ = ripe

    def take(text: str, at):
        return import_rpsl(text.encode(), source="ripe", file_name="r.db", actor=actor, now=at)

    take(DUMP, now)
    later = now + timedelta(days=1)
    other = DUMP.replace("Abuse@ALPHA.example", "csirt@alpha.example")
    done = take(other, later)
    assert (done.contacts_added, done.contacts_ended, done.unchanged) == (1, 1, 3)
    (contact,) = queries.contacts_for([alpha], at=later)[alpha]
    assert contact.address == "csirt@alpha.example"
    undo_import(done.import_id, actor=actor, now=later)
    (contact,) = queries.contacts_for([alpha], at=later)[alpha]
    assert (contact.address, contact.version) == ("Abuse@alpha.example", 3)


def test_manual_contacts_hide_the_registrys(ripe, actor, now) -> None:
    from muhafiz.constituency.actions.contacts import ContactDetails, add_contact

    alpha, _ = ripe
    import_rpsl(DUMP.encode(), source="ripe", file_name="r.db", actor=actor, now=now)
    add_contact(
        organization_id=alpha, details=ContactDetails("soc@alpha.example", "abuse"),
        actor=actor, now=now,
    )  # fmt: skip
    (contact,) = queries.contacts_for([alpha], at=now)[alpha]
    assert contact.address == "soc@alpha.example"


def test_two_kinds_of_file_of_one_registry_do_not_end_each_others_claims(
    organization, actor, now
) -> None:
    organization("Alpha", handles=[("apnic", "A91ALPHA"), ("apnic", "MNT-ALPHA")])
    dump = b"route: 100.64.0.0/24\norigin: AS64496\nmnt-by: MNT-ALPHA\n"
    import_rpsl(dump, source="apnic", file_name="apnic.db", actor=actor, now=now)
    assert taken(delegated(ALPHA), actor, now).ended == 0
    again = import_rpsl(dump, source="apnic", file_name="apnic.db", actor=actor, now=now)
    assert (again.added, again.ended, again.unchanged) == (0, 0, 1)
