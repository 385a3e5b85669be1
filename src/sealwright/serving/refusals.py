"""Refused credentials on record: counted as they come, written to the ledger once a second.

A refusal costs its sender nothing, so one durable entry each would let a stranger fill the disk. Each entry says how many
requests were refused for one reason and from where, addresses as pseudonyms.
"""

from collections import Counter
from collections.abc import Callable, Mapping

__all__ = ["Refusals"]

_MOST_SOURCES = 8
_MOST_KEPT = 256

_Note = Callable[[str, str, Mapping[str, object]], None]


class Refusals:
    """Counts on the event loop; `write` may run on a thread."""

    def __init__(self, note: _Note, name_of: Callable[[str], str]) -> None:
        """`name_of`: from an address to the pseudonym it is kept under."""
        self._note, self._name_of = note, name_of
        self._counts: dict[str, Counter[str]] = {}

    def add(self, reason: str, source: str) -> None:
        """One more."""
        sources = self._counts.setdefault(reason, Counter())
        sources[source if source in sources or len(sources) < _MOST_KEPT else ""] += 1

    def take(self) -> dict[str, Counter[str]]:
        """What came since the last time."""
        found, self._counts = self._counts, {}
        return found

    def write(self, found: Mapping[str, Counter[str]]) -> None:
        """One entry a reason.

        Raises
        ------
        NotRecorded
            The ledger could not take it.
        """
        for reason, sources in found.items():
            detail = {
                "outcome": "refused",
                "reason": reason,
                "count": sources.total(),
                "sources": {
                    self._name_of(source): count for source, count in sources.most_common(_MOST_SOURCES) if source
                },
            }
            self._note("token.use", "", detail)
