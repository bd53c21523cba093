"""An OpenID Connect provider on loopback: real HTTP, signed ID tokens, and lies on demand."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm


@dataclass
class Provider:
    """What it says about whoever signs in; `lies` change the claims, `forged` the key."""

    claims: dict[str, Any]
    issuer: str = ""
    lies: dict[str, Any] = field(default_factory=dict)
    forged: bool = False
    algorithm: str = "RS256"
    key: Any = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    other_key: Any = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def token(self) -> str:
        now = int(time.time())
        told = {
            "iss": self.issuer, "aud": "muhafiz", "iat": now, "exp": now + 300, **self.claims,
            **self.lies,
        }  # fmt: skip
        told = {name: value for name, value in told.items() if value is not None}
        if self.algorithm == "none":
            return jwt.encode(told, None, algorithm="none", headers={"kid": "1"})
        if self.algorithm == "HS256":
            return jwt.encode(told, "s" * 40, algorithm="HS256", headers={"kid": "1"})
        key = self.other_key if self.forged else self.key
        return jwt.encode(told, key, algorithm="RS256", headers={"kid": "1"})

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if path == "/.well-known/openid-configuration":
            return _json(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/keys",
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                }
            )
        if path == "/keys":
            public = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
            return _json({"keys": [public | {"kid": "1", "use": "sig", "alg": "RS256"}]})
        if path == "/authorize":
            code = secrets.token_urlsafe(8)
            self.codes[code] = query
            back = urlencode({"code": code, "state": query["state"]})
            return 302, {"Location": f"{query['redirect_uri']}?{back}"}, b""
        if path == "/token":
            self.asked.append(query)
            asked = self.codes.pop(query.get("code", ""), None)
            digest = hashlib.sha256(query.get("code_verifier", "").encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if asked is None or asked.get("code_challenge") != challenge:
                return _json({"error": "invalid_grant"}, 400)
            return _json({"access_token": "a", "token_type": "Bearer", "id_token": self.token()})
        return 404, {}, b""


def _json(value: Any, status: int = 200) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


@contextmanager
def served(provider: Provider):
    class Handler(BaseHTTPRequestHandler):
        def _do(self, body: str) -> None:
            parts = urlsplit(self.path)
            query = {k: v[0] for k, v in parse_qs(body or parts.query).items()}
            status, headers, content = provider.answer(parts.path, query)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self._do("")

        def do_POST(self) -> None:
            self._do(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
