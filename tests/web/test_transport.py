"""Over which scheme requests come, how large they are, and what every answer tells a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.test import Client
from django.urls import path

from muhafiz.web.desk.permissions import ROUTES as DESK
from muhafiz.web.files import download
from muhafiz.web.headers import POLICY
from muhafiz.web.portal.permissions import ROUTES as PORTAL
from muhafiz.web.transport import MOST_BYTES
from tests.web.matrix import somebody_who_may_all
from tests.web.samples import address

pytestmark = pytest.mark.django_db

HTTPS = "https://testserver"


def test_a_form_sent_through_a_proxy_that_ends_tls_is_taken(settings, person):
    """The proxy speaks plain HTTP to us, whatever headers it adds; browsers name their origin."""
    settings.PUBLIC_URL = HTTPS
    client = Client(enforce_csrf_checks=True)
    secret = client.get("/").cookies["csrftoken"].value
    given = {"theme": "dark", "csrfmiddlewaretoken": secret}
    for origin, status in ((HTTPS, 302), ("http://testserver", 403), ("https://evil.example", 403)):
        headers = {"origin": origin, "referer": f"{origin}/", "host": "testserver"}
        assert client.post("/theme/", given, headers=headers).status_code == status, origin


def test_nobody_makes_us_believe_in_https(client, settings):
    settings.PUBLIC_URL = "http://testserver"
    told = {"x-forwarded-proto": "https", "x-forwarded-ssl": "on", "forwarded": "proto=https"}
    answer = client.get("/", headers=told)
    assert "Strict-Transport-Security" not in answer
    assert answer.wsgi_request.scheme == "http"
    settings.PUBLIC_URL = HTTPS
    answer = client.get("/", headers={"x-forwarded-proto": "http"})
    assert answer.wsgi_request.scheme == "https"
    assert int(answer["Strict-Transport-Security"].removeprefix("max-age=")) >= 31_536_000


@pytest.mark.parametrize("url", ["https://desk.cert.example", "http://127.0.0.1:8000"])
def test_cookies_are_bound_to_this_very_host_where_that_can_be(tmp_path, url):
    names = (
        "SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY",
        "SESSION_COOKIE_SAMESITE", "CSRF_COOKIE_NAME", "CSRF_COOKIE_SECURE",
        "CSRF_COOKIE_HTTPONLY", "LANGUAGE_COOKIE_SECURE", "SESSION_COOKIE_DOMAIN",
        "SESSION_COOKIE_PATH",
    )  # fmt: skip
    code = (
        "import json; from muhafiz.config import settings as s; from django.conf import global_settings as g; "
        f"print(json.dumps([getattr(s, n, getattr(g, n, None)) for n in {names!r}]))"
    )
    environ = os.environ | {"MUHAFIZ_PUBLIC_URL": url, "MUHAFIZ_VAR": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    found = dict(zip(names, json.loads(ran.stdout), strict=True))
    https = url.startswith("https")
    assert found["SESSION_COOKIE_NAME"] == ("__Host-session" if https else "sessionid")
    assert found["CSRF_COOKIE_NAME"] == ("__Host-csrf" if https else "csrftoken")
    assert [found[name] for name in names if name.endswith("SECURE")] == [https] * 3
    assert found["SESSION_COOKIE_HTTPONLY"] is found["CSRF_COOKIE_HTTPONLY"] is True
    assert found["SESSION_COOKIE_SAMESITE"] == "Lax"
    assert (found["SESSION_COOKIE_DOMAIN"], found["SESSION_COOKIE_PATH"]) == (None, "/")


@pytest.mark.parametrize("size", [str(MOST_BYTES + 1), "9" * 30, "-1", "1e9", "0x10", "²"])
def test_what_is_too_large_is_refused_unread(client, size):
    class Unread:
        def read(self, *_args):
            raise AssertionError("the body was read")

        readline = read

    client.cookies["csrftoken"] = "x" * 32
    told = {"CONTENT_LENGTH": size, "CONTENT_TYPE": "multipart/form-data; boundary=x"}
    answer = client.post("/sign-in/", **told, **{"wsgi.input": Unread()})
    assert answer.status_code == 413
    assert "TooLargeRequest" in answer.content.decode()


def test_the_largest_form_of_the_desk_fits():
    from muhafiz.web.desk.views.imports import _MOST_BYTES

    assert _MOST_BYTES + 100_000 < MOST_BYTES


def _policy(text: str) -> dict[str, list[str]]:
    parts = (part.split() for part in text.split(";"))
    return {name: rest for name, *rest in parts}


def test_the_policy_allows_nothing_inline_nothing_foreign_and_no_frame():
    told = _policy(POLICY)
    assert told["default-src"] == told["frame-ancestors"] == told["base-uri"] == ["'none'"]
    loading = {name: value for name, value in told.items() if name.endswith("-src")}
    del loading["default-src"]
    assert all(value == ["'self'"] for value in loading.values())
    assert told["form-action"] == ["'self'"]
    assert told["report-uri"] == ["/csp-report/"]


def _broken(_request):
    raise RuntimeError("S3cr-eT")


urlpatterns = [path("broken/", _broken, name="broken")]


def test_every_answer_carries_the_headers_also_errors(client, settings):
    client.raise_request_exception = False
    answers = [
        client.get("/"), client.get("/nothing/"), client.post("/verify/"), client.post("/desk/x/"),
        client.get("/", headers={"host": "evil.example"}), client.get("/desk/"),
        client.post("/csp-report/", b"x", content_type="text/plain"), client.get("/health/"),
    ]  # fmt: skip
    settings.ROOT_URLCONF = __name__
    answers.append(client.get("/broken/"))
    assert [each.status_code for each in answers] == [200, 404, 405, 404, 400, 302, 400, 200, 500]
    for each in answers:
        assert each["Content-Security-Policy"] == POLICY
        assert each["X-Content-Type-Options"] == "nosniff"
        assert each["X-Frame-Options"] == "DENY"
        assert each["Referrer-Policy"] == "same-origin"
        assert each["Cross-Origin-Opener-Policy"] == "same-origin"
        assert each["Cache-Control"] == "no-store"
    assert b"S3cr-eT" not in answers[-1].content


def test_no_page_behind_a_door_is_kept_by_any_cache(world):
    for routes, organization in ((DESK, None), (PORTAL, world.organization)):
        client = somebody_who_may_all(organization)
        client.raise_request_exception = False
        for name, (_, method) in routes.items():
            if method == "GET":
                answer = client.get(address(name, organization))
                if answer.streaming:
                    b"".join(answer.streaming_content)
                assert "no-store" in answer["Cache-Control"], name
                assert "public" not in answer["Cache-Control"], name


@pytest.mark.parametrize(
    "name",
    [
        'a"; filename="evil.exe',
        "a\r\nSet-Cookie: x=1",
        "\u202egnp.exe",
        "تقریر.csv",
        "a" * 5000,
        "",
    ],
)
def test_a_files_name_stays_a_name(name):
    answer = download(b"x", name, "application/octet-stream")
    line = answer["Content-Disposition"]
    assert line.startswith("attachment")
    assert "\n" not in line
    assert "\r" not in line
    assert line.isascii()
    assert not line.endswith('filename="evil.exe"')
    assert answer["Content-Security-Policy"].startswith("sandbox")
