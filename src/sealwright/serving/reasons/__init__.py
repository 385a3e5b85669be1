"""Reasons for single decisions: contributions that add up, principal reasons of a refusal, the smallest change.

Answers: what moved this answer, by how much, and what would have turned it?
Does not answer: whether the decision was right or fair. Everything here follows from the sealed package and the row
alone: the same input and version have the same reasons, whoever asks, whenever.
"""

from sealwright.serving.reasons.change import Searched
from sealwright.serving.reasons.explainer import Explainer, ReasonsDoNotAddUp
from sealwright.serving.reasons.making import counted_rows, explainer_document
from sealwright.serving.reasons.model import AdverseNotice, Change, Contribution, Reasons

__all__ = [
    "AdverseNotice",
    "Change",
    "Contribution",
    "Explainer",
    "Reasons",
    "ReasonsDoNotAddUp",
    "Searched",
    "counted_rows",
    "explainer_document",
]
