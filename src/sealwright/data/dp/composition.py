"""How the costs of several releases add up, and how much one more may cost.

Answers: what do all releases together say about one person at most, and what is left of the budget?
Does not answer: what they cost alone. The mechanisms say that, and the ledger keeps it.

Amounts are whole millionths of epsilon, so that sums are exact. Every release is purely differentially private. Two sums
are kept, and the budget holds as long as either allows it:
- basic: the epsilons add up (Dwork and Roth 2014, doi:10.1561/0400000042, theorem 3.16);
- zCDP, only with a delta above zero: an epsilon is rho = epsilon²/2 and the rhos add up (Bun and Steinke 2016,
  arXiv:1605.02065, proposition 1.4 and lemma 1.7); for any order a > 1, rho gives
  epsilon = a rho + (ln(1/delta) - ln a) / (a - 1) + ln(1 - 1/a) (Canonne, Kamath, Steinke 2020, arXiv:2004.00010,
  proposition 12 with Rényi divergence a rho). The smallest over a fixed list of orders is taken.
Both hold as filters when the epsilons are chosen as one goes (Feldman and Zrnic 2021, arXiv:2008.11193). Either one is
enough: outcomes whose basic sum is within the budget obey e^epsilon point by point, those whose rho is within it obey
(epsilon, delta) as a set, and every outcome belongs to one of the two.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sealwright.data.privacy_budget import LARGEST_EPSILON, MILLIONTHS

_ORDERS = [  # a - 1, ln a, ln(1 - 1/a)
    (order, math.log1p(order), math.log(order) - math.log1p(order))
    for order in (10 ** (k / 20) for k in range(-60, 161))
]

__all__ = ["Limit", "Spent", "left", "rho_text", "total", "within"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A budget: epsilon in millionths, and the delta it holds with. Zero: pure."""

    epsilon: int
    delta: float = 0.0

    def no_more_than(self, other: "Limit") -> "Limit":
        """The stricter of both, part by part."""
        return Limit(epsilon=min(self.epsilon, other.epsilon), delta=min(self.delta, other.delta))

    def asks_more_than(self, other: "Limit") -> bool:
        return self.epsilon > other.epsilon or self.delta > other.delta

    @property
    def composition(self) -> str:
        """In words, for the record."""
        return "basic (epsilons add up)" if self.delta == 0 else f"basic or zCDP at delta {self.delta:g}, the smaller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What releases cost: the sum of their epsilons, and of their squares, in millionths."""

    epsilon: int = 0
    squares: int = 0

    @classmethod
    def of(cls, epsilons: Iterable[int]) -> "Spent":
        listed: Sequence[int] = list(epsilons)
        return cls(epsilon=sum(listed), squares=sum(one * one for one in listed))

    def and_also(self, epsilon: int) -> "Spent":
        return Spent(epsilon=self.epsilon + epsilon, squares=self.squares + epsilon * epsilon)


def total(spent: Spent, delta: float) -> int:
    """What all releases together cost, in millionths, rounded up: the smaller of the two sums."""
    if delta == 0 or not spent.epsilon:
        return spent.epsilon
    rho, risk = spent.squares / (2 * MILLIONTHS**2), -math.log(delta)
    by_rho = min((order + 1) * rho + (risk - log) / order + rest for order, log, rest in _ORDERS)
    return min(spent.epsilon, math.ceil(max(by_rho, 0.0) * (1 + 1e-12) * MILLIONTHS))


def within(spent: Spent, epsilon: int, limit: Limit) -> bool:
    """Whether one more release may cost `epsilon`: never more than the whole budget, and with the others within it."""
    return epsilon <= limit.epsilon and total(spent.and_also(epsilon), limit.delta) <= limit.epsilon


def left(spent: Spent, limit: Limit) -> int:
    """The most one more release may cost, in millionths; 0 where nothing is left."""
    low, high = 0, min(limit.epsilon, LARGEST_EPSILON * MILLIONTHS)
    while low < high:
        middle = (low + high + 1) // 2
        if within(spent, middle, limit):
            low = middle
        else:
            high = middle - 1
    return low


def rho_text(epsilon: int) -> str:
    """The rho of a purely private release, epsilon²/2, exactly."""
    whole, rest = divmod(epsilon * epsilon * 5, 10 * MILLIONTHS**2)
    return f"{whole}.{rest:013}".rstrip("0").rstrip(".")
