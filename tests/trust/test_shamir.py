"""The arithmetic agrees with an independent one, any k shares give the secret back, and k - 1 tell nothing."""

import secrets
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.kernel import InvalidInput
from sealwright.trust.shamir import combine, evaluate, multiply, split

bytes_ = st.integers(0, 255)


def slow_product(left: int, right: int) -> int:
    """Schoolbook: multiply the polynomials, then divide by x^8 + x^4 + x^3 + x + 1, degree by degree."""
    product = 0
    for place in range(8):
        if right >> place & 1:
            product ^= left << place
    for degree in range(14, 7, -1):
        if product >> degree & 1:
            product ^= 0x11B << (degree - 8)
    return product


def slow_value(polynomial: bytes, point: int) -> int:
    """The sum of coefficient times power, each power made by repeated multiplication."""
    result = 0
    for degree, coefficient in enumerate(polynomial):
        power = 1
        for _ in range(degree):
            power = slow_product(power, point)
        result ^= slow_product(coefficient, power)
    return result


def test_every_product_agrees_with_schoolbook_arithmetic() -> None:
    assert all(multiply(a, b) == slow_product(a, b) for a in range(256) for b in range(256))
    assert multiply(0x57, 0x83) == 0xC1  # FIPS 197, section 4.2
    assert multiply(0x57, 0x13) == 0xFE  # FIPS 197, section 4.2.1


def test_it_is_a_field_every_element_but_zero_has_one_inverse() -> None:
    for value in range(1, 256):
        assert sorted(multiply(value, other) for other in range(256)) == list(range(256))


@given(st.binary(min_size=1, max_size=6), bytes_)
def test_values_of_polynomials_agree_with_the_slow_way(polynomial: bytes, point: int) -> None:
    assert evaluate(polynomial, point) == slow_value(polynomial, point)


@given(st.binary(min_size=1, max_size=40), st.integers(2, 6), st.integers(0, 4), st.randoms())
def test_any_k_of_n_shares_give_the_secret_back(secret: bytes, needed: int, more: int, rng: object) -> None:
    shares = split(secret, needed, needed + more)
    points = list(shares)
    rng.shuffle(points)  # type: ignore[attr-defined]
    assert combine({point: shares[point] for point in points[:needed]}) == secret
    assert combine(shares) == secret  # more than needed is no harm


def test_every_group_of_three_of_five_recovers_and_no_pair_does() -> None:
    secret = secrets.token_bytes(32)
    shares = split(secret, 3, 5)
    for size, expected in ((3, True), (4, True), (5, True), (2, False), (1, False)):
        for group in combinations(shares, size):
            assert (combine({point: shares[point] for point in group}) == secret) is expected


def test_shares_are_the_values_of_the_polynomial_that_was_drawn() -> None:
    drawn = [b"\x01\x02", b"\x03\x04"]
    shares = split(b"\xaa\xbb", 3, 4, random=lambda _: drawn.pop(0))
    for point, value in shares.items():
        assert value == bytes([slow_value(b"\xaa\x01\x03", point), slow_value(b"\xbb\x02\x04", point)])


@pytest.mark.parametrize("secret", [0x00, 0xFF, 0x53])
def test_two_of_three_shares_are_spread_evenly_whatever_the_secret_is(secret: int) -> None:
    """With fewer than k shares every secret is as likely: pairs of share values are uniform, by chi-squared."""
    rounds = 16_384
    pairs = Counter[tuple[int, int]]()
    for _ in range(rounds):
        shares = split(bytes([secret]), 3, 3)
        pairs[shares[1][0] >> 4, shares[3][0] >> 4] += 1
    expected = rounds / 256
    chi = sum((pairs[a, b] - expected) ** 2 / expected for a in range(16) for b in range(16))
    assert 140 < chi < 390  # 255 degrees of freedom: outside with a chance of about one in ten million


def test_one_share_fewer_fits_every_secret_exactly_once() -> None:
    """Not statistics: for two shares of a 3-of-n set, each of the 256 secrets is explained by exactly one third share."""
    shares = split(b"\x42", 3, 3)
    known = {1: shares[1], 2: shares[2]}
    assert sorted(combine({**known, 3: bytes([third])})[0] for third in range(256)) == list(range(256))


@pytest.mark.parametrize(("needed", "count"), [(1, 3), (0, 3), (4, 3), (2, 256), (-1, 2), (2, 1)])
def test_numbers_that_make_no_sense_are_refused(needed: int, count: int) -> None:
    with pytest.raises(InvalidInput, match="split into 2 to 255"):
        split(b"x", needed, count)


def test_shares_no_polynomial_has_are_refused() -> None:
    for shares in ({}, {0: b"x"}, {256: b"x"}, {1: b"x", 2: b"xy"}):
        with pytest.raises(InvalidInput):
            combine(shares)
