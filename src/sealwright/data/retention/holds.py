"""Legal holds: what must stay although its time has come, why, on whose word, and until when.

Answers: is this project, snapshot or person on hold today?
Does not answer: should it be. A hold names who set it and why.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sealwright.engines import Database, Row, Tx
from sealwright.kernel import Clock, Conflict, InvalidInput, NotFound, check_name, from_rfc3339, hex_of, new_id, rfc3339
from sealwright.trust import Ledger

__all__ = ["Hold", "Holds", "Scope"]

Scope = Literal["project", "snapshot", "subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One hold. It ends on its last day, or when it is lifted; it is never deleted."""

    id: str
    project: str
    scope: Scope
    target: str  # digest of the snapshot, pseudonym of the person; empty for the whole project
    reason: str
    held_by: str
    since: datetime
    until: date | None  # last day; None: until it is lifted
    lifted_at: datetime | None

    def stands(self, today: date) -> bool:
        return self.lifted_at is None and (self.until is None or today <= self.until)

    def covers(self, project: str, snapshot: str, today: date) -> bool:
        """Whether a snapshot must stay: by itself, by its project, or since a person whose rows it may hold is on hold."""
        about = self.scope in {"project", "subject"} or self.target == snapshot
        return self.stands(today) and self.project == project and about

    def covers_person(self, project: str, subject: str, today: date, snapshots: Collection[str] = ()) -> bool:
        """Whether a person's rows in these snapshots must stay as they are, e.g. before an erasure or a correction."""
        named = {"subject": {subject}, "snapshot": set(snapshots)}
        about = self.scope == "project" or self.target in named[self.scope]
        return self.stands(today) and self.project == project and about


class Holds:
    """The holds of one workspace."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock) -> None:
        self._db, self._ledger, self._clock = db, ledger, clock

    def add(
        self,
        project: str,
        *,
        scope: Scope = "project",
        target: str = "",
        reason: str,
        by: str,
        until: date | None = None,
    ) -> Hold:
        """Put a project, a snapshot of it or a person in it on hold.

        Parameters
        ----------
        target : str
            Digest of the snapshot, or keyed pseudonym of the person; empty for the whole project.
        reason : str
            Why, 8 to 500 characters; a case number rather than names.
        until : date, optional
            Last day. Left out: until it is lifted.

        Raises
        ------
        InvalidInput
            No reason, a day that has passed, or a target that does not fit the scope.
        """
        check_name(project, what="project")
        words = _reason(reason)
        if until is not None and until < self._clock().date():
            raise InvalidInput(f"A hold until {until} would be over already.")
        if scope == "snapshot":
            hex_of(target)
        elif (scope == "project") != (target == "") or (scope == "subject" and not target.startswith("sub_")):
            raise InvalidInput(
                "A hold is on a project, on a snapshot by its digest, or on a person by their pseudonym."
            )
        hold = Hold(
            id=new_id("hold"),
            project=project,
            scope=scope,
            target=target,
            reason=words,
            held_by=by,
            since=self._clock(),
            until=until,
            lifted_at=None,
        )
        with self._db.write() as tx:
            _insert(tx, hold)
            self._enter("hold.added", hold, by)
        return hold

    def lift(self, hold: str, *, reason: str, by: str) -> Hold:
        """End a hold.

        Raises
        ------
        NotFound
            There is none of that id.
        Conflict
            It was lifted before.
        """
        words = _reason(reason)
        with self._db.write() as tx:
            tx.hold_writers("holds")
            rows = tx.run("SELECT * FROM holds WHERE id = :id", id=hold)
            if not rows:
                raise NotFound(f"There is no hold {hold[:60]!r}. See them with: sealwright data hold list")
            found = _hold(rows[0])
            if found.lifted_at is not None:
                raise Conflict(f"{hold} was lifted on {rfc3339(found.lifted_at)[:10]}.")
            tx.run("UPDATE holds SET lifted_at = :now WHERE id = :id", now=rfc3339(self._clock()), id=hold)
            self._enter("hold.lifted", found, by, words)
        return found

    def all(self) -> list[Hold]:
        """All holds ever, oldest first."""
        with self._db.read() as tx:
            return [_hold(row) for row in tx.run("SELECT * FROM holds ORDER BY since, id")]

    def standing(self) -> list[Hold]:
        """Those that stand today."""
        today = self._clock().date()
        return [one for one in self.all() if one.stands(today)]

    def on_person(self, project: str, subject: str, snapshots: Collection[str] = ()) -> Sequence[Hold]:
        """The holds that keep a person's rows from being erased or changed today.

        Parameters
        ----------
        snapshots : collection of str, optional
            Digests of those that would be replaced; a hold on one of them counts, too.
        """
        today = self._clock().date()
        return [one for one in self.all() if one.covers_person(project, subject, today, snapshots)]

    def _enter(self, action: str, hold: Hold, by: str, reason: str = "") -> None:
        detail = {
            "project": hold.project,
            "scope": hold.scope,
            "target": hold.target,
            "until": hold.until.isoformat() if hold.until else None,
        }
        self._ledger.append(action, hold.id, detail, actor=by, words=reason or hold.reason)


def _insert(tx: Tx, hold: Hold) -> None:
    tx.run(
        "INSERT INTO holds (id, project, scope, target, reason, held_by, since, until, lifted_at)"
        " VALUES (:id, :project, :scope, :target, :reason, :held_by, :since, :until, NULL)",
        id=hold.id,
        project=hold.project,
        scope=hold.scope,
        target=hold.target,
        reason=hold.reason,
        held_by=hold.held_by,
        since=rfc3339(hold.since),
        until=hold.until.isoformat() if hold.until else None,
    )


def _hold(row: Row) -> Hold:
    return Hold(
        id=row["id"],
        project=row["project"],
        scope=row["scope"],
        target=row["target"],
        reason=row["reason"],
        held_by=row["held_by"],
        since=from_rfc3339(row["since"]),
        until=date.fromisoformat(row["until"]) if row["until"] else None,
        lifted_at=from_rfc3339(row["lifted_at"]) if row["lifted_at"] else None,
    )


def _reason(reason: str) -> str:
    words = " ".join(reason.split())
    if not 8 <= len(words) <= 500:
        raise InvalidInput("Say why, in 8 to 500 characters: a case or order, no names of persons. It goes on record.")
    return words
