"""A flood of refusals fills neither disk nor memory, and every one of them is accounted for."""

import threading
import time
import tracemalloc
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.trust import Event, FloodGuard, LedgerUnavailable


class Kept:
    """An audit that keeps events in memory, and fails while told to."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.down = False
        self._lock = threading.Lock()

    def record(self, event: Event) -> None:
        if self.down:
            raise LedgerUnavailable("the disk is full")
        with self._lock:
            self.events.append(event)

    def told(self) -> int:
        """Refusals of nobody that are on record: as themselves or in a count."""
        return sum(int(str(one.detail.get("counted", 1))) for one in self.events if not one.actor)


class Hand:
    """A clock moved by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def refusal(source: str = "192.0.2.1", reason: str = "wrong", action: str = "login", actor: str = "") -> Event:
    return Event(action=action, outcome="refused", source=source, reason=reason, actor=actor)


def test_the_first_are_entries_the_rest_one_count() -> None:
    kept, hand = Kept(), Hand()
    guard = FloodGuard(kept, first=3, monotonic=hand, timer=False)
    for _ in range(1000):
        guard.record(refusal())
    assert [dict(one.detail) for one in kept.events] == [{}, {}, {"further": "counted"}]
    hand.now += 61
    guard.record(refusal(reason="other"))
    assert dict(kept.events[3].detail) == {"counted": 997, "within_seconds": 60}
    assert (kept.events[3].action, kept.events[3].reason, kept.events[3].outcome) == ("login", "wrong", "refused")
    assert kept.told() == 1001


def test_somebody_known_and_whatever_is_done_is_always_an_entry() -> None:
    kept = Kept()
    guard = FloodGuard(kept, first=1, entries=1, timer=False)
    events = [refusal(actor="ada")] * 50 + [Event(action="login", outcome="done")] * 50
    for event in events:
        guard.record(event)
    assert kept.events == events


_kinds = st.tuples(st.sampled_from("abcdef"), st.sampled_from(["wrong", "locked"]), st.sampled_from(["", "", "ada"]))
_steps = st.one_of(_kinds, st.floats(0.1, 90), st.sampled_from(["settle", "down", "up"]))


@settings(max_examples=200, deadline=None)
@given(st.lists(_steps, max_size=80), st.integers(1, 4), st.integers(1, 6), st.integers(1, 5))
def test_counts_add_up_whatever_happens(steps: list[object], first: int, entries: int, kinds: int) -> None:
    kept, hand = Kept(), Hand()
    guard = FloodGuard(kept, first=first, entries=entries, kinds=kinds, monotonic=hand, timer=False)
    refused: Counter[str] = Counter()  # by reason; what raised was told to its caller and is not owed
    for step in steps:
        if isinstance(step, float):
            hand.now += step
        elif step in ("down", "up"):
            kept.down = step == "down"
        else:
            try:
                if step == "settle":
                    guard.settle()
                    continue
                source, reason, actor = step  # type: ignore[misc]
                guard.record(refusal(source, reason, actor=actor))
                refused[reason] += not actor
            except LedgerUnavailable:
                assert kept.down
    kept.down = False
    guard.close()
    found: Counter[str] = Counter()
    for one in kept.events:
        found[one.reason] += int(str(one.detail.get("counted", 1))) if not one.actor else 0
    assert found == refused


def test_a_hundred_thousand_sources_cost_bounded_memory_and_entries_t60() -> None:
    kept, hand = Kept(), Hand()
    guard = FloodGuard(kept, monotonic=hand, timer=False)
    tracemalloc.start()
    try:
        for number in range(100_000):
            guard.record(refusal(f"198.51.{number // 256}.{number % 256}"))
        memory = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(kept.events) <= 600
    guard.close()
    assert len(kept.events) <= 600 + 2 * 2000
    assert kept.told() == 100_000
    assert memory < 3_000_000


def test_many_kinds_of_refusals_end_in_one_count() -> None:
    kept = Kept()
    guard = FloodGuard(kept, first=1, entries=1, kinds=2, timer=False)
    for number in range(1000):
        guard.record(refusal(reason=f"reason.{number}"))
    guard.close()
    assert kept.events[-1].reason == "flood.many_kinds"
    assert len(kept.events) <= 1 + 2 + 200 + 1
    assert kept.told() == 1000


def test_threads_lose_nothing() -> None:
    kept = Kept()
    with FloodGuard(kept, seconds=0.02, timer=True) as guard:

        def work(number: int) -> None:
            for place in range(2000):
                guard.record(refusal(f"source {number}", reason=str(place % 3)))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert kept.told() == 16_000


def test_a_window_ends_in_silence_too() -> None:
    kept = Kept()
    guard = FloodGuard(kept, first=1, seconds=0.05)
    for _ in range(10):
        guard.record(refusal())
    until = time.monotonic() + 5
    while kept.told() < 10 and time.monotonic() < until:
        time.sleep(0.01)
    assert kept.told() == 10
    guard.close()


def test_a_ledger_that_is_down_keeps_the_counts_until_it_is_back() -> None:
    kept, hand = Kept(), Hand()
    guard = FloodGuard(kept, first=1, monotonic=hand, timer=False)
    for _ in range(5):
        guard.record(refusal())
    kept.down = True
    hand.now += 61
    with pytest.raises(LedgerUnavailable):
        guard.record(refusal())
    with pytest.raises(LedgerUnavailable):
        guard.close()
    kept.down = False
    guard.close()
    assert kept.told() == 5
