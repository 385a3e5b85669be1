"""From a risk class and a project file to the one policy that decides, and how two policies compare.

Answers: what does this project have to meet, and where is that less than before or less than its class?
Does not answer: may it be less? A compliance officer signs for that, or it may not.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import ValidationError

from sealwright.charter import CharterSpec, Objective, RiskClass
from sealwright.evidence.approval_rule import ApprovalRule
from sealwright.evidence.model import Change
from sealwright.evidence.policy import (
    Override,
    Policy,
    PolicySpec,
    RequiredSuite,
    Requirement,
    UseCase,
    UseCaseName,
)
from sealwright.kernel import InvalidInput, VerificationFailed, strict_yaml

__all__ = [
    "class_policy",
    "in_words",
    "looser",
    "policy_text",
    "read_policy",
    "resolve_policy",
    "use_case",
    "use_case_text",
]


@cache
def class_policy(risk_class: RiskClass | str) -> Policy:
    """The policy this release ships for a risk class, as its YAML file says."""
    return Policy.model_validate(strict_yaml(policy_text(risk_class), what=f"{risk_class}.yaml").value)


def policy_text(risk_class: RiskClass | str) -> str:
    """The YAML file of a risk class's policy, comments and all, for people to read."""
    place = files("sealwright.evidence").joinpath("policies", f"{RiskClass(risk_class).value}.yaml")
    return place.read_text(encoding="utf-8")


def read_policy(value: object) -> Policy:
    """A policy as it was frozen in a charter statement.

    Raises
    ------
    VerificationFailed
        Not a policy this release can read: it cannot be compared, so nothing may rest on it.
    """
    try:
        return Policy.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise VerificationFailed(
            f"The frozen policy cannot be read at {place}: {first['msg']}.", link="charter"
        ) from None


@cache
def use_case(name: UseCaseName) -> UseCase:
    """What this release adds to a policy for a use, as its YAML file says."""
    return UseCase.model_validate(strict_yaml(use_case_text(name), what=f"{name}.yaml").value)


def use_case_text(name: UseCaseName) -> str:
    """The YAML file of a use, comments and all, for people to read."""
    place = files("sealwright.evidence").joinpath("policies", "uses", f"{name}.yaml")
    return place.read_text(encoding="utf-8")


def resolve_policy(spec: PolicySpec, charter: CharterSpec) -> Policy:
    """The policy a project is judged by: its class, its use, its overrides, its objectives.

    Raises
    ------
    InvalidInput
        The policy section names a laxer class than the charter, fewer approvers than the class, or an
        override that turns a lower limit into an upper one.
    """
    use = spec.use or charter.risk_class
    if use.rank < charter.risk_class.rank:
        raise InvalidInput(
            f"The charter says risk class {charter.risk_class.value}, the policy section asks for {use.value}.\n"
            f"What is required follows from the risk class: remove policy.use, or set it to {charter.risk_class.value}."
        )
    default = class_policy(use)
    if spec.approvals is not None and spec.approvals < default.approvals.people:
        raise InvalidInput(
            f"policy.approvals is {spec.approvals}; risk class {use.value} asks for {default.approvals.people}. "
            "A project can ask for more people, never for fewer."
        )
    people = default.approvals.people if spec.approvals is None else spec.approvals
    suites = {one.suite for one in default.suites}
    try:
        policy = Policy(
            format=1,
            risk_class=use,
            summary=default.summary,
            suites=(
                *default.suites,
                *(
                    RequiredSuite(suite=s, why="Required by this project.")
                    for s in dict.fromkeys(spec.suites)
                    if s not in suites
                ),
            ),
            freshness=default.freshness,
            settings=default.settings,
            approvals=_asked(default.approvals, people),
            requirements=tuple(_requirements(default, spec, charter.objectives)),
        )
    except ValidationError as error:
        raise InvalidInput(f"The policy section does not fit together: {error.errors()[0]['msg']}.") from None
    reasons = {override.check: override.why for override in spec.overrides}
    below = [(c.what, c.before, c.after, reasons.get(c.what, "")) for c in looser(default, policy)]
    return policy.model_copy(update={"departures": tuple(below)})


def looser(before: Policy, after: Policy) -> tuple[Change, ...]:
    """Every place where `after` asks for less than `before`, or for something that cannot be compared.

    A requirement of `before` is kept if some requirement of `after` is at least as strict in every respect:
    limit, end of the interval, rows, tasks, and who may attest. Reasons and addressees may change freely.
    """
    return tuple(_looser(before, after))


