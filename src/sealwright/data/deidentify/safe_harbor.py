"""The HIPAA Safe Harbor, 45 CFR 164.514(b)(2): what must go, what may stay coarser, and what no tool can say.

Answers: which of the 18 identifiers does each column hold, and what is done with it?
Does not answer: whether anybody actually knows that the rest identifies a person. That is the second limb of the rule,
(b)(2)(ii): a person says so and signs for it. Nor whether a column holds what its name says.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sealwright.data.column_spec import ColumnSpec
from sealwright.data.deidentify.errors import SafeHarborNotReached
from sealwright.data.deidentify.identifiers import LETTERS, kind_by_name
from sealwright.data.deidentify.spec import DeidentifySpec
from sealwright.data.deidentify.steps import Generalise, GeneraliseStep, Pseudonym, Redact, ShiftDates, Step, Suppress

__all__ = ["SECOND_LIMB", "Harbor", "HarborLine", "harbor_of"]

SECOND_LIMB = (
    "Whether anybody here actually knows that what remains identifies a person is for a person to say and sign:"
    " 45 CFR 164.514(b)(2)(ii). No program can."
)
_OLDEST = 90  # ages over 89 become one category

_NUMBERS = {"integer", "number"}
_NOT_BY_CODE = "a code made from the value is itself an identifier under 164.514(c); suppress it"
_NOT_BY_SHIFT = "a shifted date still has a day and a month; keep the year with method generalise, part: year"

Outcome = Literal["removed", "generalised", "not_present"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HarborLine:
    """One of the 18 identifiers: which columns hold it, how that is known, and what was done."""

    letter: str
    identifier: str
    outcome: Outcome
    columns: Mapping[str, str]  # column -> what was done
    known_by: Mapping[str, str]  # column -> "declared", "name", "scanner" or "type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Harbor:
    """The recipe with what the profile adds, and the account of the 18."""

    spec: DeidentifySpec
    lines: tuple[HarborLine, ...]
    as_of: date
    remaining: tuple[str, ...]  # columns taken to hold no identifier: a person reads this list

    @property
    def decided(self) -> frozenset[str]:
        """Columns of which the profile, or a person's `identifiers: none`, has said what happens."""
        none = {name for name, kind in self.spec.identifiers.items() if kind == "none"}
        return frozenset(none | {name for line in self.lines for name in line.columns})

    def to_json(self) -> dict[str, Any]:
        lines = [
            {
                "letter": line.letter,
                "identifier": line.identifier,
                "outcome": line.outcome,
                "columns": dict(line.columns),
                "known_by": dict(line.known_by),
            }
            for line in self.lines
        ]
        return {
            "rule": "45 CFR 164.514(b)(2)",
            "as_of": self.as_of.isoformat(),
            "identifiers": lines,
            "remaining": list(self.remaining),
            "no_actual_knowledge": {"outcome": "not_performed", "note": SECOND_LIMB},
        }


def harbor_of(
    columns: Mapping[str, ColumnSpec], spec: DeidentifySpec, *, found: Mapping[str, str], today: date
) -> Harbor:
    """Complete a recipe so that it keeps to the Safe Harbor.

    Parameters
    ----------
    columns : mapping of name to ColumnSpec
        Those of the snapshot.
    found : mapping of name to kind
        What a scanner found in the cells.
    today : date
        The day ages are counted to, where the recipe names none.

    Raises
    ------
    SafeHarborNotReached
        The recipe keeps what must go. Every reason at once.
    """
    as_of = spec.as_of or today
    known = {name: _kind(name, column, spec, found) for name, column in columns.items()}
    steps: dict[str, tuple[Step, ...]] = dict(spec.columns)
    faults: dict[str, str] = {}
    for name, column in columns.items():
        kind, _ = known[name]
        given = spec.columns.get(name)
        fault = _forbidden(name, column, kind, given, spec, found)
        if fault is None and kind != "none":
            steps[name] = given or _usual(kind, column, as_of)
            fault = _fault(kind, steps[name], as_of) or _named_twice(name, steps[name], spec)
        if fault is not None:
            faults[name] = fault
    if faults:
        raise SafeHarborNotReached(faults)
    return Harbor(
        spec=spec.model_copy(update={"columns": steps}),
        lines=tuple(_lines(known, steps)),
        as_of=as_of,
        remaining=tuple(name for name, (kind, _) in known.items() if kind == "none"),
    )


def _kind(
    name: str, column: ColumnSpec, spec: DeidentifySpec, found: Mapping[str, str]
) -> tuple[str, Literal["declared", "name", "scanner", "type"]]:
    """What a column holds, and how that is known. A date is a date whatever its name, and so is a free text."""
    if name in spec.identifiers:
        return spec.identifiers[name], "declared"
    named = kind_by_name(name)
    if column.type == "date":
        return ("birth_date", "name") if named == "birth_date" else ("date", "type")
    if named is not None:
        return named, "name"
    if name in found:
        return found[name], "scanner"
    if column.type == "text":
        return ("other_code" if column.role == "identifier" else "free_text"), "type"
    return ("other_code", "type") if column.role == "identifier" else ("none", "type")


