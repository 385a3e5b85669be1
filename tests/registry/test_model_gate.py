"""The gate for model files: code, disguises, bombs and lies stay out; sound models come in."""

import bz2
import contextlib
import gzip
import io
import lzma
import pickle
import resource
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from sealwright.registry.admission import AdmissionLimits, ModelRefused, check_structure
from sealwright.registry.wire import WireLimits, WireProblem, walk_model


def refused(data: bytes, interface: dict[str, Any]) -> list[str]:
    """Codes of the reasons against `data`."""
    with pytest.raises(ModelRefused) as caught:
        check_structure(data, interface)
    assert caught.value.to_json()["reasons"]
    return [reason.code for reason in caught.value.reasons]


def test_a_sound_model_comes_in_and_the_report_says_what_was_checked(model: bytes, interface: Any) -> None:
    report = check_structure(model, interface)
    assert report.nodes == 7
    assert report.initialisers == 3
    assert "ai.onnx.ml.Imputer" in report.operators
    assert report.not_checked == ("the model was not run",)


# ---- disguises (T-37, T-38, T-42) -------------------------------------------------------------------------------


class _Payload:
    """Unpickling this would create a file: the canary."""

    def __init__(self, canary: Path) -> None:
        self._canary = canary

    def __reduce__(self) -> Any:
        return (open, (str(self._canary), "w"))


def _zip_of(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return buffer.getvalue()


def _disguises(canary: Path) -> Iterator[tuple[str, bytes]]:
    payload = _Payload(canary)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield f"pickle {protocol}", pickle.dumps(payload, protocol)
    hostile = pickle.dumps(payload, 4)
    yield "pickle with a broken tail", hostile[:-1] + b"\xff\xff"
    yield "pickle behind an ONNX start", b"\x08\x09" + hostile
    yield "joblib gzip", gzip.compress(hostile)
    for level in (1, 6, 9):
        yield f"joblib zlib {level}", zlib.compress(hostile, level)
    yield "joblib lzma", lzma.compress(hostile, lzma.FORMAT_ALONE)
    yield "joblib xz", lzma.compress(hostile)
    yield "joblib bz2", bz2.compress(hostile)
    yield "torch zip", _zip_of(data__pkl=hostile, version=b"3")
    yield "keras zip", _zip_of(config__json=b"{}", metadata__json=b"{}")
    yield "skops zip", _zip_of(schema__json=b"{}")
    yield "empty zip", _zip_of()
    yield "keras h5", b"\x89HDF\r\n\x1a\n" + bytes(2000)
    buffer = io.BytesIO()
    np.save(buffer, np.array([payload], dtype=object), allow_pickle=True)
    yield "object npy", buffer.getvalue()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("data.pkl"), io.BytesIO(b""))
    yield "legacy torch tar", buffer.getvalue()
    yield "safetensors", (2).to_bytes(8, "little") + b"{}"
    yield "gguf", b"GGUF" + bytes(100)
    yield "script", b"#!/bin/sh\ntrue\n"
    yield "program", b"\x7fELF" + bytes(100)
    yield "ort format", b"\x08\x00\x00\x00ORTM" + bytes(100)
    yield "nothing", b""
    yield "text", b"hello\n"


def test_pickles_archives_and_other_formats_in_disguise_stay_out_t37_t38_t41_t42(
    tmp_path: Path, interface: Any
) -> None:
    canary = tmp_path / "canary"
    for what, data in _disguises(canary):
        assert refused(data, interface)[0] in {"model.format", "onnx.unknown_field", "onnx.not_protobuf"}, what
    assert not canary.exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_zip_of(), "ZIP"),
        (pickle.dumps({}), "pickle"),
        (gzip.compress(b"", mtime=0), "gzip"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
    ],
)
def test_a_refusal_says_what_the_file_really_is(data: bytes, words: str, interface: Any) -> None:
    with pytest.raises(ModelRefused, match=words):
        check_structure(data, interface)


@pytest.mark.parametrize("tail", [b"PK\x03\x04rest of an archive", b"\x00", b"\x80\x04.", b"\xfa\x3e\x01x"])
def test_nothing_hides_behind_a_model_t48(tail: bytes, model: bytes, interface: Any) -> None:
    assert refused(model + tail, interface)[0] in {"onnx.unknown_field", "onnx.not_protobuf"}


def test_a_second_graph_in_the_same_file_is_refused(model: bytes, interface: Any) -> None:
    again = onnx.ModelProto(graph=onnx.ModelProto.FromString(model).graph).SerializeToString()
    assert refused(model + again, interface) == ["onnx.repeated_field"]


