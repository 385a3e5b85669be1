"""The gate: does what is on file meet the policy? Pure, and the same answer in any order of the evidence.

Answers: what came of every requirement, and may the package be released?
Does not answer: is the evidence genuine (verified before), or is the policy wise (a person signed it).

Laws this keeps, each with a property test: taking evidence away never opens the gate, adding a failure
never opens it, a stricter policy never opens it, fewer approvals never open it. They follow from three
habits: every slot a policy names must be filled, the worst of several measurements counts, and a
statement the ledger knows but the gate was not shown counts as missing.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sealwright.evidence.approval_rule import POLICY_CHANGE_RULE, ApprovalRule
from sealwright.evidence.approvals import Approval, Attestation, Purpose
from sealwright.evidence.case import Case, GateDecision, Terms
from sealwright.evidence.counting import Counted, count_approvals
from sealwright.evidence.judge import judge_requirement, judge_suite
from sealwright.evidence.model import Change, Outcome, Result
from sealwright.evidence.people import Standing
from sealwright.evidence.policy import Policy
from sealwright.evidence.promises import held_to_promises
from sealwright.evidence.resolve import looser

__all__ = ["decide", "settle_terms", "thresholds_first"]

_RELEASE_STEP = "each of them runs: sealwright approve --as NAME --role ROLE --reason WHY"
_CHANGE_STEP = "undo the change and run again, or one of them runs: sealwright approve --policy-change --as NAME --role compliance_officer --reason WHY"


def decide(policy: Policy, case: Case) -> GateDecision:
    """Judge `case` by `policy`: every requirement at once, none left out.

    Parameters
    ----------
    policy : Policy
        The policy in force, from `resolve_policy`.
    case : Case
        The subject, its evidence, the frozen charters, approvals, people and the moment.

    Returns
    -------
    GateDecision
        `results` in the order of the policy: charter, completeness, suites, requirements, approvals.
    """
    records = held_to_promises(case)
    results = [_frozen_first(case), _complete(case)]
    results += [judge_suite(suite, policy, case.subject, records, case.now) for suite in policy.suites]
    attestations = [one for one in case.attestations if _counts(one, case)]
    results += [
        judge_requirement(requirement, policy, case.subject, records, attestations, case.now)
        for requirement in policy.requirements
    ]
    loosened = (*_loosened(policy, case), *_gentler(results))
    counted: list[Approval] = []
    if loosened or policy.departures:
        given = _count(POLICY_CHANGE_RULE, "policy_change", policy, case)
        results.append(_approval_result("approval.policy_change", POLICY_CHANGE_RULE, given, _CHANGE_STEP))
        counted += given.by
    given = _count(policy.approvals, "release", policy, case)
    results.append(_approval_result("approval.release", policy.approvals, given, _RELEASE_STEP))
    counted += given.by
    return GateDecision(
        subject=case.subject,
        policy=policy,
        results=tuple(results),
        loosened=loosened,
        approvals=tuple(counted),
        decided_at=case.now,
        evidence=tuple(sorted(_shown(case))),
    )


def thresholds_first(charter_index: int, result_indexes: Collection[int]) -> bool:
    """True where the charter stands in the ledger before every result that is judged by it.

    The ledger is append-only and its order is signed, so a later clock or an edited date changes nothing.
    No result at all is not "first".
    """
    return bool(result_indexes) and charter_index < min(result_indexes)


def settle_terms(charters: Sequence[Terms], result_indexes: Collection[int], *, released_at: int = -1) -> list[Terms]:
    """Mark the promises a policy need no longer be held against.

    Open are the latest, and each under which a result of the project was seen since the last release. So a
    charter corrected before anything was measured binds nobody, and one that was measured against does,
    until a package has passed a gate after it.

    Parameters
    ----------
    charters : sequence of Terms
        Every charter frozen for a project.
    result_indexes : collection of int
        Ledger indexes of every result filed for the project.
    released_at : int
        Ledger index of the last gate decision that passed; -1 if none did.
    """
    ordered = sorted(charters, key=lambda one: one.ledger_index)
    ends = [one.ledger_index for one in ordered[1:]]
    earlier = [
        replace(one, settled=end < released_at or not any(one.ledger_index < index < end for index in result_indexes))
        for one, end in zip(ordered, ends, strict=False)
    ]
    return [*earlier, *ordered[-1:]]


def _frozen_first(case: Case) -> Result:
    """Objectives and thresholds must have been signed before the results they judge."""
    indexes = [record.ledger_index for record in case.records if record.model == case.subject.model]
    before = [terms for terms in case.terms if thresholds_first(terms.ledger_index, indexes)]
    if before:
        latest = max(before, key=lambda terms: terms.ledger_index)
        outcome, found = (
            Outcome.PASS,
            f"signed at ledger entry {latest.ledger_index}, first result at entry {min(indexes)}",
        )
    elif not case.terms:
        outcome, found = Outcome.MISSING, "no signed charter on file"
    elif not indexes:
        outcome, found = Outcome.NOT_YET, "the charter is signed; no result of this model is on file"
    else:
        first = min(terms.ledger_index for terms in case.terms)
        outcome, found = (
            Outcome.FAIL,
            f"first signed at ledger entry {first}, after the first result at entry {min(indexes)}",
        )
    return Result(
        check="charter.frozen_first",
        outcome=outcome,
        found=found,
        limit="objectives and thresholds are signed before the first result of this model",
        why="A limit chosen after the result is known says nothing about the model.",
        who="business_owner",
        next_step="" if outcome.opens else "freeze the charter, then train and assess a new version: sealwright run",
        source="gate",
    )


def _complete(case: Case) -> Result:
    """The gate must have been shown everything the ledger knows about this model and project."""
    unseen = sorted(set(case.filed) - _shown(case))
    listed = ", ".join(f"{digest[:19]}…" for digest in unseen[:5]) + (" …" if len(unseen) > 5 else "")
    return Result(
        check="evidence.complete",
        outcome=Outcome.MISSING if unseen else Outcome.PASS,
        found=f"{len(unseen)} of {len(set(case.filed))} statements in the ledger are not on file: {listed}"
        if unseen
        else f"all {len(set(case.filed))} statements the ledger knows were looked at",
        limit="every statement the ledger knows is looked at",
        why="Leaving out the one bad result of ten must not help.",
        who="security_officer",
        next_step="restore the database from the same backup as the ledger, then: sealwright gate" if unseen else "",
        source="gate",
    )


def _shown(case: Case) -> set[str]:
    return {
        *(record.statement for record in case.records),
        *(terms.statement for terms in case.terms),
        *(approval.statement for approval in case.approvals),
        *(attestation.statement for attestation in case.attestations),
        *case.others,
    }


def _loosened(policy: Policy, case: Case) -> tuple[Change, ...]:
    """Where `policy` asks for less than any promise under which results were already seen."""
    reasons = {what: why for what, _, _, why in policy.departures}
    found: dict[tuple[str, str, str], Change] = {}
    for one in sorted(case.terms, key=lambda one: (one.ledger_index, one.statement)):
        if one.settled:
            continue
        dropped = sorted(set(one.groups) - set(case.subject.groups))
        groups = [Change(what=f"groups by {name}", before="compared", after="not compared") for name in dropped]
        for change in (*looser(one.policy, policy), *groups):
            place = (change.what, change.before, change.after)
            found.setdefault(place, replace(change, why=reasons.get(change.what, "")))
    return tuple(found.values())


def _gentler(results: Sequence[Result]) -> tuple[Change, ...]:
    """Where what was looked at had been measured more gently than promised, each change once."""
    return tuple(dict.fromkeys(change for one in results for item in one.instances for change in item.gentler))


def _counts(attestation: Attestation, case: Case) -> bool:
    """An attestation counts from the same people an approval would count from."""
    standing = case.people.get(attestation.by)
    return (
        attestation.model == case.subject.model
        and standing is not None
        and standing.person.public.key_id == attestation.key_id
        and standing.person.holds(attestation.role, case.subject.project)
        and not standing.problem_at(case.now)
        and attestation.at <= case.now + timedelta(minutes=5)
        and all(attestation.key_id != _key_of(case.people, name) for name in case.barred)
    )


def _key_of(people: Mapping[str, Standing], name: str) -> str:
    return people[name].person.public.key_id if name in people else ""


def _count(rule: ApprovalRule, purpose: Purpose, policy: Policy, case: Case) -> Counted:
    return count_approvals(
        rule,
        case.approvals,
        project=case.subject.project,
        package=case.subject.package,
        policy=policy.digest,
        purpose=purpose,
        barred=case.barred,
        people=case.people,
        now=case.now,
    )


def _approval_result(check: str, rule: ApprovalRule, counted: Counted, next_step: str) -> Result:
    outcome = Outcome.PASS if counted.enough else Outcome.NOT_YET
    return Result(
        check=check,
        outcome=outcome,
        found=_approvals_found(rule, counted),
        limit=f"approved by {rule.in_words()}" if rule.people else "no approval needed",
        why=rule.why,
        who=" or ".join(rule.roles) if rule.roles else "nobody",
        next_step="" if outcome.opens else next_step,
        source="gate",
    )


def _approvals_found(rule: ApprovalRule, counted: Counted) -> str:
    names = ", ".join(f"{one.by} as {one.role}" for one in counted.by)
    count = f"{len(counted.by)} of {rule.people}" if rule.people else "none needed"
    words = [count + (f": {names}" if names else "")]
    words += list(_refusals(counted))
    return "; ".join(words)


def _refusals(counted: Counted) -> Iterator[str]:
    for approval, why in counted.refused[:10]:
        yield f"not counted: {approval.by} as {approval.role}, because {why}"
