"""Which requests a caller was answered before: what is new to it counts toward copying the model."""

from collections import OrderedDict

__all__ = ["KnownRequests"]

_MOST_CALLERS = 200  # whose requests are known again; the one who asked least recently is forgotten
_MOST_REQUESTS = 10_000  # of one caller; later ones count as new


class KnownRequests:
    """Remembers requests by their hash, keyed anew in each process. What is forgotten counts as new: never too little.

    A request is known once it was answered, not when it was asked: else a caller whose budget is spent could make its
    requests known by having them refused.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, set[int]] = OrderedDict()

    def different(self, subject: str, request: bytes, rows: int) -> int:
        """How many of the rows of `request` this caller was not answered before."""
        return 0 if hash(request) in self._known.get(subject, ()) else rows

    def answered(self, subject: str, request: bytes) -> bool:
        """It is known from now on; whether it was not before."""
        known = self._known.get(subject)
        if known is None:
            known = self._known[subject] = set()
            if len(self._known) > _MOST_CALLERS:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(subject)
        name = hash(request)
        if name in known:
            return False
        if len(known) < _MOST_REQUESTS:
            known.add(name)
        return True
