"""What a service client, an API key and a service certificate are. Nothing here holds a secret."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sealwright.kernel import InvalidInput, check_name
from sealwright.trust.public_keys import PublicKey

__all__ = [
    "INTROSPECT",
    "LONGEST_API_KEY",
    "ApiKey",
    "Certificate",
    "Client",
    "Proof",
    "TokenSettings",
    "check_scopes",
    "service_uri",
]

Proof = Literal["secret", "private_key_jwt", "tls_client_auth"]
_PROOFS = ("secret", "private_key_jwt", "tls_client_auth")

INTROSPECT = "token:introspect"
"""The scope of a resource server that may ask whether a token for one of its audiences holds."""

LONGEST_API_KEY = timedelta(days=366)
_LONGEST_LIFETIME = timedelta(minutes=60)
_SCOPE = re.compile(r"[a-z][a-z0-9._:/-]{0,127}")
_AUDIENCE = re.compile(
    r"[a-z][a-z0-9+.-]{0,31}:[\x21\x24-\x7e]{1,223}"
)  # an absolute URI without a fragment (RFC 8707)
_MOST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A service that asks for tokens. Its secret is not here; only a hash of it is kept."""

    id: str
    owner: str  # the person who answers for it
    proof: Proof
    audiences: tuple[str, ...]  # the first is meant where a request names none
    scopes: tuple[str, ...]
    public_key: PublicKey | None = None  # with private_key_jwt
    state: Literal["active", "removed"] = "active"
    created_at: datetime
    last_used: datetime | None = None  # to the hour

    def __post_init__(self) -> None:
        check_name(self.id, what="client")
        check_name(self.owner, what="person")
        if self.proof not in _PROOFS:
            raise InvalidInput(f"A client proves who it is by one of: {', '.join(_PROOFS)}.")
        if (self.public_key is None) == (self.proof == "private_key_jwt"):
            raise InvalidInput("A client with private_key_jwt needs its public key, and no other client has one.")
        audiences = self.audiences
        if not 1 <= len(audiences) <= _MOST or len(set(audiences)) != len(audiences):
            raise InvalidInput("A client may get tokens for at least one audience, each named once.")
        for audience in audiences:
            if not _AUDIENCE.fullmatch(audience):
                raise InvalidInput(
                    f"The audience {audience[:80]!r} is not an absolute URI without fragment, "
                    "such as urn:sealwright:predict:ws_1."
                )
        check_scopes(self.scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A long-lived credential of one service in one project. Only the SHA-256 of it is kept."""

    id: str
    subject: str  # the service that calls with it
    owner: str
    project: str
    scopes: tuple[str, ...]
    digest: str = field(repr=False)  # SHA-256 of the whole key, hex
    created_at: datetime
    expires_at: datetime
    last_used: datetime | None = None  # to the hour, as far as the issuer saw it
    revoked_at: datetime | None = None

    def __post_init__(self) -> None:
        check_name(self.subject, what="service")
        check_name(self.owner, what="person")
        check_name(self.project, what="project")
        check_scopes(self.scopes)
        if not timedelta(minutes=1) <= self.expires_at - self.created_at <= LONGEST_API_KEY:
            raise InvalidInput(
                f"An API key lives from 1 minute to {LONGEST_API_KEY.days} days. Make a new one in time, then revoke this."
            )

    def state(self, now: datetime) -> str:
        """active, revoked or expired."""
        if self.revoked_at is not None:
            return "revoked"
        return "active" if now < self.expires_at else "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate that was issued to a service. `serial` is in hex, as `openssl x509 -serial` prints it."""

    serial: str
    service: str
    uri: str
    use: Literal["client", "server"]
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSettings:
    """How tokens are given. `base_url` is where the endpoints answer, e.g. "https://control.example.org"."""

    issuer: str  # stands in every token as `iss`
    base_url: str
    lifetime: timedelta = timedelta(minutes=5)

    def __post_init__(self) -> None:
        if not timedelta(seconds=10) <= self.lifetime <= _LONGEST_LIFETIME:
            raise InvalidInput("Tokens of the endpoint live from 10 seconds to 60 minutes.")
        if not self.base_url.startswith("https://") or self.base_url.endswith("/"):
            raise InvalidInput(
                "The token endpoint is reached over https:// only; write its base without a final slash."
            )

    @property
    def token_endpoint(self) -> str:
        return f"{self.base_url}/oauth/token"


def check_scopes(scopes: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes, if each is a plain word and stands once.

    Raises
    ------
    InvalidInput
        None, one twice, too many, or one written otherwise.
    """
    if not 1 <= len(scopes) <= _MOST or len(set(scopes)) != len(scopes):
        raise InvalidInput(f"1 to {_MOST} scopes are needed, each once, such as predict:german-credit.")
    for scope in scopes:
        if not _SCOPE.fullmatch(scope):
            raise InvalidInput(f"{scope[:80]!r} is not a scope. Scopes look like predict:german-credit.")
    return scopes


def service_uri(workspace: str, service: str) -> str:
    """The identity of a service in its certificate: sealwright://<workspace>/service/<name>."""
    return f"sealwright://{check_name(workspace, what='workspace')}/service/{check_name(service, what='service')}"
