"""Writing the file of one hour: rows as they come, in memory that does not grow with the hour.

Answers: how do decision records become an encrypted table with its signed manifest, all of it or nothing?
Does not answer: which records, and what becomes of those in the ledger. `decision_sealing` says so.
"""

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from sealwright.data import encrypted_writer
from sealwright.kernel import fsync_folder, write_atomically
from sealwright.pipeline.decision_hour_keys import CONTENT_KEY, PLAIN_KEY, new_keys, wrap_keys
from sealwright.pipeline.decision_hours import FILE, HOUR_TYPE, MANIFEST, Hour, digest_of_file
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import DecisionRecord, ShadowRecord
from sealwright.trust import make_statement, sign_statement

__all__ = ["Decided", "Leaves", "outcome_of", "put_in_place", "write_hour"]

_GROUP_ROWS, _GROUP_BYTES = 8192, 16 << 20
_PLAIN = {
    "entry": pa.int64(),
    "at": pa.string(),
    "decision": pa.string(),
    "state": pa.string(),  # "kept" or "erased"; of what a shadow would have said, "shadow" or "shadow erased"
    "package": pa.string(),
    "leaf": pa.binary(),  # of rows of scored batches: the hash of the leaf; it stays when a row is erased
}
_CONTENT = {
    "number": pa.int64(),
    "arm": pa.string(),
    "protocol": pa.string(),
    "subject": pa.string(),
    "person": pa.string(),
    "label": pa.string(),
    "score": pa.float64(),
    "request": pa.binary(),
    "answer": pa.binary(),
    "rest": pa.binary(),  # the record without request and answer; of a shadow, all of it
}
_SCHEMA = pa.schema(list((_PLAIN | _CONTENT).items()))
_KEY_NAMES = dict.fromkeys(_PLAIN, PLAIN_KEY) | dict.fromkeys(_CONTENT, CONTENT_KEY)
_ENCODER = msgspec.msgpack.Encoder()


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision of the hour, or what a shadow would have said to one. `record` is None where it was erased."""

    index: int
    at: str
    decision: str
    package: str
    record: DecisionRecord | ShadowRecord | None
    shadow: bool = False
    leaf: bytes | None = None  # as `HourRow` has it


class Leaves:
    """The digest over the leaf digests of an hour's decisions, in order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, leaf: bytes) -> None:
        self._hash.update(hashlib.sha256(leaf).digest())

    def digest(self) -> str:
        return "sha256:" + self._hash.hexdigest()


def write_hour(
    workspace: Workspace,
    place: Path,
    hour: Hour,
    decided: Iterable[Decided],
    *,
    leaves: Leaves | None = None,
    after: Callable[[], int] | None = None,
) -> Hour:
    """Write an hour into a folder of its own, signed and durable; it is there as a whole, or not at all.

    Parameters
    ----------
    place : Path
        The folder of the channel's hours.
    hour : Hour
        As far as it is known; `after`, counts and digests are filled in.
    leaves : Leaves, optional
        Filled while `decided` is read; left out: `hour.leaves` stays.
    after : callable, optional
        Says afterwards before which entry the hour ends; left out: `hour.after` stays.
    """
    draft = place / f".draft-{hour.name}"
    draft.mkdir(mode=0o700)
    keys = new_keys()
    rows, erased, anything = _write(draft / FILE, decided, keys)
    made = replace(
        hour,
        rows=rows,
        erased=erased,
        leaves=leaves.digest() if leaves is not None else hour.leaves,
        after=after() if after is not None else hour.after,
    )
    if anything:
        made = replace(
            made, file=digest_of_file(draft / FILE, f"hours/{hour.name}"), size=(draft / FILE).stat().st_size
        )
        wrap_keys(workspace.keyring, made, keys, draft)
    else:
        (draft / FILE).unlink()
    return put_in_place(workspace, draft, made)


def put_in_place(workspace: Workspace, draft: Path, hour: Hour) -> Hour:
    """Sign the manifest of a draft, and make it the hour."""
    statement = make_statement(hour.subjects, HOUR_TYPE, hour.predicate())
    envelope = sign_statement(statement, workspace.keyring.signer("statements"))
    write_atomically(draft / MANIFEST, envelope)
    fsync_folder(draft)
    folder = draft.parent / hour.name
    draft.rename(folder)
    fsync_folder(draft.parent)
    return replace(hour, folder=folder, envelope=envelope)


def _write(path: Path, decided: Iterable[Decided], keys: dict[str, bytes]) -> tuple[int, int, bool]:
    """How many decisions were written, how many of them erased, and whether there was anything, shadows included."""
    rows = erased = waiting_bytes = 0
    anything = False
    waiting: list[dict[str, Any]] = []
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as stream:
        with encrypted_writer(stream, _SCHEMA, _KEY_NAMES, keys) as writer:
            for one in decided:
                waiting.append(row := _row(one))
                anything = True
                rows, erased = rows + (not one.shadow), erased + (not one.shadow and one.record is None)
                waiting_bytes += sum(len(row.get(name, b"")) for name in ("request", "answer", "rest"))
                if len(waiting) == _GROUP_ROWS or waiting_bytes >= _GROUP_BYTES:
                    writer.write_table(pa.Table.from_pylist(waiting, schema=_SCHEMA))
                    waiting, waiting_bytes = [], 0
            if waiting:
                writer.write_table(pa.Table.from_pylist(waiting, schema=_SCHEMA))
        if not stream.closed:
            stream.flush()
            os.fsync(stream.fileno())
    return rows, erased, anything


def _row(one: Decided) -> dict[str, Any]:
    """A row; columns that are not named are null, as all of the content of an erased one."""
    row: dict[str, Any] = {
        "entry": one.index, "at": one.at, "decision": one.decision, "package": one.package, "leaf": one.leaf,
    }  # fmt: skip
    record = one.record
    if record is None:
        return {**row, "state": "shadow erased" if one.shadow else "erased"}
    if isinstance(record, ShadowRecord):
        return {**row, "state": "shadow", "rest": _ENCODER.encode(record)}
    label, score = outcome_of(record.answer)
    return {
        **row,
        "state": "kept",
        "number": record.number,
        "arm": record.arm,
        "protocol": record.protocol,
        "subject": record.subject,
        "person": record.person,
        "label": label,
        "score": score,
        "request": record.request,
        "answer": record.answer,
        "rest": _ENCODER.encode(msgspec.structs.replace(record, request=b"", answer=b"")),
    }


def outcome_of(answer: bytes) -> tuple[str | None, float | None]:
    """Label and score of an answer about one row: the probability of the label, or the number itself."""
    try:
        said = msgspec.json.decode(answer)
        if "outputs" in said:
            one = {part["name"]: part["data"] for part in said["outputs"] if len(part["data"]) == part["shape"][-1]}
            label = one["label"][0] if len(one.get("label", ())) == 1 else None
            number = one["value"][0] if len(one.get("value", ())) == 1 else None
            return label, number
        label, number = said.get("label"), said.get("value")
        if label is not None and number is None:
            number = said.get("probabilities", {}).get(label)
        return label, None if number is None else float(number)
    except (msgspec.MsgspecError, AttributeError, KeyError, TypeError, ValueError, IndexError):
        return None, None
