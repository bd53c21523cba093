"""Whom a URL names: the host that everybody would connect to, or nobody."""

from __future__ import annotations

import pyarrow as pa
import pytest

from muhafiz.feeds.columns.hosts import hosts_of_urls, read_names, whole_urls


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://a.example.com:80@b.example.org/", "b.example.org"),
        ("http://a.example.com/@b.example.org", "a.example.com"),
        ("http://a.example.com#@b.example.org", "a.example.com"),
        ("http://a.example.com?x=http://b.example.org/", "a.example.com"),
        ("HTTP://A.example.com.:8080", "A.example.com."),
        ("http://[2001:db8::1]:80/x", "2001:db8::1"),
        # A browser goes to a.example.com, RFC 3986 to b.example.org.
        ("http://a.example.com\\@b.example.org/", None),
        ("http://a.example.com\\.b.example.org/", None),
        ("http://a.example.com:x.b.example.org/", None),
        ("http://2001:db8::1/x", None),
        ("//a.example.com/", None),
        ("http:///a.example.com/", None),
    ],
)
def test_the_host_of_a_url(url: str, host: str | None) -> None:
    assert hosts_of_urls(pa.array([url])).to_pylist() == [host]


def test_a_path_on_an_ipv6_host_becomes_a_sound_url() -> None:
    hosts = pa.array(["2001:db8::1", "[2001:db8::1]:80", "a.example.com:8080", "192.0.2.1"])
    whole = whole_urls(pa.array(["/a"] * 4), hosts, None)
    assert whole is not None
    assert whole.to_pylist() == [
        "http://[2001:db8::1]/a",
        "http://[2001:db8::1]:80/a",
        "http://a.example.com:8080/a",
        "http://192.0.2.1/a",
    ]
    assert hosts_of_urls(whole).to_pylist()[:2] == ["2001:db8::1"] * 2


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a.example.com:80", "a.example.com"),
        ("hxxps[:]//münchen[.]example/x", "xn--mnchen-3ya.example"),
        ("192.0.2.1:80", None),
        ("2001:db8::1", None),
        ("*.example.com", None),
        ("a.example.com, b.example.org", None),
    ],
)
def test_a_name_is_read_as_people_write_it(text: str, name: str | None) -> None:
    assert read_names(pa.array([text])).to_pylist() == [name]
