"""Whose rows are left out: restricted, objected, opted out, erased. Asked at every ingest and export.

Answers: may the rows of this person come in, or leave?
Does not answer: why somebody asked for it; that is the request named beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sealwright.engines import Database, Row, Tx
from sealwright.kernel import (
    Clock,
    InvalidInput,
    NotFound,
    Refused,
    StoppedByPolicy,
    VerificationFailed,
    check_name,
    from_rfc3339,
    new_id,
    rfc3339,
)
from sealwright.trust import Ledger

__all__ = [
    "SUPPRESSED",
    "SuppressedInExport",
    "Suppression",
    "SuppressionKind",
    "Suppressions",
    "check_export",
    "keep_mask",
]

SuppressionKind = Literal["restrict", "object", "opt_out", "erased"]
_KINDS: tuple[SuppressionKind, ...] = get_args(SuppressionKind)
SUPPRESSED: Mapping[str, str] = {kind: f"suppressed_{kind}" for kind in _KINDS}
"""Reason code for a row that is left out, by kind. The strictest kind of a person names it."""
_STRICTEST = ("erased", "restrict", "object", "opt_out")


class SuppressedInExport(StoppedByPolicy):
    """An export holds rows of persons who are not to be in it. Nothing may leave."""

    code = "data.suppressed_in_export"

    def __init__(self, counts: Mapping[str, int]) -> None:
        self.counts = dict(counts)
        listed = ", ".join(f"{kind}: {rows:,}" for kind, rows in self.counts.items())
        super().__init__(
            f"{sum(self.counts.values()):,} rows of this export are of persons who may not be in it ({listed}).\n"
            "Nothing was exported. Make it again from a snapshot ingested since, or leave those rows out."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One reason to leave a person out."""

    id: str
    project: str
    subject: str  # keyed pseudonym
    kind: SuppressionKind
    since: datetime
    origin: str  # "request", "gpc": where it came from
    request: str  # id of the request; empty where there was none
    lifted_at: datetime | None


