"""An ONNX model as a predictor: one thread, fixed batches, so the same rows give the same bits."""

from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.certified.reading import Reading
from sealwright.assurance.features import Features
from sealwright.assurance.interface import Interface
from sealwright.assurance.predictor import Inside, UnusablePredictions
from sealwright.kernel import InvalidInput

__all__ = ["OnnxPredictor"]

_BATCH = 4_096  # rows per call: bounds memory, and fixes the arithmetic whatever the table's size
_ERRORS_ONLY = 3


class OnnxPredictor:
    """Runs verified ONNX bytes with onnxruntime on the CPU.

    Raises
    ------
    InvalidInput
        The bytes are no model onnxruntime can open, or its inputs and outputs are not those of the interface.
    """

    def __init__(self, model: bytes, interface: Interface) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.use_deterministic_compute = True
        options.log_severity_level = _ERRORS_ONLY
        try:
            self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises its own unrelated types  # noqa: BLE001
            raise InvalidInput(f"This ONNX model cannot be opened: {str(error)[:300]}") from None
        self._model, self._interface = model, interface
        self.inside = Inside(kind="onnx", model=model, given=_given)
        self._output = "value" if interface.task == "regression" else "probabilities"
        self._none = (0,) if interface.task == "regression" else (0, len(interface.classes))
        _refuse_other_inputs(self._session, interface, self._output)

    def opened(self) -> Reading:
        """The model opened up; raises `Unreadable` where it is of no kind that is read."""
        from sealwright.assurance.adapters.onnx_reading import read_onnx  # onnx is slow to import; few checks need it

        numbers, strings = (
            [item.name for item in items] for items in (self._interface.numbers, self._interface.strings)
        )
        return read_onnx(self._model, numbers, strings, self._interface.task)

    def predict(self, features: Features) -> Floats:
        """Probabilities of shape (n, classes), or values of shape (n,).

        Raises
        ------
        UnusablePredictions
            The graph failed on these rows.
        """
        parts = []
        for part in features.slices(_BATCH):
            try:
                (output,) = self._session.run([self._output], _given(part))
            except Exception as error:  # as above  # noqa: BLE001
                raise UnusablePredictions(f"The model failed on {len(part)} rows: {str(error)[:200]}") from None
            parts.append(np.asarray(output, dtype=np.float64))
        if not parts:
            return np.empty(self._none)
        whole = np.concatenate(parts)
        return whole[:, 0] if self._output == "value" and whole.ndim == 2 and whole.shape[1] == 1 else whole


def _given(features: Features) -> dict[str, NDArray[Any]]:
    """Rows by the names of the inputs; a block without columns is absent."""
    inputs: dict[str, NDArray[Any]] = {}
    if features.numbers.shape[1]:
        inputs["numbers"] = np.ascontiguousarray(features.numbers, dtype=np.float32)
    if features.strings.shape[1]:
        inputs["strings"] = features.strings
    return inputs


def _refuse_other_inputs(session: ort.InferenceSession, interface: Interface, output: str) -> None:
    wanted = {}
    if interface.numbers:
        wanted["numbers"] = ("tensor(float)", len(interface.numbers))
    if interface.strings:
        wanted["strings"] = ("tensor(string)", len(interface.strings))
    found = {item.name: (item.type, item.shape[-1] if item.shape else None) for item in session.get_inputs()}
    if found != wanted:
        raise InvalidInput(f"The model takes {found}; its interface says {wanted}. They must be the same.")
    outputs = [item.name for item in session.get_outputs()]
    if output not in outputs:
        raise InvalidInput(f"A {interface.task} model must have an output named {output!r}; this one has {outputs}.")
