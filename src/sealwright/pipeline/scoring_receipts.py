"""Receipts of scored rows, for whoever holds the output they stand in.

Answers: what proves to anybody, offline, that this row of an output was answered and recorded just so?
Does not answer: what was asked. A receipt holds the digest of it; the records hold the rest, for whoever may read them.

A receipt tells its answer, so it is given only for a row that is shown with the answer it had.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from sealwright.kernel import InvalidInput, NotFound, VerificationFailed
from sealwright.pipeline.by_name import project_named
from sealwright.pipeline.decision_hour_rows import rows_of
from sealwright.pipeline.decision_hours import hour_gone, hours_of
from sealwright.pipeline.decision_sealing import channels_served, open_channel
from sealwright.pipeline.permission import allow
from sealwright.pipeline.scoring_tables import cells_of
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import DECISION_KEY_PURPOSE, DecisionRecord, leaf_of, read_decisions, scored_channel
from sealwright.trust import (
    SCORED,
    Ledger,
    LedgerEntry,
    Principal,
    RowTree,
    batch_of,
    leaf_hash,
    make_row_receipt,
)

__all__ = ["receipt_of_row", "row_receipt"]

_LINK = "output"
_OF_FILES = scored_channel("")  # what the names of channels with scored rows end in
_AT_ONCE = 64  # entries; of each, what is sealed beside it is read, too


@dataclass(frozen=True, slots=True)
class _Batch:
    """What a batch became: of each row the hash of its leaf, and the record where it was not erased."""

    entry: LedgerEntry
    proof: bytes
    hashes: list[bytes]
    record: DecisionRecord | None


def receipt_of_row(workspace: Workspace, project: str, out: Path, row: int, *, by: Principal) -> bytes:
    """The receipt of one row of a scored output, as `sealwright verify` and the auditor's verifier take it.

    Parameters
    ----------
    row : int
        Its number in the source, as the column `row` of the output says.

    Raises
    ------
    PermissionDenied
        They may not score files of this project.
    NotFound
        The output has no such row, or its record was erased.
    VerificationFailed
        The row is not what was recorded: the output was changed.
    InvalidInput
        It is no output of a scoring.
    """
    allow(workspace, by, "model.score", project_named(project))
    said = _row_of(out, row)
    decision = str(said.get("decision", ""))
    if batch_of(decision) is None:
        raise InvalidInput(f"{out.name} is not the output of a scoring: row {row} names no decision.")
    receipt, record = row_receipt(workspace, project, decision)
    _refuse_changed(out, row, said, record.answer)
    return receipt


def row_receipt(workspace: Workspace, project: str, decision: str) -> tuple[bytes, DecisionRecord]:
    """The receipt of a scored row, and its record, for a verb that has asked whether they may be given.

    Raises
    ------
    NotFound
        There is no such row, or its record was erased.
    VerificationFailed
        The records of its batch are not what was signed.
    """
    found = batch_of(decision)
    if found is None:
        raise NotFound(f"{decision[:80]!r} is not the id of a scored row.")
    batch, place = found
    recorded = _recorded(workspace, project, batch, place)
    record = recorded.record
    if record is None:
        raise NotFound(f"The record of {decision} was erased, so there is nothing to make its receipt of.")
    tree = RowTree(recorded.hashes)
    if tree.root != recorded.entry.detail["root"]:
        raise VerificationFailed(
            f"The records of the batch {batch} are not those of its entry.", link=f"entry {recorded.entry.index}"
        )
    receipt = make_row_receipt(
        decision=decision,
        answer=record.answer,
        salt=record.salt,
        row=leaf_of(record),
        path=tree.path(place),
        entry=recorded.entry.leaf,
        proof=recorded.proof,
    )
    return receipt, record


def _refuse_changed(out: Path, row: int, said: Mapping[str, Any], answer: bytes) -> None:
    told = msgspec.json.decode(answer)
    if out.suffix == ".jsonl":
        same = said == told
    else:
        cells = cells_of(told) | told.get("key", {})
        same = all(_text(value) == _text(cells.get(name)) for name, value in said.items())
    if not same:
        raise VerificationFailed(f"Row {row} of {out.name} says something else than was recorded.", link=_LINK)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _recorded(workspace: Workspace, project: str, batch: str, place: int) -> _Batch:
    for channel in channels_served(workspace, project):
        if channel.endswith(_OF_FILES):
            with open_channel(workspace, project, channel) as ledger:
                entry = _entry_of(ledger, batch)
                if entry is not None:
                    return _batch(workspace, project, channel, entry, ledger.proof(entry.index), place)
    raise NotFound(f"No ledger of {project} has the batch {batch}.")


def _entry_of(ledger: Ledger, batch: str) -> LedgerEntry | None:
    """The entry of a batch, looked for from now backwards. Entries name their batch, so no file of an hour is opened for this."""
    for after in range(ledger.size, 0, -_AT_ONCE):
        first = max(after - _AT_ONCE, 0)
        for entry in islice(ledger.entries(first), after - first):
            if entry.action == SCORED and entry.detail["batch"] == batch:
                return entry
    return None


def _batch(workspace: Workspace, project: str, channel: str, entry: LedgerEntry, proof: bytes, place: int) -> _Batch:
    if entry.attachment is not None:
        records = list(read_decisions(entry, *workspace.keyring.keys("decisions", DECISION_KEY_PURPOSE)))
        hashes = [leaf_hash(leaf_of(record)) for record in records]
        return _Batch(entry, proof, hashes, next(islice(records, place, None), None))
    if not entry.moved_to:
        raise NotFound(f"The records of entry {entry.index} were erased.")
    for hour in hours_of(workspace, project, channel, beyond=entry.index):
        if hour.first <= entry.index < hour.after:
            if hour.disposed:
                raise NotFound(f"The records of the hour {hour.hour} were disposed of when their days were over.")
            rows = [one for one in rows_of(workspace, hour) if one.index == entry.index]
            hashes = [one.leaf for one in rows if one.leaf is not None]
            return _Batch(entry, proof, hashes, rows[place].record if place < len(rows) else None)
    raise hour_gone(entry)


# ---- the output


def _row_of(out: Path, row: int) -> Mapping[str, Any]:
    """A row of an output, whose rows stand in order from 1 on."""
    if not out.is_file():
        raise NotFound(f"There is no file {out}.")
    readers = {".jsonl": _json_rows, ".csv": _csv_rows, ".parquet": _parquet_rows, ".arrow": _arrow_rows}
    reader = readers.get(out.suffix)
    if reader is None:
        raise InvalidInput(f"{out.name} ends in none of: {', '.join(readers)}.")
    try:
        found = next(islice(reader(out), row - 1, None), None) if row > 0 else None
    except (msgspec.MsgspecError, pa.ArrowException, csv.Error, UnicodeDecodeError, ValueError):
        raise InvalidInput(f"{out.name} cannot be read as the output of a scoring.") from None
    if found is None:
        raise NotFound(f"{out.name} has no row {row}.")
    if not isinstance(found, dict) or _text(found.get("row")) != str(row):
        raise VerificationFailed(f"Row {row} of {out.name} stands at another place.", link=_LINK)
    return found


def _json_rows(out: Path) -> Iterator[Any]:
    with out.open("rb") as lines:
        yield from map(msgspec.json.decode, lines)


def _csv_rows(out: Path) -> Iterator[Any]:
    with out.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, strict=True)


def _parquet_rows(out: Path) -> Iterator[Any]:
    for batch in pq.ParquetFile(out).iter_batches():
        yield from batch.to_pylist()


def _arrow_rows(out: Path) -> Iterator[Any]:
    with pa.ipc.open_file(out) as file:
        for at in range(file.num_record_batches):
            yield from file.get_batch(at).to_pylist()
