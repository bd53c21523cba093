"""The CSV format: dry run, diff, import, undo."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from muhafiz.constituency import directory, queries
from muhafiz.constituency.actions.claims import add_claim, date_claim
from muhafiz.constituency.actions.contacts import ContactDetails, add_contact
from muhafiz.constituency.actions.imports import (
    PreviewOutdated,
    UnreadableSheet,
    apply_import,
    preview_import,
    undo_import,
)
from muhafiz.constituency.actions.organizations import change_sector, move_organization
from muhafiz.constituency.models import (
    Claim,
    Contact,
    ContactVersion,
    Import,
    Organization,
    PastSector,
)
from muhafiz.constituency.rules import NoSuchRecord

FILE = """\
organization,record,value,name,name_ur,sector,parent,language,role,hours,valid_from,valid_to
grid,network,203.0.113.0/24,,,,,,,,,
power,organization,,Power Company,بجلی کمپنی,power,,ur,,,,
grid,organization,,Grid of Power,,power,power,en,,,,
grid,domain,Grid.Example,,,,,,,,2026-01-01,
grid,asn,64500,,,,,,,,,2027-01-01
power,contact,abuse@power.example,Abuse desk,,,,,abuse,Mon-Fri 09:00-17:00,,
"""


def imported(text: str | bytes, actor, now, name: str = "list.csv"):
    content = text.encode() if isinstance(text, str) else text
    return apply_import(preview_import(content, file_name=name, now=now), actor=actor, now=now)


@pytest.fixture
def first(nation, actor, now):
    """The file above, imported."""
    return imported(FILE, actor, now)


def owner(name: str) -> int:
    return Organization.objects.get(name_en=name, retired_at=None).pk


def test_a_preview_writes_nothing(nation, now) -> None:
    diff = preview_import(FILE.encode(), file_name="list.csv", now=now)
    assert (diff.additions, diff.changes, diff.unchanged, diff.problems) == (6, 0, 0, ())
    assert not Organization.objects.exists()
    assert not Import.objects.exists()


def test_a_file_comes_in_and_says_the_same_the_second_time(first, actor, now) -> None:
    assert (first.added, first.changed, first.unchanged, first.problems) == (6, 0, 0, 0)
    power, grid = owner("Power Company"), owner("Grid of Power")
    facts = queries.organizations([power, grid])
    assert (facts[power].name("ur"), facts[power].language) == ("بجلی کمپنی", "ur")
    assert (facts[grid].parent_id, facts[grid].sector) == (power, "power")
    claims = Claim.objects.order_by("kind").values_list(
        "organization", "text", "origin", "valid_from", "valid_to"
    )
    assert list(claims) == [
        (grid, "203.0.113.0/24", "manual", None, None),
        (grid, "AS64500", "manual", None, date(2027, 1, 1)),
        (grid, "grid.example", "manual", date(2026, 1, 1), None),
    ]
    (contact,) = queries.contacts_for([grid], at=now)[grid]
    assert (contact.name, contact.hours) == ("Abuse desk", "Mon-Fri 09:00-17:00")
    again = imported(FILE, actor, now)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 6)


CHANGES = """\
organization;record;value;name;role;sector;region;valid_to
grid;organization;;Grid Ltd;;telecom;PK-SD;
grid;network;203.0.113.0/24;;;;;2026-12-01
power;contact;abuse@power.example;Night desk;abuse;;;
power;network;2001:db8::/32;;;;;
"""


def test_a_change_is_shown_applied_and_undone(first, actor, now) -> None:
    later = now + timedelta(days=1)
    diff = preview_import(CHANGES.encode(), file_name="more.csv", now=later)
    assert (diff.additions, diff.changes) == (1, 3)
    network = next(line for line in diff.lines if line.text == "203.0.113.0/24")
    assert network.before["valid_to"] is None
    assert network.after["valid_to"] == date(2026, 12, 1)
    done = apply_import(diff, actor=actor, now=later)
    grid = owner("Grid Ltd")
    assert queries.organization(grid).region == "PK-SD"
    assert Claim.objects.get(text="203.0.113.0/24").valid_to == date(2026, 12, 1)
    assert queries.contacts_for([grid], at=later)[grid][0].version == 2
    undone = undo_import(done.import_id, actor=actor, now=later)
    assert (undone.withdrawn, undone.restored, undone.kept) == (1, 3, 0)
    assert owner("Grid of Power") == grid
    found = queries.organization(grid)
    assert (found.sector, found.region) == ("power", "")
    page = directory.organization_page(grid, viewer=actor, at=later)
    assert [line.action for line in page.history] == ["undo_import", "apply_import", "apply_import"]
    assert Claim.objects.get(text="203.0.113.0/24").valid_to is None
    assert Claim.objects.get(text="2001:db8::/32").withdrawn_at == later
    contact = queries.contacts_for([grid], at=later)[grid][0]
    assert (contact.name, contact.version) == ("Abuse desk", 3)
    with pytest.raises(NoSuchRecord):
        undo_import(done.import_id, actor=actor, now=later)
    assert imported(FILE, actor, later).unchanged == 6


def test_undo_keeps_a_sector_change_of_the_same_day(organization, actor, now) -> None:
    bank = organization("Bank", sector="power")
    change_sector(organization_id=bank, sector="telecom", since=now.date(), actor=actor, now=now)
    done = imported("organization,record,sector\nBank,organization,banking\n", actor, now)
    assert queries.organization(bank).sector == "banking"
    undo_import(done.import_id, actor=actor, now=now)
    assert queries.organization(bank).sector == "telecom"
    past = PastSector.objects.filter(organization=bank).values_list("sector", "valid_to")
    assert list(past) == [("power", now.date())]


def test_undo_makes_no_circle(organization, actor, now) -> None:
    above = organization("Above")
    child, other = organization("Child", parent_id=above), organization("Other")
    done = imported("organization,record,parent\nChild,organization,OTHER\n", actor, now)
    assert queries.organization(child).parent_id == other
    move_organization(organization_id=above, parent_id=child, actor=actor, now=now)
    assert undo_import(done.import_id, actor=actor, now=now).kept == 1
    assert queries.organization(child).parent_id == other
    assert queries.contacts_for([child, above], at=now) == {child: [], above: []}


def test_undo_leaves_what_somebody_changed_since(first, actor, now) -> None:
    done = imported(CHANGES, actor, now)
    claim = Claim.objects.get(text="203.0.113.0/24")
    date_claim(
        claim_id=claim.pk, valid_from=None, valid_to=date(2026, 12, 24), actor=actor, now=now
    )
    assert undo_import(done.import_id, actor=actor, now=now).kept == 1
    assert Claim.objects.get(pk=claim.pk).valid_to == date(2026, 12, 24)


def test_undoing_the_first_import_retires_what_nobody_uses(first, actor, now) -> None:
    power, grid = owner("Power Company"), owner("Grid of Power")
    add_claim(organization_id=grid, kind="asn", value="64999", actor=actor, now=now)
    done = undo_import(first.import_id, actor=actor, now=now)
    assert (done.withdrawn, done.kept) == (4, 2)
    assert not queries.organization(power).retired  # it stands above what is used
    other = imported("organization,record,name\nx,organization,Ex\n", actor, now)
    undo_import(other.import_id, actor=actor, now=now)
    assert not Organization.objects.filter(name_en="Ex", retired_at=None).exists()
    assert Contact.objects.get().withdrawn_at == now


def test_bad_rows_are_listed_and_the_rest_comes_in(nation, actor, now) -> None:
    rows = [
        ("a,organization,,=HYPERLINK(1),", "BadName"),
        ("b,organization,,Good,", None),
        ("b,organization,,Twice,", "BadRow"),
        ("b,network,203.0.113.1/24,,", "BadClaim"),
        ("b,network,010.0.0.0/8,,", "BadClaim"),
        ("b,domain,localhost,,", "BadClaim"),
        ('b,domain,"two\nlines.example",,', "BadClaim"),
        ("b,asn,AS64500,,", None),
        ("b,asn,as64500,,", "BadRow"),
        ("c,asn,64501,,", "NoSuchOrganization"),
        (",asn,64501,,", "BadName"),
        ("b,printer,x,,", "BadRow"),
        ("b,contact,x@y.example,,", "BadContact"),
        ("b,contact,=x@y.example,,abuse", "BadContact"),
        ("b,contact,x@y.example,,abuse", None),
        ("b,asn,1,2,3,4,5,6", "column-count"),
        ("", None),
        ("@evil,organization,,Name,", "BadName"),
    ]
    header = "organization,record,value,name,role\n"
    content = (header + "\n".join(row for row, _ in rows) + "\n").encode()
    diff = preview_import(content, file_name="bad.csv", now=now)
    line, expected = 2, {}
    for row, reason in rows:
        if reason:
            expected[line] = reason
        line += 1 + row.count("\n")
    assert {problem.line: problem.reason for problem in diff.problems} == expected
    assert diff.additions == 3
    done = apply_import(diff, actor=actor, now=now)
    assert (done.added, done.problems) == (3, len(expected))


def test_dates_sectors_parents_and_cycles_are_checked(first, actor, now) -> None:
    text = """\