def test_every_truncation_is_refused(model: bytes, interface: Any) -> None:
    for length in range(len(model)):
        with pytest.raises(ModelRefused):
            check_structure(model[:length], interface)


# ---- data outside the file (T-39) -------------------------------------------------------------------------------


@pytest.mark.parametrize("location", ["../../etc/passwd", "/etc/passwd", "weights.bin", "*/_ORT_MEM_ADDR_/*"])
def test_weights_in_another_file_are_refused_t39(location: str, build: Any, interface: Any) -> None:
    constants = build.scoring_constants()
    constants[2].ClearField("raw_data")
    constants[2].data_location = TensorProto.EXTERNAL
    constants[2].external_data.add(key="location", value=location)
    model = build.graph_of(build.scoring_nodes(), constants)
    assert "onnx.external_data" in refused(model.SerializeToString(), interface)


def test_external_data_without_the_flag_and_inside_attributes_is_refused_t39(build: Any, interface: Any) -> None:
    constants = build.scoring_constants()
    constants[2].external_data.add(key="location", value="weights.bin")
    hidden = build.tensor([1.0, 2.0], "t")
    hidden.data_location = TensorProto.EXTERNAL
    node = helper.make_node("Constant", [], ["unused"], value=hidden)
    model = build.graph_of([node, *build.scoring_nodes()], constants)
    assert refused(model.SerializeToString(), interface).count("onnx.external_data") == 2


# ---- code, own operators, functions (T-40) ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operator", "domain"), [("PyOp", "ai.onnx.contrib"), ("Attention", "com.microsoft"), ("X", "x")]
)
def test_operators_of_other_domains_are_refused_t40(operator: str, domain: str, build: Any, interface: Any) -> None:
    model = build.graph_of([*build.scoring_nodes(), helper.make_node(operator, ["all"], ["z"], domain=domain)])
    model.opset_import.append(helper.make_opsetid(domain, 1))
    assert refused(model.SerializeToString(), interface).count("onnx.domain") == 2


@pytest.mark.parametrize("operator", ["PythonOp", "Loop", "RandomNormal", "Multinomial", "ImageDecoder", "system"])
def test_unknown_endless_and_random_operators_are_refused_t40(operator: str, build: Any, interface: Any) -> None:
    model = build.graph_of(
        [*build.scoring_nodes(), helper.make_node(operator, ["all"], ["z"])], build.scoring_constants()
    )
    assert refused(model.SerializeToString(), interface) == ["onnx.operator"]


def test_an_operator_hidden_in_a_branch_is_refused_t40(build: Any, interface: Any) -> None:
    branch = helper.make_graph(
        [helper.make_node("Evil", ["all"], ["b"], domain="evil")], "then", [], [build.value("b", 1, None)]
    )
    node = helper.make_node("If", ["condition"], ["z"], then_branch=branch, else_branch=branch)
    constants = [*build.scoring_constants(), build.tensor(True, "condition", np.bool_)]
    model = build.graph_of([*build.scoring_nodes(), node], constants)
    assert refused(model.SerializeToString(), interface) == ["onnx.domain", "onnx.domain"]


def test_functions_and_training_instructions_are_refused_t40(build: Any, interface: Any) -> None:
    model = build.graph_of(build.scoring_nodes(), build.scoring_constants())
    again = helper.make_node("again", ["x"], ["y"], domain="own")
    model.functions.append(helper.make_function("own", "again", ["x"], ["y"], [again], [helper.make_opsetid("own", 1)]))
    model.training_info.add()
    entry = model.metadata_props.add()
    entry.key, entry.value = "ort_config", "{}"
    codes = refused(model.SerializeToString(), interface)
    assert codes == ["onnx.function", "onnx.training_info", "onnx.runtime_settings"]


def test_graphs_nested_too_deep_are_refused_t40(build: Any, interface: Any) -> None:
    branch = helper.make_graph(
        [helper.make_node("Identity", ["all"], ["b"])], "deepest", [], [build.value("b", 1, None)]
    )
    for _ in range(12):
        node = helper.make_node("If", ["condition"], ["b"], then_branch=branch)
        branch = helper.make_graph([node], "deeper", [], [build.value("b", 1, None)])
    model = build.graph_of([*build.scoring_nodes(), *branch.node], build.scoring_constants())
    assert refused(model.SerializeToString(), interface) == ["onnx.too_deep"]


