"""How unusual a row is: told apart from rows that are shuffled or shifted, on a scale of shares of the rows learned from."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from sealwright.kernel import VerificationFailed
from sealwright.serving import Contract
from sealwright.serving.checking.unusual import FEWEST_ROWS, Oddity, usual_of
from sealwright.serving.contract import Batch

Rows = Callable[[int, int], Batch]


def _area(usual: NDArray[np.float64], odd: NDArray[np.float64]) -> float:
    """ROC area: the chance that an odd row is further away than a usual one."""
    return float((odd[:, None] > usual[None, :]).mean())


def _shuffled(batch: Batch, numbers: list[int] | None = None) -> Batch:
    """Every column by itself is as before; what went together does not."""
    rng = np.random.default_rng(9)
    assert batch.numbers is not None
    assert batch.strings is not None
    mixed_numbers, mixed_strings = batch.numbers.copy(), batch.strings.copy()
    for at in range(8) if numbers is None else numbers:
        mixed_numbers[:, at] = mixed_numbers[rng.permutation(batch.rows), at]
    for at in range(12) if numbers is None else ():
        mixed_strings[:, at] = mixed_strings[rng.permutation(batch.rows), at]
    return Batch(batch.rows, mixed_numbers, mixed_strings)


@pytest.fixture
def oddity(contract: Contract, rows_of: Rows) -> Oddity:
    usual = usual_of(contract, rows_of(1500, 1))
    assert usual is not None
    return Oddity(contract, usual)


def test_shuffled_rows_are_told_from_real_ones_although_each_value_is_usual(oddity: Oddity, rows_of: Rows) -> None:
    fresh = rows_of(600, 2)
    assert _area(oddity.distances(fresh), oddity.distances(_shuffled(fresh))) > 0.95
    assert _area(oddity.distances(fresh), oddity.distances(_shuffled(fresh, [0, 1]))) > 0.65


def test_without_regard_to_what_goes_together_shuffled_rows_are_not_found(contract: Contract, rows_of: Rows) -> None:
    """Why the distance knows correlations: the same measure without them sees nothing."""
    usual = usual_of(contract, rows_of(1500, 1))
    assert usual is not None
    width = len(usual.mean)
    upper = np.zeros((width, width))
    upper[np.triu_indices(width)] = usual.covariance
    alone = msgspec.structs.replace(usual, covariance=tuple(np.diag(np.diag(upper))[np.triu_indices(width)].tolist()))
    fresh, blind = rows_of(600, 2), Oddity(contract, alone)
    assert _area(blind.distances(fresh), blind.distances(_shuffled(fresh))) < 0.7


def test_shifted_rows_and_values_beyond_anything_seen_are_found(oddity: Oddity, rows_of: Rows) -> None:
    fresh = rows_of(600, 3)
    assert fresh.numbers is not None
    shifted = fresh.numbers.copy()
    shifted[:, 1] *= 4
    assert _area(oddity.distances(fresh), oddity.distances(Batch(fresh.rows, shifted, fresh.strings))) > 0.75
    far = fresh.numbers.copy()
    far[:, 0] = 1e9
    assert oddity.shares(Batch(fresh.rows, far, fresh.strings)).min() == 1.0


def test_a_level_nobody_had_is_unusual(oddity: Oddity, rows_of: Rows) -> None:
    fresh = rows_of(300, 4)
    assert fresh.strings is not None
    strange = fresh.strings.copy()
    strange[:, 3] = "a99"
    assert np.median(oddity.shares(Batch(fresh.rows, fresh.numbers, strange))) > 0.99


def test_shares_of_fresh_rows_are_what_they_say(oddity: Oddity, rows_of: Rows) -> None:
    shares = oddity.shares(rows_of(1500, 5))
    assert abs(float((shares > 0.95).mean()) - 0.05) < 0.03
    assert abs(float(np.median(shares)) - 0.5) < 0.08


def test_a_row_has_the_same_share_alone_and_among_others(oddity: Oddity, rows_of: Rows) -> None:
    fresh = rows_of(20, 6)
    assert fresh.numbers is not None
    assert fresh.strings is not None
    alone = [oddity.shares(Batch(1, fresh.numbers[[at]], fresh.strings[[at]]))[0] for at in range(20)]
    assert np.allclose(alone, oddity.shares(fresh), atol=1e-4)


def test_few_rows_say_nothing_about_what_is_usual(contract: Contract, rows_of: Rows) -> None:
    assert usual_of(contract, rows_of(FEWEST_ROWS - 1, 1)) is None


def test_what_is_kept_names_no_rare_level(contract: Contract, rows_of: Rows) -> None:
    """A level that one person has would say that they were among the rows."""
    rows = rows_of(300, 1)
    assert rows.strings is not None
    rows.strings[:9, 1] = "rent: city"
    usual = usual_of(contract, rows)
    assert usual is not None
    assert "rent: city" not in usual.levels[1]


def test_a_document_about_other_columns_is_refused(contract: Contract, rows_of: Rows) -> None:
    usual = usual_of(contract, rows_of(300, 1))
    assert usual is not None
    with pytest.raises(VerificationFailed, match="other columns"):
        Oddity(contract, msgspec.structs.replace(usual, levels=usual.levels[:-1]))
