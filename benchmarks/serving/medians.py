"""Medians over the visits that count, one server at a time.

Answers: what is this server's figure, or is there none? A figure nobody measured is None, never a guess.
"""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

from measuring import Seen, Visit

__all__ = ["Found", "Table", "divided"]


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

    def spent(self, cell: str) -> float | None:
        """Processor time of a request, in microseconds: of the server and of what works beside it."""
        own, beside = self.median(cell, "cpu_us"), self.median(cell, "helper_us")
        return None if own is None or beside is None else own + beside

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

    def spent(self, name: str) -> float | None:
        """Processor time of a request at 16 connections, all of it."""
        found = self.servers.get(name)
        return None if found is None else found.spent("c16")

    def ratio(self, first: str, second: str, cell: str = "c16") -> float | None:
        """How many times as many requests."""
        return divided(self.rate(first, cell), self.rate(second, cell))

    def lead(self, first: str, others: Iterable[str], cell: str = "c16") -> float | None:
        """Over the fastest of some others; None unless every one of them was measured."""
        rates = [self.rate(name, cell) for name in others]
        known = [rate for rate in rates if rate is not None]
        return divided(self.rate(first, cell), max(known)) if known and len(known) == len(rates) else None

    def more(self, first: str, second: str, cell: str, figure: str) -> float | None:
        """How much larger a figure is."""
        one, other = self.figure(first, cell, figure), self.figure(second, cell, figure)
        return None if one is None or other is None else one - other


def divided(one: float | None, other: float | None) -> float | None:
    """A ratio, or None where a side of it is missing."""
    return None if one is None or not other else one / other


def _middle(values: Iterable[float]) -> float | None:
    found = list(values)
    return statistics.median(found) if found else None
