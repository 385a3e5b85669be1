"""Decisions about many rows at once, as one entry of a decision ledger: the Merkle root over its rows.

Answers: what does the ledger hold about a scored batch, and how is one row proved under it? Per row a leaf with the row's id and
salted digests of what was asked and answered, as an entry of its own would hold; of all leaves the root, in the entry.
Does not answer: what was asked. The records of the rows are sealed beside the entry, and whoever seals them knows.

A row's salt is derived from a secret of its batch, which is sealed with the records. Who is given one salt learns no other.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence

from sealwright.kernel import SealwrightError, VerificationFailed, new_id
from sealwright.trust.decision_entries import DECISION
from sealwright.trust.ledger_entry import Leaf
from sealwright.trust.merkle import Frontier, inclusion_path, leaf_hash, verify_inclusion
from sealwright.trust.notes import split_proof
from sealwright.trust.strict_base64 import encode_base64

__all__ = [
    "DECISIONS",
    "SCORED",
    "RowTree",
    "batch_of",
    "new_batch",
    "row_in_batch",
    "row_leaf",
    "row_salt",
    "scored_detail",
]

SCORED = "decisions.scored"
"""The action of a batch's ledger entry."""
DECISIONS = frozenset({DECISION, SCORED})
"""The actions of entries with decision records beside them."""

_HEADER = "sealwright-row@v1"  # of the text that holds a row's path in its batch
_ROW = re.compile(r"(scr_[0-9a-f]{24})_(0|[1-9][0-9]{0,6})")
_LEAF = re.compile(
    rb'\{"answer":"(?P<answer>sha256:[0-9a-f]{64})","decision":"(?P<decision>[a-z0-9_]{1,64})",'
    rb'"request":"(?P<request>sha256:[0-9a-f]{64})"\}'
)


def new_batch() -> str:
    """The id of a batch; the decisions of its rows are called after it: "scr_6f0c…_0"."""
    return new_id("scr")


def batch_of(decision: str) -> tuple[str, int] | None:
    """Batch and place in it of a decision about a scored row; None for other decisions."""
    match = _ROW.fullmatch(decision)
    return None if match is None else (match[1], int(match[2]))


def row_salt(secret: bytes, place: int) -> bytes:
    """The salt of one row of a batch, from the 32 secret bytes of the batch.

    SHA-256 over secret and place, 40 bytes always: with inputs of one length nothing can be appended, so this is as good as HMAC,
    and is done for every row.
    """
    return hashlib.sha256(secret + place.to_bytes(8, "big")).digest()


def row_leaf(*, decision: str, request: bytes, answer: bytes, salt: bytes) -> bytes:
    """What the tree of a batch holds about a row: canonical JSON, and nothing that could be guessed without the salt."""
    sha256 = hashlib.sha256
    return b'{"answer":"sha256:%b","decision":"%b","request":"sha256:%b"}' % (
        sha256(salt + answer).hexdigest().encode(),
        decision.encode(),
        sha256(salt + request).hexdigest().encode(),
    )


class RowTree:
    """The tree over the rows of one batch (RFC 9162)."""

    def __init__(self, hashes: Sequence[bytes]) -> None:
        """`hashes`: of the rows' leaves (`leaf_hash`), in order."""
        self._grown = Frontier().extend(hashes)

    @property
    def root(self) -> str:
        """As the entry names it."""
        return "sha256:" + self._grown.frontier().root().hex()

    def path(self, place: int) -> str:
        """What leads from the leaf of a row to the root, as text."""
        hashes = inclusion_path(place, self._grown.size, self._grown.node)
        return "\n".join([_HEADER, f"index {place}", *map(encode_base64, hashes)]) + "\n\n"


def scored_detail(
    *, batch: str, job: str, model: str, first: int, last: int, rows: int, refused: int, root: str
) -> dict[str, object]:
    """The detail of a batch's ledger entry; its subject is the package digest.

    Parameters
    ----------
    job : str
        What was asked for at once: all batches of one file.
    first, last : int
        The first and the last row of it in the source, counted from 1.
    """
    return {
        "batch": batch, "first": first, "job": job, "last": last, "model": model, "refused": refused, "root": root, "rows": rows,
    }  # fmt: skip


def row_in_batch(entry: Leaf, row: bytes, path: bytes) -> Mapping[str, object]:
    """What an entry records about one row: as `decision_detail` says it of a decision with an entry of its own.

    Parameters
    ----------
    row : bytes
        The row's leaf.
    path : bytes
        `RowTree.path` of it.

    Raises
    ------
    VerificationFailed
        The entry is of no batch, or the row is not in it at that place; `link` says where it breaks.
    """
    said = entry.detail
    rows, root, batch = said.get("rows"), str(said.get("root")), said.get("batch")
    if entry.action != SCORED or type(rows) is not int or not re.fullmatch("sha256:[0-9a-f]{64}", root):
        raise VerificationFailed("The entry in the receipt is of no batch of rows.", link="receipt/entry")
    found = _LEAF.fullmatch(row)
    if found is None:
        raise VerificationFailed("The row in the receipt is not the leaf of a decision.", link="receipt/row")
    try:
        place, hashes, rest = split_proof(path, _HEADER)
        if rest:
            raise VerificationFailed("Something stands behind the row's path.")
        verify_inclusion(leaf_hash(row), place, rows, hashes, bytes.fromhex(root[7:]))
    except SealwrightError as error:
        raise VerificationFailed(f"The row is not in the batch of the entry: {error}", link="receipt/path") from None
    detail = {name: text.decode() for name, text in found.groupdict().items()}
    if batch_of(detail["decision"]) != (batch, place):
        raise VerificationFailed("The row is of another batch, or stands at another place in it.", link="receipt/row")
    return detail | {"model": said.get("model")}
