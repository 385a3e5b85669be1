"""One virtual environment for each peer, below .bench, from a lock in which every package has its hash."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["LOCKS", "bin_of", "pins", "ready", "variables"]

LOCKS = Path(__file__).parent / "locks"
_INSTALL = ["install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r"]


def ready(name: str, home: Path) -> str:
    """Make the environment unless it stands as its lock says; "" or why it cannot be had."""
    lock, place = LOCKS / f"{name}.txt", home / name
    stamp, digest = place / "lock.sha256", hashlib.sha256((LOCKS / f"{name}.txt").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return ""
    print(f"Setting up {name} from {lock.name} (once; every package is checked against its hash)", flush=True)
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    command = [str(place / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", *_INSTALL, str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    stamp.write_text(digest)
    return ""


def bin_of(name: str, home: Path) -> Path:
    """Where its programs are; of "", the environment this program runs in."""
    return Path(sys.executable).parent if not name else home / name / "bin"


def variables(name: str, home: Path) -> dict[str, str]:
    """A plain environment for a server's process: its own programs first, nobody told over the network."""
    here = Path(__file__).parent
    return {
        "PATH": f"{bin_of(name, home)}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join([str(here), str(here / "apps")]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "DO_NOT_TRACK": "1",
        "BENTOML_DO_NOT_TRACK": "True",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def pins(name: str) -> dict[str, str]:
    """Every package of a lock and its version (the first where the Python decides)."""
    found: dict[str, str] = {}
    for line in (LOCKS / f"{name}.txt").read_text().splitlines():
        if "==" in line and not line.startswith(" "):
            package, version = line.split(";")[0].split("\\")[0].strip().split("==")
            found.setdefault(package, version)
    return found
