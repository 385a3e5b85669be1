"""The named-feature protocol as CSV (RFC 4180), as Amazon SageMaker's batch transform and built-in containers speak it.

Answers: are these lines what the contract asks for? With a first line of all feature names the columns may stand in any order;
without one they stand in the order of the training file. An empty cell means missing, where the contract allows it; so does a blank
line where there is one column only, except after the last row. Elsewhere blank lines are no rows.
The answer has no first line: the label and each class's probability in the order of the classes, or the value.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
from numpy.typing import NDArray

from sealwright.serving.columns import ColumnRefused, date_column, number_column, text_column
from sealwright.serving.contract import Contract, Feature
from sealwright.serving.field_rules import MOST_PROBLEMS, described, fault_in, pointer
from sealwright.serving.outcome import Outcome
from sealwright.serving.problems import FieldProblem, RowsRefused, TableMalformed
from sealwright.serving.protocol_named import NamedProtocol, NamedRequest

__all__ = ["read_table", "write_table"]

_MOST_BLANK = 1000  # and as many as there may be rows: writers that end lines twice leave one after each
_NUMBERS = msgspec.json.Decoder(list[float | None])
_BOOLEANS = {"true": 1.0, "True": 1.0, "1": 1.0, "false": 0.0, "False": 0.0, "0": 0.0, "": None}


def read_table(named: NamedProtocol, body: bytes) -> NamedRequest:
    """Decode and check lines.

    Raises
    ------
    TableMalformed
        Not CSV: not UTF-8, quotes that do not close, lines of different length, blank lines without end (400).
    RowsRefused
        Outside the contract; names each column and its first value that is wrong (422).
    """
    features = named.contract.features
    lines = _lines(body, named.most_rows + 1, alone=len(features) == 1)
    names = [feature.name for feature in features]
    if sorted(lines[0]) == sorted(names):
        names = lines.pop(0)
    if not 1 <= len(lines) <= named.most_rows:
        text = f"Expected 1 to {named.most_rows} lines."
        raise RowsRefused(problems=[FieldProblem("", "wrong_length", text)])
    if any(len(line) != len(names) for line in lines):
        raise TableMalformed(f"Expected {len(names)} cells in each line.")
    cells = dict(zip(names, zip(*lines, strict=True), strict=True))
    problems: list[FieldProblem] = []
    packed: list[Sequence[Any] | NDArray[Any]] = []
    for feature in features:
        try:
            packed.append(_checked(feature, cells[feature.name]))
        except ColumnRefused as refusal:
            at = pointer(feature.name, *(() if refusal.at is None else (refusal.at,)))
            problems.append(FieldProblem(at, refusal.reason, str(refusal), feature.name))
    if problems:
        raise RowsRefused(problems=problems[:MOST_PROBLEMS])
    batch = named.contract.pack_columns(packed)
    return NamedRequest(form="columns", count=batch.rows, batch=batch)


def write_table(contract: Contract, outcome: Outcome) -> bytes:
    """The answer's lines."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    if contract.output == "value":
        writer.writerows([value] for value in outcome.values)
    else:
        writer.writerows([label, *shares] for label, shares in zip(outcome.labels, outcome.probabilities, strict=True))
    return text.getvalue().encode()


def _lines(body: bytes, most: int, *, alone: bool) -> list[list[str]]:
    """The lines that are rows or names; of more than `most`, so many that it shows. `alone`: there is one column only."""
    try:
        text = body.decode("utf-8")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        lines = _with_missing(reader, most) if alone else list(islice(_not_blank(reader, most), most + 1))
    except (UnicodeDecodeError, csv.Error):
        raise TableMalformed("It is not CSV in UTF-8, or its quotes do not close.") from None
    if not lines:
        raise TableMalformed("It holds no lines.")
    return lines


def _not_blank(lines: Iterator[list[str]], most: int) -> Iterator[list[str]]:
    left = _MOST_BLANK + most
    for line in lines:
        if line:
            yield line
            continue
        left -= 1
        if left < 0:
            raise TableMalformed("It holds too many blank lines.")


def _with_missing(lines: Iterator[list[str]], most: int) -> list[list[str]]:
    """A blank line is a cell without a value; one at the end is none."""
    found = list(islice(lines, most + 2))  # one more than shows, as the last of them may go
    if found and not found[-1]:
        found.pop()
    return [line or [""] for line in found]


def _checked(feature: Feature, cells: Sequence[str]) -> Sequence[Any] | NDArray[Any]:
    """Values as the contract packs them."""
    match feature.kind:
        case "category":
            return text_column(feature, cells)
        case "date":
            return date_column(feature, cells)
        case "boolean":
            try:
                return number_column(feature, [_BOOLEANS[cell] for cell in cells])
            except KeyError:
                at = next(at for at, cell in enumerate(cells) if cell not in _BOOLEANS)
                raise ColumnRefused("wrong_type", f"Expected {described(feature)}.", at=at) from None
        case _:
            return number_column(feature, _numbers(feature, cells))


def _numbers(feature: Feature, cells: Sequence[str]) -> Sequence[float | None]:
    """Cells spelled like JSON numbers, all of them read at once."""
    try:
        found: list[float | None] = _NUMBERS.decode("[" + ",".join([cell or "null" for cell in cells]) + "]")
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        found = []
    if len(found) != len(cells) or "null" in cells:
        at = next((at for at, cell in enumerate(cells) if not _is_number(cell)), 0)
        raise ColumnRefused(fault_in(feature, "") or "wrong_type", f"Expected {described(feature)}.", at=at)
    return found


def _is_number(cell: str) -> bool:
    try:
        return cell == "" or isinstance(msgspec.json.decode(cell, type=float | None), float)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return False