def _forbidden(
    name: str,
    column: ColumnSpec,
    kind: str,
    given: Sequence[Step] | None,
    spec: DeidentifySpec,
    found: Mapping[str, str],
) -> str | None:
    """What no column may have, whatever it holds."""
    if any(isinstance(step, Pseudonym) for step in given or ()):
        return _NOT_BY_CODE
    if any(isinstance(step, ShiftDates) for step in given or ()):
        return _NOT_BY_SHIFT
    if kind == "none" and column.type == "date":
        return "a date cannot be declared to hold no identifier; declare date or birth_date"
    if kind == "none" and name in found:
        return f"declared to hold no identifier, but the scanner found {found[name]} in it; declare what it holds"
    if kind != "none" and name in spec.keep:
        return f"kept as it is, but holds: {kind}. If it does not, declare it as none under deidentify.identifiers"
    return None


def _usual(kind: str, column: ColumnSpec, as_of: date) -> tuple[Step, ...]:
    """What the profile does where the recipe says nothing."""
    if kind == "zip" and column.type in {"category", "text", "integer"}:
        return (GeneraliseStep(method="generalise", zip3=True),)
    if kind in {"date", "birth_date"} and column.type == "date":
        year = GeneraliseStep(method="generalise", part="year")
        return (year, _oldest_year(as_of)) if kind == "birth_date" else (year,)
    if kind == "birth_year" and column.type == "integer":
        return (_oldest_year(as_of),)
    if kind == "age" and column.type in _NUMBERS:
        return (GeneraliseStep(method="generalise", top=_OLDEST),)
    return (Suppress(method="suppress"),)


def _oldest_year(as_of: date) -> GeneraliseStep:
    """Who was born in this year or before is 90, or will be this year: one value for all of them."""
    return GeneraliseStep(method="generalise", bottom=as_of.year - _OLDEST)


def _fault(kind: str, steps: Sequence[Step], as_of: date) -> str | None:
    """Why these methods do not take this identifier out; None if they do."""
    if isinstance(steps[0], (Suppress, Redact)):
        return None
    coarser = [step for step in steps if isinstance(step, Generalise)]
    if kind == "zip":
        return None if any(step.zip3 for step in coarser) else "postcodes need generalise with zip3: true, or suppress"
    if kind == "place":
        named = any(step.groups is not None for step in coarser)
        return None if named else "places smaller than a state must go: suppress, or groups that are states"
    if kind in {"date", "birth_date"} and not any(step.part == "year" for step in coarser):
        return "of a date only the year may stay: generalise with part: year, or suppress"
    if kind in {"birth_date", "birth_year"}:
        limit = as_of.year - _OLDEST
        capped = any(step.bottom is not None and step.bottom >= limit for step in coarser)
        return None if capped else f"birth years tell ages over 89: add generalise with bottom: {limit}, or suppress"
    if kind == "age":
        capped = any(_caps_age(step) for step in coarser)
        return None if capped else "ages over 89 must be one value: generalise with top: 90, or suppress"
    return None if kind == "date" else "this must go: suppress or redact"


def _caps_age(step: Generalise) -> bool:
    if step.edges is not None:
        return step.edges[-1] <= _OLDEST
    return step.top is not None and step.top <= _OLDEST


def _named_twice(name: str, steps: Sequence[Step], spec: DeidentifySpec) -> str | None:
    gone = isinstance(steps[0], (Suppress, Redact))
    for what, names in (("quasi_identifiers", spec.quasi_identifiers), ("sensitive", spec.sensitive)):
        if gone and name in names:
            return f"the profile takes it out, so it cannot be among {what}"
    return None


def _lines(known: Mapping[str, tuple[str, str]], steps: Mapping[str, Sequence[Step]]) -> Iterator[HarborLine]:
    for letter, (identifier, kinds) in LETTERS.items():
        here = [name for name, (kind, _) in known.items() if kind in kinds]
        gone = all(isinstance(steps[name][0], (Suppress, Redact)) for name in here)
        yield HarborLine(
            letter=letter,
            identifier=identifier,
            outcome="not_present" if not here else "removed" if gone else "generalised",
            columns={name: "; ".join(_said(step) for step in steps[name]) for name in here},
            known_by={name: known[name][1] for name in here},
        )


def _said(step: Step) -> str:
    return step.words() if isinstance(step, Generalise) else {"suppress": "left out", "redact": "emptied"}[step.method]
