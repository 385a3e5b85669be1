"""Medians over the visits that count, one server at a time.

Answers: what is this server's figure, or is there none? A figure nobody measured is None, never a guess.
"""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

from measuring import Seen, Visit

__all__ = ["Found", "Table"]


@dataclass(frozen=True, slots=True)
class Found:
    """All visits to one server, or why there are none."""

    visits: list[Visit] = field(default_factory=list)
    why_not: str = ""

    def seen(self, cell: str) -> list[Seen]:
        """The runs of one kind of load that count."""
        return [one for visit in self.visits if (one := visit.cells.get(cell)) is not None and one.counts]

    def median(self, cell: str, figure: str) -> float | None:
        """Of one figure of `Seen`."""
        return _middle(getattr(one, figure) for one in self.seen(cell))

    def of_visit(self, figure: str) -> float | None:
        """Of one figure of `Visit`."""
        return _middle(getattr(visit, figure) for visit in self.visits)

    @property
    def errors(self) -> int:
        return sum(one.errors for visit in self.visits for one in visit.cells.values())

    @property
    def dropped(self) -> int:
        """Runs that do not count, since others used the machine."""
        return sum(not one.counts for visit in self.visits for one in visit.cells.values())


@dataclass(frozen=True, slots=True)
class Table:
    """What was found of every server, with one model."""

    servers: dict[str, Found]

    def rate(self, name: str, cell: str = "c16") -> float | None:
        return self.figure(name, cell, "rate")

    def figure(self, name: str, cell: str, figure: str) -> float | None:
        found = self.servers.get(name)
        return None if found is None else found.median(cell, figure)

    def of_visit(self, name: str, figure: str) -> float | None:
        found = self.servers.get(name)
        return None if found is None else found.of_visit(figure)

    def ratio(self, first: str, second: str, cell: str = "c16") -> float | None:
        """How many times as many requests."""
        return _divided(self.rate(first, cell), self.rate(second, cell))

    def lead(self, first: str, others: Iterable[str], cell: str = "c16") -> float | None:
        """Over the fastest of some others; None unless every one of them was measured."""
        rates = [self.rate(name, cell) for name in others]
        known = [rate for rate in rates if rate is not None]
        return _divided(self.rate(first, cell), max(known)) if known and len(known) == len(rates) else None

    def more(self, first: str, second: str, cell: str, figure: str) -> float | None:
        """How much larger a figure is."""
        one, other = self.figure(first, cell, figure), self.figure(second, cell, figure)
        return None if one is None or other is None else one - other


def _middle(values: Iterable[float]) -> float | None:
    found = list(values)
    return statistics.median(found) if found else None


def _divided(one: float | None, other: float | None) -> float | None:
    return None if one is None or not other else one / other