organization,record,value,sector,parent,valid_from,valid_to,region
power,organization,,nowhere,,,
power,network,192.0.2.0/24,,,23.11.2026,
power,network,192.0.2.0/25,,,2026-02-01,2026-01-01
new,organization,,,unknown,,
other,organization,,,,,,PK-XX
power,organization,,,grid,,
"""
    diff = preview_import(text.encode(), file_name="x.csv", now=now)
    reasons = [problem.reason for problem in diff.problems]
    assert reasons == [
        "UnknownSector", "BadRow", "BadPeriod", "NoSuchOrganization", "UnknownRegion", "BadRow",
    ]  # fmt: skip
    alone = "organization,record,parent\npower,organization,grid\n"
    diff = preview_import(alone.encode(), file_name="x.csv", now=now)
    assert [problem.reason for problem in diff.problems] == ["WouldCycle"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_are_found(nation, now, encoding: str, delimiter: str) -> None:
    text = "organization,record,name\r\nm,organization,Müller\r\n".replace(",", delimiter)
    diff = preview_import(text.encode(encoding), file_name="m.csv", now=now)
    assert diff.encoding == ("utf-16-le" if encoding == "utf-16-le" else encoding)
    assert [line.text for line in diff.lines] == ["Müller"]


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02", b"name,address\nx,y\n", b"PK\x03\x04zip"]
)
def test_what_is_no_list_is_refused(nation, now, content: bytes) -> None:
    with pytest.raises(UnreadableSheet):
        preview_import(content, file_name="x", now=now)


def test_cells_disarmed_by_spreadsheets_are_read(nation, actor, now) -> None:
    text = 'organization,record,value\n"=""a""",organization,\na,asn,"=""64500"""\n'
    assert imported(text, actor, now).added == 2
    assert Claim.objects.get().text == "AS64500"


