"""Check digits: the arithmetic that tells a real number from a typed one.

Answers: does this string of digits fulfil its rule?
Does not answer: whether the number was ever given to somebody.
Every function takes ASCII digits (and letters where the rule has them) without separators.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["iso7064_11_10", "iso7064_97", "luhn", "luhn_many", "verhoeff", "weighted"]

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B: from the right, every second digit doubled and its digits added; divisible by 10."""
    total = 0
    for place, c in enumerate(reversed(digits)):
        total += _DOUBLED[ord(c) - 48] if place % 2 else ord(c) - 48
    return total % 10 == 0


def luhn_many(numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """`luhn` of whole numbers, written without leading zeros. 1 us per 100 numbers instead of per one."""
    left = numbers.astype(np.uint64)
    total = np.zeros(len(left), dtype=np.uint64)
    doubled = np.array(_DOUBLED, dtype=np.uint64)
    for place in range(19):
        digit = left % np.uint64(10)
        total += doubled[digit.astype(np.int64)] if place % 2 else digit
        left //= np.uint64(10)
    result: NDArray[np.bool_] = total % np.uint64(10) == 0
    return result


def iso7064_97(text: str) -> int:
    """Remainder modulo 97 with A = 10 … Z = 35 (ISO 7064, used by ISO 13616); 1 for a valid IBAN, first four moved last."""
    return int("".join(str(int(c, 36)) for c in text)) % 97


def iso7064_11_10(digits: str) -> bool:
    """ISO 7064 MOD 11,10, the last digit being the check digit."""
    product = 10
    for c in digits[:-1]:
        total = (int(c) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def weighted(digits: str, weights: Sequence[int], modulus: int) -> int:
    """Sum of digit times weight, modulo `modulus`."""
    return sum(int(c) * weight for c, weight in zip(digits, weights, strict=True)) % modulus


def _verhoeff_tables() -> tuple[Any, Any]:
    """Multiplication in the dihedral group D5, and the powers of Verhoeff's permutation."""

    def times(a: int, b: int) -> int:
        turn = (a + b) % 5 if a < 5 else (a - b) % 5
        return turn if (a < 5) == (b < 5) else turn + 5

    first = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
    powers = [tuple(range(10))]
    for _ in range(7):
        powers.append(tuple(powers[-1][first[digit]] for digit in range(10)))
    return tuple(tuple(times(a, b) for b in range(10)) for a in range(10)), tuple(powers)


_TIMES, _POWERS = _verhoeff_tables()


def verhoeff(digits: str) -> bool:
    """Verhoeff 1969, as Aadhaar uses it; the last digit is the check digit."""
    state = 0
    for place, c in enumerate(reversed(digits)):
        state = _TIMES[state][_POWERS[place % 8][ord(c) - 48]]
    return bool(state == 0)
