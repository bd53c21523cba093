from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pysequoia
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muhafiz.audit.queries import entries
from muhafiz.keyring.actions.certificates import (
    create_signing_certificate,
    ensure_signing_certificate,
)
from muhafiz.keyring.models import SigningCertificate
from muhafiz.keyring.openpgp import (
    BadCertificate,
    NoSigningCertificate,
    certificate_facts,
    encrypt_and_sign,
    sign_detached,
)
from muhafiz.keyring.queries import own_certificate
from muhafiz.keyring.rules import CannotMakeCertificate

pytestmark = pytest.mark.peer


@pytest.fixture
def present() -> datetime:
    """GnuPG lives in the machine's own time."""
    return datetime.now(UTC)


@pytest.fixture
def own(db, folders, actor, present):
    return create_signing_certificate(
        user_id="Test CERT <cert@cert.example>", actor=actor, now=present
    )


def test_gnupg_reads_the_certificate_and_its_expiry(own, gpg):
    gpg.take(own.public)
    listing = gpg.run("--with-colons", "--list-keys", own.fingerprint).stdout.decode()
    fields = next(line.split(":") for line in listing.splitlines() if line.startswith("pub"))
    assert int(fields[6]) == int(own.expires_at.timestamp())
    assert "Test CERT <cert@cert.example>" in listing
    assert (own.expires_at - own.made_at).days >= 729


def test_gnupg_verifies_a_detached_signature(own, gpg, tmp_path, present):
    gpg.take(own.public)
    content, signature = tmp_path / "content", tmp_path / "content.asc"
    content.write_bytes(b"published\r\nbytes")
    signature.write_text(sign_detached(content.read_bytes(), at=present))
    told = gpg.run("--status-fd", "1", "--verify", str(signature), str(content)).stdout.decode(
        errors="replace"
    )
    assert "VALIDSIG" in told
    assert own.fingerprint.upper() in told
    content.write_bytes(b"published\r\nbytes.")
    assert gpg.run("--verify", str(signature), str(content), check=False).returncode != 0


@pytest.mark.parametrize("algorithm", ["future-default", "rsa2048"])
def test_gnupg_decrypts_and_verifies_a_message(own, gpg, present, algorithm):
    gpg.take(own.public)
    name = f"Reader {algorithm} <reader@org.example>"
    gpg.make(name, algorithm) if algorithm != "rsa2048" else _make_rsa(gpg, name)
    message = encrypt_and_sign("خط".encode(), [gpg.export(name)], at=present)
    assert message.startswith(b"-----BEGIN PGP MESSAGE-----")
    told = gpg.run("--status-fd", "2", "--decrypt", given=message)
    assert told.stdout == "خط".encode()
    assert b"GOODSIG" in told.stderr
    assert b"DECRYPTION_OKAY" in told.stderr


def _make_rsa(gpg, name, bits=2048):
    address = name.split("<")[1].rstrip(">")
    gpg.run(
        "--gen-key",
        given=(
            f"%no-protection\nKey-Type: RSA\nKey-Length: {bits}\nKey-Usage: sign\n"
            f"Subkey-Type: RSA\nSubkey-Length: {bits}\nSubkey-Usage: encrypt\n"
            f"Name-Real: {name.split(' <')[0]}\nName-Email: {address}\nExpire-Date: 1y\n%commit\n"
        ).encode(),
    )


def test_facts_of_a_certificate_made_by_gnupg(gpg, present):
    fingerprint = gpg.make("Facts <facts@org.example>")
    facts = certificate_facts(gpg.export("Facts <facts@org.example>"), at=present)
    assert facts.fingerprint == fingerprint.lower()
    assert facts.user_ids == ("Facts <facts@org.example>",)
    assert facts.can_encrypt
    assert facts.expires is not None
    assert timedelta(days=360) < facts.expires - present < timedelta(days=370)


def test_a_revoked_certificate_is_refused_although_the_library_would_take_it(own, gpg, present):
    secret = pysequoia.Tsk.generate("Revoked <r@org.example>")
    certificate = secret.extract_certificate()
    revoked = pysequoia.Cert.from_bytes(
        bytes(certificate) + bytes(certificate.revoke(secret.certifier()))
    )
    assert pysequoia.encrypt(b"x", recipients=[revoked])  # why the check is ours
    for use in (
        lambda: certificate_facts(str(revoked), at=present),
        lambda: encrypt_and_sign(b"x", [str(certificate), str(revoked)], at=present),
    ):
        with pytest.raises(BadCertificate, match="revoked"):
            use()


def test_an_expired_certificate_is_refused(present):
    certificate = str(
        pysequoia.Tsk.generate("Short <s@org.example>", validity_seconds=3600).extract_certificate()
    )
    assert certificate_facts(certificate, at=present).can_encrypt
    with pytest.raises(BadCertificate, match="expired"):
        certificate_facts(certificate, at=present + timedelta(hours=2))


def test_a_revoked_or_expired_encryption_subkey_is_never_used(gpg, present):
    name = "Subkey <subkey@org.example>"
    fingerprint = gpg.make(name, "ed25519/sign,cert")
    quiet = ("--passphrase", "", "--pinentry-mode", "loopback")
    with pytest.raises(BadCertificate, match="no encryption key"):
        certificate_facts(gpg.export(name), at=present)
    gpg.run(*quiet, "--quick-add-key", fingerprint, "cv25519", "encr", "2d")
    assert certificate_facts(gpg.export(name), at=present).can_encrypt
    with pytest.raises(BadCertificate, match="no encryption key"):
        certificate_facts(gpg.export(name), at=present + timedelta(days=3))
    gpg.run(
        *quiet, "--command-fd", "0", "--no-batch", "--edit-key", fingerprint,
        given=b"key 1\nrevkey\ny\n0\n\ny\nsave\n",
    )  # fmt: skip
    with pytest.raises(BadCertificate, match="no encryption key"):
        certificate_facts(gpg.export(name), at=present)


