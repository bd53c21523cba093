"""What a letter says, in every language; what its attachment holds."""

from __future__ import annotations

import csv
import io
import string
import tomllib
import unicodedata
from datetime import timedelta
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.detection.attachments import CSV_COLUMNS, HEADER, csv_lines, shown_lines
from muhafiz.detection.columns import PLAN
from muhafiz.detection.letters import File, Letter, Section, languages, write_letter
from muhafiz.formats import rsit, tlp
from muhafiz.formats.csv_cells import runs_as_formula, safe_cell
from tests.detection.test_rules import NOW, TYPES, table

HERE = resources.files("muhafiz.detection.letters")


def words(language):
    return tomllib.loads(HERE.joinpath(language, "words.toml").read_text("utf-8"))


def places(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def letter(**changes) -> Letter:
    facts = {
        "number": "NOTICE-2026-00001",
        "organization": "Alpha {number} Bank",
        "cert": "CERT",
        "tlp": "AMBER",
        "date": "2026-11-23",
        "until": "2026-11-23",
        "at_once": False,
        "events": 3,
        "repeated": 1,
        "sections": (Section("vulnerable", "weak-crypto", 3, ("line {one}", "line two")),),
        "files": (File("a.csv", "csv", 3, packed=False),),
        "digest": "d" * 64,
        "verify_code": "CODE-CODE-CODE",
        "verify_url": "https://cert.example/verify/CODE",
        "fingerprint": "F" * 40,
        **changes,
    }
    return Letter(**facts)


def test_every_language_says_the_same_things():
    english = words("en")
    assert languages() == ["en", "ur"]
    for language in languages():
        other = words(language)
        for key, text in english.items():
            if isinstance(text, str):
                assert places(other[key]) == places(text), (language, key)
            else:
                assert sorted(other[key]) == sorted(text), (language, key)
        template = HERE.joinpath(language, "notice.txt").read_text("utf-8")
        assert set(places(template)) == set(places(HERE.joinpath("en", "notice.txt").read_text()))


@pytest.mark.parametrize("language", ["en", "ur"])
def test_every_type_has_a_title_and_every_class_advice(language):
    said = words(language)
    assert set(said["titles"]) == set(rsit.TAXONOMY_OF)
    for taxonomy in rsit.CLASSES:
        assert said["meanings"][taxonomy]
        assert said["advice"][taxonomy]
    assert set(said["tlp"]) == set(tlp.LABELS) - {"RED"}


@pytest.mark.parametrize("language", ["en", "ur"])
def test_a_letter_says_what_it_must_and_reads_nothing_as_a_template(language):
    subject, text = write_letter(letter(), language)
    for fact in (
        "NOTICE-2026-00001", "Alpha {number} Bank", "AMBER", "CODE-CODE-CODE", "line {one}",
        "https://cert.example/verify/CODE", "d" * 64, "F" * 40, "a.csv",
    ):  # fmt: skip
        assert fact in text
    assert "NOTICE-2026-00001" in subject
    assert words(language)["more"].format(count=1) in text
    files = (File("a.csv", "csv", 3, packed=False), File("x.zip", "xarf", 2, packed=True))
    _, bare = write_letter(letter(fingerprint="", repeated=0, files=files), language)
    assert "OpenPGP" not in bare
    assert "x.zip" in bare
    for told, said in ((text, 0), (bare, 1)):
        for word in ("attachment_packed", "attachment_cut"):
            assert told.count(words(language)[word]) == said


hostile = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.sampled_from(["=1+1", "+1", "-1", "@x", "\t=1", '"', "a,b", "a\r\nb", "\u202e", "\uff1dx"]),
)


@given(st.lists(hostile, min_size=1, max_size=8))
def test_no_cell_runs_and_every_value_survives(values):
    row = {"organization_id": 1, "kind": TYPES[0], "tlp": "AMBER", "host": 1}
    rows = table([row] * len(values), PLAN)
    storable = [v.encode("utf-8", "replace").decode() if v else v for v in values]
    at = rows.schema.get_field_index("malware_name")
    rows = rows.set_column(at, "malware_name", [storable])
    lines = csv_lines(rows)
    text = (HEADER + lines.between(0, len(values))).decode()
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [line["malware"] for line in found] == [safe_cell(value) for value in storable]
    assert not any(runs_as_formula(cell) for line in found for cell in line.values())
    whole = b"".join(lines.between(n, n + 1) for n in range(len(values)))
    assert whole == lines.between(0, len(values))


@given(st.text(max_size=150))
def test_a_shown_line_is_one_line_without_links(text):
    row = {"organization_id": 1, "kind": TYPES[0], "tlp": "AMBER", "host": 1}
    rows = table([row], PLAN)
    for name in ("malware_name", "source_url", "classification_identifier"):
        at = rows.schema.get_field_index(name)
        rows = rows.set_column(at, name, [[text.encode("utf-8", "replace").decode()]])
    [line] = shown_lines(rows).listed(0, 1)
    assert line.splitlines() in ([line], [])
    assert "://" not in line
    assert not {unicodedata.category(c) for c in line} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert len(line) < 1500


def test_the_attachment_has_documented_columns():
    rows = table([{"organization_id": 1, "kind": TYPES[0], "tlp": "AMBER", "host": 9}], PLAN)
    at = rows.schema.get_field_index("first_told")
    rows = rows.set_column(at, rows.schema.field(at), [[NOW - timedelta(days=3)]])
    text = (HEADER + csv_lines(rows).between(0, 1)).decode()
    [line] = csv.DictReader(io.StringIO(text, newline=""))
    assert list(line) == [name for name, _, _ in CSV_COLUMNS]
    assert line["source_ip"] == "198.51.100.9"
    assert line["time"] == "2026-11-23T09:00:00Z"
    assert line["first_told"] == "2026-11-20T09:00:00Z"
    assert line["reference"] == "1-0"
    page = (resources.files("muhafiz").parent.parent / "docs" / "notices.md").read_text("utf-8")
    for name, meaning, _ in CSV_COLUMNS:
        assert f"| `{name}` | {meaning} |" in page
