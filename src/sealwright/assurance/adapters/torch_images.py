"""What a torch module of images says about its pixels: gradients, for attacks and attributions.

The module is given floats from 0 to 1 of shape (n, c, h, w). Its outputs are logits unless its last layer says otherwise,
as for tables.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.adapters.torch_module import gives_probabilities
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.images.pictures import Pixels

__all__ = ["TorchGradients"]

_TINY = 1e-30


class TorchGradients:
    """Gradients along pixels, asked in batches of the caller."""

    def __init__(self, model: Any, task: str) -> None:
        self._model, self._task, self._chances = model, task, gives_probabilities(model)

    def of_loss(self, pixels: Pixels, truth: NDArray[np.int64]) -> Pixels:
        """Gradient of each image's cross-entropy along its pixels, shape of `pixels`."""
        import torch  # the caller has it, or there would be no module

        leaf, scores = self._scores(pixels)
        places = torch.as_tensor(truth)[:, None]
        if scores.shape[1] == 1:  # one logit, of the second class
            scores = torch.cat([torch.zeros_like(scores), scores], dim=1)
        loss = (torch.logsumexp(scores, dim=1) - scores.gather(1, places)[:, 0]).sum()
        return self._gradient(loss, leaf, pixels)

    def of_score(self, pixels: Pixels, chosen: NDArray[np.int64]) -> tuple[Floats, Pixels]:
        """Score of each image's chosen class, or value, shape (n,), and its gradient along the pixels.

        With one logit the first class has the score of the second with the sign turned.
        """
        import torch

        leaf, scores = self._scores(pixels)
        if scores.shape[1] == 1:
            sign = torch.as_tensor(
                np.ones(len(chosen)) if self._task == "regression" else np.where(chosen == 1, 1.0, -1.0)
            )
            picked = scores[:, 0] * sign.to(scores.dtype)
        else:
            picked = scores.gather(1, torch.as_tensor(chosen)[:, None])[:, 0]
        found: Floats = picked.detach().double().numpy()
        return found, self._gradient(picked.sum(), leaf, pixels)

    def _scores(self, pixels: Pixels) -> tuple[Any, Any]:
        """The pixels as a leaf of the graph, and the module's outputs for them as logits, shape (n, outputs)."""
        import torch

        self._model.eval()
        kind = next((one.dtype for one in self._model.parameters()), torch.float32)
        leaf = torch.as_tensor(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)), dtype=kind).requires_grad_()
        outputs = self._model(leaf).reshape(len(pixels), -1)
        if self._chances and self._task != "regression":
            safe = outputs.clamp(_TINY)
            outputs = torch.logit(outputs, eps=1e-7) if outputs.shape[1] == 1 else safe.log()
        return leaf, outputs

    def _gradient(self, total: Any, leaf: Any, pixels: Pixels) -> Pixels:
        import torch

        (found,) = torch.autograd.grad(total, leaf)
        return np.asarray(found.permute(0, 2, 3, 1).contiguous().numpy(), dtype=pixels.dtype)
