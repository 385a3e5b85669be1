"""Receipts: what the receiver of a decision keeps, to prove later that it was recorded, and as what.

Answers: is this answer, to this request, by this package, an entry of the ledger whose key I trust?
Does not answer: was the decision right, and is the ledger still whole today? For that `verify_ledger`.

The ledger holds only salted digests of request and answer. The salt travels in the receipt, so the ledger alone gives
nothing to guess a person's data from, and whoever has the receipt can check both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sealwright.kernel import (
    InvalidInput,
    Refused,
    SealwrightError,
    VerificationFailed,
    digest_of,
    hex_of,
    strict_json,
)
from sealwright.trust.ledger import Appended
from sealwright.trust.ledger_entry import entry_json, read_leaf
from sealwright.trust.notes import EnoughWitnesses, TlogProof, open_checkpoint, verify_proof
from sealwright.trust.public_keys import PublicKey

__all__ = ["ReceiptReport", "decision_detail", "make_receipt", "proved_anew", "verify_receipt"]

_TYPE = "urn:sealwright:receipt:v1"
_FIELDS = {"type", "decision", "entry", "proof", "salt", "answer"}
_SALT_BYTES = 32
_MOST_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class ReceiptReport:
    """What a receipt proves, and what it does not."""

    decision: str
    model: str  # project name
    package: str  # digest of the package that decided
    at: str  # RFC 3339, the server's clock
    answer: str  # exact JSON text
    origin: str  # the log
    index: int
    size: int  # entries under the checkpoint in the proof
    checked: list[str]
    not_checked: list[str]


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


def make_receipt(appended: Appended, *, salt: bytes, answer: bytes) -> bytes:
    """The receipt of a recorded decision, as canonical JSON.

    Parameters
    ----------
    appended : Appended
        The decision's entry, whose detail is that of `decision_detail`.
    salt : bytes, 32
        The one given to `decision_detail`.
    answer : bytes
        The exact answer text, UTF-8.

    Raises
    ------
    InvalidInput
        The entry records no decision, or another answer.
    """
    detail = read_leaf(appended.leaf, appended.index).detail
    if detail.get("answer") != digest_of(salt + answer) or type(detail.get("decision")) is not str:
        raise InvalidInput(f"Ledger entry {appended.index} does not record this answer, so it gets no receipt.")
    return entry_json(
        {
            "type": _TYPE,
            "decision": detail["decision"],
            "entry": appended.leaf.decode(),
            "proof": appended.proof.decode(),
            "salt": salt.hex(),
            "answer": answer.decode(),
        }
    )


def verify_receipt(
    receipt: bytes,
    keys: Sequence[PublicKey],
    *,
    request: bytes | None = None,
    origin: str | None = None,
    witnesses: EnoughWitnesses | None = None,
) -> ReceiptReport:
    """Check a receipt offline.

    Parameters
    ----------
    receipt : bytes
        What `make_receipt` wrote; spacing may differ.
    keys : sequence of PublicKey
        Keys that sign the decision ledger: `TrustRoot.keys_of("decision-checkpoints")`.
    request : bytes, optional
        The exact bytes that were sent. Without them the receipt proves the answer, not what it was an answer to.
    origin : str, optional
        The log that is expected; by default any that `keys` sign for.
    witnesses : WitnessPolicy, optional
        Who must have cosigned the checkpoint in its proof. Nobody has when a receipt is given out;
        `proved_anew` puts a proof under a cosigned checkpoint into it later.

    Raises
    ------
    VerificationFailed
        Something does not hold; `link` names it, such as "receipt/answer".
    Refused
        `keys` is empty: nothing would be verified.
    """
    if not keys:
        raise Refused("No key to verify with was given, so nothing can be verified. Pass the ledger's public keys.")
    # (1) The receipt, and the entry in it.
    value = _fields(receipt)
    proof, entry, answer = value["proof"].encode(), value["entry"].encode(), value["answer"].encode()
    parsed = TlogProof.parse(proof)
    leaf = read_leaf(entry, parsed.index)
    # (2) The entry is in the log.
    index = verify_proof(entry, proof, keys, origin, witnesses=witnesses)
    head = open_checkpoint(parsed.checkpoint, keys, origin)
    # (3) The entry is about this decision, answer and request.
    try:
        hex_of(leaf.subject)
        salt = bytes.fromhex(value["salt"])
        if salt.hex() != value["salt"]:
            raise InvalidInput("The salt is spelled in another way.")
        wanted = decision_detail(
            decision=value["decision"],
            model=str(leaf.detail["model"]),
            request=request or b"",
            answer=answer,
            salt=salt,
        )
    except (InvalidInput, ValueError, KeyError):
        raise VerificationFailed("The entry in the receipt does not record a decision.", link="receipt/entry") from None
    for field in ("decision", "answer", *(("request",) if request is not None else ())):
        if leaf.detail.get(field) != wanted[field]:
            raise VerificationFailed(
                f"The ledger recorded another {field} for this entry: the receipt or the {field} was changed.",
                link=f"receipt/{field}",
            )
    # (4) What that amounts to.
    checked = [
        f"a trusted key signed the checkpoint of {head.origin} over {head.size:,} entries",
        f"the receipt's entry is number {index} under that checkpoint",
        "the answer in the receipt is the one that was recorded, with the decision's id and the package's digest",
    ]
    not_checked = [
        "whether the decision was right",
        f"whether the ledger still has what it had at {head.size:,} entries",
    ]
    if witnesses is not None:
        checked.append("enough of the witnesses named cosigned that checkpoint")
    if request is None:
        not_checked.insert(0, "whether it answers your request: the request was not given")
    else:
        checked.append("the request given is the one that was answered")
    return ReceiptReport(
        decision=value["decision"],
        model=str(leaf.detail["model"]),
        package=leaf.subject,
        at=leaf.at,
        answer=value["answer"],
        origin=head.origin,
        index=index,
        size=head.size,
        checked=checked,
        not_checked=not_checked,
    )


def proved_anew(receipt: bytes, proof: bytes) -> bytes:
    """The receipt with another proof of the same entry, such as one under a checkpoint that witnesses cosigned.

    Raises
    ------
    VerificationFailed
        Not a receipt or not a proof, or of different entries.
    """
    value = _fields(receipt)
    if TlogProof.parse(proof).index != TlogProof.parse(value["proof"].encode()).index:
        raise VerificationFailed("The proof is of another entry than the receipt.", link="receipt/proof")
    return entry_json({**value, "proof": proof.decode()})


def _fields(receipt: bytes) -> dict[str, str]:
    """The six texts of a receipt."""
    try:
        value = strict_json(receipt, what="the receipt", most_bytes=_MOST_BYTES)
        if type(value) is not dict or value.keys() != _FIELDS or not all(type(text) is str for text in value.values()):
            raise VerificationFailed(f"it has exactly the text fields {', '.join(sorted(_FIELDS))}")
        if value["type"] != _TYPE:
            raise VerificationFailed(f"its type is {value['type'][:80]!r}; expected {_TYPE}")
        for text in value.values():
            text.encode()
    except (SealwrightError, UnicodeEncodeError) as error:
        raise VerificationFailed(f"This is not a receipt: {error}", link="receipt") from None
    return value
