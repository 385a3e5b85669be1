"""What a caller is told whose budget is used up: which of its own limits, and when to come back. Nothing about others."""

import math
from collections.abc import Sequence
from typing import ClassVar, Literal, Self

from sealwright.serving.problems import HttpRefusal

__all__ = [
    "BudgetsUnknown",
    "CallersFull",
    "CredentialsFull",
    "DayReached",
    "DifferentRowsReached",
    "LevelName",
    "LimitReached",
    "RateReached",
    "TooCostly",
    "TooManyAtOnce",
    "raise_if",
    "whole",
]

LevelName = Literal["client", "principal"]

_WHOSE: dict[str, str] = {"client": "this credential", "principal": "all credentials of this caller together"}
_LONGEST_WAIT = 86_400


class LimitReached(HttpRefusal):
    """A limit of the caller itself. `limit` names it, e.g. "principal.rows_per_day"."""

    status = 429
    what: ClassVar[str] = ""
    setting: ClassVar[str] = ""

    def __init__(self, level: LevelName, wait: float) -> None:
        self.limit, self.wait = f"{level}.{self.setting}", whole(wait)
        self.headers = ((b"retry-after", b"%d" % self.wait),)
        super().__init__(
            f"{self.what} ({self.setting}) of {_WHOSE[level]} are used up. "
            f"Come back in {self.wait} {'second' if self.wait == 1 else 'seconds'}.",
            reason=self.code,
        )

    def telling(self, headers: Sequence[tuple[bytes, bytes]]) -> Self:
        """With what else its answer says."""
        self.headers = (*self.headers, *headers)
        return self


class RateReached(LimitReached):
    """Too fast."""

    code, title = "limits.rate", "Too many rows in a short time"
    what, setting = "The rows for this moment", "rows_per_second"


class TooManyAtOnce(LimitReached):
    """Too many requests under way."""

    code, title = "limits.concurrent", "Too many requests at once"
    what, setting = "The requests at once", "concurrent"


class DayReached(LimitReached):
    """Nothing more until midnight UTC."""

    code, title = "limits.day", "The rows of this day are used up"
    what, setting = "The rows of this day", "rows_per_day"


class DifferentRowsReached(LimitReached):
    """Whoever copies a model by asking it needs very many different rows."""

    code, title = "limits.different_rows", "The different rows of this day are used up"
    what, setting = "The different rows of this day", "different_rows_per_day"


class CredentialsFull(LimitReached):
    """One caller with more live credentials than are told apart."""

    code, title = "limits.credentials", "Too many credentials of one caller"
    what, setting = "The credentials in use at a time", "credentials"


class TooCostly(HttpRefusal):
    """No waiting helps: one request asks for more than the budget ever holds."""

    code, status, title = "limits.too_costly", 413, "One request asks for more than a budget holds"

    def __init__(self, cost: int, most: int) -> None:
        super().__init__(
            f"This request costs {cost:,} rows; one may cost at most {most:,}. Send fewer rows at once.",
            reason=self.code,
        )


class CallersFull(HttpRefusal):
    """More callers than budgets are kept for. Nobody's spent budget is forgotten to make room."""

    code, status, title = "limits.callers_full", 503, "Too many callers for now"
    headers = ((b"retry-after", b"5"),)


class BudgetsUnknown(HttpRefusal):
    """The counters do not answer, so what is left of a budget cannot be known."""

    code, status, title = "limits.unknown", 503, "Budgets cannot be looked up now"
    headers = ((b"retry-after", b"2"),)


def raise_if(refusal: HttpRefusal | None) -> None:
    """Raise it if there is one. Call it with an expression, not a variable.

    An exception that a variable of a frame it passed holds keeps that frame, and with it the body of the request, until
    the collector runs: whoever is refused by the thousand would fill the memory.
    """
    if refusal is not None:
        try:
            raise refusal
        finally:
            del refusal


def whole(seconds: float) -> int:
    """Seconds as a header tells them."""
    return min(_LONGEST_WAIT, max(1, math.ceil(seconds)))
