"""One piece of a source as one batch: what was asked, what is answered, and how that is counted.

Answers: which text is each row's request, and which its answer?
Does not answer: is it on record. `scoring_run` puts it there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from sealwright.data import REASONS
from sealwright.pipeline.scoring_rows import Piece, columns_of
from sealwright.serving import RowsRead, Served, decide_rows, read_columns

__all__ = ["Answered", "Counted", "answered", "counted_in", "erased_answer", "first_refused", "requests_of"]

_MOST_LINE = 4000  # characters of a line that is no row
_WHOLE = {int, type(None)}
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted of answers."""

    refused: int
    abstained: int
    reasons: Mapping[str, int]  # refused rows by field and code
    beside: frozenset[str]  # what stands beside answers: "calibrated", "ood", "marks"
    texts: frozenset[str]  # key columns with something else than whole numbers


@dataclass(frozen=True, slots=True)
class Answered:
    """The rows of a piece; lists have an item a row."""

    requests: list[bytes]
    answers: list[bytes]
    kept: list[bytes]  # what the record keeps besides; empty where all are told everything
    counted: Counted


def requests_of(piece: Piece, served: Served, decimal: str) -> tuple[list[bytes], RowsRead]:
    """What is asked about each row of a piece, and the rows as they were read."""
    contract = served.answering.asked
    rows = read_columns(contract, columns_of(piece, contract, decimal), len(piece.places))
    asked = rows.requests()
    if not piece.others:
        return asked, rows
    found = {place: _ENCODER.encode({"line": text[:_MOST_LINE]}) for place, (_, text) in piece.others.items()}
    found |= zip(piece.places.tolist(), asked, strict=True)
    return [found[place] for place in range(piece.count)], rows


def answered(piece: Piece, served: Served, decimal: str, keys: Sequence[str], batch: str) -> Answered:
    """Ask the version in service about a piece; `batch` is the id that decisions are called after."""
    requests, rows = requests_of(piece, served, decimal)
    decided = decide_rows(served, rows)
    told, kept, reasons = decided.told, decided.kept, Counter(decided.refused)
    if piece.others:
        places = piece.places.tolist()
        at = dict(zip(places, range(len(places)), strict=True))
        told = [decided.told[at[row]] if row in at else _no_row(piece.others[row][0]) for row in range(piece.count)]
        kept = [decided.kept[at[row]] if row in at else b"" for row in range(piece.count)] if decided.kept else []
        reasons.update(code for code, _ in piece.others.values())
    cells = {name: piece.texts(name) for name in keys}
    heads: Any = [{"key": dict(zip(keys, row, strict=True))} for row in zip(*cells.values(), strict=True)]
    heads = heads or [{}] * piece.count
    lines = _ENCODER.encode_lines(
        [
            {"row": piece.first + place, **head, "decision": f"{batch}_{place}", **one}
            for place, (head, one) in enumerate(zip(heads, told, strict=True))
        ]
    )
    counted = Counted(
        decided.refusals + len(piece.others),
        decided.abstained,
        reasons,
        decided.beside,
        frozenset(name for name, column in cells.items() if not _whole(column)),
    )
    return Answered(requests, lines.split(b"\n")[:-1], kept, counted)


class _Why(msgspec.Struct, gc=False):
    code: str
    field: str
    detail: str


class _Told(msgspec.Struct):
    """What must be known of an answer to count it."""

    row: int
    key: dict[str, Any] = {}
    refused: list[_Why] = []
    abstained: msgspec.Raw | UnsetType = UNSET
    calibrated: msgspec.Raw | UnsetType = UNSET
    ood: msgspec.Raw | UnsetType = UNSET
    marks: msgspec.Raw | UnsetType = UNSET


_DECODE = msgspec.json.Decoder(_Told).decode


def counted_in(answers: Sequence[bytes]) -> Counted:
    """As `answered` counts them, of answers that were taken from the record."""
    told = [_DECODE(one) for one in answers]
    reasons: Counter[str] = Counter()
    for one in told:
        reasons.update({f"{why.field} {why.code}".strip() for why in one.refused})
    return Counted(
        sum(bool(one.refused) for one in told),
        sum(one.abstained is not UNSET for one in told),
        reasons,
        frozenset(
            name for name in ("calibrated", "ood", "marks") if any(getattr(one, name) is not UNSET for one in told)
        ),
        frozenset(name for one in told for name, value in one.key.items() if not _whole([value])),
    )


def first_refused(answers: Sequence[bytes]) -> tuple[int, str]:
    """The number of the first row that is refused, and every reason in words; no value."""
    first = next(one for one in map(_DECODE, answers) if one.refused)
    return first.row, " ".join(f"{one.field}: {one.detail}".removeprefix(": ") for one in first.refused)


def erased_answer(decision: str, row: int) -> bytes:
    """What is told of a row whose record was erased before its answer was in the output."""
    why = {"code": "record.erased", "field": "", "detail": "The record was erased before the answer was written."}
    return _ENCODER.encode({"row": row, "decision": decision, "refused": [why]})


def _whole(column: Sequence[Any]) -> bool:
    """Whether there are only whole numbers, as 64 bits hold them, and nothing."""
    if not set(map(type, column)) <= _WHOLE:
        return False
    return all(abs(value) < 1 << 63 for value in column if value is not None)


def _no_row(code: str) -> dict[str, Any]:
    return {"refused": [{"code": code, "field": "", "detail": f"{REASONS[code].capitalize()}."}]}