def in_words(requirement: Requirement) -> str:
    """A limit as people read it: "at least 0.65, on the lower end of its interval, n at least 200"."""
    words = "at least" if requirement.at_least is not None else "at most"
    end = "" if requirement.judged_on == "value" else f", on the {requirement.judged_on} end of its interval"
    rows = f", n at least {requirement.min_n}" if requirement.min_n else ""
    each = ", for every declared attribute" if requirement.per == "attribute" else ""
    return f"{words} {requirement.limit:g}{end}{rows}{each}"


def _looser(before: Policy, after: Policy) -> Iterator[Change]:
    if after.risk_class.rank < before.risk_class.rank:
        yield Change(what="risk class", before=before.risk_class.value, after=after.risk_class.value)
    kept = {one.suite for one in after.suites}
    for suite in before.suites:
        if suite.suite not in kept:
            yield Change(what=f"suite {suite.suite}", before="required", after="not required")
    for limit in before.settings:
        if not any(one.as_strict_as(limit) for one in after.settings):
            yield Change(what=f"setting {limit.setting}", before="limited", after="limited less or not at all")
    if after.freshness.max_age_days > before.freshness.max_age_days:
        days = before.freshness.max_age_days, after.freshness.max_age_days
        yield Change(what="freshness", before=f"{days[0]} days", after=f"{days[1]} days")
    if not after.approvals.as_strict_as(before.approvals):
        yield Change(what="approvals", before=before.approvals.in_words(), after=after.approvals.in_words())
    for old in before.requirements:
        if not any(new.as_strict_as(old) for new in after.requirements):
            nearest = next(
                (new for new in after.requirements if (new.check, new.tasks) == (old.check, old.tasks)), None
            )
            yield Change(what=old.check, before=in_words(old), after=in_words(nearest) if nearest else "not required")


def _requirements(default: Policy, spec: PolicySpec, objectives: tuple[Objective, ...]) -> Iterator[Requirement]:
    by_check = {override.check: override for override in spec.overrides}
    known = {one.check: one for one in default.requirements}
    for requirement in default.requirements:
        yield _changed(requirement, by_check[requirement.check]) if requirement.check in by_check else requirement
    for added in use_case(spec.use_case).requirements if spec.use_case else ():
        yield added.model_copy(update={"source": "use_case"})  # beside the class's own: both must be met
    for check, override in by_check.items():
        if check not in known:
            yield _added(override)
    for objective in objectives:
        yield _wanted(objective, known.get(objective.metric))


def _asked(rule: ApprovalRule, people: int) -> ApprovalRule:
    """The class's rule for as many people as the project asks for."""
    try:
        return replace(rule, people=people)
    except ValueError as error:
        raise InvalidInput(f"policy.approvals does not fit the class: {error}.") from None


def _changed(requirement: Requirement, override: Override) -> Requirement:
    """The class's requirement with the project's limits. Its direction stays."""
    wrong = override.at_most if requirement.at_least is not None else override.at_least
    if wrong is not None:
        side = "at_least" if requirement.at_least is not None else "at_most"
        raise InvalidInput(
            f"policy.overrides: {override.check} is limited by {side} in the class; change that number instead."
        )
    said = {
        name: value
        for name in ("at_least", "at_most", "judged_on", "min_n")
        if (value := getattr(override, name)) is not None
    }
    return Requirement.model_validate({**requirement.model_dump(), **said})


def _added(override: Override) -> Requirement:
    if override.at_least is None and override.at_most is None:
        raise InvalidInput(
            f"policy.overrides: {override.check} is not in the class, so it needs a limit: give at_least or at_most."
        )
    return Requirement(
        check=override.check,
        at_least=override.at_least,
        at_most=override.at_most,
        judged_on=override.judged_on or "value",
        min_n=override.min_n or 0,
        per=_per(override.check),
        why=override.why,
        source="project",
    )


def _wanted(objective: Objective, like: Requirement | None) -> Requirement:
    return Requirement(
        check=objective.metric,
        at_least=objective.at_least,
        at_most=objective.at_most,
        judged_on=objective.judged_on,
        per=like.per if like else _per(objective.metric),
        why=f"Objective of the charter: {objective.why}",
        source="objective",
    )


_ONCE = {"fairness.crossed_groups_worse_off"}  # attributes crossed: one count for all of them
_EACH = {"uncertainty.coverage_gap", "uncertainty.adaptive_coverage_gap", "uncertainty.acceptance_gap"}


def _per(check: str) -> Literal["model", "attribute"]:
    """Fairness and gaps of uncertainty are measured for each declared attribute, everything else once for the model."""
    if check in _ONCE:
        return "model"
    return "attribute" if check.startswith("fairness.") or check in _EACH else "model"
