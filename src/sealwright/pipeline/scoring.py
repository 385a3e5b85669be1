"""Score a file or a query with what is released: every row answered as a server would, on record, and provable.

Answers: what does the version in service say about each of these rows?
Does not answer: one row at once. For that, ask a server (docs/how-to/ask-for-predictions.md).

Batch after batch is (1) read and decided, (2) put on record, on disk and under a signed checkpoint, (3) written to the output, (4)
noted as done. A kill between any two loses nothing: what is on record and not in the output is taken from the record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from sealwright.data import Source, open_source
from sealwright.data.sources import SourceSpec
from sealwright.kernel import Conflict, InvalidInput, NotFound, Progress, check_name, new_id, rfc3339, silent
from sealwright.pipeline.by_name import project_named
from sealwright.pipeline.permission import allow
from sealwright.pipeline.scoring_job import Job, JobFile, SourceChanged, VersionChanged
from sealwright.pipeline.scoring_output import finish_output, part_of, refuse_kind
from sealwright.pipeline.scoring_run import Run, Wanted
from sealwright.pipeline.scoring_tables import OWN_COLUMNS
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import DECISION_KEY_PURPOSE, ScoringPlace, Served, scored_channel
from sealwright.trust import Principal

__all__ = ["Scored", "score"]

_MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What became of a source."""

    project: str
    number: int
    package: str
    job: str
    out: Path
    rows: int
    refused: int
    abstained: int
    reasons: Mapping[str, int]  # refused rows by field and code
    batches: int
    channel: str  # which the decisions are listed under
    seconds: float  # of this run
    before: int  # rows that an earlier run had answered

    @property
    def answered(self) -> int:
        """Rows with a label or a value."""
        return self.rows - self.refused - self.abstained

    def to_json(self) -> dict[str, Any]:
        names = ("project", "package", "job", "rows", "answered", "refused", "abstained", "batches", "channel")
        return {name: getattr(self, name) for name in names} | {
            "version": self.number,
            "out": str(self.out),
            "reasons": dict(self.reasons),
            "seconds": round(self.seconds, 3),
            "rows_before": self.before,
        }


def score(
    workspace: Workspace,
    source: SourceSpec,
    *,
    project: str,
    out: Path,
    by: Principal,
    channel: str = "live",
    person: str = "",
    keys: Sequence[str] = (),
    batch_rows: int = 10_000,
    stop_on_refused: bool = False,
    anew: bool = False,
    base: Path = Path(),
    environment: Mapping[str, str] | None = None,
    progress: Progress = silent,
) -> Scored:
    """Answer every row of a source with the version that serves on a channel. The same call goes on after a kill.

    Parameters
    ----------
    source : str, FileSource, SqlSource or S3Source
        As `data.source` of a project file names it; paths are relative to `base`. Columns beyond the features are left alone.
    out : Path
        A new file: .jsonl (each line is the exact answer on record), .csv, .parquet or .arrow.
    person : str
        The column that says whom a row is about: decisions are found and erased by it, and kept under a pseudonym.
    keys : sequence of str
        Columns that are repeated in the answers.
    batch_rows : int
        Rows with one entry in the ledger, at most.
    stop_on_refused : bool
        Stop at the first row that is outside the contract; what stands before its batch is answered and stays.
    anew : bool
        Forget what an earlier run put into the output. What it put on record stays there.

    Raises
    ------
    PermissionDenied
        They may not score files of this project.
    NotFound
        Nothing is released on that channel.
    Conflict
        The output is there already; `SourceChanged`, `VersionChanged`: it was begun with something else.
    RowRefused
        With `stop_on_refused`.
    SourceUnreadable, TransportRefused, ColumnsUnusable
        As `open_source`.
    VerificationFailed
        Pointer, package, or the ledger of scored files does not hold.
    OperationFailed
        The disk is full or read-only. What is on record stays, and the same call goes on.
    """
    allow(workspace, by, "model.score", project_named(project))
    begun, out = workspace.clock(), out.absolute()
    _refuse_unusable(workspace, project, channel, out, keys, batch_rows)
    file = JobFile(out)
    job = _begun(file, out, anew=anew)
    opened = open_source(source, base, environment=environment)
    before = 0 if job is None else job.done.last
    if job is not None and job.ended:
        _refuse_other(job, _asked(workspace, job, opened, channel, person, keys), file)
    else:
        with _place(workspace, project, channel) as place:
            served = place.serving()
            asked = _asked(workspace, served, opened, channel, person, keys)
            if job is not None:
                _refuse_other(job, asked, file)
            wanted = Wanted(by=by.counts_as, batch_rows=batch_rows, stop_on_refused=stop_on_refused)
            job = Run(workspace, place, file, job or asked, wanted, out, progress).through(opened, served)
    finish_output(out, job)
    file.remove()
    done, seconds = job.done, (workspace.clock() - begun).total_seconds()
    return Scored(
        project=project, number=job.number, package=job.package, job=job.job, out=out, rows=done.last,
        refused=done.refused, abstained=done.abstained, reasons=done.reasons, batches=done.batches,
        channel=scored_channel(channel), seconds=seconds, before=before,
    )  # fmt: skip


