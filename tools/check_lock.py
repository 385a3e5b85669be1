"""The lock files pin everything with a hash and name no registry; the base install holds no training library."""

import re
import sys
from pathlib import Path

LOCKS = Path(__file__).parents[1] / "locks"
NEVER_IN_BASE = {
    "scikit-learn",
    "scipy",
    "pandas",
    "pyarrow",
    "polars",
    "torch",
    "optuna",
    "skl2onnx",
    "xgboost",
    "lightgbm",
}


def problems(name: str, text: str) -> list[str]:
    """Everything wrong with one lock file, in words."""
    found = [
        f"{name}: names a location: {line.strip()[:60]}"
        for line in text.splitlines()
        if "://" in line or "index-url" in line
    ]
    for block in re.split(r"\n(?=[a-zA-Z0-9])", text.strip()):
        first = block.splitlines()[0]
        if not re.match(r"[A-Za-z0-9._-]+(\[[a-z0-9, -]+\])?==", first):
            found.append(f"{name}: not pinned: {first[:60]}")
        elif "--hash=sha256:" not in block:
            found.append(f"{name}: no hash: {first[:60]}")
        elif name == "base.lock" and first.split("==")[0] in NEVER_IN_BASE:
            found.append(f"{name}: a training library in the base install: {first[:60]}")
    return found


def main() -> int:
    found = [line for path in sorted(LOCKS.glob("*.lock")) for line in problems(path.name, path.read_text())]
    print("\n".join(found) or f"{len(list(LOCKS.glob('*.lock')))} lock files: pinned, hashed, no location named")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
