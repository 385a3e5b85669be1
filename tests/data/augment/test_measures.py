"""The measures catch what is planted: copies by closeness, lost correlations by fidelity, noise by usefulness."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from sealwright.data import DataSpec
from sealwright.data.augment import (
    Augmented,
    AugmentSpec,
    Made,
    MadeGroup,
    TooClose,
    augment,
    judge,
    make_rows,
    refuse_too_close,
)
from sealwright.data.augment.areas import area, area_value

Women = Callable[..., AugmentSpec]


def judged(german: pa.Table, contract: DataSpec, spec: AugmentSpec, make: Any) -> Augmented:
    return judge(german, contract, spec, make(german, [166], 1), make)


def copier(contract: DataSpec, spec: AugmentSpec, share: float, *, blur: bool = False) -> Any:
    """A synthesiser that hands out real rows of women in part, perhaps with the amount changed a little."""

    def make(train: pa.Table, amounts: Sequence[int], seed: int) -> Made:
        rng = np.random.default_rng(seed)
        own = np.flatnonzero(pc.equal(train["sex"], "female").to_numpy())
        copied = round(amounts[0] * share)
        rows = train.take(pa.array(rng.choice(own, copied)))
        if blur:
            amount = np.clip(rows["amount_dm"].to_numpy() + rng.integers(1, 60, copied), 250, 18_424)
            rows = rows.set_column(rows.column_names.index("amount_dm"), "amount_dm", pa.array(amount))
        left = amounts[0] - copied
        if left:
            wanted = spec.model_copy(update={"seed": seed})
            rows = pa.concat_tables([make_rows(train, contract, wanted, amounts=[left]).table, rows])
        return _made(rows, len(own))

    return make


def shuffler(train: pa.Table, amounts: Sequence[int], seed: int) -> Made:
    """A synthesiser that draws every column by itself: each looks right, and none knows of the others."""
    rng = np.random.default_rng(seed)
    own = train.filter(pc.equal(train["sex"], "female"))
    columns = {name: own[name].take(pa.array(rng.integers(0, own.num_rows, amounts[0]))) for name in own.column_names}
    return _made(pa.table(columns).cast(train.schema), own.num_rows)


def _made(rows: pa.Table, real: int) -> Made:
    n = rows.num_rows
    group = MadeGroup(where={"sex": "female"}, real=real, asked=n, made=n, redrawn=0)
    return Made(table=rows, groups=(group,))


@pytest.fixture(scope="module")
def honest(german_rows: pa.Table, german_contract: DataSpec, women: Women) -> Augmented:
    return augment(german_rows, german_contract, women())


def test_the_synthesiser_passes_its_own_measures(honest: Augmented) -> None:
    assert honest.too_close == ()
    refuse_too_close(honest)
    assert honest.closeness.copies == 0
    assert honest.closeness.near < 0.1
    assert honest.fidelity.told_apart is not None
    assert honest.fidelity.told_apart.interval[0] < 0.6
    assert all(one.distance < one.by_chance + 0.1 for one in honest.fidelity.columns)
    made_only, groups, everyone = honest.usefulness.compared
    assert made_only.first.value > 0.6
    assert made_only.first.n == groups.first.n == 310
    assert everyone.first.n == 1000
    assert groups.interval[0] <= groups.difference <= groups.interval[1]


@pytest.mark.parametrize(("share", "blur"), [(1.0, False), (1.0, True), (0.35, True), (0.05, False)])
def test_a_synthesiser_that_copies_is_caught_by_closeness(
    german_rows: pa.Table, german_contract: DataSpec, women: Women, share: float, blur: bool
) -> None:
    found = judged(german_rows, german_contract, women(), copier(german_contract, women(), share, blur=blur))
    with pytest.raises(TooClose, match="too close to real persons") as stopped:
        refuse_too_close(found)
    words = "\n".join(stopped.value.reasons)
    assert "equal to a training row" in words if not blur else "nearer to a training row" in words
    if share == 1:
        assert found.closeness.near > 0.9
        assert found.closeness.attack is not None
        assert found.closeness.attack.interval[0] > 0.6


def test_a_synthesiser_that_ignores_correlations_is_caught_by_fidelity_and_usefulness(
    german_rows: pa.Table, german_contract: DataSpec, women: Women, honest: Augmented
) -> None:
    found = judged(german_rows, german_contract, women(), shuffler)
    assert found.too_close == ()
    worst = found.fidelity.worst_pairs[0]
    assert worst.columns == ("duration_months", "amount_dm")
    assert worst.real > 0.5
    assert abs(worst.made) < 0.2
    assert worst.difference > found.fidelity.pair_by_chance
    assert found.fidelity.told_apart is not None
    assert found.fidelity.told_apart.interval[0] > 0.5
    assert found.fidelity.mean_pair_difference > honest.fidelity.mean_pair_difference
    assert found.usefulness.compared[0].interval[1] < 0  # learning from it alone is worse than from real rows
    assert found.usefulness.compared[0].first.value < honest.usefulness.compared[0].first.value


def test_smote_lies_closer_to_persons_and_needs_a_reason(
    german_rows: pa.Table, german_contract: DataSpec, women: Women
) -> None:
    found = augment(german_rows, german_contract, women("smote"))
    assert found.closeness.copies == 0
    assert found.closeness.near > 0.3
    assert len(found.too_close) == 2
    allowed = women("smote", most_near=0.8, most_found=0.8, why="Rows stay in the sealed training data.")
    assert augment(german_rows, german_contract, allowed).too_close == ()


def test_the_measures_are_the_same_again(
    german_rows: pa.Table, german_contract: DataSpec, women: Women, honest: Augmented
) -> None:
    assert augment(german_rows, german_contract, women()).to_json() == honest.to_json()


def test_the_numbers_hold_no_row(honest: Augmented) -> None:
    text = str(honest.to_json())
    assert "synthetic-" not in text
    assert honest.made.table.num_rows == 166


def test_an_area_is_the_share_of_pairs_in_the_right_order() -> None:
    scores, positive = np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, True, False, True])
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[positive] for b in scores[~positive]]
    assert area_value(scores, positive) == np.mean(pairs)
    found = area(np.arange(100) * 1.0, np.arange(100) >= 50)
    assert found is not None
    assert (found.value, found.interval[1]) == (1.0, 1.0)
    assert area(scores, np.ones(4, dtype=bool)) is None
