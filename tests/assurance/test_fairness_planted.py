"""Planted unfairness is found, a fair model is not accused; both are measured, over many drawn tables.

Each rate is a count over independent tables, and the bound is what chance leaves of the promise: 5 % of
false alarms, plus three standard errors.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sealwright.assurance import AssuranceSpec, Features, Finding, case_making, read_interface, service
from sealwright.assurance.check import Check
from sealwright.assurance.checks.fairness import (
    conditional,
    error_rates,
    gap_sources,
    group_calibration,
    intersections,
    label_gap,
    predictive_parity,
    proxies,
    ranking,
    representation,
    residuals,
    score_distributions,
)
from sealwright.assurance.recognition import alone, dealt, recognised

_TABLES = 100
_INTERFACE = {
    "format": 1,
    "task": "binary",
    "target": "outcome",
    "classes": ["no", "yes"],
    "positive": "yes",
    "numbers": [{"name": "score", "type": "number"}, {"name": "hint", "type": "number"}],
    "strings": [{"name": "word", "categories": ["p", "q", "r"]}],
}


def _answers(features: Features) -> np.ndarray:
    score = np.clip(features.numbers[:, 0].astype(float), 0, 1)
    return np.column_stack([1 - score, score])


def _fair(rng: np.random.Generator, n: int = 400) -> dict[str, Any]:
    """Groups, truth and a calibrated score that know nothing of each other."""
    score = rng.beta(2, 2, n)
    return {
        "score": score,
        "hint": rng.normal(size=n),
        "word": rng.choice(["p", "q", "r"], n),
        "outcome": np.where(rng.random(n) < score, "yes", "no"),
        "sex": rng.choice(["f", "m"], n),
        "age": rng.choice(["old", "young"], n, p=[0.7, 0.3]),
    }


def _found(
    check: Check,
    columns: Mapping[str, Any],
    seed: int,
    train: Mapping[str, Any] | None = None,
    groups: tuple[str, ...] = ("sex",),
) -> list[Finding]:
    """What one check says of one table."""
    spec = AssuranceSpec(bootstrap=300)
    test = pa.table(dict(columns))
    learned = test if train is None else pa.table(dict(train))
    numbers = "guess" in columns
    interface = read_interface(_REGRESSION if numbers else _INTERFACE)
    model = _guesses if numbers else _answers
    case = case_making.make_case(
        service.predictor_of(model, interface), test, learned, interface, spec, groups, seed, None
    )
    return list(check.run(case, case_making.generator_for(seed, check.name)).findings)


_REGRESSION = {
    "format": 1,
    "task": "regression",
    "target": "outcome",
    "numbers": [{"name": "guess", "type": "number"}],
    "strings": [],
}


def _guesses(features: Features) -> np.ndarray:
    return features.numbers[:, 0]


def _by_sex(findings: list[Finding], check: str) -> Finding:
    return next(one for one in findings if one.check == check and one.group and one.group.attribute == "sex")


def _rate(alarm: Callable[[int], bool], tables: int = _TABLES) -> float:
    return sum(alarm(seed) for seed in range(tables)) / tables


def _by_chance(rate: float = 0.05, tables: int = _TABLES) -> float:
    return rate + 3 * float(np.sqrt(rate * (1 - rate) / tables))


_GAPS = [
    (predictive_parity.CHECK, ["predictive_parity_gap"]),
    (error_rates.CHECK, ["false_negative_rate_gap", "false_positive_rate_gap"]),
    (group_calibration.CHECK, ["calibration_gap", "score_bias_gap"]),
    (score_distributions.CHECK, ["score_ks_gap", "score_wasserstein_gap"]),
    (ranking.CHECK, ["top_share_gap", "exposure_gap"]),
    (label_gap.CHECK, ["label_gap"]),
]


@pytest.mark.parametrize(("check", "names"), _GAPS, ids=[check.name for check, _ in _GAPS])
def test_a_fair_model_is_not_accused(check: Check, names: list[str]) -> None:
    def alarms(seed: int) -> list[bool]:
        found = _found(check, _fair(np.random.default_rng(seed)), seed)
        return [_by_sex(found, f"fairness.{name}").low > 0 for name in names]

    rates = np.mean([alarms(seed) for seed in range(_TABLES)], axis=0)
    assert (rates <= _by_chance()).all(), rates


def test_no_other_source_of_bias_is_made_up() -> None:
    def alarms(seed: int) -> list[bool]:
        rng = np.random.default_rng(seed)
        test, train = _fair(rng), _fair(rng)
        own = _by_sex(_found(gap_sources.CHECK, test, seed), "fairness.gap_from_error_rates")
        missing = _by_sex(_found(representation.CHECK, test, seed, train), "fairness.representation_gap")
        turned = _by_sex(_found(conditional.CHECK, test, seed), "fairness.conditional_gap")
        return [own.low > 0, missing.low > 0, "reverses" in turned.note]

    rates = np.mean([alarms(seed) for seed in range(_TABLES)], axis=0)
    assert (rates <= [_by_chance(), _by_chance(), 0.02]).all(), rates


def test_permutation_p_values_are_even_where_nothing_is_wrong() -> None:
    def p_value(seed: int) -> float:
        found = _by_sex(
            _found(score_distributions.CHECK, _fair(np.random.default_rng(seed), 200), seed), "fairness.score_ks_gap"
        )
        return float(found.note.split("p = ")[1].split()[0])

    values = np.array([p_value(seed) for seed in range(_TABLES)])
    assert (values <= 0.05).mean() <= _by_chance()
    assert 0.35 < values.mean() < 0.65


def _with_flipped(rng: np.random.Generator) -> dict[str, Any]:
    """Young women who deserve a yes get a no half of the time."""
    columns = _fair(rng, 800)
    hit = (columns["sex"] == "f") & (columns["age"] == "young") & (rng.random(800) < 0.5)
    columns["score"] = np.where(hit, np.minimum(columns["score"], 1 - columns["score"]), columns["score"])
    return columns


def test_a_group_wronged_only_where_attributes_cross_is_found() -> None:
    def named(seed: int, columns: dict[str, Any]) -> str:
        found = _found(intersections.CHECK, columns, seed, groups=("sex", "age"))
        return next(one.note for one in found if one.check == "fairness.crossed_groups_worse_off")

    power = _rate(lambda seed: "f × young" in named(seed, _with_flipped(np.random.default_rng(seed))), 50)
    alarms = _rate(lambda seed: "(p =" in named(seed, _fair(np.random.default_rng(seed), 800)))
    assert power >= 0.9, power
    assert alarms <= _by_chance(), alarms


def test_a_flipped_group_shows_in_each_kind_of_error_and_in_calibration() -> None:
    def flipped(seed: int) -> list[bool]:
        columns = _fair(np.random.default_rng(seed))
        women = columns["sex"] == "f"
        columns["score"] = np.where(women, 1 - columns["score"], columns["score"])
        kinds = [(check, f"fairness.{name}") for check, names in _GAPS[:3] for name in names]
        return [_by_sex(_found(check, columns, seed), name).low > 0 for check, name in kinds]

    power = np.mean([flipped(seed) for seed in range(25)], axis=0)
    assert (power[:4] >= 0.9).all(), power  # the last, the mean of the scores, is the same when they are flipped


def test_a_proxy_is_found_and_named() -> None:
    def caught(seed: int) -> bool:
        columns = _fair(np.random.default_rng(seed))
        columns["hint"] = columns["hint"] + 0.85 * (columns["sex"] == "f")
        found = _by_sex(_found(proxies.CHECK, columns, seed), "fairness.strongest_proxy_auc")
        return found.low > 0.5 and found.note.startswith("strongest: hint ")

    power = _rate(caught, 20)
    assert power >= 0.9, power


@pytest.mark.parametrize("values", [10, 400], ids=["a choice of ten", "a number"])
def test_a_feature_that_knows_nothing_is_no_proxy(values: int) -> None:
    def alarm(seed: int) -> bool:
        rng = np.random.default_rng(seed)
        codes, column = rng.integers(0, 2, 400), rng.integers(0, values, 400).astype(float)
        found = recognised(codes, alone(column, codes, dealt(codes, rng)))
        return found.value - 1.959964 * found.error > 0.5

    assert _rate(alarm, 3000) <= _by_chance(0.025, 3000)


def _two_doors(rng: np.random.Generator) -> dict[str, Any]:
    """Women are chosen more often in both halves, and ask mostly where few are chosen."""
    columns = _fair(rng, 1000)
    women = columns["sex"] == "f"
    hard = rng.random(1000) < np.where(women, 0.85, 0.15)
    columns["word"] = np.where(hard, "p", "q")
    chance = np.where(hard, 0.2, 0.7) + 0.15 * women
    columns["score"] = np.where(rng.random(1000) < chance, 0.8, 0.2)
    return columns


def test_a_reversal_within_strata_is_found_and_said_in_words() -> None:
    def view(seed: int) -> Finding:
        columns = _two_doors(np.random.default_rng(seed))
        return _by_sex(_found(conditional.CHECK, columns, seed), "fairness.conditional_gap")

    def reversed_by_word(seed: int) -> bool:
        found = view(seed)
        return found.value < 0 and "strata of word" in found.note and "reverses (Simpson's paradox)" in found.note

    power = _rate(reversed_by_word, 50)
    assert power >= 0.9, power


def test_predicted_numbers_too_high_for_one_group_are_found_and_only_then() -> None:
    def alarms(seed: int, shift: float, noise: float) -> list[bool]:
        rng = np.random.default_rng(seed)
        truth, sex = rng.normal(50, 10, 300), rng.choice(["f", "m"], 300)
        women = sex == "f"
        guess = truth + rng.normal(0, np.where(women, noise, 4)) + shift * women
        columns = {"guess": guess, "outcome": truth, "sex": sex, "age": rng.choice(["old", "young"], 300)}
        found = _found(residuals.CHECK, columns, seed)
        ratio = _by_sex(found, "fairness.error_ratio")
        return [_by_sex(found, "fairness.mean_residual_gap").low > 0, ratio.high < 1]

    fair = np.mean([alarms(seed, 0, 4) for seed in range(_TABLES)], axis=0)
    unfair = np.mean([alarms(seed, 2, 7) for seed in range(25)], axis=0)
    assert (fair <= _by_chance()).all(), fair
    assert (unfair >= 0.8).all(), unfair
