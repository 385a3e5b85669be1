"""The public half of a passkey, as verifiers without a database need it, vouched for by the workspace.

Answers: which key is it, and whose?
Does not answer: is it still in use? The workspace knows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sealwright.kernel import InvalidInput, SealwrightError, VerificationFailed, check_name, digest_of, rfc3339
from sealwright.trust.public_keys import PublicKey
from sealwright.trust.statements import Statement, make_statement, verify_statement
from sealwright.trust.strict_base64 import decode_base64url, encode_base64url

__all__ = ["PASSKEY", "PasskeyPublic", "passkey_statement", "verify_passkey"]

PASSKEY = "urn:sealwright:predicate:passkey:v1"
_FIELDS = {"person", "credential", "public_key"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyPublic:
    """Whose key, the credential's id, and the key in COSE form (RFC 9053)."""

    person: str
    credential: str  # base64url
    public_key: bytes

    def __post_init__(self) -> None:
        check_name(self.person, what="person")
        decode_base64url(self.credential, what="the credential's id")

    @property
    def digest(self) -> str:
        """Digest of the COSE key."""
        return digest_of(self.public_key)

    def to_json(self) -> dict[str, Any]:
        """A JSON object `from_json` reads."""
        return {
            "person": self.person,
            "credential": self.credential,
            "public_key": encode_base64url(self.public_key),
        }

    @classmethod
    def from_json(cls, value: object) -> "PasskeyPublic":
        """The key `to_json` wrote.

        Raises
        ------
        InvalidInput
            Fields missing, unknown or unusable.
        """
        if (
            not isinstance(value, Mapping)
            or set(value) != _FIELDS
            or not all(isinstance(v, str) for v in value.values())
        ):
            raise InvalidInput(f"The public half of a passkey has exactly the fields {', '.join(sorted(_FIELDS))}.")
        try:
            key = decode_base64url(value["public_key"], what="the public key")
            return cls(person=value["person"], credential=value["credential"], public_key=key)
        except VerificationFailed as error:
            raise InvalidInput(str(error)) from None


def passkey_statement(passkey: PasskeyPublic, *, added_at: datetime) -> Statement:
    """That a passkey is a person's, to be signed by the workspace's "statements" key. Its subject is the key."""
    return make_statement(
        [(passkey.person, passkey.digest)], PASSKEY, {**passkey.to_json(), "added_at": rfc3339(added_at)}
    )


def verify_passkey(data: bytes, keys: Sequence[PublicKey]) -> PasskeyPublic:
    """The passkey a signed statement vouches for.

    Parameters
    ----------
    keys : sequence of PublicKey
        `TrustRoot.keys_of("statements")`.

    Raises
    ------
    VerificationFailed
        Not signed by those keys, or not such a statement.
    """
    statement = verify_statement(data, keys, predicate_type=PASSKEY)
    fields = dict(statement.predicate)
    try:
        fields.pop("added_at")
        passkey = PasskeyPublic.from_json(fields)
    except (SealwrightError, KeyError) as error:
        raise VerificationFailed(f"This does not vouch for a passkey: {str(error)[:200]}", link="passkey") from None
    if statement.subjects != ((passkey.person, passkey.digest),):
        raise VerificationFailed(
            f"The statement about {passkey.person}'s passkey is about another key.", link="passkey"
        )
    return passkey
