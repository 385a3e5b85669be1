"""Which credentials of a caller are in use: so that nobody fills the counters with credentials made for it."""

from collections.abc import Callable

from sealwright.serving.budgets.reached import CallersFull, CredentialsFull
from sealwright.serving.tokens import Caller

__all__ = ["Credentials"]

_MOST_OF_ONE = 256
_UNKNOWN_ENDS = 3600.0  # seconds to wait where no credential says when it ends


class Credentials:
    """Remembers credentials until they end. Bounded: a caller beyond the bound is refused, never another forgotten."""

    def __init__(self, most_callers: int, wall: Callable[[], float]) -> None:
        """`wall`: seconds since the epoch."""
        self._most, self._wall = most_callers, wall
        self._ends: dict[str, dict[str, float]] = {}

    def admit(self, caller: Caller) -> None:
        """Count this credential as in use.

        Raises
        ------
        CredentialsFull
            Its caller uses too many already.
        CallersFull
            There is no room for another caller.
        """
        mine = self._ends.get(caller.subject)
        if mine is None:
            if len(self._ends) >= self._most and not self._room():
                raise CallersFull(reason=CallersFull.code)
            mine = self._ends[caller.subject] = {}
        if caller.token in mine:
            return
        if len(mine) >= _MOST_OF_ONE:
            mine = self._ends[caller.subject] = self._living(mine)
        if len(mine) >= _MOST_OF_ONE:
            first = min((ends for ends in mine.values() if ends), default=self._wall() + _UNKNOWN_ENDS)
            raise CredentialsFull("principal", first - self._wall())
        mine[caller.token] = caller.expires

    def _living(self, ends: dict[str, float]) -> dict[str, float]:
        now = self._wall()
        return {token: until for token, until in ends.items() if not until or until > now}

    def _room(self) -> bool:
        self._ends = {subject: living for subject, ends in self._ends.items() if (living := self._living(ends))}
        return len(self._ends) < self._most
