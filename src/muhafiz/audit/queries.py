"""What the log says: heads, entries, proofs, the export."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db.models import Q

from muhafiz.audit.canonical import FORMAT, Entry, head_text, utc_text
from muhafiz.audit.models import LogEntry, SignedHead, Tree
from muhafiz.audit.proofs import consistency_proof, inclusion_proof, proves_inclusion
from muhafiz.audit.rules import Frontier, leaf_hash

_PORTION = 5_000  # entries read at a time, so memory does not grow with the log
_MOST_FINDINGS = 20
_COLUMNS = ("index", "at", "actor", "name", "action", "subject", "details")

#: Called with (entries done, entries in all).
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class TreeHead:
    """How far the log `log` has grown, and the hash over all of it (32 bytes)."""

    log: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """A signed head as kept; `public_key` 32 and `signature` 64 raw bytes (Ed25519)."""

    log: str
    size: int
    root: bytes
    at: datetime
    public_key: bytes
    signature: bytes

    def line(self) -> bytes:
        """The head as one line of an export, without a line end."""
        parts: dict[str, str | int] = {
            "at": utc_text(self.at),
            "kind": "head",
            "log": self.log,
            "public_key": base64.b64encode(self.public_key).decode("ascii"),
            "root": self.root.hex(),
            "signature": base64.b64encode(self.signature).decode("ascii"),
            "size": self.size,
        }
        return _json_line(parts)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a full check of the stored log found; `findings` is empty when it is whole."""

    entries: int
    heads: int
    findings: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def finding(self) -> str:
        """The findings as one text."""
        return " ".join(self.findings)


def current_head() -> TreeHead:
    """The tree as it stands."""
    tree = Tree.objects.get(pk=1)
    return TreeHead(str(tree.log), tree.size, frontier_of(tree).root())


def frontier_of(tree: Tree) -> Frontier:
    """The stored frontier of the tree's row."""
    return Frontier.unpacked(tree.size, bytes(tree.frontier))


def entries(
    *,
    subject: str | None = None,
    action: str | None = None,
    actor: str | None = None,
    text: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Entry]:
    """The newest entries first; `before` is an index to page on from.

    `action` and `subject` may end in "*"; `actor` is as the log names it ("person:7"), or part of a
    name; `text` is looked for in the details.
    """
    chosen = [
        *_matching("subject", subject),
        *_matching("action", action),
        *([] if actor is None else [_by(actor)]),
        *([Q(details__icontains=text)] if text else []),
    ]
    bounds = {"at__gte": since, "at__lt": until, "index__lt": before}
    given = {name: value for name, value in bounds.items() if value is not None}
    found = LogEntry.objects.filter(*chosen, **given).order_by("-index")
    return [Entry(*row) for row in found.values_list(*_COLUMNS)[:limit]]


def _matching(name: str, wanted: str | None) -> list[Q]:
    if wanted is None:
        return []
    if wanted.endswith("*"):
        return [Q(**{f"{name}__startswith": wanted[:-1]})]
    return [Q(**{name: wanted})]


def _by(actor: str) -> Q:
    return Q(actor=actor) if ":" in actor else Q(name__icontains=actor)


