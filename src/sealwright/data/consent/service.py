"""The verbs of consent: give, withdraw, take many over, and ask whose holds.

Answers: what did this person agree to; whose rows may be held for this purpose?
Does not answer: which files a withdrawal concerns. `pipeline` asks the snapshots.

Every change is in the ledger before it is in the table: a change without an entry cannot be, and `compare` finds a row
that was taken out behind our back. A crash between the two leaves an entry for something nobody was told had worked.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from numpy.typing import NDArray

from sealwright.data.consent import store
from sealwright.data.consent.model import ConsentChange, check_subject
from sealwright.data.consent.rules import Admitted, ConsentState, admit
from sealwright.engines import Database, Tx
from sealwright.kernel import Clock, Conflict, InvalidInput, NotFound, VerificationFailed, digest_of, rfc3339
from sealwright.trust import Entry, Ledger

__all__ = ["ConsentLedger", "Withdrawn", "admits", "consent_state"]

GIVEN, WITHDRAWN, TAKEN_OVER = "consent.given", "consent.withdrawn", "consent.imported"
_SKEW = timedelta(minutes=5)  # clocks of two machines may differ this much
_AT_ONCE = 500  # changes in one entry of the ledger: 50 KB, a fifth of what an entry may hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What was taken back. `before` are the purposes for which consent had stood."""

    changes: tuple[ConsentChange, ...]
    before: tuple[str, ...]


def consent_state(tx: Tx, project: str, purpose: str, at: datetime) -> ConsentState:
    """Who had agreed to a purpose at a moment, and who had taken it back by then.

    Notes
    -----
    The last change up to and including `at` counts; of two at the same millisecond a withdrawal does.
    """
    rows = store.latest(tx, project, purpose, rfc3339(at))
    return ConsentState(
        project=project,
        purpose=purpose,
        at=rfc3339(at),
        given=frozenset(row["subject"] for row in rows if row["change"] == "given"),
        withdrawn=frozenset(row["subject"] for row in rows if row["change"] == "withdrawn"),
    )


def admits(tx: Tx, project: str, subjects: Sequence[str] | NDArray[Any], *, purpose: str, at: datetime) -> Admitted:
    """Which rows may be held for `purpose` at `at`, where consent is the basis. See `rules.admit`."""
    return admit(subjects, consent_state(tx, project, purpose, at))


