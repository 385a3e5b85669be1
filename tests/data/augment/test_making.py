"""Made-up rows keep the contract, are nobody's, and are the same again for the same seed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pydantic import ValidationError

from sealwright.data import DataSpec
from sealwright.data.augment import AugmentSpec, TooFewToLearnFrom, make_rows
from sealwright.data.augment.frame import frame_of, row_keys
from sealwright.data.cast import cast_column
from sealwright.data.diversity import DiversitySpec, read_reference
from sealwright.kernel import InvalidInput

Women = Callable[..., AugmentSpec]
METHODS = ["synthesiser", "smote"]


def spec_of(method: str, where: dict[str, str], **more: Any) -> AugmentSpec:
    return AugmentSpec.model_validate({"method": method, "groups": [{"where": where, **more}]})


def breaches(table: pa.Table, contract: DataSpec) -> dict[str, Any]:
    """Cells that ingest would refuse."""
    found = {}
    for name in table.column_names:
        cast = cast_column(table[name].combine_chunks(), contract.columns[name])
        bad = {reason: int(cells.sum()) for reason, cells in cast.problems.items() if cells.any()}
        if bad:
            found[name] = bad
    return found


@pytest.mark.parametrize("method", METHODS)
def test_rows_keep_the_contract_and_are_of_the_group(
    mixed_rows: pa.Table, mixed_contract: DataSpec, method: str
) -> None:
    made = make_rows(mixed_rows, mixed_contract, spec_of(method, {"group": "a"}, rows=150))
    assert made.table.schema == mixed_rows.schema
    assert made.table.num_rows == 150
    assert breaches(made.table, mixed_contract) == {}
    assert pc.unique(made.table["group"]).to_pylist() == ["a"]
    assert set(pc.unique(made.table["kind"]).to_pylist()) <= {"x", "y", "z", None}
    pay = made.table["pay"].drop_null().to_numpy()
    assert np.array_equal(np.round(pay, 2), pay)
    of_group = mixed_rows.filter(pc.equal(mixed_rows["group"], "a"))
    for name in ("pay", "since"):
        gaps = [rows[name].null_count / rows.num_rows for rows in (of_group, made.table)]
        assert gaps[0] == pytest.approx(gaps[1], abs=0.1)
    rates = [pc.mean(pc.equal(rows["y"], "yes")).as_py() for rows in (of_group, made.table)]
    assert rates[0] == pytest.approx(rates[1], abs=0.01)  # the outcome is not moved along the way


@pytest.mark.parametrize("method", METHODS)
def test_no_row_is_a_real_one_and_none_comes_twice(mixed_rows: pa.Table, mixed_contract: DataSpec, method: str) -> None:
    """In a table of few columns chance alone would give copies; they are drawn again."""
    few = mixed_rows.select(["person", "number", "visit", "group", "years", "y"])
    made = make_rows(few, mixed_contract, spec_of(method, {"group": "b"}, rows=40))
    real, new = (set(row_keys(frame_of(rows, mixed_contract)).tolist()) for rows in (few, made.table))
    assert not real & new
    assert len(new) == made.table.num_rows
    assert made.groups[0].redrawn > 0


def test_where_no_combination_is_free_there_are_fewer_rows_and_it_is_said(mixed_contract: DataSpec) -> None:
    table = pa.table({"group": ["a"] * 40, "member": [True, False] * 20, "y": ["no", "no", "yes", "yes"] * 10})
    made = make_rows(table, mixed_contract, spec_of("synthesiser", {"group": "a"}, rows=10))
    assert made.table.num_rows == 0
    assert "Fewer rows than asked for" in made.notes[0]


def test_identifiers_cannot_be_mistaken_for_a_persons(mixed_rows: pa.Table, mixed_contract: DataSpec) -> None:
    groups = [{"where": {"group": "a"}, "rows": 5}, {"where": {"group": "b"}, "rows": 5}]
    spec = AugmentSpec.model_validate({"method": "synthesiser", "groups": groups})
    made = make_rows(mixed_rows, mixed_contract, spec, tag="ab12", first=7)
    assert made.table["person"].to_pylist() == [f"synthetic-ab12-{number}" for number in range(7, 17)]
    assert made.table["number"].to_pylist() == [-number for number in range(7, 17)]
    assert made.table["visit"].null_count == 10
    columns = {name: one.plain() for name, one in mixed_contract.columns.items()}
    columns["number"]["min"] = 0
    closed = DataSpec.model_validate({"source": "x.csv", "target": "y", "positive": "yes", "columns": columns})
    with pytest.raises(InvalidInput, match=r"'number' .* could be a real person's"):
        make_rows(mixed_rows, closed, spec)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_makes_the_same_rows(
    german_rows: pa.Table, german_contract: DataSpec, women: Women, method: str
) -> None:
    first, again = (make_rows(german_rows, german_contract, women(method, 40)).table for _ in range(2))
    other = make_rows(german_rows, german_contract, women(method, 40, seed=5)).table
    assert first.equals(again)
    assert not first.equals(other)


def test_rows_to_the_reference_are_as_many_as_the_shortfall(german_rows: pa.Table, german_contract: DataSpec) -> None:
    """310 of 1,000 to 0.51 take 409 rows, to 0.8 x 0.51 take 166: see the tests of diversity."""
    reference = {"source": "Made up for this test", "date": "2024", "shares": {"sex": {"female": 0.51, "male": 0.49}}}
    diversity = DiversitySpec.model_validate({"attributes": ["sex"], "reference": reference})
    more = {"diversity": diversity, "reference": read_reference(diversity)}
    for to, rows in (("limit", 166), ("reference", 409)):
        made = make_rows(german_rows, german_contract, spec_of("synthesiser", {"sex": "female"}, to=to), **more)
        assert made.groups[0].asked == made.table.num_rows == rows
    twice = {
        "method": "synthesiser",
        "groups": [{"where": {"sex": "female"}, "rows": 100}, {"where": {"sex": "female"}, "to": "limit"}],
    }
    made = make_rows(german_rows, german_contract, AugmentSpec.model_validate(twice), **more)
    assert [group.asked for group in made.groups] == [100, 66]
    with pytest.raises(InvalidInput, match="no reference share of sex = female"):
        make_rows(german_rows, german_contract, spec_of("synthesiser", {"sex": "female"}, to="limit"))


def test_a_band_of_a_number_and_an_outcome_can_be_the_group(german_rows: pa.Table, german_contract: DataSpec) -> None:
    diversity = DiversitySpec.model_validate({"attributes": [{"age": [26]}]})
    spec = spec_of("synthesiser", {"age": "under 26", "outcome": "bad"}, rows=60)
    made = make_rows(german_rows, german_contract, spec, diversity=diversity).table
    assert pc.max(made["age"]).as_py() < 26
    assert pc.unique(made["outcome"]).to_pylist() == ["bad"]


def test_what_cannot_be_learned_is_refused(german_rows: pa.Table, german_contract: DataSpec) -> None:
    with pytest.raises(TooFewToLearnFrom, match=r"housing = for free, sex = female.*fewer than 20"):
        make_rows(german_rows, german_contract, spec_of("smote", {"housing": "for free", "sex": "female"}, rows=5))
    with pytest.raises(InvalidInput, match="allows 3 for each"):
        make_rows(german_rows, german_contract, spec_of("smote", {"sex": "female"}, rows=1000))
    with pytest.raises(InvalidInput, match="Did you mean 'female'"):
        make_rows(german_rows, german_contract, spec_of("smote", {"sex": "femal"}, rows=5))
    with pytest.raises(InvalidInput, match="the rows do not have"):
        make_rows(german_rows, german_contract, spec_of("smote", {"applicant_id": "1"}, rows=5))


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"groups": [{"where": {"a": "b"}}]}, "give either `rows` or `to`"),
        ({"most_near": 0.9}, "say `why`"),
        ({"method": "ctgan"}, "synthesiser"),
    ],
)
def test_a_mistake_in_the_block_is_told(more: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        AugmentSpec.model_validate({"method": "smote", "groups": [{"where": {"a": "b"}, "rows": 1}], **more})


def test_a_number_as_target_is_modelled_with_the_rest() -> None:
    columns = {
        "group": {"type": "category", "categories": ["a", "b"]},
        "x": {"type": "number"},
        "price": {"type": "number", "min": 0},
    }
    contract = DataSpec.model_validate({"source": "x.csv", "target": "price", "columns": columns})
    rng = np.random.default_rng(1)
    x = rng.normal(size=300)
    table = pa.table({"group": np.where(x > 0.5, "a", "b"), "x": x, "price": np.exp(x + rng.normal(0, 0.1, 300))})
    for method in METHODS:
        made = make_rows(table, contract, spec_of(method, {"group": "a"}, rows=80)).table
        assert np.corrcoef(made["x"].to_numpy(), np.log(made["price"].to_numpy()))[0, 1] > 0.8
