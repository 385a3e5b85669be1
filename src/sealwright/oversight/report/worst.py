"""The worst findings of a model, in words: what a reader should know if nothing else is read.

Answers: which limits does it miss, which could not be measured, which do the rows not rule out, which are nearest?
Does not answer: is that acceptable. The order is arithmetic: how much of its limit a finding uses up.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sealwright.oversight.report.words import number_words, plain_check

__all__ = ["WORST", "Worst", "worst_findings"]

WORST = 5
_UNKNOWN = ("not_performed", "missing", "stale")
_KINDS = ("fail", "unknown", "unsure", "near")


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """One finding in words. `kind`: fail, unknown (not measured), unsure (the interval passes the limit), near."""

    kind: str
    check: str
    words: str
    used: float  # share of the limit used up; 1 at the limit, more beyond it


def worst_findings(
    results: Sequence[Mapping[str, Any]], policy: Mapping[str, Any], suites: Sequence[str], most: int = WORST
) -> list[Worst]:
    """The worst findings first, at most one for each check.

    Parameters
    ----------
    results : sequence of mapping
        What came of each requirement, as JSON.
    policy : mapping
        The policy they were held against, as JSON: it says the limits as numbers.
    suites : sequence of str
        Suites whose findings are about the model; the rest (approvals, parity) is left to the gate's own table.
    """
    limits = {(one["check"], one["at_least"], one["at_most"]) for one in policy["requirements"]}
    found: list[Worst] = []
    for result in results:
        check = str(result["check"])
        if check.partition(".")[0] not in suites:
            continue
        ends = [(low, high) for name, low, high in limits if name == check]
        each = list(_of_result(result, ends))
        if each:
            found.append(min(each, key=_place))
    return sorted(found, key=_place)[:most]


def _place(one: Worst) -> tuple[int, float, str]:
    return _KINDS.index(one.kind), -one.used, one.check


def _of_result(result: Mapping[str, Any], ends: Sequence[tuple[float | None, float | None]]) -> Iterator[Worst]:
    check, name = str(result["check"]), plain_check(str(result["check"]))
    if result["outcome"] in _UNKNOWN and not any(one["value"] is not None for one in result["instances"]):
        yield Worst(
            kind="unknown", check=check, used=0.0, words=f"{name} could not be judged: {_end(str(result['found']))}"
        )
        return
    for one in result["instances"]:
        if one["value"] is None:
            if one["outcome"] in _UNKNOWN:
                about = f" by {one['attribute']}" if one["attribute"] else ""
                yield Worst(
                    kind="unknown",
                    check=check,
                    used=0.0,
                    words=f"{name}{about} could not be judged: {_end(one['found'])}",
                )
            continue
        for low, high in ends:
            yield _measured(name, check, one, low, high)


def _measured(name: str, check: str, one: Mapping[str, Any], low: float | None, high: float | None) -> Worst:
    about = f" by {one['attribute']}" if one["attribute"] else ""
    number = f"{name}{about} is {number_words(one['value'])}{_spread(one)}"
    limit, end = (high, one["high"]) if high is not None else (low, one["low"])
    asked = f"at most {number_words(high)}" if high is not None else f"at least {number_words(low or 0.0)}"
    used = _used(one["value"], low, high)
    if one["outcome"] == "fail":
        return Worst(kind="fail", check=check, used=used, words=f"{number}; asked for is {asked}.")
    if end is not None and limit and _used(end, low, high) > 1:  # none of n rows never rules out one
        words = f"{number}. It keeps its limit of {asked}, but these rows do not rule out {number_words(end)}."
        return Worst(kind="unsure", check=check, used=_used(end, low, high), words=words)
    return Worst(kind="near", check=check, used=used, words=f"{number}, within its limit of {asked}.")


def _used(value: float, low: float | None, high: float | None) -> float:
    """How much of a limit a value uses up: 1 at the limit, above 1 beyond it, 0 at the far end.

    With a limit of zero a value on the right side uses nothing of it.
    """
    limit, sign = (high, 1.0) if high is not None else (low or 0.0, -1.0)
    beyond = sign * (value - limit)
    scale = abs(limit) + abs(value)
    if scale == 0:
        return 0.0
    return 1.0 + beyond / scale if beyond > 0 or limit != 0 else 0.0


def _spread(one: Mapping[str, Any]) -> str:
    n = f"{one['n']:,} rows" if one["n"] is not None else ""
    interval = "" if one["low"] is None else f"{number_words(one['low'])} to {number_words(one['high'])}"
    inside = ", ".join(filter(None, [interval, n]))
    return f" ({inside})" if inside else ""


def _end(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
