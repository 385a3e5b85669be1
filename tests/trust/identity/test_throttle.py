"""A few tries are free, then each waits twice as long; tries at once do not slip through."""

import pytest
from house import House
from hypothesis import given
from hypothesis import strategies as st

from sealwright.engines import Database
from sealwright.trust.identity.addresses import network_of
from sealwright.trust.identity.throttle import Limit, give_back, reset, take, waiting_ms

LIMIT = Limit(free=5, leak_ms=600_000, first_ms=2_000, most_ms=60_000)


def tries(db: Database, moments: list[int], bucket: str = "b") -> list[int]:
    waits = []
    for moment in moments:
        with db.write() as tx:
            waits.append(take(tx, bucket, LIMIT, moment))
    return waits


def test_five_are_free_then_the_wait_doubles(db: Database) -> None:
    assert tries(db, [0] * 6) == [0, 0, 0, 0, 0, 2_000]
    assert tries(db, [1_000, 1_999, 2_000]) == [1_000, 1, 0]
    now, gaps = 2_000, []
    for _ in range(8):
        wait = tries(db, [now])[0]
        gaps.append(wait)
        now += wait
        assert tries(db, [now]) == [0]
    assert gaps == sorted(gaps)
    assert gaps[:3] == [2_000, 4_000, 8_000]  # a little leaks out meanwhile: the first stays the first
    assert gaps[-1] == 60_000  # the cap


def test_buckets_do_not_touch_each_other_and_leak_with_time(db: Database) -> None:
    assert tries(db, [0] * 9)[-1] > 0
    assert tries(db, [0], "other") == [0]
    assert tries(db, [5 * 600_000] * 6) == [0, 0, 0, 0, 0, 2_000]


def test_a_refused_try_is_not_counted_and_a_clock_set_back_frees_nobody(db: Database) -> None:
    tries(db, [100_000] * 5)
    assert tries(db, [100_000] * 50) == [2_000] * 50
    assert tries(db, [0]) == [2_000]


def test_what_was_right_is_given_back_or_forgiven(db: Database) -> None:
    for _ in range(30):
        assert tries(db, [0]) == [0]
        with db.write() as tx:
            give_back(tx, "b")
    tries(db, [0] * 7)
    with db.write() as tx:
        reset(tx, "b")
        assert waiting_ms(tx, "b", LIMIT, 0) == 0
    assert tries(db, [0]) == [0]


def test_tries_at_once_do_not_slip_through(house: House) -> None:
    from house import at_once

    def one() -> int:
        with house.db.write() as tx:
            return take(tx, "b", LIMIT, 0)

    assert at_once([one] * 30).count(0) == LIMIT.free


@given(st.integers(0, 100), st.integers(0, 100))
def test_more_in_the_bucket_never_waits_less(one: int, two: int) -> None:
    low, high = sorted((one, two))
    assert LIMIT.delay_ms(low) <= LIMIT.delay_ms(high) <= LIMIT.most_ms


@pytest.mark.parametrize(
    ("source", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("not an address", "not an address"),
    ],
)
def test_a_household_is_one_source(source: str, network: str) -> None:
    assert network_of(source) == network