# ---- bombs (T-40) -----------------------------------------------------------------------------------------------


def _sized(build: Any, operator: str, shape: list[float], kind: type = np.int64) -> onnx.ModelProto:
    first = [] if operator in ("ConstantOfShape", "Range") else ["all"]
    sizes = [build.tensor(value, f"s{place}", kind) for place, value in enumerate(shape)] if operator == "Range" else []
    constant = sizes or [build.tensor(shape, "s0", kind)]
    node = helper.make_node(operator, [*first, *(item.name for item in constant)], ["z"])
    return build.graph_of([*build.scoring_nodes(), node], [*build.scoring_constants(), *constant])


@pytest.mark.parametrize(
    ("operator", "shape"),
    [
        ("ConstantOfShape", [2**36]),
        ("ConstantOfShape", [2**20, 2**20]),
        ("Expand", [2**18, 2**18]),
        ("Tile", [2**20, 2**10]),
        ("Range", [0, 2**40, 1]),
        ("Range", [0, 1, 0]),
        ("Pad", [0, 0, 2**30, 0]),
        ("ConstantOfShape", [-(2**40)]),
    ],
)
def test_a_small_file_cannot_ask_for_huge_outputs_t40(
    operator: str, shape: list[float], build: Any, interface: Any
) -> None:
    assert refused(_sized(build, operator, shape).SerializeToString(), interface) == ["onnx.too_large_output"]


def test_the_93_byte_file_that_asks_for_256_gib_is_refused_t40(interface: Any) -> None:
    shape = helper.make_tensor("s", TensorProto.INT64, [1], [2**36])
    graph = helper.make_graph(
        [helper.make_node("ConstantOfShape", ["s"], ["o"])],
        "g",
        [],
        [helper.make_tensor_value_info("o", TensorProto.FLOAT, None)],
        [shape],
    )
    data = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()
    assert len(data) < 120
    assert "onnx.too_large_output" in refused(data, interface)


def test_a_size_hidden_in_a_constant_node_or_an_outer_graph_is_found_t40(build: Any, interface: Any) -> None:
    node = helper.make_node("Constant", [], ["s0"], value_ints=[2**36])
    grow = helper.make_node("ConstantOfShape", ["s0"], ["z"])
    model = build.graph_of([node, *build.scoring_nodes(), grow], build.scoring_constants())
    assert refused(model.SerializeToString(), interface) == ["onnx.too_large_output"]
    inner = helper.make_graph([grow], "then", [], [build.value("z", 1, None)])
    choose = helper.make_node("If", ["condition"], ["c"], then_branch=inner, else_branch=inner)
    constants = [*build.scoring_constants(), build.tensor(True, "condition", np.bool_)]
    model = build.graph_of([node, *build.scoring_nodes(), choose], constants)
    assert refused(model.SerializeToString(), interface) == ["onnx.too_large_output", "onnx.too_large_output"]


