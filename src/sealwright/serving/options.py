"""What a caller may ask for besides the answer, in the same words in every protocol.

Answers: which options are there, and are they used as meant?
Does not answer: may this caller have them? Budgets and scopes decide.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sealwright.serving.field_rules import pointer
from sealwright.serving.problems import FieldProblem

__all__ = ["NO_OPTIONS", "OPTIONS", "Options", "option_problems", "options_in", "too_many_rows"]

OPTIONS = ("explain", "counterfactual", "interval")
"""Their names; each is true or false."""

_MOST_ROWS = {"explain": 100, "counterfactual": 10}


class Options(NamedTuple):
    """What was asked for."""

    explain: bool = False  # what each feature added, and the reasons that may be told
    counterfactual: bool = False  # the smallest change that would turn the decision; includes `explain`
    interval: bool = False  # which classes remain possible, or between which numbers the truth is

    @property
    def price(self) -> int:
        """What a row costs its caller's budget, in rows: what reasons cost us, and what they tell about the model."""
        return 100 if self.counterfactual else 10 if self.explain else 1


NO_OPTIONS = Options()


def options_in(found: Mapping[str, Any]) -> Options:
    """The options among the fields of a request or its parameters."""
    further = found.get("counterfactual") is True
    asked = Options(further or found.get("explain") is True, further, found.get("interval") is True)
    return asked if any(asked) else NO_OPTIONS


def option_problems(found: Mapping[str, Any], where: str = "") -> list[FieldProblem]:
    """What is wrong with options; `where` is the pointer of what holds them."""
    return [
        FieldProblem(where + pointer(name), "wrong_type", "Expected true or false.", name)
        for name in OPTIONS
        if name in found and not isinstance(found[name], bool)
    ]


def too_many_rows(options: Options, rows: int) -> list[FieldProblem]:
    """Reasons cost more than answers: how many rows a request with options may hold."""
    wanted = "counterfactual" if options.counterfactual else "explain" if options.explain else ""
    most = _MOST_ROWS.get(wanted, rows)
    return [FieldProblem("", "wrong_length", f"With {wanted}, expected at most {most} rows.")] if rows > most else []
