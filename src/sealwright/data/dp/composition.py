"""How the costs of several releases and private trainings add up, and how much one more may cost.

Answers: what do all of them together say about one person at most, and what is left of the budget?
Does not answer: what they cost alone. The mechanisms say that, and the ledger keeps it.

Amounts are whole millionths of epsilon, so that sums are exact. Every release is purely differentially private; a training
is so except with a chance of its delta (see below). Two sums are kept, and the budget holds as long as either allows it:
- basic: the epsilons add up (Dwork and Roth 2014, doi:10.1561/0400000042, theorem 3.16);
- zCDP, only with a delta above zero: an epsilon is rho = epsilon²/2 and the rhos add up (Bun and Steinke 2016,
  arXiv:1605.02065, proposition 1.4 and lemma 1.7); for any order a > 1, rho gives
  epsilon = a rho + (ln(1/delta) - ln a) / (a - 1) + ln(1 - 1/a) (Canonne, Kamath, Steinke 2020, arXiv:2004.00010,
  proposition 12 with Rényi divergence a rho). The smallest over a fixed list of orders is taken.
Both hold as filters when the epsilons are chosen as one goes (Feldman and Zrnic 2021, arXiv:2008.11193). Either one is
enough: outcomes whose basic sum is within the budget obey e^epsilon point by point, those whose rho is within it obey
(epsilon, delta) as a set, and every outcome belongs to one of the two.

A training with (epsilon, delta) is as private as one that fails with chance delta, whatever the rows are, and is else purely
epsilon-private (the dominating mechanism of Kairouz, Oh, Viswanath 2015, arXiv:1311.0776). So its epsilon goes into both sums
like a release's, and the chance that any training fails is at most the sum of their deltas, also where each is chosen as
one goes. That sum has a limit of its own, `training_delta`: all together hold (epsilon, delta + training_delta). One delta for
both purposes would not do: who sees the answers could spend it on whichever of the two is about to fail.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sealwright.data.privacy_budget import LARGEST_EPSILON, MILLIONTHS

_ORDERS = [  # a - 1, ln a, ln(1 - 1/a)
    (order, math.log1p(order), math.log(order) - math.log1p(order))
    for order in (10 ** (k / 20) for k in range(-60, 161))
]

__all__ = ["Limit", "Spent", "exact", "left", "rho_text", "total", "within"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A budget: epsilon in millionths, and the delta it holds with. Zero: pure."""

    epsilon: int
    delta: float = 0.0  # for adding up by zCDP
    training_delta: float = 0.0  # most that the deltas of trainings add up to

    def no_more_than(self, other: "Limit") -> "Limit":
        """The stricter of both, part by part."""
        return Limit(
            epsilon=min(self.epsilon, other.epsilon),
            delta=min(self.delta, other.delta),
            training_delta=min(self.training_delta, other.training_delta),
        )

    def asks_more_than(self, other: "Limit") -> bool:
        return self.epsilon > other.epsilon or self.delta > other.delta or self.training_delta > other.training_delta

    @property
    def composition(self) -> str:
        """In words, for the record."""
        return "basic (epsilons add up)" if self.delta == 0 else f"basic or zCDP at delta {self.delta:g}, the smaller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What was spent: the sum of the epsilons, and of their squares, in millionths; and of the deltas of trainings."""

    epsilon: int = 0
    squares: int = 0
    delta: Fraction = Fraction(0)

    @classmethod
    def of(cls, epsilons: Iterable[int], deltas: Iterable[float] = ()) -> "Spent":
        listed: Sequence[int] = list(epsilons)
        return cls(
            epsilon=sum(listed),
            squares=sum(one * one for one in listed),
            delta=sum(map(exact, deltas), start=Fraction(0)),
        )

    def and_also(self, epsilon: int, delta: float = 0.0) -> "Spent":
        return Spent(
            epsilon=self.epsilon + epsilon,
            squares=self.squares + epsilon * epsilon,
            delta=self.delta + exact(delta),
        )


def exact(delta: float) -> Fraction:
    """The delta as it is written, so that ten times 1e-05 is 1e-04 and not a hair more."""
    return Fraction(Decimal(repr(delta)))


def total(spent: Spent, delta: float) -> int:
    """What was spent altogether, in millionths of epsilon, rounded up: the smaller of the two sums."""
    if delta == 0 or not spent.epsilon:
        return spent.epsilon
    rho, risk = spent.squares / (2 * MILLIONTHS**2), -math.log(delta)
    by_rho = min((order + 1) * rho + (risk - log) / order + rest for order, log, rest in _ORDERS)
    return min(spent.epsilon, math.ceil(max(by_rho, 0.0) * (1 + 1e-12) * MILLIONTHS))


def within(spent: Spent, epsilon: int, limit: Limit, delta: float = 0.0) -> bool:
    """Whether one more may cost `epsilon`, and a training `delta`: never more than the whole budget, and with the others
    within it. Where the deltas of trainings are beyond their limit already, nothing more is: the promise is gone."""
    after = spent.and_also(epsilon, delta)
    return (
        epsilon <= limit.epsilon
        and total(after, limit.delta) <= limit.epsilon
        and after.delta <= exact(limit.training_delta)
    )


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
