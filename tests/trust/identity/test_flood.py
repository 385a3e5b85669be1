"""Who refuses to stop does not fill the ledger; how many there were is in it all the same."""

from datetime import timedelta

import pytest
from house import AWAY, House, at_once

from sealwright.trust import Event, TooManyTries


def event(source: str = AWAY) -> Event:
    return Event(action="login", outcome="refused", actor="ada", reason="identity.wrong_password", source=source)


def test_the_first_few_are_single_entries_and_the_rest_one_sum(house: House) -> None:
    for _ in range(200):
        house.identity.flood.record(event())
    assert len(house.entries("login")) == 5
    house.clock.advance(timedelta(minutes=5))
    house.identity.tidy()
    last = house.entries("login")[-1]
    assert last.detail["not_recorded_singly"] == 195
    assert last.detail["reason"] == "identity.wrong_password"
    assert len(house.entries("login")) == 6
    house.identity.tidy()
    assert len(house.entries("login")) == 6


def test_the_next_window_sums_up_the_one_before_even_if_nobody_tidies(house: House) -> None:
    for _ in range(8):
        house.identity.flood.record(event())
    house.clock.advance(timedelta(minutes=6))
    house.identity.flood.record(event())
    details = [entry.detail for entry in house.entries("login")]
    assert [d.get("not_recorded_singly", 0) for d in details] == [0, 0, 0, 0, 0, 3, 0]


def test_a_thousand_sources_do_not_fill_it_either(house: House) -> None:
    for n in range(120):
        house.identity.flood.record(event(f"198.51.{n}.1"))
    assert len(house.entries("login")) == house.rules.flood_in_all


def test_two_processes_share_the_count(house: House) -> None:
    other = house.opened()
    at_once([lambda i=i: (house.identity if i % 2 else other).flood.record(event()) for i in range(40)])
    assert len(house.entries("login")) == 5


def test_another_reason_is_counted_apart_unless_the_time_would_tell_it(house: House) -> None:
    for _ in range(20):
        house.identity.flood.record(event())
    other = Event(action="enrol.use", outcome="refused", reason="identity.link_refused", source=AWAY)
    house.identity.flood.record(other)
    assert len(house.entries("enrol.use")) == 1
    house.clock.advance(timedelta(minutes=10))
    before = len(house.entries())
    for _ in range(10):
        house.identity.flood.record(event("203.0.113.1"), group="g")
        house.identity.flood.record(other, group="g")
    assert len(house.entries()) - before <= 5 + 5


def test_an_event_that_cannot_be_recorded_raises(house: House) -> None:
    house.ledger.close()
    with pytest.raises(Exception, match="closed"):
        house.identity.flood.record(event())


def test_a_throttled_flood_is_recorded_as_such(house: House) -> None:
    for _ in range(60):
        try:
            house.begin(name="nobody")
        except TooManyTries:
            continue
    house.clock.advance(timedelta(minutes=5))
    house.identity.tidy()
    sums = {
        e.detail.get("reason"): e.detail["not_recorded_singly"]
        for e in house.entries("login")
        if "not_recorded_singly" in e.detail
    }
    assert sums == {"identity.unknown_person": 15, "identity.too_many_tries": 35}