def test_a_preview_goes_out_of_date(first, actor, now) -> None:
    diff = preview_import(CHANGES.encode(), file_name="more.csv", now=now)
    again = preview_import(CHANGES.encode(), file_name="more.csv", now=now)
    assert again.fingerprint == diff.fingerprint
    claim = Claim.objects.get(text="203.0.113.0/24")
    date_claim(claim_id=claim.pk, valid_from=None, valid_to=date(2027, 1, 1), actor=actor, now=now)
    with pytest.raises(PreviewOutdated):
        apply_import(diff, actor=actor, now=now)
    moved = preview_import(CHANGES.encode(), file_name="more.csv", now=now)
    assert moved.fingerprint != diff.fingerprint
    forged = replace(diff, content=FILE.encode())
    with pytest.raises(PreviewOutdated):
        apply_import(forged, actor=actor, now=now)


def test_an_organization_may_be_called_by_its_name(organization, actor, now) -> None:
    pk = organization("Water Board")
    add_contact(
        organization_id=pk, details=ContactDetails("a@water.example", "abuse"),
        actor=actor, now=now,
    )  # fmt: skip
    text = (
        "organization,record,value,role,name\nwater board,asn,64500,,\n"
        "Water Board,contact,a@water.example,abuse,Desk\n"
    )
    done = imported(text, actor, now)
    assert (done.added, done.changed) == (1, 1)
    assert Claim.objects.get().organization_id == pk
    assert ContactVersion.objects.get(version=2).name == "Desk"
