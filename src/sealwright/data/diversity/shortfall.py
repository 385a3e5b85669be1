"""How many rows are missing, solved exactly: whole numbers and fractions, no rounding.

Answers: how many more rows of a group until there are enough; how many of each group until all have their share at once?
Does not answer: where to find them.
"""

from collections.abc import Sequence
from fractions import Fraction

__all__ = ["rows_for_all", "rows_to_minimum", "rows_to_share"]

_ROUNDS = 10_000


def rows_to_minimum(rows: int, at_least: int) -> int:
    """Rows to add until a group has `at_least`."""
    return max(0, at_least - rows)


def rows_to_share(rows: int, n: int, share: Fraction) -> int | None:
    """Fewest rows to add, all of this group, until it has at least `share` of all rows.

    Returns
    -------
    int or None
        The least m >= 0 with (rows + m) / (n + m) >= share; None where there is none (a share of 1 among others).

    Notes
    -----
    (rows + m) / (n + m) >= s is m (1 - s) >= s n - rows, so m is the ceiling of (s n - rows) / (1 - s).
    """
    if rows * share.denominator >= share.numerator * n:
        return 0
    if share >= 1:
        return None
    return _ceiling((share * n - rows) / (1 - share))


def rows_for_all(rows: Sequence[int], n: int, shares: Sequence[Fraction]) -> list[int]:
    """Fewest rows to add to each group until every group has at least its share of all rows, at once.

    Parameters
    ----------
    rows : sequence of int
    n : int
        All rows, at least their sum.
    shares : sequence of Fraction
        The least share of each group, together at most 1.

    Returns
    -------
    list of int
        One a group. Where the shares add up to 1, no whole numbers may fit exactly: then every group has at least its
        share of what the largest of them asks for, and misses it by less than one row a group.

    Notes
    -----
    With N rows in the end, group g needs max(0, ceil(s_g N) - c_g). That sum grows with N, so putting it in again,
    N <- n + sum, from N = n climbs to the smallest N that holds itself: the least total.
    """
    if sum(shares, Fraction(0)) >= 1:
        return _to_full_shares(rows, n, shares)
    total = n
    for _ in range(_ROUNDS):
        more = _needed(rows, shares, total)
        if n + sum(more) == total:
            return more
        total = n + sum(more)
    raise ValueError("the rows needed did not settle; the shares add up to almost 1")


def _to_full_shares(rows: Sequence[int], n: int, shares: Sequence[Fraction]) -> list[int]:
    """The group that is over-represented most sets the total; the others follow."""
    total = max([Fraction(n), *(Fraction(have) / share for have, share in zip(rows, shares, strict=True) if share)])
    return _needed(rows, shares, total)


def _needed(rows: Sequence[int], shares: Sequence[Fraction], total: int | Fraction) -> list[int]:
    return [max(0, _ceiling(share * total) - have) for have, share in zip(rows, shares, strict=True)]


def _ceiling(value: Fraction) -> int:
    return -((-value.numerator) // value.denominator)
