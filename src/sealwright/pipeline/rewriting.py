"""A snapshot gives way to another one: the new one is filed, the old one disposed of, and runs go on from the new one.

Answers: how does a snapshot change for the sake of a person, with nothing of the old one left? May it, or is it on hold?
Does not answer: what changes. The caller makes the new one.

The order: the new one is on file; the table says what is about to take the old one's place; the old one's files go; the
ledger has the proof; the table says that it was replaced. A kill before the files go leaves two whole snapshots, and the
same command does all of it again; a kill after that is finished by `finish_replacing`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from sealwright.data import SNAPSHOT_TYPE, Snapshot, SourceUnreadable, Step, derive, dispose_snapshot
from sealwright.data.retention import Hold
from sealwright.kernel import NotFound, Refused, hex_of
from sealwright.pipeline.data_retention import holds_of, left_behind
from sealwright.pipeline.desk import evidence_of
from sealwright.pipeline.runs import RunStore
from sealwright.pipeline.snapshots import Known, SnapshotIndex, opened, subject_keys_of
from sealwright.pipeline.workspace import Workspace

__all__ = ["finish_replacing", "holds_against", "made_by", "point_runs", "refuse_held", "replace_snapshot"]

_NOTHING = ""  # the successor, while its files go, of a snapshot of which no row is left


def made_by(workspace: Workspace, project: str, parent: Snapshot, step: Step) -> Snapshot:
    """The snapshot that follows by a step, with the workspace's keys and the project's next number; not yet on file."""
    return derive(
        parent,
        step,
        snapshots=workspace.folder("snapshots"),
        keyring=workspace.keyring,
        subject_keys=subject_keys_of(workspace, project),
        clock=workspace.clock,
        sequence=SnapshotIndex(workspace.db).next_sequence(project),
    )


def holds_against(workspace: Workspace, project: str, subject: str, snapshots: Collection[str]) -> Sequence[Hold]:
    """The holds that forbid replacing these snapshots for the sake of a person: of the project, of one of them, of the person.

    What an earlier replacement left behind counts as one of them, since it goes on the way.
    """
    left = [one.digest for one in left_behind(workspace, project)]
    return holds_of(workspace).on_person(project, subject, {*snapshots, *left})


def refuse_held(workspace: Workspace, project: str, subject: str, snapshots: Collection[str], *, undone: str) -> None:
    """Go on only if no hold forbids replacing these snapshots for the sake of a person.

    Parameters
    ----------
    undone : str
        What does not happen, in a word: "erased".

    Raises
    ------
    Refused
        With the ids of the holds.
    """
    held = holds_against(workspace, project, subject, snapshots)
    if held:
        raise Refused(
            f"A legal hold stands on this data ({', '.join(one.id for one in held)}): nothing was {undone}.\n"
            "Answer the person that it is kept for that reason, or lift the hold: sealwright data hold lift"
        )


def replace_snapshot(
    workspace: Workspace,
    project: str,
    before: str,
    step_of: Callable[[Snapshot], Step],
    *,
    subject: str,
    action: str,
    purpose: str,
    by: str,
) -> str | None:
    """Put what a step leaves of a snapshot in its place; returns its digest, None where no row is left.

    Parameters
    ----------
    subject : str
        Pseudonym of the person for whose sake.
    action : str
        Of the ledger entry that says so, e.g. "data.redacted".
    purpose : str
        Noted with every key that is unwrapped.

    Raises
    ------
    Refused
        A hold stands. Where it was set while the new snapshot was made, both are kept.
    """
    refuse_held(workspace, project, subject, [before], undone="replaced")
    snapshot = opened(workspace, before, project, by=by, purpose=purpose)
    step, index = step_of(snapshot), SnapshotIndex(workspace.db)
    try:
        made = made_by(workspace, project, snapshot, step)
    except SourceUnreadable:
        made = None
    if made is not None:
        index.remember(made, project)
        evidence_of(workspace).file_statement(made.statement, project=project, actor=by)
    after = made.digest if made is not None else None
    refuse_held(workspace, project, subject, [before], undone="replaced")
    index.end(before, "kept", after or _NOTHING)
    _end(workspace, project, before, after, action=action, why=step.why, by=by)
    return after


def finish_replacing(workspace: Workspace, project: str, *, by: str) -> None:
    """Finish what a kill cut off. Destroys nothing: a snapshot whose files are still there stays, to be replaced again."""
    workspace.hold_ledger()
    index = SnapshotIndex(workspace.db)
    for one in index.of_project(project):
        if one.successor is None:
            continue
        if (workspace.folder("snapshots") / hex_of(one.digest)).is_dir():
            index.end(one.digest, "kept")
            continue
        after = one.successor or None
        corrected = after is not None and index.find(after).kind == "correct"
        action, why = "data.corrected" if corrected else "data.redacted", "finishing what was cut off"
        _end(workspace, project, one.digest, after, action=action, why=why, by=by)
    point_runs(workspace, project, by=by)


def point_runs(workspace: Workspace, project: str, *, by: str) -> None:
    """The newest run goes on from what is left, so that training is done again on it and never on what was."""
    workspace.hold_ledger()
    runs = RunStore(workspace.db, workspace.folder("runs"), workspace.clock)
    run = runs.latest(project)
    if run is None or not run.has("ingest"):
        return
    index = {one.digest: one for one in SnapshotIndex(workspace.db).of_project(project, kept=False)}
    product = {key: value for key, value in run.product("ingest").items() if key != "by"}
    changed = {key: _left_of(value, index) if isinstance(value, str) else value for key, value in product.items()}
    if changed != product:
        statements = evidence_of(workspace).statements.about(changed["snapshot"], SNAPSHOT_TYPE)
        runs.finish(run, "ingest", {**changed, "statement": statements[-1].digest}, by=by)


def _end(workspace: Workspace, project: str, before: str, after: str | None, *, action: str, why: str, by: str) -> None:
    """Remove it, enter the proof, then note that it is gone. Where its files are gone already, the entry has no proof."""
    try:
        gone = dispose_snapshot(before, snapshots=workspace.folder("snapshots"))
    except NotFound:
        gone = None
    proof = gone.to_json() if gone is not None else None
    detail = {"project": project, "why": why, "proof": proof, "successor": after or ""}
    workspace.ledger.append(action, before, detail, actor=by)
    SnapshotIndex(workspace.db).end(before, "replaced", after)


def _left_of(digest: str, index: Mapping[str, Known]) -> str:
    """What is in the place of a snapshot now; itself where it was not replaced, or nothing is left of it."""
    while (known := index.get(digest)) is not None and known.state == "replaced" and known.successor is not None:
        digest = known.successor
    return digest
