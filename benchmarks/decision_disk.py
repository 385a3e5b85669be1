"""Room on the disk for each decision: in the ledger as it is served, and after its hour was sealed and the ledger packed.

    python benchmarks/decision_disk.py [--decisions 50000]

Rows like German credit's (20 features), recorded as a server records them, one hour in the past; then sealed as the control
server does. Counted is what the file system has given out (blocks), beside the parts whose size does not grow with decisions.
"""

import argparse
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(_TESTS), str(_TESTS / "serving")]


def blocks(*places: Path) -> int:
    """Bytes the file system has given out for these files and folders."""
    found = [one for place in places for one in ([place] if place.is_file() else place.rglob("*"))]
    return sum(one.stat().st_blocks * 512 for one in found if one.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--decisions", type=int, default=50_000)
    count = parser.parse_args().decisions
    import house

    from deciding import decide
    from sealwright.kernel import FixedClock
    from sealwright.pipeline import create_workspace
    from sealwright.trust import InsecurePassphraseForTests, Secret

    with tempfile.TemporaryDirectory() as root:
        clock = FixedClock(datetime(2026, 3, 2, 6, 10, tzinfo=UTC))
        with create_workspace(
            Path(root) / "ws", name="Bank", unlock=InsecurePassphraseForTests(Secret("for measuring")), clock=clock
        ) as workspace:
            rng, usual = random.Random(7), house.credit_row()

            def row() -> dict[str, Any]:
                drawn: dict[str, Any] = {name: rng.choice(house.CATEGORIES) for name in usual if name.startswith("c")}
                drawn |= {name: rng.randrange(10) for name in usual if name.startswith("n")}
                return usual | drawn | {"age": rng.randrange(18, 80), "amount": round(rng.uniform(250, 20_000), 2)}

            for start in range(0, count, 5_000):
                names = [f"n{number}-p{number % 997}" for number in range(start, min(count, start + 5_000))]
                decide(workspace, clock, names, clock() + timedelta(seconds=20), row=row)
            _tell(workspace, clock, count)


def _tell(workspace: Any, clock: Any, count: int) -> None:
    from acting import operator
    from sealwright.pipeline import check_hours, seal_decisions
    from sealwright.serving import decision_ledger_folder
    from sealwright.trust import verify_ledger

    ledger = decision_ledger_folder(workspace.home, "loans", "live")
    entries = ledger / "entries.log"
    before, cache = blocks(entries), blocks(ledger / "cache")
    clock.advance(timedelta(hours=1))
    began, spent = time.perf_counter(), time.process_time()
    [hour] = seal_decisions(workspace, "loans", by=operator())
    began, spent = time.perf_counter() - began, time.process_time() - spent
    check_hours(workspace, "loans", "live", by=operator())
    verify_ledger(ledger, workspace.trust_root.keys_of("decision-checkpoints"))
    after = {"entries.log": blocks(entries), "packed": blocks(ledger / "packed"), "hour": hour.size}
    print(f"{count:,} decisions; bytes for each")
    print(
        f"  before: entries.log {before / count:,.0f}   (find entries quickly: {cache / count:,.0f} more, may be deleted)"
    )
    print("  after:  " + ", ".join(f"{name} {size / count:,.0f}" for name, size in after.items()))
    print(
        f"  before {before / count:,.0f}, after {sum(after.values()) / count:,.0f}: {before / sum(after.values()):.1f} times less"
    )
    print(f"  sealing took {1e6 * spent / count:.0f} us of processor time for each, {began:.1f} s in all")


if __name__ == "__main__":
    main()
