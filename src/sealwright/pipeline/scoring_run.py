"""One run through a source: from the row after the last one that is in the output, to the end.

Answers: in which order do reading, record, output and the note of it follow each other?
Does not answer: may it be begun, and with what. `scoring` says so.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from sealwright.data import REASONS, Source
from sealwright.kernel import Progress, Sha256
from sealwright.pipeline.decision_records import decision_records
from sealwright.pipeline.scoring_job import Job, JobFile, Progressed, RowRefused, SourceChanged, VersionChanged
from sealwright.pipeline.scoring_output import Lines
from sealwright.pipeline.scoring_rows import Piece, columns_of, pieces
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import (
    BatchId,
    RowAnswers,
    ScoringPlace,
    Served,
    decide_rows,
    read_columns,
    scored_channel,
)
from sealwright.trust import LedgerEntry, as_pseudonym, keyed_name, person_name_key

__all__ = ["Run", "Wanted"]

_MOST_LINE = 4000  # characters of a line that is no row
_ENCODER = msgspec.json.Encoder()


class _Why(msgspec.Struct):
    code: str
    field: str
    detail: str


class _Told(msgspec.Struct):
    """What must be known of an answer to count it."""

    row: int
    key: dict[str, Any] = {}
    refused: list[_Why] = []
    abstained: msgspec.Raw | UnsetType = UNSET
    calibrated: msgspec.Raw | UnsetType = UNSET
    ood: msgspec.Raw | UnsetType = UNSET
    marks: msgspec.Raw | UnsetType = UNSET


_DECODE = msgspec.json.Decoder(_Told).decode


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
        try:
            for entry in self._place.batches_of(job.job, job.done.entry):
                self._deliver(lines, entry.index, int(entry.detail["last"]), self._recorded(entry))
            self._go_through(lines, source, served)
        finally:
            lines.close()
        done = self._job.done
        counts = {"job": job.job, "refused": done.refused, "rows": done.last}
        self._place.note("scoring.ended", job.package, counts, self._wanted.by)
        self._job = msgspec.structs.replace(self._job, ended=True)
        self._file.write(self._job)
        return self._job

    def _go_through(self, lines: Lines, source: Source, served: Served) -> None:
        job, behind = self._job, self._job.done.last
        features = [feature.name for feature in served.answering.asked.features]
        wanted = {*features, *job.keys, *([job.person] if job.person else [])}
        for piece in pieces(source, wanted, self._wanted.batch_rows, cuts={behind, job.done.read_to}):
            if piece.last <= behind and job.digest:
                self._tell(piece.last, source, "passing over rows that are answered")
                continue
            served = self._same_version()
            rows = self._decided(piece, served, source.decimal) if piece.last > behind else None
            requests = rows.requests if rows is not None else _requests(piece, served, source.decimal)[0]
            self._refuse_other_rows(requests, piece.last)
            if rows is not None:
                index = self._place.record(rows, actor=self._wanted.by)
                self._deliver(lines, index, rows.last, rows.answers)
                self._tell(piece.last, source, "scoring")
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

    def _decided(self, piece: Piece, served: Served, decimal: str) -> RowAnswers:
        """The batch of a piece, decided and not on record yet."""
        job, batch = self._job, BatchId.fresh()
        requests, answers, told_less, refused = _answers(piece, served, decimal, job, batch.batch)
        if refused and self._wanted.stop_on_refused:
            raise _stopped(answers)
        return RowAnswers(
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
            refused=refused,
            requests=requests,
            answers=answers,
            persons=[self._names(one) for one in piece.texts(job.person)] if job.person else [],
            kept=told_less,
        )

    def _recorded(self, entry: LedgerEntry) -> list[bytes]:
        """The answers of a batch that is on record; of a row that was erased since, that it was."""
        said, channel = entry.detail, scored_channel(self._job.channel)
        found: dict[str, bytes] = {}
        start = {channel: entry.index}
        for _, where, record in decision_records(self._workspace, self._job.project, start=start, channel=channel):
            if where.index != entry.index:
                break
            found[record.decision] = record.answer
        return [
            found.get(f"{said['batch']}_{place}") or _erased(f"{said['batch']}_{place}", said["first"] + place)
            for place in range(said["rows"])
        ]

    def _deliver(self, lines: Lines, index: int, last: int, answers: Sequence[bytes]) -> None:
        """Write answers that are on record to the output, then note that they are there."""
        told, done = [_DECODE(one) for one in answers], self._job.done
        reasons = Counter(done.reasons)
        refused = [one.refused for one in told if one.refused]
        for why in refused:
            reasons.update({f"{one.field} {one.code}".strip() for one in why})
        size = lines.append(answers)
        done = Progressed(
            batches=done.batches + 1,
            last=last,
            entry=index,
            size=size,
            read=self._read.digest() if self._read_to == last else done.read,
            read_to=last if self._read_to == last else done.read_to,
            refused=done.refused + len(refused),
            abstained=done.abstained + sum(one.abstained is not UNSET for one in told),
            reasons=dict(reasons),
            beside=sorted({*done.beside, *_beside(told)}),
            texts=sorted({*done.texts, *_texts(told)}),
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
            raise SourceChanged(
                f"The {self._job.source} gives other rows than before, up to row {last:,}, so the rest would not go with them.\n"
                "Give it an order that does not change (ORDER BY), or begin anew with --anew (records so far stay)."
            )

    def _tell(self, row: int, source: Source, what: str) -> None:
        seconds = max((self._workspace.clock() - self._begun).total_seconds(), 1e-3)
        rate = max(row - self._before, 0) / seconds
        self._progress(f"{what}: {row:,} rows, {rate:,.0f} rows/s, {self._job.done.refused:,} refused", source.share)


def _requests(piece: Piece, served: Served, decimal: str) -> tuple[list[bytes], Any]:
    """What is asked about each row of a piece, and the rows as they were read."""
    contract = served.answering.asked
    rows = read_columns(contract, columns_of(piece, contract, decimal), len(piece.places))
    asked = {place: _ENCODER.encode({"line": text[:_MOST_LINE]}) for place, (_, text) in piece.others.items()}
    asked |= zip(piece.places.tolist(), rows.requests(), strict=True)
    return [asked[place] for place in range(piece.count)], rows


def _answers(
    piece: Piece, served: Served, decimal: str, job: Job, batch: str
) -> tuple[list[bytes], list[bytes], list[bytes], int]:
    """Requests, answers, what the record keeps besides, and how many rows are refused."""
    requests, rows = _requests(piece, served, decimal)
    decided = decide_rows(served, rows)
    told: list[Mapping[str, Any]] = [
        {"refused": [{"code": piece.others[place][0], "field": "", "detail": REASONS[piece.others[place][0]]}]}
        if place in piece.others
        else {}
        for place in range(piece.count)
    ]
    kept = [b""] * piece.count if decided.kept else []
    for at, place in enumerate(piece.places.tolist()):
        told[place] = decided.told[at]
        if kept:
            kept[place] = decided.kept[at]
    columns = [piece.texts(name) for name in job.keys]
    keyed: Iterator[dict[str, Any]] = (
        {"key": dict(zip(job.keys, cells, strict=True))} for cells in zip(*columns, strict=True)
    )
    heads = keyed if job.keys else iter([{}] * piece.count)
    lines = _ENCODER.encode_lines(
        [
            {"row": piece.first + place, **head, "decision": f"{batch}_{place}", **one}
            for place, (head, one) in enumerate(zip(heads, told, strict=True))
        ]
    )
    return requests, lines.split(b"\n")[:-1], kept, decided.refusals + len(piece.others)


def _beside(told: Sequence[_Told]) -> Iterator[str]:
    """What stands beside some answer."""
    for name in ("calibrated", "ood", "marks"):
        if any(getattr(one, name) is not UNSET for one in told):
            yield name


def _texts(told: Sequence[_Told]) -> set[str]:
    """Key columns with something else than whole numbers."""
    return {
        name
        for one in told
        for name, value in one.key.items()
        if value is not None and (type(value) is not int or abs(value) >= 1 << 63)
    }


def _namer(workspace: Workspace, project: str) -> Callable[[Any], str]:
    """From whom a row is about to the pseudonym they are kept under."""
    key = person_name_key(workspace.keyring, project)
    return lambda person: "" if person in (None, "") else as_pseudonym(keyed_name(key, str(person)))


def _erased(decision: str, row: int) -> bytes:
    why = {"code": "record.erased", "field": "", "detail": "The record was erased before the answer was written."}
    return _ENCODER.encode({"row": row, "decision": decision, "refused": [why]})


def _stopped(answers: Sequence[bytes]) -> RowRefused:
    """The refusal at the first row that is refused; every reason, and no value."""
    first = next(one for one in map(_DECODE, answers) if one.refused)
    why = " ".join(f"{one.field}: {one.detail}".removeprefix(": ") for one in first.refused)
    return RowRefused(
        f"Row {first.row:,} is outside the contract, so nothing of its batch was answered. {why}\n"
        "Mend the source and begin anew with --anew, or let refused rows be told as such: --on-refused keep"
    )
