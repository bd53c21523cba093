"""What an operator reads when something is wrong: a line that says what to do, and a status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from django.db import OperationalError, ProgrammingError, connection

from muhafiz.accounts.actions.clock import note_clock
from muhafiz.accounts.actions.people import BadEmail, grant_role, register_person
from muhafiz.common.actor import Actor
from muhafiz.config.command import muhafiz, start
from muhafiz.config.command.ground import show, table
from muhafiz.config.environment import hosts
from muhafiz.keyring.actions.certificates import ensure_signing_certificate
from muhafiz.rulebook.actions.profile import NoSuchProfile

OPERATOR = Actor.command("test")


def type_in(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own, in an environment of its own."""
    return subprocess.run(
        [sys.executable, "-m", "muhafiz.config.command", *words],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    "words",
    [
        ("feeds", "list"), ("jobs", "list", "--json"), ("lake", "query"), ("audit", "verify"),
        ("ingest", __file__), ("keys", "show"),
    ],
)  # fmt: skip
def test_an_empty_installation_is_said_to_be_empty(words, tmp_path):
    answer = type_in(*words, MUHAFIZ_VAR=str(tmp_path))
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert "This installation is empty. Run: muhafiz init" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_database_that_is_away_is_said_to_be_away(tmp_path):
    away = "postgresql://desk:secret@127.0.0.1:1/nothing"
    answer = type_in("feeds", "list", MUHAFIZ_VAR=str(tmp_path), DATABASE_URL=away)
    assert answer.returncode == 1
    assert answer.stderr.startswith("The database does not answer:")
    assert answer.stderr.rstrip().endswith("Start it, or correct DATABASE_URL.")
    assert "Traceback" not in answer.stderr
    assert "secret" not in answer.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MUHAFIZ_LOG_LEVEL", "loud", "must be one of DEBUG, INFO"),
        ("MUHAFIZ_PUBLIC_URL", "desk.cert.example", "must be like https://"),
        ("MUHAFIZ_PUBLIC_URL", "https://desk.cert.example/muhafiz", "without a path"),
        ("MUHAFIZ_PUBLIC_URL", "https://desk.cert.example:port", "must be like https://"),
        ("MUHAFIZ_BIND", "8000", "must be like 127.0.0.1:8000"),
        ("MUHAFIZ_BIND", "127.0.0.1:80000", "must be like 127.0.0.1:8000"),
        ("MUHAFIZ_WORKERS", "many", "must be a whole number"),
        ("MUHAFIZ_VAR", "/dev/null/muhafiz", "folder of the keys cannot be used"),
        ("DATABASE_URL", "mysql://desk@127.0.0.1/x", "must begin with postgresql://"),
        ("DATABASE_URL", "postgresql://desk@127.0.0.1:port/x", "no right host or port"),
        ("DATABASE_URL", "postgresql://desk:S3cr/eT@127.0.0.1/x", "no right host or port"),
        ("DATABASE_URL", "postgresql://desk:S3cr\u2100@127.0.0.1/x", "no right host or port"),
        ("DATABASE_URL", "postgresql://desk:S3cr@[127.0.0.1/x", "no right host or port"),
        ("MUHAFIZ_PORTAL_DATABASE_URL", "postgresql://127.0.0.1/x", "needs DATABASE_URL"),
    ],
)
def test_a_senseless_setting_is_refused_in_a_line(name, value, said, tmp_path):
    answer = type_in("doctor", **{"MUHAFIZ_VAR": str(tmp_path), name: value})
    assert answer.returncode == 2
    assert said in answer.stderr
    assert "S3cr" not in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_no_listing_of_settings_shows_what_lets_in(tmp_path):
    remote = "sc://spark.cert.example:15002/;use_ssl=true;token=S3cr-eT"
    answer = type_in("doctor", "--settings", MUHAFIZ_VAR=str(tmp_path), MUHAFIZ_SPARK_REMOTE=remote)
    assert "MUHAFIZ_SPARK_REMOTE=…" in answer.stdout, answer.stderr
    assert "S3cr" not in answer.stdout


@pytest.mark.parametrize("left", [b"", b"short\n", b"\xff" * 80], ids=len)
def test_a_signing_secret_that_a_crash_cut_is_never_used(left, tmp_path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "web.secret").write_bytes(left)
    answer = type_in("doctor", MUHAFIZ_VAR=str(tmp_path))
    assert answer.returncode == 2
    assert "web.secret is damaged" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_a_secret_that_is_no_text_is_said_so(tmp_path):
    (tmp_path / "secret").write_bytes(b"\xff\xfe")
    answer = type_in(
        "doctor", MUHAFIZ_VAR=str(tmp_path), MUHAFIZ_OIDC_ISSUER="https://id.cert.example",
        MUHAFIZ_OIDC_CLIENT_ID="muhafiz", MUHAFIZ_OIDC_SECRET_FILE=str(tmp_path / "secret"),
    )  # fmt: skip
    assert answer.returncode == 2
    assert answer.stderr.startswith("Environment: MUHAFIZ_OIDC_SECRET_FILE cannot be read")


