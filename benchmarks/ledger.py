"""How fast the ledger records, proves, opens and is verified, on this machine and this disk.

    python benchmarks/ledger.py [--json] [--entries 100000] [--folder DIR]

Entries are decision-sized: about 490 bytes, without attachment. Every append is acknowledged: on disk (fdatasync), with
a signed Ed25519 checkpoint. Figures are medians over rounds; the raw cost of one fdatasync is given beside them.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sealwright.trust import Entry, Ledger, LocalSigner, verify_ledger, verify_proof

ORIGIN = "example.org/benchmark"
SIGNER = LocalSigner("ed25519", b"\x01" * 32)
KEYS = [SIGNER.public()]
DIGEST = "sha256:" + "a" * 64
ENTRY = Entry(
    action="decision",
    subject=DIGEST,
    detail={"answer": DIGEST, "request": DIGEST, "decision": "dec_0123456789abcdef01234567", "model": "german-credit"},
)

Figures = dict[str, tuple[float, str, str]]  # name -> (median, unit, what it is)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median_of(rounds: int, work: Callable[[], object]) -> float:
    return statistics.median(seconds(work) for _ in range(rounds))


def raw_sync(folder: Path) -> float:
    """Seconds to append 500 bytes and wait for the disk, without a ledger."""
    handle = os.open(folder / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def once() -> None:
        os.write(handle, b"x" * 500)
        os.fdatasync(handle)

    result = median_of(300, once)
    os.close(handle)
    return result


def recording(ledger: Ledger, figures: Figures) -> None:
    single = sorted(seconds(lambda: ledger.append(ENTRY.action, ENTRY.subject, ENTRY.detail)) for _ in range(400))
    figures["one append at a time, p50"] = (
        statistics.median(single) * 1e6,
        "us",
        "acknowledged before the next begins",
    )
    figures["one append at a time, p99"] = (single[int(len(single) * 0.99)] * 1e6, "us", "")
    for size in (64, 512):
        batch = [ENTRY] * size
        took = median_of(9, lambda batch=batch: [ledger.append_many(batch) for _ in range(4096 // len(batch))])  # type: ignore[misc]
        figures[f"append_many, {size} a commit"] = (4096 / took, "entries/s", "one thread")

    def pipelined() -> None:
        for future in [ledger.submit(ENTRY) for _ in range(4096)]:
            future.result()

    figures["submit, pipelined"] = (4096 / median_of(7, pipelined), "entries/s", "a future an entry, as a server does")

    def callers() -> None:
        def work() -> None:
            for _ in range(128):
                ledger.append(ENTRY.action, ENTRY.subject, ENTRY.detail)

        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    figures["append, 16 threads that wait"] = (16 * 128 / median_of(5, callers), "entries/s", "group commit")


def proving(ledger: Ledger, figures: Figures) -> None:
    done = ledger.append_many([ENTRY] * 512)
    figures["proof of a new entry"] = (median_of(200, lambda: done[300].proof) * 1e6, "us", "from the batch")
    figures["proof of an old entry"] = (median_of(200, lambda: ledger.proof(777)) * 1e6, "us", "from the node cache")
    proof = done[300].proof
    took = median_of(200, lambda: verify_proof(done[300].leaf, proof, KEYS, ORIGIN))
    figures["verify_proof"] = (took * 1e6, "us", "signature and inclusion")


def opening(folder: Path, entries: int, figures: Figures) -> None:
    def once() -> None:
        Ledger.open(folder, origin=ORIGIN, signer=SIGNER).close()

    figures[f"open {entries:,} entries, clean"] = (median_of(5, once) * 1e3, "ms", "")

    def after_a_crash() -> None:
        (folder / "cache" / "clean.json").unlink()
        once()

    figures[f"open {entries:,} entries, after a crash"] = (
        median_of(3, after_a_crash) * 1e3,
        "ms",
        "every entry hashed",
    )
    took = median_of(3, lambda: verify_ledger(folder, KEYS, ORIGIN))
    figures["verify_ledger"] = (entries / took, "entries/s", "everything, one thread")


def measure(folder: Path, entries: int) -> Figures:
    """Run everything; about 15 seconds for 100,000 entries."""
    figures: Figures = {"fdatasync of the disk, p50": (raw_sync(folder) * 1e6, "us", "for comparison; no ledger")}
    ledger_folder = folder / "ledger"
    with Ledger.open(ledger_folder, origin=ORIGIN, signer=SIGNER, create=True) as ledger:
        recording(ledger, figures)
        while ledger.size < entries:
            ledger.append_many([ENTRY] * min(512, entries - ledger.size))
        proving(ledger, figures)
        size = ledger.size
    opening(ledger_folder, size, figures)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--entries", type=int, default=100_000, help="size of the ledger that is opened and verified")
    parser.add_argument("--folder", type=Path, help="measure on this disk (default: the temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures = measure(Path(folder), options.entries)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    if options.json:
        rows = {name: {"median": value, "unit": unit, "note": note} for name, (value, unit, note) in figures.items()}
        json.dump({"benchmark": "ledger", "machine": machine, "figures": rows}, sys.stdout, indent=2)
        print()
        return
    print(f"ledger on {machine}")
    for name, (value, unit, note) in figures.items():
        print(f"  {name:<44} {value:>12,.0f} {unit:<10} {note}".rstrip())


if __name__ == "__main__":
    main()
