"""The privacy budget of a project's dataset: what it may still give out, and changing that on record.

Answers: what was promised for this dataset, what is left, who spent it, and who raised it why?
Does not answer: whether the promise is a good one. Whoever answers for the data decides that, and the reason is on file.
"""

from dataclasses import dataclass
from typing import Any

from sealwright.data.dp import (
    Account,
    Fingerprint,
    Limit,
    PrivacyBudgetChanged,
    Protection,
    budget_entry,
    marks_of,
    standing,
)
from sealwright.data.privacy_budget import LARGEST_DELTA, epsilon_text, millionths
from sealwright.kernel import InvalidInput
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.permission import allow
from sealwright.pipeline.privacy_book import (
    alone,
    book_of,
    declared_limit,
    drawing,
    lineage_in,
    opened_for_release,
)
from sealwright.pipeline.project import Project
from sealwright.pipeline.version_facts import data_of
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

__all__ = ["PrivacyBudget", "budget_of", "set_budget"]

_SHORTEST_REASON = 8
_NO_MORE = "asks for no more than before"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyBudget:
    """The budget of a project's dataset, as the ledger has it now."""

    project: str
    declared: Limit  # in the project file
    fixed: Limit | None  # in the ledger; None: nothing was spent yet
    counts: Limit
    account: Account
    protection: Protection

    def to_json(self) -> dict[str, Any]:
        fixed = epsilon_text(self.fixed.epsilon) if self.fixed is not None else None
        return {
            "project": self.project,
            "unit": self.protection.unit,
            "most_rows_per_unit": self.protection.rows,
            **standing(self.account, self.counts),
            "declared": epsilon_text(self.declared.epsilon),
            "fixed": fixed,
            "declared_training_delta": self.declared.training_delta,
            "fixed_training_delta": self.fixed.training_delta if self.fixed is not None else None,
            "shared_with": sorted(self.account.projects - {self.project}),
            "spends": [spend.to_json() for spend in self.account.spends],
        }


def budget_of(workspace: Workspace, project: Project, *, by: Principal) -> PrivacyBudget:
    """What is left of a project's privacy budget.

    Raises
    ------
    PrivacyBudgetMissing, NotFound, PrivacyBookBroken
        As `drawing`.
    """
    allow(workspace, by, "data.examine", data_of(project))
    desk = Desk(workspace, project)
    declared = declared_limit(project)
    snapshot, protection = opened_for_release(desk, None, by=by.counts_as)
    with alone:
        book = book_of(workspace)
        marks = marks_of(project.name, lineage_in(desk, snapshot))
        account = book.open(snapshot.digest, project.name, marks, Fingerprint(columns=(), rows=()))
    return _as_budget(project, declared, account, protection)


def set_budget(
    workspace: Workspace,
    project: Project,
    *,
    epsilon: str | None = None,
    delta: float | None = None,
    training_delta: float | None = None,
    reason: str,
    by: Principal,
) -> PrivacyBudget:
    """Set the budget that counts for a project's dataset. Less is free; more needs a reason, which goes into the ledger.

    What is None stays as it is. The project file still has its say: of both, the smaller counts.

    Raises
    ------
    PrivacyBudgetChanged
        It asks for more and gives no reason.
    InvalidInput
        Not an epsilon.
    """
    allow(workspace, by, "data.set_budget", data_of(project))
    desk = Desk(workspace, project)
    declared = declared_limit(project)
    try:
        amount = millionths(epsilon) if epsilon is not None else None
    except ValueError as error:
        raise InvalidInput(f"{error}.") from None
    for given in (delta, training_delta):
        if given is not None and not 0 <= given <= LARGEST_DELTA:
            raise InvalidInput(f"A delta is from 0 to {LARGEST_DELTA:g}; got {given:g}.")
    snapshot, protection = opened_for_release(desk, None, by=by.counts_as)
    with drawing(desk, snapshot, protection, by=by.counts_as) as draw:
        before = draw.account.limit or declared
        wanted = Limit(
            epsilon=before.epsilon if amount is None else amount,
            delta=before.delta if delta is None else delta,
            training_delta=before.training_delta if training_delta is None else training_delta,
        )
        words = " ".join(reason.split())
        if wanted.asks_more_than(before) and len(words) < _SHORTEST_REASON:
            raise PrivacyBudgetChanged(
                f"{_limit_text(wanted)} asks for more than {_limit_text(before)}, which counts for this dataset. More is"
                ' said about the people in it from then on.\nSay why, for the record: --reason "…"'
            )
        reason = words or _NO_MORE
        workspace.ledger.append_many(
            [budget_entry(snapshot.digest, project.name, wanted, protection.unit, reason=reason, actor=by.counts_as)]
        )
        draw.account.limit = wanted
    return _as_budget(project, declared, draw.account, protection)


def _as_budget(project: Project, declared: Limit, account: Account, protection: Protection) -> PrivacyBudget:
    counts = declared if account.limit is None else declared.no_more_than(account.limit)
    return PrivacyBudget(
        project=project.name,
        declared=declared,
        fixed=account.limit,
        counts=counts,
        account=account,
        protection=protection,
    )


def _limit_text(limit: Limit) -> str:
    return (
        f"epsilon {epsilon_text(limit.epsilon)}"
        + (f" at delta {limit.delta:g}" if limit.delta else "")
        + (f" with deltas of trainings up to {limit.training_delta:g}" if limit.training_delta else "")
    )
