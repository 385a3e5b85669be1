"""A run: one way of one project from its charter to a registered version, resumable at every step.

Answers: how far did we get, what did each step produce, and from what?
A step is kept only when it is complete, and used again only while what it was made from is the same; a
crash repeats the step it interrupted and none before it. Files are kept once each, under their digest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from sealwright.engines import Database, Row
from sealwright.kernel import (
    Clock,
    InvalidInput,
    NotFound,
    VerificationFailed,
    canonical_json,
    digest_of,
    from_rfc3339,
    hex_of,
    new_id,
    private_folder,
    read_limited,
    rfc3339,
    strict_json,
    write_atomically,
)

__all__ = ["STEPS", "Run", "RunStore", "Step"]

Step = Literal["charter", "ingest", "train", "assess", "candidate", "seal"]
STEPS: tuple[Step, ...] = ("charter", "ingest", "train", "assess", "candidate", "seal")

_MOST_BYTES = 2 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Where one way stands. `done` maps each finished step to what it produced (digests and small facts)."""

    id: str
    project: str
    project_digest: str
    by: str
    created_at: str
    done: Mapping[str, Mapping[str, Any]]

    def has(self, step: Step) -> bool:
        return step in self.done

    def current(self, step: Step, of: str) -> Mapping[str, Any] | None:
        """What a step produced, if it was made from what `of` stands for."""
        product = self.done.get(step)
        return product if product is not None and product["of"] == of else None

    def product(self, step: Step) -> Mapping[str, Any]:
        """What a finished step produced.

        Raises
        ------
        NotFound
            The step was not done yet.
        """
        if step not in self.done:
            raise NotFound(
                f"The step {step!r} of {self.project} was not done yet.\nDo it with: sealwright {_VERB[step]}"
            )
        return self.done[step]


_VERB: Mapping[str, str] = {
    "charter": "run",
    "ingest": "ingest",
    "train": "train",
    "assess": "assess",
    "candidate": "assess",
    "seal": "seal",
}


class RunStore:
    """Runs in the database, their files in one private folder, named by digest."""

    def __init__(self, db: Database, folder: Path, clock: Clock) -> None:
        self._db = db
        self._folder = folder
        self._clock = clock

    def start(self, project: str, project_digest: str, by: str) -> Run:
        return self._begin(project, project_digest, by, {}, "open")

    def _begin(
        self, project: str, project_digest: str, by: str, done: Mapping[str, Mapping[str, Any]], state: str
    ) -> Run:
        """A new run, which knows what was done before it from its first moment on, and is newer than all others."""
        with self._db.write() as tx:
            tx.hold_writers("runs")
            now = _after(
                tx.run("SELECT MAX(created_at) AS last FROM runs WHERE project = :project", project=project)[0]["last"],
                self._clock(),
            )
            run = Run(
                id=new_id("run"), project=project, project_digest=project_digest, by=by, created_at=now, done=done
            )
            tx.run(
                "INSERT INTO runs (id, project, state, detail, created_at, updated_at)"
                " VALUES (:id, :project, :state, :detail, :now, :now)",
                id=run.id,
                project=project,
                state=state,
                detail=_detail(run),
                now=now,
            )
        return run

    def finish(self, run: Run, step: Step, product: Mapping[str, Any], *, by: str) -> Run:
        """Record that `step` is complete. A step done anew begins a new run, so that what was is still on record."""
        done = {**run.done, step: {**product, "by": by}}
        state = "sealed" if step == "seal" else step
        if step in run.done:
            return self._begin(run.project, run.project_digest, by, done, state)
        run = replace(run, done=done)
        with self._db.write() as tx:
            tx.run(
                "UPDATE runs SET state = :state, detail = :detail, updated_at = :now WHERE id = :id",
                id=run.id,
                state=state,
                detail=_detail(run),
                now=rfc3339(self._clock()),
            )
        return run

    def latest(self, project: str) -> Run | None:
        """The newest run of a project, finished or not."""
        with self._db.read() as tx:
            rows = tx.run(
                "SELECT id, project, detail, created_at FROM runs WHERE project = :project"
                " ORDER BY created_at DESC, id DESC LIMIT 1",
                project=project,
            )
        return _run(rows[0]) if rows else None

    def keep(self, data: bytes) -> str:
        """Keep a file; returns its digest, which belongs into the product of the step that made it."""
        digest = digest_of(data)
        path = private_folder(self._folder) / hex_of(digest)
        if not path.exists():
            write_atomically(path, data)
        return digest

    def fetch(self, digest: str) -> bytes:
        """A kept file, refused if it changed.

        Raises
        ------
        VerificationFailed
            Its bytes are not those that were kept.
        """
        try:
            data = read_limited(self._folder / hex_of(digest), _MOST_BYTES)
        except InvalidInput:
            data = b""
        if digest_of(data) != digest:
            raise VerificationFailed(
                "A file of this run was changed or is gone.\nDo the steps again: sealwright run --fresh",
                link=f"runs/{hex_of(digest)[:16]}",
            )
        return data


def _after(last: str | None, now: datetime) -> str:
    """Now, or a moment after the last run where a clock went back or stands still: the newest run stays the newest."""
    if last is None or last < rfc3339(now):
        return rfc3339(now)
    return rfc3339(from_rfc3339(last) + timedelta(milliseconds=1))


def _detail(run: Run) -> str:
    return canonical_json({"project_digest": run.project_digest, "by": run.by, "done": run.done}).decode()


def _run(row: Row) -> Run:
    detail = strict_json(str(row["detail"]), what="run")
    return Run(
        id=row["id"],
        project=row["project"],
        project_digest=detail["project_digest"],
        by=detail["by"],
        created_at=row["created_at"],
        done=detail["done"],
    )
