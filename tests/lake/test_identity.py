"""Keys are part of what is stored: the recipe must not move."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.formats.addresses import reverse_labels
from muhafiz.lake.identity import IDENTITY, mixed
from muhafiz.lake.preparation import merged, prepare_batch
from muhafiz.lake.refusals import BadBatch
from tests.lake.rows import NOON, SALT, accepted, host, row


def keys_of(rows: list[dict[str, object]], salt: bytes = SALT) -> list[int]:
    """The keys in the order of the rows (each row alone: nothing is merged or sorted)."""
    return [prepare_batch(accepted([line]), salt=salt).days[0].keys.tolist()[0] for line in rows]


def test_the_recipe_has_not_moved():
    rows = [
        row(),
        row(source_ip="2001:db8::1", source_fqdn="www.example.org", protocol_transport="tcp"),
        row(source_ip=None, source_port=None, source_url="http://example.org/" + "a" * 400),
        row(time_source=None, malware_name="Mirai", malware_hash_sha256="ab" * 32),
    ]
    assert keys_of(rows) == [
        6847597253869867356,
        1562007363578896352,
        -6501848272748337725,
        -3049137124033648094,
    ]


def test_mixing_is_murmurs_finalizer():
    def reference(word: int) -> int:
        for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
            word = (word ^ word >> 33) * factor % 2**64
        return word ^ word >> 33

    words = [0, 1, 2**63, 2**64 - 1, 0x123456789ABCDEF]
    assert mixed(np.array(words, np.uint64)).tolist() == [reference(word) for word in words]


CHANGES = {
    "day": {"time_source": NOON + timedelta(days=1)},
    "feed_name": {"feed_name": "x"},
    "feed_code": {"feed_code": "x"},
    "classification_type": {"classification_type": "x"},
    "classification_identifier": {"classification_identifier": "x"},
    "source_fqdn": {"source_fqdn": "x"},
    "source_url": {"source_url": "x"},
    "source_account": {"source_account": "x"},
    "destination_fqdn": {"destination_fqdn": "x"},
    "protocol_transport": {"protocol_transport": "x"},
    "protocol_application": {"protocol_application": "x"},
    "malware_name": {"malware_name": "x"},
    "malware_hash_sha256": {"malware_hash_sha256": "x"},
    "source_address": {"source_ip": "203.0.113.6"},
    "destination_address": {"destination_address": b"\1" * 16},
    "source_port": {"source_port": 24},
    "destination_port": {"destination_port": 23},
}


def test_every_part_of_the_identity_counts_and_none_is_mistaken_for_another():
    assert set(CHANGES) == set(IDENTITY)
    keys = keys_of([row(), *(row(**change) for change in CHANGES.values())])
    assert len(set(keys)) == len(CHANGES) + 1


@pytest.mark.parametrize(
    "other",
    [
        {"severity": "high"},
        {"extra": "{}"},
        {"time_source": NOON + timedelta(hours=2)},
        {"organization_id": None},
        {"parser": "shadowserver/2"},
        {"tlp": "GREEN"},
    ],
)
def test_what_may_change_between_sightings_does_not_count(other):
    first, second = keys_of([row(), row(**other)])
    assert first == second


def test_another_salt_gives_other_keys():
    assert keys_of([row()]) != keys_of([row()], salt=b"x" * 16)


TEXTS = st.one_of(st.none(), st.text(max_size=12), st.text(min_size=250, max_size=300))


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=20))
def test_a_batch_gives_each_row_the_key_it_has_alone(pairs):
    rows = [row(source_url=url, source_account=account) for url, account in pairs]
    whole = prepare_batch(accepted(rows), salt=SALT).days[0]
    assert sorted(whole.keys.tolist()) == sorted(set(keys_of(rows)))
    assert len(set(pairs)) == len(whole.keys)
    assert sum(whole.events()["sightings"].to_pylist()) == len(pairs)


def test_dictionary_encoded_columns_give_the_same_keys():
    batch = accepted([host(n, source_fqdn=f"h{n}.example") for n in range(50)])
    encoded = batch
    for name in ("feed_code", "source_fqdn"):
        at = batch.schema.get_field_index(name)
        encoded = encoded.set_column(at, name, batch[name].dictionary_encode())
    one, other = (prepare_batch(each, salt=SALT).days[0] for each in (batch, encoded))
    assert one.keys.tolist() == other.keys.tolist()


LABELS = st.text(alphabet="ab.é", max_size=12)


@given(st.lists(st.none() | LABELS, max_size=30), st.integers(0, 3))
def test_reversed_names(names, skipped):
    column = pa.array(["x.y"] * skipped + names, pa.string()).slice(skipped)
    expected = [None if name is None else ".".join(reversed(name.split("."))) for name in names]
    assert reverse_labels(column).to_pylist() == expected


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 99), st.integers(1, 9)), min_size=1))
def test_merging_is_what_a_dictionary_does(lines):
    keys, times, counts = (np.array(column, np.int64) for column in zip(*lines, strict=True))
    rows, first, last, sums = merged(keys, times, times, counts)
    model: dict[int, list[tuple[int, int]]] = {}
    for key, moment, count in lines:
        model.setdefault(key, []).append((moment, count))
    assert keys[rows].tolist() == sorted(model)
    for at, key in enumerate(sorted(model)):
        assert lines[rows[at]] == next(line for line in lines if line[0] == key)
        moments = [moment for moment, _ in model[key]]
        assert (first[at], last[at]) == (min(moments), max(moments))
        assert sums[at] == sum(count for _, count in model[key])


def test_rows_lie_by_address_with_those_without_one_last():
    rows = [
        host(9, organization_id=None),
        host(7, organization_id=2),
        host(3, organization_id=2),
        host(5, organization_id=1),
        row(source_ip="2001:db8::1", organization_id=2),
        row(source_ip=None, source_fqdn="example.org", organization_id=2),
    ]
    events = prepare_batch(accepted(rows), salt=SALT).days[0].events()
    assert events["organization_id"].to_pylist() == [2, 1, 2, None, 2, 2]
    assert events["row"].to_pylist() == [3, 4, 2, 1, 5, 6]


def test_what_is_no_accepted_batch_is_refused():
    batch = accepted([row()])
    with pytest.raises(BadBatch, match="source_ip is missing"):
        prepare_batch(batch.drop_columns(["source_ip"]), salt=SALT)
    wrong = batch.set_column(batch.schema.get_field_index("tlp"), "tlp", pa.array([1]))
    with pytest.raises(BadBatch, match="tlp is int64"):
        prepare_batch(wrong, salt=SALT)
    two = pa.concat_tables([batch, accepted([row()], report_id=2)])
    with pytest.raises(BadBatch, match="several reports"):
        prepare_batch(two, salt=SALT)
    assert prepare_batch(batch.slice(0, 0), salt=SALT).days == ()