def _refuse_unusable(
    workspace: Workspace, project: str, channel: str, out: Path, keys: Sequence[str], batch_rows: int
) -> None:
    check_name(project, what="project")
    check_name(channel, what="channel")
    refuse_kind(out)
    if not 1 <= batch_rows <= _MOST_ROWS:
        raise InvalidInput(f"A batch has 1 to {_MOST_ROWS:,} rows; got {batch_rows}.")
    taken = [key for key in keys if key in OWN_COLUMNS or key.startswith(("probability.", "calibrated."))]
    if taken or len(set(keys)) != len(keys):
        raise InvalidInput(
            f"These columns cannot be repeated in the output, which has columns of that name: {', '.join(taken) or 'one twice'}."
        )
    if not (workspace.folder("pointers") / project / f"{channel}.json").is_file():
        raise NotFound(
            f"Nothing is released for {project} on the channel {channel}.\n"
            "Put a version into service first: sealwright promote"
        )


def _begun(file: JobFile, out: Path, *, anew: bool) -> Job | None:
    """The job that an earlier run began here."""
    if anew:
        file.remove()
        part_of(out).unlink(missing_ok=True)
    job = file.read()
    for one, ours in ((out, job is not None and job.ended), (part_of(out), job is not None)):
        if one.exists() and not ours:
            raise Conflict(f"{one} is there already. Name a new file, or move it away.")
    return job


def _place(workspace: Workspace, project: str, channel: str) -> ScoringPlace:
    keyring, root = workspace.keyring, workspace.trust_root
    return ScoringPlace(
        home=workspace.home,
        project=project,
        channel=channel,
        trust_root=root,
        signer=keyring.signer("decision-checkpoints"),
        keys=root.keys_of("decision-checkpoints"),
        sealing_key=keyring.key("decisions", DECISION_KEY_PURPOSE),
        discretion=workspace.discretion,
        clock=workspace.clock,
    )


def _asked(
    workspace: Workspace, version: Served | Job, source: Source, channel: str, person: str, keys: Sequence[str]
) -> Job:
    """What is asked for now, as a new job of this version."""
    if isinstance(version, Job):
        project, classes = version.project, version.classes
    else:
        contract = version.answering.asked
        project = contract.project
        classes = list(contract.classes) if contract.output == "probabilities" else []
        _refuse_lacking(source, [feature.name for feature in contract.features], [person, *keys], version.number)
    return Job(
        job=new_id("job"),
        project=project,
        channel=channel,
        package=version.package,
        number=version.number,
        classes=classes,
        source=source.name,
        digest=source.digest,
        columns=list(source.columns),
        person=person,
        keys=list(keys),
        begun_at=rfc3339(workspace.clock()),
    )


def _refuse_lacking(source: Source, features: Sequence[str], besides: Sequence[str], number: int) -> None:
    lacking = [name for name in (*features, *besides) if name and name not in source.columns]
    if lacking:
        raise InvalidInput(
            f"{source.name} has no column {', '.join(map(repr, lacking[:20]))}.\n"
            f"Version {number} asks for: {', '.join(features)}"
        )


def _refuse_other(job: Job, asked: Job, file: JobFile) -> None:
    """Go on with a job only where it is what is asked for."""
    if job.same(asked):
        return
    so_far = f"{file.path.name} says that rows 1 to {job.done.last:,} were answered"
    if (job.package, job.number) != (asked.package, asked.number):
        raise VersionChanged(
            f"{so_far} by version {job.number}; version {asked.number} is in service now.\n"
            "Answers of two versions are not put into one file. Begin anew with --anew (records of the rows so far stay),\n"
            f"or put version {job.number} back into service and go on."
        )
    if (job.source, job.digest, job.columns) != (asked.source, asked.digest, asked.columns):
        raise SourceChanged(
            f"{so_far} from another {job.source}: it was changed since, or this is another source.\n"
            "Bring back the one that was begun with, or begin anew with --anew (records of the rows so far stay)."
        )
    changed = [name for name in msgspec.structs.asdict(job) if getattr(job, name) != getattr(asked, name)]
    changed = [name for name in changed if name not in ("job", "begun_at", "done", "ended")]
    raise Conflict(f"{so_far}, but with another {', '.join(changed)}. Ask for the same, or begin anew with --anew.")
