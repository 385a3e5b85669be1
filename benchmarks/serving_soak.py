"""Whether a serving process grows: a day of traffic, compressed in time, over a real server.

    python benchmarks/serving_soak.py [--requests 400000] [--speed 800] [--json]

Resident memory after half of the requests (warm) and at the end, and processor time a request. The process's clock runs `speed` times
as fast as the wall's, so that days change, tokens end and keys of a day are derived anew meanwhile.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1] / "tests" / "serving"
sys.path.insert(0, str(_TESTS))

from fire import nursery_of, soak  # noqa: E402 - what the tests use, too
from house import House, credit_row  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=400_000)
    parser.add_argument("--speed", type=float, default=800.0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        house = House(Path(place) / "home")
        house.release(days=90)
        with nursery_of(house, Path(place)) as nursery:
            seen = soak(nursery, house, credit_row(), asked.requests, speed=asked.speed)
        house.close()
    if asked.json:
        print(json.dumps(seen._asdict()))
        return
    print(
        f"{seen.requests:,} requests in {seen.hours:.1f} h of the server's clock, {seen.cpu_us:.0f} us of processor time each"
    )
    print(f"resident: {seen.warm_kb:,} kB warm, {seen.end_kb:,} kB at the end ({seen.end_kb - seen.warm_kb:+,} kB)")


if __name__ == "__main__":
    main()
