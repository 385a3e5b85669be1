"""The strength at which a model breaks: up to which one every declared limit holds.

An effect is what one strength did; a limit is passed when the effect is larger. The answer is the largest
strength such that at it, and at every weaker one, all limits hold: a model that breaks, recovers and
breaks again is broken from its first break on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sealwright.assurance.intervals import Interval
from sealwright.assurance.model import Finding

__all__ = ["Reading", "holds_up_to"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One effect of one strength, beside its limit."""

    what: str  # "decisions changed"
    value: float
    interval: Interval
    limit: float


def holds_up_to(
    check: str, unit: str, readings: Sequence[tuple[float, Sequence[Reading]]], n: int, note: str = ""
) -> Finding:
    """A finding about the strongest stress that passes no limit; 0 where the weakest passes one already.

    Parameters
    ----------
    readings : sequence of (strength, readings), strengths ascending
        The interval of the finding reads the effects at the bad and at the good end of their intervals.
    """

    def last(end: int | None) -> float:
        held = 0.0
        for strength, effects in readings:
            if any((one.value if end is None else one.interval[end]) > one.limit for one in effects):
                return held
            held = strength
        return held

    value = last(None)
    broken = next(((strength, effects) for strength, effects in readings if strength > value), None)
    if broken is None:
        where = f"no limit is passed up to {readings[-1][0]:g}, the strongest measured"
    else:
        passed = [one for one in broken[1] if one.value > one.limit]
        where = f"breaks at {broken[0]:g}: " + ", ".join(
            f"{one.what} {one.value:.3g}, limit {one.limit:g}" for one in passed
        )
    return Finding(
        check=check,
        value=value,
        low=min(value, last(1)),
        high=max(value, last(0)),
        n=n,
        unit=unit,
        definition="Strongest measured disturbance up to which every limit under assurance.stress.breaks_at holds;"
        " 0 if the weakest passes one already.",
        note="; ".join(filter(None, [where, note])),
    )
