"""The stand-alone verifier as a stranger runs it: a script, an export, perhaps a key and a head."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from muhafiz.audit import queries, verifier
from muhafiz.audit.canonical import Entry
from muhafiz.audit.rules import leaf_hash, tree_root

SCRIPT = Path(verifier.__file__)


def run(*arguments: object, blocked: bool = False) -> subprocess.CompletedProcess[str]:
    """Run it with nothing but the standard library and site-packages; never this project."""
    start = [sys.executable, "-P", str(SCRIPT)]
    if blocked:
        hide = "import sys; sys.modules['cryptography'] = None; sys.argv = sys.argv[1:];"
        code = f"{hide} import runpy; runpy.run_path(sys.argv[0], run_name='__main__')"
        start = [sys.executable, "-P", "-c", code, str(SCRIPT)]
    return subprocess.run(
        [*start, *map(str, arguments)], capture_output=True, text=True, check=False, cwd="/"
    )


@pytest.fixture
def log(empty_log, tmp_path, write, sign_head, exported) -> Path:
    """A log of two signed heads and an unsigned tail, exported."""
    write(4)
    sign_head()
    write(3)
    sign_head()
    write(2)
    path = tmp_path / "log.jsonl"
    path.write_bytes(exported())
    return path


@pytest.fixture
def trusted(key, tmp_path) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return path


def test_a_whole_log_passes(log, trusted):
    answer = run(log, "--key", trusted, "--head", log)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "2 signed heads" in answer.stdout


def test_without_a_key_it_says_whose_key_it_believed(log, key):
    answer = run(log)
    assert answer.returncode == 0
    assert base64.b64encode(key.public_key().public_bytes_raw()).decode() in answer.stdout


def test_it_is_short_and_stands_alone():
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 200
    assert "import muhafiz" not in text
    assert "from muhafiz" not in text


def change(log: Path, edit) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    edit(lines)
    log.write_bytes(b"".join(lines))


def entries_at(lines: list[bytes]) -> list[int]:
    return [at for at, line in enumerate(lines) if b'"action"' in line]


def refit(log: Path) -> None:
    """What a careful forger does: renumber the entries and make the last line anew."""
    lines = [json.loads(line) for line in log.read_bytes().splitlines()]
    check = verifier.Check()
    made = []
    for parts in lines[:-1]:
        if "action" in parts:
            parts["index"] = check.size
            line = json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()
            check.grow(line)
        line = json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()
        made.append(line)
    end = lines[-1] | {"size": check.size, "root": check.root()}
    made.append(json.dumps(end, sort_keys=True, separators=(",", ":")).encode())
    log.write_bytes(b"".join(line + b"\n" for line in made))


def test_an_altered_entry_is_found(log):
    def edit(lines):
        at = entries_at(lines)[1]
        lines[at] = lines[at].replace(b"do_thing", b"do_nothing")

    change(log, edit)
    refit(log)
    answer = run(log)
    assert answer.returncode == 1
    assert "signed head" in answer.stdout


def test_a_removed_entry_is_found_even_when_renumbered(log):
    change(log, lambda lines: lines.pop(entries_at(lines)[2]))
    assert run(log).returncode == 1
    refit(log)
    assert run(log).returncode == 1


def test_reordered_entries_are_found_even_when_renumbered(log):
    def edit(lines):
        one, two = entries_at(lines)[:2]
        lines[one], lines[two] = lines[two], lines[one]

    change(log, edit)
    assert "stands where" in run(log).stdout
    refit(log)
    assert run(log).returncode == 1


def test_a_cut_tail_is_found_by_a_head_kept_elsewhere(log, tmp_path):
    kept = tmp_path / "kept.jsonl"
    heads = [line for line in log.read_bytes().splitlines(keepends=True) if b'"head"' in line]
    kept.write_bytes(heads[-1])

    def edit(lines):
        first_head = next(at for at, line in enumerate(lines) if b'"head"' in line)
        del lines[first_head + 1 : -1]

    change(log, edit)
    refit(log)
    assert run(log).returncode == 0  # by itself a shorter log is a log
    answer = run(log, "--head", kept)
    assert answer.returncode == 1
    assert "cut off" in answer.stdout


def test_a_rewritten_log_is_found_by_a_head_kept_elsewhere(log):
    first = json.loads(next(line for line in log.read_bytes().splitlines() if b'"head"' in line))
    kept = f"{first['size']}:{first['root']}"
    assert run(log, "--head", kept).returncode == 0
    change(log, lambda lines: lines.pop(entries_at(lines)[0]))
    change(log, lambda lines: [lines.remove(x) for x in list(lines) if b'"head"' in x])
    refit(log)
    assert run(log, "--head", kept).returncode == 1


def test_a_log_signed_by_another_key_is_not_trusted(log, tmp_path):
    other = base64.b64encode(b"\x09" * 32).decode()
    answer = run(log, "--key", other)
    assert answer.returncode == 1
    assert "not trusted" in answer.stdout


def test_without_cryptography_it_says_so_and_still_checks_the_tree(log):
    answer = run(log, blocked=True)
    assert answer.returncode == 2
    assert "NOT checked" in answer.stdout
    change(log, lambda lines: lines.pop(entries_at(lines)[2]))
    assert run(log, blocked=True).returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["/nowhere/log.jsonl"],
        ["LOG", "--key", "not base64!"],
        ["LOG", "--head", "nonsense"],
        ["LOG", "--head", "7:xyz"],
        [],
    ],
)
def test_what_cannot_be_checked_is_no_verdict(log, arguments):
    answer = run(*[log if a == "LOG" else a for a in arguments])
    assert answer.returncode == 2
    assert answer.stderr


def test_every_byte_counts(empty_log, write, sign_head, exported):
    write(2)
    sign_head()
    write(1)
    whole = exported()
    assert found(whole) == []
    for at in range(len(whole)):
        for flip in (0x01, 0x20, 0x80):
            broken = whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :]
            assert found(broken), f"byte {at} ({whole[at]:#x}) changed by {flip:#x} unnoticed"


def test_every_cut_counts(empty_log, write, sign_head, exported):
    write(2)
    sign_head()
    whole = exported()
    for length in range(len(whole)):
        assert found(whole[:length])


def found(log: bytes) -> list[str]:
    check = verifier.Check()
    verifier.check_log(io.BytesIO(log), check)
    return check.findings


def test_the_export_of_an_empty_or_growing_log_fits_its_head(empty_log, write, exported):
    assert found(exported()) == []
    write(1)
    head = queries.current_head()
    last = json.loads(exported().splitlines()[-1])
    assert (last["size"], last["root"]) == (head.size, head.root.hex())


def test_progress_of_a_long_check_goes_to_the_side(now, capsys):
    entries = [Entry(n, now, "job:x", "x", "a.b", "c:1", "{}").line() for n in range(100_000)]
    end = {"kind": "end", "log": "L", "size": len(entries)}
    end["root"] = tree_root([leaf_hash(line) for line in entries]).hex()
    lines = [{"format": "muhafiz-audit-1", "kind": "log", "log": "L"}, end]
    first, last = (json.dumps(p, sort_keys=True, separators=(",", ":")).encode() for p in lines)
    assert found(b"".join(line + b"\n" for line in [first, *entries, last])) == []
    assert "100,000 entries" in capsys.readouterr().err
