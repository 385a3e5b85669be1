"""Model files that are programs or broken (T-37, T-38, T-41, T-42), given to the command that judges anybody's model."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from sealwright.registry import ModelRefused, check_structure

WEIGHTS = np.arange(4, dtype=np.float32).tobytes()


class Payload:
    """Writes a canary where it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.canary, "ran")


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return buffer.getvalue()


def _pickled(what: Payload) -> Iterator[tuple[str, bytes]]:
    """The same payload in every wrapper that a library of models opens (T-37, T-38, T-42)."""
    raw = pickle.dumps(what, 4)
    yield "model.pkl", raw
    yield "model.onnx", raw
    yield "model.onnx.pkl", pickle.dumps(what, 0)
    buffer = io.BytesIO()
    joblib.dump(what, buffer)
    yield "model.joblib", buffer.getvalue()
    buffer = io.BytesIO()
    joblib.dump(what, buffer, compress=3)
    yield "compressed.skops", buffer.getvalue()
    buffer = io.BytesIO()
    np.save(buffer, np.array([what], dtype=object), allow_pickle=True)
    yield "model.npy", buffer.getvalue()
    yield "model.npz", zipped(a__npy=buffer.getvalue())
    yield "model.pt", zipped(data__pkl=raw, version=b"3")
    yield (
        "untrusted.skops",
        zipped(
            schema__json=json.dumps({"__class__": "system", "__module__": "posix", "__loader__": "ObjectNode"}).encode()
        ),
    )


def _keras_and_saved_models() -> Iterator[tuple[str, bytes]]:
    code = {"class_name": "Lambda", "config": {"function": ["4wEAAAAAAAAA", None, None], "function_type": "lambda"}}
    module = {"class_name": "function", "config": "system", "module": "os", "registered_name": "function"}
    for name, config in (
        ("lambda", code),
        ("module", module),
        ("tfsm", {"class_name": "TFSMLayer", "config": {"filepath": "/x"}}),
    ):
        yield f"{name}.keras", zipped(config__json=json.dumps(config).encode(), metadata__json=b"{}")
    yield "model.h5", b"\x89HDF\r\n\x1a\n" + bytes(2000)
    yield "saved_model.pb", b"\x08\x01\x12\xa1\x02\n\x9e\x02\x12\x06\n\x08ReadFile\x12\x09\n\x09WriteFile" + bytes(200)
    yield "model.tflite", b"\x1c\x00\x00\x00TFL3" + bytes(100)


def _safetensors() -> Iterator[tuple[str, bytes]]:
    """Broken in eight ways, and once quite right: weights alone are no model either."""
    one = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}

    def made(header: bytes, data: bytes = WEIGHTS, length: int | None = None) -> bytes:
        return struct.pack("<Q", len(header) if length is None else length) + header + data

    good = json.dumps({"w": one}).encode()
    yield "sound.safetensors", made(good)
    yield "length.safetensors", made(good, length=2**63)
    yield "cut.safetensors", made(good, WEIGHTS[:5])
    yield "twice.safetensors", made(b'{"w":' + json.dumps(one).encode() + b',"w":' + json.dumps(one).encode() + b"}")
    yield "overlap.safetensors", made(json.dumps({"a": one, "b": one}).encode())
    yield "hole.safetensors", made(json.dumps({"a": one | {"data_offsets": [16, 32]}}).encode(), bytes(32))
    yield "negative.safetensors", made(json.dumps({"a": one | {"data_offsets": [-16, 0]}}).encode())
    yield "huge.safetensors", made(json.dumps({"a": one | {"shape": [2**40]}}).encode())
    yield "nan.safetensors", made(good, np.full(4, np.nan, np.float32).tobytes())


def every_file(canary: Path) -> dict[str, bytes]:
    return dict([*_pickled(Payload(canary)), *_keras_and_saved_models(), *_safetensors()])


def test_the_payload_would_run(tmp_path: Path) -> None:
    pickle.loads(every_file(tmp_path / "canary")["model.pkl"])
    assert (tmp_path / "canary").read_text() == "ran"


def test_no_file_but_onnx_passes_for_a_model_t37_t38_t41_t42(tmp_path: Path, interface: Any) -> None:
    for name, data in every_file(tmp_path / "canary").items():
        with pytest.raises(ModelRefused) as refused:
            check_structure(data, interface)
        assert refused.value.reasons[0].code in {"model.format", "onnx.not_protobuf", "onnx.unknown_field"}, name
    assert not (tmp_path / "canary").exists()


def test_the_command_that_judges_any_model_runs_none_of_them_t37_t38_t41_t42(empty_home: Any, tmp_path: Path) -> None:
    home, canary = empty_home, tmp_path / "canary"
    (home.root / "rows.csv").write_text("a,b\n" + "1,yes\n2,no\n" * 40)
    for name, data in every_file(canary).items():
        (home.root / name).write_bytes(data)
        done = home.inside(
            "assess", "--model", name, "--data", "rows.csv", "--target", "b", "--positive", "yes", expect=None
        )
        assert done.code in {2, 4}, (name, done)
    assert not canary.exists()
