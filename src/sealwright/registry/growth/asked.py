"""One node of a model as the rules of growth see it: its inputs with their bounds, and its attributes."""

import math
from collections.abc import Sequence
from typing import Any

from sealwright.registry.growth.sizes import Held, Size, Value

__all__ = ["Asked", "Unbounded", "size_from"]

_FOLLOWED = "a size is computed in a way that cannot be followed"


class Unbounded(ValueError):
    """No bound can be given; the message says why."""


class Asked:
    """A node with what is known of its inputs; an input left out is None."""

    def __init__(self, node: Any, given: Sequence[Value | None]) -> None:
        self.operator: str = node.op_type
        self.outputs = len(node.output)
        self._given = given
        self._attributes = {attribute.name: attribute for attribute in node.attribute}

    def has(self, place: int) -> bool:
        return place < len(self._given) and self._given[place] is not None

    def value(self, place: int) -> Value:
        found = self._given[place] if place < len(self._given) else None
        if found is None:
            raise Unbounded(f"its input {place} is left out")
        return found

    def dims(self, place: int) -> tuple[Size, ...]:
        return self.value(place).known

    def values(self) -> list[Value]:
        return [value for value in self._given if value is not None]

    def held(self, place: int) -> list[Held]:
        """The numbers of a small input."""
        found = self.value(place).held
        if found is None:
            raise Unbounded(_FOLLOWED)
        return list(found)

    def sizes(self, place: int) -> list[Size]:
        """The numbers of a small input, as sizes."""
        return [size_from(one) for one in self.held(place)]

    def axes(self, place: int, name: str) -> list[int] | None:
        """Whole numbers from a constant input, or from an attribute as older opsets have them; None for neither."""
        if not self.has(place):
            return self.wholes(name)
        numbers = [int(one) for one in self.held(place) if isinstance(one, (int, float))]
        if len(numbers) != len(self.held(place)):
            raise Unbounded("its axes are computed")
        return numbers

    def attribute(self, name: str) -> Any:
        return self._attributes.get(name)

    def whole(self, name: str, otherwise: int = 0) -> int:
        return int(self._attributes[name].i) if name in self._attributes else otherwise

    def wholes(self, name: str) -> list[int] | None:
        return [int(one) for one in self._attributes[name].ints] if name in self._attributes else None

    def listed(self, *names: str) -> int:
        """Length of the longest of these attributes."""
        found = [self._attributes[name] for name in names if name in self._attributes]
        return max((max(len(one.ints), len(one.strings), len(one.floats)) for one in found), default=0)


def size_from(number: Held) -> Size:
    """A number as a size, a constant by its amount: below zero it is a mark that asks for no more, or an error."""
    if isinstance(number, Size):
        return number
    if number is None or not math.isfinite(number):
        raise Unbounded(_FOLLOWED)
    amount = math.ceil(abs(number))
    return Size(amount, exact=amount == abs(number))