def entry(index: int) -> Entry | None:
    """One entry; None when the log does not reach so far."""
    row = LogEntry.objects.filter(index=index).values_list(*_COLUMNS).first()
    return Entry(*row) if row else None


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The proof that an entry stands in the tree of `size`, and whether it leads to `root`."""

    size: int
    root: bytes
    leaf: bytes
    path: tuple[bytes, ...]
    holds: bool


def inclusion(index: int, *, most: int) -> Inclusion | None:
    """An entry's proof, checked; None when there is no such entry or the log has more than `most`.

    Reads every leaf.
    """
    head, found = current_head(), entry(index)
    if found is None or head.size > most or index >= head.size:
        return None
    path = prove_inclusion(index, head.size)
    leaf = leaf_hash(found.line())
    holds = proves_inclusion(leaf, index, head.size, path, head.root)
    return Inclusion(head.size, head.root, leaf, tuple(path), holds)


def walk(size: int) -> Iterator[Entry]:
    """Every stored entry below index `size` in order, as it stands (gaps are not filled)."""
    last = -1
    while True:
        rows = list(
            LogEntry.objects.filter(index__gt=last, index__lt=size)
            .order_by("index")
            .values_list(*_COLUMNS)[:_PORTION]
        )
        if not rows:
            return
        yield from (Entry(*row) for row in rows)
        last = rows[-1][0]


def signed_heads(*, limit: int | None = None) -> list[HeadFacts]:
    """Signed heads, the newest first."""
    log = str(Tree.objects.get(pk=1).log)
    return [_facts(log, head) for head in SignedHead.objects.order_by("-id")[:limit]]


def prove_inclusion(index: int, size: int | None = None) -> list[bytes]:
    """The audit path of an entry within the tree of `size` (default: as it stands).

    Reads every leaf: minutes at 10⁸ entries.

    Raises:
        IndexError: there is no such entry.
    """
    return inclusion_proof(index, _leaves(size))


def prove_consistency(earlier: int, size: int | None = None) -> list[bytes]:
    """The proof that the tree only grew since it had `earlier` entries; reads every leaf.

    Raises:
        IndexError: the log never had that size.
    """
    return consistency_proof(earlier, _leaves(size))


def export(stream: BinaryIO, *, progress: Progress | None = None) -> TreeHead:
    """Write the whole log as JSON Lines for `verifier.py`; returns the head it ends with.

    The first line names the log; then come the entries' canonical lines, each signed head right
    after the entry it covers last; the last line tells size and root. Memory stays flat.
    """
    head = current_head()  # one committed row: what is appended meanwhile stays outside
    stream.write(_json_line({"format": FORMAT, "kind": "log", "log": head.log}) + b"\n")
    heads = _heads_up_to(head)
    waiting = next(heads, None)
    done = 0
    while True:
        while waiting is not None and waiting.size <= done:
            stream.write(waiting.line() + b"\n")
            waiting = next(heads, None)
        if done >= head.size:
            break
        upto = min(head.size, done + _PORTION, waiting.size if waiting else head.size)
        done = _export_entries(stream, done, upto)
        if progress is not None:
            progress(done, head.size)
    end: dict[str, str | int] = {
        "kind": "end",
        "log": head.log,
        "root": head.root.hex(),
        "size": head.size,
    }
    stream.write(_json_line(end) + b"\n")
    return head


def verdict(*, progress: Progress | None = None) -> Verdict:
    """Hash every stored entry again and compare with the tree and with every signed head.

    1. indexes without a gap; 2. the root and signature of every signed head; 3. the tree's row.
    Memory stays flat.
    """
    heads: dict[int, list[HeadFacts]] = {}
    for head in signed_heads():
        heads.setdefault(head.size, []).append(head)
    tree = Tree.objects.get(pk=1)  # after the heads, so that none can be ahead of it
    findings = _unsound(heads, tree.size)
    grown = Frontier()
    try:
        for grown in _growth(tree.size, set(heads), findings):
            findings += _misfits(heads.get(grown.size, []), grown)
            if progress is not None:
                progress(grown.size, tree.size)
    except ValueError as damage:
        findings.append(f"An entry after number {grown.size} cannot be read: {damage}.")
    if grown != frontier_of(tree):
        findings.append("The entries do not give the head that the tree's own row tells.")
    last = LogEntry.objects.order_by("-index").values_list("index", flat=True).first()
    if last is not None and last >= Tree.objects.get(pk=1).size:
        findings.append(f"Entry {last} stands outside the tree.")
    return Verdict(tree.size, sum(map(len, heads.values())), tuple(findings[:_MOST_FINDINGS]))


def verify(*, progress: Progress | None = None) -> tuple[str, ...]:
    """The findings of `verdict`: none when the stored log is whole."""
    return verdict(progress=progress).findings


def _growth(size: int, stops: set[int], findings: list[str]) -> Iterator[Frontier]:
    """The tree at every stop, now and then between, and at its end; gaps land in `findings`."""
    frontier, leaves, expected = Frontier(), [], 0
    for entry in walk(size):
        if entry.index != expected and len(findings) < _MOST_FINDINGS:
            findings.append(f"Entry {expected} is missing; {entry.index} follows.")
        expected = entry.index + 1
        leaves.append(leaf_hash(entry.line()))
        if len(leaves) == _PORTION or frontier.size + len(leaves) in stops:
            frontier, leaves = frontier.extended(leaves), []
            yield frontier
    yield frontier.extended(leaves)


def _misfits(heads: list[HeadFacts], grown: Frontier) -> list[str]:
    root = grown.root()
    return [
        f"The signed head of {head.size} entries does not fit the entries before it."
        for head in heads
        if head.root != root
    ]


def _unsound(heads: dict[int, list[HeadFacts]], size: int) -> list[str]:
    """Signed heads whose signature is wrong, or that cover more than is left."""
    found = []
    for head in (head for kept in heads.values() for head in kept):
        try:
            key = Ed25519PublicKey.from_public_bytes(head.public_key)
            key.verify(head.signature, head_text(head.log, head.size, head.root, head.at))
        except (InvalidSignature, ValueError):
            found.append(f"The signature of the head of {head.size} entries is wrong.")
        if head.size > size:
            found.append(f"The end is cut off: {head.size} entries were signed, {size} are left.")
    return found


def _export_entries(stream: BinaryIO, start: int, end: int) -> int:
    rows = LogEntry.objects.filter(index__gte=start, index__lt=end).order_by("index")
    stream.writelines(Entry(*row).line() + b"\n" for row in rows.values_list(*_COLUMNS))
    return end


def _heads_up_to(head: TreeHead) -> Iterator[HeadFacts]:
    found = SignedHead.objects.filter(size__lte=head.size).order_by("size", "id")
    return (_facts(head.log, row) for row in found.iterator(chunk_size=_PORTION))


def _facts(log: str, head: SignedHead) -> HeadFacts:
    return HeadFacts(
        log, head.size, bytes(head.root), head.at, bytes(head.public_key), bytes(head.signature)
    )


def _leaves(size: int | None) -> list[bytes]:
    grown = current_head().size
    if size is None:
        size = grown
    if size > grown:
        raise IndexError(f"The log has {grown} entries, not {size}.")
    return [leaf_hash(entry.line()) for entry in walk(size)]


def _json_line(parts: dict[str, str | int]) -> bytes:
    return json.dumps(parts, sort_keys=True, separators=(",", ":")).encode("ascii")
