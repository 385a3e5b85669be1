"""Shared counters keep their promises wherever they are kept: in memory, in a file, in Redis."""

import contextlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealwright.engines import (
    NOTHING,
    Amount,
    Ask,
    Counters,
    CountersSilent,
    FileCounters,
    Grant,
    MemoryCounters,
    Quota,
    RedisCounters,
    RedisPlace,
    read_redis_place,
)
from sealwright.engines.counters_memory import moment_of
from sealwright.engines.counters_redis import _grant_of
from sealwright.engines.counters_rules import Tally, draw
from sealwright.kernel import FixedClock, InvalidInput, OperationFailed, Refused, from_rfc3339

QUOTA = Quota(per_second=0.001, burst=100, units_a_day=150, extras_a_day=20, slots=8)
LOCAL = RedisPlace(tls=False, database=15)

Opener = Callable[[], Counters]


def _ask(key: str = "k", quota: Quota = QUOTA, **parts: Amount) -> Ask:
    return Ask(key=key, quota=quota, **parts)


def _wanted(units: int = 0, extras: int = 0, slots: int = 0) -> Ask:
    amount = Amount(units, extras, slots)
    return _ask(least=amount, most=amount)


@pytest.fixture
def redis_place() -> RedisPlace:
    """A Redis on loopback; its database 15 is for tests."""
    pytest.importorskip("redis", reason="the extra `redis` is not installed")
    with socket.socket() as tried:
        tried.settimeout(0.5)
        if tried.connect_ex((LOCAL.host, LOCAL.port)):
            pytest.skip(f"no Redis answers at {LOCAL.host}:{LOCAL.port}")
    return LOCAL


