"""A hasher that counts."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher

COMPUTED: list[str] = []


class CountingHasher(Argon2PasswordHasher):
    def encode(self, password: str, salt: str) -> str:
        COMPUTED.append("encode")
        return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        COMPUTED.append("verify")
        return super().verify(password, encoded)
