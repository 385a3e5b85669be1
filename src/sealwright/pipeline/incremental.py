"""More data for a project that has some: append rows, replace them by key, delete them, without copying what stays.

Answers: how does a growing dataset become one new snapshot after the other, each under the same contract?
Does not answer: what is trained when. The newest run goes on from the new snapshot.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.data import (
    FileSource,
    QuarantinedRow,
    QuarantineFull,
    RowKeys,
    Snapshot,
    Source,
    Step,
    Tally,
    admitted,
    check_batch,
    check_columns,
    open_source,
)
from sealwright.kernel import InvalidInput, Progress, silent
from sealwright.pipeline.data_basis import require_basis
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.permission import allow
from sealwright.pipeline.prepared import put_on_file
from sealwright.pipeline.project import Project
from sealwright.pipeline.rewriting import made_by
from sealwright.pipeline.snapshots import subject_keys_of
from sealwright.pipeline.take_in import refuse_unnamed_personal, snapshot_of
from sealwright.pipeline.version_facts import data_of
from sealwright.pipeline.withholding import Withholding, withholding
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

__all__ = ["Increment", "change_data"]

Verb = Literal["append", "upsert", "delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Increment:
    """A new snapshot that follows another."""

    before: str
    snapshot: Snapshot  # of the rows as they came
    used: Snapshot  # after cleaning and the like: what is trained on
    added: int
    removed: int
    set_aside: int
    shared: int  # files that both have, not copied

    def to_json(self) -> dict[str, Any]:
        return {
            "before": self.before,
            "snapshot": self.snapshot.digest,
            "used": self.used.digest,
            "rows": self.snapshot.rows,
            "added": self.added,
            "removed": self.removed,
            "set_aside": self.set_aside,
            "shared_files": self.shared,
        }


def change_data(
    workspace: Workspace, project: Project, verb: Verb, file: Path, *, by: Principal, progress: Progress = silent
) -> Increment:
    """Append the rows of a file to the project's newest data, put them in the place of rows of the same key, or take
    out the rows whose keys it lists.

    Parameters
    ----------
    file : Path
        Of a format the project's source may have; its columns are those of the contract. For delete: the key columns
        only, the others are not looked at.

    Raises
    ------
    NotFound
        Nothing was ingested yet.
    InvalidInput
        The project names no key (`data.key`), or the file repeats one.
    StoppedByPolicy
        Too many rows break the contract, the basis does not cover the use, or (high risk) a column looks personal and
        the contract does not say so.
    """
    allow(workspace, by, "data.change", data_of(project))
    desk = Desk(workspace, project)
    run, spec = desk.last(), project.spec.data
    if verb != "append" and not spec.key:
        raise InvalidInput(
            f"To {verb} rows, the project must say what names a row. Set data.key, e.g. key: [order_id]."
        )
    taken = run.product("ingest")
    out = withholding(desk, require_basis(desk, by=by.counts_as))
    before = snapshot_of(desk, taken.get("raw", taken["snapshot"]), by=by.counts_as, purpose=verb)
    source = open_source(_named(spec.source, file), Path())
    if verb != "delete":
        refuse_unnamed_personal(project, source, progress, names=False)
    incoming = _Incoming(desk, source, out, progress)
    keys = incoming.keys() if verb != "append" else RowKeys()
    if verb == "upsert" and keys.distinct != keys.rows:
        raise InvalidInput(
            f"{file.name} has {keys.rows - keys.distinct:,} rows whose key another row of it has, too. Which one counts?"
        )
    step = Step(
        kind=verb,
        keep=_without(keys, spec.key) if verb != "append" else None,
        add=incoming.rows() if verb != "delete" else (),
        set_aside=incoming.aside if verb != "delete" else None,
        withheld=incoming.withheld,
        why=f"{verb} from {source.name}",
        recipe=source.digest or None,
    )
    after = made_by(workspace, project.name, before, step)
    _, used = put_on_file(desk, run, after, of=taken["of"], by=by.counts_as, progress=progress)
    derivation = after.signed.derivation
    assert derivation is not None
    old = {entry.digest for entry in before.signed.files}
    return Increment(
        before=before.digest,
        snapshot=after,
        used=used,
        added=derivation.added,
        removed=derivation.removed,
        set_aside=after.quarantined - before.quarantined,
        shared=sum(entry.digest in old for entry in after.signed.files),
    )


class _Incoming:
    """The rows of the file, under the contract, without persons who stay out."""

    def __init__(self, desk: Desk, source: Source, out: Withholding, progress: Progress) -> None:
        self._spec, self._source, self._out, self._progress = desk.project.spec.data, source, out, progress
        self._keys = subject_keys_of(desk.workspace, desk.project.name)
        self.withheld: Counter[str] = Counter()
        self._aside: list[QuarantinedRow] = []

    def keys(self) -> RowKeys:
        """The keys of all rows; one that breaks the contract refuses the file, since nobody knows what it means."""
        missing = [name for name in self._spec.key if name not in self._source.columns]
        if missing:
            raise InvalidInput(f"{self._source.name} has no column {missing[0]!r} of the key.")
        found = RowKeys()
        narrow = self._spec.model_copy(update={"columns": {name: self._spec.columns[name] for name in self._spec.key}})
        for batch in self._source.batches(only=self._spec.key):
            checked = check_batch(batch, narrow, decimal=self._source.decimal)
            if checked.set_aside:
                raise InvalidInput(
                    f"Row {checked.set_aside[0].row} of {self._source.name} has a key the contract refuses."
                )
            found.add(pa.Table.from_batches([checked.good]).select(list(self._spec.key)))
        return found

    def rows(self) -> Iterator[Any]:
        check_columns(self._source.columns, self._spec)
        tally, good = Tally(), 0
        for batch in self._source.batches(only=self._spec.kept):
            checked = check_batch(batch, self._spec, decimal=self._source.decimal)
            tally.add(checked.set_aside)
            self._aside += checked.set_aside
            good += checked.good.num_rows
            yield admitted(checked.good, self._spec.subject, self._keys, self._out.reasons, self.withheld)
            self._progress(f"reading {self._source.name}", 0.9 * self._source.share)
        if tally.rows > self._spec.quarantine.at_most_share * (good + tally.rows):
            raise QuarantineFull(tally.rows, good + tally.rows, self._spec.quarantine.at_most_share, tally.counts())

    def aside(self) -> list[QuarantinedRow]:
        return self._aside


def _without(keys: RowKeys, columns: tuple[str, ...]) -> Any:
    def keep(parent: Snapshot, entry: Any, _before: int) -> NDArray[np.bool_] | None:
        gone = parent.among(entry, list(columns), keys.among)
        return ~gone if gone.any() else None

    return keep


def _named(source: Any, file: Path) -> FileSource:
    """The file, read the way the project's own file is."""
    said = {} if isinstance(source, str) else source.model_dump(include={"encoding", "delimiter", "decimal", "keys"})
    return FileSource(file=str(file.resolve()), **said)
