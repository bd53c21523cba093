"""Secrets never reach the logs."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from muhafiz.config.logs import escape_controls, hide_secrets, set_logs_up, without_password


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Logs as an installation has them, until the test ends: what they wrote."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers, root.level
    set_logs_up("INFO", as_json=False)
    root.handlers[0].setStream(stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_fields_named_secret_are_blanked():
    said = hide_secrets(None, "info", {"event": "x", "api_key": "k", "Password": "p", "rows": 3})
    assert said == {"event": "x", "api_key": "…", "Password": "…", "rows": 3}


def test_passwords_inside_addresses_are_cut():
    line = "cannot reach smtp://desk:hunter2@mail.example:587 (refused)"
    assert without_password(line) == "cannot reach smtp://desk:…@mail.example:587 (refused)"
    assert "hunter2" not in str(hide_secrets(None, "info", {"event": line}))


@pytest.mark.parametrize(
    "line",
    [
        "Forbidden (CSRF cookie not set.): /enter/{}/",
        "Not Found: /sign-in/invitation/{}/",
        "Conflict: /sign-in/address/{}/",
        "Gone: /sign-in/forgotten/1-{}/",
        'Error handling request "/sign-in/elsewhere/house/back/?state=x&code={}"',
        "Bad Request: https://cert.example/verify/?code={}",
        "The distributed engine sc://spark/;use_ssl=true;token={} does not answer",
    ],
)
def test_what_lets_somebody_in_is_cut_out_of_addresses(line):
    told = line.format("d3_aD-bEEf")
    said = hide_secrets(None, "info", {"event": told, "exception": f"Traceback: {told}"})
    assert "d3_aD-bEEf" not in str(said)
    assert said["event"].startswith(line.partition("/")[0])


def test_addresses_without_a_token_stay_whole():
    line = "Not Found: /sign-in/forgotten/sent/?page=2"
    assert hide_secrets(None, "info", {"event": line})["event"] == line


def test_no_text_of_a_stranger_begins_a_line_or_moves_the_cursor():
    said = escape_controls(
        None,
        "info",
        {"event": "a\n2026 [info] forged\x1b[2J\u202e\x9b", "exception": "Tr:\n\tat\x1b[2J"},
    )
    assert said["event"] == r"a\n2026 [info] forged\x1b[2J\u202e\x9b"
    assert said["exception"] == "Tr:\n\tat\\x1b[2J"


def test_the_standard_librarys_records_are_cut_and_escaped_as_well(written):
    logging.getLogger("django.request").warning("Forbidden: /enter/%s/\x1b[31m", "d3aD-bEEf")
    structlog.get_logger("x").warning("policy broken", blocked="https://a\x1b[2Jb")
    assert len(written.getvalue().splitlines()) == 2
    assert "d3aD" not in written.getvalue()
    assert "\x1b" not in written.getvalue()
