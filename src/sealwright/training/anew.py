"""A model of the same kind, trained on other rows, in this process: what attacks on training need.

Answers: what would our recipe, with the parameters it has, have learned from these rows?
Does not answer: is that a model to release. Nothing is searched, exported or signed; your own code is never run here,
since only the confined child may run it.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.training.hardening_spec import HardeningSpec
from sealwright.training.packed import Packed
from sealwright.training.packing import Shape, pack, read_shape, target_of
from sealwright.training.privacy_spec import PrivacySpec
from sealwright.training.recipes import Value
from sealwright.training.teachable import check_target

__all__ = ["Answers", "learn_anew"]

Answers = Callable[[NDArray[Any], NDArray[np.object_]], NDArray[np.float64]]
"""Numbers (n, number columns) and strings (n, string columns) to probabilities (n, classes) or values (n,)."""


def learn_anew(
    table: pa.Table,
    interface: Mapping[str, Any],
    recipe: str,
    parameters: Mapping[str, Value],
    seed: int,
    hardening: HardeningSpec | None = None,
    privacy: PrivacySpec | None = None,
) -> Answers:
    """Train one of our recipes with given parameters.

    Parameters
    ----------
    table : pa.Table
        The interface's features and the target; other columns are ignored.
    parameters : mapping
        Every parameter of the recipe, as a training result records them.
    hardening : HardeningSpec, optional
        As the project asks for it.
    privacy : PrivacySpec, optional
        With it the private recipe is trained. Its noise follows from `seed`, so such a model must not leave the house.

    Raises
    ------
    UntrainableData, InvalidInput
        The rows do not allow it.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    shape = read_shape(interface)
    target = target_of(table, shape)
    check_target(shape.task, target, shape.classes)
    learn = partial(_fit, recipe, shape, pack(table, shape), target, parameters=parameters, seed=seed)
    with threadpool_limits(limits=1, user_api="openmp"):  # so few rows are not worth starting threads for
        fitted = learn(hardening=hardening, privacy=privacy, interface=interface)

    def answer(numbers: NDArray[Any], strings: NDArray[np.object_]) -> NDArray[np.float64]:
        with threadpool_limits(limits=1, user_api="openmp"):
            outputs = np.asarray(fitted.predict(_packed(numbers, strings)), dtype=np.float64)
        return outputs[:, 0] if shape.task == "regression" else outputs

    return answer


def _fit(
    recipe: str,
    shape: Shape,
    rows: Packed,
    target: NDArray[Any],
    *,
    parameters: Mapping[str, Value],
    seed: int,
    hardening: HardeningSpec | None,
    privacy: PrivacySpec | None,
    interface: Mapping[str, Any],
) -> Any:
    """The recipe plain, hardened or private; the framework loads only where it is used."""
    about = (recipe, shape.task, rows, target)
    how: dict[str, Any] = {"classes": len(shape.classes), "parameters": parameters, "seed": seed}
    if privacy is not None:
        from sealwright.training.adapters.private.training import fit_private

        return fit_private(*about, **how, declared=interface, privacy=privacy, noise=np.random.default_rng(seed))
    if hardening is not None:
        from sealwright.training.adapters.hardening import fit_hardened

        positive = 0 if shape.positive is None else shape.classes.index(shape.positive)
        return fit_hardened(*about, **how, positive=positive, spec=hardening, number_names=shape.numbers)
    from sealwright.training.adapters.estimators import fit

    return fit(*about, **how)


def _packed(numbers: NDArray[Any], strings: NDArray[np.object_]) -> Packed:
    codes = np.empty(strings.shape, dtype=np.int32)
    levels = []
    for place in range(strings.shape[1]):
        words, codes[:, place] = np.unique(strings[:, place].astype(str), return_inverse=True)
        levels.append(tuple(words.tolist()))
    return Packed(numbers=np.asarray(numbers, dtype=np.float32), codes=codes, levels=tuple(levels))
