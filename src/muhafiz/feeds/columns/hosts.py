"""Which host a text names: addresses and names as people write them, and those within URLs.

What the strict reading refuses is looked at a second time: defanged ("192[.]0[.]2[.]1",
"hxxp://"), one host as a network ("192.0.2.1/32"), IPv6 in brackets, a name with its port or within
a URL. Nothing here makes an address of what is none: the result is read as strictly again.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.feeds.columns.texts import distinct
from muhafiz.formats.addresses import parse_addresses, parse_domains

_NOTHING = pa.scalar(None, pa.string())
_DEFANGED = (
    (r"^([hH])[xX]{2}([pP][sS]?)(\[:\]|:)//", r"\1tt\2://"),
    (r"\[:\]", ":"),
    (r"[\[({]\s*(?:\.|[dD][oO][tT])\s*[\])}]", "."),
)
_ONE_V4, _ONE_V6 = (r"^([0-9.]+)/32$", r"^([0-9a-fA-F:.]*:[0-9a-fA-F:.]*)/128$")
_IN_BRACKETS = r"^\[([0-9a-fA-F:.]+)\](?::[0-9]{1,5})?$"
_WITH_PORT = r"^(.*[^:]):[0-9]{1,5}$"
# Browsers read "\" as "/", RFC 3986 does not: where they would disagree on the host, there is none.
_URL_HOST = r"^(?i:[a-z][a-z0-9+.-]*)://(?:[^/?#@\\]*@)?(?P<host>\[[0-9a-fA-F:.]+\]|[^/?#:\[\]\s\\]+)(?::[0-9]*)?(?:[/?#]|$)"
_BARE_V6 = r"^([0-9a-fA-F:.]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*)$"
_REQUEST = r"^(?:[A-Z]{3,10} )?(/\S*)(?: HTTP/[0-9.]+)?$"
_MAIL_DOMAIN = r"^[^@\s]+@(?P<domain>[^@\s]+)$"


def refanged(texts: pa.Array) -> pa.Array:
    """Texts as they were before somebody made them harmless."""
    if not pc.any(pc.match_substring_regex(texts, r"[\[({]|^[hH][xX]{2}")).as_py():
        return texts
    for pattern, plain in _DEFANGED:
        texts = pc.replace_substring_regex(texts, pattern, plain)
    return texts


def read_addresses(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """As `formats.addresses.parse_addresses` on distinct texts, with a second look."""
    canonical, packed = parse_addresses(distinct(texts))
    unread = _unread(texts, packed)
    if unread is None:
        return canonical, packed
    again = refanged(texts.filter(unread))
    for pattern in (_ONE_V4, _ONE_V6, _IN_BRACKETS):
        again = pc.replace_substring_regex(again, pattern, r"\1")
    more, more_packed = parse_addresses(distinct(again))
    return (
        pc.replace_with_mask(canonical, unread, more),
        pc.replace_with_mask(packed, unread, more_packed),
    )


def read_names(texts: pa.Array) -> pa.Array:
    """As `formats.addresses.parse_domains` on distinct texts, with a second look."""
    names = parse_domains(distinct(texts))
    unread = _unread(texts, names)
    if unread is None:
        return names
    again = refanged(texts.filter(unread))
    again = pc.coalesce(hosts_of_urls(again), pc.replace_substring_regex(again, _WITH_PORT, r"\1"))
    return pc.replace_with_mask(names, unread, parse_domains(distinct(again)))


def _unread(texts: pa.Array, read: pa.Array) -> pa.Array | None:
    """Which texts are there and were not read; None: all were."""
    unread = pc.and_(pc.is_valid(texts), pc.is_null(read))
    return unread if pc.any(unread).as_py() else None


def hosts_of_urls(urls: pa.Array) -> pa.Array:
    """The host within each URL, as text; NULL where there is none."""
    found = pc.struct_field(pc.extract_regex(urls, _URL_HOST), "host")
    return pc.replace_substring_regex(found, r"^\[(.*)\]$", r"\1")


def domains_of_accounts(accounts: pa.Array) -> pa.Array:
    """The domain of each account that is a mail address; NULL for others."""
    return parse_domains(
        distinct(pc.struct_field(pc.extract_regex(accounts, _MAIL_DOMAIN), "domain"))
    )


def whole_urls(
    urls: pa.Array, hosts: pa.Array | None, applications: pa.Array | None
) -> pa.Array | None:
    """URLs refanged, and paths (or requests, "GET /a HTTP/1.1") made URLs of their host.

    None: nothing is to be done.
    """
    clean = refanged(urls)
    paths = pc.fill_null(pc.match_substring_regex(clean, _REQUEST), False)
    if hosts is None or not pc.any(paths).as_py():
        return None if clean is urls else clean
    known = pc.and_(paths, pc.fill_null(pc.greater(pc.utf8_length(hosts), 0), False))
    secure = pa.scalar(False) if applications is None else _is_https(applications)
    scheme = pc.if_else(secure, pa.scalar("https://"), pa.scalar("http://"))
    path = pc.replace_substring_regex(clean, _REQUEST, r"\1")
    hosts = pc.replace_substring_regex(hosts, _BARE_V6, r"[\1]")
    joined = pc.binary_join_element_wise(scheme, hosts, path, "")
    return pc.if_else(known, joined, clean)


def _is_https(applications: pa.Array) -> pa.Array:
    return pc.fill_null(pc.equal(pc.ascii_lower(applications), "https"), False)
