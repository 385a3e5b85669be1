"""Reasons as they are answered and kept in the record. Frozen, ready for JSON, no I/O.

Contributions are on the scale on which the model adds up (`unit`): log-odds of `toward`, shares of a forest's vote, or the
predicted value. `base` is the mean of that score over the reference; `base` and all contributions give `score`.
"""

from typing import Literal

import msgspec

__all__ = ["AdverseNotice", "Change", "Changed", "Contribution", "LeftOut", "PrincipalReason", "Reasons", "Reference"]

Unit = Literal["log-odds", "share", "value", "score"]


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a row is compared with: the rows learned from that the model decides as `decided`; "" means all of them."""

    decided: str
    rows: int


class Contribution(msgspec.Struct, frozen=True):
    """What one feature adds to the score, in `unit`."""

    feature: str
    value: float


class PrincipalReason(msgspec.Struct, frozen=True, kw_only=True):
    """One reason of a refusal, in words meant for the person. `against` is how much it took from approval, > 0."""

    code: str
    text: str
    feature: str
    against: float


class LeftOut(msgspec.Struct, frozen=True):
    """A feature that spoke against approval and is not named; `rule` says which rule kept it out."""

    feature: str
    rule: Literal["not used", "protected", "would not help", "no sentence"]


class AdverseNotice(msgspec.Struct, frozen=True, kw_only=True):
    """The principal reasons of an adverse decision. Where `needs_person` is not "", no notice may leave by itself."""

    reasons: tuple[PrincipalReason, ...]
    left_out: tuple[LeftOut, ...] = ()
    needs_person: str = ""


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A feature, and the value it would have to have."""

    feature: str
    to: int | float | bool | str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest change that was found to turn the decision; `why` says why there is none where `found` is false."""

    found: bool
    changed: tuple[Changed, ...] = ()
    cost: float = 0.0  # in the prices of the project: standard deviations of numbers, switches of categories
    label: str = ""
    asked: int = 0  # rows the model was asked about
    why: str = ""


class Reasons(msgspec.Struct, frozen=True, kw_only=True):
    """Why one row was answered as it was."""

    explainer: str  # digest of the document that goes with the model: reference, sentences and limits, versioned
    method: str
    toward: str  # the class that positive contributions speak for; "" for a predicted value
    unit: Unit
    reference: Reference
    base: float
    score: float
    probability: float | None  # of `toward`
    contributions: tuple[Contribution, ...]  # the largest first; features that add nothing are left out
    adverse: AdverseNotice | None = None  # None: the decision is not adverse, or the project declares no reasons
    change: Change | None = None  # None: not asked for, or there is nothing to change
