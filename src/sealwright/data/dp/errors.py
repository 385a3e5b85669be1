"""Refusals of private releases and trainings that callers match on by type or by `code`."""

from sealwright.kernel import InvalidInput, StoppedByPolicy, VerificationFailed

__all__ = ["BoundsMissing", "PrivacyBudgetChanged", "PrivacyBudgetMissing", "PrivacyBudgetSpent", "PrivacyBookBroken"]


class BoundsMissing(InvalidInput):
    """Without declared bounds the noise cannot be sized, and bounds read from the data would give them away."""

    code = "data.privacy_bounds_missing"


class PrivacyBudgetMissing(StoppedByPolicy):
    """Nobody declared how much this dataset's numbers and private models may say about a person."""

    code = "data.privacy_budget_missing"


class PrivacyBudgetSpent(StoppedByPolicy):
    """The release, or private training, would say more about a person than was promised. Nothing was released or trained."""

    code = "data.privacy_budget_spent"


class PrivacyBudgetChanged(StoppedByPolicy):
    """A change of the budget that needs a reason, or cannot be made at all."""

    code = "data.privacy_budget_changed"


class PrivacyBookBroken(VerificationFailed):
    """The ledger's book of budgets cannot be read, or is older than what was released from it. Nothing is released or trained."""

    code = "data.privacy_book_broken"
