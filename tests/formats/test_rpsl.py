"""Registry objects as RFC 2622 writes them."""

from __future__ import annotations

import pytest

from muhafiz.formats.rpsl import BadObject, RpslObject, asn, networks, read_objects

DUMP = """\
% The registry's terms and conditions

inetnum:        192.0.2.0 - 192.0.2.191
netname:        EXAMPLE
descr:          one
                two   # a remark
+               three
org:            ORG-EX1-RIPE
mnt-by:         MNT-A, MNT-B
% a remark within the block

% another
route6: 2001:DB8::/32
ORIGIN: AS64500
not an attribute
created: 2020-05-06T07:08:09Z
"""


def test_objects_are_read_with_continuations_and_remarks() -> None:
    first, second = read_objects(DUMP.splitlines(keepends=True))
    assert (first.kind, first.key, first.line) == ("inetnum", "192.0.2.0 - 192.0.2.191", 3)
    assert first.first("descr") == "one two three"
    assert first.all("mnt-by") == ("MNT-A", "MNT-B")
    assert first.first("missing", "org") == "ORG-EX1-RIPE"
    assert networks(first) == ["192.0.2.0/25", "192.0.2.128/26"]
    assert (second.kind, second.line, second.first("origin")) == ("route6", 13, "AS64500")
    assert networks(second) == ["2001:db8::/32"]


def test_an_empty_file_holds_nothing() -> None:
    assert list(read_objects([])) == []
    assert list(read_objects(["% only remarks", "", " continued without a beginning"])) == []


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("inetnum", "192.0.2.0 - 192.0.1.0"),
        ("inetnum", "192.0.2.0 - 2001:db8::"),
        ("inetnum", "192.0.2.0 -"),
        ("inetnum", "010.0.0.0 - 010.0.0.255"),
        ("route", "192.0.2.1/24"),
        ("inet6num", "2001:db8::/129"),
        ("person", "192.0.2.0/24"),
    ],
)
def test_a_key_without_sense_is_refused(kind: str, key: str) -> None:
    with pytest.raises(BadObject):
        networks(RpslObject(1, ((kind, key),)))


@pytest.mark.parametrize("key", ["AS0", "AS4294967296", "64500", "AS-SET", "AS64500:AS-X"])
def test_an_aut_num_has_a_number(key: str) -> None:
    assert asn(RpslObject(1, (("aut-num", "as4294967295"),))) == "AS4294967295"
    with pytest.raises(BadObject):
        asn(RpslObject(1, (("aut-num", key),)))
