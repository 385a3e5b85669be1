"""What an attribution is, and how it is held against the model it claims to explain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.explaining.scale import Link, answered, largest

__all__ = ["Attributions", "Refused", "additivity_error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributions:
    """Contributions of features to the answers for some rows: base + sum of `phi` is the answer, on the scale of `link`."""

    phi: Floats  # shape (n, outputs, features)
    base: Floats  # shape (outputs,)
    link: Link
    outcomes: tuple[int, ...]  # which column of the answers each output is
    method: str  # in words

    def importance(self) -> Floats:
        """Mean |phi| of each row over the outputs, shape (n, features)."""
        return np.asarray(np.abs(self.phi).mean(axis=1))

    def only(self, outcomes: Sequence[int]) -> "Attributions":
        """The same for fewer outputs."""
        places = [self.outcomes.index(outcome) for outcome in outcomes]
        return Attributions(
            phi=self.phi[:, places],
            base=self.base[places],
            link=self.link,
            outcomes=tuple(outcomes),
            method=self.method,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A method that was tried and set aside."""

    method: str
    why: str


def additivity_error(found: Attributions, outputs: Floats) -> float:
    """Largest distance of base + sum of phi from what the model answers, as a share of the scale of the answers.

    Parameters
    ----------
    outputs : float array, shape (n, classes) or (n,)
        Answers for the explained rows.

    Notes
    -----
    Held on the scale of the answers: probabilities have the scale 1, values that of the largest of them.
    """
    sums = answered(found.base + found.phi.sum(axis=2), found.link)
    wanted = outputs[:, None] if outputs.ndim == 1 else outputs[:, list(found.outcomes)]
    scale = 1.0 if outputs.ndim == 2 else float(np.abs(outputs).max(initial=0.0)) or 1.0
    return largest(sums - wanted) / scale
