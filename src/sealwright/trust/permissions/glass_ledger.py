"""What the ledger knows of emergencies, whatever the database says.

Answers: on which terms was this emergency asked for and opened, by whom and when, and was it ended?
Does not answer: what the terms are. The database holds them; the ledger holds their digest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from sealwright.kernel import from_rfc3339
from sealwright.trust.discretion import digest_of_resource
from sealwright.trust.ledger import Ledger
from sealwright.trust.ledger_entry import LedgerEntry

__all__ = ["ENDED", "OPENED", "REQUESTED", "GlassLedger", "Noted"]

REQUESTED = "break_glass.request"
OPENED = "break_glass.open"
ENDED = "break_glass.end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """One step of an emergency, as it was recorded."""

    terms: str  # digest of what was asked for or agreed to
    holder: str  # digest of the enrolment it is for
    by: str  # pseudonym of whoever did it
    at: datetime


class GlassLedger:
    """Reads the ledger once, and from then on only what is new. Safe to use from many threads."""

    def __init__(self, ledger: Callable[[], Ledger]) -> None:
        """Take what gives the ledger as it is now."""
        self._ledger = ledger
        self._read = 0
        self._steps: dict[tuple[str, str], Noted] = {}  # action, digest of the emergency -> the first of its kind
        self._lock = Lock()

    def waiting(self, glass: str) -> Noted | None:
        """How the emergency "case:<id>" was asked for; None where it never was, or was opened or ended since."""
        return self._step(REQUESTED, glass, unless=(OPENED, ENDED))

    def standing(self, glass: str) -> Noted | None:
        """How the emergency "case:<id>" was opened; None where it never was, or was ended since."""
        return self._step(OPENED, glass, unless=(ENDED,))

    def _step(self, action: str, glass: str, *, unless: tuple[str, ...]) -> Noted | None:
        subject = digest_of_resource(f"case:{glass}")
        with self._lock:
            self._catch_up()
            if any((later, subject) in self._steps for later in unless):
                return None
            return self._steps.get((action, subject))

    def _catch_up(self) -> None:
        ledger = self._ledger()
        size = ledger.size
        for entry in ledger.entries(start=self._read):
            if entry.action in {REQUESTED, OPENED, ENDED} and entry.detail.get("outcome") == "done":
                self._steps.setdefault((entry.action, entry.subject), _noted(entry))
        self._read = max(self._read, size)


def _noted(entry: LedgerEntry) -> Noted:
    return Noted(
        terms=str(entry.detail.get("terms")),
        holder=str(entry.detail.get("holder")),
        by=entry.actor,
        at=from_rfc3339(entry.at),
    )