class ConsentLedger:
    """The consent of persons, workspace-wide. Persons are keyed pseudonyms."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock) -> None:
        self._db, self._ledger, self._clock = db, ledger, clock

    def give(
        self,
        project: str,
        subject: str,
        purpose: str,
        *,
        text_version: str,
        text: bytes,
        channel: str,
        by: str,
        at: datetime | None = None,
    ) -> ConsentChange:
        """Record that a person agreed.

        Parameters
        ----------
        text_version, text
            The words that were agreed to, and what they are called. Only their digest is kept.
        channel : str
            How it was given, e.g. "web form".
        at : datetime, optional
            When, if it was not just now.

        Raises
        ------
        Conflict
            The same version of the text was used with other words.
        InvalidInput
            A name or time is not usable, or the time is yet to come.
        """
        change = ConsentChange(
            project=project,
            purpose=purpose,
            subject=subject,
            change="given",
            text_version=text_version,
            text_digest=digest_of(text),
            channel=channel,
            at=self._moment(at),
        )
        self._record([change], by)
        return change

    def withdraw(
        self,
        project: str,
        subject: str,
        purpose: str | None = None,
        *,
        channel: str,
        by: str,
        at: datetime | None = None,
    ) -> Withdrawn:
        """Record that a person took their consent back: for one purpose, or for all they ever agreed to.

        A withdrawal for a named purpose is recorded even where no consent was: what a person says counts.

        Raises
        ------
        NotFound
            No purpose is named, and the person never agreed to any.
        """
        moment = self._moment(at)
        with self._db.read() as tx:
            history = store.of_subject(tx, project, check_subject(subject))
        standing = {one.purpose: one for one in history}
        if purpose is None and not standing:
            raise NotFound(
                f"Nothing is recorded that this person agreed to in {project}.\n"
                "Name the purpose with --purpose to record the withdrawal all the same."
            )
        changes = [
            ConsentChange(
                project=project,
                purpose=name,
                subject=subject,
                change="withdrawn",
                text_version=standing[name].text_version if name in standing else "",
                text_digest=standing[name].text_digest if name in standing else "",
                channel=channel,
                at=moment,
            )
            for name in ([purpose] if purpose is not None else sorted(standing))
        ]
        self._record(changes, by)
        before = [one.purpose for one in changes if one.purpose in standing and standing[one.purpose].change == "given"]
        return Withdrawn(changes=tuple(changes), before=tuple(before))

    def take_over(self, changes: Sequence[ConsentChange], *, by: str) -> int:
        """Record many changes at once, all or none; returns how many were new. Taking a file over twice adds nothing.

        Raises
        ------
        Conflict, InvalidInput
            As `give`, about the first change that cannot be taken.
        """
        latest = rfc3339(self._clock() + _SKEW)
        ahead = next((one for one in changes if one.at > latest), None)
        if ahead is not None:
            raise InvalidInput(f"A consent of {ahead.at} is yet to come. Check the times in the file.")
        with self._db.read() as tx:
            known = set(store.everything_said(tx))
        fresh = [one for said, one in {store.said(one): one for one in changes}.items() if said not in known]
        self._record(fresh, by)
        return len(fresh)

    def history(self, project: str, subject: str) -> list[ConsentChange]:
        """What a person agreed to and took back in a project, oldest first."""
        with self._db.read() as tx:
            return store.of_subject(tx, project, check_subject(subject))

    def state(self, project: str, purpose: str, at: datetime | None = None) -> ConsentState:
        """As `consent_state`; now, if no moment is given."""
        with self._db.read() as tx:
            return consent_state(tx, project, purpose, at or self._clock())

    def compare(self) -> int:
        """Compare the table with the ledger; returns how many changes agree.

        Raises
        ------
        VerificationFailed
            A change is in one and not in the other: a row was taken out, added or edited behind our back.
        """
        with self._db.read() as tx:
            kept = Counter(store.everything_said(tx))
        entered = Counter(
            said for entry in self._ledger.entries() if entry.action in _ACTIONS for said in _entered(entry.detail)
        )
        lacking, alien = entered - kept, kept - entered
        if lacking or alien:
            raise VerificationFailed(
                f"The table of consents and the ledger differ: {lacking.total():,} changes are only in the ledger,"
                f" {alien.total():,} only in the table.\nNo row may be held on consent until this is cleared up:"
                " restore database and ledger from the same backup, or take the consents over again.",
                link="consents",
            )
        return kept.total()

    def _moment(self, at: datetime | None) -> str:
        now = self._clock()
        if at is not None and at > now + _SKEW:
            raise InvalidInput(f"The time {rfc3339(at)} is yet to come. Consent is recorded after it was given.")
        return rfc3339(at or now)

    def _record(self, changes: Sequence[ConsentChange], by: str) -> None:
        if not changes:
            return
        with self._db.write() as tx:
            tx.hold_writers("consents")
            _refuse_other_words(tx, changes)
            store.insert(tx, changes, rfc3339(self._clock()))
            self._ledger.append_many(_entries(changes, by))


_ACTIONS = {GIVEN, WITHDRAWN, TAKEN_OVER}


def _refuse_other_words(tx: Tx, changes: Sequence[ConsentChange]) -> None:
    """One version of a text is one text."""
    digests: dict[tuple[str, str, str], str] = {}
    for one in changes:
        if one.text_version:
            name = (one.project, one.purpose, one.text_version)
            if name not in digests:
                digests[name] = store.digest_of_version(tx, *name) or one.text_digest
            if digests[name] != one.text_digest:
                raise Conflict(
                    f"Version {one.text_version!r} of the text for {one.purpose} was used with other words before.\n"
                    "Give the new words a new version: who agreed to the old ones did not see them."
                )


def _entries(changes: Sequence[ConsentChange], by: str) -> list[Entry]:
    """One entry for one change; many share entries, by project, purpose and text, so that a ledger stays quick to read."""
    if len(changes) == 1:
        (one,) = changes
        action = GIVEN if one.change == "given" else WITHDRAWN
        return [Entry(action=action, subject=one.subject, detail=_detail(one, [one]), actor=by)]
    alike = sorted(changes, key=_shared)
    entries = []
    for _, group in groupby(alike, key=_shared):
        same = list(group)
        for start in range(0, len(same), _AT_ONCE):
            part = same[start : start + _AT_ONCE]
            entries.append(Entry(action=TAKEN_OVER, subject=part[0].project, detail=_detail(part[0], part), actor=by))
    return entries


def _shared(change: ConsentChange) -> tuple[str, ...]:
    return (change.project, change.purpose, change.text_version, change.text_digest, change.channel)


def _detail(first: ConsentChange, changes: Sequence[ConsentChange]) -> dict[str, object]:
    project, purpose, version, text, channel = _shared(first)
    return {
        "project": project,
        "purpose": purpose,
        "text_version": version,
        "text": text,
        "channel": channel,
        "changes": [[one.subject, one.change, one.at] for one in changes],
    }


def _entered(detail: Mapping[str, Any]) -> list[tuple[str, ...]]:
    shared = tuple(str(detail[name]) for name in ("project", "purpose", "text_version", "text", "channel"))
    return [(*shared, *map(str, change)) for change in detail["changes"]]
