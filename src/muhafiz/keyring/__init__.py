"""Signing, encryption, key life: seals, the OpenPGP certificate, the signer of audit heads."""