def test_a_key_too_short_to_be_safe_is_refused(own, gpg, present):
    name = "Short RSA <short@org.example>"
    _make_rsa(gpg, name, bits=1024)
    for use in (
        lambda: certificate_facts(gpg.export(name), at=present),
        lambda: encrypt_and_sign(b"x", [gpg.export(name)], at=present),
    ):
        with pytest.raises(BadCertificate, match="no longer safe"):
            use()


def test_a_certificate_ends_with_its_last_encryption_key(gpg, present):
    """The certificate lasts two years, its keys for encryption two and nine days."""
    name = "Ends <ends@org.example>"
    fingerprint = gpg.make(name, "ed25519/sign,cert")
    quiet = ("--passphrase", "", "--pinentry-mode", "loopback")
    for days in (9, 2):
        gpg.run(*quiet, "--quick-add-key", fingerprint, "cv25519", "encr", f"{days}d")
    gpg.run(*quiet, "--quick-add-key", fingerprint, "ed25519", "sign", "1d")
    expires = certificate_facts(gpg.export(name), at=present).expires
    assert timedelta(days=8) < expires - present < timedelta(days=10)
    later = present + timedelta(days=8)
    assert certificate_facts(gpg.export(name), at=later).expires == expires
    with pytest.raises(BadCertificate, match="no encryption key"):
        certificate_facts(gpg.export(name), at=expires)


def test_a_secret_key_is_refused_loudly(present):
    secret = pysequoia.Tsk.generate("Oops <o@org.example>")
    with pytest.raises(BadCertificate, match="disclosed"):
        certificate_facts(str(secret), at=present)


def test_two_certificates_are_refused(present):
    both = b"".join(
        bytes(pysequoia.Tsk.generate(name).extract_certificate()) for name in ("a <a@b>", "c <c@d>")
    )
    armored = pysequoia.armor(both, pysequoia.ArmorKind.PublicKey)
    with pytest.raises(BadCertificate, match="2 certificates"):
        certificate_facts(armored if isinstance(armored, str) else armored.decode(), at=present)


@pytest.mark.parametrize(
    "armored",
    [
        "",
        "   \n",
        "garbage",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxx\n-----END PGP PUBLIC KEY BLOCK-----",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----",
        "\ud800",
        "x" * 1_000_001,
    ],
)
def test_garbage_is_refused_with_one_line(armored, present):
    with pytest.raises(BadCertificate) as told:
        certificate_facts(armored, at=present)
    assert len(str(told.value).splitlines()) == 1  # no stack trace of the library


GOOD = str(pysequoia.Tsk.generate("Fuzz <f@org.example>").extract_certificate())


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_certificate_is_refused_or_usable_never_worse(data):
    text = list(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.characters(codec="utf-8"))
    try:
        facts = certificate_facts("".join(text), at=datetime.now(UTC))
    except BadCertificate:
        return
    assert facts.can_encrypt


def test_a_damage_at_any_place_of_a_certificate_is_refused_or_usable():
    # Some damage is parsed without complaint and fails only when one property is read.
    for at in range(len(GOOD)):
        text = f"{GOOD[:at]}0{GOOD[at + 1 :]}"
        with contextlib.suppress(BadCertificate):
            assert certificate_facts(text, at=datetime.now(UTC)).can_encrypt


def test_the_secret_part_is_sealed_at_rest(own):
    row = SigningCertificate.objects.get()
    sealed = bytes(row.sealed_secret)
    assert sealed[0] == 1
    with pytest.raises(RuntimeError):
        pysequoia.Tsk.from_bytes(sealed)
    assert b"PRIVATE" not in sealed


def test_a_new_certificate_retires_the_old_one(own, actor, present):
    later = present + timedelta(days=1)
    new = create_signing_certificate(
        user_id="New <n@cert.example>", valid_for=timedelta(days=60), actor=actor, now=later
    )
    assert own_certificate(at=later).fingerprint == new.fingerprint != own.fingerprint
    assert entries(action="keyring.create_signing_certificate")[0].subject.endswith(new.fingerprint)
    with pytest.raises(NoSigningCertificate, match="expired"):
        sign_detached(b"x", at=later + timedelta(days=61))
    assert ensure_signing_certificate(actor=actor, now=later).fingerprint == new.fingerprint


def test_without_a_certificate_nothing_is_signed(db, folders, actor, present):
    with pytest.raises(NoSigningCertificate):
        sign_detached(b"x", at=present)
    made = ensure_signing_certificate(actor=actor, now=present)
    assert "@" in made.user_id
    assert sign_detached(b"x", at=present)


@pytest.mark.parametrize(
    ("user_id", "term"), [("", 30), ("a\nb", 30), ("a <a@b>", 0), ("a <a@b>", 9999)]
)
def test_useless_names_and_terms_are_refused(  # noqa: PLR0917 - fixtures
    db, folders, actor, present, user_id, term
):
    with pytest.raises(CannotMakeCertificate):
        create_signing_certificate(
            user_id=user_id, valid_for=timedelta(days=term), actor=actor, now=present
        )
