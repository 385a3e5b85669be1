"""What a project has to meet follows from its risk class; asking for less is never silent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sealwright.charter import CharterSpec, Objective, RiskClass
from sealwright.evidence import (
    Policy,
    PolicySpec,
    Requirement,
    UseCaseName,
    class_policy,
    looser,
    read_policy,
    resolve_policy,
    use_case,
)
from sealwright.kernel import InvalidInput, VerificationFailed

WHY = "Agreed with the business for this product."


def charter(risk: str = "high", *objectives: Objective) -> CharterSpec:
    return CharterSpec(purpose="p", owner="o", risk_class=RiskClass(risk), objectives=objectives)


def resolved(policy: dict[str, object] | None = None, risk: str = "high", *objectives: Objective) -> Policy:
    return resolve_policy(PolicySpec.model_validate(policy or {}), charter(risk, *objectives))


def requirement(policy: Policy, check: str, source: str = "class") -> Requirement:
    return next(one for one in policy.requirements if (one.check, one.source) == (check, source))


def test_without_a_policy_section_the_class_decides() -> None:
    policy = resolved()
    assert policy == class_policy(RiskClass.HIGH)
    assert policy.departures == ()


def test_a_laxer_class_than_the_charters_is_refused() -> None:
    with pytest.raises(InvalidInput, match="follows from the risk class"):
        resolved({"use": "limited"}, "high")


def test_a_stricter_class_than_the_charters_is_taken() -> None:
    assert resolved({"use": "high"}, "minimal").risk_class is RiskClass.HIGH


def test_tightening_needs_nothing() -> None:
    policy = resolved({"overrides": [{"check": "performance.roc_auc", "at_least": 0.8, "why": WHY}]})
    assert requirement(policy, "performance.roc_auc").at_least == 0.8
    assert policy.departures == ()


@pytest.mark.parametrize("name", ["credit", "hiring", "medical"])
@pytest.mark.parametrize("risk", list(RiskClass))
def test_a_use_only_adds_and_nothing_of_it_can_be_overridden(name: UseCaseName, risk: RiskClass) -> None:
    loose = [
        {"check": one.check, "at_most": 1e6, "why": WHY}
        if one.at_most is not None
        else {"check": one.check, "at_least": -1e6, "why": WHY}
        for one in use_case(name).requirements
    ]
    policy = resolved({"use_case": name, "overrides": loose}, risk.value)
    added = [one for one in policy.requirements if one.source == "use_case"]
    assert [one.model_copy(update={"source": "class"}) for one in added] == list(use_case(name).requirements)
    assert looser(class_policy(risk), resolved({"use_case": name}, risk.value)) == ()
    assert {change.what for change in looser(policy, resolved({}, risk.value))} >= {one.check for one in added} - {
        one.check for one in class_policy(risk).requirements
    }
    assert all(len(one.why) > 50 for one in added)


def test_a_use_asks_for_checks_that_exist_and_in_high_risk_for_more_than_the_class() -> None:
    from sealwright.assurance import check_names

    known = {name for task in ("binary", "multiclass", "regression") for name in check_names(task)}
    high = class_policy(RiskClass.HIGH)
    for name in ("credit", "hiring", "medical"):
        for one in use_case(name).requirements:
            assert one.check in known
            assert not any(other.as_strict_as(one) for other in high.requirements), one.check


def test_an_unknown_use_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValidationError, match="'credit', 'hiring' or 'medical'"):
        resolved({"use_case": "poker"})


@pytest.mark.parametrize(
    ("check", "per"),
    [
        ("fairness.crossed_groups_worse_off", "model"),
        ("fairness.label_gap", "attribute"),
        ("uncertainty.acceptance_gap", "attribute"),
        ("uncertainty.set_size", "model"),
    ],
)
def test_an_added_check_is_asked_of_whom_it_is_about(check: str, per: str) -> None:
    policy = resolved({"overrides": [{"check": check, "at_most": 0, "why": WHY}]}, "minimal")
    assert requirement(policy, check, "project").per == per


def test_loosening_shows_before_after_and_the_reason() -> None:
    policy = resolved({"overrides": [{"check": "fairness.selection_gap", "at_most": 0.3, "why": WHY}]})
    (change,) = policy.changes_below_class
    assert change.what == "fairness.selection_gap"
    assert "at most 0.15" in change.before
    assert "at most 0.3" in change.after
    assert change.why == WHY


@pytest.mark.parametrize("override", [{"judged_on": "value"}, {"min_n": 10}, {"at_least": 0.6499}])
def test_the_end_of_the_interval_and_the_rows_are_part_of_a_limit(override: dict[str, object]) -> None:
    policy = resolved({"overrides": [{"check": "performance.roc_auc", "why": WHY, **override}]})
    assert [change.what for change in policy.changes_below_class] == ["performance.roc_auc"]


def test_an_override_cannot_turn_a_limit_around() -> None:
    with pytest.raises(InvalidInput, match="limited by at_most"):
        resolved({"overrides": [{"check": "fairness.selection_gap", "at_least": 0.0, "why": WHY}]})


def test_an_override_of_an_unknown_check_adds_a_requirement() -> None:
    policy = resolved({"overrides": [{"check": "performance.brier", "at_most": 0.2, "why": WHY}]})
    assert requirement(policy, "performance.brier", "project").at_most == 0.2
    assert policy.departures == ()
    with pytest.raises(InvalidInput, match="needs a limit"):
        resolved({"overrides": [{"check": "performance.brier", "min_n": 5, "why": WHY}]})


def test_an_override_without_a_reason_is_refused() -> None:
    for why in ("", "  because  "):
        with pytest.raises(ValidationError, match="reason"):
            resolved({"overrides": [{"check": "performance.roc_auc", "at_least": 0.8, "why": why}]})


def test_two_overrides_of_one_check_are_refused() -> None:
    one = {"check": "performance.roc_auc", "at_least": 0.8, "why": WHY}
    with pytest.raises(ValidationError, match="named twice"):
        resolved({"overrides": [one, {**one, "at_least": 0.1}]})


def test_more_approvers_may_be_asked_for_never_fewer() -> None:
    assert resolved({"approvals": 3}).approvals.people == 3
    with pytest.raises(InvalidInput, match="never for fewer"):
        resolved({"approvals": 1})
    with pytest.raises(InvalidInput, match="enough roles"):
        resolved({"approvals": 9})


def test_a_project_can_require_more_suites() -> None:
    policy = resolved({"suites": ["fairness", "quality"]}, "minimal")
    assert {one.suite for one in policy.suites} == {"quality", "performance", "fairness"}


def test_objectives_become_requirements_beside_those_of_the_class() -> None:
    auc = Objective(metric="performance.roc_auc", at_least=0.5, why="A modest wish of the business.")
    gap = Objective(metric="fairness.equalised_odds_gap", at_most=0.1, why="Promised to the works council.")
    policy = resolved(None, "high", auc, gap)
    assert requirement(policy, "performance.roc_auc").at_least == 0.65
    assert requirement(policy, "performance.roc_auc", "objective").at_least == 0.5
    assert requirement(policy, "fairness.equalised_odds_gap", "objective").per == "attribute"
    assert policy.departures == ()


def test_dropping_an_objective_is_loosening() -> None:
    wish = Objective(metric="performance.pr_auc", at_least=0.8, why="Promised to the business.")
    assert [change.what for change in looser(resolved(None, "high", wish), resolved())] == ["performance.pr_auc"]


def test_letting_more_people_attest_or_asking_fewer_tasks_is_loosening() -> None:
    one = requirement(resolved(), "robustness.noise_flip_share")
    for change in ({"attested_by": (*one.attested_by, "reviewer")}, {"tasks": ("binary",)}):
        laxer = one.model_copy(update=change)
        assert one.as_strict_as(laxer)
        assert not laxer.as_strict_as(one)
    assert one.model_copy(update={"tasks": ()}).as_strict_as(one)


def test_a_frozen_policy_that_cannot_be_read_stops_everything() -> None:
    broken = class_policy(RiskClass.HIGH).to_json()
    broken["requirements"][0]["at_least"] = 0.5
    with pytest.raises(VerificationFailed, match="frozen policy"):
        read_policy(broken)


LIMITS = st.floats(0, 1, allow_nan=False)
REQUIREMENTS = st.builds(
    Requirement,
    check=st.just("performance.roc_auc"),
    at_least=LIMITS,
    judged_on=st.sampled_from(["value", "lower"]),
    min_n=st.integers(0, 3),
    tasks=st.sampled_from([(), ("binary",), ("binary", "multiclass"), ("regression",)]),
    attested_by=st.sampled_from([(), ("reviewer",), ("reviewer", "auditor")]),
    why=st.just("A reason that is long enough."),
)


@given(REQUIREMENTS, REQUIREMENTS, REQUIREMENTS)
def test_strictness_is_an_order(a: Requirement, b: Requirement, c: Requirement) -> None:
    assert a.as_strict_as(a)
    if a.as_strict_as(b) and b.as_strict_as(c):
        assert a.as_strict_as(c)


@given(REQUIREMENTS, REQUIREMENTS, LIMITS, LIMITS, st.integers(0, 3))
def test_what_meets_the_stricter_meets_the_laxer(
    a: Requirement, b: Requirement, value: float, low: float, n: int
) -> None:
    """The meaning of the order, checked against the judge itself."""
    from datetime import UTC, datetime

    from sealwright.evidence import Measurement, Record, Subject
    from sealwright.evidence.judge import judge_requirement
    from sealwright.kernel import digest_of

    now = datetime(2026, 3, 2, tzinfo=UTC)
    d = digest_of(b"one")
    found = Measurement(check=a.check, value=max(value, low), low=min(value, low), high=1.0, n=n, unit="auc")
    record = Record(statement=d, ledger_index=1, suite="s", model=d, data=d, performed_at=now, measurements=(found,))
    policy = class_policy(RiskClass.HIGH)
    for task in ("binary", "multiclass", "regression"):
        subject = Subject(project="p", package=d, model=d, data=d, task=task)
        outcomes = [judge_requirement(one, policy, subject, [record], [], now).outcome for one in (a, b)]
        if a.as_strict_as(b) and outcomes[0].opens:
            assert outcomes[1].opens


@given(st.data())
def test_changing_any_part_of_a_policy_is_either_stricter_or_shown(data: st.DataObject) -> None:
    before = class_policy(RiskClass.HIGH).to_json()
    after = class_policy(RiskClass.HIGH).to_json()
    place = data.draw(st.integers(0, len(after["requirements"]) - 1))
    choice = data.draw(
        st.sampled_from(["drop requirement", "drop suite", "limit", "fewer people", "drop setting", "older"])
    )
    if choice == "drop requirement":
        del after["requirements"][place]
    elif choice == "drop suite":
        del after["suites"][data.draw(st.integers(0, 4))]
    elif choice == "fewer people":
        after["approvals"]["people"] -= 1
    elif choice == "drop setting":
        del after["settings"][data.draw(st.integers(0, 1))]
    elif choice == "older":
        after["freshness"]["max_age_days"] += 1
    else:
        one = after["requirements"][place]
        if one["at_least"] is not None:
            one["at_least"] -= data.draw(st.floats(0.001, 1))
        else:
            one["at_most"] += data.draw(st.floats(0.001, 1))
    a, b = read_policy(before), read_policy(after)
    assert len(looser(a, b)) == 1
    assert looser(b, a) == ()


def test_every_field_of_the_policy_section_explains_itself_to_an_editor() -> None:
    schema = PolicySpec.model_json_schema()
    for part in (schema, schema["$defs"]["Override"]):
        assert all(len(field.get("description", "")) > 15 for field in part["properties"].values())


def test_the_roles_of_policies_are_those_people_are_enrolled_in() -> None:
    from typing import get_args

    from sealwright.evidence.approval_rule import Role
    from sealwright.trust import ROLES

    assert set(get_args(Role)) == set(ROLES) - {"administrator"}  # who says who holds which role signs for no model
