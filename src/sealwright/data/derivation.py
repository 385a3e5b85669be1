"""A snapshot made from another one: rows taken out, changed or added, files that did not change shared and not copied.

Answers: how do cleaning, appending, augmenting and erasing leave the earlier version as it was, and say what they did?
Does not answer: which rows. The caller hands in functions over one file's rows at a time, so memory stays bounded.

A shared file is one file with two names (a hard link): it costs no space, and stays as long as one snapshot needs it.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.data.column_spec import ColumnSpec
from sealwright.data.content import ContentDigest
from sealwright.data.drafting import Draft, drafting, key_names_of
from sealwright.data.errors import SourceUnreadable
from sealwright.data.formats import PARTS_ALGORITHM, content_digest
from sealwright.data.ingestion import subject_of
from sealwright.data.layout import Layout
from sealwright.data.manifest import (
    Derivation,
    FileEntry,
    Identity,
    Manifest,
    Origin,
    content_of,
    contract_digest_of,
    file_entry,
    make_manifest,
)
from sealwright.data.parts import PART_BYTES, PartWriter
from sealwright.data.quarantine import QUARANTINE_SCHEMA, QuarantinedRow, rows_to_batch
from sealwright.data.snapshot import Snapshot, open_snapshot, quarantine_of
from sealwright.data.subject_keys import SubjectKeys
from sealwright.kernel import Clock, rfc3339, system_clock
from sealwright.trust import Keyring

__all__ = ["Change", "Keep", "Step", "derive"]

Keep = Callable[[Snapshot, FileEntry, int], "NDArray[np.bool_] | None"]
"""Which rows of a file stay, given the number of rows in the files before it; None: all of them."""
Change = Callable[[Any, int], Any]
"""From the rows of a file, and the number of rows before them, to the rows that take their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is done to a snapshot. The parts left out are left as they are.

    `changes` may be filled while `change` runs; it is read at the end.
    """

    kind: str  # as in the manifest: append, upsert, delete, clean, augment, extract, redact, correct
    keep: Keep | None = None
    change: Change | None = None
    changed: Callable[[Snapshot, FileEntry], bool] | None = None  # only in files of which this is true; None: in all
    add: Iterable[Any] = ()  # record batches of the contract
    synthetic: bool = False  # the added rows were made up
    set_aside: Callable[[], Iterable[QuarantinedRow]] | None = None  # of the added rows; asked for after them
    columns: Mapping[str, ColumnSpec] | None = None  # another contract; then every file is written anew
    keep_set_aside: Callable[[QuarantinedRow], bool] | None = None
    change_log: Callable[[], Iterable[Any]] | None = None  # tables of `CHANGES_SCHEMA`, asked for after the rows
    keep_change: Callable[[Any], "NDArray[np.bool_]"] | None = None  # of a table of the parent's change log
    changes: Mapping[str, int] = field(default_factory=dict)
    recipe: str | None = None
    why: str = ""
    withheld: Mapping[str, int] = field(default_factory=dict)


def derive(
    parent: Snapshot,
    step: Step,
    *,
    snapshots: Path,
    keyring: Keyring,
    subject_keys: SubjectKeys | None = None,
    clock: Clock = system_clock,
    sequence: int = 0,
    part_bytes: int = PART_BYTES,
) -> Snapshot:
    """Make the snapshot that follows from `parent` by `step`.

    Returns
    -------
    Snapshot
        Its manifest names the parent, the step, and how many rows and cells it changed.

    Raises
    ------
    SourceUnreadable
        No row is left.
    VerificationFailed, Refused, OperationFailed
        As `open_snapshot` and `ingest`. As after every error, nothing is visible.
    """
    before = parent.signed
    columns = dict(step.columns) if step.columns is not None else {c.name: c.spec for c in before.columns}
    layout = _layout(before, columns)
    shared = step.columns is None
    keys = parent.keys.of_files(key_names_of(before.layout)) if shared else None
    with drafting(snapshots, layout, keyring=keyring, subject_keys=subject_keys, keys=keys) as draft:
        rows = _rows(draft, parent, step, shared=shared, part_bytes=part_bytes)
        added = _added(draft, step, first=len(rows.files) + 1, part_bytes=part_bytes)
        aside, aside_digest = _quarantine(draft, parent, step)
        log = _change_log(draft, parent, step)
        files = [*rows.files, *added, *aside, *log]
        total = sum(entry.rows for entry in (*rows.files, *added))
        if not total:
            raise SourceUnreadable("No row is left in the snapshot. Nothing was made; the earlier one stays as it is.")
        added_rows = sum(entry.rows for entry in added)
        derivation = Derivation(
            kind=step.kind,  # type: ignore[arg-type]  # checked by the model
            parents=[parent.digest],
            recipe=step.recipe,
            removed=rows.removed,
            added=added_rows,
            synthetic=added_rows if step.synthetic else 0,
            changes=dict(step.changes),
            why=step.why,
        )
        identity = Identity(
            algorithm=PARTS_ALGORITHM,  # type: ignore[arg-type]
            contract=contract_digest_of(columns),
            content=content_of(layout.columns, [*rows.files, *added], PARTS_ALGORITHM),
            rows=total,
            quarantine=aside_digest,
            quarantined=sum(entry.rows for entry in aside),
            subject=subject_of(layout),
            derivation=derivation.digest,
        )
        draft.publish(
            make_manifest(
                columns=columns,
                origin=Origin(kind="snapshot", name=step.kind, digest=parent.digest, digest_of="snapshot"),
                identity=identity,
                files=files,
                reasons=before.quarantine_reasons if shared else [],
                quarantine_limit=before.quarantine_limit,
                created_at=rfc3339(clock()),
                sequence=sequence,
                derivation=derivation,
                withheld=step.withheld,
            )
        )
    return open_snapshot(
        identity.digest,
        snapshots=snapshots,
        trust_root=keyring.trust_root,
        keyring=keyring,
        subject_keys=subject_keys,
    )


@dataclass(slots=True)
class _Rows:
    files: list[FileEntry]
    removed: int


def _layout(before: Manifest, columns: Mapping[str, ColumnSpec]) -> Layout:
    kept = {name: column for name, column in columns.items() if column.role != "ignore"}
    subject = before.layout.subject if before.layout.subject in kept else None
    return Layout(columns=kept, subject=subject, project=before.layout.project if subject is not None else "")


def _rows(draft: Draft, parent: Snapshot, step: Step, *, shared: bool, part_bytes: int) -> _Rows:
    """The parent's rows: files that stay whole are shared, the others written anew, in the same order."""
    found = _Rows([], 0)
    seen = 0
    for entry in parent.signed.of_kind("rows"):
        keep = step.keep(parent, entry, seen) if step.keep is not None else None
        whole = keep is None or bool(keep.all())
        change = step.change if step.changed is None or step.changed(parent, entry) else None
        if shared and whole and change is None:
            found.files.append(_share(draft, parent, entry, len(found.files) + 1))
        else:
            writer = draft.rows(part_bytes=part_bytes, first=len(found.files) + 1)
            after = _rewritten(parent, entry, keep, change, writer, seen, reseal=not shared)
            found.files += [file_entry(part, synthetic=entry.synthetic) for part in writer.close()]
            found.removed += entry.rows - after
        seen += entry.rows
    return found


