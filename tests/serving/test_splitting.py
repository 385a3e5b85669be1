"""Who gets which arm: always the same one, in the parts that were signed, and growing takes from nobody but the champion."""

import hashlib
import time
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sealwright.serving.splitting import Split
from sealwright.trust import WHOLE

SALT = bytes(range(16))
people = st.text(min_size=1, max_size=40)
shares = st.tuples(st.integers(0, WHOLE // 2), st.integers(0, WHOLE // 2))


def split(first: int, second: int = 0, salt: bytes = SALT) -> Split:
    return Split(salt, (WHOLE - first - second, first, second))


@given(people, st.binary(max_size=60), shares)
def test_the_same_person_gets_the_same_arm_whatever_they_ask(person: str, body: bytes, parts: tuple[int, int]) -> None:
    assert split(*parts).arm_of(person, body) == split(*parts).arm_of(person, b"another body")


@given(people, shares, shares)
def test_growing_takes_from_the_champion_only(person: str, one: tuple[int, int], other: tuple[int, int]) -> None:
    """Whoever has a challenger keeps it while no part shrinks: canary from 1 to 100 moves each person at most once."""
    small, large = tuple(map(min, one, other)), tuple(map(max, one, other))
    had = split(*small).arm_of(person, b"")
    assert had in {0, split(*large).arm_of(person, b"")}


@given(st.binary(max_size=60))
def test_nothing_and_everything_are_exact(body: bytes) -> None:
    assert split(0).arm_of("", body) == 0
    assert split(WHOLE).arm_of("", body) == 1
    assert split(0, WHOLE).arm_of("", body) == 2


def test_the_parts_are_those_that_were_signed() -> None:
    arms = Counter(split(1_000, 2_500).arm_of(f"person {at}", b"") for at in range(40_000))
    for arm, share in ((0, 0.65), (1, 0.10), (2, 0.25)):
        assert abs(arms[arm] / 40_000 - share) < 0.01  # five standard errors of the widest


def test_another_rollout_draws_anew() -> None:
    """Otherwise the same people would be the first to try everything."""
    both = Counter(
        (split(5_000).arm_of(f"p{at}", b""), split(5_000, salt=b"another salt 16b").arm_of(f"p{at}", b""))
        for at in range(8_000)
    )
    assert all(abs(count / 8_000 - 0.25) < 0.025 for count in both.values())


def test_a_person_and_a_body_of_the_same_bytes_are_drawn_apart() -> None:
    here = split(5_000)
    assert {here.arm_of("x" * at, b"") == here.arm_of("", b"x" * at) for at in range(1, 30)} == {True, False}


def test_the_place_is_the_keyed_hash_of_the_person() -> None:
    """So that anybody with the pointer can check who should have got what."""
    for name in ("ada", "bela", "øystein"):
        digest = hashlib.blake2b(name.encode(), key=SALT, digest_size=8, person=b"arm of person").digest()
        place = int.from_bytes(digest, "big") % WHOLE
        assert [split(place).arm_of(name, b""), split(place + 1).arm_of(name, b"")] == [0, 1]


def test_choosing_takes_a_microsecond_or_two() -> None:
    here, best = split(1_000), 1.0
    for _ in range(20):
        began = time.process_time()
        for _ in range(1_000):
            here.arm_of("person-4711", b"")
        best = min(best, (time.process_time() - began) / 1_000)
    assert best < 5e-6  # one on the machine this was written on; slack for slower ones
