"""Shows that gates matter: takes one out of a copy of the source, and the test that guards it must go red.

Prints a table; ends with 1 if a gate can be missing and its test stays green, or if a gate is no longer where it was.
Words choose gates by a part of their name: show_gates_matter.py pointer token
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
GATES = ROOT / "tests" / "attacks" / "gates.toml"
_FAILED = re.compile(r"\b[0-9]+ failed\b")
_LONGEST = 120  # seconds for one test; what would hang without its gate is another test's to show

Gate = Mapping[str, str]


def gates() -> list[Gate]:
    """The list, as it is written down."""
    found: list[Gate] = tomllib.loads(GATES.read_text())["gate"]
    return found


def without(gate: Gate, source: str) -> str:
    """The source of the gate's file with the gate taken out.

    Raises
    ------
    ValueError
        The gate is not there, or in more than one place, or the code without it does not compile.
    """
    if source.count(gate["text"]) != 1:
        raise ValueError(
            f"{gate['file']} holds the text of {gate['name']!r} {source.count(gate['text'])} times, not once"
        )
    changed = source.replace(gate["text"], gate["without"])
    compile(changed, gate["file"], "exec")
    return changed


def outcome(gate: Gate) -> str:
    """What the gate's test says without it: "red", "green", or "broken" if it did not come to a verdict."""
    with tempfile.TemporaryDirectory(prefix="sealwright-gate-") as place:
        copy = Path(place) / "src"
        shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__"))
        file = copy / "sealwright" / gate["file"]
        file.write_text(without(gate, file.read_text()))
        options = ["-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, gate["test"]],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST,
        )
    if done.returncode == 0:
        return "green"
    return "red" if done.returncode == 1 and _FAILED.search(done.stdout) else "broken"


def main(words: Sequence[str]) -> int:
    chosen = [gate for gate in gates() if not words or any(word in gate["name"] for word in words)]
    missed = 0
    for gate in chosen:
        found = outcome(gate)
        missed += found == "red"
        print(f"{found if found == 'red' else found.upper():<6}  {gate['name']:<48}  {gate['test']}", flush=True)
    print(f"{missed} of {len(chosen)} gates are missed by their test when they are gone")
    return int(missed < len(chosen) or not chosen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
