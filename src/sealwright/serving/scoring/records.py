"""The records of a scored batch: sealed together beside its entry, and read back as the decisions they are.

Answers: which decisions does an entry of the ledger hold, one or ten thousand?
Does not answer: where records are whose hour is over. `pipeline` moved them into files.
"""

import secrets
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from sealwright.kernel import InvalidInput, VerificationFailed
from sealwright.serving.decisions import DecisionRecord, read_decision
from sealwright.serving.place_sealing import PlaceSealer, opened_at_its_place
from sealwright.trust import (
    SCORED,
    Entry,
    LedgerEntry,
    RowTree,
    leaf_hash,
    new_batch,
    row_leaf,
    row_salt,
    scored_detail,
)

__all__ = ["MADE_BY", "BatchId", "RowAnswers", "batch_entry", "leaf_of", "read_decisions"]

MADE_BY = "scoring"
"""What records of scored rows name as the protocol they were asked by."""

_KIND = "scored"
_LEVEL = 1  # of zlib: a third of the size at a tenth of the time that its default takes


class RowAnswers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was asked and answered in one batch; lists have an item a row."""

    batch: str
    job: str
    project: str
    number: int
    package: str
    sequence: int
    arm: str
    subject: str  # pseudonym of who scored
    secret: bytes  # what the rows' salts are derived from
    first: int  # in the source
    last: int
    refused: int
    requests: list[bytes]
    answers: list[bytes]
    persons: list[str] = []  # pseudonyms, where a column names whom rows are about
    kept: list[bytes] = []

    def leaves(self) -> list[bytes]:
        """The leaf of each row."""
        secret, batch = self.secret, self.batch
        return [
            row_leaf(decision=f"{batch}_{place}", request=request, answer=answer, salt=row_salt(secret, place))
            for place, (request, answer) in enumerate(zip(self.requests, self.answers, strict=True))
        ]

    def records(self) -> Iterator[DecisionRecord]:
        """The rows as decisions."""
        for place, (request, answer) in enumerate(zip(self.requests, self.answers, strict=True)):
            yield DecisionRecord(
                decision=f"{self.batch}_{place}",
                project=self.project,
                number=self.number,
                package=self.package,
                sequence=self.sequence,
                protocol=MADE_BY,
                subject=self.subject,
                token=self.job,
                salt=row_salt(self.secret, place),
                request=request,
                answer=answer,
                person=self.persons[place] if self.persons else "",
                kept=self.kept[place] if self.kept else b"",
                arm=self.arm,
            )


@dataclass(frozen=True, slots=True)
class BatchId:
    """A batch before its answers are known, because each answer names its decision."""

    batch: str
    secret: bytes

    @classmethod
    def fresh(cls) -> "BatchId":
        return cls(new_batch(), secrets.token_bytes(32))


def batch_entry(rows: RowAnswers, key: bytes, place: str, *, actor: str) -> Entry:
    """The ledger entry of a batch, its records sealed beside it.

    Parameters
    ----------
    key : bytes
        keyring.key("decisions", DECISION_KEY_PURPOSE).
    place : str
        Channel and day, as "live.scored/2026-11-27".
    """
    tree = RowTree([leaf_hash(leaf) for leaf in rows.leaves()])
    packed = zlib.compress(_ENCODER.encode(rows), _LEVEL)
    detail = scored_detail(
        batch=rows.batch,
        job=rows.job,
        model=rows.project,
        first=rows.first,
        last=rows.last,
        rows=len(rows.answers),
        refused=rows.refused,
        root=tree.root,
    )
    sealed = PlaceSealer(key, _KIND, rows.project, place).seal(packed, rows.batch)
    return Entry(action=SCORED, subject=rows.package, detail=detail, attachment=sealed, actor=actor)


def read_decisions(entry: LedgerEntry, *keys: bytes) -> Iterator[DecisionRecord]:
    """The records beside an entry of `DECISIONS`, one or many; each is checked to be what the entry speaks of.

    Raises
    ------
    InvalidInput, VerificationFailed
        As `read_decision`.
    """
    if entry.action != SCORED:
        yield read_decision(entry, *keys)
        return
    if entry.attachment is None:
        raise InvalidInput(f"Entry {entry.index} holds no records; they may have been erased.")
    link, said = f"entry {entry.index}", entry.detail
    batch, project = str(said.get("batch", "")), str(said.get("model", ""))
    packed = opened_at_its_place(entry.attachment, keys, kind=_KIND, project=project, name=batch)
    try:
        rows = _DECODER.decode(zlib.decompress(packed))
        root = RowTree([leaf_hash(leaf) for leaf in rows.leaves()]).root
    except (msgspec.MsgspecError, zlib.error, ValueError):
        raise VerificationFailed("The records of a batch cannot be read.", link=link) from None
    if (rows.batch, rows.project, rows.package, root) != (batch, project, entry.subject, said.get("root")):
        raise VerificationFailed("The records of a batch and its ledger entry do not agree.", link=link)
    yield from rows.records()


def leaf_of(record: DecisionRecord) -> bytes:
    """The leaf of a scored row in the tree of its batch."""
    return row_leaf(decision=record.decision, request=record.request, answer=record.answer, salt=record.salt)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(RowAnswers)
