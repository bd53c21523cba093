from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.audit.queries import entries
from muhafiz.keyring.actions.seals import rotate_master_key, seal
from muhafiz.keyring.keyfiles import make_once
from muhafiz.keyring.queries import unseal
from muhafiz.keyring.rules import BadSeal, SealedParts, join_sealed, split_sealed


def test_a_sealed_value_opens_in_its_place_only(folders):
    sealed = seal(b"secret", context="feeds.feed.password:17")
    assert b"secret" not in sealed
    assert unseal(sealed, context="feeds.feed.password:17") == b"secret"
    assert unseal(memoryview(sealed), context="feeds.feed.password:17") == b"secret"
    with pytest.raises(BadSeal):
        unseal(sealed, context="feeds.feed.password:18")
    assert seal(b"secret", context="x") != seal(b"secret", context="x")


def test_every_changed_byte_is_noticed(folders):
    sealed = seal(b"secret", context="x")
    for at in range(len(sealed)):
        altered = bytearray(sealed)
        altered[at] ^= 1
        with pytest.raises(BadSeal):
            unseal(bytes(altered), context="x")
    for cut in range(len(sealed)):
        with pytest.raises(BadSeal):
            unseal(sealed[:cut], context="x")


def test_keys_are_the_owners_alone(folders, settings):
    seal(b"x", context="x")
    [key] = Path(settings.KEYS).iterdir()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(settings.KEYS).stat().st_mode) == 0o700
    assert len(key.read_bytes()) == 32


def test_a_new_key_seals_and_the_old_one_still_opens(db, folders, settings, actor, now):
    old = seal(b"old", context="x")
    name = rotate_master_key(actor=actor, now=now)
    new = seal(b"new", context="x")
    assert split_sealed(new).key_id.hex() == name != split_sealed(old).key_id.hex()
    assert (unseal(old, context="x"), unseal(new, context="x")) == (b"old", b"new")
    assert entries(action="keyring.rotate_master_key")[0].subject == "master-key:2"
    (Path(settings.KEYS) / "master-0001.key").unlink()
    with pytest.raises(BadSeal, match="not among the keys"):
        unseal(old, context="x")


def test_a_damaged_key_file_is_named(folders, settings):
    seal(b"x", context="x")
    (Path(settings.KEYS) / "master-0001.key").write_bytes(b"short")
    with pytest.raises(BadSeal, match=r"master-0001\.key"):
        seal(b"x", context="x")


def _race(path, start, results):
    start.wait()
    content = multiprocessing.current_process().name.encode()
    results.put((make_once(path, content), path.read_bytes()))


def test_of_many_processes_exactly_one_makes_the_key(tmp_path):
    context = multiprocessing.get_context("fork")
    start, results = context.Event(), context.Queue()
    path = tmp_path / "keys" / "one.key"
    racers = [
        context.Process(target=_race, args=(path, start, results), name=f"racer-{n:02d}")
        for n in range(8)
    ]
    for racer in racers:
        racer.start()
    start.set()
    told = [results.get(timeout=20) for _ in racers]
    for racer in racers:
        racer.join()
    assert [made for made, _ in told].count(True) == 1
    assert len({content for _, content in told}) == 1
    assert [child.name for child in path.parent.iterdir()] == ["one.key"]


@given(
    st.binary(min_size=8, max_size=8), st.binary(min_size=12, max_size=12), st.binary(min_size=16)
)
def test_what_is_joined_is_split_again(key_id, nonce, ciphertext):
    parts = SealedParts(key_id, nonce, ciphertext)
    assert split_sealed(join_sealed(parts)) == parts
