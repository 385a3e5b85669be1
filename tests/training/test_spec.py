"""The training section refuses what it does not know, and a recipe what it does not have."""

import math

import pytest
from pydantic import ValidationError

from sealwright.kernel import InvalidInput
from sealwright.training import RECIPES, TrainingSpec
from sealwright.training.recipes import fixed_parameters, parameters_of


@pytest.mark.parametrize(
    "wrong",
    [
        {"recipe": "boost"},
        {"recipe": "my module:train"},
        {"recipe": "../evil:train"},
        {"recipe": "os.path:join:x"},
        {"seed": -1},
        {"seed": True},
        {"seed": 1.5},
        {"folds": 1},
        {"search": {"trials": -1}},
        {"search": {"trials": 20, "metric": "f17"}},
        {"search": {"seconds": 0}},
        {"limits": {"memory_mb": 1}},
        {"limits": {"seconds": 0}},
        {"params": {"a b": 1}},
        {"params": {"a": [1]}},
        {"params": {"a": None}},
        {"files": ["../secrets.txt"]},
        {"files": ["/etc/passwd"]},
        {"files": [".env"]},
        {"files": ["a//b"]},
        {"files": ["a/../../b"]},
        {"confinement": "off"},
        {"unknown": 1},
        {"limits": {"unknown": 1}},
    ],
)
def test_a_wrong_section_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TrainingSpec.model_validate(wrong)


def test_the_defaults_are_a_whole_section_and_survive_a_round_trip() -> None:
    spec = TrainingSpec()
    assert TrainingSpec.model_validate(spec.model_dump(mode="json")) == spec
    assert TrainingSpec.model_validate({"recipe": "pkg.module:train"}).own_code


def test_an_unknown_parameter_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(InvalidInput, match="Did you mean 'learning_rate'"):
        fixed_parameters("boosting", "binary", {"learning_rat": 0.1})
    with pytest.raises(InvalidInput, match="It has: c, balanced"):
        fixed_parameters("logistic", "binary", {"zzz": 1})
    with pytest.raises(InvalidInput, match="no parameter 'balanced'"):
        fixed_parameters("boosting", "regression", {"balanced": True})


@pytest.mark.parametrize("value", [0, -1, 10_000, 1.5, True, "many", math.nan, math.inf])
def test_a_parameter_out_of_bounds_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput, match=r"params\.trees"):
        fixed_parameters("boosting", "binary", {"trees": value})  # type: ignore[dict-item]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("rows", [20, 100, 1000, 1_000_000])
def test_every_search_starts_inside_its_bounds(recipe: str, task: str, rows: int) -> None:
    for parameter in parameters_of(recipe, task, rows):
        if parameter.search is not None:
            low, high = parameter.search
            assert parameter.low <= low <= high <= parameter.high
            assert low <= float(parameter.default) <= high, parameter
            assert not parameter.log or low > 0
