"""ONNX Runtime, fed with bytes that were verified, never with a path.

One thread inside an operator and one between operators: a server scales by processes, and
threads that spin for work are the largest source of slow answers.
"""

import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from sealwright.kernel import OperationFailed, SealwrightError, VerificationFailed
from sealwright.serving.adapters.bounded import ModelRuns, free_run
from sealwright.serving.contract import Batch, Contract
from sealwright.serving.outcome import outcome_of
from sealwright.serving.problems import ModelFailed

__all__ = ["OnnxEngine", "OnnxSession"]

_FATAL_ONLY = 4
_LINK = "package/model.onnx"


class OnnxSession:
    """A graph that can be run, with one output of interest."""

    def __init__(self, model: bytes, output: str, runs: ModelRuns | None = None) -> None:
        """Load a graph.

        Parameters
        ----------
        runs : ModelRuns, optional
            What bounds its runs, and loading it; outside of a server nothing does.

        Raises
        ------
        VerificationFailed
            It cannot be loaded.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = _FATAL_ONLY
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.use_env_allocators", "1")  # the one with a cap, where there is one
        try:
            with contextlib.nullcontext() if runs is None else runs.loading(len(model)):
                self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except MemoryError:
            raise VerificationFailed("The model takes more memory to load than one may here.", link=_LINK) from None
        except Exception as error:  # noqa: BLE001 - the library raises many types, all meaning: not loadable
            raise VerificationFailed(
                f"ONNX Runtime cannot load the model: {type(error).__name__}.", link=_LINK
            ) from None
        self._outputs, self._run = [output], free_run if runs is None else runs.run

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """The output for these inputs, by name. Raises `OperationFailed` as `Engine.run`, and within bounds `ModelFailed`."""
        try:
            result: NDArray[np.float32] = self._run(self.session, self._outputs, feeds)[0]
        except SealwrightError:
            raise
        except Exception as error:  # noqa: BLE001 - see above; its text may hold row values, so it is dropped
            raise OperationFailed(f"The model could not run on this request ({type(error).__name__}).") from None
        return result


class OnnxEngine:
    """A session whose inputs and output are exactly those of the contract."""

    def __init__(self, model: bytes, contract: Contract, runs: ModelRuns | None = None) -> None:
        """Build the session and run it once on a row from the middle of the contract.

        Raises
        ------
        VerificationFailed
            The graph cannot be loaded, has other inputs or outputs than the contract, or fails on the trial row: also where it
            takes longer for it, or more memory, than a run may.
        """
        self._graph = OnnxSession(model, contract.output, runs)
        self._refuse_other_ports(contract)
        self._try_once(contract)

    def run(self, batch: Batch) -> NDArray[np.float32]:
        feeds: dict[str, NDArray[Any]] = {}
        if batch.numbers is not None:
            feeds["numbers"] = batch.numbers
        if batch.strings is not None:
            feeds["strings"] = batch.strings
        return self._graph.run(feeds)

    def _refuse_other_ports(self, contract: Contract) -> None:
        wanted = {}
        if contract.numbers:
            wanted["numbers"] = ("tensor(float)", len(contract.numbers))
        if contract.strings:
            wanted["strings"] = ("tensor(string)", len(contract.strings))
        session = self._graph.session
        found = {port.name: (port.type, port.shape) for port in session.get_inputs()}
        same = found.keys() == wanted.keys() and all(
            kind == wanted[name][0]
            and len(shape) == 2
            and shape[1] == wanted[name][1]
            and not isinstance(shape[0], int)
            for name, (kind, shape) in found.items()
        )
        outputs = {port.name: port.type for port in session.get_outputs()}
        if not same or outputs.get(contract.output) != "tensor(float)":
            raise VerificationFailed("The model's inputs and outputs are not those of its interface.", link=_LINK)

    def _try_once(self, contract: Contract) -> None:
        row = [_middle(feature.kind, feature.low, feature.high, feature.categories) for feature in contract.features]
        batch = contract.pack([row])
        try:
            outcome_of(contract, 1, self.run(batch)).of(0, 1)
        except (OperationFailed, ModelFailed) as error:
            raise VerificationFailed(f"The model fails on a row its own contract allows: {error}", link=_LINK) from None


def _middle(kind: str, low: float, high: float, categories: frozenset[str]) -> Any:
    """A value in the middle of what the contract allows."""
    if kind == "category":
        return min(categories, default=None)
    middle = low / 2 + high / 2
    return middle if kind == "number" else round(middle)
