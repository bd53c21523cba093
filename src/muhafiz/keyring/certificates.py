"""Judge a foreign OpenPGP certificate (RFC 4880, RFC 9580) before anything is encrypted to it.

The library encrypts to a revoked certificate without a word, and offers no view of a subkey's own
expiry or revocation; so the packets are judged here and only the usable encryption keys are left
in the certificate that is encrypted to. Signatures are verified by the library when it encrypts. A
revocation counts even unverified: an error then keeps a letter in, never sends it out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, ParamSpec, TypeVar

import pysequoia
from pysequoia.packet import Packet, PacketPile, SignatureType, Tag

from muhafiz.keyring.rules import BadCertificate, CertificateFacts

_MOST_BYTES: Final = 1_000_000
_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(slots=True)
class _KeyPackets:
    """A key packet with the signatures that follow it."""

    key: Packet
    rest: list[Packet] = field(default_factory=list)

    def packets(self) -> list[Packet]:
        return [self.key, *self.rest]


def _refusing(read: Callable[_P, _T]) -> Callable[_P, _T]:
    """The library's refusals, without its stack trace, become ours.

    A damaged certificate may fail at any step, the reading of one property included.
    """

    @functools.wraps(read)
    def reading(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return read(*args, **kwargs)
        except (RuntimeError, ValueError, TypeError) as error:
            first = str(error).split("\n", 1)[0].strip().rstrip(".")
            if "policy rejected" in first.lower():
                first = "its algorithm or key length is no longer safe"
            raise BadCertificate(reason=first or "it cannot be read") from None

    return reading


@_refusing
def certificate_facts(armored: str, *, at: datetime) -> CertificateFacts:
    """What the certificate says, when something may be encrypted to it at `at`.

    Raises:
        BadCertificate: garbage, several at once, a secret key, revoked, expired, or without any
            usable encryption key; the reason says which.
    """
    certificate = usable_certificate(armored, at=at)
    return CertificateFacts(
        fingerprint=certificate.fingerprint,
        user_ids=tuple(str(user_id) for user_id in certificate.user_ids),
        expires=_usable_until(certificate),
        can_encrypt=True,
    )


def _usable_until(narrowed: pysequoia.Cert) -> datetime | None:
    """When nothing can be encrypted to it any more: with itself, or with its last encryption key.

    Keys for encryption are often given less time than the certificate they belong to.
    """
    _primary, *subkeys = _grouped(list(PacketPile.from_bytes(bytes(narrowed))))
    bindings = [(subkey, _binding(subkey)) for subkey in subkeys]
    ends = [_ends(subkey, binding) for subkey, binding in bindings if _encrypts(binding)]
    whole: datetime | None = narrowed.expiration
    if not ends or None in ends:
        return whole
    last = max(end for end in ends if end is not None)
    return last if whole is None else min(last, whole)


@_refusing
def usable_certificate(armored: str, *, at: datetime) -> pysequoia.Cert:
    """The certificate with only those encryption keys that are usable at `at`.

    Raises:
        BadCertificate: as `certificate_facts`.
    """
    packets = _packets(armored)
    certificate = pysequoia.Cert.from_packets(packets)
    revoked = certificate.is_revoked
    if revoked or _revoked(packets, SignatureType.KeyRevocation):
        raise BadCertificate(reason="it was revoked")
    expires = certificate.expiration
    if expires is not None and expires <= at:
        raise BadCertificate(reason=f"it expired on {expires:%Y-%m-%d}")
    primary, *subkeys = _grouped(packets)
    usable = [subkey for subkey in subkeys if _may_stay(subkey, at)]
    kept = [packet for group in (primary, *usable) for packet in group.packets()]
    narrowed = pysequoia.Cert.from_packets(kept)
    try:
        pysequoia.encrypt(b"", recipients=[narrowed])
    except (RuntimeError, ValueError, TypeError):
        raise BadCertificate(
            reason="it holds no encryption key that is valid, unexpired and of a safe kind"
        ) from None
    return narrowed


def _packets(armored: str) -> list[Packet]:
    raw = armored.encode("utf-8", "replace")
    if not raw.strip():
        raise BadCertificate(reason="it is empty")
    if len(raw) > _MOST_BYTES:
        raise BadCertificate(reason="it is larger than 1 MB")
    packets = list(PacketPile.from_bytes(raw))
    if any(packet.tag in (Tag.SecretKey, Tag.SecretSubkey) for packet in packets):
        raise BadCertificate(
            reason="it holds a secret key, which its owner must now take for disclosed"
        )
    keys = [packet for packet in packets if packet.tag == Tag.PublicKey]
    if not packets or packets[0].tag != Tag.PublicKey:
        raise BadCertificate(reason="it is no OpenPGP certificate")
    if len(keys) > 1:
        raise BadCertificate(reason=f"there are {len(keys)} certificates where one is expected")
    return packets


def _grouped(packets: list[Packet]) -> list[_KeyPackets]:
    groups: list[_KeyPackets] = []
    for packet in packets:
        if packet.tag in (Tag.PublicKey, Tag.PublicSubkey):
            groups.append(_KeyPackets(packet))
        else:
            groups[-1].rest.append(packet)
    return groups


def _revoked(packets: list[Packet], kind: SignatureType) -> bool:
    return any(p.tag == Tag.Signature and p.signature_type == kind for p in packets)


def _may_stay(subkey: _KeyPackets, at: datetime) -> bool:
    """Whether this subkey is neither revoked nor expired by its latest binding."""
    if _revoked(subkey.rest, SignatureType.SubkeyRevocation):
        return False
    binding = _binding(subkey)
    if binding is None or subkey.key.key_created is None:
        return False
    ends = _ends(subkey, binding)
    return ends is None or ends > at


def _binding(subkey: _KeyPackets) -> Packet | None:
    """The latest signature that binds this subkey to its certificate."""
    latest: Packet | None = None
    made: datetime | None = None
    for packet in subkey.rest:
        if packet.tag != Tag.Signature or packet.signature_type != SignatureType.SubkeyBinding:
            continue
        created = packet.signature_created
        if created is not None and (made is None or created > made):
            latest, made = packet, created
    return latest


def _ends(subkey: _KeyPackets, binding: Packet | None) -> datetime | None:
    """When the subkey expires; None: never."""
    valid_for = binding.key_validity_period if binding is not None else None
    created = subkey.key.key_created
    return created + valid_for if valid_for is not None and created is not None else None


def _encrypts(binding: Packet | None) -> bool:
    flags = binding.key_flags if binding is not None else None
    return bool(flags and (flags.transport_encryption or flags.storage_encryption))
