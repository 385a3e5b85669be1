"""Which keys were withdrawn, from when and why: one signed, numbered list per workspace.

Answers: does this key still count, and for what was signed when?
Does not answer: what was signed with it. Statements by a revoked key are made anew, or proven older by the ledger.

The list is signed by the newest key of the branch "authority" (and "authority-pq"), which signs nothing else; so no key
revokes itself, and a stolen older authority key revokes or restores nothing. Numbers only rise: a reader remembers the
highest and refuses a lower one.

| reason | without a trusted time | with one (the ledger entry of what was signed) |
|---|---|---|
| compromised | counts for nothing | counts for what stands in the ledger before `since` |
| superseded, destroyed | counts: it was not in other hands | counts for what stands in the ledger before `since` |
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sealwright.kernel import (
    Conflict,
    InvalidInput,
    SealwrightError,
    VerificationFailed,
    canonical_json,
    check_name,
    digest_of,
    from_rfc3339,
    rfc3339,
)
from sealwright.trust.public_keys import Signer
from sealwright.trust.statements import Statement, make_statement, sign_statement, verify_statement
from sealwright.trust.trust_root import SIGNING_BRANCHES, TrustRoot

__all__ = [
    "KEY_REVOCATION_TYPE",
    "REASONS",
    "KeyListOlder",
    "KeyRevocations",
    "RevokedKey",
    "heed",
    "list_in",
    "make_key_revocations",
    "no_revocations",
    "revoke",
    "standing_cas",
    "verify_key_revocations",
]

KEY_REVOCATION_TYPE = "urn:sealwright:predicate:key-revocation:v1"
REASONS = ("compromised", "superseded", "destroyed")
_LARGEST = 2**53 - 1
_LINK = "key-revocations.json"


class KeyListOlder(VerificationFailed):
    """A list of revoked keys was shown that is older than one seen before: a rollback."""

    code = "keys.list_older"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedKey:
    """One key that was withdrawn. It never comes back."""

    key_id: str
    branch: str
    reason: str  # one of REASONS
    since: int  # from this entry of the control ledger on it counts for nothing
    at: datetime
    by: str

    def __post_init__(self) -> None:
        if self.reason not in REASONS or self.branch not in SIGNING_BRANCHES:
            raise InvalidInput(f"A key of a signing branch is revoked as one of: {', '.join(REASONS)}.")
        if type(self.since) is not int or not 0 <= self.since <= _LARGEST:
            raise InvalidInput("A key is revoked from an entry of the ledger on, a whole number from 0.")
        check_name(self.by, what="person")

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key_id,
            "branch": self.branch,
            "reason": self.reason,
            "since": self.since,
            "at": rfc3339(self.at),
            "by": self.by,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevocations:
    """The list as of `sequence`: as many keys as that, in the order in which they were revoked."""

    sequence: int
    issued_at: datetime
    keys: Mapping[str, RevokedKey]  # by key id


def no_revocations(now: datetime) -> KeyRevocations:
    """The list before anything was revoked."""
    return KeyRevocations(sequence=0, issued_at=now, keys={})


def revoke(known: KeyRevocations, revoked: RevokedKey, trust_root: TrustRoot, *, now: datetime) -> KeyRevocations:
    """The list with one key more.

    Raises
    ------
    Conflict
        It is on the list already, or it is the newest authority key, which would have to revoke itself.
    InvalidInput
        It is no key of that branch.
    """
    if revoked.key_id in known.keys:
        raise Conflict(f"Key {revoked.key_id[:16]}… is revoked already, as {known.keys[revoked.key_id].reason}.")
    if revoked.key_id not in {key.key_id for key in trust_root.keys.get(revoked.branch, ())}:
        raise InvalidInput(f"The trust root lists no key {revoked.key_id[:16]}… for {revoked.branch!r}.")
    signer = trust_root.in_use("authority")
    if revoked.key_id in {key.key_id for key in (signer, *signer.beside)}:
        raise Conflict(
            "This key signs the list, and no key revokes itself. Rotate it first: sealwright keys rotate "
            + revoked.branch
        )
    return KeyRevocations(sequence=known.sequence + 1, issued_at=now, keys={**known.keys, revoked.key_id: revoked})


def make_key_revocations(listed: KeyRevocations, signer: Signer) -> bytes:
    """Sign the list with branch "authority"."""
    keys = [one.to_json() for one in listed.keys.values()]
    predicate = {"format": 1, "sequence": listed.sequence, "issued_at": rfc3339(listed.issued_at), "revoked": keys}
    subject = ("key-revocations", digest_of(canonical_json(keys)))
    return sign_statement(make_statement([subject], KEY_REVOCATION_TYPE, predicate), signer)


def verify_key_revocations(data: bytes, trust_root: TrustRoot, *, at_least: int = 0) -> KeyRevocations:
    """The list in `data`.

    Parameters
    ----------
    at_least : int
        The highest sequence seen before. Keep it in durable state and pass it always.

    Raises
    ------
    KeyListOlder
        The list is older than that.
    VerificationFailed
        Not signed by the newest authority keys, or not a list of ours.
    """
    try:
        keys = [trust_root.in_use("authority")]
        found = list_in(verify_statement(data, keys, predicate_type=KEY_REVOCATION_TYPE), trust_root)
    except SealwrightError as error:
        raise VerificationFailed(f"The list of revoked keys does not verify: {error}", link=_LINK) from None
    if found.sequence < at_least:
        raise KeyListOlder(
            f"This list of revoked keys has sequence {found.sequence}, and {at_least} was seen before: it is an old one.\n"
            "Restore the newest key-revocations.json.",
            link=_LINK,
        )
    return found


def list_in(statement: Statement, trust_root: TrustRoot) -> KeyRevocations:
    """The list in a statement whose signature was checked, or is about to be made.

    Raises
    ------
    InvalidInput, Conflict
        It is not a list of ours.
    """
    said = statement.predicate
    if set(said) != {"format", "sequence", "issued_at", "revoked"} or said["format"] != 1:
        raise InvalidInput("its fields are not those of format 1")
    if not isinstance(said["revoked"], list):
        raise InvalidInput("it holds no list")
    found = no_revocations(from_rfc3339(said["issued_at"]))
    for item in said["revoked"]:
        if not isinstance(item, dict) or set(item) != {"key", "branch", "reason", "since", "at", "by"}:
            raise InvalidInput("an entry does not have the fields of format 1")
        one = RevokedKey(
            key_id=str(item["key"]),
            branch=str(item["branch"]),
            reason=str(item["reason"]),
            since=item["since"],
            at=from_rfc3339(item["at"]),
            by=str(item["by"]),
        )
        found = revoke(found, one, trust_root, now=found.issued_at)
    if said["sequence"] != found.sequence or isinstance(said["sequence"], bool):
        raise InvalidInput("it does not name as many keys as its sequence says")
    if statement.subjects != (("key-revocations", digest_of(canonical_json(said["revoked"]))),):
        raise InvalidInput("it is about another list than it holds")
    return found


def heed(trust_root: TrustRoot, listed: KeyRevocations) -> TrustRoot:
    """The trust root without the keys that count for nothing; `TrustRoot.as_of` says which held at an entry of the ledger."""
    if not listed.keys:
        return trust_root
    compromised = frozenset(key_id for key_id, one in listed.keys.items() if one.reason == "compromised")
    return replace(trust_root, revoked=compromised, since={key_id: one.since for key_id, one in listed.keys.items()})


def standing_cas(heeded: TrustRoot) -> frozenset[str]:
    """The keys of "tls" that were not revoked, as PEM texts. Whatever the reason, a CA ends with its revocation: there is no
    trusted time at which a certificate was shown."""
    return frozenset(key.pem for key in heeded.keys["tls"] if key.key_id not in heeded.since)
