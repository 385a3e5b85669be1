"""An identity provider on loopback that behaves, except in the one way a test asks for.

It checks what a good provider checks: the redirect URI, the client's secret, that a code is used once, and that the
verifier of PKCE is the one whose S256 hash came with the login.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from loopback import Received, answer
from sealwright.kernel import Clock

__all__ = ["CLIENT", "KEY", "OTHER_KEY", "SECRET", "Provider", "b64", "signed"]

CLIENT, SECRET = "sealwright", "client-secret-canary-7f3a"
KEY = RSAKey.generate_key(2048, parameters={"kid": "k1"})
OTHER_KEY = RSAKey.generate_key(2048, parameters={"kid": "k1"})

AnyKey = RSAKey | ECKey | OctKey | OKPKey


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: dict[str, Any], claims: object, key: AnyKey) -> str:
    """Signed by hand where joserfc would refuse to make such a token."""
    registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
    return jws.serialize_compact(header, json.dumps(claims), key, registry=registry)


@dataclass
class Provider:
    """State and mischief. Each field that is a function gets what would be said and gives what is said."""

    name: str  # its host
    clock: Clock
    port: int = 0
    groups: list[str] = field(default_factory=lambda: ["ml-team"])
    subject: str = "248289761001"
    more_claims: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    key: AnyKey = field(default_factory=lambda: KEY)
    published: list[AnyKey] = field(default_factory=lambda: [KEY])
    change_discovery: Callable[[dict[str, Any]], dict[str, Any]] = lambda said: said
    change_keys: Callable[[dict[str, Any]], object] = lambda said: said
    change_claims: Callable[[dict[str, Any]], object] = lambda said: said
    change_header: Callable[[dict[str, Any]], dict[str, Any]] = lambda said: said
    change_id_token: Callable[[str], object] = lambda said: said
    change_tokens: Callable[[dict[str, Any]], object] = lambda said: said
    raw: dict[str, Callable[[], bytes | Iterable[bytes]]] = field(default_factory=dict)  # by path: exactly these bytes
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # paths
    verifiers: list[str] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"https://{self.name}:{self.port}"

    def sign_in(self, url: str) -> list[tuple[str, str]]:
        """What a browser does: the person signs in there; the answer comes back as a query."""
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.issuer}/authorize"
        asked = dict(parse_qsl(parts.query))
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256", "PKCE with S256 is needed"
        assert len(asked["code_challenge"]) == 43
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return [("code", code), ("state", asked["state"]), ("iss", self.issuer)]

    def __call__(self, request: Received) -> bytes | Iterable[bytes]:
        path = request.target
        self.asked.append(path)
        if path in self.raw:
            return self.raw[path]()
        if path == "/.well-known/openid-configuration":
            return _json(self.change_discovery(self._discovery()))
        if path == "/jwks":
            return _json(self.change_keys({"keys": [key.as_dict(private=False) for key in self.published]}))
        if path == "/token":
            return self._token(request)
        return answer(404)

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", self.algorithm],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "authorization_response_iss_parameter_supported": True,
        }

    def _token(self, request: Received) -> bytes:
        form = dict(parse_qsl(request.body.decode()))
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.header("Authorization") != f"Basic {basic}" and form.get("client_secret") != SECRET:
            return _json({"error": "invalid_client"}, 401)
        login = self.codes.pop(form.get("code", ""), None)
        self.verifiers.append(form.get("code_verifier", ""))
        challenge = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if login is None or login["code_challenge"] != challenge or form.get("redirect_uri") != login["redirect_uri"]:
            return _json({"error": "invalid_grant", "error_description": "no such code"}, 400)
        access_token = secrets.token_urlsafe(24)
        return _json(
            self.change_tokens(
                {
                    "access_token": access_token,
                    "token_type": "Bearer",
                    "expires_in": 3600,
                    "id_token": self.change_id_token(self.id_token(login["nonce"], access_token)),
                }
            )
        )

    def id_token(self, nonce: str, access_token: str) -> str:
        now = int(self.clock().timestamp())
        half = {"RS256": "sha256", "PS256": "sha256", "ES256": "sha256", "ES384": "sha384"}.get(
            self.algorithm, "sha512"
        )
        digest = hashlib.new(half, access_token.encode()).digest()
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": nonce,
            "at_hash": b64(digest[: len(digest) // 2]),
            "groups": self.groups,
            "email": "ada@example.org",
            **self.more_claims,
        }
        header = self.change_header({"alg": self.algorithm, "kid": self.key.kid, "typ": "JWT"})
        return signed(header, self.change_claims(claims), self.key)


def _json(said: object, status: int = 200) -> bytes:
    return answer(status, json.dumps(said).encode(), Content_Type="application/json")
