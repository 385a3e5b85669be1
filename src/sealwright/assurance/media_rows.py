"""Which documents or images a costly check looks at, and the one number it follows of each answer."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.features import Features

__all__ = ["drawn", "drawn_rows", "followed", "followed_texts", "followed_words", "too_few_rows"]


def drawn_rows(case: Case, most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """At most `most` of the rows judged, in order."""
    return drawn(len(case.test), most, rng)


def drawn(n: int, most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """At most `most` of n rows, in order."""
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))


def followed(case: Case, outputs: Floats, chosen: NDArray[np.int64]) -> Floats:
    """The probability of each row's chosen class, or its value, shape (n,); NaN where there is no answer."""
    if case.task == "regression":
        return outputs
    found: Floats = np.take_along_axis(outputs, np.maximum(chosen, 0)[:, None], axis=1)[:, 0]
    return found


def followed_texts(case: Case, texts: Sequence[str], chosen: NDArray[np.int64]) -> Floats:
    """The same for documents that are no rows, shape (n,)."""
    strings = np.array(texts, dtype=object).reshape(-1, 1)
    return followed(case, case.predict(Features(numbers=np.empty((len(texts), 0)), strings=strings)), chosen)


def followed_words(case: Case) -> str:
    return "value" if case.task == "regression" else "probability of the decided class"


def too_few_rows(case: Case, n: int, what: str) -> str:
    """Why `n` rows are too few to say anything, or ""."""
    smallest = case.spec.smallest_group
    return "" if n >= smallest else f"there are {n} {what}; a statement needs {smallest} (assurance.smallest_group)"
