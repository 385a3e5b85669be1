"""Weights give every group its share, cost what they say, and say what they cannot do."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.data import DataSpec
from sealwright.data.diversity import DiversitySpec, measure_diversity, weights
from sealwright.kernel import InvalidInput


def spec_of(shares: dict[str, Any]) -> DiversitySpec:
    reference = {"source": "Made up for this test", "date": "2024", "shares": shares}
    return DiversitySpec.model_validate({"attributes": ["sex", {"age": [26, 40]}], "reference": reference})


SHARES = {"sex": {"female": 51, "male": 49}, "age": {"under 26": 15, "26 to under 40": 25, "40 and over": 60}}


def test_weighted_shares_are_those_of_the_reference(german_rows: pa.Table, german_contract: DataSpec) -> None:
    found = weights(german_rows, spec_of(SHARES), german_contract)
    women = pc.equal(german_rows["sex"], "female").to_numpy()
    age = german_rows["age"].to_numpy()
    assert found.shape == (1000,)
    assert found.mean() == pytest.approx(1)
    assert found[women].sum() / 1000 == pytest.approx(0.51, abs=1e-8)
    assert found[age < 26].sum() / 1000 == pytest.approx(0.15, abs=1e-8)
    assert found[age >= 40].sum() / 1000 == pytest.approx(0.60, abs=1e-8)
    said = measure_diversity(german_rows, spec_of(SHARES), german_contract).proposals.reweigh
    assert said is not None
    assert said.converged
    assert said.effective_rows == pytest.approx(found.sum() ** 2 / (found**2).sum())
    assert said.largest == pytest.approx(found.max())


def test_weights_towards_one_attribute_are_the_ratio_of_shares(
    german_rows: pa.Table, german_contract: DataSpec
) -> None:
    found = weights(german_rows, spec_of({"sex": {"female": 0.51, "male": 0.49}}), german_contract)
    assert set(np.round(found, 9)) == {round(0.51 / 0.31, 9), round(0.49 / 0.69, 9)}


def test_a_missing_value_keeps_its_share_and_an_absent_group_is_said(german_contract: DataSpec) -> None:
    table = pa.table(
        {"sex": ["female"] * 10 + ["male"] * 30 + [None] * 10, "age": [20, 30] * 25, "outcome": ["good", "bad"] * 25}
    )
    found = weights(table, spec_of(SHARES), german_contract)
    assert found[40:].sum() / 50 == pytest.approx(0.2, abs=1e-8)
    assert found[:10].sum() / found[:40].sum() == pytest.approx(0.51, abs=1e-8)
    said = measure_diversity(table, spec_of(SHARES), german_contract).proposals.reweigh
    assert said is not None
    assert said.unreachable == ("40 and over",)


def test_shares_that_no_weights_reach_are_refused(german_contract: DataSpec) -> None:
    """All women are young and all men are not, so sex and age cannot both be moved their own way."""
    table = pa.table({"sex": ["female", "male"] * 20, "age": [20, 30] * 20, "outcome": ["good", "bad"] * 20})
    shares = {"sex": {"female": 0.5, "male": 0.5}, "age": {"under 26": 0.3, "26 to under 40": 0.7}}
    with pytest.raises(InvalidInput, match="No weights fit"):
        weights(table, spec_of(shares), german_contract)


@settings(max_examples=40)
@given(st.lists(st.integers(1, 20), min_size=6, max_size=6), st.lists(st.integers(1, 9), min_size=5, max_size=5))
def test_raking_meets_every_margin_where_each_group_has_rows(counts: list[int], parts: list[int]) -> None:
    columns = {
        "sex": {"type": "category", "categories": ["female", "male"]},
        "age": {"type": "integer"},
        "outcome": {"type": "category", "categories": ["bad", "good"]},
    }
    contract = DataSpec.model_validate({"source": "x.csv", "target": "outcome", "positive": "good", "columns": columns})
    sexes = [sex for sex, n in zip(["female", "male"] * 3, counts, strict=True) for _ in range(n)]
    ages = [age for age, n in zip([20, 20, 30, 30, 50, 50], counts, strict=True) for _ in range(n)]
    table = pa.table({"sex": sexes, "age": ages})
    shares = {
        "sex": dict(zip(["female", "male"], parts[:2], strict=True)),
        "age": dict(zip(["under 26", "26 to under 40", "40 and over"], parts[2:], strict=True)),
    }
    found = weights(table, spec_of(shares), contract)
    of_women = found[np.array(sexes) == "female"].sum() / found.sum()
    of_young = found[np.array(ages) == 20].sum() / found.sum()
    assert of_women == pytest.approx(parts[0] / sum(parts[:2]), abs=1e-8)
    assert of_young == pytest.approx(parts[2] / sum(parts[2:]), abs=1e-8)
