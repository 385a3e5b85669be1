"""Answers as a table: one column for everything an answer may hold, in CSV, Parquet or Arrow.

Answers: which columns does an output have, and what does one answer put into them?
Does not answer: what the answer was. The line of JSON that it is made from is what was recorded.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from sealwright.pipeline.scoring_job import Job

__all__ = ["OWN_COLUMNS", "Sheet", "write_arrow", "write_csv", "write_parquet"]

OWN_COLUMNS = ("row", "decision", "status", "label", "value", "codes", "why", "marks", "ood")
"""Names that key columns cannot have; nor may they begin with "probability." or "calibrated."."""

_AT_ONCE = 10_000
_DECODE = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, slots=True)
class Sheet:
    """The columns of one output."""

    names: tuple[str, ...]
    keys: tuple[str, ...]
    texts: frozenset[str]  # key columns that are not whole numbers

    @classmethod
    def of(cls, job: Job) -> "Sheet":
        """What a job's answers may hold."""
        classes, beside = job.classes, set(job.done.beside)
        answer = ["label", *(f"probability.{one}" for one in classes)] if classes else ["value"]
        more = [f"calibrated.{one}" for one in classes] if "calibrated" in beside else []
        more += [one for one in ("ood", "marks") if one in beside]
        names = ("row", *job.keys, "decision", "status", *answer, *more, "codes", "why")
        return cls(names, tuple(job.keys), frozenset(job.done.texts))

    @property
    def schema(self) -> Any:
        """Of Arrow."""
        return pa.schema([(name, self._type(name)) for name in self.names])

    def row(self, answer: Mapping[str, Any]) -> list[Any]:
        """One answer, in the order of `names`; None where it says nothing."""
        found = cells_of(answer)
        keys = answer.get("key", {})
        return [keys.get(name) if name in self.keys else found.get(name) for name in self.names]

    def _type(self, name: str) -> Any:
        if name in self.keys:
            return pa.string() if name in self.texts else pa.int64()
        if name == "row":
            return pa.int64()
        number = name in ("value", "ood") or name.startswith(("probability.", "calibrated."))
        return pa.float64() if number else pa.string()


def cells_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer says, by column; keys left out."""
    refused, abstained = answer.get("refused"), answer.get("abstained")
    cells: dict[str, Any] = {
        "row": answer["row"],
        "decision": answer["decision"],
        "status": "refused" if refused else "abstained" if abstained else "answered",
        "label": answer.get("label"),
        "value": answer.get("value"),
        "ood": answer.get("ood"),
    }
    for kind, shares in (("probability", answer.get("probabilities")), ("calibrated", answer.get("calibrated"))):
        if shares:
            cells |= {f"{kind}.{name}": share for name, share in shares.items()}
    if refused:
        cells["codes"] = " ".join(one["code"] for one in refused)
        cells["why"] = " ".join(f"{one['field']}: {one['detail']}".removeprefix(": ") for one in refused)
    elif abstained:
        cells["codes"], cells["why"] = " ".join(abstained["codes"]), abstained["why"]
    if "marks" in answer:
        cells["marks"] = msgspec.json.encode(answer["marks"]).decode()
    return cells


def write_csv(stream: BinaryIO, lines: Iterable[bytes], sheet: Sheet) -> None:
    """RFC 4180 with a header; what an answer does not say is an empty cell."""
    for part in _parts(lines, sheet, header=True):
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerows(part)
        stream.write(text.getvalue().encode())


def write_parquet(stream: BinaryIO, lines: Iterable[bytes], sheet: Sheet) -> None:
    """A row group for some thousand answers."""
    with pq.ParquetWriter(stream, sheet.schema) as writer:
        for part in _parts(lines, sheet):
            writer.write_batch(_batch(part, sheet))


def write_arrow(stream: BinaryIO, lines: Iterable[bytes], sheet: Sheet) -> None:
    """An Arrow IPC file."""
    with pa.ipc.new_file(stream, sheet.schema) as writer:
        for part in _parts(lines, sheet):
            writer.write_batch(_batch(part, sheet))


def _parts(lines: Iterable[bytes], sheet: Sheet, *, header: bool = False) -> Iterator[list[list[Any]]]:
    """Some thousand rows at a time."""
    if header:
        yield [list(sheet.names)]
    waiting = iter(lines)
    while part := [sheet.row(_DECODE(line)) for line in islice(waiting, _AT_ONCE)]:
        yield part


def _batch(part: list[list[Any]], sheet: Sheet) -> Any:
    columns = zip(*part, strict=True)
    arrays = []
    for field, column in zip(sheet.schema, columns, strict=True):
        values = [None if one is None else str(one) for one in column] if pa.types.is_string(field.type) else column
        arrays.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=sheet.schema)
