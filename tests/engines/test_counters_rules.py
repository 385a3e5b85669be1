"""Laws of shared counters: whatever processes draw, spend, return and lose, together they never spend more than the quota."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.engines.counters import NOTHING, Amount, Ask, Grant, Quota
from sealwright.engines.counters_memory import moment_of
from sealwright.engines.counters_rules import Tally, as_new, draw

NOON = 20_000 * 86_400 + 43_200.0
LONGEST_REQUEST = 55.0
QUOTA = Quota(per_second=10.0, burst=100, units_a_day=500, extras_a_day=20, slots=8)


@dataclass
class Worker:
    """A process that keeps to the rules: it spends what it holds until that lapses."""

    units: int = 0
    slots: int = 0
    until: float = float("-inf")


@dataclass
class World:
    """Workers, their counter, and an exact bucket that every unit spent is taken from at that moment."""

    quota: Quota
    now: float = 1000.0
    wall: float = NOON
    level: float = field(init=False)
    spent: dict[int, int] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    tally: Tally = field(init=False)

    def __post_init__(self) -> None:
        self.level = float(self.quota.burst)
        self.tally = Tally(float(self.quota.burst), self.now, int(self.wall // 86_400))

    def pass_time(self, seconds: float) -> None:
        self.now, self.wall = self.now + seconds, self.wall + seconds
        self.level = min(float(self.quota.burst), self.level + seconds * self.quota.per_second)

    def draw(self, name: str, least: int, most: int, *, give_back: bool) -> Grant:
        worker = self.workers.setdefault(name, Worker())
        if self.now >= worker.until:
            worker.units = 0
        if self.now >= worker.until + LONGEST_REQUEST:
            worker.slots = 0
        left, back = (0, worker.units) if give_back else (worker.units, 0)
        wanted = NOTHING if give_back else Amount(most, 0, 1)
        ask = Ask(
            key="k",
            quota=self.quota,
            left=Amount(left, 0, worker.slots),
            back=Amount(back, 0, 0),
            least=NOTHING if give_back else Amount(least, 0, 0),
            most=wanted,
        )
        grant = draw(self.tally, ask, name, moment_of(self.now, self.wall))
        worker.units = (left if grant.kept else 0) + grant.more.units
        worker.slots += grant.more.slots
        worker.until = self.now + grant.seconds
        return grant

    def spend(self, name: str, units: int) -> None:
        worker = self.workers.get(name)
        if worker is None or self.now >= worker.until:
            return
        units = min(units, worker.units)
        worker.units -= units
        self.level -= units
        day = int(self.wall // 86_400)
        self.spent[day] = self.spent.get(day, 0) + units

    def check(self) -> None:
        assert self.level >= -1e-6, "more was spent than an exact bucket would have let through"
        assert all(units <= self.quota.units_a_day for units in self.spent.values())
        under_way = [worker.slots for worker in self.workers.values() if self.now < worker.until + LONGEST_REQUEST]
        assert sum(under_way) <= self.quota.slots


names = st.sampled_from(["a", "b", "c"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.sampled_from([0.001, 0.3, 1.0, 3.9, 4.5, 70.0, 40_000.0])),
        st.tuples(st.just("draw"), names, st.integers(0, 60), st.integers(0, 60)),
        st.tuples(st.just("back"), names),
        st.tuples(st.just("spend"), names, st.integers(1, 60)),
        st.tuples(st.just("die"), names),
    ),
    max_size=60,
)


@given(steps, st.sampled_from([QUOTA, Quota(per_second=0.5, burst=7, units_a_day=9, extras_a_day=1, slots=1)]))
@settings(max_examples=300, deadline=None)
def test_processes_together_never_spend_more_than_the_quota(done: list[tuple], quota: Quota) -> None:  # type: ignore[type-arg]
    world = World(quota)
    for step in done:
        match step:
            case ("pass", seconds):
                world.pass_time(seconds)
            case ("draw", name, least, more):
                world.draw(name, least, least + more, give_back=False)
            case ("back", name):
                world.draw(name, 0, 0, give_back=True)
            case ("spend", name, units):
                world.spend(name, units)
            case ("die", name):
                if world.workers.pop(name, Worker()).slots:
                    world.pass_time(70.0)  # until its slots come back
        world.check()


@given(st.lists(st.tuples(st.floats(0.0, 1.9), st.integers(1, 30)), max_size=60))
@settings(max_examples=100, deadline=None)
def test_a_caller_misses_at_most_one_slice_of_an_exact_bucket(asked: list[tuple[float, int]]) -> None:
    """One process, as it settles: what is refused would have left less than a slice in an exact bucket."""
    ahead = 5
    world = World(Quota(per_second=10.0, burst=100, units_a_day=10**9, extras_a_day=1, slots=1))
    for seconds, units in asked:
        world.pass_time(seconds)
        worker = world.workers.setdefault("a", Worker())
        if worker.until - world.now < 2.0:
            world.draw("a", 0, 0, give_back=False)
        if worker.units < units:
            lacking = units - worker.units
            world.draw("a", lacking, max(lacking, ahead), give_back=False)
        if worker.units >= units:
            world.spend("a", units)
            if units > ahead:
                world.draw("a", 0, 0, give_back=False)
        else:
            assert world.level < units + ahead + 1
        world.check()


def test_who_steadily_asks_less_than_the_rate_is_never_refused() -> None:
    world = World(Quota(per_second=10.0, burst=40, units_a_day=10**9, extras_a_day=1, slots=1))
    for _ in range(2000):
        world.pass_time(0.2)
        worker = world.workers.setdefault("a", Worker())
        if worker.units < 1 or world.now >= worker.until:
            assert world.draw("a", 1, 2, give_back=False).short == ""
        world.spend("a", 1)
        world.check()


def _ask(**parts: Amount) -> Ask:
    return Ask(key="k", quota=QUOTA, **parts)


def _tally(now: float = 0.0, wall: float = NOON) -> Tally:
    return Tally(float(QUOTA.burst), now, int(wall // 86_400))


def test_a_clock_set_back_adds_nothing_and_gives_no_day_again() -> None:
    tally = _tally(1000.0)
    assert draw(tally, _ask(most=Amount(100, 0, 0)), "a", moment_of(1000.0, NOON)).more.units == 100
    assert draw(tally, _ask(most=Amount(100, 0, 0)), "a", moment_of(0.0, NOON - 86_400)).more.units == 0
    assert tally.units == 100
    assert draw(tally, _ask(most=Amount(500, 0, 0)), "a", moment_of(1.0, NOON)).more.units == 10


def test_midnight_gives_a_new_day_and_voids_what_is_held_of_the_old_one() -> None:
    tally, midnight = _tally(wall=NOON), NOON + 43_200
    tally.units = 490
    first = draw(tally, _ask(most=Amount(20, 0, 0)), "a", moment_of(0.0, midnight - 2.5))
    assert (first.more.units, first.seconds) == (10, 2.5)  # it may be spent until midnight and no longer
    later = draw(tally, _ask(left=Amount(10, 0, 0), most=Amount(20, 0, 0)), "a", moment_of(3.0, midnight + 0.5))
    assert (later.kept, later.more.units, later.units_today) == (False, 20, 480)


def test_a_process_that_dies_loses_its_slice_for_the_day_and_its_slots_for_a_minute() -> None:
    tally = _tally()
    draw(tally, _ask(most=Amount(30, 5, 8)), "dead", moment_of(0.0, NOON))
    soon = draw(tally, _ask(least=Amount(0, 0, 1), most=Amount(0, 0, 1)), "b", moment_of(6.0, NOON + 6))
    assert (soon.short, soon.units_today, soon.extras_today) == ("slots", 470, 15)
    later = draw(tally, _ask(least=Amount(0, 0, 1), most=Amount(0, 0, 1)), "b", moment_of(65.0, NOON + 65))
    assert (later.short, later.more.slots, later.units_today) == ("", 1, 470)


def test_what_lapsed_cannot_be_given_back() -> None:
    tally = _tally()
    draw(tally, _ask(most=Amount(100, 0, 0)), "a", moment_of(0.0, NOON))
    late = draw(tally, _ask(back=Amount(100, 0, 0)), "a", moment_of(6.0, NOON + 6))
    assert (late.kept, tally.units, late.units) == (
        False,
        100,
        0,
    )  # it had been counted as spent, and the bucket as empty


def test_an_ask_that_comes_late_changes_nothing() -> None:
    """A server that stalls may work off what nobody waits for any more, after what was asked since."""
    tally = _tally()
    draw(tally, Ask(key="k", quota=QUOTA, most=Amount(60, 0, 2), number=7), "a", moment_of(0.0, NOON))
    late = draw(tally, Ask(key="k", quota=QUOTA, most=Amount(40, 5, 2), number=6), "a", moment_of(0.0, NOON))
    assert (late.more, late.units) == (NOTHING, 40)
    kept = Ask(key="k", quota=QUOTA, left=Amount(60, 0, 2), number=8)
    assert draw(tally, kept, "a", moment_of(0.0, NOON)).kept
    assert draw(tally, kept, "b", moment_of(0.0, NOON)).kept is False  # numbers of one holder say nothing of another


def test_more_than_was_held_cannot_be_given_back() -> None:
    tally = _tally()
    draw(tally, _ask(most=Amount(10, 1, 0)), "a", moment_of(0.0, NOON))
    for forged in (Amount(11, 0, 0), Amount(0, 2, 0)):
        grant = draw(tally, _ask(back=forged), "a", moment_of(0.0, NOON))
        assert (tally.units, grant.units, grant.kept) == (10, 90, False)


@pytest.mark.parametrize(
    ("used", "held", "ends", "expected"),
    [(0, 0, 0.0, True), (1, 0, 0.0, False), (0, 1, 0.0, False), (1, 1, NOON - 1, True), (1, 0, NOON + 9, False)],
)
def test_only_a_counter_nobody_gains_by_is_forgotten(used: int, held: int, ends: float, expected: bool) -> None:
    tally = _tally()
    draw(tally, _ask(most=Amount(used, 0, held)), "a", moment_of(0.0, NOON))
    draw(tally, _ask(left=Amount(0, 0, held)), "a", moment_of(0.0, NOON))
    tally.ends = ends
    assert as_new(tally, moment_of(1.0, NOON), NOON) is expected


def test_a_counter_that_is_not_full_again_is_not_forgotten_on_the_next_day() -> None:
    tally = _tally(wall=NOON + 43_199)
    grant = draw(tally, _ask(most=Amount(100, 0, 0)), "a", moment_of(0.0, NOON + 43_199))
    assert grant.more.units == 100
    draw(tally, _ask(), "a", moment_of(0.5, NOON + 43_199.5))
    assert not as_new(tally, moment_of(5.0, NOON + 43_204), NOON + 43_204)
    assert as_new(tally, moment_of(11.0, NOON + 43_210), NOON + 43_210)
