"""The synthesiser keeps what columns look like and how they go together, also where they are not normal at all."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sealwright.data import DataSpec
from sealwright.data.augment import copula
from sealwright.data.augment.fidelity import association
from sealwright.data.augment.frame import Column, Frame, frame_of


def frame(**columns: np.ndarray) -> Frame:
    made = [
        Column(name=name, levels=tuple("abcdefgh") if values.dtype.kind == "i" else None, values=values)
        for name, values in columns.items()
    ]
    return Frame(columns=tuple(made), rows=len(made[0].values))


def drawn(real: Frame, rows: int = 20_000) -> Frame:
    return copula.fit(real, real).draw(rows, np.random.default_rng(11))


@settings(max_examples=15)
@given(st.floats(-0.9, 0.9), st.floats(0.1, 0.9), st.floats(0.2, 0.8))
def test_two_yes_or_no_columns_keep_their_association(rho: float, p: float, q: float) -> None:
    """A plain copula would weaken it: the correlation of ones and zeros is less than that of what is behind them."""
    behind = np.random.default_rng(3).multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=20_000)
    one, other = (behind[:, 0] < stats.norm.ppf(p)).astype(int), (behind[:, 1] < stats.norm.ppf(q)).astype(int)
    made = drawn(frame(one=one, other=other))
    was, now = (np.corrcoef(a, b)[0, 1] for a, b in ((one, other), (made.columns[0].values, made.columns[1].values)))
    assert now == pytest.approx(was, abs=0.03)
    assert made.columns[0].values.mean() == pytest.approx(one.mean(), abs=0.015)


def test_numbers_keep_their_shape_and_rank_correlation() -> None:
    rng = np.random.default_rng(4)
    a = rng.exponential(size=4000)
    b = np.where(rng.random(4000) < 0.3, 0.0, np.round(a + rng.exponential(size=4000)))  # many zeros, and whole
    real = frame(a=a, b=b)
    made = drawn(real)
    assert stats.ks_2samp(a, made.columns[0].values).statistic < 0.03
    assert stats.ks_2samp(b, np.rint(made.columns[1].values)).statistic < 0.03
    assert association(*made.columns)[1] == pytest.approx(association(*real.columns)[1], abs=0.04)


def test_a_category_without_order_keeps_its_association_with_a_number_and_a_category() -> None:
    rng = np.random.default_rng(6)
    code = rng.integers(0, 4, 4000)
    number = np.array([5.0, -3.0, 9.0, 1.0])[code] + rng.normal(0, 2, 4000)  # not in the order of the codes
    other = np.where(rng.random(4000) < 0.8, np.array([2, 0, 2, 1])[code], rng.integers(0, 3, 4000))
    real = frame(code=code, number=number, other=other)
    made = drawn(real)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        was, now = (association(f.columns[i], f.columns[j])[1] for f in (real, made))
        assert now == pytest.approx(was, abs=0.25)  # of more than two levels without order, a part is lost
        assert now > 0.6 * was


def test_missing_cells_come_back_with_those_they_go_with(mixed_rows: pa.Table, mixed_contract: DataSpec) -> None:
    real = frame_of(mixed_rows, mixed_contract)
    pay = real.place("pay")
    gone = real.columns[real.place("member")].values == 1  # pay is missing for members, more often than not
    values = np.where(gone & (np.arange(600) % 3 > 0), np.nan, real.columns[pay].values)
    columns = tuple(one.with_values(values) if one.name == "pay" else one for one in real.columns)
    made = drawn(Frame(columns=columns, rows=600))
    missing, member = made.columns[pay].missing, made.columns[real.place("member")].values == 1
    assert missing.mean() == pytest.approx(np.isnan(values).mean(), abs=0.02)
    assert missing[member].mean() > 0.5 > 0.2 > missing[~member].mean()


def test_the_largest_value_of_a_group_does_not_come_back() -> None:
    pay = np.concatenate([np.linspace(10, 20, 199), [1_000_000.0]])
    made = drawn(frame(pay=pay, other=np.arange(200) % 3))
    assert made.columns[0].values.max() < 300_000
    assert (made.columns[0].values == 1_000_000).sum() == 0


def test_a_small_group_borrows_how_columns_go_together_from_the_pool() -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(size=3000)
    pool = frame(x=x, y=x + rng.normal(0, 0.3, 3000))
    group = frame(x=rng.normal(3, 1, 20), y=rng.normal(-3, 1, 20))
    made = copula.fit(group, pool).draw(5000, np.random.default_rng(1))
    assert made.columns[0].values.mean() == pytest.approx(group.columns[0].values.mean(), abs=0.1)
    assert 0.4 < association(*made.columns)[1] < 0.95
