"""The policies we ship can be read, say why, name checks that exist, and grow stricter with the risk."""

import re

import pytest

from sealwright.charter import RiskClass
from sealwright.evidence import class_policy, looser, policy_text, read_policy

CLASSES = list(RiskClass)
TRAINING_FACTS = {  # filed by the pipeline with `fact` and `measured`, not by a suite
    "parity.largest",
    "parity.flips",
    "admission.accepted",
    "confinement.network",
    "confinement.local_sockets",
    "confinement.files",
    "governance.columns_without_basis",
    "governance.columns_of_other_purpose",
    "governance.rows_without_consent",
    "governance.suppressed_rows",
    "governance.days_past_limit",
}


@pytest.mark.parametrize("risk", CLASSES)
def test_every_number_stands_next_to_its_reason(risk: RiskClass) -> None:
    policy = class_policy(risk)
    parts = [*policy.requirements, *policy.suites, *policy.settings, policy.freshness, policy.approvals]
    for part in parts:
        assert len(part.why) > 50, part
    for requirement in policy.requirements:
        assert requirement.who


@pytest.mark.parametrize("risk", CLASSES)
def test_the_file_is_plain_yaml_with_comments_for_people(risk: RiskClass) -> None:
    text = policy_text(risk)
    assert text.startswith(f"# The policy for {risk.value} risk")
    assert "Every number stands next to its reason" in text
    assert not re.search(r"compliant|certif", text, re.IGNORECASE)


def test_more_risk_never_asks_for_less() -> None:
    assert looser(class_policy(RiskClass.LIMITED), class_policy(RiskClass.HIGH)) == ()
    assert looser(class_policy(RiskClass.MINIMAL), class_policy(RiskClass.LIMITED)) == ()
    assert looser(class_policy(RiskClass.MINIMAL), class_policy(RiskClass.HIGH)) == ()


def test_less_risk_asks_for_less() -> None:
    assert {change.what for change in looser(class_policy(RiskClass.HIGH), class_policy(RiskClass.LIMITED))} >= {
        "risk class",
        "suite explanation",
        "approvals",
        "performance.roc_auc",
        "fairness.impact_ratio",
        "confinement.network",
        "freshness",
    }


@pytest.mark.parametrize("risk", CLASSES)
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_check_of_a_policy_exists_for_the_tasks_it_is_asked_of(risk: RiskClass, task: str) -> None:
    from sealwright.assurance import check_names

    known = {*check_names(task), *TRAINING_FACTS}
    asked = {requirement.check for requirement in class_policy(risk).requirements if requirement.applies_to(task)}
    assert asked - known == set()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("risk", CLASSES)
def test_every_task_has_to_show_that_it_is_better_than_guessing(risk: RiskClass, task: str) -> None:
    scores = [
        requirement
        for requirement in class_policy(risk).requirements
        if requirement.check in {"performance.roc_auc", "performance.r2"} and requirement.applies_to(task)
    ]
    assert len(scores) == 1
    assert scores[0].judged_on == "lower"


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("risk", [RiskClass.LIMITED, RiskClass.HIGH])
def test_every_task_has_to_show_an_even_hand(risk: RiskClass, task: str) -> None:
    asked = [
        one for one in class_policy(risk).requirements if one.check.startswith("fairness.") and one.applies_to(task)
    ]
    assert {one.per for one in asked if "crossed" not in one.check and "identity" not in one.check} == {"attribute"}


def test_crossed_groups_are_counted_once_since_no_attribute_owns_them() -> None:
    (asked,) = [one for one in class_policy(RiskClass.HIGH).requirements if "crossed" in one.check]
    assert (asked.per, asked.at_most, asked.min_n) == ("model", 0, 200)
    assert "crossed" in {one.setting for one in class_policy(RiskClass.HIGH).settings}  # or it would not be looked for


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_high_risk_asks_for_no_worse_version_no_fault_under_stress_and_an_even_certainty(task: str) -> None:
    asked = {one.check for one in class_policy(RiskClass.HIGH).requirements if one.applies_to(task)}
    assert asked >= {
        "performance.gain_over_simple_model",
        "performance.gain_over_previous",
        "slices.worse_than_before",
        "slices.changes_beyond_limit",
        "stress.batch_failures",
        "stress.cast_changes",
        "uncertainty.coverage",
        "uncertainty.coverage_gap",
    }
    suites = {one.suite for one in class_policy(RiskClass.HIGH).suites}
    assert suites >= {"stress", "slices", "uncertainty"}


def test_high_risk_needs_two_people_in_two_roles_and_none_of_the_makers() -> None:
    rule = class_policy(RiskClass.HIGH).approvals
    assert (rule.people, rule.distinct_roles) == (2, True)
    assert not {"data_scientist", "ml_engineer", "auditor"} & set(rule.roles)
    assert class_policy(RiskClass.LIMITED).approvals.people == 1
    assert class_policy(RiskClass.MINIMAL).approvals.people == 0


@pytest.mark.parametrize("risk", CLASSES)
def test_a_policy_survives_being_frozen(risk: RiskClass) -> None:
    import json

    from sealwright.kernel import canonical_json

    policy = class_policy(risk)
    back = read_policy(json.loads(canonical_json(policy.to_json())))
    assert back == policy
    assert back.digest == policy.digest
