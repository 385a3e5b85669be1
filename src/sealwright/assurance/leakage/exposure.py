"""Exposure of a canary: how much better a model remembers a planted secret than secrets that could have been planted.

For anything that scores texts: the log-likelihood of a language model, the log-probability of an outcome.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.intervals import Interval, exact_share
from sealwright.kernel import InvalidInput

__all__ = ["Exposure", "canary_exposure", "exposure_of", "like"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """In bits: 0 if the canary ranks last, log2(candidates + 1) if first. By chance it is at least e with chance 2^-e."""

    value: float
    interval: Interval
    candidates: int


def canary_exposure(
    score: Callable[[Sequence[str]], Floats], canary: str, candidates: Sequence[str], confidence: float = 0.95
) -> Exposure:
    """Exposure of `canary` among `candidates` by any score.

    Parameters
    ----------
    score : callable
        Texts to one number each, higher meaning more likely: a log-likelihood, minus a perplexity.
    candidates : sequence of str
        Texts that could have been planted instead, drawn as the canary was.

    Raises
    ------
    InvalidInput
        There are no candidates, or the score does not give one finite number for each text.
    """
    if not candidates:
        raise InvalidInput("An exposure compares a canary with candidates; give at least one, better a thousand.")
    found = np.asarray(score([canary, *candidates]), dtype=np.float64)
    if found.shape != (len(candidates) + 1,) or not np.isfinite(found).all():
        raise InvalidInput(
            f"The score must give one finite number for each of {len(candidates) + 1} texts; got {found.shape}."
        )
    return exposure_of(float(found[0]), found[1:], confidence)


def exposure_of(canary: float, candidates: Floats, confidence: float) -> Exposure:
    """Exposure from scores: log2 |R| - log2 rank, |R| the candidates and the canary (Carlini et al. 2019, arXiv:1802.08232).

    Candidates of equal score count half, so that a model that scores all alike exposes about one bit. The interval is that
    of the share of possible secrets that rank higher, of which the candidates are a sample.
    """
    n = candidates.size
    above = float((candidates > canary).sum() + (candidates == canary).sum() / 2)
    most = math.log2(n + 1)
    low, high = exact_share(math.ceil(above), n, confidence)[1], exact_share(math.floor(above), n, confidence)[0]
    value = most - math.log2(1 + above)
    ends = min(value, -math.log2(low)), max(value, min(most, -math.log2(high)) if high > 0 else most)
    return Exposure(value=value, interval=(max(0.0, ends[0]), ends[1]), candidates=n)


def like(secret: str, count: int, rng: np.random.Generator) -> tuple[str, ...]:
    """`count` random texts of the shape of `secret`, none equal to it: digit for digit, letter for letter, the rest as it is."""
    digits, letters = "0123456789", "abcdefghijklmnopqrstuvwxyz"
    kinds = [
        digits if c.isdigit() else letters.upper() if c.isupper() else letters if c.isalpha() else c for c in secret
    ]
    found: list[str] = []
    while len(found) < count:
        one = "".join(kind[int(rng.integers(len(kind)))] for kind in kinds)
        if one != secret:
            found.append(one)
    return tuple(found)
