"""The ledger entry of a served decision, made in a few microseconds because every prediction waits for one.

Answers: what does the ledger hold about a decision? Its id, project, package, and salted digests of what was asked and
answered; the record itself, sealed, beside the leaf.
Does not answer: what is in the record. Whoever seals it knows.
"""

import binascii
import hashlib
import re

from sealwright.kernel import InvalidInput, digest_of
from sealwright.trust.ledger_entry import Prepared

__all__ = ["DECISION", "decision_detail", "prepare_decision"]

DECISION = "decision"
"""The action of a decision's ledger entry."""

_SALT_BYTES = 32
_MOST_SEALED = 16 << 20  # bytes; as `ledger_entry` allows an attachment
_PLAIN = re.compile(r"[a-z0-9_]{1,64} [a-z0-9._-]{1,64} sha256:[0-9a-f]{64}")  # nothing JSON would escape
_HEAD = b'{"action":"%b","actor":"",' % DECISION.encode()


def decision_detail(*, decision: str, model: str, request: bytes, answer: bytes, salt: bytes) -> dict[str, object]:
    """The detail of a decision's ledger entry; its subject is the package digest.

    Parameters
    ----------
    decision : str
        The decision's id.
    model : str
        Project name.
    request, answer : bytes
        The raw request body and the exact answer text.
    salt : bytes, 32
        Fresh random bytes, used for this decision only.

    Raises
    ------
    InvalidInput
        The salt is not 32 bytes.
    """
    if len(salt) != _SALT_BYTES:
        raise InvalidInput(f"The salt of a decision is {_SALT_BYTES} random bytes; got {len(salt)}.")
    return {
        "answer": digest_of(salt + answer),
        "decision": decision,
        "model": model,
        "request": digest_of(salt + request),
    }


def prepare_decision(
    *, decision: str, model: str, package: str, request: bytes, answer: bytes, salt: bytes, sealed: bytes
) -> Prepared:
    """The bytes that `prepare` makes of the entry with this `decision_detail`, made directly.

    Parameters
    ----------
    package : str
        Digest of the package that decided.
    sealed : bytes
        The sealed record, kept as the entry's attachment.

    Raises
    ------
    InvalidInput
        The salt is not 32 bytes, an id, name or digest is none, or the record is larger than an attachment may be.
    """
    if len(salt) != _SALT_BYTES:
        raise InvalidInput(f"The salt of a decision is {_SALT_BYTES} random bytes; got {len(salt)}.")
    if not _PLAIN.fullmatch(f"{decision} {model} {package}"):
        raise InvalidInput("This decision has no usable id, model name or package digest.")
    if len(sealed) > _MOST_SEALED:
        raise InvalidInput(f"The record of a decision has at most {_MOST_SEALED:,} bytes; send fewer rows at once.")
    after = b',"detail":{"answer":"sha256:%b","decision":"%b","model":"%b","request":"sha256:%b"},' % (
        _salted(salt, answer),
        decision.encode(),
        model.encode(),
        _salted(salt, request),
    )
    end = b',"sealed":"sha256:%b","subject":"%b"}' % (hashlib.sha256(sealed).hexdigest().encode(), package.encode())
    return Prepared(_HEAD, after, end, b"\t" + binascii.b2a_base64(sealed))  # which ends with a newline


def _salted(salt: bytes, text: bytes) -> bytes:
    """The digest of a salt and what follows it, in hex, without a copy of what may be large."""
    salted = hashlib.sha256(salt)
    salted.update(text)
    return salted.hexdigest().encode()
