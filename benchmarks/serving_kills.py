"""`kill -9` at random moments under load: is any answered decision missing from the log?

    python benchmarks/serving_kills.py [--kills 200] [--seed 20261127] [--json]

Three callers ask on kept connections until the process is gone, and keep what they were answered; one kill in ten meets a process that
still starts. Then the ledger is opened as the next process would, each answer is looked for in it, byte for byte, and every receipt of a
sample is proved against the newest checkpoint. The kernel lives on, so this says nothing about a power cut; tests/trust has those.
"""

import argparse
import contextlib
import json
import random
import sys
import tempfile
import time
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1] / "tests" / "serving"
sys.path.insert(0, str(_TESTS))

from fire import Callers, nursery_of, unrecorded  # noqa: E402 - what the tests use, too
from fire_kills import kill_again_and_again  # noqa: E402
from house import House, credit_row  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        house = House(Path(place) / "home")
        house.release()
        with nursery_of(house, Path(place)) as nursery, contextlib.ExitStack() as stack:

            def callers_of(port: int, count: int) -> Callers:
                made = Callers(house, port, credit_row(), count)
                stack.callback(made.end)
                return made

            answered = kill_again_and_again(nursery, callers_of, options.kills, random.Random(options.seed))
        missing = unrecorded(house, answered)
        house.close()
    seconds = time.monotonic() - begun
    if options.json:
        print(json.dumps({"kills": options.kills, "answered": len(answered), "missing": len(missing)}))
    else:
        print(
            f"{options.kills} kills in {seconds:.0f} s: {len(answered):,} answers reached a caller, {len(missing)} are not in the log as they were told"
        )
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
