"""The serving plan serves where it gives the graph's own bits, and nowhere else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from sealwright.registry import SetApart, Unreadable, set_apart
from sealwright.serving import Contract, contract_of
from sealwright.serving.adapters import planned
from sealwright.serving.adapters.onnx import OnnxEngine
from sealwright.serving.adapters.planned import PlannedEngine, agree, engine_of
from sealwright.serving.contract import Batch
from sealwright.serving.trial_rows import trial_rows

NUMBERS, STRINGS = 2, 3
INTERFACE = {
    "format": 1,
    "project": "plan",
    "task": "regression",
    "order": ["n0", "n1", "s0", "s1", "s2"],
    "numbers": [{"name": f"n{at}", "type": "number", "nullable": True, "min": -5, "max": 5} for at in range(NUMBERS)],
    "strings": [
        {"name": f"s{at}", "type": "category", "nullable": at == 0, "categories": [f"w{at}{n}" for n in range(4)]}
        for at in range(STRINGS)
    ],
}
WEIGHTS = np.arange(1, 12, dtype=np.float32)[:, None] / np.float32(7)


def one_hot(column: str, at: int, **more: Any) -> Any:
    words = [f"w{at}{n}" for n in range(4)]
    return helper.make_node("OneHotEncoder", [column], [f"hot{at}"], domain="ai.onnx.ml", **{"cats_strings": words, "zeros": 1} | more)  # fmt: skip


def graph(*, words: list[Any] | None = None, rows: int = -1) -> bytes:
    """numbers, two one-hot columns and one of codes, times weights. `words`: other nodes for the text columns; `rows`: how many there may be."""
    codes = {"keys_strings": ["w20", "w21", ""], "values_floats": [1.5, -0.25, 0.1], "default_float": -1.0}
    nodes = [
        helper.make_node("Split", ["strings"], ["t0", "t1", "t2"], axis=1, num_outputs=3),
        *(words or [one_hot("t0", 0), one_hot("t1", 1)]),
        helper.make_node("Reshape", ["hot0", "four"], ["flat0"]),
        helper.make_node("Reshape", ["hot1", "four"], ["flat1"]),
        helper.make_node("LabelEncoder", ["t2"], ["codes"], domain="ai.onnx.ml", **codes),
        helper.make_node("IsNaN", ["numbers"], ["gone"]),
        helper.make_node("Where", ["gone", "fill", "numbers"], ["filled"]),
        helper.make_node("Concat", ["filled", "flat0", "flat1", "codes"], ["matrix"], axis=1),
        helper.make_node("MatMul", ["matrix", "weights"], ["value"]),
    ]
    constants = {"four": np.array([rows, 4], dtype=np.int64), "fill": np.float32(0.3), "weights": WEIGHTS}
    made = helper.make_graph(
        nodes,
        "plan",
        [
            helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [None, NUMBERS]),
            helper.make_tensor_value_info("strings", TensorProto.STRING, [None, STRINGS]),
        ],
        [helper.make_tensor_value_info("value", TensorProto.FLOAT, [None, 1])],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    return bytes(helper.make_model(made, opset_imports=opsets, ir_version=8).SerializeToString())


@pytest.fixture
def plan_contract() -> Contract:
    return contract_of(INTERFACE)


def test_words_are_looked_up_outside_of_the_graph_and_nothing_else_is(plan_contract: Contract) -> None:
    apart = set_apart(graph(), NUMBERS, STRINGS)
    rest = onnx.load_model_from_string(apart.rest).graph
    assert [node.op_type for node in rest.node] == ["IsNaN", "Where", "Concat", "MatMul"]
    assert {one.name: one.type.tensor_type.elem_type for one in rest.input} == dict.fromkeys(
        apart.fed, TensorProto.FLOAT
    )
    assert {len(columns) for columns in apart.fed.values()} == {NUMBERS, 9}
    assert [one.name for one in rest.initializer] == ["fill", "weights"]
    assert isinstance(engine_of(graph(), plan_contract), PlannedEngine)


def test_unknown_and_missing_words_become_what_the_graph_makes_of_them(plan_contract: Contract) -> None:
    strings = np.array([["", "w10", ""], ["never heard", "w13", "never heard"]], dtype=object)
    rows = Batch(2, np.array([[np.nan, 1], [2, np.nan]], dtype=np.float32), strings)
    assert agree(OnnxEngine(graph(), plan_contract), engine_of(graph(), plan_contract), rows)


OTHERS: dict[str, Callable[[], bytes]] = {
    "words that the graph refuses": lambda: graph(words=[one_hot("t0", 0, zeros=0), one_hot("t1", 1)]),
    "a word that stands twice": lambda: graph(
        words=[one_hot("t0", 0, cats_strings=["w00", "w01", "w00", "w03"]), one_hot("t1", 1)]
    ),
    "words of one row alone": lambda: graph(rows=1),
    "words that are changed first": lambda: graph(
        words=[
            helper.make_node("Reshape", ["t0", "flat"], ["line"]),
            helper.make_node("StringNormalizer", ["line"], ["lower"], case_change_action="LOWER"),
            helper.make_node("Reshape", ["lower", "flat"], ["again"]),
            one_hot("again", 0),
            helper.make_node("Constant", [], ["flat"], value=onnx.numpy_helper.from_array(np.array([-1], dtype=np.int64))),
            one_hot("t1", 1),
        ]
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHERS)
def test_words_that_are_not_merely_looked_up_stay_in_the_graph(kind: str) -> None:
    with pytest.raises(Unreadable):
        set_apart(OTHERS[kind](), NUMBERS, STRINGS)


def test_a_graph_without_a_plan_serves_whole(plan_contract: Contract) -> None:
    told: list[str] = []
    engine = engine_of(OTHERS["a word that stands twice"](), plan_contract, tell=told.append)
    assert isinstance(engine, OnnxEngine)
    assert told == []


def _spoilt(apart: SetApart) -> SetApart:
    """One word of one dictionary is taken for another."""
    name, columns = next((name, columns) for name, columns in apart.fed.items() if columns[-1].kind == "string")
    wrong = replace(columns[-1], table=dict(columns[-1].table) | {"w21": 0.75})
    return replace(apart, fed=dict(apart.fed) | {name: (*columns[:-1], wrong)})


def test_a_wrong_dictionary_is_caught_at_load(plan_contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    apart = set_apart(graph(), NUMBERS, STRINGS)
    monkeypatch.setattr(planned, "set_apart", lambda *_: _spoilt(apart))
    told: list[str] = []
    engine = engine_of(graph(), plan_contract, tell=told.append)
    assert isinstance(engine, OnnxEngine)
    assert told == ["it gives other numbers than the whole graph"]


def test_every_word_of_a_contract_is_tried(plan_contract: Contract) -> None:
    rows = trial_rows(plan_contract)
    assert rows.strings is not None
    assert rows.numbers is not None
    for at, feature in enumerate(plan_contract.strings):
        assert set(rows.strings[:, at]) > feature.categories | {""}
    assert np.isnan(rows.numbers).any(axis=0).all()
    assert (np.nanmin(rows.numbers, axis=0) == -5).all()
    assert (np.nanmax(rows.numbers, axis=0) == 5).all()


def test_a_batch_shows_the_same_texts_as_lists_and_as_an_array(contract: Contract, row: dict[str, Any]) -> None:
    from datetime import date

    values = [date(2020, 2, 29) if f.kind == "date" else row[f.name] for f in contract.features]
    few, many = contract.pack([values] * 3), contract.pack([values] * 40)
    both = Batch.joined([few, many])
    assert both.rows == 43
    for batch in (few, many, both, Batch(both.rows, both.numbers, both.strings)):
        assert batch.strings is not None
        assert [list(column) for column in batch.texts] == batch.strings.T.tolist()
        assert batch.strings[0].tolist() == few.strings[-1].tolist()  # type: ignore[index]
