"""The confidence from which on labels may be told, so that few of those told are wrong.

Answers: from which confidence on is the error among told labels below a target, and how sure is that?
Does not answer: how wrong labels are that belong to a set of one class. Coverage of 95 % is not 5 % error among them: the
rows whose set has one class are not average rows. So the error is bounded where it counts, on accepted rows.

At each of a few fixed confidences the error among rows kept apart has an exact upper end (Clopper & Pearson 1934), shared out
over all of them (Bonferroni), so that choosing the lowest that keeps the target costs nothing (as in Learn then Test,
Angelopoulos et al. 2021, arXiv:2110.01052). It holds for rows from the same source; if the world moves, it is void.
"""

import math

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import InvalidInput
from sealwright.serving.checking.document import Accepted, Threshold

__all__ = ["CERTAINTY", "accepted_of", "threshold_for", "upper_end"]

CERTAINTY = 0.95
_TRIED = 20


def accepted_of(confidence: NDArray[np.float64], wrong: NDArray[np.bool_], classes: int) -> tuple[Accepted, ...]:
    """Rows and errors from each of the fixed confidences on.

    Parameters
    ----------
    confidence : float array, shape (n,)
        Probability of the label.
    wrong : bool array, shape (n,)
    """
    least = 1 / classes
    steps = [round(least + (1 - least) * at / _TRIED, 6) for at in range(_TRIED)]
    return tuple(
        Accepted(confidence=step, rows=int(told.sum()), wrong=int((told & wrong).sum()))
        for step in steps
        for told in (confidence >= step,)
    )


def threshold_for(accepted: tuple[Accepted, ...], target: float) -> Threshold:
    """The lowest confidence whose error stays below the target.

    Raises
    ------
    InvalidInput
        None does, with the lowest bound there is.
    """
    miss = (1 - CERTAINTY) / max(1, len(accepted))
    ends = [upper_end(one.wrong, one.rows, miss) for one in accepted]
    for one, bound in zip(accepted, ends, strict=True):
        if bound <= target:
            return Threshold(
                confidence=one.confidence,
                target=target,
                certainty=CERTAINTY,
                tried=len(accepted),
                rows=accepted[0].rows,
                accepted=one.rows,
                wrong=one.wrong,
                bound=float(f"{bound:.6g}"),
            )
    raise InvalidInput(
        f"serving.abstain_error: no confidence keeps the error among told labels at {target:g}; the lowest that the\n"
        f"{accepted[0].rows if accepted else 0:,} rows kept apart allow to say is {min(ends, default=1.0):.3g}."
        " Ask for less, or keep more rows apart (data.test_share)."
    )


def upper_end(wrong: int, rows: int, miss: float) -> float:
    """The largest error rate under which so few wrong ones are seen with probability `miss`; 1 without rows."""
    if wrong >= rows:
        return 1.0
    steps = np.arange(1, wrong + 1)
    ways = np.concatenate([[0.0], np.cumsum(np.log((rows - steps + 1) / steps))])
    seen = np.arange(wrong + 1)
    low, high = wrong / rows, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        logs = ways + seen * math.log(middle) + (rows - seen) * math.log1p(-middle)
        top = float(logs.max())
        if top + math.log(float(np.exp(logs - top).sum())) > math.log(miss):
            low = middle
        else:
            high = middle
    return high
