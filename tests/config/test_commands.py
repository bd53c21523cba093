"""Every command translates: arguments in, one action or query, an answer out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from django.db import connection

from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.config.command import muhafiz
from muhafiz.config.standard_feeds import make_standard_feeds
from muhafiz.detection.actions.policies import install_default_policies
from muhafiz.feeds.rules import BadFeed
from muhafiz.rulebook.actions.profile import load_profile

pytestmark = pytest.mark.usefixtures("folders")

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
TELNET = (
    b'"timestamp","severity","ip","protocol","port","hostname","tag","asn","geo"\r\n'
    b'"2026-11-22 01:02:03","high","192.0.2.7","tcp",23,"a.hospital.example","telnet",64500,"PK"\r\n'
    b'"2026-11-22 01:02:04","high","192.0.2.8","tcp",23,"","telnet",64500,"PK"\r\n'
    b'"2026-11-22 01:02:05","high","010.1.1.1","tcp",23,"","telnet",64500,"PK"\r\n'
)
CONSTITUENTS = (
    b"organization,record,value,name,sector,language,role\n"
    b"hospital,organization,,Valley Hospital,public,en,\n"
    b"hospital,network,192.0.2.0/29,,,,\n"
    b"hospital,contact,abuse@hospital.example,,,en,abuse\n"
    b"hospital,network,not-a-network,,,,\n"
)


def call(*words: str, status: int = 0, text: str = ""):
    answer = CliRunner().invoke(muhafiz, words, input=text, catch_exceptions=False)
    assert answer.exit_code == status, answer.output
    return answer.output


def told(*words: str, status: int = 0):
    return json.loads(call(*words, "--json", status=status))


@pytest.fixture
def nation(transactional_db, actor, now):
    operator = Actor.command("test")
    load_profile("pakistan", actor=operator, now=now)
    make_standard_feeds(actor=operator, now=now)


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "2026-11-22-scan_telnet-test.csv"
    path.write_bytes(TELNET)
    return str(path)


@pytest.fixture
def constituents(tmp_path):
    path = tmp_path / "constituents.csv"
    path.write_bytes(CONSTITUENTS)
    return str(path)


@pytest.mark.usefixtures("nation")
class TestIngest:
    def test_a_report_is_read_and_found_again(self, report, constituents):
        told("constituency", "import", constituents, status=3)
        (answer,) = told("ingest", report, status=3)
        assert (answer["rows_accepted"], answer["rows_set_aside"], answer["rows_owned"]) == (
            2,
            1,
            1,
        )
        events = told("lake", "query", "--cidr", "192.0.2.0/24")["events"]
        assert {event["source_ip"] for event in events} == {"192.0.2.7", "192.0.2.8"}
        (group,) = told("feeds", "set-aside")
        assert (group["reason"], group["rows"]) == ("address", 1)

    def test_a_second_delivery_is_recognized(self, report):
        told("ingest", report, status=3)
        (again,) = told("ingest", report, status=3)
        assert again["duplicate"]
        assert len(told("lake", "query")["events"]) == 2

    def test_rubbish_is_kept_and_set_apart(self, tmp_path):
        path = tmp_path / "letter.pdf"
        path.write_bytes(b"%PDF-1.7 \x00\x01\x02 nothing that any source reads")
        (answer,) = told("ingest", str(path), status=1)
        assert answer["state"] == "quarantined"

    def test_a_feed_that_is_not_there_is_refused(self, report):
        with pytest.raises(Refusal, match="nowhere"):
            call("ingest", report, "--feed", "nowhere")

    def test_pages_follow_one_another(self, report):
        told("ingest", report, status=3)
        first = told("lake", "query", "--limit", "1")
        second = told("lake", "query", "--limit", "1", "--after", first["after"])
        assert first["events"][0]["key"] != second["events"][0]["key"]

    def test_the_lake_proves_itself(self, report):
        told("ingest", report, status=3)
        assert told("lake", "verify", "--deep")["proven"]

    def test_a_row_that_only_intake_knows_of_is_found(self, report):
        told("ingest", report, status=3)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE feeds_report SET rows_accepted = rows_accepted + 1")
        answer = told("lake", "verify", status=1)
        assert "intake accepted 3 rows, the lake 2" in answer["faults"][0]


@pytest.mark.usefixtures("nation")
class TestFeeds:
    def test_added_switched_off_and_its_secrets_never_shown(self):
        call("feeds", "add", "partner", "--source", "intelmq", "--expect-every", "60")
        call("feeds", "secrets", "partner", "apikey", "secret", text="hunter2\nhunter3\n")
        call("feeds", "switch", "partner", "off")
        feed = next(one for one in told("feeds", "list") if one["name"] == "partner")
        assert not feed["enabled"]
        assert "hunter" not in call("feeds", "list", "--json")

    def test_changed_and_what_is_not_named_stays(self):
        call("feeds", "add", "partner", "--source", "generic", "--expect-every", "60")
        options = '{"mapping": {"map": {"source_ip": ["address"]}}}'
        call("feeds", "change", "partner", "--options", options, "--tlp", "GREEN")
        feed = next(one for one in told("feeds", "list") if one["name"] == "partner")
        assert feed["options"] == {"mapping": {"map": {"source_ip": ["address"]}}}
        assert (feed["tlp"], feed["expected_every"]) == ("GREEN", 3600)
        call("feeds", "change", "partner", "--expect-every", "0")
        feed = next(one for one in told("feeds", "list") if one["name"] == "partner")
        assert (feed["tlp"], feed["expected_every"]) == ("GREEN", None)
        wrong = '{"mapping": {"type": "nonsense"}}'
        with pytest.raises(BadFeed, match="no RSIT type"):
            call("feeds", "change", "partner", "--options", wrong)

    def test_a_mapping_is_guessed_and_offered(self, tmp_path):
        path = tmp_path / "list.csv"
        path.write_text("when;address\n22.11.2026 08:15;192.0.2.1\n")
        answer = told("feeds", "guess", str(path))
        assert answer["mapping"]["map"]["source_ip"] == ["address"]
        assert answer["why"]["time_source"].endswith("%d.%m.%Y %H:%M")
        options = call("feeds", "guess", str(path)).splitlines()[-1]
        call("feeds", "add", "partner", "--source", "generic", "--options", options)

    def test_options_that_are_no_object(self):
        assert "no JSON object" in call(
            "feeds", "add", "x", "--source", "n6", "--options", "[]", status=2
        )

    def test_sources_are_listed(self):
        names = {source["name"] for source in told("feeds", "sources")}
        assert {
            "shadowserver",
            "intelmq",
            "n6",
            "misp",
            "xarf",
            "generic",
            "suricata",
            "zeek",
        } <= names


@pytest.mark.usefixtures("nation")
class TestConstituency:
    def test_a_dry_run_writes_nothing(self, constituents):
        answer = told("constituency", "import", constituents, "--dry-run", status=3)
        assert answer["additions"] == 3
        assert [problem["line"] for problem in answer["problems"]] == [5]
        assert told("constituency", "import", constituents, "--dry-run", status=3)["additions"] == 3

    def test_an_import_is_taken_back(self, constituents, report):
        number = told("constituency", "import", constituents, status=3)["import"]
        told("constituency", "undo", str(number))
        (answer,) = told("ingest", report, status=3)
        assert answer["rows_owned"] == 0


@pytest.mark.usefixtures("nation")
class TestPeople:
    def test_registered_given_a_role_and_let_in(self, settings):
        call("accounts", "add", "ayesha@cert.example", "--role", "duty_officer")
        call("accounts", "role", "ayesha@cert.example", "analyst")
        call("accounts", "role", "ayesha@cert.example", "duty_officer", "--revoke")
        (person,) = told("accounts", "list")
        assert person["roles"] == "analyst"
        link = call("accounts", "link", "ayesha@cert.example")
        assert link.startswith(f"{settings.PUBLIC_URL}/enter/")

    def test_nobody_of_that_name(self):
        call("accounts", "role", "nobody@cert.example", "analyst", status=1)


@pytest.mark.usefixtures("nation")
class TestAudit:
    def test_what_was_done_is_there_and_verifies(self, report, tmp_path):
        told("ingest", report, status=3)
        assert told("audit", "verify")["faults"] == []
        exported = tmp_path / "log.jsonl"
        call("audit", "export", str(exported))
        text = exported.read_text()
        assert "feeds.keep_report" in text
        assert "audit.export" in text


@pytest.mark.usefixtures("nation")
def test_jobs_are_listed_and_a_missing_one_refused():
    assert told("jobs", "list") == []
    assert {job["name"] for job in told("jobs", "timed")} >= {"feeds.collect", "lake.compact"}
    with pytest.raises(Refusal):
        call("jobs", "retry", "4711")


@pytest.mark.usefixtures("nation")
def test_a_senseless_question_is_refused_in_words():
    with pytest.raises(Refusal, match="no network"):
        call("lake", "query", "--cidr", "not-a-network")


@pytest.mark.usefixtures("nation")
class TestNotices:
    def test_previewed_sent_and_traced(self, report, constituents, settings):
        settings.MAIL_FROM = "cert@example.org"
        install_default_policies(actor=Actor.command("test"), now=LONG_AGO, cadence="at_once")
        told("constituency", "import", constituents, status=3)
        told("ingest", report, status=3)
        before = told("notices", "preview")
        assert (before["letters"], told("notices", "list")) == (1, [])
        assert "TLP:AMBER" in before["notices"][0]["text"]
        assert told("notices", "send")["notices"] == 1
        assert told("notices", "send")["notices"] == 0
        (notice,) = told("notices", "list")
        traced = told("notices", "trace", str(notice["id"]))
        (row,) = traced["rows"]
        assert (row["source_ip"], row["row"], row["network"]) == ("192.0.2.7", 1, "192.0.2.0/29")
        assert traced["letters"][0]["address"] == "abuse@hospital.example"

    def test_nothing_unsure_and_no_such_notice(self):
        assert told("notices", "unsure") == []
        call("notices", "trace", "4711", status=1)


@pytest.mark.usefixtures("nation")
class TestRulebook:
    def test_one_person_cannot_change_it_alone(self, monkeypatch):
        call(
            "rulebook",
            "propose",
            "cert.answer_hours",
            "12",
            "--source",
            "a circular",
            "--standing",
            "S",
        )
        (proposal,) = told("rulebook", "proposals")
        monkeypatch.setenv("LOGNAME", "somebody-else")
        for decision in (("approve",), ("reject", "--reason", "not yet")):
            with pytest.raises(Refusal, match="whoever proposes"):
                call("rulebook", decision[0], str(proposal["id"]), *decision[1:])
        values = {one["key"]: one["value"] for one in told("rulebook", "list")}
        assert values["cert.answer_hours"] == 24

    def test_what_is_no_json_is_said_so(self):
        said = call(
            "rulebook",
            "propose",
            "cert.answer_hours",
            "soon",
            "--source",
            "x",
            "--standing",
            "S",
            status=2,
        )
        assert "no JSON" in said


@pytest.mark.usefixtures("nation")
def test_an_exported_log_is_verified_off_line(report, tmp_path):
    told("ingest", report, status=3)
    exported = tmp_path / "log.jsonl"
    call("audit", "export", str(exported))
    call("audit", "verify", "--export", str(exported))
    exported.write_bytes(exported.read_bytes().replace(b"keep_report", b"kept_report"))
    call("audit", "verify", "--export", str(exported), status=1)


@pytest.mark.usefixtures("nation")
def test_a_registry_brings_networks_to_known_handles(constituents, tmp_path):
    told("constituency", "import", constituents, status=3)
    (found,) = told("constituency", "find", "Valley")
    call("constituency", "handle", str(found["id"]), "apnic", "ORG-VH1-AP")
    dump = tmp_path / "ripe.db"
    dump.write_text(
        "inetnum: 198.51.100.0 - 198.51.100.255\nnetname: VALLEY\norg: ORG-VH1-AP\nsource: APNIC\n\n"
        "inetnum: 203.0.113.0 - 203.0.113.255\nnetname: OTHER\norg: ORG-XX-AP\nsource: APNIC\n"
    )
    done = told("constituency", "import-registry", str(dump), "--kind", "rpsl", "--source", "apnic")
    assert (done["added"], done["unmatched"]) == (1, [["ORG-XX-AP", 1]])


def test_serving_an_empty_installation_is_refused_in_words(tmp_path):
    answer = subprocess.run(
        [sys.executable, "-m", "muhafiz.config.command", "serve"],
        env={**os.environ, "MUHAFIZ_VAR": str(tmp_path), "DATABASE_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "This installation is empty. Run: muhafiz init" in answer.stderr
    assert "Traceback" not in answer.stderr
