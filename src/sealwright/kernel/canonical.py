"""One value, one sequence of bytes: JSON by RFC 8785 (JCS), read strictly.

What is signed is always `canonical_json`. What is read back goes through
`strict_json`, which refuses everything two parsers could disagree about.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import rfc8785

from sealwright.kernel.errors import InvalidInput

__all__ = ["canonical_json", "strict_json"]

_MOST_BYTES = 64 << 20
_MOST_DEPTH = 64
_EXACT = 2**53
_STRINGS = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_BRACKETS = re.compile(r"[\[\]{}]")


def canonical_json(value: object) -> bytes:
    """The RFC 8785 bytes of a JSON value (tuples count as lists, mappings as objects).

    Raises
    ------
    InvalidInput
        A float that is not finite, an integer beyond 2**53 - 1, text with half a surrogate pair, or a type JSON lacks.

    Notes
    -----
    What most documents hold is written by msgspec, about four times faster than rfc8785 and byte for byte the same
    (a property test says so); numbers and keys where the two differ go to rfc8785.
    """
    import msgspec

    try:
        return msgspec.json.encode(_plain(value), order="sorted")
    except (_Unusual, TypeError, UnicodeEncodeError, RecursionError, rfc8785.CanonicalizationError):
        pass  # rfc8785 writes it, or says what is wrong
    try:
        return rfc8785.dumps(_usual(value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise InvalidInput(f"This value has no canonical JSON form: {str(error)[:200]}") from None


def strict_json(data: bytes | str, *, what: str = "JSON", most_bytes: int = _MOST_BYTES) -> Any:
    """Parse JSON, refusing duplicate keys, NaN and Infinity, deep nesting, a byte-order mark, other encodings.

    Raises
    ------
    InvalidInput
        The text is not JSON in this strict sense; the message names `what`.
    """
    if len(data) > most_bytes:
        raise InvalidInput(f"{what} is {len(data):,} bytes; at most {most_bytes:,} are read.")
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        _refuse_depth(text)
        return json.loads(
            text, object_pairs_hook=_no_twins, parse_constant=_no_constant, parse_float=_finite, parse_int=_exact
        )
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{what} is not valid JSON: {str(error)[:200]}") from None


class _Unusual(Exception):
    """A key whose place in the order depends on how it is encoded."""


def _plain(value: object) -> Any:
    """The same value in a form that msgspec writes canonically."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        if -_EXACT < value < _EXACT:  # type: ignore[operator]
            return value
        raise _Unusual
    if kind is float:
        return _number(value)  # type: ignore[arg-type]
    if isinstance(value, Mapping):
        for key in value:
            if type(key) is not str or not key.isascii():
                raise _Unusual
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    raise _Unusual


def _number(value: float) -> Any:
    """Whole numbers without a point, the middle range as it is, the rest as ECMAScript writes it."""
    import msgspec

    if 1e-4 <= abs(value) < 1e15:
        return int(value) if value.is_integer() else value
    if value == 0:
        return 0
    return msgspec.Raw(rfc8785.dumps(value))


def _usual(value: object) -> Any:
    """The same value in the types rfc8785 knows."""
    if isinstance(value, Mapping):
        return {key: _usual(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_usual(item) for item in value]
    return value


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key appears twice in one object")
    return result


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:40]} is too large")
    return value


def _exact(text: str) -> int | float:
    """Integers as JCS writes doubles; one that no double prints as is refused."""
    if len(text) > 400:
        raise ValueError("an integer has more than 400 digits")
    value = int(text)
    if abs(value) < 2**53:
        return value
    if rfc8785.dumps(float(value)) != text.encode():
        raise ValueError(f"the integer {text[:40]} is not how a double is written; write it as text")
    return float(value)


def _refuse_depth(text: str) -> None:
    """Refuse nesting deeper than anything we write, before the parser recurses into it."""
    if text.count("[") + text.count("{") <= _MOST_DEPTH:
        return
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > _MOST_DEPTH:
            raise ValueError(f"nested deeper than {_MOST_DEPTH} levels")
