"""One run through a source: from the row after the last one that is in the output, to the end.

Answers: in which order do reading, record, output and the note of it follow each other?
Does not answer: may it be begun, and with what. `scoring` says so.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from sealwright.data import Source
from sealwright.kernel import Progress, Sha256
from sealwright.pipeline.scoring_batches import (
    Answered,
    Counted,
    answered,
    counted_in,
    first_refused,
    requests_of,
)
from sealwright.pipeline.scoring_job import Job, JobFile, Progressed, RowRefused, SourceChanged, VersionChanged
from sealwright.pipeline.scoring_output import Lines
from sealwright.pipeline.scoring_recorded import answers_of, requests_not_noted
from sealwright.pipeline.scoring_rows import Piece, pieces
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import BatchId, RowAnswers, ScoringPlace, Served
from sealwright.trust import as_pseudonym, keyed_name, person_name_key

__all__ = ["Run", "Wanted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How a run goes about it."""

    by: str  # who scores
    batch_rows: int
    stop_on_refused: bool


class Run:
    """Goes through one source."""

    def __init__(
        self,
        workspace: Workspace,
        place: ScoringPlace,
        file: JobFile,
        job: Job,
        wanted: Wanted,
        out: Path,
        progress: Progress,
    ) -> None:
        self._workspace, self._place, self._file, self._job, self._wanted = workspace, place, file, job, wanted
        self._out, self._progress = out, progress
        self._names = _namer(workspace, job.project)
        self._read, self._read_to = Sha256(), 0  # all requests and the last row of them, where the source has no digest
        self._signer = workspace.keyring.signer("decision-checkpoints")
        self._begun, self._before = workspace.clock(), job.done.last

    def through(self, source: Source, served: Served) -> Job:
        """Answer what is left; returns the job, ended.

        Raises
        ------
        SourceChanged, VersionChanged, RowRefused, SourceUnreadable, OperationFailed, LedgerUnavailable
            Everything before is in the output; `scoring.score` says what each means.
        """
        job = self._job
        if job.done == Progressed():
            detail = {"channel": job.channel, "digest": job.digest, "job": job.job}
            self._place.note("scoring.begun", job.package, detail, self._wanted.by)
            job = self._job = msgspec.structs.replace(job, done=Progressed(entry=self._place.ledger.size - 1))
            self._file.write(job)
        lines = Lines(self._out, job.done.size)
        on_record = requests_not_noted(self._workspace, self._place, job)
        try:
            for entry in self._place.batches_of(job.job, job.done.entry):
                answers = answers_of(self._workspace, job, entry)
                self._deliver(lines, entry.index, int(entry.detail["last"]), answers, counted_in(answers))
            self._go_through(lines, source, served, on_record)
        finally:
            lines.close()
        done = self._job.done
        counts = {"job": job.job, "refused": done.refused, "rows": done.last}
        self._place.note("scoring.ended", job.package, counts, self._wanted.by)
        self._job = msgspec.structs.replace(self._job, ended=True)
        self._file.write(self._job)
        return self._job

    def _go_through(self, lines: Lines, source: Source, served: Served, on_record: Iterator[bytes | None]) -> None:
        job, behind = self._job, self._job.done.last
        features = [feature.name for feature in served.answering.asked.features]
        wanted = {*features, *job.keys, *([job.person] if job.person else [])}
        for piece in pieces(source, wanted, self._wanted.batch_rows, cuts={behind, job.done.read_to}):
            if piece.last <= behind and job.digest:
                self._tell(piece.last, source, "passing over rows that are answered")
                continue
            served = self._same_version()
            if piece.last <= behind:
                requests = requests_of(piece, served, source.decimal)[0]
                if piece.last > job.done.read_to:
                    self._refuse_other_than_recorded(requests, on_record, piece.last)
                self._refuse_other_rows(requests, piece.last)
                continue
            with _without_collector():
                batch = BatchId.fresh()
                found = answered(piece, served, source.decimal, job.keys, batch.batch)
                self._refuse_other_rows(found.requests, piece.last)
                index = self._record(piece, batch, found, served)
                self._deliver(lines, index, piece.last, found.answers, found.counted)
            self._tell(piece.last, source, "scoring")
        if not job.digest and self._read_to < behind:
            raise self._other_rows(behind)
        if source.digest != job.digest:
            raise SourceChanged(
                f"{source.name} was changed while it was scored. Its rows are on record as they were read;\n"
                "the output is not finished. Begin anew with --anew when nobody writes to it."
            )

    def _same_version(self) -> Served:
        """The version in service, which must be the one that the job began with; and the signer's key as it is now."""
        signer = self._workspace.keyring.signer("decision-checkpoints")
        if signer is not self._signer:
            self._place.sign_with(signer)
            self._signer = signer
        served, job = self._place.serving(), self._job
        if (served.package, served.number) != (job.package, job.number):
            raise VersionChanged(
                f"Version {served.number} was put into service while version {job.number} answered. "
                f"Rows 1 to {job.done.last:,} are answered by version {job.number}, the rest by none.\n"
                f"Put version {job.number} back into service and give the same command, or begin anew with --anew."
            )
        return served

    def _record(self, piece: Piece, batch: BatchId, found: Answered, served: Served) -> int:
        """Put a batch on record; returns the index of its entry."""
        job = self._job
        if found.counted.refused and self._wanted.stop_on_refused:
            row, why = first_refused(found.answers)
            raise RowRefused(
                f"Row {row:,} is outside the contract, so nothing of its batch was answered. {why}\n"
                "Mend the source and begin anew with --anew, or let refused rows be told as such: --on-refused keep"
            )
        rows = RowAnswers(
            batch=batch.batch,
            secret=batch.secret,
            job=job.job,
            project=job.project,
            number=job.number,
            package=job.package,
            sequence=served.sequence,
            arm=served.arm,
            subject=self._wanted.by,
            first=piece.first,
            last=piece.last,
            refused=found.counted.refused,
            requests=found.requests,
            answers=found.answers,
            persons=[self._names(one) for one in piece.texts(job.person)] if job.person else [],
            kept=found.kept,
        )
        return self._place.record(rows, actor=self._wanted.by)

    def _deliver(self, lines: Lines, index: int, last: int, answers: Sequence[bytes], counted: Counted) -> None:
        """Write answers that are on record to the output, then note that they are there."""
        size, done = lines.append(answers), self._job.done
        done = Progressed(
            batches=done.batches + 1,
            last=last,
            entry=index,
            size=size,
            read=self._read.digest() if self._read_to == last else done.read,
            read_to=last if self._read_to == last else done.read_to,
            refused=done.refused + counted.refused,
            abstained=done.abstained + counted.abstained,
            reasons=dict(Counter(done.reasons) + Counter(counted.reasons)),
            beside=sorted({*done.beside, *counted.beside}),
            texts=sorted({*done.texts, *counted.texts}),
        )
        self._job = msgspec.structs.replace(self._job, done=done)
        self._file.write(self._job)

    def _refuse_other_rows(self, requests: Sequence[bytes], last: int) -> None:
        """Where a source has no digest: rows that were answered must be the same when they are read again."""
        if self._job.digest:
            return
        self._read.update(b"\n".join([*requests, b""]))
        self._read_to, done = last, self._job.done
        if last == done.read_to and self._read.digest() != done.read:
            raise self._other_rows(last)

    def _refuse_other_than_recorded(
        self, requests: Sequence[bytes], on_record: Iterator[bytes | None], last: int
    ) -> None:
        """Rows that are on record, and were not noted as read, must be what was asked; those whose record was erased are passed over."""
        if any(before not in (None, now) for now, before in zip(requests, on_record, strict=False)):
            raise self._other_rows(last)

    def _other_rows(self, last: int) -> SourceChanged:
        return SourceChanged(
            f"The {self._job.source} gives other rows than before, up to row {last:,}, so the rest would not go with them.\n"
            "Give it an order that does not change (ORDER BY), or begin anew with --anew (records so far stay)."
        )

    def _tell(self, row: int, source: Source, what: str) -> None:
        seconds = max((self._workspace.clock() - self._begun).total_seconds(), 1e-3)
        rate = max(row - self._before, 0) / seconds
        self._progress(f"{what}: {row:,} rows, {rate:,.0f} rows/s, {self._job.done.refused:,} refused", source.share)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Python looks for cycles whenever many objects are made. A batch makes a hundred thousand, none in a cycle: half the time of a
    row went into that. Between batches it looks as ever."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _namer(workspace: Workspace, project: str) -> Callable[[Any], str]:
    """From whom a row is about to the pseudonym they are kept under."""
    key = person_name_key(workspace.keyring, project)
    return lambda person: "" if person in (None, "") else as_pseudonym(keyed_name(key, str(person)))
