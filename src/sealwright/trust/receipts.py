"""Receipts: what the receiver of a decision keeps, to prove later that it was recorded, and as what.

Answers: is this answer, to this request, by this package, an entry of the ledger whose key I trust?
Does not answer: was the decision right, and is the ledger still whole today? For that `verify_ledger`.

A receipt is given out with the log's signed promise (`promises`); a second later the ledger gives the proof of its entry,
and `proved_anew` puts it in place of the promise.

A row of a scored batch has no entry of its own: its receipt holds the row's leaf and what leads from there to the root in the
entry of its batch (`scored_entries`), and is proved from the start.

The ledger holds only salted digests of request and answer. The salt travels in the receipt, so the ledger alone gives
nothing to guess a person's data from, and whoever has the receipt can check both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from sealwright.kernel import (
    InvalidInput,
    Refused,
    SealwrightError,
    VerificationFailed,
    hex_of,
    strict_json,
)
from sealwright.trust.decision_entries import decision_detail
from sealwright.trust.ledger_acknowledged import Promised
from sealwright.trust.ledger_entry import entry_json, read_leaf
from sealwright.trust.notes import EnoughWitnesses, TlogProof, open_checkpoint, verify_proof
from sealwright.trust.promises import verify_promise
from sealwright.trust.public_keys import PublicKey
from sealwright.trust.scored_entries import row_in_batch

__all__ = ["RECEIPT_TYPE", "ReceiptReport", "make_receipts", "make_row_receipt", "proved_anew", "verify_receipt"]

RECEIPT_TYPE = "urn:sealwright:receipt:v2"
_TYPE = RECEIPT_TYPE.encode()
_FIELDS = {"type", "decision", "entry", "salt", "answer"}
_SHAPES = (_FIELDS | {"promise"}, _FIELDS | {"proof"}, _FIELDS | {"proof", "row", "path"})
_MOST_BYTES = 8 << 20
_text = msgspec.json.Encoder().encode  # of text: canonical JSON, as `entry_json` writes it


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
    size: int | None  # entries under the checkpoint in the proof; None: promised, and not proved yet
    checked: list[str]
    not_checked: list[str]


def make_receipts(promised: Promised, decided: Sequence[tuple[str, bytes, bytes]]) -> list[bytes]:
    """The receipts of decisions that were recorded together, as canonical JSON.

    Parameters
    ----------
    promised : Promised
        Their entries, made by `prepare_decision`.
    decided : sequence of (str, bytes, bytes)
        In the same order: the decision's id, the salt that was used, and the exact answer text (UTF-8).

    Raises
    ------
    InvalidInput
        An entry records no such decision, or there are more or fewer of them.
    """
    leaves, promises = promised.leaves, promised.promises(inside_json=True)
    if len(leaves) != len(decided):
        raise InvalidInput(f"{len(decided)} decisions were given for {len(leaves)} entries, so they get no receipts.")
    made = []
    for (decision, salt, answer), leaf, promise in zip(decided, leaves, promises, strict=True):
        told = decision.encode()
        if b'"decision":"%b"' % told not in leaf:  # nobody may ever get the receipt of another's decision
            raise InvalidInput("An entry of the ledger does not record its decision, so it gets no receipt.")
        made.append(
            b'{"answer":%b,"decision":"%b","entry":%b,"promise":"%b","salt":"%b","type":"%b"}'
            % (
                _text(answer.decode()),
                told,
                _text(leaf.decode()),
                promise,
                salt.hex().encode(),
                _TYPE,
            )
        )
    return made


def make_row_receipt(
    *, decision: str, answer: bytes, salt: bytes, row: bytes, path: str, entry: bytes, proof: bytes
) -> bytes:
    """The receipt of one row of a scored batch, as canonical JSON.

    Parameters
    ----------
    row, path : bytes, str
        The row's leaf, and `RowTree.path` of it.
    entry, proof : bytes
        The leaf of the batch's entry, and the proof of it from the ledger.
    """
    return entry_json(
        {
            "answer": answer.decode(),
            "decision": decision,
            "entry": entry.decode(),
            "path": path,
            "proof": proof.decode(),
            "row": row.decode(),
            "salt": salt.hex(),
            "type": RECEIPT_TYPE,
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
        What `make_receipts` wrote; spacing may differ.
    keys : sequence of PublicKey
        Keys that sign the decision ledger: `TrustRoot.keys_of("decision-checkpoints")`.
    request : bytes, optional
        The exact bytes that were sent. Without them the receipt proves the answer, not what it was an answer to.
    origin : str, optional
        The log that is expected; by default any that `keys` sign for.
    witnesses : WitnessPolicy, optional
        Who must have cosigned the checkpoint in its proof. A receipt is given out with a promise and no proof;
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
    # (1) The receipt, and what vouches for the entry in it.
    value = _fields(receipt)
    entry, answer = value["entry"].encode(), value["answer"].encode()
    place = _proved(value, keys, origin, witnesses) if "proof" in value else _promised(value, keys, origin, witnesses)
    # (2) The entry is what it is vouched for at that place.
    leaf = read_leaf(entry, place.index)
    # (3) The entry is about this decision, answer and request.
    try:
        hex_of(leaf.subject)
        recorded = row_in_batch(leaf, value["row"].encode(), value["path"].encode()) if "row" in value else leaf.detail
        salt = bytes.fromhex(value["salt"])
        if salt.hex() != value["salt"]:
            raise InvalidInput("The salt is spelled in another way.")
        wanted = decision_detail(
            decision=value["decision"],
            model=str(recorded["model"]),
            request=request or b"",
            answer=answer,
            salt=salt,
        )
    except (InvalidInput, ValueError, KeyError):
        raise VerificationFailed("The entry in the receipt does not record a decision.", link="receipt/entry") from None
    for field in ("decision", "answer", *(("request",) if request is not None else ())):
        if recorded.get(field) != wanted[field]:
            raise VerificationFailed(
                f"The ledger recorded another {field} for this entry: the receipt or the {field} was changed.",
                link=f"receipt/{field}",
            )
    # (4) What that amounts to.
    checked = [
        *place.checked,
        *(["the row is in the batch of that entry, at the place its id names"] if "row" in value else []),
        "the answer in the receipt is the one that was recorded, with the decision's id and the package's digest",
    ]
    not_checked = ["whether the decision was right", *place.not_checked]
    if request is None:
        not_checked.insert(0, "whether it answers your request: the request was not given")
    else:
        checked.append("the request given is the one that was answered")
    return ReceiptReport(
        decision=value["decision"],
        model=str(recorded["model"]),
        package=leaf.subject,
        at=leaf.at,
        answer=value["answer"],
        origin=place.origin,
        index=place.index,
        size=place.size,
        checked=checked,
        not_checked=not_checked,
    )


def proved_anew(receipt: bytes, proof: bytes) -> bytes:
    """The receipt with a proof of its entry: the first one, or one under a checkpoint that witnesses cosigned.

    Raises
    ------
    VerificationFailed
        Not a receipt or not a proof, or of different entries.
    """
    value = _fields(receipt)
    try:
        text = proof.decode()
        read_leaf(value["entry"].encode(), TlogProof.parse(proof).index)
    except UnicodeDecodeError:
        raise VerificationFailed("The proof is not text.", link="receipt/proof") from None
    except VerificationFailed as error:
        raise VerificationFailed(
            f"The proof is of another entry than the receipt: {error}", link="receipt/proof"
        ) from None
    return entry_json({**{key: part for key, part in value.items() if key != "promise"}, "proof": text})


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an entry is, by whose word, and what that leaves open."""

    origin: str
    index: int
    size: int | None
    checked: list[str]
    not_checked: list[str]