def _rewritten(
    parent: Snapshot,
    entry: FileEntry,
    keep: "NDArray[np.bool_] | None",
    change: Change | None,
    writer: PartWriter,
    seen: int,
    *,
    reseal: bool,
) -> int:
    """Write what becomes of one file; returns its rows. Rows that are only kept go over as they are, still sealed.

    `keep` counts every row in the file, also those of persons erased since, which are left out in any case.
    """
    layout = parent.signed.layout
    table = parent.physical(entry, layout.schema().names)
    stays = parent.readable(table) if keep is None else keep & parent.readable(table)
    table = table if stays.all() else table.filter(pa.array(stays))
    rows = parent.logical(table)
    if change is None and not reseal:
        for batch, sealed in zip(_batches(rows), _batches(table), strict=True):
            writer.write(batch, sealed)
        return int(rows.num_rows)
    after = change(rows, seen) if change is not None else rows
    for batch in _batches(after):
        writer.write(batch)
    return int(after.num_rows)


def _batches(table: Any) -> list[Any]:
    """The whole table as one batch, or none."""
    found: list[Any] = table.combine_chunks().to_batches()
    return found


def _share(draft: Draft, parent: Snapshot, entry: FileEntry, number: int) -> FileEntry:
    name = f"{entry.kind}-{number:05}.parquet"
    os.link(parent.folder / entry.name, draft.folder / name)
    return entry.model_copy(update={"name": name})


def _added(draft: Draft, step: Step, *, first: int, part_bytes: int) -> list[FileEntry]:
    writer = draft.rows(part_bytes=part_bytes, first=first)
    for batch in step.add:
        writer.write(batch)
    return [file_entry(part, synthetic=step.synthetic) for part in writer.close()]


def _quarantine(draft: Draft, parent: Snapshot, step: Step) -> tuple[list[FileEntry], str]:
    """The rows set aside go along with their source; under another contract they stay behind."""
    before = parent.signed
    if step.columns is not None:
        return [], ContentDigest(QUARANTINE_SCHEMA).digest()
    entries = before.of_kind("quarantine")
    more = list(step.set_aside()) if step.set_aside is not None else []
    if step.keep_set_aside is None and not more:
        shared = [_share(draft, parent, entry, place + 1) for place, entry in enumerate(entries)]
        return shared, before.identity.quarantine
    files = []
    if step.keep_set_aside is None:
        files = [_share(draft, parent, entry, place + 1) for place, entry in enumerate(entries)]
    else:
        more = [row for row in quarantine_of(parent, draft.keyring) if step.keep_set_aside(row)] + more
    writer = draft.quarantine(first=len(files) + 1)
    if more:
        writer.write(rows_to_batch(more))
    files += [file_entry(part) for part in writer.close()]
    blocks = [block for entry in files for block in entry.blocks]
    kinds = [("row", "integer"), ("problems", "text"), ("raw", "text")]
    return files, content_digest(blocks, kinds, sum(entry.rows for entry in files), PARTS_ALGORITHM)


def _change_log(draft: Draft, parent: Snapshot, step: Step) -> list[FileEntry]:
    """What this step changed; or, where it changes nothing itself, what the parent's log keeps."""
    if step.change_log is not None:
        tables = iter(step.change_log())
    elif step.keep_change is not None:
        keep = step.keep_change
        tables = (table.filter(pa.array(keep(table))) for table in parent.change_log())
    elif step.columns is None:
        entries = parent.signed.of_kind("changes")
        return [_share(draft, parent, entry, place + 1) for place, entry in enumerate(entries)]
    else:
        return []
    writer = draft.changes()
    for table in tables:
        for batch in _batches(table):
            writer.write(batch)
    return [file_entry(part) for part in writer.close()]