@pytest.mark.parametrize(
    "bind", ["127.0.0.1:8000", "[::1]:8000", ":8000", "unix:/run/muhafiz.sock"]
)
def test_what_a_process_can_listen_on_is_taken(bind, tmp_path):
    answer = type_in("doctor", "--settings", MUHAFIZ_VAR=str(tmp_path), MUHAFIZ_BIND=bind)
    assert f"MUHAFIZ_BIND={bind}" in answer.stdout, answer.stderr


def test_the_public_address_is_always_answered_to():
    """Else whoever sets MUHAFIZ_PUBLIC_URL alone gets “Bad request” for every page."""
    assert hosts("localhost, desk", "https://desk.cert.example:8443") == [
        "desk.cert.example", "localhost", "desk",
    ]  # fmt: skip
    assert hosts("", "http://[2001:db8::1]:8000") == ["[2001:db8::1]"]


def test_nothing_is_made_for_a_profile_or_an_address_that_cannot_be(tmp_path):
    for wrong, refusal in (
        (("--profile", "nowhere"), NoSuchProfile),
        (("--profile", "pakistan", "--administrator", "nobody"), BadEmail),
    ):
        answer = CliRunner().invoke(muhafiz, ["init", *wrong])
        assert isinstance(answer.exception, refusal)
        assert answer.stderr == ""


@pytest.mark.django_db
class TestDatabase:
    def ask(self, error: Exception, *words: str):
        def broken(execute, sql, *rest):
            if "feeds_feed" in sql:
                raise error
            return execute(sql, *rest)

        with connection.execute_wrapper(broken):
            return CliRunner().invoke(muhafiz, words)

    def test_one_that_is_busy_is_said_to_be_busy(self, folders):
        answer = self.ask(OperationalError("database is locked"), "feeds", "list")
        assert answer.exit_code == 1
        assert "The database could not be used: database is locked. Try again." in answer.stderr

    def test_our_own_fault_is_not_called_the_databases(self, folders):
        answer = self.ask(ProgrammingError("syntax error"), "feeds", "list")
        assert isinstance(answer.exception, ProgrammingError)


@pytest.mark.django_db
def test_a_clock_set_back_does_not_keep_the_demonstration_down(settings, folders, monkeypatch):
    """Links are refused then, and the platform starts all the same."""
    settings.DEMONSTRATION = True
    found = register_person(email="a@b.example", name="A", actor=OPERATOR, now=datetime.now(UTC))
    grant_role(person_id=found.id, role="analyst", actor=OPERATOR, now=datetime.now(UTC))
    note_clock(datetime.now(UTC) + timedelta(days=10))
    served = []
    monkeypatch.setattr(start, "_is_empty", lambda environment: False)
    monkeypatch.setattr(start, "_upgrade", lambda: None)
    monkeypatch.setattr(start.os, "execv", lambda *command: served.append(command))
    answer = CliRunner().invoke(muhafiz, ["start"])
    assert "No one-time links: The clock of this machine was set back" in answer.stderr
    assert [command[1][-1] for command in served] == ["serve"]


class TestAnswers:
    def test_a_strangers_text_moves_no_cursor(self):
        rows = [{"name": "a\x1b[2Jb\nc\u202ed", "size": None}]
        assert table(rows, ("name", "size"))[1].rstrip() == "a\\x1b[2Jb\\nc\\u202ed"

    def test_json_has_iso_times_spans_in_seconds_and_sorted_sets(self, capsys):
        moment = datetime(2026, 11, 23, 9, tzinfo=UTC)
        answer = {"at": moment, "day": moment.date(), "every": timedelta(minutes=1)}
        show(answer | {"roles": frozenset({"b", "a"})}, as_json=True, words="")
        assert json.loads(capsys.readouterr().out) == {
            "at": "2026-11-23T09:00:00+00:00", "day": "2026-11-23", "every": 60, "roles": ["a", "b"],
        }  # fmt: skip


@pytest.mark.django_db
def test_keys_are_shown_printed_and_renewed(folders, settings, now):
    settings.MAIL_FROM = "cert@cert.example"
    ensure_signing_certificate(actor=OPERATOR, now=now)
    run = CliRunner()
    first = json.loads(run.invoke(muhafiz, ["keys", "show", "--json"]).stdout)["letters"]
    assert "cert@cert.example" in first["user_id"]
    assert run.invoke(muhafiz, ["keys", "public"]).stdout.startswith("-----BEGIN PGP PUBLIC KEY")
    assert run.invoke(muhafiz, ["keys", "renew", "--years", "1"]).exit_code == 0
    second = json.loads(run.invoke(muhafiz, ["keys", "show", "--json"]).stdout)["letters"]
    assert second["fingerprint"] != first["fingerprint"]
