"""How what speaks for an answer and what speaks against it is shown: by signs, and by colours for who sees them.

One sign is a tenth of the largest effect and more, two a third, three two thirds. A sign says all that a colour says. The ink is
readable on every colour (WCAG 2.1, contrast 4.5 and more), and blue-green and orange stay two colours for the colour-blind.
"""

from collections.abc import Iterable

__all__ = ["AGAINST", "FOR", "INK", "LINE", "SOFT", "WASH", "colour_of", "level_of", "signs_of", "strongest"]

INK, SOFT, LINE, WASH = "#20303a", "#55646e", "#dfe5e8", "#f5f7f8"
FOR = ("#dff0ef", "#aed9d7", "#74bdba")  # from one sign to three
AGAINST = ("#fbe7d9", "#f6c7a3", "#eca270")

_STEPS = (0.1, 1 / 3, 2 / 3)
_LEAST = 1e-3  # of a probability: less is nothing to anybody, however large beside the others


def strongest(effects: Iterable[float], unit: str) -> float:
    """The size by which strength is told: that of the largest effect, unless all of them are next to nothing."""
    largest = max(map(abs, effects), default=0.0)
    return largest if unit != "probability" else max(largest, _LEAST / _STEPS[0])


def level_of(effect: float, largest: float) -> int:
    """0 to 3 signs."""
    return sum(abs(effect) >= step * largest for step in _STEPS) if effect and largest else 0


def signs_of(effect: float, largest: float) -> str:
    """ "+", "++", "+++" for, the same of "−" against, "" for next to nothing."""
    return ("+" if effect > 0 else "−") * level_of(effect, largest)


def colour_of(effect: float, largest: float) -> str:
    """The colour of the same; "" for next to nothing."""
    level = level_of(effect, largest)
    return (FOR if effect > 0 else AGAINST)[level - 1] if level else ""
