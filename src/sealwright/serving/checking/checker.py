"""Everything a version does about odd rows and unsure answers, compiled once, done for whole batches.

Answers: is this row mended, refused, or without a label, and why?
Does not answer: who is told how much of what is left. That is `disclosure`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from sealwright.serving.checking.bounds import Bounds, Mark
from sealwright.serving.checking.calibrating import calibrated
from sealwright.serving.checking.conformal import sets_of
from sealwright.serving.checking.document import AnsweringDocument
from sealwright.serving.checking.rules import Rule
from sealwright.serving.checking.unusual import Oddity
from sealwright.serving.contract import Batch, Contract
from sealwright.serving.field_rules import described
from sealwright.serving.outcome import Outcome
from sealwright.serving.problems import FieldProblem

__all__ = ["WHY", "Checker", "Found"]

Floats = NDArray[np.float64]
_Mode = Literal["refuse", "clip", "abstain"]
_DIGITS = 6

WHY: Mapping[str, str] = {
    "outside_contract": "A value lies outside the model's contract.",
    "rule_broken": "The row breaks a rule between its fields.",
    "unusual": "The row is unlike the rows the model learned from.",
    "confidence_low": "The model is not sure enough.",
    "ambiguous": "More than one class remains possible, or none.",
}
"""Why there may be no label. The codes are stable."""


@dataclass(slots=True)
class Found:
    """What was found about the rows of a batch before the model saw them."""

    marks: Mapping[int, Sequence[Mark]] = field(default_factory=dict)
    refused: dict[int, list[FieldProblem]] = field(default_factory=dict)
    without: dict[int, list[str]] = field(default_factory=dict)  # row -> codes of why there is no label
    shares: Floats | None = None  # how unusual each row is


class Checker:
    """Checks rows and answers of one version."""

    def __init__(self, contract: Contract, rules: Sequence[Rule], said: AnsweringDocument | None) -> None:
        self._rules = tuple(rules)
        self._mode: _Mode = "refuse" if said is None else said.mode
        self._bounds = None if self._mode == "refuse" else Bounds(contract, clips=self._mode == "clip")
        self._said, self._contract = said, contract
        wanted = said is not None and said.usual is not None and (said.tell_ood or said.above_ood is not None)
        self._oddity = Oddity(contract, said.usual) if said is not None and said.usual is not None and wanted else None
        self._least = _least(contract, said)
        self._limit = _limit(said)

    @property
    def idle(self) -> bool:
        """Nothing is checked that the protocols do not check."""
        said = self._said
        nothing = said is None or said.calibrate is None
        return (
            nothing
            and not self._rules
            and not any(part is not None for part in (self._bounds, self._oddity, self._least, self._limit))
        )

    def rows(self, batch: Batch) -> tuple[Batch, Found]:
        """The rows as the model is to see them, and what was found about them."""
        found = Found()
        if self._bounds is not None:
            batch, found.marks, hopeless = self._bounds.mended(batch)
            for row, feature in hopeless:
                problem = FieldProblem("", "unknown_category", f"Expected {described(feature)}.", feature.name)
                found.refused.setdefault(row, []).append(problem)
            if self._mode == "abstain":
                for row in found.marks:
                    found.without.setdefault(row, []).append("outside_contract")
        for rule in self._rules:
            self._hold(rule, batch, found)
        if self._oddity is not None:
            self._weigh(batch, found)
        return batch, found

    def answers(self, found: Found, outcome: Outcome) -> Outcome:
        """The outcome with marks and scores beside it, and without the labels that may not be told."""
        beside: list[dict[str, Any]] = [{} for _ in outcome.sound]
        sure: Floats | None = None
        if outcome.labels:
            sure = np.asarray(outcome.probabilities)
            if self._said is not None and self._said.calibrate and self._said.calibration is not None:
                sure = calibrated(sure, self._said.calibration, self._said.calibrate)
                for line, row in zip(beside, np.round(sure, _DIGITS).tolist(), strict=True):
                    line["calibrated"] = dict(zip(self._contract.classes, row, strict=True))
            self._doubt(sure, outcome, found)
        if found.shares is not None:
            for line, share in zip(beside, found.shares.tolist(), strict=True):
                line["ood"] = round(share, 3)
        for row, marks in found.marks.items():
            beside[row]["marks"] = tuple(marks)
        for row, codes in found.without.items():
            beside[row]["abstained"] = {"codes": tuple(codes), "why": " ".join(WHY[code] for code in codes)}
        return _withheld(replace(outcome, beside=beside, refused=found.refused), found.without)

    def _hold(self, rule: Rule, batch: Batch, found: Found) -> None:
        for row in np.flatnonzero(rule.broken(batch)).tolist():
            if self._mode != "abstain":
                problem = FieldProblem("", "rule_broken", f"Expected by the rule {rule.name}: {rule.text}.")
                found.refused.setdefault(row, []).append(problem)
            elif "rule_broken" not in found.without.setdefault(row, []):
                found.without[row].append("rule_broken")

    def _weigh(self, batch: Batch, found: Found) -> None:
        said = self._said
        if self._oddity is None or said is None:
            return
        found.shares = self._oddity.shares(batch)
        if said.above_ood is not None:
            for row in np.flatnonzero(found.shares > said.above_ood).tolist():
                found.without.setdefault(row, []).append("unusual")

    def _doubt(self, sure: Floats, outcome: Outcome, found: Found) -> None:
        """Which labels are not sure enough. `sure`: the probabilities that are told as the best there are."""
        if self._least is not None:
            own, best = self._least
            raw = np.asarray(outcome.probabilities)
            place = raw.argmax(axis=1)
            at = np.arange(len(place))
            for row in np.flatnonzero((raw[at, place] < own) | (sure[at, place] < best[place])).tolist():
                found.without.setdefault(row, []).append("confidence_low")
        if self._limit is not None:
            sizes = sets_of(np.asarray(outcome.probabilities), self._limit).sum(axis=1)
            for row in np.flatnonzero(sizes != 1).tolist():
                found.without.setdefault(row, []).append("ambiguous")


def _least(contract: Contract, said: AnsweringDocument | None) -> tuple[float, Floats] | None:
    """The least confidence of a label: by the model's own probability, and by class of the best one there is."""
    if said is None or (not said.below and said.threshold is None):
        return None
    own = 0.0 if said.threshold is None else said.threshold.confidence
    return own, np.array([said.below.get(name, 0.0) for name in contract.classes])


def _limit(said: AnsweringDocument | None) -> float | None:
    if said is None or not said.ambiguous or said.conformal is None:
        return None
    return said.conformal.limits.get(f"{said.coverage:g}")


def _withheld(outcome: Outcome, without: Mapping[int, object]) -> Outcome:
    """No label, probability or value in these rows; the whole outcome stays for the record."""
    if not without:
        return outcome
    labels, probabilities, values = list(outcome.labels), list(outcome.probabilities), list(outcome.values)
    for row in without:
        if labels:
            labels[row] = ""
            probabilities[row] = [None] * len(probabilities[row])
        else:
            values[row] = None
    beside = [
        {name: value for name, value in line.items() if name != "calibrated"} if row in without else line
        for row, line in enumerate(outcome.beside or ())
    ]
    return replace(
        outcome,
        labels=labels,
        probabilities=probabilities,
        values=values,
        beside=beside,
        whole=outcome.whole or outcome,
    )
