"""How much each caller asks: counted as it comes, written to the ledger once a minute.

Whoever copies a model by asking it has to ask for very many rows, nearly all of them new. A single decision does not show
that; these counts do. Callers stand in them as pseudonyms, requests not at all.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple

__all__ = ["Asked", "Usage"]

_MOST_CALLERS = 200  # whose requests are known again; the one who asked least recently is forgotten
_MOST_REQUESTS = 10_000  # of one caller; later ones count as new

_Note = Callable[[str, str, Mapping[str, object]], None]


class Asked(NamedTuple):
    """Rows one caller asked for, and how many of them in requests they had not sent before."""

    rows: int
    different: int


class Usage:
    """Counts on the event loop; `write` may run on a thread."""

    def __init__(self, note: _Note, name_of: Callable[[str], str]) -> None:
        """`name_of`: from a caller to the pseudonym they are kept under."""
        self._note, self._name_of = note, name_of
        self._asked: dict[str, Asked] = {}
        self._known: OrderedDict[str, set[int]] = OrderedDict()  # hashes of requests, keyed anew in each process

    def add(self, caller: str, request: bytes, rows: int) -> None:
        """One answered request of `rows` rows."""
        known = self._known.setdefault(caller, set())
        self._known.move_to_end(caller)
        if len(self._known) > _MOST_CALLERS:
            self._known.popitem(last=False)
        mark = hash(request)
        different = 0 if mark in known else rows
        if len(known) < _MOST_REQUESTS:
            known.add(mark)
        self.give_back({caller: Asked(rows, different)})

    def take(self) -> dict[str, Asked]:
        """What was asked since the last time, by caller."""
        found, self._asked = self._asked, {}
        return found

    def give_back(self, found: Mapping[str, Asked]) -> None:
        """Count again what was taken and could not be written."""
        for caller, more in found.items():
            rows, different = self._asked.get(caller, Asked(0, 0))
            self._asked[caller] = Asked(rows + more.rows, different + more.different)

    def write(self, found: dict[str, Asked]) -> None:
        """One entry a caller; what is written leaves `found`.

        Raises
        ------
        NotRecorded
            The ledger could not take it.
        """
        for caller, asked in tuple(found.items()):
            self._note("predict.usage", "", {"caller": self._name_of(caller), **asked._asdict()})
            del found[caller]
