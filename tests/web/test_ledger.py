"""Who has which fact, a notice that is withdrawn, and the address by which a letter is checked."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from muhafiz.constituency.actions.contacts import ContactDetails, add_contact
from muhafiz.constituency.queries import organization
from muhafiz.detection.queries import notices
from muhafiz.notifications.actions.addresses import retire_address
from muhafiz.notifications.models import Message
from muhafiz.notifications.queries import letter_bytes, letters
from muhafiz.release.queries import holders_of
from muhafiz.web.mime import opened_letter
from tests.web.given import OPERATOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(world):
    """A notice whose letter left, of an organization with nobody above it."""
    return next(
        each
        for each in notices()
        if each.letters and organization(each.organization_id).parent_id is None
    )


def words(answer) -> str:
    return " ".join(re.sub(r"<[^>]*>", "", answer.content.decode()).split())


def test_the_address_in_the_letter_answers(sent, client):
    """Whoever follows it reads that the letter is ours."""
    text = opened_letter(letter_bytes(sent.letters[0].message_id)).text
    address = urlsplit(re.search(r"https?://\S+/verify/\S*", text)[0])
    answer = client.get(f"{address.path}?{address.query}")
    assert answer.status_code == 200
    assert "We sent this." in answer.content.decode()


def test_a_number_a_code_or_a_checksum_finds_who_has_it(sent, all_roles):
    [holder] = holders_of("notice", str(sent.public_id))
    for text in (sent.number, sent.verify_code.lower()):
        shown = words(all_roles.get("/desk/ledger/", {"text": text}))
        assert f"Who has what {text} tells" in shown
        assert shown.count(holder.item_identifier) == 1
    for text in (sent.digest, holder.audience_name[:10]):
        assert holder.item_identifier in words(all_roles.get("/desk/ledger/", {"text": text}))
    assert "Nothing found" in words(all_roles.get("/desk/ledger/", {"text": "no such thing"}))
    assert all_roles.get("/desk/ledger/", {"state": "nonsense"}).status_code == 400
    assert holder.item_identifier not in words(all_roles.get("/desk/ledger/", {"state": "refused"}))


def test_a_notice_is_withdrawn_on_its_page(sent, all_roles, client, constituent_client):
    own = f"/desk/notices/{sent.id}/"
    assert all_roles.post(f"{own}recall/", {"reason": ""}).status_code == 409
    answer = all_roles.post(f"{own}recall/", {"reason": "The network was another's."}, follow=True)
    shown = words(answer)
    assert "The notice is withdrawn. Letters that say so: 1." in shown
    assert "Told of the withdrawal" in shown
    assert "Recalled" in shown
    told = client.get("/verify/", {"code": sent.verify_code}).content.decode()
    assert "We sent this." not in told
    theirs = constituent_client(sent.organization_id)
    assert "Withdrawn" in words(theirs.get("/portal/notices/"))
    page = words(theirs.get(f"/portal/notices/{sent.public_id}/"))
    assert "Do not act on it any more." in page
    assert "The network was another&#x27;s." in page


def test_a_notice_that_reached_nobody_can_be_sent_again(sent, all_roles):
    [letter] = [each for each in letters() if each.id == sent.letters[0].message_id]
    Message.objects.filter(pk=letter.id).update(state="failed")
    by = {"actor": OPERATOR, "now": datetime.now(UTC)}
    retire_address(address=letter.address, reason="mail came back", **by)
    own = f"/desk/notices/{sent.id}/"
    assert "None of its letters reached anybody." in words(all_roles.get(own))
    assert all_roles.post(f"{own}release/").status_code == 409  # nobody else is known
    details = ContactDetails("other@example.org", "abuse")
    add_contact(organization_id=sent.organization_id, details=details, **by)
    assert all_roles.post(f"{own}release/").status_code == 302
    assert "other@example.org" in words(all_roles.get(own))


def test_the_notices_of_one_organization(sent, all_roles):
    asked = {"organization": sent.organization_id}
    shown = all_roles.get("/desk/notices/", asked).content.decode()
    others = [each for each in notices() if each.organization_id != sent.organization_id]
    assert sent.number in shown
    assert others
    assert not any(each.number in shown for each in others if each.number)
