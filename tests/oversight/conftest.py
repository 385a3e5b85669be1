"""Real evidence for the auditor's verifier, made once, and a bench with both verifiers."""

import importlib.util
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _beside(name: str, folder: Path = Path(__file__).parent) -> ModuleType:
    """A module of a test folder, under its own name, for itself and for the tests to import."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


auditor_house: Any = _beside("auditor_house")
auditor_bench: Any = _beside("auditor_bench")
whole_way: Any = _beside("whole_way", Path(__file__).parents[1])

sealed, told, home = whole_way.sealed, whole_way.told, whole_way.home


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("audit")
    house = auditor_house.AuditorHouse(folder / "home")
    candidate = house.candidate(frozen=0.7)  # promised more than the gate will ask for: people must allow that
    blocked = house.evidence.record(house.judge(candidate), house.statements).envelope
    package = house.seal(house.let_through(candidate))
    house.clock.advance(timedelta(hours=1))
    number = house.release(package)
    other = house.seal(house.let_through(house.candidate(weight=0.25)))
    promised, receipt = house.decide(package.digest)
    bundle = house.bundle(number, folder / "bundle.json").read_bytes()
    trust = folder / "trust.json"
    trust.write_bytes(house.trust_root.to_bytes())
    yield auditor_bench.Evidence(
        house=house,
        trust=trust,
        trust_root=house.trust_root,
        package=auditor_bench.files_in(package.folder),
        ledger=auditor_bench.ledger_in(house.home / "ledger"),
        decisions=auditor_bench.ledger_in(house.home / "serving" / "credit" / "live" / "ledger"),
        bundle=bundle,
        promised=promised,
        receipt=receipt,
        blocked_gate=blocked,
        other=auditor_bench.files_in(other.folder),
    )
    house.close()


@pytest.fixture(scope="session")
def auditor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    made = auditor_bench.Auditor(tmp_path_factory.mktemp("empty"))
    yield made
    made.close()


@pytest.fixture
def bench(evidence: Any, auditor: Any, tmp_path: Path) -> Any:
    return auditor_bench.Bench(evidence, auditor, tmp_path)
