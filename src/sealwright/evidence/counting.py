"""Do the approvals that were given carry what they are asked to carry?

Answers: which approvals count for this package under this policy, and why do the others not?
Does not answer: are they genuine. They were verified before.
Pure; one approval more never makes it fewer, and order does not matter.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sealwright.evidence.approval_rule import ApprovalRule
from sealwright.evidence.approvals import Approval, Purpose
from sealwright.evidence.people import Standing
from sealwright.kernel import rfc3339

__all__ = ["Counted", "count_approvals"]

_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Which approvals carry a rule, and why the others do not."""

    enough: bool
    by: tuple[Approval, ...]
    refused: tuple[tuple[Approval, str], ...]


def count_approvals(
    rule: ApprovalRule,
    approvals: Collection[Approval],
    *,
    project: str,
    package: str,
    policy: str,
    purpose: Purpose,
    barred: Mapping[str, str],
    people: Mapping[str, Standing] | None,
    now: datetime,
) -> Counted:
    """Do these approvals carry `rule` for this package and policy?

    Parameters
    ----------
    barred : mapping of name to reason
        Whose approval never counts, e.g. {"ada": "trained this model"}. A barred person's key counts under
        no other name either.
    people : mapping of name to Standing, or None
        What the workspace says today. None where only the signed bytes are at hand, as in a package on its way:
        then the enrolment inside each approval decides, and `project` with it, where it is read (`verify_approval`).

    Notes
    -----
    Distinct roles: the largest assignment of distinct people to distinct roles must reach `rule.people`,
    so the order of approvals never matters and one approval more never makes it fewer.
    """
    barred_keys = {people[name].person.public.key_id: why for name, why in barred.items() if people and name in people}
    good: list[Approval] = []
    refused: list[tuple[Approval, str]] = []
    for approval in sorted(approvals, key=lambda one: (one.at, one.statement)):
        if approval.purpose != purpose:
            continue
        why = (
            _misplaced(approval, package, policy)
            or _not_allowed(approval, rule, barred, barred_keys)
            or _not_current(approval, rule, people, project, now)
        )
        if why:
            refused.append((approval, why))
        else:
            good.append(approval)
    chosen = _most_people(_one_each(good), max(rule.people, 1), distinct_roles=rule.distinct_roles)
    return Counted(enough=len(chosen) >= rule.people, by=tuple(chosen), refused=tuple(refused))


def _misplaced(approval: Approval, package: str, policy: str) -> str:
    if approval.package != package:
        return f"it is for another package ({approval.package[:19]}…)"
    if approval.policy != policy:
        return "it was given under another policy; ask again, showing the policy as it is now"
    return ""


def _not_allowed(
    approval: Approval, rule: ApprovalRule, barred: Mapping[str, str], barred_keys: Mapping[str, str]
) -> str:
    if approval.by in barred:
        return f"{approval.by} {barred[approval.by]}"
    if approval.key_id in barred_keys:
        return f"its key belongs to somebody who {barred_keys[approval.key_id]}"
    if approval.role not in rule.roles:
        return f"the role {approval.role} does not count here; those that do: {', '.join(rule.roles)}"
    return ""


def _not_current(
    approval: Approval, rule: ApprovalRule, people: Mapping[str, Standing] | None, project: str, now: datetime
) -> str:
    if approval.at > now + _SKEW:
        return f"it is dated {rfc3339(approval.at)[:10]}, in the future"
    if now - approval.at > timedelta(days=rule.max_age_days):
        return f"it is older than {rule.max_age_days} days"
    if people is None:
        return ""
    today = people.get(approval.by)
    if today is None:
        return f"nobody called {approval.by} is enrolled here"
    if today.person.public.key_id != approval.key_id:
        return f"{approval.by} is enrolled with another key now; ask for a new approval"
    if not today.person.holds(approval.role, project):
        return f"{approval.by} does not hold the role {approval.role} in {project} today"
    return today.problem_at(now)


def _most_people(approvals: Sequence[Approval], people: int, *, distinct_roles: bool) -> list[Approval]:
    """Up to `people` approvals that can stand side by side: one a person, one a key and, if asked, one a role."""
    best: list[Approval] = []
    for place, approval in enumerate(approvals):
        if len(best) >= people:
            break
        rest = [
            other
            for other in approvals[place + 1 :]
            if other.by != approval.by
            and other.key_id != approval.key_id
            and not (distinct_roles and other.role == approval.role)
        ]
        chosen = [approval, *_most_people(rest, people - 1, distinct_roles=distinct_roles)]
        if len(chosen) > len(best):
            best = chosen
    return best


def _one_each(approvals: Sequence[Approval]) -> list[Approval]:
    """The first approval of each person, key and role: more of the same adds nothing."""
    first: dict[tuple[str, str, str], Approval] = {}
    for approval in approvals:
        first.setdefault((approval.by, approval.key_id, approval.role), approval)
    return list(first.values())
