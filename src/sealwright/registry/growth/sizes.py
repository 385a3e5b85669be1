"""How large a value of a model can become, as a number times a power of the number of rows.

Answers: at most how many elements, along which dimensions, and which numbers does a small value hold?
Does not answer: what an operator does to it (`rules`).
Pure. R is the number of rows in a request, at least 1; a request of no rows is another matter (`graph` looks again).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["ONE", "ROWS", "Held", "Size", "Value", "broadcast", "either", "larger", "product", "value_of", "widest"]


@dataclass(frozen=True, slots=True)
class Size:
    """At most `times` * R ** `power`, and never negative; exactly that where `exact`."""

    times: int
    power: int = 0
    exact: bool = True

    def __post_init__(self) -> None:
        if self.times < 0:
            raise ValueError("a size is negative")

    def __mul__(self, other: "Size") -> "Size":
        return Size(self.times * other.times, self.power + other.power, self.exact and other.exact)

    def __add__(self, other: "Size") -> "Size":
        exact = self.exact and other.exact and self.power == other.power
        return Size(self.times + other.times, max(self.power, other.power), exact)

    def over(self, other: "Size") -> "Size":
        """The quotient where both are exact and it comes out even; else no better bound than itself."""
        even = self.exact and other.exact and other.times > 0 and self.times % other.times == 0
        if even and self.power >= other.power:
            return Size(self.times // other.times, self.power - other.power)
        return self.loose

    def covers(self, other: "Size") -> bool:
        """True where this bound is surely no smaller."""
        return self.times >= other.times and self.power >= other.power

    @property
    def fixed(self) -> bool:
        """True where it is the same number for every request."""
        return self.exact and not self.power

    @property
    def loose(self) -> "Size":
        return Size(self.times, self.power, exact=False)


ONE, ROWS = Size(1), Size(1, 1)
Held = Size | int | float | None  # one number inside a value: a bound, exactly this number, or not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A tensor: its dimensions if they can be told, its elements, and the numbers in it if they are few and known."""

    dims: tuple[Size, ...] | None
    total: Size
    held: tuple[Held, ...] | None = None

    @property
    def known(self) -> tuple[Size, ...]:
        """The dimensions; raises ValueError where they cannot be told."""
        if self.dims is None:
            raise ValueError("the dimensions of an input cannot be told")
        return self.dims

    @property
    def shape(self) -> "Value":
        """The same without the numbers in it."""
        return Value(dims=self.dims, total=self.total)


def value_of(dims: Sequence[Size], held: Sequence[Held] | None = None) -> Value:
    return Value(dims=tuple(dims), total=product(dims), held=None if held is None else tuple(held))


def product(sizes: Sequence[Size]) -> Size:
    return math.prod(sizes, start=ONE)


def larger(one: Size, other: Size) -> Size:
    """A bound for whichever of two sizes comes."""
    return one if one == other else Size(max(one.times, other.times), max(one.power, other.power), exact=False)


def widest(one: Size, other: Size) -> Size:
    """What two dimensions become that are broadcast against each other."""
    if other == ONE:
        return one
    if one == ONE:
        return other
    for sure, unsure in ((one, other), (other, one)):
        if sure.fixed and sure.times > 1 and not unsure.exact:
            return sure  # the other is the same or 1, or the runtime refuses
    return larger(one, other)


def broadcast(values: Sequence[Value]) -> Value:
    """What numpy's rule makes of several shapes. Where one is not known, the worst is taken: that they multiply."""
    if any(value.dims is None for value in values):
        large = [value for value in values if value.total != ONE]
        return (
            large[0].shape if len(large) == 1 else Value(dims=None, total=product([one.total for one in large]).loose)
        )
    rank = max(len(value.known) for value in values)
    dims = [ONE] * rank
    for value in values:
        for place, size in enumerate(value.known, rank - len(value.known)):
            dims[place] = widest(dims[place], size)
    return value_of(dims)


def either(one: Value, other: Value) -> Value:
    """A bound for whichever of two values comes."""
    total = larger(one.total, other.total)
    if one.dims is None or other.dims is None or len(one.dims) != len(other.dims):
        return Value(dims=None, total=total)
    return Value(dims=tuple(larger(a, b) for a, b in zip(one.dims, other.dims, strict=True)), total=total)
