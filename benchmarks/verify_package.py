"""How long does it take to verify a sealed package, start-up aside?

    python benchmarks/verify_package.py PACKAGE_FOLDER TRUST_ROOT_FILE

Prints milliseconds: the median and the slowest of 30 verifications, the processor time (which a busy
machine does not stretch), and the share of the parts.
The promise is 50 ms for a small package (`make up` on the German credit data makes one).
"""

import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sealwright.registry import check_structure, open_trusted_files, verify_package
from sealwright.trust import TrustRoot

_ROUNDS = 30


def milliseconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """Each round's duration by `clock`, after one that is not counted."""
    work()
    found = []
    for _ in range(_ROUNDS):
        start = clock()
        work()
        found.append((clock() - start) * 1e3)
    return found


def main() -> None:
    folder, trust_root = Path(sys.argv[1]), TrustRoot.from_bytes(Path(sys.argv[2]).read_bytes())
    now = datetime.now(UTC)
    package = verify_package(folder, trust_root, now=now)
    size = sum(map(len, package.files.values()))
    whole = milliseconds(lambda: verify_package(folder, trust_root, now=now))
    busy = milliseconds(lambda: verify_package(folder, trust_root, now=now), time.process_time)
    read = milliseconds(lambda: open_trusted_files(folder))
    gate = milliseconds(lambda: check_structure(package.model_bytes, package.interface))
    print(f"package: {len(package.files)} files, {size:,} bytes, model {len(package.model_bytes):,} bytes")
    print(
        f"verify:  median {statistics.median(whole):.1f} ms, slowest {max(whole):.1f} ms, of {_ROUNDS}; processor time {statistics.median(busy):.1f} ms"
    )
    print(f"  of it: reading {statistics.median(read):.1f} ms, model gate {statistics.median(gate):.1f} ms")


if __name__ == "__main__":
    main()
