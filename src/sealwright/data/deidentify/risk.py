"""What risk stays: how likely is it that somebody is found in these rows all the same?

Answers: for an attacker who knows the quasi-identifiers of a person, or a register of the whole population, or wants
as many matches as possible: which share of the rows would they name rightly?
Does not answer: what they really know. Every number holds for the assumptions printed beside it, and for no others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.data.deidentify.grouping import Ints, codes_of, group
from sealwright.data.deidentify.measuring import classes_of, sizes_of
from sealwright.data.deidentify.population import chance_of_a_match, pitman_uniques, zayatz_uniques
from sealwright.kernel import InvalidInput

__all__ = ["ASSUMED", "STILL_PERSONAL", "Contribution", "Risk", "risk_of"]

STILL_PERSONAL = (
    "Pseudonymised data is still personal data (GDPR, recital 26): these are estimates under assumptions, not a promise"
    " that nobody can be found."
)

ASSUMED = (
    "The attacker knows the named quasi-identifiers of a person exactly as they stand in the rows, and nothing else.",
    "Prosecutor: the attacker also knows that the person is among the rows.",
    "Journalist: the attacker has a register of the population and looks for anybody they can find.",
    "Marketer: the attacker matches every row with the register and counts the right ones.",
    "The rows are a random sample of the population; every person has one row. Where somebody has several, risk is higher.",
    "Columns that are not named as quasi-identifiers are taken to be unknown to the attacker. That may be wrong.",
)
"""What every estimate here takes for granted."""

_HIGH = 0.2  # a chance of one in five: classes of fewer than five, the usual smallest cell of health statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one quasi-identifier adds: the figures if the attacker did not know it."""

    k: int
    unique_rows: int
    average: float  # prosecutor
    unique_rows_avoided: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """Estimates, each a share or chance in [0, 1]. None: needs the size of the population, which nobody stated."""

    rows: int
    quasi_identifiers: tuple[str, ...]
    population: int | None
    prosecutor_highest: float
    prosecutor_average: float
    rows_at_high_risk: float  # share of rows whose prosecutor risk is above 0.2
    journalist_highest: float | None
    marketer: float  # with a population: expected share of right matches; without: the same as prosecutor_average
    unique_in_sample: float  # share of rows alone in their class
    unique_in_population: float | None  # share of rows, the larger of the two estimates
    unique_in_population_zayatz: float | None
    unique_in_population_pitman: float | None
    contributions: Mapping[str, Contribution]

    def to_json(self) -> dict[str, Any]:
        each = {name: asdict(one) for name, one in self.contributions.items()}
        return {
            **asdict(self),
            "quasi_identifiers": list(self.quasi_identifiers),
            "contributions": each,
            "assumed": list(ASSUMED),
            "note": STILL_PERSONAL,
        }


def risk_of(table: pa.Table, quasi: Sequence[str], *, population: int | None = None) -> Risk:
    """Estimate the risk that persons are found in a table.

    Parameters
    ----------
    quasi : sequence of str
        The columns the attacker is assumed to know.
    population : int, optional
        How many persons the rows were drawn from; at least as many as there are rows.

    Returns
    -------
    Risk

    Raises
    ------
    InvalidInput
        No rows, no quasi-identifier, or a population smaller than the sample.

    Notes
    -----
    Prosecutor: 1 / f for a class of f rows; journalist: 1 / F of the population's class; marketer: the mean of 1 / F
    (El Emam 2013, "Guide to the de-identification of personal health information", chapters 16-18; Dankar and El Emam
    2010, "A method for evaluating marketer re-identification risk"). F is not known; E[1 / F | f] is taken from
    Benedetti and Franconi 1998. Uniqueness: see `population`.
    """
    rows = table.num_rows
    if not rows or not quasi:
        raise InvalidInput("Estimating risk needs rows, and at least one column an attacker may know.")
    if population is not None and population < rows:
        raise InvalidInput(f"A population of {population:,} cannot be smaller than the {rows:,} rows drawn from it.")
    sizes = sizes_of(*classes_of(table, quasi))
    alone = int((sizes == 1).sum())
    journalist, marketer = _with_register(sizes, rows, population)
    zayatz = None if population is None else zayatz_uniques(sizes, population)
    pitman = None if population is None else pitman_uniques(sizes, population)
    estimates = [one for one in (zayatz, pitman) if one is not None]
    return Risk(
        rows=rows,
        quasi_identifiers=tuple(quasi),
        population=population,
        prosecutor_highest=1 / int(sizes.min()),
        prosecutor_average=len(sizes) / rows,
        rows_at_high_risk=int(sizes[1 / sizes > _HIGH].sum()) / rows,
        journalist_highest=journalist,
        marketer=len(sizes) / rows if marketer is None else marketer,
        unique_in_sample=alone / rows,
        unique_in_population=max(estimates, default=None),
        unique_in_population_zayatz=zayatz,
        unique_in_population_pitman=pitman,
        contributions=_contributions(table, quasi, alone),
    )


def _with_register(sizes: Ints, rows: int, population: int | None) -> tuple[float | None, float | None]:
    """Highest and mean chance of a right match with a register of the population."""
    if population is None:
        return None, None
    different, times = np.unique(sizes, return_counts=True)
    chance: NDArray[np.float64] = chance_of_a_match(different, rows / population)
    return float(chance.max()), float((different * times * chance).sum() / rows)


def _contributions(table: pa.Table, quasi: Sequence[str], alone: int) -> dict[str, Contribution]:
    """Each column left out in turn. With one column there is nothing left to know: one class."""
    coded = {name: codes_of(table[name]) for name in quasi}
    found = {}
    for name in quasi:
        others = [one for other, one in coded.items() if other != name]
        ids, classes = (
            group([one.of_rows for one in others], [one.count for one in others])
            if others
            else (np.zeros(table.num_rows, dtype=np.int64), 1)
        )
        sizes = sizes_of(ids, classes)
        unique = int((sizes == 1).sum())
        found[name] = Contribution(
            k=int(sizes.min()),
            unique_rows=unique,
            average=classes / table.num_rows,
            unique_rows_avoided=alone - unique,
        )
    return found
