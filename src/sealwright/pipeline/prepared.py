"""From the rows as they came to the rows a model is made from: each declared step is a snapshot of its own.

Answers: what is done to the data between ingest and training, in which order, and how is it taken back?
Does not answer: how. Cleaning and augmenting belong to the data room.

First cleaning (`data.clean`), then augmenting (`data.augment`). Nothing is changed silently: the raw snapshot stays, every
changed cell is in the encrypted log beside the cleaned one, and both manifests are signed.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sealwright.data import Snapshot, Step, rows_for_testing
from sealwright.data.augment import refuse_too_close
from sealwright.data.cleaning import FittedRecipe, fit, tally, undo
from sealwright.data.relevance import refuse_stale
from sealwright.kernel import InvalidInput, Progress, canonical_json, digest_of, silent
from sealwright.pipeline.data_basis import state_basis
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.made_up import made_up
from sealwright.pipeline.rewriting import made_by
from sealwright.pipeline.runs import Run
from sealwright.pipeline.snapshots import SnapshotIndex

__all__ = ["prepared", "put_on_file", "refuse_stale_data", "undone"]


def put_on_file(
    desk: Desk, run: Run, raw: Snapshot, *, of: str, by: str, progress: Progress = silent
) -> tuple[Run, Snapshot]:
    """Rows as they came become what the run goes on from: filed, with their basis stated, and prepared.

    Parameters
    ----------
    of : str
        Digest of what the rows were made from; while it is the same, they need not be taken in again.

    Returns
    -------
    The run, and the snapshot that is trained on.

    Raises
    ------
    StoppedByPolicy, InvalidInput
        As `prepared`.
    """
    SnapshotIndex(desk.workspace.db).remember(raw, desk.project.name)
    desk.evidence.file_statement(raw.statement, project=desk.project.name, actor=by)
    if desk.project.spec.data.basis is not None:
        state_basis(desk, raw.digest, by=by)
    used = prepared(desk, raw, by=by, progress=progress)
    filed = desk.evidence.file_statement(used.statement, project=desk.project.name, actor=by)
    product = {"of": of, "raw": raw.digest, "snapshot": used.digest, "statement": filed.digest}
    return desk.runs.finish(run, "ingest", product, by=by), used


def prepared(desk: Desk, raw: Snapshot, *, by: str, progress: Progress = silent) -> Snapshot:
    """The snapshot that is trained on; `raw` itself where the project declares no step.

    Raises
    ------
    StoppedByPolicy
        The data is older than the contract allows, or made-up rows are too close to real persons.
    InvalidInput
        A step does not fit the data.
    """
    refuse_stale_data(desk, raw)
    spec, here = desk.project.spec.data, raw
    if spec.clean:
        progress("cleaning", 0.9)
        here = _filed(desk, _cleaned(desk, here), by)
    if spec.augment is not None:
        progress("making rows up and measuring them", 0.95)
        here = _filed(desk, _augmented(desk, here, progress), by)
    return here


def refuse_stale_data(desk: Desk, snapshot: Snapshot) -> None:
    """Stop where the data is older than the contract allows today.

    Raises
    ------
    DataStale
        A `StoppedByPolicy`: says how old it is and what is allowed.
    """
    relevance = desk.project.spec.data.relevance
    if relevance is not None:
        refuse_stale(snapshot.parts([relevance.date]), relevance, desk.workspace.clock())


def undone(cleaned: Snapshot) -> Any:
    """The raw rows of a cleaned snapshot, from its own rows and its log of changes: pa.Table, rows in source order."""
    return undo(cleaned.read(), _joined(cleaned))


def _cleaned(desk: Desk, raw: Snapshot) -> Snapshot:
    """The step `data.clean`: fitted once, applied file by file, every change logged."""
    spec, seed = desk.project.spec.data, desk.project.spec.training.seed
    rows = raw.read()
    try:
        learn_from, described = ~rows_for_testing(rows, spec, seed, synthetic=raw.synthetic), "training rows"
    except InvalidInput:
        learn_from, described = None, "all rows"
    recipe = fit(rows, spec, learn_from=learn_from, described=described)
    cleaning = _Cleaning(raw, recipe)
    step = Step(
        kind="clean",
        change=cleaning.change,
        change_log=lambda: cleaning.log,
        changes=cleaning.counts,
        recipe=recipe.digest,
        why="data.clean of the project file",
        withheld=dict(raw.signed.withheld),
    )
    return made_by(desk.workspace, desk.project.name, raw, step)


class _Cleaning:
    """A fitted recipe at work on the files of one snapshot, one after the other."""

    def __init__(self, raw: Snapshot, recipe: FittedRecipe) -> None:
        self._raw, self._recipe = raw, recipe
        self._next = 1
        self.log: list[Any] = []
        self.counts: Counter[str] = Counter()

    def change(self, table: Any, _before: int) -> Any:
        subjects = self._raw.names_in(table) if self._raw.subject is not None else None
        after, changes = self._recipe.apply(table, self._next, subjects=subjects)
        self._next += table.num_rows
        self.log.append(changes)
        self.counts.update(tally(changes))
        return after


def _augmented(desk: Desk, snapshot: Snapshot, progress: Progress) -> Snapshot:
    """The step `data.augment`: rows made up from training rows, refused when too close to real persons, marked for ever."""
    made = made_up(desk, snapshot, progress=progress)
    refuse_too_close(made.found)
    measured = {name: value for name, value in made.to_json().items() if name != "snapshot"}
    step = Step(
        kind="augment",
        add=_batches(made.found.made.table),
        synthetic=True,
        recipe=digest_of(canonical_json(measured)),
        why="data.augment of the project file",
        withheld=dict(snapshot.signed.withheld),
    )
    return made_by(desk.workspace, desk.project.name, snapshot, step)


def _filed(desk: Desk, made: Snapshot, by: str) -> Snapshot:
    SnapshotIndex(desk.workspace.db).remember(made, desk.project.name)
    desk.evidence.file_statement(made.statement, project=desk.project.name, actor=by)
    return made


def _batches(table: Any) -> Iterator[Any]:
    yield from table.combine_chunks().to_batches()


def _joined(cleaned: Snapshot) -> Any:
    import pyarrow as pa

    from sealwright.data.changes import CHANGES_SCHEMA

    logs = list(cleaned.change_log())
    return pa.concat_tables(logs).cast(CHANGES_SCHEMA) if logs else CHANGES_SCHEMA.empty_table()
