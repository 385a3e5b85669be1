"""Train and test: no row in both, none lost, classes in proportion, the same for the same seed."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.data import DataSpec, Snapshot, TargetUnusable, infer_contract, split
from sealwright.kernel import InvalidInput


def spec_of(kind: str = "category", share: float = 0.25, classes: Any = ("a", "b", "c")) -> DataSpec:
    target: dict[str, Any] = {"type": kind, **({"categories": classes} if kind == "category" else {})}
    positive = classes[0] if kind == "category" and len(classes) == 2 else None
    columns = {"f": {"type": "integer"}, "y": target}
    return DataSpec.model_validate(
        {"source": "x.csv", "target": "y", "positive": positive, "test_share": share, "columns": columns}
    )


def table_of(target: Any) -> pa.Table:
    return pa.table({"f": list(range(len(target))), "y": target})


@settings(deadline=None)
@given(
    st.lists(st.sampled_from("abc"), min_size=2, max_size=200).filter(lambda found: len(set(found)) > 1),
    st.floats(0.05, 0.5),
    st.integers(0, 2**63 - 1),
)
def test_the_two_parts_are_the_whole_and_each_class_is_in_proportion(
    target: list[str], share: float, seed: int
) -> None:
    train, test = split(table_of(target), spec_of(share=share), seed)
    assert sorted(train["f"].to_pylist() + test["f"].to_pylist()) == list(range(len(target)))
    assert train["f"].to_pylist() == sorted(train["f"].to_pylist())
    in_test = Counter(test["y"].to_pylist())
    for label, count in Counter(target).items():
        expected = 0 if count == 1 else min(max(round(share * count), 1), count - 1)
        assert in_test[label] == expected
    assert train.num_rows
    assert len(set(train["y"].to_pylist())) == len(set(target))


@settings(deadline=None)
@given(
    st.lists(st.floats(-9, 9), min_size=2, max_size=100).filter(lambda found: len(set(found)) > 1), st.integers(0, 9)
)
def test_a_quantity_is_split_by_share_alone(target: list[float], seed: int) -> None:
    train, test = split(table_of(target), spec_of("number"), seed)
    assert test.num_rows == min(max(round(0.25 * len(target)), 1), len(target) - 1)
    assert train.num_rows + test.num_rows == len(target)


def test_the_same_seed_gives_the_same_rows_and_another_does_not() -> None:
    target = ["a", "b"] * 50
    one, again, other = (
        split(table_of(target), spec_of(classes=("a", "b")), seed)[1]["f"].to_pylist() for seed in (1, 1, 2)
    )
    assert one == again != other


def test_the_split_of_a_known_seed_stays_what_it_was() -> None:
    """Another numpy, machine or release must not move a row from train to test."""
    _, test = split(table_of(["a", "b", "c", "a"] * 5), spec_of(), 20260101)
    assert test["f"].to_pylist() == [0, 4, 10, 17]


def test_all_columns_stay_also_those_no_model_sees(take_in: Callable[..., Snapshot], german: Path) -> None:
    spec = infer_contract(german, "outcome").spec
    train, test = split(take_in(german, spec).read(), spec, 7)
    assert (train.num_rows, test.num_rows) == (750, 250)
    assert train.column_names == test.column_names == list(spec.kept)
    assert Counter(test["outcome"].to_pylist()) == {"good": 175, "bad": 75}


@pytest.mark.parametrize("target", [["a"] * 10, [1.5] * 10])
def test_a_constant_target_is_refused_in_words(target: list[Any]) -> None:
    kind = "category" if target[0] == "a" else "number"
    with pytest.raises(TargetUnusable, match="same value in all 10 rows"):
        split(table_of(target), spec_of(kind), 1)


def test_one_row_cannot_be_split() -> None:
    with pytest.raises(InvalidInput, match="at least two"):
        split(table_of(["a"]), spec_of(), 1)


def test_made_up_rows_are_never_tested_on_and_move_no_real_row() -> None:
    spec, real = spec_of(), table_of(["a", "b", "c", "a"] * 50)
    made_up = pa.table({"f": list(range(1000, 1060)), "y": ["a"] * 60})
    train, test = split(real, spec, 7)
    more, same = split(pa.concat_tables([real, made_up]), spec, 7, synthetic=60)
    assert same.equals(test)
    assert more.slice(0, train.num_rows).equals(train)
    assert more.slice(train.num_rows).equals(made_up)
