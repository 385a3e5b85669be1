"""How fast a whole ledger is verified: a million real entries, with everything `sealwright ledger verify` does.

    python benchmarks/ledger_verify.py [--json] [--entries 1000000] [--batch 64] [--folder DIR] [--keep]

The entries are those of a control ledger (an actor's pseudonym, outcome, reason, policies, request) of about 450 bytes; every
batch has a signed checkpoint, every hundredth entry sealed words beside it. Says how much memory the whole run took.
"""

import argparse
import json
import os
import platform
import resource
import sys
import tempfile
import time
from pathlib import Path

from sealwright.trust import Entry, Ledger, LocalSigner, verify_ledger

ORIGIN = "example.org/benchmark"
SIGNER = LocalSigner("ed25519", b"\x01" * 32)
ACTIONS = ("permission.check", "token.issue", "model.promote", "login", "data.key_unwrapped")


def entry(number: int) -> Entry:
    return Entry(
        action=ACTIONS[number % len(ACTIONS)],
        subject=f"sha256:{number:064x}",
        detail={
            "outcome": "refused" if number % 7 == 0 else "done",
            "policies": ["duties.trainer"],
            "reason": "permission.denied",
            "request": f"req_{number:024x}",
            "source": f"sub_{number % 50:032x}",
        },
        attachment=b"words/v1\n" + bytes(80) if number % 100 == 0 else None,
        actor=f"sub_{number % 50:032x}",
    )


def fill(folder: Path, entries: int, batch: int) -> None:
    with Ledger.open(folder, origin=ORIGIN, signer=SIGNER, create=not folder.exists()) as ledger:
        while ledger.size < entries:
            first = ledger.size
            ledger.append_many([entry(number) for number in range(first, min(first + batch, entries))])


def megabytes() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return (own.ru_maxrss + children.ru_maxrss) / 1024


def seconds_of_work() -> float:
    """Of this process and of workers that ended: what the verification costs however busy the machine is."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def measure(folder: Path, entries: int, batch: int) -> dict[str, object]:
    begun = time.perf_counter()
    fill(folder, entries, batch)
    filled, before = time.perf_counter() - begun, megabytes()
    rounds, work = [], []
    for _ in range(3):
        start, spent = time.perf_counter(), seconds_of_work()
        report = verify_ledger(folder, [SIGNER.public()], ORIGIN)
        rounds.append(time.perf_counter() - start)
        work.append(seconds_of_work() - spent)
    assert report.size == entries
    return {
        "entries": entries,
        "checkpoints": report.checkpoints,
        "bytes": (folder / "entries.log").stat().st_size,
        "seconds to fill": round(filled, 2),
        "seconds to verify": [round(one, 2) for one in rounds],
        "seconds of processor": [round(one, 2) for one in work],
        "MB of memory before": round(before),
        "MB of memory after": round(megabytes()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=64, help="entries under one checkpoint")
    parser.add_argument("--folder", type=Path, help="measure on this disk (default: the temporary folder)")
    parser.add_argument("--keep", action="store_true", help="leave the ledger in --folder, and use one that is there")
    options = parser.parse_args()
    if options.keep and options.folder:
        found = measure(options.folder / "ledger", options.entries, options.batch)
    else:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            found = measure(Path(folder) / "ledger", options.entries, options.batch)
    machine = f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"
    if options.json:
        json.dump({"benchmark": "ledger_verify", "machine": machine, **found}, sys.stdout, indent=2)
        print()
        return
    print(f"ledger_verify on {machine}")
    for name, value in found.items():
        print(f"  {name:<24} {value}")


if __name__ == "__main__":
    main()
