"""Secrets never reach the logs."""

from __future__ import annotations

from muhafiz.config.logs import hide_secrets, without_password


def test_fields_named_secret_are_blanked():
    said = hide_secrets(None, "info", {"event": "x", "api_key": "k", "Password": "p", "rows": 3})
    assert said == {"event": "x", "api_key": "…", "Password": "…", "rows": 3}


def test_passwords_inside_addresses_are_cut():
    line = "cannot reach smtp://desk:hunter2@mail.example:587 (refused)"
    assert without_password(line) == "cannot reach smtp://desk:…@mail.example:587 (refused)"
    assert "hunter2" not in str(hide_secrets(None, "info", {"event": line}))
