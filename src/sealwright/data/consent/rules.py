"""Whose consent holds, and which rows it lets in. Pure decisions over arrays.

Answers: may the row of this person be held for this purpose at this moment?
Does not answer: what was recorded; that is `store`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CONSENT_WITHDRAWN",
    "NO_CONSENT",
    "Admitted",
    "ConsentState",
    "Violations",
    "admit",
    "violations",
]

NO_CONSENT = "no_consent"
CONSENT_WITHDRAWN = "consent_withdrawn"
_REASONS = ("", NO_CONSENT, CONSENT_WITHDRAWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentState:
    """Who had agreed to a purpose at a moment, and who had taken it back. Everybody else never agreed."""

    project: str
    purpose: str
    at: str  # RFC 3339
    given: frozenset[str] = field(repr=False)
    withdrawn: frozenset[str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Which rows may come in, and for each of the others, why not."""

    mask: NDArray[np.bool_]  # True: may come in
    reasons: NDArray[np.object_]  # "" where it may

    @property
    def counts(self) -> dict[str, int]:
        """Reason -> rows, of those that may not."""
        return {
            reason: int((self.reasons == reason).sum()) for reason in _REASONS[1:] if (self.reasons == reason).any()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Violations:
    """Rows of a snapshot that consent does not cover. None is the only good answer."""

    rows: int  # looked at
    no_consent: int
    withdrawn: int

    @property
    def total(self) -> int:
        return self.no_consent + self.withdrawn


def admit(subjects: Sequence[str] | NDArray[Any], state: ConsentState) -> Admitted:
    """Decide for each row whether the person's consent holds.

    Parameters
    ----------
    subjects : sequence of str, length n
        The pseudonym of the person of each row. A row of nobody ("") has nobody's consent.
    state : ConsentState
        For the purpose and moment in question.

    Returns
    -------
    Admitted
        `mask` and `reasons`, length n, in the order of `subjects`.
    """
    code = dict.fromkeys(state.withdrawn, 2) | dict.fromkeys(state.given, 0)
    codes = np.fromiter((code.get(str(one), 1) for one in subjects), dtype=np.int8, count=len(subjects))
    return Admitted(mask=codes == 0, reasons=np.array(_REASONS, dtype=object)[codes])


def violations(subjects: Sequence[str] | NDArray[Any], state: ConsentState) -> Violations:
    """Count the rows of a snapshot that should not be in it (control DG-02: it must be none).

    Parameters
    ----------
    subjects : sequence of str, length n
        The pseudonym of the person of each row.
    state : ConsentState
        At the moment the snapshot was made, or at a later one to find what has to be rewritten since.
    """
    found = admit(subjects, state)
    counts = found.counts
    return Violations(
        rows=len(found.mask), no_consent=counts.get(NO_CONSENT, 0), withdrawn=counts.get(CONSENT_WITHDRAWN, 0)
    )
