"""An approval signed by the person's own authenticator, checked years later without database or network.

Answers: did the holder of this passkey, verified by PIN or finger, sign exactly this statement at our address?
Does not answer: may they approve, and does it count? `evidence` decides.

The challenge given to the authenticator is the SHA-256 of the canonical statement, so the authenticator signs that
statement and no other: its signature covers the client data, and the client data hold the challenge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sealwright.kernel import SealwrightError, VerificationFailed, canonical_json, hex_of, strict_json
from sealwright.trust.identity.passkey_answer import check_assertion
from sealwright.trust.identity.passkey_public import PasskeyPublic
from sealwright.trust.statements import Statement

__all__ = ["ApprovalBySecurityKey", "approval_challenge", "make_approval_by_key", "verify_approval_by_key"]

_FIELDS = {"format", "statement", "passkey", "rp_id", "origin", "answer"}
_ANSWER = ("clientDataJSON", "authenticatorData", "signature")
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalBySecurityKey:
    """A verified approval: what was signed, by whose passkey, and the authenticator's count of signatures then."""

    statement: Statement
    passkey: PasskeyPublic
    sign_count: int
    evidence: bytes = field(repr=False)


def approval_challenge(statement: Statement) -> bytes:
    """The 32 bytes the authenticator is asked to sign: SHA-256 of the statement's canonical bytes."""
    return bytes.fromhex(hex_of(statement.digest))


def make_approval_by_key(
    statement: Statement, passkey: PasskeyPublic, response: Mapping[str, Any], *, rp_id: str, origin: str
) -> bytes:
    """The evidence, as canonical JSON: statement, public key, and what the authenticator signed.

    Raises
    ------
    VerificationFailed
        It would not verify.
    """
    try:
        answer = {name: response["response"][name] for name in _ANSWER}
        text = statement.payload.decode("utf-8")
        data = canonical_json(
            {
                "format": 1,
                "statement": text,
                "passkey": passkey.to_json(),
                "rp_id": rp_id,
                "origin": origin,
                "answer": answer,
            }
        )
    except (KeyError, TypeError, SealwrightError):
        raise VerificationFailed("This is not the answer of an authenticator.", link="approval") from None
    verify_approval_by_key(data, [passkey], rp_id=rp_id, origin=origin, statement=statement.digest)
    return data


def verify_approval_by_key(
    data: bytes, passkeys: Sequence[PasskeyPublic], *, rp_id: str, origin: str, statement: str | None = None
) -> ApprovalBySecurityKey:
    """The approval in `data`, if the authenticator of one of `passkeys` signed exactly its statement.

    Parameters
    ----------
    passkeys : sequence of PasskeyPublic
        Whom you trust to be whom: from `verify_passkey`, or from the workspace. An empty sequence verifies nothing.
    rp_id, origin : str
        The address people approve at; an answer given to another address is worthless.
    statement : digest, optional
        Refuse any other statement.

    Raises
    ------
    VerificationFailed
        Another key, person, statement, address, one changed byte, or the person was not verified.
    """
    try:
        value = strict_json(data, what="the approval", most_bytes=_MOST_BYTES)
        if (
            not isinstance(value, dict)
            or set(value) != _FIELDS
            or value["format"] != 1
            or canonical_json(value) != data
        ):
            raise VerificationFailed("It does not have the fields of format 1 in canonical JSON.")
        if set(value["answer"]) != set(_ANSWER):
            raise VerificationFailed("It does not hold exactly what an authenticator signs.")
        said = Statement(value["statement"].encode("utf-8"))
        passkey = PasskeyPublic.from_json(value["passkey"])
        _check_who(said, passkey, passkeys)
        if (value["rp_id"], value["origin"]) != (rp_id, origin):
            raise VerificationFailed(f"It was given at {str(value['origin'])[:80]}, not at {origin}.")
        if statement is not None and said.digest != statement:
            raise VerificationFailed(f"It approves {said.digest[:19]}…, not {statement[:19]}….")
        count = _signed(said, passkey, value["answer"], rp_id=rp_id, origin=origin)
    except (SealwrightError, TypeError, AttributeError, ValueError) as error:
        raise VerificationFailed(f"The approval by security key does not hold: {error}", link="approval") from None
    return ApprovalBySecurityKey(statement=said, passkey=passkey, sign_count=count, evidence=data)


def _check_who(said: Statement, passkey: PasskeyPublic, passkeys: Sequence[PasskeyPublic]) -> None:
    if passkey not in passkeys:
        raise VerificationFailed(f"Nobody vouches that this passkey is {passkey.person}'s.")
    if said.predicate.get("by") != passkey.person:
        raise VerificationFailed(f"The statement speaks for somebody else than {passkey.person}.")


def _signed(said: Statement, passkey: PasskeyPublic, answer: Mapping[str, Any], *, rp_id: str, origin: str) -> int:
    response = {
        "id": passkey.credential,
        "rawId": passkey.credential,
        "type": "public-key",
        "response": dict(answer),
    }
    return check_assertion(
        response,
        challenge=approval_challenge(said),
        rp_id=rp_id,
        origin=origin,
        public_key=passkey.public_key,
    )
