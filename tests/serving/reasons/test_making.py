"""The document is counted from many rows, says whom it compares with, and is not made where it would be wrong."""

from typing import Any

import msgspec
import numpy as np
import pytest

from sealwright.kernel import InvalidInput, canonical_json, digest_of
from sealwright.serving import Explainer, ServingSpec, contract_of, counted_rows
from sealwright.serving.reasons.learning import FEWEST

from .conftest import NAMES, SENTENCES


def test_leaves_are_counted_for_all_rows_and_for_those_decided_as_each_class(made: Any) -> None:
    one = made("boosting")
    counted = msgspec.json.decode(one.counted)
    everyone, good, bad = (counted["populations"][name] for name in ("", "good", "bad"))
    assert (np.add(good["counts"], bad["counts"]) == everyone["counts"]).all()
    said = one.engine.run(one.batch(*range(500)))
    assert good["rows"] == int((said[:, 1] > said[:, 0]).sum())
    assert sum(everyone["counts"]) == 12 * 500  # each row falls into one leaf of each tree
    assert counted["model"] == digest_of(one.model)


def test_a_document_made_twice_is_the_same_bytes_in_one_spelling(made: Any) -> None:
    one = made("forest")
    again, why = counted_rows(one.model, one.interface, one.numbers, one.strings)
    assert (again, why) == (one.counted, "")
    data = one.document()
    assert data == one.document()
    assert canonical_json(msgspec.json.decode(data)) == data


def test_no_value_of_single_rows_is_at_the_ends(made: Any) -> None:
    """Attack: the smallest and the largest value of a column are one person's."""
    one = made("boosting")
    counted = msgspec.json.decode(one.counted)
    debt = one.numbers[:, 2]
    told = counted["seen"]["debt"]["numbers"]
    assert float(debt.min()) < min(told)
    assert max(told) < float(debt.max())


def test_few_rows_are_not_counted(made: Any) -> None:
    one = made("logistic")
    counted, why = counted_rows(one.model, one.interface, one.numbers[: FEWEST - 1], one.strings[: FEWEST - 1])
    assert counted is None
    assert "at least 30" in why


def test_reasons_of_refusal_need_enough_approved_rows_to_compare_with(made: Any) -> None:
    one = made("logistic")
    lines = [*one.refused(100)]
    counted, _ = counted_rows(one.model, one.interface, one.numbers[lines], one.strings[lines])
    assert counted is not None
    from dataclasses import replace

    few = replace(one, counted=counted)
    with pytest.raises(InvalidInput, match="fewer than 30"):
        few.document()
    assert msgspec.json.decode(few.document(reasons={}))["reference"] == {"decided": "", "rows": 100}


def test_a_model_that_cannot_be_opened_up_says_why(made: Any) -> None:
    import onnx
    from onnx import helper

    one = made("logistic")
    model = onnx.load_model_from_string(one.model)
    core = next(at for at, node in enumerate(model.graph.node) if node.op_type == "Gemm")
    before = model.graph.node[core].input[0]
    model.graph.node.insert(core, helper.make_node("Sin", [before], ["bent"], "bend"))
    model.graph.node[core + 1].input[0] = "bent"
    data = model.SerializeToString()
    counted, why = counted_rows(data, one.interface, one.numbers, one.strings)
    assert counted is None
    assert "Sin" in why


def test_a_model_that_reads_as_something_else_than_it_answers_is_not_counted(made: Any) -> None:
    """Attack: scores turned upside down behind the part that is read would make every reason speak for its opposite."""
    import onnx
    from onnx import helper

    one = made("logistic")
    model = onnx.load_model_from_string(one.model)
    last = model.graph.node[-1]
    assert last.op_type == "Softmax"
    half = onnx.numpy_helper.from_array(np.array([1], dtype=np.float32), "whole")
    model.graph.initializer.append(half)
    told = last.output[0]
    last.output[0] = "upside"
    model.graph.node.append(helper.make_node("Sub", ["whole", "upside"], [told], "turn"))
    counted, why = counted_rows(model.SerializeToString(), one.interface, one.numbers, one.strings)
    assert counted is None
    assert why == "what was read from it does not give its answers"


def test_a_code_has_one_sentence_and_a_sentence_one_line() -> None:
    with pytest.raises(ValueError, match="another sentence"):
        ServingSpec(
            reasons={"a": {"code": "R1", "text": "Too little income."}, "b": {"code": "R1", "text": "Too much debt."}}
        )
    with pytest.raises(ValueError, match="one line"):
        ServingSpec(reasons={"a": {"code": "R1", "text": "Too little\nincome."}})


def test_a_project_without_reasons_keeps_the_digest_it_always_had() -> None:
    assert not {"reasons", "proxies"} & set(ServingSpec().model_dump(mode="json"))


def test_names_and_values_survive_the_way_through_the_file(made: Any) -> None:
    one = made("boosting")
    document = msgspec.json.decode(one.document())
    assert set(document["notice"]["sentences"]) == set(SENTENCES) == set(NAMES)
    assert document["notice"]["adverse"] == "bad"
    assert document["moves"]["enquiries"]["whole"] is True
    assert (document["moves"]["age"]["least"], document["moves"]["age"]["most"]) == (18, 90)
    assert "least" not in document["moves"]["debt"]  # no range in the contract
    assert Explainer.of(one.document(), one.model, contract_of(one.interface)) is not None
