"""A torch module as a function of rows of numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import InvalidInput

__all__ = ["gives_probabilities", "torch_call"]


def torch_call(model: Any, task: str) -> Callable[[Any], NDArray[Any]]:
    """Ask a torch module for rows of numbers. Its outputs are logits, as torch's losses want them, unless its last layer
    says otherwise; the numbers themselves do not tell, and a guess could change from one batch to the next.
    """
    import torch  # the caller has it; an installation without it imports this module, too

    model.eval()
    kind = next((one.dtype for one in model.parameters()), torch.float32)
    chances = gives_probabilities(model)

    def call(rows: Any) -> NDArray[Any]:
        if not isinstance(rows, np.ndarray):
            raise InvalidInput("A torch module is given an array of numbers; turn words into numbers first.")
        with torch.no_grad():
            outputs = model(torch.as_tensor(rows, dtype=kind))
            if task != "regression" and not chances:
                one = outputs.ndim == 1 or outputs.shape[-1] == 1
                outputs = torch.sigmoid(outputs) if one else torch.softmax(outputs, dim=-1)
        found: NDArray[Any] = outputs.double().reshape(len(rows), -1).numpy()
        return found[:, 0] if found.shape[1] == 1 else found

    return call


def gives_probabilities(model: Any) -> bool:
    """Whether the last layer of a torch module makes probabilities, so that its outputs are no logits."""
    return type(list(model.modules())[-1]).__name__ in {"Sigmoid", "Softmax"}
