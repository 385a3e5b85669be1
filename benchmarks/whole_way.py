"""How long a person waits: the help page, the whole run on the bundled credit data, and asking the gate.

    python benchmarks/whole_way.py [--json] [--rounds 3] [--keep FOLDER]

Every figure is the wall time of the command as a process of its own, start-up included; medians over rounds. Each
run starts with an empty workspace. `--keep` leaves a sealed, promoted version there for the other benchmarks.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAM = [sys.executable, "-c", "from sealwright.doors.cli import main; main()"]
PROJECT = str(ROOT / "examples" / "german-credit")


def timed(command: list[str], folder: Path, accept: tuple[int, ...] = (0,)) -> float:
    """Seconds one command takes."""
    environment = {
        **os.environ,
        "SEALWRIGHT_HOME": str(folder / "home"),
        "SEALWRIGHT_KEY_FILE": str(folder / "keys" / "root.key"),
    }
    began = time.perf_counter()
    done = subprocess.run([*PROGRAM, *command], env=environment, capture_output=True, check=False)
    if done.returncode not in accept:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr.decode()}")
    return time.perf_counter() - began


def one_round(folder: Path) -> dict[str, float]:
    """The way of one version in an empty workspace."""
    keys = folder / "keys"
    keys.mkdir(parents=True, mode=0o700)
    figures = {"sealwright --help": timed(["--help"], folder)}
    figures["run, from the CSV to the gate"] = timed(["run", PROJECT, "--as", "ada"], folder, (3,))
    for name, role in (("sofia", "security_officer"), ("ben", "business_owner")):
        key = ["--person-key", str(keys / f"{name}.key")]
        timed(["people", "add", name, "--role", role, *key], folder)
        figures["approve"] = timed(
            ["approve", PROJECT, "--as", name, "--role", role, "--reason", "Measured by the benchmark", *key], folder
        )
    figures["gate"] = timed(["gate", PROJECT], folder)
    figures["seal and register"] = timed(["seal", PROJECT, "--as", "ada"], folder)
    figures["promote"] = timed(["promote", "german-credit", "1", "--reason", "Benchmark", "--as", "ops"], folder)
    figures["report with plots"] = timed(["report", PROJECT], folder)
    package = next((folder / "home" / "packages").glob("[0-9a-f]*"))
    figures["verify the package"] = timed(["verify", str(package)], folder)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="leave the last workspace here")
    options = parser.parse_args()
    rounds = []
    for _ in range(options.rounds):
        folder = Path(tempfile.mkdtemp(prefix="sealwright-bench-"))
        rounds.append(one_round(folder))
        if options.keep is not None:
            shutil.rmtree(options.keep, ignore_errors=True)
            shutil.copytree(folder, options.keep)
        shutil.rmtree(folder)
    medians = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    if options.json:
        print(json.dumps({"seconds": medians, "rounds": options.rounds}))
        return
    for name, seconds in medians.items():
        print(f"{name:32} {seconds:8.2f} s")


if __name__ == "__main__":
    main()
