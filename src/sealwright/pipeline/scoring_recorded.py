"""What a scoring has on record already, read back for the run that goes on with it.

Answers: what was asked about the rows of a batch, and what was answered?
Does not answer: whether a source still gives these rows. `scoring_run` compares.
"""

from collections.abc import Iterator

from sealwright.pipeline.decision_records import decision_records
from sealwright.pipeline.scoring_batches import erased_answer
from sealwright.pipeline.scoring_job import Job
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import DecisionRecord, ScoringPlace, scored_channel
from sealwright.trust import LedgerEntry

__all__ = ["answers_of", "requests_not_noted"]


def answers_of(workspace: Workspace, job: Job, entry: LedgerEntry) -> list[bytes]:
    """The answers of one batch; of a row that was erased since, that it was.

    Raises
    ------
    VerificationFailed
        A record is not what was signed.
    """
    rows = enumerate(_rows_of(workspace, job, entry), entry.detail["first"])
    return [record.answer if record else erased_answer(decision, row) for row, (decision, record) in rows]


def requests_not_noted(workspace: Workspace, place: ScoringPlace, job: Job) -> Iterator[bytes | None]:
    """What was asked about each row on record behind `job.done.read_to`, in order; None where it was erased since. Raises as
    `answers_of`."""
    done = job.done
    after = done.entry if done.read_to == done.last else -1  # after more than one cut, no note says where to begin
    for entry in place.batches_of(job.job, after):
        if entry.detail["last"] > done.read_to:
            yield from (record.request if record else None for _, record in _rows_of(workspace, job, entry))


def _rows_of(workspace: Workspace, job: Job, entry: LedgerEntry) -> Iterator[tuple[str, DecisionRecord | None]]:
    """The decision about each row of a batch, and its record, if there still is one."""
    said, channel = entry.detail, scored_channel(job.channel)
    found: dict[str, DecisionRecord] = {}
    start = {channel: entry.index}
    for _, where, record in decision_records(workspace, job.project, start=start, channel=channel):
        if where.index != entry.index:
            break
        found[record.decision] = record
    for at in range(said["rows"]):
        decision = f"{said['batch']}_{at}"
        yield decision, found.get(decision)
