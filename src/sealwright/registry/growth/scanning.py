"""Scan: a graph run once for each part of a value, with a state it hands on.

Answers: how large is what its body is given, and what comes out? The state must not grow from round to round.
"""

from collections.abc import Sequence

from sealwright.registry.growth.asked import Asked, Unbounded
from sealwright.registry.growth.sizes import Size, Value, value_of

__all__ = ["after_scan", "given_to_body"]


def given_to_body(asked: Asked) -> list[Value]:
    """What stands for the inputs of the body: the state as it begins, and a part of each value."""
    states, parts = _apart(asked)
    return [*(value.shape for value in states), *(value_of(value.known[1:]) for value in parts)]


def after_scan(asked: Asked, made: Sequence[Value]) -> list[Value]:
    """The outputs of the node, from those of its body."""
    states, parts = _apart(asked)
    for begun, ended in zip(states, made, strict=False):
        if begun.dims is None or begun.dims != ended.dims:
            raise Unbounded("its state changes its size from round to round")
    rounds: Size = parts[0].known[0]
    return [*(value.shape for value in states), *(value_of([rounds, *value.known]) for value in made[len(states) :])]


def _apart(asked: Asked) -> tuple[list[Value], list[Value]]:
    values, many = asked.values(), asked.whole("num_scan_inputs")
    axes = [*(asked.wholes("scan_input_axes") or []), *(asked.wholes("scan_output_axes") or [])]
    if not 1 <= many <= len(values) or any(axes):
        raise Unbounded("it goes through its inputs in a way that has no rule here")
    if any(value.dims is None or not value.dims for value in values[-many:]):
        raise Unbounded("the dimensions of an input cannot be told")
    return values[:-many], values[-many:]
