"""A constituent sees byte for byte the notices that its mail server took, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pysequoia
import pytest
from django.test import Client

from muhafiz.common.clock import HeldClock
from muhafiz.detection.actions.notices import send_due_notices
from muhafiz.detection.actions.policies import write_policy
from muhafiz.detection.own_notices import own_notices
from muhafiz.detection.rules import Policy
from muhafiz.keyring.actions.certificates import ensure_signing_certificate
from muhafiz.lake.actions.append import append_batch
from muhafiz.notifications.actions.delivery import deliver_due
from muhafiz.rulebook.actions.profile import load_profile
from tests.detection.given import accepted, event, person
from tests.notifications.peers import Mailbox, served
from tests.web.given import OPERATOR
from tests.web.test_portal import of

pytestmark = pytest.mark.django_db


def test_the_bytes_are_those_that_were_mailed(
    constituent_client: Callable[..., Client], folders: object, settings: object
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    settings.DEMONSTRATION, settings.MAIL_FROM = False, "notices@cert.example"
    told = {"actor": OPERATOR, "now": now}
    load_profile("pakistan", **told)
    ensure_signing_certificate(**told)
    key = pysequoia.Tsk.generate("Alpha <abuse@alpha-bank.example>")
    armored = str(key.extract_certificate())
    alpha = person("Alpha Bank", contact=True, language="en", certificate=armored, **told)
    beta = person("Beta Water", contact=True, language="ur", **told)
    write_policy(policy=Policy("all", "at_once"), title="all", **told)
    seen = {"time_source": now - timedelta(hours=3), "time_observation": now}
    rows = [event(alpha, 1, **seen), event(beta, 2, **seen), event(beta, 3, **seen)]
    append_batch(accepted(rows), report_id=1, batch_number=1, **told)
    with served(Mailbox()) as peer:
        settings.SMTP_URL = peer.url
        send_due_notices(actor=OPERATOR, clock=HeldClock(now))
        deliver_due(actor=OPERATOR, clock=lambda: now)
        mailed = dict(peer.mailbox.taken)
    assert set(mailed) == {"abuse@alpha-bank.example", "abuse@beta-water.example"}
    for owner, address in ((alpha, "abuse@alpha-bank.example"), (beta, "abuse@beta-water.example")):
        browser = constituent_client(owner)
        (notice,) = own_notices(viewer=of(owner))
        place = f"/portal/notices/{notice.public_id}/"
        page = browser.get(place).content.decode()
        assert notice.number in page
        assert notice.verify_code in page
        raw = browser.get(f"{place}letters/{notice.letters[0].message_id}/")
        assert raw["Content-Type"] == "message/rfc822"
        assert raw.content == mailed[address]
        assert notice.number not in constituent_client_page(constituent_client, owner, alpha, beta)
    assert b"-----BEGIN PGP MESSAGE-----" in mailed["abuse@alpha-bank.example"]


def constituent_client_page(make: Callable[..., Client], owner: int, *owners: int) -> str:
    """The list of notices of somebody else."""
    other = next(each for each in owners if each != owner)
    return make(other, "constituent_admin").get("/portal/notices/").content.decode()


def test_attachments_are_those_in_the_letter(
    constituent_client: Callable[..., Client], folders: object, settings: object
) -> None:
    from email import message_from_bytes, policy

    now = datetime.now(UTC).replace(microsecond=0)
    settings.DEMONSTRATION, settings.MAIL_FROM = False, "notices@cert.example"
    told = {"actor": OPERATOR, "now": now}
    load_profile("pakistan", **told)
    ensure_signing_certificate(**told)
    beta = person("Beta Water", contact=True, language="en", **told)
    write_policy(policy=Policy("all", "at_once"), title="all", **told)
    rows = [event(beta, 2, time_source=now - timedelta(hours=3), time_observation=now)]
    append_batch(accepted(rows), report_id=1, batch_number=1, **told)
    send_due_notices(actor=OPERATOR, clock=HeldClock(now))
    (notice,) = own_notices(viewer=of(beta))
    browser = constituent_client(beta)
    place = f"/portal/notices/{notice.public_id}/letters/{notice.letters[0].message_id}/"
    whole = message_from_bytes(browser.get(place).content, policy=policy.default)
    named = {p.get_filename(): p.get_payload(decode=True) for p in whole.walk() if p.get_filename()}
    found = {}
    for at in range(10):
        answer = browser.get(f"{place}{at}/")
        if answer.status_code != 200:
            break
        found[answer["Content-Disposition"]] = answer.content
    for name, content in named.items():
        assert any(name in told and content == got for told, got in found.items()), name
    assert any(name.endswith(".csv") for name in named)
