"""Who may still wait: turned away are those whose turn would not come in time.

Answers: how long would a request wait for its turn, by what the last ones took?
Does not answer: how many may wait at most; that bounds memory, and stands beside this in `Decider`.

A count of waiting requests says nothing about time: 512 of them are 50 ms of a small model and minutes of a large one. So a
line is measured by how long one place in it takes, and whoever would stand longer than `wait_seconds` is told at once to come again,
while those who were let in are answered in the time they were let in for.
"""

__all__ = ["Line"]

_KEPT = 0.9  # of what was measured before, each time: some twenty rounds count


class Line:
    """One kind of requests that are served one after the other, or a few at a time."""

    __slots__ = ("_each", "_longest", "_places", "_seconds")

    def __init__(self, longest: float) -> None:
        """`longest`: seconds that somebody may wait for their turn."""
        self._longest = longest
        self._seconds = self._places = 0.0  # of the last rounds, the newest counting most
        self._each = 0.0  # seconds that one place takes

    def took(self, seconds: float, places: int = 1) -> None:
        """That many were served in that time. Where many together cost little more than one, large rounds show it: they count for more."""
        self._seconds = self._seconds * _KEPT + seconds
        self._places = self._places * _KEPT + places
        self._each = self._seconds / self._places

    def expected(self, places: int) -> float:
        """How long that many will take."""
        return places * self._each

    def too_long(self, waiting: int) -> bool:
        """Whether a request behind that many would wait longer than it may."""
        return waiting * self._each > self._longest
