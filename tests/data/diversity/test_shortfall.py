"""The rows that are missing are the fewest that are enough, found by trying them all."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from sealwright.data.diversity import rows_for_all, rows_to_minimum, rows_to_share

SHARE = st.fractions(0, 1, max_denominator=40)


@given(st.integers(0, 60), st.integers(0, 60), SHARE)
def test_one_row_less_would_not_be_enough(rows: int, others: int, share: Fraction) -> None:
    n = rows + others
    found = rows_to_share(rows, n, share)
    if found is None:
        assert share == 1
        assert others > 0
        return
    assert (rows + found) >= share * (n + found)
    assert found == 0 or (rows + found - 1) < share * (n + found - 1)


def test_the_rows_to_a_minimum() -> None:
    assert [rows_to_minimum(rows, 30) for rows in (0, 29, 30, 31)] == [30, 1, 0, 0]


GROUPS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 9)), min_size=2, max_size=3)


@given(GROUPS)
def test_all_groups_at_once_take_the_fewest_rows_in_all(groups: list[tuple[int, int]]) -> None:
    rows, shares = [have for have, _ in groups], [Fraction(part, 30) for _, part in groups]
    n = sum(rows)
    found = rows_for_all(rows, n, shares)
    total = n + sum(found)
    assert all(have + more >= share * total for have, more, share in zip(rows, found, shares, strict=True))
    for fewer in range(n, total):  # with any smaller total, the groups need more rows than that total has
        needed = [max(have, -(-(share * fewer) // 1)) for have, share in zip(rows, shares, strict=True)]
        assert sum(needed) > fewer


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), min_size=2, max_size=5))
def test_full_shares_are_met_to_within_a_row_a_group(groups: list[tuple[int, int]]) -> None:
    whole = sum(part for _, part in groups)
    rows, shares = [have for have, _ in groups], [Fraction(part, whole) for _, part in groups]
    found = rows_for_all(rows, sum(rows), shares)
    total = sum(rows) + sum(found)
    for have, more, share in zip(rows, found, shares, strict=True):
        assert abs(have + more - share * total) <= len(groups)
