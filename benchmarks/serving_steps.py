"""Where the microseconds of one prediction go: processor time of each step of the path, in process, one row and sixteen.

Run: PYTHONPATH=src python benchmarks/serving_steps.py [--json]
Measured by time.process_time, best of seven loops; sockets, TLS and the disk are not in it. `benchmarks/serving` has those.
"""

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

ROOT = Path(__file__).parents[1]
LOOPS = 7
SIXTEEN = 16


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--json", action="store_true")
    found = measured()
    if asked.parse_args().json:
        print(json.dumps(found, indent=1))
        return
    for name, micros in found.items():
        print(f"{micros:8.2f} µs  {name}")


def measured() -> dict[str, float]:
    """Step -> microseconds of processor time per call."""
    from sealwright.serving import contract_of
    from sealwright.serving.adapters.onnx import OnnxEngine
    from sealwright.serving.adapters.planned import engine_of
    from sealwright.serving.answering import Answering
    from sealwright.serving.checking.unusual import Oddity, usual_of
    from sealwright.serving.options import NO_OPTIONS

    house = _module("serving_house", ROOT / "tests/serving/house.py")
    made = _module("checking_rows", ROOT / "tests/serving/checking/conftest.py")
    interface = house.credit_interface()
    contract = contract_of(interface)
    model = house.credit_model(interface)
    engine, whole = engine_of(model, contract), OnnxEngine(model, contract)
    row, scopes = house.credit_row(), frozenset({f"predict:{house.PROJECT}"})
    usual = usual_of(contract, made.made_rows(2000, 1))
    if usual is None:
        raise SystemExit("2,000 rows are enough to say what is usual")
    oddity = Oddity(contract, usual)
    plain = {rows: _steps(contract, engine, row, rows) for rows in (1, SIXTEEN)}
    found: dict[str, float] = {}
    for rows, (steps, batch, outcome) in plain.items():
        at = f", {rows} row{'s' if rows > 1 else ''}"
        found |= {name + at: _cost(step) for name, step in steps.items()}
        found["model, its whole graph" + at] = _cost(_runs(whole, batch))
        found["how unusual, the distance alone" + at] = _cost(partial(oddity.shares, batch))
        for name, answering in _answerings(contract, interface, made, Answering).items():
            found[f"around the model, {name}{at}"] = _cost(_around(answering, batch, outcome, scopes, NO_OPTIONS))
    return found


def _steps(contract: Any, engine: Any, row: Any, rows: int) -> tuple[dict[str, Callable[[], object]], Any, Any]:
    """The steps of a usual prediction, and what they lead to."""
    from sealwright.serving.outcome import outcome_of
    from sealwright.serving.protocol_named import NamedProtocol

    body = msgspec.json.encode({"row": row} if rows == 1 else {"rows": [row] * rows})
    protocol = NamedProtocol(contract, most_rows=1000)
    request = protocol.read(body)
    batch = contract.pack(request.rows)
    raw = engine.run(batch)
    outcome = outcome_of(contract, rows, raw)
    told = {"project": contract.project, "number": 1, "package": "sha256:" + "0" * 64}
    steps: dict[str, Callable[[], object]] = {
        "read": lambda: protocol.read(body),
        "pack": lambda: contract.pack(request.rows),
        "model": _runs(engine, batch),
        "outcome": lambda: outcome_of(contract, rows, raw),
        "answer": lambda: protocol.answer(request, outcome, decision="dec_x", model=told),
    }
    return steps, batch, outcome


def _runs(engine: Any, batch: Any) -> Callable[[], object]:
    """A run of a batch that nobody ran before: what one keeps of its texts is made each time."""
    return lambda: engine.run(type(batch)(batch.rows, batch.numbers, None, texts=batch.texts))


def _around(answering: Any, batch: Any, outcome: Any, scopes: frozenset[str], options: Any) -> Callable[[], object]:
    def step() -> object:
        _, found = answering.checked(batch)
        return answering.told(scopes, options, answering.judged(found, outcome).of(0, batch.rows), ())

    return step


def _answerings(contract: Any, interface: Any, made: Any, answering: Any) -> dict[str, Any]:
    from sealwright.serving.checking.document import AnsweringDocument, Conformal, Output
    from sealwright.serving.checking.rules import rules_of
    from sealwright.serving.checking.unusual import usual_of

    usual = usual_of(contract, made.made_rows(2000, 1))
    plain: dict[str, Any] = {
        "format": 1, "model": "", "mode": "refuse", "output": Output(), "below": {}, "threshold": None,
        "ambiguous": False, "above_ood": None, "tell_ood": False, "coverage": 0.9, "calibrate": None, "usual": usual,
        "calibration": None, "conformal": Conformal(rows=500, limits={"0.9": 0.6}),
    }  # fmt: skip
    rule = {"name": "adult", "then": [{"column": "age", "sign": ">=", "value": 18}]}
    settings: dict[str, dict[str, Any]] = {
        "nothing asked for": {},
        "two digits": {"output": Output(digits=2)},
        "clip": {"mode": "clip"},
        "least probability": {"below": {"good": 0.6, "bad": 0.6}},
        "how unusual": {"tell_ood": True},
    }
    return {
        **{name: answering(contract, AnsweringDocument(**plain | more)) for name, more in settings.items()},
        "one rule": answering(contract, None, rules_of(interface | {"rules": [rule]}, contract)),
    }


def _cost(step: Callable[[], object]) -> float:
    step()
    begun = time.perf_counter()
    step()
    once = max(time.perf_counter() - begun, 1e-7)
    times = max(20, int(0.02 / once))
    best = np.inf
    for _ in range(LOOPS):
        begun = time.process_time()
        for _ in range(times):
            step()
        best = min(best, (time.process_time() - begun) / times)
    return round(float(best) * 1e6, 2)


def _module(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
