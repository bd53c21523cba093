"""The reports API, against a real HTTP server that checks every signature."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from muhafiz.common.actor import Actor
from muhafiz.feeds import queries
from muhafiz.feeds.actions.feeds import create_feed
from muhafiz.feeds.actions.fetching import fetch_feed
from muhafiz.feeds.sources import CannotFetch, source_named

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "a-secret"  # the test server's own
KEY = "a-key"
OPERATOR = Actor.command("operator")
REPORTS = {
    "abc123": ("2026-11-22-scan_telnet-example.csv", b"timestamp,ip\n"),
    "def456": ("../2026-11-22-scan rdp.csv", b"x" * 2000),
}


class Api(BaseHTTPRequestHandler):
    seen: list[dict[str, Any]]
    given: list[str]
    listing: bytes | None = None

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        right = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        fields = json.loads(body)
        if self.headers["HMAC2"] != right or fields.get("apikey") != KEY:
            self.answer(401, b"{}")
            return
        type(self).seen.append(fields)
        entries = [{"id": i, "file": name} for i, (name, _) in REPORTS.items()]
        self.answer(200, self.listing if self.listing is not None else json.dumps(entries).encode())

    def do_GET(self) -> None:
        type(self).given.append(self.path)
        report = REPORTS.get(self.path.rsplit("/", 1)[-1])
        self.answer(404, b"") if report is None else self.answer(200, report[1])

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[tuple[type[Api], dict[str, Any]]]:
    handler = type("Handler", (Api,), {"seen": [], "given": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    root = f"http://127.0.0.1:{server.server_port}"
    yield handler, {
        "api_key": KEY, "secret": SECRET, "api_url": f"{root}/api2/", "download_url": f"{root}/dl/"
    }  # fmt: skip
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(options: dict[str, Any]) -> list[tuple[str, str, bytes]]:
    get = source_named("shadowserver").fetch
    assert get is not None
    found = get(options, date(2026, 11, 21), date(2026, 11, 22))
    return [(each.identifier, each.file_name, each.content.read()) for each in found]


def test_reports_are_listed_and_downloaded(api: tuple[type[Api], dict[str, Any]]) -> None:
    handler, options = api
    assert fetch(options) == [
        ("abc123", "2026-11-22-scan_telnet-example.csv", b"timestamp,ip\n"),
        ("def456", "_2026-11-22-scan_rdp.csv", b"x" * 2000),
    ]
    assert handler.seen == [{"apikey": KEY, "date": "2026-11-21:2026-11-22"}]


def test_types_and_subscriptions_are_asked_for(api: tuple[type[Api], dict[str, Any]]) -> None:
    handler, options = api
    handler.listing = json.dumps(
        [{"id": "abc123", "type": "scan_telnet"}, {"id": "def456", "type": "scan_rdp"}]
    ).encode()
    wanted = {**options, "types": ["scan_telnet"], "reports": ["pakistan"]}
    assert [identifier for identifier, _, _ in fetch(wanted)] == ["abc123"]
    (asked,) = handler.seen
    assert (asked["types"], asked["reports"]) == (["scan_telnet"], ["pakistan"])


def test_what_is_not_read_is_not_downloaded(api: tuple[type[Api], dict[str, Any]]) -> None:
    handler, options = api
    get = source_named("shadowserver").fetch
    assert get is not None
    found = get(options, date(2026, 11, 21), date(2026, 11, 22))
    assert [each.identifier for each in found] == ["abc123", "def456"]
    assert handler.given == []


def test_what_the_sender_says_is_told(api: tuple[type[Api], dict[str, Any]]) -> None:
    handler, options = api
    handler.listing = b'{"error": "no such\\nsubscription"}'
    with pytest.raises(CannotFetch, match="no such subscription"):
        fetch(options)


@pytest.mark.usefixtures("db", "folders")
def test_a_report_that_is_gone_keeps_no_other_from_being_fetched(
    api: tuple[type[Api], dict[str, Any]], actor: Any, now: Any
) -> None:
    """Each fetch used to end at it, and to download again what was here already."""
    handler, options = api
    handler.listing = json.dumps([{"id": each} for each in ("gone", *REPORTS)]).encode()
    create_feed(name="sw", source="shadowserver", options=options, actor=OPERATOR, now=now)
    for _ in range(2):
        with pytest.raises(
            CannotFetch, match=r"^1 reports could not be had\. The first: gone\.csv"
        ):
            fetch_feed(feed="sw", actor=actor, now=now)
    assert len(queries.reports()) == 2
    assert handler.given == ["/dl/gone", "/dl/abc123", "/dl/def456", "/dl/gone"]
    assert queries.feed_state("sw", now=now).fetched_until is None
    handler.listing = json.dumps([{"id": each} for each in REPORTS]).encode()
    assert fetch_feed(feed="sw", actor=actor, now=now).known == 2
    assert queries.feed_state("sw", now=now).fetched_until == now


def test_a_wrong_secret_is_refused_by_the_server(api: tuple[type[Api], dict[str, Any]]) -> None:
    with pytest.raises(CannotFetch, match="401"):
        fetch({**api[1], "secret": "wrong"})


def test_a_report_larger_than_allowed_is_not_taken(api: tuple[type[Api], dict[str, Any]]) -> None:
    with pytest.raises(CannotFetch, match="larger than 1000"):
        fetch({**api[1], "report_bytes": 1000})


@pytest.mark.parametrize(
    "listing", [b"no json", b'{"error": "x"}', b"[1]", b'[{"id": "../../etc/passwd"}]', b"[{}]"]
)
def test_nonsense_is_refused(api: tuple[type[Api], dict[str, Any]], listing: bytes) -> None:
    handler, options = api
    handler.listing = listing
    with pytest.raises(CannotFetch):
        fetch(options)


def test_a_report_that_is_gone_is_said_so(api: tuple[type[Api], dict[str, Any]]) -> None:
    handler, options = api
    handler.listing = b'[{"id": "nothere"}]'
    with pytest.raises(CannotFetch, match="404"):
        fetch(options)


def test_a_server_that_is_not_there(api: tuple[type[Api], dict[str, Any]]) -> None:
    with pytest.raises(CannotFetch, match="cannot be reached"):
        fetch({**api[1], "api_url": "http://127.0.0.1:9/"})


def test_without_a_key_nothing_is_asked() -> None:
    with pytest.raises(CannotFetch, match="no API key"):
        fetch({})
