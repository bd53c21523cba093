"""How a text becomes terms, the same for what is indexed and for what is typed. Pure.

Letters that Urdu readers take for one and the same, and keyboards write differently, are folded to
one; marks over and under letters are dropped; digits of every script become ASCII. Names of the
network (addresses, domains, hashes, CVE and other ids) stay whole, defanged spellings are read as
meant, and a name is also found by what it is part of: www.example.org by example.org.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

import idna

#: Weights of terms.
NAME, WORD, MENTION = 9, 5, 1

LONGEST = 200  # letters of a term
MOST_NEEDLES = 8  # terms of one question

#: The letter kept, then those that keyboards of other languages write for it. (What has a mark,
#: as alif with hamza, loses it by decomposition.)
_SAME = str.maketrans(
    {other: group[0] for group in ("یيىېۍ", "کكڪ", "ہهةۃھە", "اٱ", "وۇ") for other in group[1:]}
)
_DEFANGED = (
    (re.compile(r"\bh(?:xx|XX|\*\*)p(s?)(?=\b|:|\[)", re.IGNORECASE), r"http\1"),
    (re.compile(r"\s?[\[({]\s?(?:\.|dot)\s?[\])}]\s?", re.IGNORECASE), "."),
    (re.compile(r"[\[({]\s?(?:@|at)\s?[\])}]", re.IGNORECASE), "@"),
    (re.compile(r"\[:\]"), ":"),
    (re.compile(r"\[(?=[0-9a-f:.]+\])([0-9a-f:.]+)\]", re.IGNORECASE), r"\1"),
)
_WORD = re.compile(r"\w+")
_NAME = re.compile(r"[\w@.:/_+-]+")
_JOINED = re.compile(r"[@.:/_+-]")
_TRIMMED = "@.:/_+-"
_AROUND = ",;!?()<>\"'“”‘’«»،۔؛"
_URL = re.compile(r"https?://([^/\s:]+)")


def fold(text: str) -> str:
    """The text as it is compared: one spelling for all that readers take as the same."""
    plain = unicodedata.normalize("NFKD", text.replace("\0", " ")).casefold().translate(_SAME)
    kept = "".join(_plain(letter) for letter in plain)
    return unicodedata.normalize("NFC", kept)


def _plain(letter: str) -> str:
    """One letter without its marks; a digit of any script as ASCII; joiners and tatweel gone."""
    kind = unicodedata.category(letter)
    if kind in {"Mn", "Cf", "Me"} or letter == "\u0640":
        return ""
    if kind == "Nd":
        return str(unicodedata.digit(letter))
    return letter


def refanged(text: str) -> str:
    """hxxps://evil[.]example → https://evil.example."""
    for pattern, meant in _DEFANGED:
        text = pattern.sub(meant, text)
    return text


def terms(
    names: Iterable[str] = (), words: Iterable[str] = (), mentions: Iterable[str] = ()
) -> Mapping[str, int]:
    """What finds a thing: its own names, the words of its title, what it only mentions.

    The heaviest weight of a term counts.
    """
    found: dict[str, int] = {}
    for weight, texts in ((MENTION, mentions), (WORD, words), (NAME, names)):
        for text in texts:
            for term in _terms_of(text):
                found[term] = max(weight, found.get(term, 0))
    return found


def needles(text: str) -> list[str]:
    """The terms that a question asks for, all of which must be met; the longest first.

    A name of the network counts as one, however many dots it has.
    """
    found = []
    for raw in refanged(text)[:500].split():
        whole = whole_name(raw)
        if whole is not None:
            found.append(whole)
        else:
            found += _WORD.findall(fold(raw))
    distinct = list(dict.fromkeys(needle[:LONGEST] for needle in found))
    return sorted(distinct, key=len, reverse=True)[:MOST_NEEDLES]


def whole_name(text: str) -> str | None:
    """The text as a term when it is a name to be kept whole, else None."""
    text = text.strip(_AROUND)
    address = _address(text)
    if address is not None:
        return address
    folded = fold(text).strip(_TRIMMED)
    url = _URL.match(folded)
    if url:
        folded = url.group(1)
    if _NAME.fullmatch(folded) and _JOINED.search(folded):
        return _ascii_name(folded)
    return None


def _terms_of(text: str) -> Iterator[str]:
    for raw in refanged(text).split():
        whole = whole_name(raw)
        if whole is not None:
            yield whole[:LONGEST]
            yield from (part[:LONGEST] for part in _within(whole))
        yield from (word[:LONGEST] for word in _WORD.findall(fold(raw)))


def _within(name: str) -> Iterator[str]:
    """What a domain name or mail address is part of: "a.b.example.org" → "b.example.org"."""
    host = name.rpartition("@")[2]
    if host != name:
        yield host
    labels = host.split(".")
    if len(labels) > 2 and not labels[-1].isdigit() and "/" not in host:  # noqa: PLR2004 - below a domain
        yield from (".".join(labels[at:]) for at in range(1, len(labels) - 1))


def _address(text: str) -> str | None:
    """An address or network in its one spelling; None for everything else."""
    try:
        if "/" in text:
            return str(ipaddress.ip_network(text, strict=False))
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _ascii_name(name: str) -> str:
    """A domain name in other letters as its A-labels (IDNA 2008); others as they are."""
    if name.isascii() or "." not in name or "/" in name:
        return name
    head, at, host = name.rpartition("@")
    try:
        return head + at + idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return name
