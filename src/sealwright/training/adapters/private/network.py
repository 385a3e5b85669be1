"""A private network: one hidden layer, learned by noisy steps over rows drawn by lot (DP-SGD, Abadi et al. 2016, Opacus).

The guarantee is Opacus' (Rényi accounting of subsampled Gaussian noise, arXiv:1607.00133); dp-accounting is asked for a second
opinion. It speaks of a row that is added or left out, with the number of rows as publicly known.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from sealwright.kernel import MissingExtra, OperationFailed
from sealwright.training.adapters.private.layers import Layers
from sealwright.training.adapters.private.made import Asked, Guarantee
from sealwright.training.encoding import Encoding

__all__ = ["learn_network", "second_opinion"]


def learn_network(asked: Asked, _encoding: Encoding) -> tuple[Layers, Guarantee, dict[str, float]]:
    """Layers and their guarantee.

    Raises
    ------
    MissingExtra
        torch or opacus is not installed.
    OperationFailed
        The accountants contradict each other.
    """
    torch, opacus = _libraries()
    with _alone(torch, int(asked.noise.integers(2**63))):
        layers, scale, rate, steps, epsilon = _learned(torch, opacus, asked)
    again = second_opinion(scale, rate, steps, asked.delta)
    if not max(again, epsilon) <= asked.epsilon:
        raise OperationFailed(
            f"Asked for an epsilon of {asked.epsilon:g}, Opacus says {epsilon:.4g} was spent and dp-accounting {again:.4g},"
            " so no guarantee can be stated. Please report this."
        )
    guarantee = Guarantee(
        mechanism="Clipped gradients of rows drawn by lot, with Gaussian noise in every step (DP-SGD).",
        unit="one row added or left out, with the number of rows as known",
        scale=scale,
        sensitivity=asked.clip,
        details={
            "sample_rate": rate,
            "steps": steps,
            "epsilon_opacus_rdp": epsilon,
            "epsilon_dp_accounting_pld": again,
        },
    )
    return Layers(layers=layers), guarantee, {}


def second_opinion(scale: float, rate: float, steps: int, delta: float) -> float:
    """The epsilon of the same steps by dp-accounting, from privacy loss distributions: tighter, and never too low."""
    from dp_accounting import dp_event, pld

    step = dp_event.PoissonSampledDpEvent(rate, dp_event.GaussianDpEvent(scale))
    return float(pld.PLDAccountant().compose(dp_event.SelfComposedDpEvent(step, steps)).get_epsilon(delta))


def _libraries() -> tuple[Any, Any]:
    try:
        import opacus
        import torch
    except ModuleNotFoundError:
        raise MissingExtra("Training a network with differential privacy", "torch") from None
    return torch, opacus


@contextmanager
def _alone(torch: Any, seed: int) -> Iterator[None]:
    """On one thread, with torch's generator for ourselves: rows and noise are drawn from it, so its seed is a secret, too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # Opacus says of every model that its noise is no cryptographer's, and how hooks work
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def _learned(torch: Any, opacus: Any, asked: Asked) -> tuple[list[tuple[Any, Any]], float, float, int, float]:
    """Layers, noise, share of rows in a step, steps, and the epsilon by Opacus."""
    hidden, epochs = int(asked.parameters["hidden"]), int(asked.parameters["epochs"])
    model: Any = torch.nn.Sequential(
        torch.nn.Linear(asked.matrix.shape[1], hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, asked.classes)
    )
    rows = torch.utils.data.TensorDataset(
        torch.tensor(asked.matrix, dtype=torch.float32), torch.tensor(asked.target.astype(np.int64))
    )
    batch = min(int(asked.parameters["batch"]), asked.rows)
    engine = opacus.PrivacyEngine(accountant="rdp")
    model, optimizer, loader = engine.make_private_with_epsilon(
        module=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=float(asked.parameters["learning_rate"])),
        data_loader=torch.utils.data.DataLoader(rows, batch_size=batch),
        target_epsilon=asked.epsilon,
        target_delta=asked.delta,
        epochs=epochs,
        max_grad_norm=asked.clip,
    )
    loss, steps = torch.nn.CrossEntropyLoss(), 0
    for _ in range(epochs):
        for given, wanted in loader:
            optimizer.zero_grad()
            loss(model(given), wanted).backward()
            optimizer.step()
            steps += 1
    layers = [
        (one.weight.detach().numpy().astype(np.float64).T.copy(), one.bias.detach().numpy().astype(np.float64).copy())
        for one in (model._module[0], model._module[2])  # noqa: SLF001 (the only way to what Opacus wrapped)
    ]
    return layers, float(optimizer.noise_multiplier), 1 / len(loader), steps, float(engine.get_epsilon(asked.delta))
