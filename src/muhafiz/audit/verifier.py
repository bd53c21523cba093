"""Check an exported audit log off line: `python verifier.py EXPORT [--key K]… [--head H]…`.

Stands alone: it needs only Python and, for the signatures, the package `cryptography`. It
recomputes the RFC 6962 tree and compares it with every signed head and with heads kept elsewhere.
Exit codes: 0 the log is whole; 1 it was tampered with; 2 it could not be checked.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    CAN_CHECK_SIGNATURES = True
except ImportError:
    CAN_CHECK_SIGNATURES = False

FORMAT = "muhafiz-audit-1"
ENTRY_PARTS = {"action", "actor", "at", "details", "index", "name", "subject"}
HEAD_PARTS = {"at", "kind", "log", "public_key", "root", "signature", "size"}
MOST_FINDINGS = 20


@dataclass
class Check:
    """What a run has seen so far. `earlier`: heads kept elsewhere, size → roots in hex."""

    keys: set[str] = field(default_factory=set)
    earlier: dict[int, set[str]] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    seen_keys: set[str] = field(default_factory=set)
    log: str = ""
    size: int = 0
    heads: int = 0
    ended: bool = False
    frontier: list[bytes] = field(default_factory=list)

    def find(self, text: str) -> None:
        """Note something wrong, up to a readable number of times."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(text)

    def root(self) -> str:
        """The head of the tree over the entries so far, in hex."""
        node = self.frontier[-1] if self.frontier else sha256(b"").digest()
        for left in reversed(self.frontier[:-1]):
            node = sha256(b"\x01" + left + node).digest()
        return node.hex()

    def grow(self, leaf: bytes) -> None:
        """Append one entry's bytes to the tree."""
        node, below = sha256(b"\x00" + leaf).digest(), self.size
        while below & 1:
            node = sha256(b"\x01" + self.frontier.pop() + node).digest()
            below >>= 1
        self.frontier.append(node)
        self.size += 1
        if self.size % 100_000 == 0:
            sys.stderr.write(f"{self.size:,} entries …\n")

    def compare_earlier(self) -> None:
        """Compare with the heads kept elsewhere for this size."""
        if self.size in self.earlier and self.earlier[self.size] != {self.root()}:
            self.find(f"The first {self.size} entries are not those of the head kept earlier.")


def check_log(lines: Iterable[bytes], check: Check) -> None:
    """Go through an export line by line; what is wrong lands in `check.findings`."""
    check.compare_earlier()
    for number, raw in enumerate(lines, start=1):
        line = raw.removesuffix(b"\n")
        try:
            parts = json.loads(line)
            spelt = json.dumps(parts, sort_keys=True, separators=(",", ":")).encode("ascii")
        except (ValueError, RecursionError):
            parts, spelt = None, b""
        if spelt + b"\n" != raw or not isinstance(parts, dict) or check.ended:
            check.find(f"Line {number} is damaged or out of place.")
        else:
            check_line(parts, line, number, check)
    if not check.ended:
        check.find("The export is cut off: its last line is missing.")
    for size in sorted(size for size in check.earlier if size > check.size):
        check.find(f"The end is cut off: {size} entries were there, {check.size} are left.")


def check_line(parts: dict[str, Any], line: bytes, number: int, check: Check) -> None:
    """Check one well-formed line by its kind."""
    if number == 1:
        check.log = str(parts.get("log"))
        if parts != {"format": FORMAT, "kind": "log", "log": check.log}:
            check.find("The first line does not name a log of this format.")
    elif set(parts) == ENTRY_PARTS:
        if parts["index"] != check.size:
            check.find(f"Line {number}: entry {parts['index']} stands where {check.size} belongs.")
        check.grow(line)
        check.compare_earlier()
    elif set(parts) == HEAD_PARTS:
        check_head(parts, number, check)
    elif parts.get("kind") == "end":
        check.ended = True
        end = {"kind": "end", "log": check.log, "root": check.root(), "size": check.size}
        if parts != end:
            check.find("The entries are not those that the export's last line was made over.")
    else:
        check.find(f"Line {number} is neither entry nor head.")


