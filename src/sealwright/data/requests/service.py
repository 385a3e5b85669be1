"""The register of requests: take one in, confirm it, extend it, end it, and list who must act by when.

Answers: what did persons ask for, and is anything late?
Does not answer: what was found or erased; the outcome says it in words and by the digest of its proof.
Every step is an entry in the ledger; the table can be rebuilt from it as far as deadlines go.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from sealwright.data.requests import store
from sealwright.data.requests.clocks import Law, clocks_for
from sealwright.data.requests.model import ENDS, KINDS, RequestKind, State, SubjectRequest, zone_of
from sealwright.engines import Database, Tx
from sealwright.kernel import Clock, Conflict, InvalidInput, NotFound, check_name, hex_of, new_id, rfc3339
from sealwright.trust import Ledger

__all__ = ["RequestRegister"]

_SKEW = timedelta(minutes=5)


class RequestRegister:
    """The requests of one workspace."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock) -> None:
        self._db, self._ledger, self._clock = db, ledger, clock

    def receive(
        self,
        kind: RequestKind,
        subject: str,
        *,
        projects: Sequence[str],
        law: Law,
        by: str,
        identity: str = "",
        received_at: datetime | None = None,
        zone: str = "UTC",
        holidays: Collection[date] = (),
    ) -> SubjectRequest:
        """Take a request in; its clocks start on the day it was received, whether or not the person is identified yet.

        Parameters
        ----------
        subject : str
            Keyed pseudonym of the person.
        identity : str
            Reference to the check of identity (a ticket), never the document itself.
        zone : str
            Where the controller sits: whose days are counted.
        holidays : collection of date
            Public holidays there.

        Raises
        ------
        InvalidInput
            An unknown kind, law or zone, a day yet to come, or a right the law does not know.
        """
        now = self._clock()
        received = received_at or now
        if kind not in KINDS:
            raise InvalidInput(f"A request is one of {', '.join(KINDS)}; got {str(kind)[:40]!r}.")
        if received > now + _SKEW:
            raise InvalidInput(f"A request of {rfc3339(received)} is yet to come. Check the day it was received.")
        clocks = clocks_for(law, kind, received.astimezone(zone_of(zone)).date(), holidays)
        request = SubjectRequest(
            id=new_id("req"),
            kind=kind,
            subject=subject,
            projects=tuple(check_name(name, what="project") for name in projects),
            law=law,
            received_at=received,
            zone=zone,
            identity=_reference(identity),
            state="open",
            due=clocks.due,
            longest=clocks.longest,
            confirm_by=clocks.confirm_by,
        )
        with self._db.write() as tx:
            store.insert(tx, request, now)
            self._enter("request.received", request, by)
        return request

    def confirm(self, request: str, *, by: str) -> SubjectRequest:
        """Note that the person was told their request arrived. The second time nothing changes."""
        with self._db.write() as tx:
            found = self._open(tx, request)
            if found.confirmed_at is not None:
                return found
            return self._keep(tx, replace(found, confirmed_at=self._clock()), "request.confirmed", by)

    def identified(self, request: str, identity: str, *, by: str) -> SubjectRequest:
        """Note how the person was identified."""
        with self._db.write() as tx:
            found = self._open(tx, request)
            return self._keep(tx, replace(found, identity=_reference(identity)), "request.identified", by)

    def extend(self, request: str, *, reason: str, by: str) -> SubjectRequest:
        """Take the longer time the law allows; the reason is what the person is told.

        Raises
        ------
        Conflict
            It was extended before, cannot be, or its first term is over: the person had to be told within it.
        InvalidInput
            No reason.
        """
        words = _words(reason, "Say why it takes longer, in 8 to 2,000 characters; the person is told this.")
        with self._db.write() as tx:
            found = self._open(tx, request)
            if found.extended_because:
                raise Conflict(f"{request} was extended before, to {found.due}. The law allows it once.")
            if found.longest is None:
                raise Conflict(
                    f"A request to {found.kind} under {found.law} cannot be extended. It is due {found.due}."
                )
            if found.today(self._clock()) > found.due:
                raise Conflict(
                    f"{request} was due on {found.due}; an extension had to be told to the person by then.\n"
                    "Answer it, and say in the outcome why it is late."
                )
            longer = replace(found, due=found.longest, extended_because=words)
            return self._keep(tx, longer, "request.extended", by)

    def end(self, request: str, state: State, *, outcome: str, by: str, proof: str = "") -> SubjectRequest:
        """Record the answer: what was done (answered), why not (refused), or that the person took it back (withdrawn).

        Parameters
        ----------
        proof : digest, optional
            Of the statement or file that shows it.

        Raises
        ------
        Conflict
            It has ended already.
        """
        if state not in ENDS:
            raise InvalidInput(f"A request ends as {', '.join(ENDS)}; got {str(state)[:40]!r}.")
        words = _words(outcome, "Say in 8 to 2,000 characters what was done, or why it was not.")
        if proof:
            hex_of(proof)
        with self._db.write() as tx:
            found = self._open(tx, request)
            ended = replace(found, state=state, outcome=words, proof=proof, ended_at=self._clock())
            return self._keep(tx, ended, f"request.{state}", by)

    def get(self, request: str) -> SubjectRequest:
        """One request.

        Raises
        ------
        NotFound
        """
        with self._db.read() as tx:
            return _found(tx, request)

    def open(self) -> list[SubjectRequest]:
        """The open requests, the one whose next deadline comes first in front."""
        return sorted((one for one in self.all() if one.is_open), key=_next_day)

    def all(self) -> list[SubjectRequest]:
        with self._db.read() as tx:
            return store.every(tx)

    def of_subject(self, subject: str) -> list[SubjectRequest]:
        with self._db.read() as tx:
            return store.of_subject(tx, subject)

    def overdue(self) -> list[SubjectRequest]:
        """Open requests whose next deadline has passed."""
        now = self._clock()
        return [one for one in self.open() if one.is_overdue(now)]

    def dispose(self, *, by: str, project: str | None = None) -> int:
        """Delete the records whose 24 months are over; returns how many. What was done stays in the ledger.

        `project`: only those about no other project.
        """
        now = self._clock()
        with self._db.write() as tx:
            over = [one for one in store.every(tx) if (until := one.kept_until()) and one.today(now) > until]
            old = [one for one in over if project is None or set(one.projects) == {project}]
            for one in old:
                store.delete(tx, one.id)
            if old:
                detail = {"requests": [one.id for one in old], "kept_months": 24}
                self._ledger.append("requests.disposed", "subject_requests", detail, actor=by)
        if old:
            self._db.scrub("subject_requests")
        return len(old)

    def _open(self, tx: Tx, request: str) -> SubjectRequest:
        tx.hold_writers("subject_requests")
        found = _found(tx, request)
        if not found.is_open:
            raise Conflict(f"{request} has ended: {found.state} on {rfc3339(found.ended_at or self._clock())[:10]}.")
        return found

    def _keep(self, tx: Tx, request: SubjectRequest, action: str, by: str) -> SubjectRequest:
        store.update(tx, request, self._clock())
        self._enter(action, request, by)
        return request

    def _enter(self, action: str, request: SubjectRequest, by: str) -> None:
        """No words of the request go into the ledger: it is never erased, and they may tell of the person."""
        detail = {
            "kind": request.kind,
            "person": request.subject,
            "projects": list(request.projects),
            "law": request.law,
            "due": request.due.isoformat(),
            "state": request.state,
            "proof": request.proof,
        }
        self._ledger.append(action, request.id, detail, actor=by)


def _found(tx: Tx, request: str) -> SubjectRequest:
    found = store.find(tx, request)
    if found is None:
        raise NotFound(f"There is no request {request[:60]!r} here. See them with: sealwright data requests")
    return found


def _next_day(request: SubjectRequest) -> tuple[date, str]:
    following = request.next_due()
    return (following[1] if following else date.max, request.id)


def _reference(text: str) -> str:
    words = " ".join(text.split())
    if len(words) > 200:
        raise InvalidInput("The reference to an identity check is at most 200 characters: a ticket, not the document.")
    return words


def _words(text: str, what: str) -> str:
    words = " ".join(text.split())
    if not 8 <= len(words) <= 2000:
        raise InvalidInput(what)
    return words