def test_a_size_taken_from_a_value_in_the_request_is_refused_t40(build: Any, interface: Any) -> None:
    nodes = [
        *build.scoring_nodes(),
        helper.make_node("Cast", ["numbers"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["whole", "flat1"], ["sizes"]),
        helper.make_node("ConstantOfShape", ["sizes"], ["z"]),
    ]
    model = build.graph_of(nodes, [*build.scoring_constants(), build.tensor([-1], "flat1", np.int64)])
    assert refused(model.SerializeToString(), interface) == ["onnx.size_from_values"]


def test_a_size_that_follows_from_the_number_of_rows_is_admitted(build: Any, interface: Any) -> None:
    nodes = [
        *build.scoring_nodes(),
        helper.make_node("Shape", ["numbers"], ["rows"], end=1),
        helper.make_node("ConstantOfShape", ["rows"], ["z"]),
    ]
    check_structure(build.graph_of(nodes, build.scoring_constants()).SerializeToString(), interface)


def test_a_million_nodes_are_refused_within_two_seconds_and_512_mib_t40(tmp_path: Path) -> None:
    path = tmp_path / "many.onnx"
    node = helper.make_node("Identity", ["a"], ["a"]).SerializeToString()
    body = (b"\x0a" + bytes([len(node)]) + node) * 1_000_000
    path.write_bytes(b"\x08\x09\x3a" + _varint(len(body)) + body)
    code = (
        "import sys, time; from pathlib import Path\n"
        "from sealwright.registry.admission import check_structure, ModelRefused\n"
        "import onnx\n"
        "data = Path(sys.argv[1]).read_bytes(); start = time.perf_counter()\n"
        "i = {'format':1,'project':'p','task':'regression','target':'y','order':['x'],'outputs':{'value':1},\n"
        "     'numbers':[{'name':'x','type':'number','nullable':True}]}\n"
        "try: check_structure(data, i)\n"
        "except ModelRefused as error: print(error.reasons[0].code, time.perf_counter() - start)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20)),
    )
    found, seconds = answer.stdout.split()
    assert found == "onnx.too_many_nodes"
    assert float(seconds) < 2


@pytest.mark.parametrize(
    "part",
    [
        b"\x2a\x00",  # empty initialisers
        b"\x0a\x02\x2a\x00",  # nodes with an empty attribute
        b"\x5a\x00",  # inputs
        b"\x82\x01\x00",  # metadata
    ],
    ids=["initialisers", "attributes", "inputs", "metadata"],
)
def test_millions_of_tiny_parts_are_refused_in_time_t40(part: bytes, interface: Any) -> None:
    body = part * 1_000_000
    start = time.perf_counter()
    assert refused(b"\x08\x09\x3a" + _varint(len(body)) + body, interface)[0] in {
        "onnx.too_large",
        "onnx.too_many_nodes",
    }
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("limits", [WireLimits(values=500), WireLimits(messages=30), WireLimits(nodes=6)], ids=str)
def test_values_messages_and_nodes_are_each_counted_t40(limits: WireLimits, build: Any) -> None:
    node = helper.make_node("Identity", ["numbers"], ["same"], words=["LEAF"] * 300 + ["a word"] * 300)
    data = build.graph_of([node, *build.scoring_nodes()], build.scoring_constants()).SerializeToString()
    assert walk_model(data).nodes == 8
    with pytest.raises(WireProblem, match="more than"):
        walk_model(data, limits)


def test_a_file_over_the_limit_is_refused_before_it_is_read(model: bytes, interface: Any) -> None:
    with pytest.raises(ModelRefused, match="at most 100 are admitted"):
        check_structure(model, interface, AdmissionLimits(file_bytes=100))


# ---- weights (T-40) ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("how", ["raw", "typed", "double", "half", "bfloat16"])
def test_nan_and_infinite_weights_are_refused_t40(bad: float, how: str, build: Any, interface: Any) -> None:
    values = [1.0, bad, 2.0]
    if how == "typed":
        constant = helper.make_tensor("w", TensorProto.FLOAT, [3], values)
    elif how == "bfloat16":
        constant = helper.make_tensor("w", TensorProto.BFLOAT16, [3], values)
    else:
        constant = build.tensor(values, "w", {"raw": np.float32, "double": np.float64, "half": np.float16}[how])
    model = build.graph_of(build.scoring_nodes(), [*build.scoring_constants(), constant])
    assert refused(model.SerializeToString(), interface) == ["onnx.not_finite"]


@pytest.mark.parametrize(
    ("operator", "attribute", "values", "admitted"),
    [
        ("TreeEnsembleRegressor", "target_weights", [1.0, float("nan")], False),
        ("TreeEnsembleRegressor", "target_weights", [1.0, float("inf")], False),
        ("TreeEnsembleRegressor", "nodes_values", [1.0, float("inf")], True),
        ("TreeEnsembleRegressor", "nodes_values", [1.0, float("nan")], False),
        ("LinearRegressor", "coefficients", [float("nan")], False),
        ("Imputer", "imputed_value_floats", [float("nan"), 1.0], False),
        ("Imputer", "replaced_value_float", float("nan"), True),
        ("Imputer", "replaced_value_float", float("inf"), False),
        ("Elu", "alpha", float("nan"), False),
    ],
)
def test_attributes_are_finite_except_markers_of_what_is_missing(
    operator: str, attribute: str, values: Any, admitted: bool, build: Any, interface: Any
) -> None:
    domain = "" if operator == "Elu" else "ai.onnx.ml"
    node = helper.make_node(operator, ["filled"], ["z"], domain=domain, **{attribute: values})
    data = build.graph_of([*build.scoring_nodes(), node], build.scoring_constants()).SerializeToString()
    if admitted:
        check_structure(data, interface)
    else:
        assert refused(data, interface) == ["onnx.not_finite"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t.dims.append(2**40),
        lambda t: t.dims.__setitem__(0, -1),
        lambda t: setattr(t, "raw_data", t.raw_data[:-1]),
        lambda t: setattr(t, "raw_data", b""),
        lambda t: t.float_data.append(1.0),
        lambda t: t.int64_data.append(1),
        lambda t: setattr(t, "data_type", TensorProto.DOUBLE),
    ],
)
def test_a_constant_that_lies_about_its_size_is_refused(
    spoil: Callable[[Any], None], build: Any, interface: Any
) -> None:
    constants = build.scoring_constants()
    spoil(constants[2])
    model = build.graph_of(build.scoring_nodes(), constants)
    assert refused(model.SerializeToString(), interface) == ["onnx.tensor_shape"]


