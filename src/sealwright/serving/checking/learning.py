"""What a version learns about rows and answers at training, beside the model.

Answers: which rows are usual, how right were stated probabilities, how far off were answers, on rows kept apart?
Does not answer: what is done with that. The project says so when the package is put together (`making`).
The server never calls this.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import SealwrightError, canonical_json, digest_of
from sealwright.serving.answer_spec import COVERAGES
from sealwright.serving.checking.accepting import accepted_of
from sealwright.serving.checking.calibrating import calibration_of
from sealwright.serving.checking.conformal import conformal_of
from sealwright.serving.checking.document import Accepted, Calibration, Conformal, Learned
from sealwright.serving.checking.unusual import usual_of
from sealwright.serving.contract import Batch, Contract, contract_of
from sealwright.serving.outcome import Outcome, outcome_of

__all__ = ["answers_learned"]

_MOST_ROWS = 200_000


def answers_learned(
    model: bytes,
    interface: Mapping[str, Any],
    train: tuple[NDArray[np.floating], NDArray[np.object_]],
    apart: tuple[NDArray[np.floating], NDArray[np.object_]],
    truth: NDArray[Any],
) -> tuple[bytes | None, str]:
    """What is kept of a model that was let in; or None, and why.

    Parameters
    ----------
    train, apart : (numbers, strings)
        Rows learned from, and rows that were not, in the order of the interface.
    truth : array, shape (rows apart,)
        Class positions, or true values.
    """
    from sealwright.serving.adapters.onnx import OnnxEngine  # not needed by those who only put the file together

    try:
        contract = contract_of(interface)
        tests = _batch(contract, *apart)
        told = outcome_of(contract, tests.rows, OnnxEngine(model, contract).run(tests)).of(0, tests.rows)
    except SealwrightError as error:
        return None, f"it could not be asked about its rows ({error.code})"
    calibration, conformal, accepted = _judged(contract, told, truth[: tests.rows])
    learned = Learned(
        format=1,
        model=digest_of(model),
        usual=usual_of(contract, _batch(contract, *train)),
        calibration=calibration,
        conformal=conformal,
        accepted=accepted,
    )
    return canonical_json(msgspec.to_builtins(learned)), ""


def _batch(contract: Contract, numbers: NDArray[np.floating], strings: NDArray[np.object_]) -> Batch:
    rows = min(len(numbers), _MOST_ROWS)
    return Batch(
        rows,
        numbers[:rows].astype(np.float32) if contract.numbers else None,
        strings[:rows] if contract.strings else None,
    )


def _judged(
    contract: Contract, told: Outcome, truth: NDArray[Any]
) -> tuple[Calibration | None, Conformal, tuple[Accepted, ...]]:
    if contract.output == "value":
        return None, conformal_of(np.abs(np.asarray(told.values) - truth.astype(np.float64)), COVERAGES), ()
    stated, classes = np.asarray(told.probabilities), truth.astype(np.int64)
    own = stated[np.arange(len(classes)), classes]
    place = {name: at for at, name in enumerate(contract.classes)}
    labels = np.array([place[label] for label in told.labels], dtype=np.int64)
    confidence = stated[np.arange(len(classes)), labels]
    return (
        calibration_of(stated, classes),
        conformal_of(1 - own, COVERAGES),
        accepted_of(confidence, labels != classes, len(contract.classes)),
    )
