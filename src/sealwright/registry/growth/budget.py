"""How much a model may grow: one value, and all of them together.

Answers: is this output larger than is admitted, given what it was made from?
Does not answer: how large it becomes (`rules`). A value no larger than one it was made from is no growth: weights and
requests have limits of their own.
"""

from collections.abc import Sequence

from sealwright.registry.growth.sizes import Size, Value

__all__ = ["Budget"]

_MOST = (1 << 24, 1 << 20)  # elements of one value: whatever the request (64 MiB of float32), and for each of its rows
_MOST_TOGETHER = (1 << 26, 1 << 22)


class Budget:
    """What the values of one model have grown by; those of its branches count too."""

    def __init__(self) -> None:
        self._grown = [0, 0]

    def problem(self, made: Value, given: Sequence[Value | None]) -> str:
        """Why `made` is too large, in words that follow the name of its operator; empty if it is not."""
        size = made.total
        if any(one is not None and one.total.covers(size) for one in given):
            return ""
        if size.power > 1:
            return "makes an output that grows with the square of the number of rows, or faster"
        rows = ("", " for each row")[size.power]
        if size.times > _MOST[size.power]:
            return f"asks for {_words(size)} values{rows}; at most {_MOST[size.power]:,} are admitted"
        self._grown[size.power] += size.times
        if self._grown[size.power] > _MOST_TOGETHER[size.power]:
            return f"and others before it ask for more than {_MOST_TOGETHER[size.power]:,} values{rows} together"
        return ""


def _words(size: Size) -> str:
    return f"{size.times:,}" if size.times < 1 << 63 else "more than 9 trillion million"