class Suppressions:
    """The suppressions of one workspace."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock) -> None:
        self._db, self._ledger, self._clock = db, ledger, clock

    def suppress(
        self,
        project: str,
        subject: str,
        kind: SuppressionKind,
        *,
        by: str,
        since: datetime | None = None,
        request: str = "",
        origin: str = "request",
    ) -> Suppression:
        """Leave a person out from now on. The second time, what stands is returned.

        Parameters
        ----------
        origin : str
            "request", or "gpc" for the signal of a browser: California asks to show that it was honoured.

        Raises
        ------
        InvalidInput
            An unknown kind.
        """
        check_name(project, what="project")
        if kind not in _KINDS:
            raise InvalidInput(f"A person is left out as {', '.join(_KINDS)}; got {str(kind)[:40]!r}.")
        with self._db.write() as tx:
            tx.hold_writers("suppressions")
            standing = [one for one in _of_subject(tx, project, subject) if one.kind == kind and not one.lifted_at]
            if standing:
                return standing[0]
            new = Suppression(
                id=new_id("sup"),
                project=project,
                subject=subject,
                kind=kind,
                since=since or self._clock(),
                origin=origin,
                request=request,
                lifted_at=None,
            )
            _insert(tx, new)
            detail = {"project": project, "kind": kind, "origin": origin, "request": request, "id": new.id}
            self._ledger.append("subject.suppressed", subject, detail, actor=by)
        return new

    def lift(self, project: str, subject: str, kind: SuppressionKind, *, reason: str, by: str) -> Suppression:
        """Let a person's rows in again.

        Raises
        ------
        NotFound
            Nothing of that kind stands.
        Refused
            The person was erased. They may come back as somebody new, never as who they were.
        InvalidInput
            No reason.
        """
        if kind == "erased":
            raise Refused("An erasure is not lifted: what was erased does not come back.")
        if len(" ".join(reason.split())) < 8:
            raise InvalidInput("Say in a few words why, e.g. that the person asked for it. It goes on record.")
        now = self._clock()
        with self._db.write() as tx:
            tx.hold_writers("suppressions")
            standing = [one for one in _of_subject(tx, project, subject) if one.kind == kind and not one.lifted_at]
            if not standing:
                raise NotFound(f"No suppression of kind {kind} stands for this person in {project}.")
            tx.run("UPDATE suppressions SET lifted_at = :now WHERE id = :id", now=rfc3339(now), id=standing[0].id)
            detail = {"project": project, "kind": kind, "id": standing[0].id}
            self._ledger.append("subject.unsuppressed", subject, detail, actor=by)
        return standing[0]

    def suppressed(self, project: str) -> dict[str, frozenset[SuppressionKind]]:
        """Everybody who is left out of a project now: pseudonym -> kinds."""
        with self._db.read() as tx:
            rows = tx.run(
                "SELECT subject, kind FROM suppressions WHERE project = :project AND lifted_at IS NULL", project=project
            )
        found: dict[str, set[SuppressionKind]] = {}
        for row in rows:
            found.setdefault(row["subject"], set()).add(row["kind"])
        return {subject: frozenset(kinds) for subject, kinds in found.items()}

    def of_subject(self, project: str, subject: str) -> list[Suppression]:
        """All of a person, lifted ones too, oldest first."""
        with self._db.read() as tx:
            return _of_subject(tx, project, subject)

    def compare(self) -> int:
        """Compare what stands in the table with the ledger; returns how many agree.

        Raises
        ------
        VerificationFailed
            They differ: a row was taken out or lifted behind our back.
        """
        with self._db.read() as tx:
            kept = {row["id"] for row in tx.run("SELECT id FROM suppressions WHERE lifted_at IS NULL")}
        entered: set[str] = set()
        for entry in self._ledger.entries():
            if entry.action == "subject.suppressed":
                entered.add(str(entry.detail["id"]))
            elif entry.action == "subject.unsuppressed":
                entered.discard(str(entry.detail["id"]))
        if kept != entered:
            raise VerificationFailed(
                f"The table of suppressions and the ledger differ in {len(kept ^ entered):,} rows.\n"
                "Restore database and ledger from the same backup before anything is ingested or exported.",
                link="suppressions",
            )
        return len(kept)


def keep_mask(
    subjects: Sequence[str] | NDArray[Any], suppressed: Mapping[str, Iterable[str]]
) -> tuple[NDArray[np.bool_], NDArray[np.object_]]:
    """Which rows stay, and the reason code of each that does not.

    Parameters
    ----------
    subjects : sequence of str, length n
        The pseudonym of the person of each row.
    suppressed : mapping
        From `Suppressions.suppressed`; leave out kinds that do not matter for the purpose.

    Returns
    -------
    mask : bool array, shape (n,)
        True: stays.
    reasons : object array, shape (n,)
        "" where it stays, else a value of `SUPPRESSED`.
    """
    code = {
        subject: next(place for place, kind in enumerate(_STRICTEST, start=1) if kind in set(kinds))
        for subject, kinds in suppressed.items()
        if set(kinds) & set(_STRICTEST)
    }
    codes = np.fromiter((code.get(str(one), 0) for one in subjects), dtype=np.int8, count=len(subjects))
    names = np.array(["", *(SUPPRESSED[kind] for kind in _STRICTEST)], dtype=object)
    return codes == 0, names[codes]


def check_export(subjects: Sequence[str] | NDArray[Any], suppressed: Mapping[str, Iterable[str]]) -> int:
    """Return the number of rows of an export if none is of a suppressed person (control DG-09).

    Raises
    ------
    SuppressedInExport
        Some are; nothing may leave.
    """
    mask, reasons = keep_mask(subjects, suppressed)
    if not mask.all():
        raise SuppressedInExport(
            {kind: int((reasons == code).sum()) for kind, code in SUPPRESSED.items() if (reasons == code).any()}
        )
    return len(mask)


def _insert(tx: Tx, new: Suppression) -> None:
    tx.run(
        "INSERT INTO suppressions (id, project, subject, kind, since, origin, request, lifted_at)"
        " VALUES (:id, :project, :subject, :kind, :since, :origin, :request, NULL)",
        id=new.id,
        project=new.project,
        subject=new.subject,
        kind=new.kind,
        since=rfc3339(new.since),
        origin=new.origin,
        request=new.request,
    )


def _of_subject(tx: Tx, project: str, subject: str) -> list[Suppression]:
    rows = tx.run(
        "SELECT * FROM suppressions WHERE project = :project AND subject = :subject ORDER BY since, id",
        project=project,
        subject=subject,
    )
    return [_suppression(row) for row in rows]


def _suppression(row: Row) -> Suppression:
    lifted = row["lifted_at"]
    return Suppression(
        id=row["id"],
        project=row["project"],
        subject=row["subject"],
        kind=row["kind"],
        since=from_rfc3339(row["since"]),
        origin=row["origin"],
        request=row["request"],
        lifted_at=from_rfc3339(lifted) if lifted else None,
    )
