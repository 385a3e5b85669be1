"""What is in the file of an hour, streamed, once the file is the one that was signed.

Answers: which decisions were made in this hour, and what would shadows have said?
Does not answer: what the ledger still holds. `decision_records` reads both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import msgspec

from sealwright.data import encrypted_batches
from sealwright.kernel import VerificationFailed
from sealwright.pipeline.decision_hour_keys import opened_keys
from sealwright.pipeline.decision_hours import FILE, Hour, digest_of_file, newer_generation
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import DecisionRecord, ShadowRecord

__all__ = ["HourRow", "every_row_of", "holds_decision", "rows_of", "shadow_rows_of"]

_DECODER = msgspec.msgpack.Decoder(DecisionRecord)
_SHADOW_DECODER = msgspec.msgpack.Decoder(ShadowRecord)


@dataclass(frozen=True, slots=True)
class HourRow:
    """One decision in the file of an hour, or what a shadow would have said to one. `record` is None where it was erased."""

    index: int
    at: str
    decision: str
    package: str
    record: Any  # a DecisionRecord, or with `shadow` a ShadowRecord
    shadow: bool = False
    leaf: bytes | None = (
        None  # of a scored row: the hash of its leaf, by which the others are proved when it was erased
    )


def rows_of(workspace: Workspace, hour: Hour) -> Iterator[HourRow]:
    """The decisions of one hour, streamed; raises as `every_row_of`."""
    return (row for row in every_row_of(workspace, hour) if not row.shadow)


def shadow_rows_of(workspace: Workspace, hour: Hour) -> Iterator[HourRow]:
    """What shadows would have said in one hour, streamed; raises as `every_row_of`."""
    return (row for row in every_row_of(workspace, hour) if row.shadow)


def every_row_of(workspace: Workspace, hour: Hour) -> Iterator[HourRow]:
    """All that is in the file of one hour, streamed.

    Raises
    ------
    VerificationFailed
        The file is not the one that was signed, or does not open.
    """
    columns = ("entry", "at", "decision", "package", "state", "leaf", "request", "answer", "rest")
    for values in _rows(workspace, hour, columns):
        index, at, decision, package, state, leaf, request, answer, rest = values
        shadow = state.startswith("shadow")
        record = None if rest is None else _record(rest, request, answer, hour.link, shadow=shadow)
        yield HourRow(index, at, decision, package, record, shadow, leaf)


def holds_decision(workspace: Workspace, hour: Hour, decision: str) -> bool:
    """Whether a decision is in the file of one hour, erased or not. Only ids are decrypted; raises as `every_row_of`."""
    return any(one == decision for (one,) in _rows(workspace, hour, ("decision",)))


def _rows(workspace: Workspace, hour: Hour, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """These columns of the file of one hour, row by row, if it is the file that was signed.

    Where it was written anew since it was listed, because somebody was erased, the new one is read.
    """
    if not hour.file:
        return
    tables = _tables(workspace, hour, columns)
    try:
        begun = list(islice(tables, 1))  # an open file stays readable, whatever becomes of its name
    except (VerificationFailed, OSError):
        newer = newer_generation(workspace, hour.project, hour.channel, hour.name)
        if newer is None:
            raise
        yield from _rows(workspace, newer, columns)
        return
    for table in chain(begun, tables):
        yield from zip(*(table.column(name).to_pylist() for name in columns), strict=True)


def _tables(workspace: Workspace, hour: Hour, columns: Sequence[str]) -> Iterator[Any]:
    path = hour.folder / FILE
    if digest_of_file(path, hour.link) != hour.file:
        raise VerificationFailed(
            f"The file of the hour {hour.hour} is another one than was signed. Restore it from a backup.",
            link=hour.link,
        )
    yield from encrypted_batches(path, columns, opened_keys(workspace.keyring, hour), link=hour.link)


def _record(rest: bytes, request: bytes, answer: bytes, link: str, *, shadow: bool) -> DecisionRecord | ShadowRecord:
    try:
        if shadow:
            return _SHADOW_DECODER.decode(rest)
        return msgspec.structs.replace(_DECODER.decode(rest), request=request, answer=answer)
    except msgspec.MsgspecError:
        raise VerificationFailed("A decision record in this file cannot be read.", link=link) from None
