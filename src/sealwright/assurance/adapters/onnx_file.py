"""An ONNX file somebody else made: its inputs are found by name or taken as one block, its outputs by their shape.

Answers: which input gets which column, and where are the probabilities?
Does not answer: may the file be served. Packages have one fixed interface, and `registry` admits files to it.
The file is opened from its bytes, so it can name no other file to read.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.certified.reading import Reading
from sealwright.assurance.features import Features
from sealwright.assurance.predictor import Inside, UnusablePredictions
from sealwright.assurance.spec import class_text
from sealwright.kernel import InvalidInput

__all__ = ["OnnxFile", "opened", "output_of", "read_answers"]

_BATCH = 4_096
_ERRORS_ONLY = 3
_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}


class OnnxFile:
    """Runs an ONNX file on the CPU, on one thread, so that the same rows give the same bits.

    Raises
    ------
    InvalidInput
        onnxruntime cannot open it, or its inputs are not the columns of the rows.
    """

    def __init__(
        self, model: bytes, numbers: Sequence[str], strings: Sequence[str], task: str, classes: Sequence[str]
    ) -> None:
        self._session = opened(model)
        self._numbers, self._strings = tuple(numbers), tuple(strings)
        self._task, self._classes, self._model = task, tuple(classes), model
        self._inputs = {one.name: _TYPES.get(one.type) for one in self._session.get_inputs()}
        self._flat = {one.name for one in self._session.get_inputs() if one.shape is not None and len(one.shape) == 1}
        self._output = output_of(self._session, task)
        self.inside = Inside(kind="onnx", model=model, given=self._fed)
        _refuse_other_columns(self._inputs, self._numbers, self._strings)

    def opened(self) -> Reading:
        """The model opened up; raises `Unreadable` where it is of no kind that is read."""
        from sealwright.assurance.adapters.onnx_reading import read_onnx  # onnx is slow to import; few checks need it

        return read_onnx(self._model, self._numbers, self._strings, self._task)

    def predict(self, features: Features) -> Floats:
        """Probabilities of shape (n, classes), or values of shape (n,)."""
        parts = [self._answer(part) for part in features.slices(_BATCH)]
        if not parts:
            return np.empty((0,) if self._task == "regression" else (0, len(self._classes)))
        return np.concatenate(parts)

    def _answer(self, features: Features) -> Floats:
        try:
            (raw,) = self._session.run([self._output], self._fed(features))
        except Exception as error:  # as above  # noqa: BLE001
            raise UnusablePredictions(f"The model failed on {len(features)} rows: {str(error)[:200]}") from None
        return read_answers(raw, len(features), self._task, self._classes)

    def _fed(self, features: Features) -> dict[str, NDArray[Any]]:
        """Columns by their names where each is an input, else all numbers as one block."""
        named = {**dict.fromkeys(self._numbers, "numbers"), **dict.fromkeys(self._strings, "strings")}
        if set(self._inputs) <= set(named):
            return {
                name: self._shaped(name, self._column(name, features, named[name]).astype(kind or np.float32))
                for name, kind in self._inputs.items()
            }
        fed: dict[str, NDArray[Any]] = {}
        for name, kind in self._inputs.items():
            block = features.strings if kind is np.object_ else features.numbers
            fed[name] = self._shaped(name, np.ascontiguousarray(block, dtype=kind or np.float32))
        return fed

    def _shaped(self, name: str, block: NDArray[Any]) -> NDArray[Any]:
        """A column as (n, 1), or as (n,) for an input that wants no more."""
        return block.reshape(-1) if name in self._flat else block.reshape(len(block), -1)

    def _column(self, name: str, features: Features, block: str) -> NDArray[Any]:
        if block == "strings":
            return features.strings[:, self._strings.index(name)]
        return features.numbers[:, self._numbers.index(name)]


def opened(model: bytes) -> ort.InferenceSession:
    """The file in onnxruntime, on one thread.

    Raises
    ------
    InvalidInput
        onnxruntime cannot open it.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = _ERRORS_ONLY
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own unrelated types  # noqa: BLE001
        raise InvalidInput(f"This ONNX file cannot be opened: {str(error)[:300]}") from None


def read_answers(raw: Any, n: int, task: str, classes: Sequence[str]) -> Floats:
    """What a graph answered for n rows, as probabilities (n, classes) or values (n,)."""
    if isinstance(raw, list):  # one mapping of class to probability a row, as converters write it by default
        return np.array([[_chance(row, one) for one in classes] for row in raw])
    found = np.asarray(raw, dtype=np.float64)
    if task == "regression":
        return found.reshape(n, -1)[:, 0]
    if task == "binary" and (found.ndim == 1 or found.shape[1:] == (1,)):
        found = np.column_stack([1 - found.reshape(-1), found.reshape(-1)])
    return found


def output_of(session: ort.InferenceSession, task: str) -> str:
    """The output with probabilities: one of mappings, or the last of floating numbers; of a regression the first."""
    outputs = session.get_outputs()
    floats = [one.name for one in outputs if one.type in {"tensor(float)", "tensor(double)"}]
    if task == "regression":
        found = floats[:1]
    else:
        found = [one.name for one in outputs if one.type.startswith("seq(map(")] or floats[-1:]
    if not found:
        raise InvalidInput(
            f"No output of this ONNX file holds {'values' if task == 'regression' else 'probabilities'}: it has "
            f"{', '.join(f'{one.name} ({one.type})' for one in outputs)}."
        )
    return str(found[0])


def _refuse_other_columns(inputs: dict[str, Any], numbers: Sequence[str], strings: Sequence[str]) -> None:
    unknown = [name for name, kind in inputs.items() if kind is None]
    columns = {*numbers, *strings}
    blocks = list(inputs.values())
    whole = len(inputs) <= 2 and blocks.count(np.object_) == bool(strings) and (
        len(blocks) - blocks.count(np.object_) == bool(numbers)
    )  # fmt: skip
    if unknown or not (set(inputs) <= columns or whole):
        raise InvalidInput(
            f"The inputs of this ONNX file are {', '.join(inputs)[:300]}; the rows have {', '.join(sorted(columns))[:300]}.\n"
            "Each column must be an input of its name, or there must be one input for all numbers (and one for all words)."
        )


def _chance(row: Any, wanted: str) -> float:
    for name, chance in row.items():
        if class_text(name) == wanted:
            return float(chance)
    return float("nan")