def check_head(head: dict[str, Any], number: int, check: Check) -> None:
    """Check a signed head against the tree at this point, and its signature."""
    check.heads += 1
    if (head["kind"], head["log"], head["size"]) != ("head", check.log, check.size):
        check.find(f"Line {number}: this head is not of this log or stands in the wrong place.")
    if head["root"] != check.root():
        check.find(f"The signed head of {head['size']} entries does not fit the entries before it.")
    if check.keys and head["public_key"] not in check.keys:
        check.find(f"The head of {head['size']} entries is signed by a key that is not trusted.")
    try:
        root = base64.b64encode(bytes.fromhex(head["root"])).decode("ascii")
        text = f"{FORMAT}/{head['log']}\n{head['size']}\n{root}\n{head['at']}\n"
        check_signature(head["public_key"], head["signature"], text.encode("ascii"))
    except (TypeError, ValueError):
        check.find(f"The signature of the head of {head['size']} entries is wrong.")
    check.seen_keys.add(str(head["public_key"]))


def check_signature(public_key: str, signature: str, text: bytes) -> None:
    """Raise ValueError unless `signature` over `text` verifies (Ed25519, RFC 8032)."""
    key, signed = base64.b64decode(public_key), base64.b64decode(signature)
    if (base64.b64encode(key) + base64.b64encode(signed)).decode() != public_key + signature:
        raise ValueError("another spelling of the same bytes")
    if CAN_CHECK_SIGNATURES:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signed, text)
        except InvalidSignature:
            raise ValueError("wrong signature") from None


def read_key(text: str) -> str:
    """A public key in base64; `text` is that, or a file that holds it so or as PEM."""
    content = Path(text).read_text(encoding="ascii").strip() if Path(text).is_file() else text
    if content.startswith("-----BEGIN"):
        key = load_pem_public_key(content.encode()).public_bytes_raw()  # type: ignore[union-attr]
    else:
        key = base64.b64decode(content, validate=True)
    return base64.b64encode(key).decode("ascii")


def read_head(text: str, check: Check) -> None:
    """Heads kept earlier: SIZE:ROOT in hex, or a file with head lines (an older export will do)."""
    heads = [text.partition(":")[::2]]
    if Path(text).is_file():
        lines = [json.loads(line) for line in Path(text).read_bytes().splitlines()]
        heads = [(h["size"], h["root"]) for h in lines if h.get("kind") in {"head", "end"}]
    for size, root in heads:
        check.earlier.setdefault(int(size), set()).add(bytes.fromhex(root).hex())


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(description="Check an exported audit log off line.")
    parser.add_argument("export", type=Path, help="the exported log, JSON Lines")
    parser.add_argument("--key", action="append", default=[], help="trusted public key")
    parser.add_argument("--head", action="append", default=[], help="head kept earlier")
    asked = parser.parse_args(arguments)
    try:
        check = Check(keys={read_key(key) for key in asked.key})
        for text in asked.head:
            read_head(text, check)
        with asked.export.open("rb") as stream:
            check_log(stream, check)
    except (OSError, ValueError, LookupError, NameError, TypeError) as trouble:
        sys.stderr.write(f"Cannot check: {trouble}\n")
        return 2
    told = [f"WRONG: {finding}" for finding in check.findings]
    blind = check.heads > 0 and not CAN_CHECK_SIGNATURES
    if blind:
        told.append("Signatures were NOT checked: install the Python package “cryptography”.")
    if not told:
        told.append(f"{check.size} entries and {check.heads} signed heads of {check.log} fit.")
        unsure = check.seen_keys if not check.keys else ()
        told += [f"Signed with {key}: make sure that it is the CERT's key." for key in unsure]
    sys.stdout.write("\n".join([*told, ""]))
    return 1 if check.findings else 2 * blind


if __name__ == "__main__":
    sys.exit(main())
