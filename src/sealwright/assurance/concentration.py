"""How much of all effects is one part's: a word's, or a patch's."""

import numpy as np

from sealwright.assurance.bootstrap import Floats, centred_interval, replicates
from sealwright.assurance.case import Case
from sealwright.assurance.model import Finding

__all__ = ["share_of_one"]


def share_of_one(
    case: Case, check: str, one: Floats, every: Floats, definition: str, note: str, rng: np.random.Generator
) -> Finding:
    """The part of `every`, shape (n,), that `one`, shape (n,), makes up over all rows; its interval by drawing rows anew.

    At least one of `every` is above zero.
    """
    both = np.column_stack([one, every])

    def share(counts: Floats) -> Floats:
        drawn = counts @ both
        result: Floats = np.divide(drawn[:, 0], drawn[:, 1], out=np.full(len(drawn), np.nan), where=drawn[:, 1] > 0)
        return result

    value = float(one.sum() / every.sum())
    drawn = replicates(share, one.size, case.spec.bootstrap, rng)[:, 0]
    low, high = centred_interval(value, drawn, case.spec.confidence, 0.0, 1.0) or (None, None)
    return Finding(
        check=check, value=value, low=low, high=high, n=one.size, unit="share", definition=definition, note=note
    )
