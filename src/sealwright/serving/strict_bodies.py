"""The careful reading of a request body: used when the fast decoder refuses, or cannot rule out a repeated key.

Refuses what two JSON readers could understand differently: repeated keys, NaN and
Infinity, other encodings than UTF-8, a byte-order mark, text after the value, deep nesting.
"""

import json
from typing import Any, NoReturn

from sealwright.serving.field_rules import pointer
from sealwright.serving.problems import BodyMalformed, DuplicateKey, FieldProblem

__all__ = ["strict_body"]

_LONGEST_INTEGER = 32  # digits; longer ones are out of every range, and quadratic to convert


def strict_body(body: bytes, known: frozenset[str]) -> Any:
    """Parse a body, or say why it cannot be parsed. `known` are the key names a refusal may repeat.

    Numbers that no float holds come back as infinity, so that the field they stand in can be named.

    Raises
    ------
    BodyMalformed, DuplicateKey
    """

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(found)
        if len(result) != len(found):
            _refuse_twins([name for name, _ in found], known)
        return result

    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyMalformed(f"It is not UTF-8 text (byte {error.start}).") from None
    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise BodyMalformed(f"It cannot be read from character {error.pos} on.") from None
    except RecursionError:
        raise BodyMalformed("It is nested too deeply.") from None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float("-inf" if digits.startswith("-") else "inf")


def _constant(_name: str) -> NoReturn:
    raise BodyMalformed("NaN and Infinity are not JSON numbers. Send null where the contract allows it.")


def _refuse_twins(names: list[str], known: frozenset[str]) -> NoReturn:
    twin = next((name for name in names if name in known and names.count(name) > 1), "")
    problems = [FieldProblem(pointer(twin), "duplicate_key", "This key appears more than once.", twin)] if twin else []
    raise DuplicateKey(
        "Two readers could take two different requests from this body. Send each key once.", problems=problems
    )
