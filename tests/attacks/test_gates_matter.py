"""Gates that were taken out are missed by their tests (tools/show_gates_matter.py tries them all; here, three)."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
QUICK = ("YAML has no aliases", "a delivery is signed", "names do not collide")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("show_gates_matter", ROOT / "tools" / "show_gates_matter.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_gate_is_where_the_list_says_and_can_be_taken_out(tool: ModuleType) -> None:
    names = [gate["name"] for gate in tool.gates()]
    assert len(set(names)) == len(names) >= 15
    for gate in tool.gates():
        tool.without(gate, (ROOT / "src" / "sealwright" / gate["file"]).read_text())
        file, _, name = gate["test"].partition("::")
        assert f"def {name}(" in (ROOT / file).read_text() if name else (ROOT / file).is_file(), gate["test"]


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_without_its_gate_a_test_goes_red(tool: ModuleType, name: str) -> None:
    (gate,) = (gate for gate in tool.gates() if gate["name"] == name)
    assert tool.outcome(gate) == "red"


@pytest.mark.slow
def test_a_change_that_takes_nothing_out_stays_green(tool: ModuleType) -> None:
    (gate,) = (gate for gate in tool.gates() if gate["name"] == QUICK[0])
    assert tool.outcome(gate | {"without": gate["text"]}) == "green"