def _proved(
    value: dict[str, str], keys: Sequence[PublicKey], origin: str | None, witnesses: EnoughWitnesses | None
) -> _Place:
    proof = value["proof"].encode()
    index = verify_proof(value["entry"].encode(), proof, keys, origin, witnesses=witnesses)
    head = open_checkpoint(TlogProof.parse(proof).checkpoint, keys, origin)
    checked = [
        f"a trusted key signed the checkpoint of {head.origin} over {head.size:,} entries",
        f"the receipt's entry is number {index} under that checkpoint",
    ]
    if witnesses is not None:
        checked.append("enough of the witnesses named cosigned that checkpoint")
    open_ = [f"whether the ledger still has what it had at {head.size:,} entries"]
    return _Place(head.origin, index, head.size, checked, open_)


def _promised(
    value: dict[str, str], keys: Sequence[PublicKey], origin: str | None, witnesses: EnoughWitnesses | None
) -> _Place:
    if witnesses is not None:
        raise VerificationFailed(
            "This receipt holds a promise and no proof yet, so no witness can have cosigned anything of it.\n"
            "Put the proof of its entry into it first.",
            link="receipt/promise",
        )
    index, promise = verify_promise(value["entry"].encode(), value["promise"].encode(), keys, origin)
    when = "was on disk" if promise.on_disk else "was handed to the disk"
    checked = [f"a trusted key of {promise.origin} promised that the receipt's entry {when} as number {index}"]
    return _Place(promise.origin, index, None, checked, ["whether the ledger has it: the receipt holds no proof yet"])


def _fields(receipt: bytes) -> dict[str, str]:
    """The texts of a receipt."""
    try:
        value = strict_json(receipt, what="the receipt", most_bytes=_MOST_BYTES)
        fits = type(value) is dict and all(type(text) is str for text in value.values())
        if not fits or value.keys() not in _SHAPES:
            raise VerificationFailed(
                f"it has exactly the text fields {', '.join(sorted(_FIELDS))}, and either promise or proof;"
                " of a row also row and path"
            )
        if value["type"] != RECEIPT_TYPE:
            raise VerificationFailed(f"its type is {value['type'][:80]!r}; expected {RECEIPT_TYPE}")
        for text in value.values():
            text.encode()
    except (SealwrightError, UnicodeEncodeError) as error:
        raise VerificationFailed(f"This is not a receipt: {error}", link="receipt") from None
    found: dict[str, str] = value
    return found
