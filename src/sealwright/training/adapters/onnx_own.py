"""The user's estimator, or the user's ONNX, in the one form every package has: fixed names, nothing besides the graph."""

import warnings
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType

from sealwright.training.adapters.onnx_encoding import inputs_of
from sealwright.training.adapters.onnx_export import IR_VERSION, OPSETS
from sealwright.training.errors import RecipeFailed

__all__ = ["converted", "tidied"]

_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")


def converted(estimator: Any, task: str, classes: int, numbers: int, strings: int) -> bytes:
    """A fitted scikit-learn estimator as ONNX.

    Raises
    ------
    RecipeFailed
        skl2onnx does not know a part of it.
    """
    types: list[tuple[str, Any]] = []
    if numbers:
        types.append(("numbers", FloatTensorType([None, numbers])))
    if strings:
        types.append(("strings", StringTensorType([None, strings])))
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    options = {id(last): {"zipmap": False}} if task != "regression" else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # skl2onnx hands truth values to protobuf where it wants integers
            model = convert_sklearn(estimator, initial_types=types, target_opset=OPSETS, options=options)
    except Exception as error:  # noqa: BLE001 (skl2onnx raises whatever it meets; all of it means the same to the user)
        raise RecipeFailed(
            "The estimator works, but cannot be written as ONNX:"
            f" {type(error).__name__}: {' '.join(str(error).split())[:400]}\n"
            "Use transformers and models that skl2onnx supports, or return ONNX bytes."
        ) from None
    graph = model.graph
    if task != "regression":
        _align_classes(graph, estimator, classes)
    else:
        _rename(graph, graph.output[0].name, "value")
    return _tidy(model, task, classes, numbers, strings)


def tidied(data: bytes, task: str, classes: int, numbers: int, strings: int) -> bytes:
    """ONNX from the user, without names, notes and metadata that could tell where it came from.

    Raises
    ------
    RecipeFailed
        Not ONNX, or not with the inputs and the output of this project.
    """
    try:
        model = onnx.load_model_from_string(data)
        onnx.checker.check_model(model, full_check=True)
    except (DecodeError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError) as error:
        raise RecipeFailed(
            f"The recipe returned bytes that are not a sound ONNX model: {' '.join(str(error).split())[:300]}"
        ) from None
    return _tidy(model, task, classes, numbers, strings)


def _align_classes(graph: Any, estimator: Any, classes: int) -> None:
    """Probabilities of the classes the estimator knows, put in their places among all classes."""
    present = [int(place) for place in estimator.classes_]
    found = graph.output[-1].name
    if present == list(range(classes)):
        _rename(graph, found, "probabilities")
        return
    _rename(graph, found, "known_classes")
    spread = np.zeros((len(present), classes), dtype=np.float32)
    spread[np.arange(len(present)), present] = 1.0
    graph.initializer.append(numpy_helper.from_array(spread, name="sealwright_spread"))
    graph.node.append(
        helper.make_node("MatMul", ["known_classes", "sealwright_spread"], ["probabilities"], name="all_classes")
    )


def _rename(graph: Any, old: str, new: str) -> None:
    for node in graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == old:
                    names[place] = new


def _tidy(model: Any, task: str, classes: int, numbers: int, strings: int) -> bytes:
    graph = model.graph
    wanted, width = ("value", 1) if task == "regression" else ("probabilities", classes)
    made = {name for node in graph.node for name in node.output}
    inputs = inputs_of(numbers, strings)
    given = {item.name for item in graph.input} - {item.name for item in graph.initializer}
    unknown = given - {item.name for item in inputs}
    if wanted not in made or unknown:
        raise RecipeFailed(
            f"The ONNX model must take {' and '.join(item.name for item in inputs)} and give {wanted};"
            f" it takes {', '.join(sorted(given))[:200] or 'nothing'} and gives {', '.join(sorted(o.name for o in graph.output))[:200]}."
        )
    foreign = sorted({entry.domain for entry in model.opset_import} - set(_DOMAINS))
    if foreign or len(model.functions):
        raise RecipeFailed(
            f"The ONNX model uses operators outside the standard: {', '.join(foreign) or 'own functions'}."
        )
    output = helper.make_tensor_value_info(wanted, TensorProto.FLOAT, ["N", width])
    clean = helper.make_graph(list(graph.node), "sealwright", inputs, [output], list(graph.initializer))
    versions: dict[str, int] = {}
    for entry in model.opset_import:
        domain = "" if entry.domain == "ai.onnx" else entry.domain
        versions[domain] = max(entry.version, versions.get(domain, 0))
    result = helper.make_model(
        clean,
        producer_name="sealwright",
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in sorted(versions.items())],
        ir_version=max(IR_VERSION, model.ir_version) if versions.get("", 0) > OPSETS[""] else IR_VERSION,
    )
    for inner in _graphs(result.graph):
        _forget(inner)
    return bytes(result.SerializeToString(deterministic=True))


def _graphs(graph: Any) -> list[Any]:
    """A graph and every graph inside its nodes."""
    inner = [a.g for node in graph.node for a in node.attribute if a.HasField("g")]
    inner += [g for node in graph.node for a in node.attribute for g in a.graphs]
    return [graph, *(found for one in inner for found in _graphs(one))]


def _forget(graph: Any) -> None:
    """Drop notes and metadata from a graph, its nodes and its constants."""
    graph.doc_string = ""
    del graph.metadata_props[:]
    for item in (*graph.node, *graph.initializer, *graph.input, *graph.output):
        item.doc_string = ""
        del item.metadata_props[:]
    for node in graph.node:
        for attribute in node.attribute:
            attribute.doc_string = ""
