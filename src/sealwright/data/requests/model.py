"""A request of a person, from the day it came in to its answer. It names nobody: `subject` is a keyed pseudonym."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sealwright.data.requests.clocks import Law
from sealwright.data.terms import add_months
from sealwright.kernel import InvalidInput, VerificationFailed, from_rfc3339, rfc3339

__all__ = ["ENDS", "KINDS", "RequestKind", "State", "SubjectRequest", "zone_of"]

RequestKind = Literal["access", "correct", "erase", "restrict", "object", "export", "opt_out"]
KINDS: tuple[RequestKind, ...] = get_args(RequestKind)
State = Literal["open", "answered", "refused", "withdrawn"]
ENDS: tuple[State, ...] = ("answered", "refused", "withdrawn")

_KEPT_MONTHS = 24  # records of requests and answers, after they end: Code of Regulations, title 11, § 7101(a)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRequest:
    """One request. Days are days in `zone`; each deadline runs to the end of its day."""

    id: str
    kind: RequestKind
    subject: str  # keyed pseudonym
    projects: tuple[str, ...]  # in which it was looked for; empty: all
    law: Law
    received_at: datetime
    zone: str  # IANA name of where the controller sits, e.g. "Europe/Berlin"
    identity: str  # reference to how the person was identified, e.g. a ticket; never the proof itself
    state: State
    due: date  # the extended day, once it was extended
    longest: date | None  # what an extension can reach at most
    confirm_by: date | None
    confirmed_at: datetime | None = None
    extended_because: str = ""  # why, as the person was told
    ended_at: datetime | None = None
    outcome: str = ""  # in words: what was done, or why not
    proof: str = ""  # digest of the statement or file that shows it

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    @property
    def received_on(self) -> date:
        return self.received_at.astimezone(zone_of(self.zone)).date()

    def today(self, now: datetime) -> date:
        """The day it is where the controller sits."""
        return now.astimezone(zone_of(self.zone)).date()

    def next_due(self) -> tuple[str, date] | None:
        """What must happen next, and on which day at the latest; None when the request has ended."""
        if not self.is_open:
            return None
        if self.confirm_by is not None and self.confirmed_at is None and self.confirm_by <= self.due:
            return "confirm", self.confirm_by
        return "answer", self.due

    def days_left(self, now: datetime) -> int:
        """Whole days until the next deadline; 0 on its day, negative after it. For an ended request 0."""
        following = self.next_due()
        return (following[1] - self.today(now)).days if following else 0

    def is_overdue(self, now: datetime) -> bool:
        return self.is_open and self.days_left(now) < 0

    def kept_until(self) -> date | None:
        """Until which day the record must stay; None while the request is open."""
        if self.ended_at is None:
            return None
        return add_months(self.ended_at.astimezone(zone_of(self.zone)).date(), _KEPT_MONTHS)

    def to_json(self) -> dict[str, Any]:
        """Plain values, read back by `from_json`."""
        return {
            "id": self.id,
            "kind": self.kind,
            "subject": self.subject,
            "projects": list(self.projects),
            "law": self.law,
            "received_at": rfc3339(self.received_at),
            "zone": self.zone,
            "identity": self.identity,
            "state": self.state,
            "due": self.due.isoformat(),
            "longest": self.longest.isoformat() if self.longest else None,
            "confirm_by": self.confirm_by.isoformat() if self.confirm_by else None,
            "confirmed_at": rfc3339(self.confirmed_at) if self.confirmed_at else None,
            "extended_because": self.extended_because,
            "ended_at": rfc3339(self.ended_at) if self.ended_at else None,
            "outcome": self.outcome,
            "proof": self.proof,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "SubjectRequest":
        """The request `to_json` wrote.

        Raises
        ------
        VerificationFailed
            A field is missing or of a wrong kind: the row was changed by something else.
        """
        try:
            days = {name: _day(value[name]) for name in ("longest", "confirm_by")}
            moments = {name: _moment(value[name]) for name in ("confirmed_at", "ended_at")}
            return cls(
                **{
                    **value,
                    "projects": tuple(value["projects"]),
                    "received_at": from_rfc3339(value["received_at"]),
                    "due": date.fromisoformat(value["due"]),
                    **days,
                    **moments,
                }
            )
        except (KeyError, TypeError, ValueError, InvalidInput):
            raise VerificationFailed("A request on file is not as it was written.", link="requests") from None


def zone_of(name: str) -> tzinfo:
    """The time zone of this name.

    Raises
    ------
    InvalidInput
        There is none of that name on this machine.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(f"There is no time zone {name[:60]!r} here. Give one like Europe/Berlin, or UTC.") from None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text is not None else None


def _moment(text: str | None) -> datetime | None:
    return from_rfc3339(text) if text is not None else None
