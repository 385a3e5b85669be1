"""The access list: what processes without a database must know about credentials, signed and numbered.

Answers: which tokens were taken back before they expired, and which API keys hold?
Does not answer: is this token ours? `verify_token` answers that; this list only takes away from it.

One file, so that a revocation and the keys it belongs to cannot be mixed from two moments. It is a statement signed by the
branch "tokens": whoever may give access may also take it back, and nobody else. It only lists what has not expired.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from sealwright.kernel import (
    Clock,
    InvalidInput,
    SealwrightError,
    VerificationFailed,
    check_name,
    digest_of,
    from_rfc3339,
    hex_of,
    rfc3339,
)
from sealwright.trust.errors import TokenRefused
from sealwright.trust.machines.api_keys import api_key_id, same_digest
from sealwright.trust.machines.model import check_scopes
from sealwright.trust.public_keys import PublicKey, Signer
from sealwright.trust.statements import make_statement, sign_statement, verify_statement
from sealwright.trust.tokens import Claims

__all__ = [
    "ACCESS_LIST",
    "EMPTY_ACCESS",
    "AccessList",
    "AccessListOlder",
    "ListedKey",
    "sign_access_list",
    "verify_access_list",
]

ACCESS_LIST = "urn:sealwright:predicate:access-list:v1"
_FIELDS = {"format", "sequence", "issued_at", "tokens", "clients", "keys"}


class AccessListOlder(VerificationFailed):
    """The access list is an old one: what was taken back since would work again."""

    code = "access.older"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKey:
    """An API key as a verifier knows it."""

    subject: str
    digest: bytes = field(repr=False)  # SHA-256 of the whole key
    scopes: frozenset[str]
    expires: int  # seconds since 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessList:
    """Times are seconds since 1970."""

    sequence: int
    issued_at: datetime
    tokens: Mapping[str, int] = field(default_factory=dict)  # id of a revoked token -> when it would expire
    clients: Mapping[str, int] = field(default_factory=dict)  # client -> tokens issued up to then are revoked
    keys: Mapping[str, ListedKey] = field(default_factory=dict)  # id of an API key -> the key

    def check_token(self, claims: Claims) -> None:
        """Return if nobody took this token back.

        Raises
        ------
        TokenRefused
            It was revoked, or its client was.
        """
        until = self.clients.get(claims.subject)
        if claims.token_id in self.tokens or (until is not None and claims.issued_at.timestamp() <= until):
            raise TokenRefused("The bearer token was refused: it was revoked.", reason="token.revoked")

    def key(self, raw: str, digest: bytes, now: datetime) -> tuple[str, ListedKey]:
        """The id and entry of an API key that holds at `now`; `digest` is the SHA-256 of `raw`.

        Raises
        ------
        TokenRefused
            No such key, another secret, expired or revoked: always in the same words.
        """
        identity = api_key_id(raw)
        found = self.keys.get(identity)
        right = same_digest(digest, found.digest if found else bytes(32))
        if found is None or not right or now.timestamp() >= found.expires:
            raise TokenRefused(
                "The API key was refused: it is not one of ours, or it no longer holds.",
                reason="api_key.unknown" if found is None or not right else "api_key.expired",
                link="api_key",
            )
        return identity, found


EMPTY_ACCESS = AccessList(sequence=0, issued_at=datetime.fromtimestamp(0, UTC))
"""Before anything was ever listed: nothing is revoked, and no API key exists."""


def sign_access_list(found: AccessList, workspace: str, signer: Signer) -> bytes:
    """The list as a signed statement: the bytes of the file."""
    keys = {
        name: {
            "subject": key.subject,
            "sha256": key.digest.hex(),
            "scopes": sorted(key.scopes),
            "expires": key.expires,
        }
        for name, key in found.keys.items()
    }
    predicate = {
        "format": 1,
        "sequence": found.sequence,
        "issued_at": rfc3339(found.issued_at),
        "tokens": dict(found.tokens),
        "clients": dict(found.clients),
        "keys": keys,
    }
    return sign_statement(make_statement([_subject(workspace)], ACCESS_LIST, predicate), signer)


def verify_access_list(
    data: bytes, keys: Sequence[PublicKey], workspace: str, *, at_least: int = 0, clock: Clock | None = None
) -> AccessList:
    """The list in `data`.

    Parameters
    ----------
    keys : sequence of PublicKey
        Of the branch "tokens".
    at_least : int
        The highest sequence seen before.
    clock : Clock, optional
        Refuses a list from the future, where given.

    Raises
    ------
    AccessListOlder
        Its sequence is lower than `at_least`.
    VerificationFailed
        Not signed by one of `keys`, of another workspace, or not a list of ours.
    """
    try:
        statement = verify_statement(data, keys, predicate_type=ACCESS_LIST)
        if statement.subjects != (_subject(workspace),):
            raise InvalidInput("it belongs to another workspace")
        found = _read(statement.predicate)
        if clock is not None and (found.issued_at - clock()).total_seconds() > 60:
            raise InvalidInput("it is from the future; compare the clocks")
    except (SealwrightError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise VerificationFailed(f"The access list does not verify: {str(error)[:200]}", link="access") from None
    if found.sequence < at_least:
        raise AccessListOlder(
            f"This access list has sequence {found.sequence}, and {at_least} was seen before: it is an old one.\n"
            "Restore the newest access.json.",
            link="access",
        )
    return found


def _read(said: Mapping[str, Any]) -> AccessList:
    if set(said) != _FIELDS or said["format"] != 1:
        raise InvalidInput("its fields are not those of format 1")
    return AccessList(
        sequence=_count(said["sequence"]),
        issued_at=from_rfc3339(said["issued_at"]),
        tokens=MappingProxyType({str(name): _count(until) for name, until in said["tokens"].items()}),
        clients=MappingProxyType(
            {check_name(name, what="client"): _count(until) for name, until in said["clients"].items()}
        ),
        keys=MappingProxyType({name: _key(value) for name, value in said["keys"].items()}),
    )


def _key(value: Mapping[str, Any]) -> ListedKey:
    if set(value) != {"subject", "sha256", "scopes", "expires"}:
        raise InvalidInput("the fields of a key are not those of format 1")
    return ListedKey(
        subject=check_name(value["subject"], what="service"),
        digest=bytes.fromhex(hex_of(f"sha256:{value['sha256']}")),
        scopes=frozenset(check_scopes(tuple(value["scopes"]))),
        expires=_count(value["expires"]),
    )


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise InvalidInput("a number in it is not a whole number from 0")
    return value


def _subject(workspace: str) -> tuple[str, str]:
    return workspace, digest_of(f"sealwright/{workspace}/access".encode())
