"""Everything said about single rows: contributions, the cheapest change, the nearest prototype, a local line.

Row-level: for who holds the rows, on their own machine. None of it is ever filed, signed or drawn in a report.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.case_making import generator_for
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.explaining.attribution import Explained, background_of, explain_rows
from sealwright.assurance.explaining.counterfactual import Counterfactuals, cheapest_changes
from sealwright.assurance.explaining.local import asked, neighbourhood_of
from sealwright.assurance.explaining.scale import explained_outcomes, unit_of
from sealwright.assurance.explaining.surrogate import local_surrogate
from sealwright.assurance.explaining.typical import typical_of
from sealwright.assurance.explaining.wanted import score_for
from sealwright.assurance.features import Features
from sealwright.assurance.unexplained import CannotExplain

__all__ = ["Change", "Contribution", "LocalLine", "Nearest", "RowExplanation", "explain_each"]

Cell = float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What knowing one feature of the row adds to the answer, on the scale named in the explanation."""

    feature: str
    value: Cell
    phi: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The cheapest change found that leads to the wanted outcome."""

    wanted: str
    cost: float
    changes: Mapping[str, tuple[Cell, Cell]]  # feature -> before, after
    answer: float  # probability of the wanted outcome after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The prototype most like the row: a row the model learned from."""

    values: Mapping[str, Cell]
    decided: str
    distance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalLine:
    """What one standard deviation more, or another category, changes close to the row."""

    effects: Mapping[str, float]
    fidelity: float  # weighted R squared on fresh neighbours


@dataclass(frozen=True, slots=True, kw_only=True)
class RowExplanation:
    """One row explained. A text in place of a part says why there is none."""

    decided: str | None  # None for numbers
    answer: float  # probability of `outcome`, or the value
    outcome: str | None  # which answer the contributions are about
    base: float
    unit: str
    method: str
    contributions: tuple[Contribution, ...]  # largest first
    change: Change | str
    nearest: Nearest | str
    line: LocalLine | str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def explain_each(case: Case, rows: Features, wanted: str | None = None) -> tuple[RowExplanation, ...]:
    """Explain rows of any number; the same rows, case and seed give the same explanations.

    Raises
    ------
    CannotExplain
        No method gives contributions that add up to the answers.
    """
    outcome = explained_outcomes(case)[0] if case.task != "multiclass" else None
    found = explain_rows(case, rows, background_of(case, "explaining/background"))
    if len(found.rows) < len(rows):
        raise CannotExplain(
            f"the budget of queries (assurance.explanation.queries) explains {len(found.rows)} of {len(rows)} rows;"
            " raise it, or ask for fewer"
        )
    outputs = case.predict(rows)
    decided = case.decide(outputs) if case.task != "regression" else None
    changes = _changes(case, rows, decided, wanted)
    nearest, lines = _nearest(case, rows), _lines(case, rows)
    result = []
    for row in range(len(rows)):
        place = outcome if outcome is not None else max(int(decided[row]), 0) if decided is not None else 0
        result.append(
            _one(case, found, row, place, outputs, decided, changes=changes[row], nearest=nearest[row], line=lines[row])
        )
    return tuple(result)


def _one(
    case: Case,
    found: Explained,
    row: int,
    outcome: int,
    outputs: Floats,
    decided: Any,
    *,
    changes: Change | str,
    nearest: Nearest | str,
    line: LocalLine | str,
) -> RowExplanation:
    outcomes, classes = found.found.outcomes, case.interface.classes
    at = outcomes.index(outcome) if outcome in outcomes else 0
    outcome = outcomes[at]
    phi, cells = found.found.phi[row, at], _cells(case, found.rows, row)
    order = np.argsort(-np.abs(phi), kind="stable")
    names = case.interface.names
    return RowExplanation(
        decided=None if decided is None else (classes[decided[row]] if decided[row] >= 0 else "no answer"),
        answer=float(outputs[row] if outputs.ndim == 1 else outputs[row, outcome]),
        outcome=None if decided is None else classes[outcome],
        base=float(found.found.base[at]),
        unit=unit_of(case, found.found.link),
        method=found.found.method,
        contributions=tuple(
            Contribution(feature=names[place], value=cells[names[place]], phi=float(phi[place])) for place in order
        ),
        change=changes,
        nearest=nearest,
        line=line,
    )


def _changes(case: Case, rows: Features, decided: Any, wanted: str | None) -> list[Change | str]:
    if decided is None:
        return ["a number has no outcome to reach"] * len(rows)
    goal = case.favourable if wanted is None else case.interface.classes.index(wanted)
    if goal is None:
        return ["no outcome to hope for: name one as `wanted`"] * len(rows)
    name, rules = case.interface.classes[goal], constraints_of(case)
    lines = np.flatnonzero(decided != goal)
    found = cheapest_changes(score_for(case, goal), rules, rows.take(lines), case.train.features)
    after = case.predict(found.rows)[:, goal]
    said: list[Change | str] = [f"already decided {name}"] * len(rows)
    for here, row in enumerate(lines):
        said[row] = _change(case, rows, found, int(row), here, name, float(after[here]))
    return said


def _change(
    case: Case, rows: Features, found: Counterfactuals, row: int, here: int, name: str, after: float
) -> Change | str:
    if not found.found[here]:
        return f"no possible change was found that leads to {name}"
    before, then = _cells(case, rows, row), _cells(case, found.rows, here)
    moved = [case.interface.names[place] for place in np.flatnonzero(found.changed[here])]
    return Change(
        wanted=name,
        cost=float(found.cost[here]),
        changes={feature: (before[feature], then[feature]) for feature in moved},
        answer=after,
    )


def _nearest(case: Case, rows: Features) -> list[Nearest | str]:
    if case.task == "regression":
        return ["prototypes stand for outcomes, and a number has none"] * len(rows)
    typical = typical_of(case)
    if isinstance(typical, str):
        return [typical] * len(rows)
    apart = typical.coded.apart(rows, typical.features)
    return [
        Nearest(
            values=_cells(case, typical.features, int(place)),
            decided=case.interface.classes[int(typical.chosen.outcomes[place])],
            distance=float(apart[row, place]),
        )
        for row, place in enumerate(np.argmin(apart, axis=1))
    ]


def _lines(case: Case, rows: Features) -> list[LocalLine | str]:
    rng = generator_for(case.seed, "explaining/local lines")
    around, ask, limit = neighbourhood_of(case, rng), asked(case), case.spec.explanation.local_fidelity
    said: list[LocalLine | str] = []
    for row in around.coded.matrix(rows):
        found = local_surrogate(ask, around, row, rng)
        if found.fidelity < limit:
            fit = "no finite answers" if not np.isfinite(found.fidelity) else f"a fidelity of {found.fidelity:.2f}"
            said.append(f"refused: {fit} around this row; asked for is {limit:g}")
            continue
        effects = dict(zip(case.interface.names, map(float, found.effects), strict=True))
        ordered = sorted(effects.items(), key=lambda item: (-abs(item[1]), item[0]))
        said.append(LocalLine(effects=dict(ordered), fidelity=found.fidelity))
    return said


def _cells(case: Case, rows: Features, row: int) -> dict[str, Cell]:
    """A row by feature names; a missing cell is None."""
    numbers = [None if np.isnan(value) else float(value) for value in rows.numbers[row]]
    texts = [str(value) or None for value in rows.strings[row]]
    return dict(zip(case.interface.names, [*numbers, *texts], strict=True))
