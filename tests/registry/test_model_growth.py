"""No model that is admitted grows without bound, in no branch and by no detour; sound ones are bounded and come in (T-40)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from sealwright.registry import graph
from sealwright.registry.admission import ModelRefused, check_structure


def codes(model: onnx.ModelProto, interface: Any) -> list[str]:
    """Codes of the reasons against a model; none if it may come in."""
    try:
        check_structure(model.SerializeToString(), interface)
    except ModelRefused as refused:
        return [reason.code for reason in refused.reasons]
    return []


def node(operator: str, given: Sequence[str], made: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, given, [made], **attributes)


def beside(build: Any, nodes: Sequence[onnx.NodeProto], **constants: Any) -> onnx.ModelProto:
    """The good model with more nodes beside it; whole numbers become int64."""
    stored = [
        build.tensor(value, name, np.float32 if np.asarray(value).dtype.kind == "f" else np.int64)
        for name, value in constants.items()
    ]
    return build.graph_of([*build.scoring_nodes(), *nodes], [*build.scoring_constants(), *stored])


def branch(build: Any, *nodes: onnx.NodeProto) -> onnx.GraphProto:
    return helper.make_graph(list(nodes), "branch", [], [build.value(nodes[-1].output[0], TensorProto.FLOAT, None)])


DETOURS = {
    "identity": [node("Identity", ["huge"], "s")],
    "cast and back": [
        node("Cast", ["huge"], "f", to=TensorProto.DOUBLE),
        node("Cast", ["f"], "s", to=TensorProto.INT64),
    ],
    "reshape": [node("Unsqueeze", ["huge", "zero"], "u"), node("Squeeze", ["u", "zero"], "s")],
    "product of constants": [node("Mul", ["root", "root"], "s")],
    "shape times a constant": [node("Shape", ["numbers"], "shape"), node("Mul", ["shape", "huge"], "s")],
    "minus a bound": [
        node("Shape", ["numbers"], "shape"),
        node("Sub", ["shape", "huge"], "less"),
        node("Sub", ["zero", "less"], "s"),
    ],
    "negative made unsigned": [
        node("Neg", ["one"], "minus"),
        node("Cast", ["minus"], "unsigned", to=TensorProto.UINT32),
        node("Cast", ["unsigned"], "s", to=TensorProto.INT64),
    ],
    "divided by a fraction": [
        node("Shape", ["numbers"], "shape"),
        node("Cast", ["shape"], "f", to=TensorProto.FLOAT),
        node("Div", ["f", "tiny"], "large"),
        node("Cast", ["large"], "s", to=TensorProto.INT64),
    ],
    "a sum lost in rounding": [
        node("Add", ["huge", "one"], "more"),
        node("Sub", ["more", "huge"], "left"),
        node("Mul", ["left", "huge"], "s"),
    ],
    "power": [node("Pow", ["root", "three"], "s")],
    "size of what is there, squared": [node("Size", ["numbers"], "many"), node("Mul", ["many", "many"], "s")],
}


@pytest.mark.parametrize("detour", DETOURS)
def test_a_size_that_comes_by_a_detour_is_refused_t40(detour: str, build: Any, interface: Any) -> None:
    model = beside(
        build,
        [*DETOURS[detour], node("ConstantOfShape", ["s"], "z")],
        huge=[2**40],
        root=[2**20],
        one=[1],
        zero=[0],
        three=[3],
        tiny=[1e-9],
    )
    assert codes(model, interface)[-1] in {"onnx.too_large_output", "onnx.size_unknown"}


def test_a_branch_for_one_magic_value_cannot_grow_t40(build: Any, interface: Any) -> None:
    """The trial run never takes it: one request with the value did, and took any amount of memory."""
    small = branch(build, node("ConstantOfShape", ["one"], "few"))
    grown = branch(
        build,
        node("Shape", ["numbers"], "shape"),
        node("Mul", ["shape", "by"], "sizes"),
        node("ConstantOfShape", ["sizes"], "many"),
    )
    nodes = [
        node("ReduceMax", ["filled"], "most", keepdims=0),
        node("Equal", ["most", "magic"], "asked"),
        node("If", ["asked"], "z", then_branch=grown, else_branch=small),
    ]
    constants = {"one": [1], "magic": np.float32(123.25), "by": [100, 1000]}
    assert codes(beside(build, nodes, **constants), interface) == ["onnx.size_unknown"]


def test_a_size_in_a_branch_is_a_constant_t40(build: Any, interface: Any) -> None:
    rows = branch(build, node("Shape", ["numbers"], "rows", end=1), node("ConstantOfShape", ["rows"], "z"))
    fixed = branch(build, node("ConstantOfShape", ["ten"], "z"))
    asked = [node("Cast", ["one"], "asked", to=TensorProto.BOOL)]
    for one, found in ((rows, ["onnx.size_unknown"]), (fixed, [])):
        nodes = [*asked, node("If", ["asked"], "c", then_branch=one, else_branch=fixed)]
        assert codes(beside(build, nodes, one=1, ten=[10]), interface) == found


GROWING = {
    "doubling": [node("Concat", [f"d{i}"] * 2, f"d{i + 1}", axis=0) for i in range(40)],
    "tiling": [node("Tile", [f"d{i}", "twice"], f"d{i + 1}") for i in range(40)],
    "outer product": [
        node("Tile", ["column", "wide"], "row"),
        node("Transpose", ["row"], "turned", perm=[1, 0]),
        node("MatMul", ["turned", "row"], "z"),
    ],
    "row against column": [
        node("Transpose", ["column"], "turned", perm=[1, 0]),
        node("Add", ["column", "turned"], "z"),
    ],
    "rows times rows": [node("Transpose", ["d0"], "turned", perm=[1, 0]), node("MatMul", ["d0", "turned"], "z")],
    "einsum": [node("Einsum", ["d0", "d0"], "z", equation="ab,cd->abcd")],
    "rows of rows": [node("Gather", ["d0", "places"], "g", axis=0), node("MatMul", ["column", "line"], "z")],
    "hot": [node("OneHot", ["places", "deep", "off"], "z")],
    "many that are each admitted": [node("ConstantOfShape", ["most"], f"m{i}") for i in range(9)],
    "operator without a bound": [node("Col2Im", ["d0", "wide", "wide"], "z")],
    "hidden in a reshape of no rows": [
        node("Shape", ["numbers"], "rows", end=1),
        node("Concat", ["one", "rows"], "shape", axis=0),
        node("Reshape", ["long", "shape"], "lying"),
        node("Transpose", ["lying"], "turned", perm=[1, 0]),
        node("Add", ["lying", "turned"], "z"),
    ],
}


@pytest.mark.parametrize("kind", GROWING)
def test_growth_that_no_constant_shows_is_refused_t40(kind: str, build: Any, interface: Any) -> None:
    begun = [node("Identity", ["scores"], "d0"), node("ReduceSum", ["scores", "one"], "column", keepdims=1)]
    model = beside(
        build,
        [*begun, *GROWING[kind]],
        twice=[1, 2],
        one=[1],
        wide=[1, 2**15],
        deep=[2**40],
        off=[0, 1],
        places=[0] * 10,
        most=[2**24],
        line=np.zeros((1, 2**20 + 1)),
        long=np.zeros((1, 2**16)),
    )
    assert set(codes(model, interface)) in ({"onnx.too_large_output"}, {"onnx.size_unknown"})


def scanned(build: Any, *, growing: bool) -> onnx.ModelProto:
    value = build.value
    body = helper.make_graph(
        [
            node("Concat", ["state", "state"], "next", axis=0) if growing else node("Identity", ["state"], "next"),
            node("Sub", ["state", "row"], "apart"),
            node("ReduceSumSquare", ["apart"], "far", axes=[1], keepdims=0),
        ],
        "body",
        [value("state", TensorProto.FLOAT, None), value("row", TensorProto.FLOAT, None)],
        [value("next", TensorProto.FLOAT, None), value("far", TensorProto.FLOAT, None)],
    )
    scan = helper.make_node("Scan", ["filled", "known"], ["end", "distances"], body=body, num_scan_inputs=1)
    return beside(build, [scan], known=np.zeros((50, 2)))


def test_distances_to_stored_rows_are_admitted_and_a_growing_state_is_not_t40(build: Any, interface: Any) -> None:
    assert codes(scanned(build, growing=False), interface) == []
    assert codes(scanned(build, growing=True), interface) == ["onnx.size_unknown"]


def test_a_graph_whose_inputs_nobody_bounds_is_refused_t40(build: Any, interface: Any) -> None:
    """A branch with an input of its own; and a scan that names no part to go through."""
    inner = branch(build, node("Identity", ["own"], "b"))
    inner.input.append(build.value("own", TensorProto.FLOAT, None))
    choose = [node("Cast", ["one"], "asked", to=TensorProto.BOOL)]
    choose.append(node("If", ["asked"], "c", then_branch=inner, else_branch=inner))
    assert codes(beside(build, choose, one=1), interface) == ["onnx.size_unknown"]
    blind = scanned(build, growing=False)
    blind.graph.node[-1].attribute[1].i = 5
    assert codes(blind, interface) == ["onnx.size_unknown"]


def test_an_attribute_that_is_there_twice_hides_nothing_t40(build: Any, interface: Any) -> None:
    turned = node("Transpose", ["all"], "z", perm=[1, 0])
    turned.attribute.append(helper.make_attribute("perm", [0, 1]))
    assert codes(beside(build, [turned]), interface) == ["onnx.graph"]


SOUND = {
    "as many zeros as rows": [
        node("Shape", ["numbers"], "rows", end=1),
        node("Concat", ["rows", "four"], "shape", axis=0),
        node("ConstantOfShape", ["shape"], "z0"),
        node("Add", ["z0", "all"], "z"),
    ],
    "a batch that torch expands": [
        node("Shape", ["all"], "shape"),
        node("Gather", ["shape", "zero"], "rows"),
        node("Concat", ["rows", "less"], "wanted", axis=0),
        node("ConstantOfShape", ["two"], "ones", value=helper.make_tensor("v", TensorProto.INT64, [1], [1])),
        node("Mul", ["ones", "less"], "minus"),
        node("Equal", ["wanted", "minus"], "kept"),
        node("Where", ["kept", "ones", "wanted"], "sizes"),
        node("Expand", ["line", "sizes"], "z"),
    ],
    "attention over columns": [
        node("Unsqueeze", ["all", "last"], "tokens"),
        node("Transpose", ["tokens"], "turned", perm=[0, 2, 1]),
        node("MatMul", ["tokens", "turned"], "pairs"),
        node("Softmax", ["pairs"], "weights_", axis=-1),
        node("MatMul", ["weights_", "tokens"], "mixed"),
        node("Shape", ["all"], "shape"),
        node("Reshape", ["mixed", "shape"], "flat_"),
        node("LayerNormalization", ["flat_", "line"], "z"),
    ],
    "copies for smoothing": [
        node("Concat", ["all"] * 8, "copied", axis=0),
        node("Reshape", ["copied", "by_copy"], "apart"),
        node("ReduceMean", ["apart", "zero"], "z", keepdims=0),
    ],
    "a picture": [
        node("Unsqueeze", ["all", "last"], "p0"),
        node("Unsqueeze", ["p0", "last"], "p1"),
        node("Pad", ["p1", "pads"], "p2"),
        node("Conv", ["p2", "kernel"], "p3"),
        node("MaxPool", ["p3"], "p4", kernel_shape=[2, 2]),
        node("GlobalAveragePool", ["p4"], "p5"),
        node("Flatten", ["p5"], "z"),
    ],
    "order, best and last": [
        helper.make_node("TopK", ["all", "two"], ["best", "places"], axis=1),
        node("ArgMax", ["best"], "first", axis=1),
        node("Slice", ["all", "one", "end", "one"], "rest"),
        node("GatherElements", ["all", "places"], "picked", axis=1),
        node("Concat", ["picked", "rest"], "z", axis=1),
    ],
}  # fmt: skip
CONSTANTS: dict[str, Any] = {
    "four": [4],
    "zero": [0],
    "one": [1],
    "two": [2],
    "end": [2**62],
    "less": [-1],
    "last": [-1],
    "line": np.ones(4),
    "by_copy": [8, -1, 4],
    "pads": [0, 0, 1, 1, 0, 0, 1, 1],
    "kernel": np.ones((3, 4, 2, 2)),
}


@pytest.mark.parametrize("rows", [0, 1, 2, 7])
@pytest.mark.parametrize("kind", SOUND)
def test_what_networks_do_is_admitted_and_no_larger_than_its_bound(
    kind: str, rows: int, build: Any, interface: Any
) -> None:
    model = beside(build, SOUND[kind], **CONSTANTS)
    assert codes(model, interface) == []
    bounded = graph._Graph(model.graph, "graph", frozenset({"", "ai.onnx.ml"}))
    assert (
        list(bounded.reasons([graph._given(one, graph.ROWS if rows else graph.Size(0)) for one in model.graph.input]))
        == []
    )
    made = [name for one in model.graph.node for name in one.output]
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in made)
    feed = {"numbers": np.ones((rows, 2), np.float32), "strings": np.full((rows, 1), "bonn", dtype=object)}
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for name, found in zip(made, session.run(made, feed), strict=True):
        bound = bounded._value(name)
        assert bound is not None, name
        assert found.size <= bound.total.times * rows**bound.total.power, name
        if bound.dims is not None:
            most = [one.times * rows**one.power for one in bound.dims]
            assert len(most) == found.ndim, name
            assert all(size <= limit for size, limit in zip(found.shape, most, strict=True)), name
            exact = [size for size, one in zip(found.shape, bound.dims, strict=True) if one.exact]
            assert exact == [one.times * rows**one.power for one in bound.dims if one.exact], name


@pytest.mark.filterwarnings("ignore")  # the exporter's own
def test_an_attention_network_as_torch_exports_it_is_admitted(build: Any) -> None:
    """Its shapes are computed from shapes, with remainders, -1 for the rest, and rows times heads."""
    nn = pytest.importorskip("torch.nn")
    import io

    import torch

    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
    parts = [nn.Unflatten(1, (4, 1)), nn.Linear(1, 16), nn.TransformerEncoder(layer, 2), nn.Flatten(), nn.Linear(64, 2)]
    network = nn.Sequential(*parts, nn.Softmax(-1)).eval()
    file = io.BytesIO()
    names = {"input_names": ["numbers"], "output_names": ["probabilities"]}
    axes = {"numbers": {0: "N"}, "probabilities": {0: "N"}}
    torch.onnx.export(network, (torch.randn(3, 4),), file, dynamo=False, opset_version=17, dynamic_axes=axes, **names)
    interface = build.interface_of([build.number(name) for name in "abcd"])
    assert codes(onnx.load_from_string(file.getvalue()), interface) == []
