"""The public front: whose it is, where it stands, what its letters are signed with."""

from __future__ import annotations

from datetime import UTC, datetime

import pysequoia
import pytest
from django.template.loader import render_to_string

from muhafiz.detection.queries import notices
from muhafiz.keyring.queries import own_certificate
from muhafiz.web import fonts
from tests.web.test_screens import inline_code
from tests.web.walking import Walk, walks

pytestmark = pytest.mark.django_db


def test_the_front_says_whose_it_is_and_what_one_comes_for(world, client):
    page = client.get("/").content.decode()
    assert "National Cyber Emergency Response Team of Pakistan" in page
    assert "Ministry of Information Technology" in page
    assert 'action="/verify/"' in page
    for main_page in ("/verify/", "/statistics/", "/sign-in/"):
        assert f'href="{main_page}"' in page
    assert inline_code(page) == []


def test_the_tab_of_a_browser_names_the_cert(world, client):
    head = client.get("/verify/").content.decode().partition("</title>")[0]
    assert " ".join(head.partition("<title>")[2].split()) == "Verify a letter · PKCERT"


def test_the_official_address_is_told_and_how_to_write(world, client, settings):
    settings.DEMONSTRATION = False
    settings.PUBLIC_URL, settings.MAIL_FROM = "https://cert.example", "The CERT <cert@cert.example>"
    page = client.get("/verify/", {"code": "CERT-PK-2025-004"}).content.decode()
    assert '<bdi dir="ltr">https://cert.example/</bdi>' in page
    assert 'href="mailto:cert@cert.example"' in page
    assert "Demonstration" not in page


def test_the_demonstration_is_marked_on_every_public_page(world, client):
    for address in ("/", "/verify/", "/statistics/", "/sign-in/", "/nothing/"):
        assert "Demonstration: an invented nation" in client.get(address).content.decode(), address


def test_anybody_takes_along_the_key_that_signs(world, client):
    own = own_certificate(at=datetime.now(UTC))
    page = client.get("/verify/").content.decode()
    assert own.fingerprint.upper()[:4] in page
    taken = client.get("/verify/key.asc")
    assert taken["Content-Type"] == "application/pgp-keys"
    assert pysequoia.Cert.from_bytes(taken.content).fingerprint == own.fingerprint
    assert b"PRIVATE" not in taken.content


def test_before_there_is_a_key_nothing_speaks_of_one(db, client):
    assert "Our key" not in client.get("/verify/").content.decode()
    assert client.get("/verify/key.asc").status_code == 404
    assert client.get("/").status_code == 200


def test_public_pages_tell_national_time(world, client):
    """It was UTC, and did not say so."""
    [notice, *_] = notices()
    page = client.get("/verify/", {"code": notice.verify_code}).content.decode()
    assert "PKT" in page
    assert "UTC" in page


def test_the_page_of_last_resort_needs_nothing(plain_static):
    page = render_to_string("500.html")
    assert "Something broke" in page
    assert 'lang="ur"' in page
    assert inline_code(page) == []


_HAS_NASTALIQ = all(fonts.available(cut) for cut in fonts.NASTALIQ)

#: Buttons and chips whose letters, as they are drawn, are taller than the box around them.
_CUT_OFF = """
[...document.querySelectorAll('.button, .chip, .choice, .front-nav a, label')]
  .filter(e => e.checkVisibility() && !e.matches('.unseen, .copies') && /[\\u0600-\\u06ff]/.test(e.innerText))
  .map(e => {
    const paper = new OffscreenCanvas(10, 10).getContext('2d');
    const look = getComputedStyle(e);
    paper.font = `${look.fontWeight} ${look.fontSize} ${look.fontFamily}`;
    const ink = paper.measureText(e.innerText.split('\\n')[0]);
    const tall = ink.actualBoundingBoxAscent + ink.actualBoundingBoxDescent;
    return [e.innerText, tall, e.getBoundingClientRect().height];
  })
  .filter(([, tall, box]) => tall > box)
"""


@pytest.mark.skipif(not _HAS_NASTALIQ, reason="Debian's package fonts-noto-core is missing")
@walks
def test_nastaliq_is_fetched_by_public_urdu_alone_and_fits_its_boxes(walk, world):
    fetched = {}
    for language, path in (
        ("ur", "/verify/?code=X"),
        ("ur", "/sign-in/"),
        ("en", "/"),
        ("ur", "/desk/"),
    ):
        who = walk if path == "/desk/" else Walk(walk.browser, walk.address, "")
        with who.page(language, "light", 1280) as page:
            asked = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto(walk.address + path)
            page.evaluate("document.fonts.ready.then(() => true)")
            fetched[language, path] = any("nastaliq" in url and "woff2" in url for url in asked)
            if language == "ur":
                assert page.evaluate(_CUT_OFF) == [], path
    assert fetched == {
        ("ur", "/verify/?code=X"): True, ("ur", "/sign-in/"): True,
        ("en", "/"): False, ("ur", "/desk/"): False,
    }  # fmt: skip
