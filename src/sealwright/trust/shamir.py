"""A secret in n shares of which any k give it back and fewer tell nothing: Shamir 1979, over GF(256).

Each byte is the value at 0 of a random polynomial of degree k - 1; a share holds its value at one point from 1 to 255.
The field is that of AES (FIPS 197 section 4): polynomials over GF(2) modulo x^8 + x^4 + x^3 + x + 1.
Shamir, "How to share a secret", CACM 22 (11), doi 10.1145/359168.359176.

Nothing here notices a wrong share: whoever puts shares together checks the result (`shares`).
"""

import secrets
from collections.abc import Callable, Mapping

from sealwright.kernel import InvalidInput

__all__ = ["MOST_SHARES", "combine", "evaluate", "multiply", "split"]

MOST_SHARES = 255
_REDUCE = 0x1B


def split(
    secret: bytes, needed: int, shares: int, *, random: Callable[[int], bytes] = secrets.token_bytes
) -> dict[int, bytes]:
    """Shares of `secret` by their point, 1 to `shares`; any `needed` of them give it back.

    Raises
    ------
    InvalidInput
        Not 2 <= needed <= shares <= 255, or nothing to share. One needed share would be the secret itself.
    """
    if not 2 <= needed <= shares <= MOST_SHARES or not secret:
        raise InvalidInput(
            f"A secret is split into 2 to {MOST_SHARES} shares, of which at least 2 and at most all are needed; "
            f"got {shares} shares, {needed} needed."
        )
    higher = [random(len(secret)) for _ in range(needed - 1)]
    rows = [bytes(column) for column in zip(secret, *higher, strict=True)]
    return {point: bytes(evaluate(row, point) for row in rows) for point in range(1, shares + 1)}


def combine(shares: Mapping[int, bytes], *, at: int = 0) -> bytes:
    """The value at `at` of the polynomials through `shares`: at 0 it is the secret, if the shares are right and enough.

    Raises
    ------
    InvalidInput
        No share, a point that none can have, or values of different lengths.
    """
    if not shares or any(not 1 <= point <= MOST_SHARES for point in shares):
        raise InvalidInput(f"Shares have points from 1 to {MOST_SHARES}.")
    if len({len(value) for value in shares.values()}) != 1:
        raise InvalidInput("Shares of one secret have the same length.")
    result = bytes(len(next(iter(shares.values()))))
    for point, value in shares.items():
        weight = 1  # Lagrange: the product of (at - other) / (point - other), where minus is exclusive or
        for other in shares:
            if other != point:
                weight = multiply(weight, multiply(at ^ other, _inverse(point ^ other)))
        result = bytes(sofar ^ multiply(weight, byte) for sofar, byte in zip(result, value, strict=True))
    return result


def evaluate(polynomial: bytes, point: int) -> int:
    """The value of a polynomial (lowest coefficient first) at `point`: Horner's rule."""
    result = 0
    for coefficient in reversed(polynomial):
        result = multiply(result, point) ^ coefficient
    return result


def multiply(left: int, right: int) -> int:
    """The product in GF(256), in the same steps whatever the values, so that time tells nothing about them."""
    result = 0
    for _ in range(8):
        result ^= left & -(right & 1)
        left = ((left << 1) & 0xFF) ^ (_REDUCE & -(left >> 7))
        right >>= 1
    return result & 0xFF


def _inverse(value: int) -> int:
    """value^254 = 1 / value, for a value that is not 0."""
    result, square = 1, value
    for _ in range(7):
        square = multiply(square, square)
        result = multiply(result, square)
    return result
