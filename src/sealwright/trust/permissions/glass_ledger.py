"""What the ledger knows of emergencies, whatever the database says.

Answers: was this emergency opened on these terms, and was it ended?
Does not answer: what the terms are. The database holds them; the ledger holds their digest.
"""

from collections.abc import Callable
from threading import Lock

from sealwright.trust.discretion import digest_of_resource
from sealwright.trust.ledger import Ledger

__all__ = ["ENDED", "OPENED", "GlassLedger"]

OPENED = "break_glass.open"
ENDED = "break_glass.end"


class GlassLedger:
    """Reads the ledger once, and from then on only what is new. Safe to use from many threads."""

    def __init__(self, ledger: Callable[[], Ledger]) -> None:
        """Take what gives the ledger as it is now."""
        self._ledger = ledger
        self._read = 0
        self._opened: dict[str, str] = {}  # digest of the emergency -> digest of its terms
        self._ended: set[str] = set()
        self._lock = Lock()

    def stands(self, glass: str, terms: str) -> bool:
        """Whether the emergency "case:<id>" was opened on exactly these terms and not ended since."""
        subject = digest_of_resource(f"case:{glass}")
        with self._lock:
            self._catch_up()
            return self._opened.get(subject) == terms and subject not in self._ended

    def _catch_up(self) -> None:
        ledger = self._ledger()
        size = ledger.size
        for entry in ledger.entries(start=self._read):
            if entry.action in {OPENED, ENDED} and entry.detail.get("outcome") == "done":
                if entry.action == OPENED:
                    self._opened.setdefault(entry.subject, str(entry.detail.get("terms")))
                else:
                    self._ended.add(entry.subject)
        self._read = max(self._read, size)
