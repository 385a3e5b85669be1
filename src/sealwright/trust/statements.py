"""Signed facts: in-toto Statement v1 in a DSSE envelope, payload and envelope in canonical JSON.

Answers: did this key state this about these digests? `verify_statement` is strict: one spelling,
exact fields, every signature by a known key. Does not answer: is the statement true, recent, or
enough? That is the gate's work.
https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sealwright.kernel import (
    InvalidInput,
    SealwrightError,
    VerificationFailed,
    canonical_json,
    digest_of,
    hex_of,
    strict_json,
)
from sealwright.trust.dsse import envelope_of, payload_of
from sealwright.trust.public_keys import PublicKey, Signer

__all__ = ["Statement", "make_statement", "sign_statement", "verify_statement"]

_TYPE = "https://in-toto.io/Statement/v1"
_FIELDS = {"_type", "subject", "predicateType", "predicate"}
_MOST_BYTES = 32 << 20
_MOST_SUBJECTS = 10_000


@dataclass(frozen=True, slots=True)
class Statement:
    """One fact about digests. Made from its payload bytes, which are what is signed and what is digested.

    Raises
    ------
    InvalidInput
        The payload is not a canonical in-toto Statement v1 with sha256 subjects.
    """

    payload: bytes = field(repr=False)
    subjects: tuple[tuple[str, str], ...] = field(init=False)  # (name, "sha256:<hex>")
    predicate_type: str = field(init=False)
    predicate: Mapping[str, Any] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        value = strict_json(self.payload, what="the statement", most_bytes=_MOST_BYTES)
        if not isinstance(value, dict) or set(value) != _FIELDS or value["_type"] != _TYPE:
            raise InvalidInput("A statement has exactly the fields of in-toto Statement v1.")
        if canonical_json(value) != self.payload:
            raise InvalidInput("The statement is not in canonical JSON (RFC 8785).")
        if not isinstance(value["predicate"], dict):
            raise InvalidInput("A predicate is a JSON object.")
        object.__setattr__(self, "subjects", _subjects(value["subject"]))
        object.__setattr__(self, "predicate_type", _text(value["predicateType"], "predicate type"))
        object.__setattr__(self, "predicate", value["predicate"])

    @property
    def digest(self) -> str:
        """Digest of the payload: the statement's identity, the same whoever signed it."""
        return digest_of(self.payload)

    @property
    def subject_digests(self) -> tuple[str, ...]:
        """The digests the statement is about, in order."""
        return tuple(digest for _, digest in self.subjects)


def make_statement(subjects: Sequence[tuple[str, str]], predicate_type: str, predicate: Mapping[str, Any]) -> Statement:
    """A statement about `subjects`: pairs of a name and a digest "sha256:<hex>".

    Raises
    ------
    InvalidInput
        No subject, a name twice, a digest of another shape, or a predicate that is not JSON.
    """
    value = {
        "_type": _TYPE,
        "subject": [{"name": name, "digest": {"sha256": hex_of(digest)}} for name, digest in subjects],
        "predicateType": predicate_type,
        "predicate": predicate,
    }
    return Statement(canonical_json(value))


def sign_statement(statement: Statement, *signers: Signer) -> bytes:
    """The statement in a DSSE envelope, canonical JSON, one signature per signer.

    Raises
    ------
    InvalidInput
        No signer, or the same key twice.
    """
    return canonical_json(envelope_of(statement.payload, signers))


def verify_statement(
    data: bytes, keys: Sequence[PublicKey], *, predicate_type: str | None = None, threshold: int = 1
) -> Statement:
    """The statement in `data`, if every byte of it is as its signers wrote it.

    Parameters
    ----------
    keys : sequence of PublicKey
        Who may have signed. An empty sequence verifies nothing.
    predicate_type : str, optional
        Refuse any other; give it whenever one kind is expected.
    threshold : int
        How many different keys must have signed.

    Raises
    ------
    VerificationFailed
        Anything else: missing, extra, repeated, unknown or wrong signatures, other fields, another
        spelling of the same JSON, another payload or predicate type.
    """
    try:
        envelope = strict_json(data, what="the envelope", most_bytes=2 * _MOST_BYTES)
        if canonical_json(envelope) != data:
            raise VerificationFailed("The envelope is not in canonical JSON (RFC 8785).")
        statement = Statement(payload_of(envelope, keys, threshold=threshold))
    except VerificationFailed:
        raise
    except (SealwrightError, ValueError, TypeError, KeyError) as error:
        raise VerificationFailed(f"This is not a signed statement: {str(error)[:300]}") from None
    if predicate_type is not None and statement.predicate_type != predicate_type:
        raise VerificationFailed(f"The statement is a {statement.predicate_type[:100]!r}; expected {predicate_type!r}.")
    return statement


def _subjects(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_SUBJECTS:
        raise InvalidInput("A statement is about at least one subject.")
    found: list[tuple[str, str]] = []
    for item in value:
        if not isinstance(item, dict) or set(item) != {"name", "digest"}:
            raise InvalidInput("A subject has exactly the fields name and digest.")
        digest = item["digest"]
        if not isinstance(digest, dict) or set(digest) != {"sha256"}:
            raise InvalidInput("A subject has exactly one digest, sha256.")
        whole = f"sha256:{digest['sha256']}"
        hex_of(whole)
        found.append((_text(item["name"], "subject name"), whole))
    if len({name for name, _ in found}) != len(found):
        raise InvalidInput("Two subjects of a statement have the same name.")
    return tuple(found)


def _text(value: object, what: str) -> str:
    if isinstance(value, str) and 0 < len(value) <= 512 and not any(unicodedata.category(c)[0] == "C" for c in value):
        return value
    raise InvalidInput(f"The {what} must be 1 to 512 printable characters.")