@pytest.fixture(params=["file", "redis"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens the same counters again and again, as processes do."""
    opened: list[Counters] = []
    place = request.getfixturevalue("redis_place") if request.param == "redis" else None
    prefix = f"test-{secrets.token_hex(6)}:"

    def open_them() -> Counters:
        opened.append(
            FileCounters(tmp_path / "b" / "budgets.db") if place is None else RedisCounters(place, prefix=prefix)
        )
        return opened[-1]

    yield open_them
    for counters in opened:
        if isinstance(counters, RedisCounters):
            for key in counters._redis.scan_iter(prefix + "*"):
                counters._redis.delete(key)
        counters.close()


@pytest.fixture(params=["memory", "file", "redis"])
def counters(request: pytest.FixtureRequest) -> Iterator[Counters]:
    if request.param == "memory":
        yield MemoryCounters()
        return
    if request.param == "redis":
        request.getfixturevalue("redis_place")
    place, prefix = LOCAL, f"test-{secrets.token_hex(6)}:"
    if request.param == "file":
        found: Counters = FileCounters(request.getfixturevalue("tmp_path") / "b" / "budgets.db")
    else:
        found = RedisCounters(place, prefix=prefix)
    yield found
    if isinstance(found, RedisCounters):
        found._redis.delete(*(prefix + key for key in ("k", "other")))
    found.close()


# ---- everywhere


def test_no_more_is_granted_than_there_is(counters: Counters) -> None:
    (grant,) = counters.draw([_ask(most=Amount(1000, 1000, 1000))])
    assert grant.more == Amount(100, 20, 8)
    (again,) = counters.draw([_ask(left=Amount(100, 20, 8), most=Amount(1, 1, 1))])
    assert (again.more, again.kept) == (NOTHING, True)


def test_what_comes_back_can_be_drawn_again_and_what_was_spent_cannot(counters: Counters) -> None:
    counters.draw([_ask(most=Amount(100, 10, 8))])
    (grant,) = counters.draw([_ask(back=Amount(60, 4, 0), most=Amount(100, 100, 8))])
    assert grant.more == Amount(60, 14, 8)
    assert grant.units_today == 50


@pytest.mark.parametrize(
    ("spent", "least", "short"),
    [
        (Amount(0, 0, 8), Amount(1, 0, 1), "slots"),
        (Amount(100, 0, 0), Amount(51, 0, 0), "day"),
        (Amount(0, 20, 0), Amount(1, 1, 0), "extras"),
        (Amount(100, 0, 0), Amount(50, 0, 0), "rate"),
        (Amount(99, 19, 7), Amount(1, 1, 1), ""),
    ],
)
def test_it_says_what_there_is_too_little_of(counters: Counters, spent: Amount, least: Amount, short: str) -> None:
    (first,) = counters.draw([_ask(most=spent)])
    (grant,) = counters.draw([_ask(left=Amount(0, 0, first.more.slots), least=least, most=least)])
    assert grant.short == short
    assert (grant.wait > 0) == bool(short)
    if short in {"day", "extras"}:
        assert 0 < grant.wait == grant.day_ends <= 86_400
    if short == "rate":
        assert grant.wait == pytest.approx(50_000, abs=10)


def test_counters_do_not_touch_each_other(counters: Counters) -> None:
    one, other = counters.draw([_ask("k", most=Amount(100, 0, 0)), _ask("other", most=Amount(7, 0, 0))])
    assert (one.more.units, other.more.units, other.units) == (100, 7, 93)


def test_units_come_back_with_time(counters: Counters) -> None:
    quick = Quota(per_second=1000.0, burst=100, units_a_day=10_000, extras_a_day=1, slots=1)
    counters.draw([_ask(quota=quick, most=Amount(100, 0, 0))])
    counters.draw([_ask(quota=quick)])  # it was spent
    time.sleep(0.06)
    (grant,) = counters.draw([_ask(quota=quick, most=Amount(100, 0, 0))])
    assert 50 <= grant.more.units <= 100


# ---- shared by processes


def test_holders_share_one_budget(shared: Opener) -> None:
    one, other = shared(), shared()
    assert one.draw([_wanted(70)])[0].more.units == 70
    assert other.draw([_ask(most=Amount(70, 0, 0))])[0].more.units == 30
    assert one.draw([_ask(back=Amount(20, 0, 0))])[0].units == 20
    assert other.draw([_ask(left=Amount(30, 0, 0), most=Amount(70, 0, 0))])[0].more.units == 20


def test_what_was_spent_is_spent_after_a_restart(shared: Opener) -> None:
    shared().draw([_wanted(100, 20)])
    (grant,) = shared().draw([_ask(least=Amount(51, 0, 0))])
    assert (grant.units_today, grant.extras_today, grant.short) == (50, 0, "day")


def test_workers_racing_for_one_budget_get_it_once_t68(shared: Opener) -> None:
    got: list[int] = []

    def work(mine: Counters) -> None:
        for _ in range(20):
            got.extend(grant.more.units for grant in mine.draw([_ask(most=Amount(3, 0, 0))]))

    threads = [threading.Thread(target=work, args=(shared(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(got) == 100


_DRAW_AND_HANG = """
import sys, time
from pathlib import Path
from sealwright.engines import Amount, Ask, FileCounters, Quota
quota = Quota(per_second=0.001, burst=100, units_a_day=150, extras_a_day=20, slots=8)
counters = FileCounters(Path(sys.argv[1]))
for _ in range(3):
    counters.draw([Ask(key="k", quota=quota, most=Amount(10, 1, 1))])
print("drawn", flush=True)
while True:
    counters.draw([Ask(key="k2", quota=quota, left=Amount(0, 0, 1))])
"""


def test_a_killed_process_frees_its_places_gives_no_units_back_and_leaves_the_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "b" / "budgets.db"
    child = subprocess.Popen([sys.executable, "-c", _DRAW_AND_HANG, str(path)], stdout=subprocess.PIPE, text=True)
    with child, contextlib.closing(FileCounters(path)) as counters:
        assert child.stdout is not None
        assert child.stdout.readline() == "drawn\n"
        time.sleep(0.02)
        (full,) = counters.draw([_ask(least=Amount(0, 0, 8), most=Amount(0, 0, 8))])
        assert full.more.slots == 7, "who is alive keeps its place"
        counters.draw([_ask(left=NOTHING)])
        child.send_signal(signal.SIGKILL)
        child.wait()
        (grant,) = _when_looked_again(counters)
        assert grant.more == Amount(70, 17, 8)
    assert not list(path.with_name("budgets.db-holders").iterdir())


def test_who_opens_the_file_after_a_kill_finds_the_places_free_at_once(tmp_path: Path) -> None:
    path = tmp_path / "b" / "budgets.db"
    child = subprocess.Popen([sys.executable, "-c", _DRAW_AND_HANG, str(path)], stdout=subprocess.PIPE, text=True)
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "drawn\n"
        child.send_signal(signal.SIGKILL)
        child.wait()
    with contextlib.closing(FileCounters(path)) as counters:
        (grant,) = counters.draw([_ask(most=Amount(0, 0, 8))])
        assert grant.more.slots == 8


def _when_looked_again(counters: FileCounters) -> list[Grant]:
    time.sleep(1.0)
    return counters.draw([_ask(most=Amount(100, 100, 8))])


_DRAW_ALL = """
import sys
from pathlib import Path
from sealwright.engines import Amount, Ask, FileCounters, Quota
quota = Quota(per_second=0.001, burst=100, units_a_day=150, extras_a_day=20, slots=8)
counters, got = FileCounters(Path(sys.argv[1])), 0
while units := counters.draw([Ask(key="k", quota=quota, most=Amount(3))])[0].more.units:
    got += units
print(got)
"""


def test_racing_processes_get_one_budget_once_t68(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _DRAW_ALL, str(tmp_path / "b" / "budgets.db")]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    got = [int(child.communicate()[0]) for child in children]
    assert sum(got) == 100


# ---- in a file


@pytest.mark.parametrize(("steady", "anew"), [(9e6, 5.0), (5.0, 9e6)])
def test_after_a_start_of_the_machine_nobody_holds_anything_and_nothing_came_back(
    tmp_path: Path, steady: float, anew: float
) -> None:
    path, clock = tmp_path / "b" / "budgets.db", FixedClock(from_rfc3339("2026-11-27T12:00:00.000Z"))
    with contextlib.closing(FileCounters(path, monotonic=lambda: steady, clock=clock, boot="one")) as before:
        before.draw([_ask(most=Amount(100, 5, 8))])
    with contextlib.closing(FileCounters(path, monotonic=lambda: anew, clock=clock, boot="two")) as after:
        (grant,) = after.draw([_ask(most=Amount(100, 100, 8))])
    assert grant.more == Amount(0, 15, 8)


def test_a_clock_set_back_gives_no_day_again(tmp_path: Path) -> None:
    clock = FixedClock(from_rfc3339("2026-11-27T00:30:00.000Z"))
    for counters in (FileCounters(tmp_path / "b" / "budgets.db", clock=clock), MemoryCounters(clock=clock)):
        counters.draw([_ask(most=Amount(100, 20, 0))])
        clock.advance(timedelta(hours=-1))
        (grant,) = counters.draw([_ask(least=Amount(51, 0, 0))])
        assert (grant.short, grant.units_today, grant.extras_today) == ("day", 50, 0)
        clock.advance(timedelta(hours=1))
        counters.close()


@pytest.mark.parametrize("where", ["memory", "file"])
def test_no_spent_counter_is_forgotten_to_make_room_for_newcomers(where: str, tmp_path: Path) -> None:
    """Eviction attack: a flood of new keys neither renews a spent budget nor takes memory without end."""
    now, clock = [0.0], FixedClock(from_rfc3339("2026-11-27T12:00:00.000Z"))
    counters: Counters = (
        MemoryCounters(most=3, monotonic=lambda: now[0], clock=clock)
        if where == "memory"
        else FileCounters(tmp_path / "b" / "budgets.db", most=3, monotonic=lambda: now[0], clock=clock)
    )
    with contextlib.closing(counters):
        counters.draw([_ask("spent", most=Amount(100, 0, 0)), _ask("looked", most=NOTHING), _ask("too", most=NOTHING)])
        now[0] = 20.0  # the others are as new, and make room
        grants = counters.draw([_ask(f"flood-{i}", most=Amount(1, 0, 0)) for i in range(5)])
        assert [grant.short for grant in grants] == ["", "", "full", "full", "full"]
        assert all(grant.more == NOTHING for grant in grants if grant.short)
        assert counters.draw([_ask("spent", least=Amount(51, 0, 0))])[0].short == "day"


def test_a_file_that_is_held_by_somebody_else_is_silence_and_not_a_wait(tmp_path: Path) -> None:
    path = tmp_path / "b" / "budgets.db"
    with contextlib.closing(FileCounters(path)) as counters, contextlib.closing(FileCounters(path)) as other:
        other._db.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        with pytest.raises(CountersSilent, match="do not answer"):
            counters.draw([_wanted(1)])
        assert time.monotonic() - begun < 2
        other._db.execute("ROLLBACK")
        assert counters.draw([_wanted(1)])[0].more.units == 1


def test_a_damaged_file_is_refused_and_not_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "b" / "budgets.db"
    FileCounters(path).close()
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(OperationFailed, match="move it away"):
        FileCounters(path)


def test_a_damaged_entry_is_silence_and_not_a_fresh_budget(tmp_path: Path) -> None:
    with contextlib.closing(FileCounters(tmp_path / "b" / "budgets.db")) as counters:
        counters.draw([_wanted(100)])
        counters._db.execute("UPDATE tallies SET tally = x'00'")
        with pytest.raises(CountersSilent):
            counters.draw([_wanted(1)])


def test_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "b" / "budgets.db"
    with contextlib.closing(FileCounters(path)) as counters:
        counters.draw([_wanted(1)])
        assert not any(found.stat().st_mode & 0o077 for found in path.parent.rglob("*"))
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OperationFailed):
        FileCounters(path)


# ---- in Redis


drawn = st.builds(
    lambda units, extras, slots: Amount(units, extras, slots),
    st.integers(0, 70),
    st.integers(0, 8),
    st.integers(0, 4),
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            *[drawn] * 4,
            st.integers(0, 2),
            st.sampled_from([0.0, 0.25, 1.0 / 3.0, 4.5, 6.0, 70.0, 50_000.0, -5.0]),
        ),
        max_size=12,
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_redis_reckons_exactly_as_everywhere_else(redis_place: RedisPlace, done: list[tuple]) -> None:  # type: ignore[type-arg]
    """The script in Redis and the rules in Python are the same function, holder by holder and draw by draw."""
    quota = Quota(per_second=1.7, burst=100, units_a_day=150, extras_a_day=20, slots=8)
    counters, key = RedisCounters(redis_place, prefix="test-rules:"), secrets.token_hex(6)
    wall, tally = 20_000 * 86_400.0 + 10.0, None
    try:
        for holder, left, back, least, most, number, seconds in done:
            wall += seconds
            tally = tally or Tally(float(quota.burst), wall, int(wall // 86_400))
            ask = _ask(key, quota, left=left, back=back._replace(slots=0), least=least, most=most)
            ask = msgspec.structs.replace(ask, number=number)
            counters._holder = holder.encode()
            answer = counters._draw(keys=[key], args=[*counters._args_of(ask), repr(wall), repr(wall)])
            assert _grant_of(answer) == draw(tally, ask, holder, moment_of(wall, wall))
    finally:
        counters._redis.delete(key)
        counters.close()


def test_a_counter_ends_in_redis_only_when_nobody_gains_by_it(redis_place: RedisPlace) -> None:
    prefix = f"test-{secrets.token_hex(6)}:"
    with contextlib.closing(RedisCounters(redis_place, prefix=prefix)) as counters:
        (spent, ended) = counters.draw(
            [
                _wanted(100),
                Ask(key="ended", quota=QUOTA, most=Amount(1, 0, 0), ends=time.time() + 10),
            ]
        )
        stays, until = counters._redis.ttl(prefix + "k"), counters._redis.ttl(prefix + "ended")
        counters._redis.delete(prefix + "k", prefix + "ended")
    assert stays >= max(spent.day_ends, 100 / QUOTA.per_second)
    assert ended.more.units == 1
    assert until <= 75  # its credential has ended by then


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Callable[..., tuple["subprocess.Popen[bytes]", RedisPlace]]]:
    """Starts a Redis of our own, to be stopped."""
    pytest.importorskip("redis", reason="the extra `redis` is not installed")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server here")
    begun = []

    def start(*options: str) -> tuple["subprocess.Popen[bytes]", RedisPlace]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen(
            [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path), *options],
            stdout=subprocess.DEVNULL,
        )
        begun.append(process)
        for _ in range(200):
            with socket.socket() as tried:
                if not tried.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.02)
        return process, RedisPlace(port=port, tls=False)

    yield start
    for process in begun:
        process.kill()
        process.wait()


def test_redis_that_stops_or_hangs_is_silence_within_the_deadline(own_redis: Callable[..., tuple]) -> None:  # type: ignore[type-arg]
    process, place = own_redis()
    with contextlib.closing(RedisCounters(place, prefix="t:")) as counters:
        assert counters.draw([_wanted(1)])[0].more.units == 1
        process.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        with pytest.raises(CountersSilent, match="TimeoutError"):
            counters.draw([_wanted(1)])
        assert time.monotonic() - begun < 1.5
        process.send_signal(signal.SIGCONT)
        assert counters.draw([_wanted(1)])[0].more.units == 1
        process.kill()
        process.wait()
        with pytest.raises(CountersSilent, match="ConnectionError"):
            counters.draw([_wanted(1)])
    with pytest.raises(CountersSilent):
        RedisCounters(place, prefix="t:")


def test_redis_that_may_throw_spent_budgets_away_is_refused(own_redis: Callable[..., tuple]) -> None:  # type: ignore[type-arg]
    """Eviction attack: fill the memory of Redis, and spent budgets would be new."""
    _, place = own_redis("--maxmemory", "8mb", "--maxmemory-policy", "volatile-lru")
    with pytest.raises(Refused, match="a spent budget would be new"):
        RedisCounters(place, prefix="t:")


def test_a_password_of_redis_is_in_no_message(own_redis: Callable[..., tuple]) -> None:  # type: ignore[type-arg]
    _, place = own_redis("--requirepass", "right-canary")
    wrong = RedisPlace(port=place.port, tls=False, password="wrong-canary")
    with pytest.raises(CountersSilent) as told:
        RedisCounters(wrong, prefix="t:")
    assert "canary" not in f"{told.value} {wrong!r} {wrong}"
    right = RedisPlace(port=place.port, tls=False, password="right-canary")
    with contextlib.closing(RedisCounters(right, prefix="t:")) as counters:
        assert counters.draw([_wanted(1)])[0].more.units == 1


def _written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_where_redis_is_stands_in_a_private_file(tmp_path: Path) -> None:
    good = _written(tmp_path / "redis.json", '{"host": "redis.example.org", "password": "canary", "ca": "/etc/ca.pem"}')
    place = read_redis_place(good)
    assert (place.host, place.password, place.tls) == ("redis.example.org", "canary", True)
    assert "canary" not in repr(place)


@pytest.mark.parametrize(
    ("text", "mode", "error"),
    [
        ('{"host": "redis.example.org", "password": "canary"}', 0o640, Refused),
        ('{"host": "redis.example.org", "password": "canary", "tls": false}', 0o600, Refused),
        ('{"hosts": "canary"}', 0o600, InvalidInput),
        ("canary", 0o600, InvalidInput),
    ],
)
def test_an_unsafe_or_unreadable_place_of_redis_is_refused(
    tmp_path: Path, text: str, mode: int, error: type[Exception]
) -> None:
    path = _written(tmp_path / "redis.json", text, mode)
    with pytest.raises(error) as told:
        read_redis_place(path)
    assert "canary" not in str(told.value)
    path.unlink()
    path.symlink_to(_written(tmp_path / "other.json", "{}"))
    with pytest.raises(InvalidInput):
        read_redis_place(path)
