"""Arithmetic on the few numbers that become sizes.

Answers: which number is it exactly, or at most, or can that not be told?
A plain number stands for exactly itself, a `Size` for at most so much and not below zero. So nothing is subtracted from a
bound, and plain numbers are reckoned with only where every type of the runtime reckons exactly.
"""

from typing import TypeGuard

from sealwright.registry.growth.asked import Asked, Unbounded, size_from
from sealwright.registry.growth.sizes import Held, Size, Value, broadcast, larger

__all__ = ["cast", "chosen", "pairwise", "product_of"]

_EXACT = 1 << 24  # whole numbers below this are the same in float32, float64, int32 and int64
_SAFE_TYPES = frozenset({1, 6, 7, 11})  # these four, as onnx.TensorProto numbers them


def cast(asked: Asked) -> Value:
    value = asked.value(0)
    if value.held is None or asked.whole("to") not in _SAFE_TYPES:
        return value.shape
    return Value(dims=value.dims, total=value.total, held=tuple(_cast(one) for one in value.held))


def pairwise(asked: Asked) -> Value:
    """Operators that broadcast their inputs."""
    values = asked.values()
    made = broadcast(values)
    if len(values) != 2:
        return made
    spread = [_spread(value, made) for value in values]
    if spread[0] is None or spread[1] is None:
        return made
    held = tuple(_reckon(asked.operator, *pair) for pair in zip(spread[0], spread[1], strict=True))
    return Value(dims=made.dims, total=made.total, held=held)


def chosen(asked: Asked) -> Value:
    """Where: one or the other, number by number."""
    made = broadcast([asked.value(place) for place in range(3)])
    which, ones, others = (_spread(asked.value(place), made) for place in range(3))
    if ones is None or others is None:
        return made
    which = which or (None,) * len(ones)
    held = tuple(_choose(*three) for three in zip(which, ones, others, strict=True))
    return Value(dims=made.dims, total=made.total, held=held)


def product_of(value: Value) -> list[Held] | None:
    """The product of all numbers in a value."""
    if value.held is None or not _spread(value, value):
        return None
    found: Held = 1
    for one in value.held:
        found = _reckon("Mul", found, one)
    return [found]


def _spread(value: Value, over: Value) -> tuple[Held, ...] | None:
    """The numbers of a value broadcast over another; None where they cannot be told or stand in another order."""
    if value.held is None or not over.total.fixed:
        return None
    if len(value.held) == 1:
        return value.held * over.total.times if over.total.times <= 64 else None
    return value.held if over.total == value.total == Size(len(value.held)) else None


def _cast(number: Held) -> Held:
    if isinstance(number, Size) or number is None or _is_exact(number):
        return number
    try:
        return size_from(number).loose if number >= 0 else None
    except Unbounded:
        return None


def _choose(which: Held, one: Held, other: Held) -> Held:
    if isinstance(which, (int, float)):
        return one if which else other
    if one == other:
        return one
    return larger(size_from(one).loose, size_from(other).loose) if _is_size(one) and _is_size(other) else None


def _reckon(operator: str, one: Held, other: Held) -> Held:
    if operator == "Equal":
        return _equal(one, other)
    if one is None or other is None:
        return None
    if _is_exact(one) and _is_exact(other):
        return _exactly(operator, one, other)
    if operator == "Div" and _is_size(one) and _is_exact(other) and other >= 1:
        return size_from(one).over(size_from(other))
    if not _is_size(one) or not _is_size(other):
        return None
    left, right = size_from(one), size_from(other)
    return {"Mul": left * right, "Add": left + right, "Max": larger(left, right), "Min": left.loose}.get(operator)


def _exactly(operator: str, one: float, other: float) -> Held:
    if operator == "Div":
        return one / other if other and one % other == 0 else None
    if operator == "Mod":
        return one % other if one >= 0 and other > 0 else None
    known = {"Add": one + other, "Sub": one - other, "Mul": one * other, "Max": max(one, other), "Min": min(one, other)}
    found = known.get(operator)
    if found is None or _is_exact(found):
        return found
    return size_from(found).loose if found > 0 and min(one, other) >= 0 and operator != "Sub" else None


def _equal(one: Held, other: Held) -> Held:
    """1 or 0, where that is sure; no size is below zero."""
    if _is_exact(one) and _is_exact(other):
        return int(one == other)
    for size, number in ((one, other), (other, one)):
        if isinstance(size, Size) and _is_exact(number) and number < 0:
            return 0
    return None


def _is_exact(number: Held) -> TypeGuard[float]:
    """A whole number that no type of the runtime rounds."""
    return isinstance(number, (int, float)) and abs(number) < _EXACT and number == int(number)


def _is_size(number: Held) -> bool:
    """Not below zero, and bounded."""
    return isinstance(number, Size) or (isinstance(number, (int, float)) and 0 <= number < float("inf"))
