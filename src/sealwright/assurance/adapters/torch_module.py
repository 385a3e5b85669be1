"""A torch module as a function of rows of numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.features import Features
from sealwright.kernel import InvalidInput

__all__ = ["TorchSlopes", "gives_probabilities", "torch_call"]


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


class TorchSlopes:
    """Logits and gradients of a torch module with one output per class, or one for the second of two."""

    def __init__(self, model: Any, classes: int, positive: int, threshold: float) -> None:
        self._model, self._classes = model, classes
        self._shift = np.zeros(classes)
        if classes == 2:
            self._shift[positive] = np.log(threshold / (1 - threshold))
        self._probabilities = gives_probabilities(model)

    def logits(self, features: Features) -> Floats:
        """Shape (n, classes)."""
        import torch

        with torch.no_grad():
            logits: Floats = self._forward(self._given(features)).double().numpy()
        return logits - self._shift

    def jacobian(self, features: Features) -> Floats:
        """Gradients by the numbers, shape (n, classes, numbers)."""
        import torch

        rows = self._given(features).requires_grad_()
        logits = self._forward(rows)
        each = [torch.autograd.grad(logits[:, k].sum(), rows, retain_graph=True)[0] for k in range(self._classes)]
        found: Floats = torch.stack(each, dim=1).double().numpy()
        return found

    def _given(self, features: Features) -> Any:
        import torch

        kind = next((one.dtype for one in self._model.parameters()), torch.float32)
        return torch.as_tensor(features.numbers, dtype=kind)

    def _forward(self, rows: Any) -> Any:
        """Logits of every class; where the module gives probabilities, their logarithms."""
        import torch

        outputs = self._model(rows).reshape(len(rows), -1)
        if self._probabilities:
            tiny = torch.finfo(outputs.dtype).tiny
            if outputs.shape[1] == 1:
                outputs = torch.cat([1 - outputs, outputs], dim=1)
            return torch.log(outputs.clamp_min(tiny))
        if outputs.shape[1] == 1:
            return torch.cat([torch.zeros_like(outputs), outputs], dim=1)
        return outputs


def gives_probabilities(model: Any) -> bool:
    """Whether the last layer of a torch module makes probabilities, so that its outputs are no logits."""
    return type(list(model.modules())[-1]).__name__ in {"Sigmoid", "Softmax"}
