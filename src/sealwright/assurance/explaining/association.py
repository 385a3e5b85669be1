"""How closely two features move together, whatever they are, and which form blocks.

Two numbers: the absolute correlation. A number and a text: the correlation ratio. Two texts: Cramer's V. The latter two are
corrected for what chance alone would show (Bergsma 2013, doi:10.1016/j.jkss.2012.10.002; adjusted R squared).
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.features import Features

__all__ = ["associations", "blocks"]

_MOST_TEXTS = 60  # of wider tables, the later text columns are compared with nothing
_MOST_LEVELS = 50  # a text with more is close to a name, and fits anything


def associations(features: Features) -> Floats:
    """Association of every two features, shape (features, features), diagonal zero, in the order of `Interface.names`."""
    numbers = features.numbers.astype(np.float64)
    width, texts = numbers.shape[1], features.strings.shape[1]
    result = np.zeros((width + texts, width + texts))
    result[:width, :width] = np.abs(correlations(numbers))
    coded = {}
    for place in range(min(texts, _MOST_TEXTS)):
        levels, codes = np.unique(features.strings[:, place].astype(str), return_inverse=True)
        if 2 <= levels.size <= _MOST_LEVELS:
            coded[place] = np.eye(levels.size)[codes]
    for place, own in coded.items():
        here = width + place
        for other in (one for one in coded if one > place):
            result[here, width + other] = result[width + other, here] = _cramer(own, coded[other])
        ratios = _ratios(numbers, own)
        result[here, :width], result[:width, here] = ratios, ratios
    return result


def blocks(together: Floats, limit: float) -> list[list[int]]:
    """Sets of two or more features that hang together by associations of at least `limit`."""
    found: list[list[int]] = []
    left = set(range(len(together)))
    while left:
        block, waiting = [], [min(left)]
        left.discard(waiting[0])
        while waiting:
            here = waiting.pop()
            block.append(here)
            near = [one for one in sorted(left) if together[here, one] >= limit]
            left.difference_update(near)
            waiting += near
        if len(block) > 1:
            found.append(sorted(block))
    return found


def correlations(numbers: Floats) -> Floats:
    """Pearson correlations of columns, missing cells at the mean, the diagonal zero."""
    known = np.isfinite(numbers)
    rows = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, numbers - np.where(known, numbers, 0).sum(axis=0) / rows, 0.0)
    lengths = np.sqrt((centred**2).sum(axis=0))
    scaled = np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)
    result: Floats = scaled.T @ scaled
    np.fill_diagonal(result, 0.0)
    return result


def _cramer(one: Floats, other: Floats) -> float:
    """Cramer's V, corrected for bias."""
    n = len(one)
    table = one.T @ other
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi = float(((table - expected) ** 2 / expected).sum()) / n
    r, c = table.shape
    phi = max(0.0, phi - (r - 1) * (c - 1) / (n - 1))
    rows, columns = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    least = min(rows, columns) - 1
    return float(np.sqrt(min(1.0, phi / least))) if least > 0 else 0.0


def _ratios(numbers: Floats, levels: Floats) -> NDArray[np.float64]:
    """Correlation ratio of every number with one text, from adjusted R squared; missing numbers at the mean."""
    n, k = levels.shape
    known = np.isfinite(numbers)
    counts = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, numbers - np.where(known, numbers, 0).sum(axis=0) / counts, 0.0)
    total = (centred**2).sum(axis=0)
    means = (levels.T @ centred) / levels.sum(axis=0)[:, None]
    within = total - (levels.sum(axis=0)[:, None] * means**2).sum(axis=0)
    left = np.divide(within, total, out=np.ones_like(total), where=total > 0)
    adjusted = 1 - left * (n - 1) / max(1, n - k)
    return np.asarray(np.sqrt(np.clip(adjusted, 0.0, 1.0)))