def test_sparse_and_exotic_constants_are_refused(build: Any, interface: Any) -> None:
    model = build.graph_of(build.scoring_nodes(), build.scoring_constants())
    model.graph.sparse_initializer.add().dims.append(2**40)
    model.graph.initializer.add(name="odd", data_type=TensorProto.COMPLEX128, dims=[0])
    assert sorted(refused(model.SerializeToString(), interface)) == ["onnx.sparse", "onnx.tensor_type"]


# ---- inputs and outputs (T-40) ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "shape"),
    [
        ("numbers", TensorProto.FLOAT, [None, 3]),
        ("numbers", TensorProto.DOUBLE, [None, 2]),
        ("numbers", TensorProto.STRING, [None, 2]),
        ("numbers", TensorProto.FLOAT, [1, 2]),
        ("numbers", TensorProto.FLOAT, [None]),
        ("numbers", TensorProto.FLOAT, None),
        ("figures", TensorProto.FLOAT, [None, 2]),
    ],
)
def test_inputs_other_than_the_interface_says_are_refused_t40(
    name: str, kind: int, shape: Any, build: Any, interface: Any
) -> None:
    inputs = [build.value(name, kind, shape), build.value("strings", TensorProto.STRING, [None, 1])]
    model = build.graph_of(build.scoring_nodes(), build.scoring_constants(), inputs=inputs)
    assert "onnx.io" in refused(model.SerializeToString(), interface)


@pytest.mark.parametrize(
    ("name", "kind", "shape"),
    [
        ("probabilities", TensorProto.FLOAT, [None, 3]),
        ("probabilities", TensorProto.DOUBLE, [None, 2]),
        ("label", TensorProto.FLOAT, [None, 2]),
    ],
)
def test_outputs_other_than_the_interface_says_are_refused_t40(
    name: str, kind: int, shape: Any, build: Any, interface: Any
) -> None:
    model = build.graph_of(build.scoring_nodes(), build.scoring_constants(), outputs=[build.value(name, kind, shape)])
    assert "onnx.io" in refused(model.SerializeToString(), interface)


def test_a_second_output_an_input_with_a_default_and_a_loose_name_are_refused_t40(build: Any, interface: Any) -> None:
    model = build.graph_of(build.scoring_nodes(), build.scoring_constants())
    model.graph.output.append(build.value("scores", TensorProto.FLOAT, [None, 2]))
    assert refused(model.SerializeToString(), interface) == ["onnx.io"]
    constants = [*build.scoring_constants(), build.tensor([[0.0, 0.0]], "numbers")]
    model = build.graph_of(build.scoring_nodes(), constants)
    assert refused(model.SerializeToString(), interface) == ["onnx.io"]
    model = build.graph_of([*build.scoring_nodes()[1:]], build.scoring_constants())
    assert refused(model.SerializeToString(), interface) == ["onnx.graph"]


def test_every_reason_is_given_at_once(build: Any, interface: Any) -> None:
    constants = [*build.scoring_constants(), build.tensor([1, np.nan], "w")]
    nodes = [*build.scoring_nodes(), helper.make_node("Loop", ["all"], ["z"])]
    model = build.graph_of(nodes, constants, outputs=[build.value("label", TensorProto.FLOAT, [None, 2])])
    codes = refused(model.SerializeToString(), interface)
    assert {"onnx.not_finite", "onnx.operator", "onnx.graph", "onnx.io"} <= set(codes)


# ---- laws -------------------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_walked_or_refused_and_nothing_else_happens(data: bytes) -> None:
    try:
        walk_model(data)
    except WireProblem:
        return
    onnx.ModelProto.FromString(data)  # what the walk lets through, the parser can read


@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_changed_byte_gives_a_report_or_a_refusal_never_another_error(
    place: int, byte: int, model: bytes, interface: Any
) -> None:
    changed = bytearray(model)
    changed[place % len(model)] = byte
    with contextlib.suppress(ModelRefused):
        check_structure(bytes(changed), interface)


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])
