"""How much of an answer a caller is told: compiled once for a version, decided by scopes, done for all rows at once.

Answers: which digits, which classes, which numbers leave?
Does not answer: is there a label at all. `checking` has settled that; abstaining is no matter of scopes.

- `full:<project>` beside `predict:<project>`: everything.
- `predict:<project>`: what the project's `serving.output` says; everything, where it says nothing.
- `label:<project>` alone: the label, whether it was held back, and marks. No number, no reasons, no sets.

Nothing more precise leaves by another door: reasons come without numbers where digits or classes are held back, an interval
is built around the rounded value, and refusals never hold a score. What is not told is computed all the same, so that the
time an answer takes says nothing about it. The record of the decision keeps the whole.
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from sealwright.serving.checking.document import Output
from sealwright.serving.contract import Contract
from sealwright.serving.options import Options
from sealwright.serving.outcome import Outcome
from sealwright.serving.places import full_scope, predict_scope
from sealwright.serving.problems import Forbidden
from sealwright.serving.reasons import Reasons

__all__ = ["Disclosure"]

_LABELS = Output(labels_only=True)
_PLAIN = Output()
_LEFT_TO_LABELS = frozenset({"marks", "abstained"})


class Disclosure:
    """What callers of one version are told."""

    def __init__(self, contract: Contract, output: Output = _PLAIN) -> None:
        self._predict, self._full = predict_scope(contract.project), full_scope(contract.project)
        self._usual, self._classes = output, contract.classes
        self._plain = output == _PLAIN

    def plain_to(self, scopes: Collection[str]) -> bool:
        """Is a caller with these scopes told everything?"""
        return self._predict in scopes and (self._plain or self._full in scopes)

    def refuse(self, options: Options, scopes: Collection[str]) -> None:
        """Say no to who may be told labels only, and asks for more.

        Raises
        ------
        Forbidden
        """
        if self._output(scopes).labels_only and (options.explain or options.interval):
            raise Forbidden("This token is told labels only.", reason="auth.scope")

    def shown(self, outcome: Outcome, scopes: Collection[str]) -> Outcome:
        """The outcome as a caller with these scopes is told it.

        Raises
        ------
        Forbidden
            Only labels may be told, and this model has none.
        """
        if self.plain_to(scopes):
            return outcome
        output = self._output(scopes)
        whole = outcome.whole or outcome
        if output.labels_only:
            if not self._classes:
                raise Forbidden(
                    "This token is told labels only, and this model predicts a number.", reason="auth.scope"
                )
            return replace(
                outcome,
                probabilities=[[None] * len(self._classes)] * len(outcome.labels),
                beside=None if outcome.beside is None else [_named(line, _LEFT_TO_LABELS) for line in outcome.beside],
                whole=whole,
            )
        return replace(
            outcome,
            probabilities=_told(outcome.probabilities, output),
            values=[_significant(value, output.digits) for value in outcome.values],
            beside=None if outcome.beside is None else [self._beside(line, output) for line in outcome.beside],
            whole=whole,
        )

    def digits(self, scopes: Collection[str]) -> int | None:
        """How many digits a caller with these scopes is told; None: all."""
        return self._output(scopes).digits

    def reasons(self, reasons: Sequence[Reasons], scopes: Collection[str]) -> Sequence[Any]:
        """Reasons, without their numbers where fewer are told: a sum of exact contributions is an exact score."""
        return reasons if self._output(scopes) == _PLAIN else [_in_words(one) for one in reasons]

    def _output(self, scopes: Collection[str]) -> Output:
        if self._predict not in scopes:
            return _LABELS
        return _PLAIN if self._full in scopes else self._usual

    def _beside(self, line: dict[str, Any], output: Output) -> dict[str, Any]:
        told = dict(line)
        if "calibrated" in told:
            (shares,) = _told([list(told["calibrated"].values())], output)
            told["calibrated"] = {name: p for name, p in zip(self._classes, shares, strict=True) if p is not None}
        if "ood" in told and output.digits is not None:
            told["ood"] = round(told["ood"], output.digits)
        return told


def _told(lines: Sequence[Sequence[float | None]], output: Output) -> list[list[float | None]]:
    """Probabilities rounded, and of the likeliest classes only; rows without any stay so."""
    if not lines:
        return []
    shares = np.array(lines, dtype=np.float64)  # None becomes NaN
    if output.digits is not None:
        scale = 10.0**output.digits
        shares = np.rint(shares * scale) / scale
    if output.classes is not None and output.classes < shares.shape[1]:
        exact = np.array(lines, dtype=np.float64)
        behind = np.argsort(-exact, axis=1, kind="stable")[:, output.classes :]
        np.put_along_axis(shares, behind, np.nan, axis=1)
    return [[None if p != p else p for p in row] for row in shares.tolist()]


def _significant(value: float | None, digits: int | None) -> float | None:
    return value if value is None or digits is None else float(f"{value:.{digits}g}")


def _named(line: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name in names}


def _in_words(reasons: Reasons) -> dict[str, Any]:
    """What speaks for and against, the strongest first; principal reasons and changes, without measures."""
    told: dict[str, Any] = {
        "explainer": reasons.explainer,
        "method": reasons.method,
        "toward": reasons.toward,
        "for": [one.feature for one in reasons.contributions if one.value > 0],
        "against": [one.feature for one in reasons.contributions if one.value < 0],
    }
    if reasons.adverse is not None:
        told["adverse"] = {
            "reasons": [
                {"code": one.code, "text": one.text, "feature": one.feature} for one in reasons.adverse.reasons
            ],
            "needs_person": reasons.adverse.needs_person,
        }
    if reasons.change is not None:
        told["change"] = reasons.change
    return told
