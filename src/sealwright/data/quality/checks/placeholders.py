"""Values that stand for "missing": -1, 999, 1900-01-01, n/a.

A number or day from a list of usual placeholders counts if it occurs again and again at the very end of the column,
away from everything else; a word counts if it is one that means nothing else.
"""

import datetime as dt

import numpy as np

from sealwright.data.quality.check import Asked, Check, Checked
from sealwright.data.quality.frame import Frame, NumberFacts
from sealwright.data.quality.model import Fault

__all__ = ["CHECK", "placeholders_of"]

_NINES = tuple(float(sign) * (10**digits - 1) for digits in range(1, 10) for sign in (1, -1))
_OTHERS = (-1, -2, -8, -88, -888, 0, 88, 888, 8888, 97, 98, 997, 998, 10**9, -(10**9), 2**31 - 1, -(2**31))
_NUMBERS = frozenset({*_NINES, *map(float, _OTHERS)})
_EPOCH = dt.date(1970, 1, 1)
_DAYS = frozenset(
    float((dt.date.fromisoformat(day) - _EPOCH).days)
    for day in ("0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1901-01-01", "1970-01-01",
                "1980-01-01", "2099-12-31", "2100-01-01", "2999-12-31", "3000-01-01", "9999-12-31")
)  # fmt: skip
_WORDS = {
    "n/a", "#n/a", "na", "nan", "null", "nil", "?", "??", "-", "--", ".", "missing", "not available", "not known",
    "tbd", "xxx", "#ref!", "#value!", "undefined", "blank",
}  # fmt: skip
_LEAST_SHARE, _LEAST_COUNT = 0.0005, 3
_FEWEST_DISTINCT = 6  # below this, -1 may be one of a few codes
Ends = tuple[tuple[float, int], ...]


def placeholders_of(facts: NumberFacts, *, is_date: bool) -> list[tuple[float, int]]:
    """Values of a column of numbers that look like placeholders, with their counts."""
    known = _DAYS if is_date else _NUMBERS
    least = max(_LEAST_COUNT, _LEAST_SHARE * facts.count)
    return [
        (value, count)
        for end in (facts.lowest, facts.highest)
        for value, count in _apart(end, known, facts)
        if count >= least
    ]


def _apart(end: Ends, known: frozenset[float], facts: NumberFacts) -> Ends:
    """The values at one end that are known placeholders and stand apart from the first that is none."""
    outer: list[tuple[float, int]] = []
    for value, count in end:
        if value not in known:
            return tuple(one for one in outer if _far_from(one[0], value, facts))
        outer.append((value, count))
    return ()


def _far_from(value: float, inner: float, facts: NumberFacts) -> bool:
    """Further from the rest than the bulk is wide, or below zero where nothing else is."""
    if value < 0 <= inner and facts.distinct >= _FEWEST_DISTINCT:
        return True
    bulk = facts.quantiles[0.75] - facts.quantiles[0.25]
    return value != 0.0 and abs(value - inner) > max(2 * bulk, 1.0)


def _run(asked: Asked) -> Checked:
    found = []
    for name in asked.frame.of_type("integer", "number", "date"):
        facts = asked.frame.facts(name)
        if facts is not None:
            is_date = asked.frame.columns[name].type == "date"
            found += [
                _number(asked, name, value, is_date=is_date) for value, _ in placeholders_of(facts, is_date=is_date)
            ]
    for name in asked.frame.of_type("category"):
        found += _words(asked, name)
    return Checked(faults=tuple(found))


def _number(asked: Asked, name: str, value: float, *, is_date: bool) -> Fault:
    hit = asked.frame.floats(name) == value
    shown = asked.frame.shown(name, (_EPOCH + dt.timedelta(days=int(value))).isoformat() if is_date else value)
    return _fault(asked, name, hit, shown)


def _words(asked: Asked, name: str) -> list[Fault]:
    frame: Frame = asked.frame
    codes = frame.codes(name)
    return [
        _fault(asked, name, codes.places == place, frame.shown(name, label))
        for place, label in enumerate(codes.labels)
        if label.strip().casefold() in _WORDS and name != frame.target
    ]


def _fault(asked: Asked, name: str, hit: "np.ndarray[tuple[int], np.dtype[np.bool_]]", shown: str) -> Fault:
    count, of = int(hit.sum()), asked.frame.rows - asked.frame.missing(name)
    return Fault(
        check="quality.placeholder_values",
        severity="medium" if count / of >= 0.001 else "low",
        columns=(name,),
        rows=asked.frame.named(hit, asked.settings.rows_named),
        count=count,
        of=of,
        unit="cells",
        found=f"{count:,} of {of:,} cells hold {shown}, which looks like a placeholder for missing.",
        why="The model takes it for a real value, and averages, ranges and distances are wrong.",
        todo="If it means missing, set nullable: true and list it under nulls, or empty it by a declared step (null_values).",
    )


CHECK = Check(name="placeholder_values", run=_run)
