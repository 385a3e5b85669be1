"""Break-glass: roles for one person in one project, for an hour, because two people said so, with an alarm.

Answers: how does somebody get to act in an emergency when whoever should act cannot be reached?
Does not answer: whether it was one. The reason is on record, every use raises an alarm, and auditors read both.

The request and the agreement come from two different people in the right roles, both strongly proven; whoever would
profit does not agree. Separation of duties still holds: an emergency gives roles, it does not lift a prohibition.
The database keeps the terms, the ledger decides: only what was asked for on record is agreed to, and what it says has ended
stays ended, whatever a backup brings back.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sealwright.engines import Database, Row
from sealwright.kernel import (
    Clock,
    Conflict,
    InvalidInput,
    NotFound,
    VerificationFailed,
    canonical_json,
    check_name,
    digest_of,
    from_rfc3339,
    new_id,
    rfc3339,
)
from sealwright.trust.audit import Audit, Event
from sealwright.trust.ledger import Ledger
from sealwright.trust.people import ROLES
from sealwright.trust.permissions.glass_ledger import ENDED, OPENED, REQUESTED, GlassLedger, Noted
from sealwright.trust.permissions.open_glass import OpenGlass, holder_of
from sealwright.trust.permissions.permissions import Permissions
from sealwright.trust.permissions.resources import CaseResource
from sealwright.trust.principal import Principal

__all__ = ["LONGEST_MINUTES", "USUAL_MINUTES", "BreakGlass", "Emergency"]

USUAL_MINUTES, LONGEST_MINUTES = 60, 240
_WAITS_FOR = timedelta(hours=1)  # a request nobody agrees to is not kept for later
_SHORTEST_REASON, _LONGEST_REASON = 20, 500
_CHANGED = "break_glass.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """An emergency as it is on file. Times are RFC 3339; "" where it has not come to that."""

    id: str
    project: str
    beneficiary: str
    roles: tuple[str, ...]
    reason: str
    minutes: int
    state: str  # requested, open or ended
    requested_by: str
    requested_at: str
    confirmed_by: str
    until: str
    ended_by: str
    ended_at: str

    @property
    def terms(self) -> str:
        """Digest of what was agreed to."""
        names = ("id", "project", "beneficiary", "roles", "reason", "minutes", "requested_by", "confirmed_by", "until")
        return digest_of(canonical_json({name: getattr(self, name) for name in names}))

    @property
    def case(self) -> CaseResource:
        return CaseResource(
            name=self.id,
            project=self.project,
            about="break_glass",
            opened_by=frozenset({self.requested_by}),
            beneficiary=self.beneficiary,
        )

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"roles": list(self.roles)}


class BreakGlass:
    """The emergencies of one workspace."""

    def __init__(
        self,
        db: Database,
        ledger: Callable[[], Ledger],
        audit: Audit,
        clock: Clock,
        names: Callable[[str], Collection[str]] = lambda _: (),
    ) -> None:
        """Take what the workspace has.

        Parameters
        ----------
        ledger : callable
            Gives it as it is now, to look at.
        names : callable
            Every pseudonym a name has in the ledger (`Discretion.names_of`). Without it nothing can be confirmed.
        """
        self._db, self._audit, self._clock, self._names = db, audit, clock, names
        self._known = GlassLedger(ledger)

    def request(
        self,
        permissions: Permissions,
        by: Principal,
        *,
        project: str,
        beneficiary: str,
        roles: Sequence[str],
        reason: str,
        minutes: int = USUAL_MINUTES,
    ) -> Emergency:
        """Ask for it. Nothing is open before a second person agrees, within an hour.

        Raises
        ------
        PermissionDenied
            Not in a role that may ask.
        InvalidInput
            No reason of 20 to 500 characters, an unknown role, or more than four hours.
        NotFound
            The beneficiary is not enrolled.
        """
        words = " ".join(reason.split())
        if not _SHORTEST_REASON <= len(words) <= _LONGEST_REASON or not words.isprintable():
            raise InvalidInput(f"Say what the emergency is, in {_SHORTEST_REASON} to {_LONGEST_REASON} characters.")
        if not roles or set(roles) - set(ROLES):
            raise InvalidInput(f"An emergency gives one or more of these roles: {', '.join(ROLES)}.")
        if not 1 <= minutes <= LONGEST_MINUTES:
            raise InvalidInput(f"An emergency lasts 1 to {LONGEST_MINUTES} minutes; got {minutes}.")
        asked = Emergency(
            id=new_id("bg"),
            project=check_name(project, what="project"),
            beneficiary=check_name(beneficiary, what="person"),
            roles=tuple(role for role in ROLES if role in roles),
            reason=words,
            minutes=minutes,
            state="requested",
            requested_by=by.name,
            requested_at=rfc3339(self._clock()),
            confirmed_by="",
            until="",
            ended_by="",
            ended_at="",
        )
        decision = permissions.need(by, "break_glass.request", asked.case)
        self._record(REQUESTED, asked, by.name, decision.policies, holder=_holder(permissions, asked))
        with self._db.write() as tx:
            tx.run(
                "INSERT INTO break_glass (id, project, beneficiary, roles, reason, minutes, state, requested_by,"
                " requested_at, confirmed_by, until, ended_by, ended_at) VALUES (:id, :project, :beneficiary, :roles,"
                " :reason, :minutes, :state, :requested_by, :requested_at, '', '', '', '')",
                id=asked.id,
                project=asked.project,
                beneficiary=asked.beneficiary,
                roles=",".join(asked.roles),
                reason=asked.reason,
                minutes=asked.minutes,
                state=asked.state,
                requested_by=asked.requested_by,
                requested_at=asked.requested_at,
            )
        return asked

    def confirm(self, permissions: Permissions, by: Principal, glass: str) -> Emergency:
        """Agree as the second person: from now on the roles count, and an alarm is raised.

        Raises
        ------
        PermissionDenied
            The one who asked, the one who would profit, or not in a role that may agree.
        Conflict
            It was opened or ended before, asked for more than an hour ago, or the beneficiary has another key since.
        NotFound
            The beneficiary is not enrolled any more.
        VerificationFailed
            It is not what was asked for on record. An alarm is raised.
        """
        found = self.get(glass)
        decision = permissions.need(by, "break_glass.open", found.case)
        now = self._clock()
        with self._db.write() as tx:
            tx.hold_writers("break_glass")
            (row,) = tx.run("SELECT * FROM break_glass WHERE id = :id", id=glass)
            judged, found = found, _emergency(row)
            if found.state != "requested":
                raise Conflict(f"{glass} is {found.state} already.")
            asked = self._asked(found, judged, by)
            if now - asked.at > _WAITS_FOR:
                raise Conflict(f"{glass} was asked for more than an hour ago. Ask anew if it is still needed.")
            holder = _holder(permissions, found)
            if holder != asked.holder:
                raise Conflict(f"{found.beneficiary} has another key than when {glass} was asked for. Ask anew.")
            until = rfc3339(now + timedelta(minutes=found.minutes))
            opened = _emergency({**row, "state": "open", "confirmed_by": by.name, "until": until})
            self._record(OPENED, opened, by.name, decision.policies, holder=holder, alarm=True)
            tx.run(
                "UPDATE break_glass SET state = 'open', confirmed_by = :by, until = :until WHERE id = :id",
                by=by.name,
                until=until,
                id=glass,
            )
        return opened

    def end(self, permissions: Permissions, by: Principal, glass: str) -> Emergency:
        """End it before its time. Whoever has a part in it may always do so.

        Raises
        ------
        PermissionDenied
            Somebody without a part in it, in no role that may.
        """
        found = self.get(glass)
        part = {found.requested_by, found.confirmed_by, found.beneficiary}
        proven = by.kind == "person" and by.proof != "machine_account"
        policies = () if proven and by.name in part else permissions.need(by, ENDED, found.case).policies
        self._record(ENDED, found, by.name, policies, holder="")
        with self._db.write() as tx:
            tx.hold_writers("break_glass")
            tx.run(
                "UPDATE break_glass SET state = 'ended', ended_by = :by, ended_at = :now WHERE id = :id AND state <> 'ended'",
                by=by.name,
                now=rfc3339(self._clock()),
                id=glass,
            )
        return self.get(glass)

    def get(self, glass: str) -> Emergency:
        """One of them.

        Raises
        ------
        NotFound
            There is none of that id.
        """
        with self._db.read() as tx:
            rows = tx.run("SELECT * FROM break_glass WHERE id = :id", id=glass)
        if not rows:
            raise NotFound(f"There is no emergency {glass[:64]!r}. List them with: sealwright break-glass list")
        return _emergency(rows[0])

    def all(self) -> list[Emergency]:
        """All of them, the newest first; what is past its time is shown as ended."""
        with self._db.read() as tx:
            rows = tx.run("SELECT * FROM break_glass ORDER BY requested_at DESC, id")
        standing = {one.id for one in self.open_at(self._clock())}
        found = [_emergency(row) for row in rows]
        return [
            _emergency({**row, "state": "ended"}) if one.state == "open" and one.id not in standing else one
            for row, one in zip(rows, found, strict=True)
        ]

    def open_at(self, moment: datetime) -> list[OpenGlass]:
        """Those whose roles count at `moment`: open in the database, and in the ledger on the same terms, not ended."""
        with self._db.read() as tx:
            rows = tx.run("SELECT * FROM break_glass WHERE state = 'open' AND until > :now", now=rfc3339(moment))
        found = [(one, self._known.standing(one.id)) for one in map(_emergency, rows)]
        return [_open(one, noted) for one, noted in found if noted is not None and noted.terms == one.terms]

    def _asked(self, found: Emergency, judged: Emergency, by: Principal) -> Noted:
        """How the request in the row was recorded. A row that says something else, also than a moment ago, opens nothing."""
        noted = self._known.waiting(found.id)
        if (
            noted is not None
            and noted.terms == found.terms == judged.terms
            and noted.by in self._names(found.requested_by)
        ):
            return noted
        said = {"actor": by.name, "resource": str(found.case), "reason": _CHANGED}
        self._audit.record(Event(action=OPENED, outcome="refused", **said))  # type: ignore[arg-type]
        self._audit.record(Event(action="alert.raise", outcome="done", **said))  # type: ignore[arg-type]
        raise VerificationFailed(
            f"{found.id} is not what was asked for on record, so nobody can agree to it. Ask anew, and find out who changed\n"
            "the database.",
            link="break_glass",
        )

    def _record(
        self,
        action: str,
        about: Emergency,
        actor: str,
        policies: tuple[str, ...],
        *,
        holder: str,
        alarm: bool = False,
    ) -> None:
        detail = {"project": about.project, "roles": list(about.roles), "minutes": about.minutes, "terms": about.terms}
        detail |= {"until": about.until} | ({"holder": holder} if holder else {})
        for name, reason in ((action, ""), *((("alert.raise", action),) if alarm else ())):
            self._audit.record(
                Event(
                    action=name,
                    outcome="done",
                    actor=actor,
                    resource=str(about.case),
                    reason=reason,
                    policies=policies,
                    detail=detail,
                )
            )


def _holder(permissions: Permissions, about: Emergency) -> str:
    """Digest of the enrolment an emergency is for, as it stands now.

    Raises
    ------
    NotFound
        The beneficiary is not enrolled.
    """
    member = permissions.roster.get(about.beneficiary)
    if member is None:
        raise NotFound(f"Nobody called {about.beneficiary!r} is enrolled here. See who is with: sealwright people list")
    return holder_of(about.id, about.reason, member)


def _open(one: Emergency, noted: Noted) -> OpenGlass:
    return OpenGlass(
        id=one.id,
        project=one.project,
        beneficiary=one.beneficiary,
        roles=frozenset(one.roles),
        until=from_rfc3339(one.until),
        reason=one.reason,
        holder=noted.holder,
    )


def _emergency(row: Row) -> Emergency:
    fields = {name: row[name] for name in Emergency.__dataclass_fields__}
    return Emergency(**{**fields, "roles": tuple(str(row["roles"]).split(","))})
