"""The port to whatever computes the model's output."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sealwright.serving.contract import Batch

__all__ = ["Engine"]


class Engine(Protocol):
    """One loaded model. Safe to call from several threads."""

    def run(self, batch: Batch) -> NDArray[np.float32]:
        """The raw output, shape (rows, classes) or (rows, 1).

        Raises
        ------
        OperationFailed
            The model could not run on this batch.
        """
