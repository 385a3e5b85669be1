"""Many models in one process: what each costs in memory and time, at hand and not at hand.

    python benchmarks/serving_many.py [--models 200] [--size 0] [--megabytes 0] [--json]

Makes a workspace with that many released projects (the small model of the tests; `--size` puts a matrix of that width into each, which makes
it size² × 4 bytes large), serves all of them from one process, and asks each in turn. With `--megabytes` the process keeps no more than
that at hand, so the second turn shows what eviction costs. Memory is the process's proportional share (PSS).
"""

import argparse
import http.client
import importlib.util
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sealwright.serving import Limits, Running, ServingSpec, launch, predict_scope, prepare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--size", type=int, default=0, help="width of the matrix in each model")
    parser.add_argument("--megabytes", type=int, default=0, help="of models at hand; 0 for no limit that matters")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = _measured(_house(), Path(folder) / "home", asked.models, asked.size, asked.megabytes or 1_000_000)
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"{name:<58} {value:>10.4g}")


def _measured(module: Any, home: Path, models: int, size: int, megabytes: int) -> dict[str, float]:
    house = module.House(home)
    projects = [f"model-{at}" for at in range(models)]
    for at, project in enumerate(projects):
        house.project = project
        house.release(module.credit_model(module.credit_interface(project), middle=3.0 + at / 1000, slow=size))
    config = prepare(
        house.keyring,
        home=home,
        models=[(project, ServingSpec()) for project in projects],
        port=0,
        limits=Limits(models_mb=megabytes, watch_seconds=0.2),
    )
    token, row = house.token(scopes=[predict_scope(one) for one in projects[:150]]), module.credit_row()
    begun = time.perf_counter()
    with launch(config, house.keyring.lend_signer(*config.origins)) as running:
        ready = time.perf_counter() - begun
        empty = _pss(running.pid)
        first = _asked(running, projects[:150], token, row)
        full = _pss(running.pid)
        again = _asked(running, projects[:150], token, row)
        kept = _pss(running.pid)
        usual = _asked(running, projects[-1:] if models <= 150 else projects[149:150], token, row, times=200)
    house.close()
    opened = len(first)
    return {
        "models the process was told of": models,
        "models asked": opened,
        "start to ready, s": ready,
        "memory before the first was asked, MB": empty,
        "memory a model at hand adds, MB": (full - empty) / opened,
        "memory after two turns, MB": kept,
        "first answer of a model, median ms": statistics.median(first),
        "first answer of a model, 95 % below ms": statistics.quantiles(first, n=20)[-1],
        "second turn, median ms": statistics.median(again),
        "a model at hand, asked alone, median ms": statistics.median(usual),
    }


def _asked(running: Running, projects: list[str], token: str, row: dict[str, Any], times: int = 1) -> list[float]:
    """Milliseconds until each answered."""
    link = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    body = json.dumps({"row": row})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    found = []
    for project in projects * times:
        begun = time.perf_counter()
        link.request("POST", f"/v1/models/{project}/predict", body, headers)
        reply = link.getresponse()
        reply.read()
        if reply.status != 200:
            raise SystemExit(f"{project} was answered with {reply.status}.")
        found.append((time.perf_counter() - begun) * 1e3)
    link.close()
    return found


def _pss(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() if line.startswith("Pss:"))
    return int(line.split()[1]) / 1024


def _house() -> Any:
    place = Path(__file__).parents[1] / "tests" / "serving" / "house.py"
    spec = importlib.util.spec_from_file_location("serving_house", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["serving_house"] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
