"""What callers' budgets cost a request, in microseconds of processor time, and what a draw on the counters costs.

    python benchmarks/serving_budgets.py [--rounds 7] [--json]

warm: both purses, of the credential and of its principal, hold enough, as on all requests but one in hundreds. Medians over
rounds of the mean over many calls; the empty loop is taken off. Redis is left out where none answers on loopback.
"""

import argparse
import contextlib
import json
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sealwright.engines import (
    Amount,
    Ask,
    Counters,
    CountersSilent,
    FileCounters,
    MemoryCounters,
    Quota,
    RedisCounters,
    RedisPlace,
)
from sealwright.kernel import MissingExtra
from sealwright.serving.budgets.budgets import Budgets
from sealwright.serving.budgets.limits import BudgetLimits, CallerLimits, Level
from sealwright.serving.budgets.reached import LimitReached
from sealwright.serving.tokens import Caller

_CALLS = 100_000
_DRAWS = 500
_WIDE = Level(
    rows_per_second=1e6, burst_rows=10**9, concurrent=10_000, rows_per_day=10**12, different_rows_per_day=10**11
)
_SPENT = Level(rows_per_second=0.001, burst_rows=1, concurrent=8, rows_per_day=1, different_rows_per_day=1)


def budgets_of(level: Level) -> Budgets:
    limits = BudgetLimits(everybody=CallerLimits(per_client=level, per_principal=level))
    return Budgets(limits, MemoryCounters(), name_of=lambda name: name, tell=lambda *_, **__: None)


def microseconds(call: Callable[[], object], calls: int) -> float:
    empty = time.process_time()
    for _ in range(calls):
        pass
    begun = time.process_time()
    for _ in range(calls):
        call()
    ended = time.process_time()
    return (ended - begun - (begun - empty)) / calls * 1e6


def paths() -> dict[str, Callable[[], object]]:
    wide, spent = budgets_of(_WIDE), budgets_of(_SPENT)
    callers = [Caller(f"till-{i}", f"tok-{i}", frozenset()) for i in range(1000)]
    for caller in callers:
        _admit(wide, caller)
    few, one = iter(callers * 1000), callers[0]
    for caller in callers[:1]:
        _admit(spent, caller)

    def told() -> object:
        admitted = wide.enter(one, 1)
        assert admitted is not None
        headers = wide.headers(admitted)
        wide.leave(admitted)
        return headers

    def different() -> None:
        admitted = wide.enter(one, 1, 1, 1)
        assert admitted is not None
        wide.leave(admitted)

    def refused() -> None:
        with contextlib.suppress(LimitReached):
            spent.enter(one, 1)

    return {
        "warm: both levels, enter and leave": lambda: _admit(wide, one),
        "warm: 1000 callers in turn": lambda: _admit(wide, next(few)),
        "warm: and a different row": different,
        "warm: and both headers": told,
        "a caller whose budget is spent": refused,
    }


def _admit(budgets: Budgets, caller: Caller) -> None:
    admitted = budgets.enter(caller, 1)
    assert admitted is not None
    budgets.leave(admitted)


@contextlib.contextmanager
def engines() -> Iterator[dict[str, Counters]]:
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, Counters] = {
            "memory": MemoryCounters(),
            "file": FileCounters(Path(folder) / "b" / "budgets.db"),
        }
        with contextlib.suppress(CountersSilent, MissingExtra):
            found["redis"] = RedisCounters(RedisPlace(tls=False, database=15), prefix=f"bench-{secrets.token_hex(4)}:")
        yield found
        for counters in found.values():
            counters.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures = {
        name: statistics.median(microseconds(call, _CALLS) for _ in range(given.rounds))
        for name, call in paths().items()
    }
    quota = Quota(per_second=1e6, burst=10**9, units_a_day=10**12, extras_a_day=10**9, slots=100)
    asks = [Ask(key=key, quota=quota, left=Amount(0, 0, 1), most=Amount(625, 0, 0)) for key in ("c", "p")]
    with engines() as found:
        for name, counters in found.items():
            figures[f"a draw for both levels: {name}"] = statistics.median(
                microseconds(lambda counters=counters: counters.draw(asks), _DRAWS) for _ in range(given.rounds)
            )
    print(
        json.dumps(figures) if given.json else "\n".join(f"{name:42} {cost:8.2f} µs" for name, cost in figures.items())
    )


if __name__ == "__main__":
    main()
