"""A model asked about several variants at once answers as if asked about each alone."""

import numpy as np
import pytest

from sealwright.assurance import Features
from sealwright.assurance import case as case_module
from sealwright.assurance.case import Case

from .conftest import case_of


class _Particular:
    """Says no to whole batches in which a number exceeds 9, as encoders do."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        self.asked.append(len(rows))
        if (rows > 9).any():
            raise ValueError("out of range")
        return 1 / (1 + np.exp(-rows[:, 0]))


@pytest.fixture
def model() -> _Particular:
    return _Particular()


@pytest.fixture
def case(model: _Particular) -> Case:
    X = np.random.default_rng(0).normal(size=(60, 2))
    return case_of(model, X, (X[:, 0] > 0).astype(int))


def _variants(case: Case, *shifts: float) -> list[Features]:
    features = case.test.features
    return [features.with_column(0, features.column(0) + shift) for shift in shifts]


@pytest.mark.parametrize("together", [1, 100, 8_192])
def test_each_variant_gets_its_own_answers_in_order(case: Case, monkeypatch: pytest.MonkeyPatch, together: int) -> None:
    monkeypatch.setattr(case_module, "_TOGETHER", together)
    some = [one.take(np.arange(place + 1)) for place, one in enumerate(_variants(case, 0, 1, 2, 3, 4))]
    alone = [case.predict(one) for one in some]
    found = list(case.predict_each(iter(some)))
    assert [len(one) for one in found] == [1, 2, 3, 4, 5]
    assert all(np.array_equal(one, other) for one, other in zip(found, alone, strict=True))


def test_small_variants_are_one_question(case: Case, model: _Particular) -> None:
    model.asked.clear()
    assert len(list(case.predict_each(_variants(case, 0, 1, 2)))) == 3
    assert model.asked == [180]


def test_a_variant_the_model_fails_on_takes_no_other_with_it(case: Case) -> None:
    first, broken, last = case.predict_each(_variants(case, 0, 100, 1))
    assert np.isnan(broken).all()
    assert np.isfinite(first).all()
    assert np.isfinite(last).all()


def test_nothing_to_ask_is_nothing(case: Case, model: _Particular) -> None:
    model.asked.clear()
    assert list(case.predict_each([])) == []
    assert model.asked == []
