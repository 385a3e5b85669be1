"""Run every benchmark and write docs/reference/benchmarks.md, with the machine named.

make bench        (or: python benchmarks/run.py [--quick])
"""

import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "reference" / "benchmarks.md"
HEAD = """<!-- Made by benchmarks/run.py. Run: make bench -->

# Benchmarks

What was measured, on the machine named, by the command given. Figures are medians; where two things are compared they
ran side by side in the same run, and the ratio is what to look at. Serving has [a page of its own](serving-benchmark.md).

"""


def machine() -> str:
    """The machine in words: what a reader needs to compare with theirs."""
    names = [
        line.split(":")[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(
        f"{name} {version(name)}" for name in ("cryptography", "pyarrow", "onnxruntime", "scikit-learn")
    )
    return (
        f"{len(os.sched_getaffinity(0))} cores ({names[0] if names else platform.machine()}), {memory:.0f} GiB, "
        f"Linux {platform.release().split('-')[0]}, Python {platform.python_version()}, {libraries}; "
        f"load before the run {os.getloadavg()[0]:.2f}. {datetime.now(UTC):%Y-%m-%d}."
    )


def main() -> None:
    quick = "--quick" in sys.argv
    few = ["--rows", "100000"] if quick else []
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "kept"
        jobs = [
            ("The whole way", ["whole_way.py", "--keep", str(kept), *(["--rounds", "1"] if quick else [])]),
            ("Ingest: encrypted against plain Parquet", ["ingest.py", *(["--rows", "200000"] if quick else [])]),
            ("Erasing a person", ["data_erase.py", *(["--rows", "100000", "--persons", "10000"] if quick else [])]),
            ("Examining a large table", ["data_quality.py", *few]),
            ("Checking a contract", ["data_check.py", *few]),
            ("Looking for personal data", ["data_scan.py", *few]),
            ("Counting groups", ["data_diversity.py", *few]),
            ("De-identifying", ["data_deidentify.py", *few]),
            ("Reading from every kind of source", ["data_sources.py", *few]),
            ("Predictions, step by step", ["serving_steps.py"]),
            ("Batches by protocol", ["serving_batches.py"]),
            ("Scoring a file", ["serving_scoring.py", *(["--rows", "50000", "--rounds", "1"] if quick else [])]),
            ("Budgets of callers", ["serving_budgets.py"]),
            ("Many models in one process", ["serving_many.py", *(["--models", "20"] if quick else [])]),
            ("Killed at random moments", ["serving_kills.py", *(["--kills", "20"] if quick else [])]),
            ("A day of traffic", ["serving_soak.py", *(["--minutes", "0.5", "--speed", "3000"] if quick else [])]),
            (
                "Judging a model, and the same numbers by hand",
                ["assurance_by_hand.py", *(["--rounds", "1"] if quick else [])],
            ),
            ("Judging a model on a large table", ["assurance_scale.py", *few]),
            ("Ledger", ["ledger.py"]),
            ("Verifying a package", ["verify_package.py", "PACKAGE", str(kept / "home" / "keys" / "trust.json")]),
            ("Verifying a credential", ["trust_tokens.py"]),
            ("Signing, by where the key is", ["trust_key_places.py"]),
        ]
        sections = [HEAD, f"**Machine.** {machine()}\n"]
        for title, command in jobs:
            if "PACKAGE" in command:
                command[command.index("PACKAGE")] = str(next((kept / "home" / "packages").glob("[0-9a-f]*")))
            print(f"{title} …", flush=True)
            done = subprocess.run(
                [sys.executable, str(HERE / command[0]), *command[1:]], capture_output=True, text=True, check=False
            )
            if done.returncode:
                sys.exit(f"{title} failed:\n{done.stdout}\n{done.stderr}")
            what = (HERE / command[0]).read_text().split('"""')[1].split("\n\n", 2)[2].strip()
            sections.append(
                f"\n## {title}\n\n{what}\n\n```text\n$ python benchmarks/{command[0]}\n{done.stdout.rstrip()}\n```\n"
            )
    PAGE.write_text("".join(sections))
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
