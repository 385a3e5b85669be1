"""The gate says one of eight things about every requirement, and says why."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sealwright.charter import RiskClass
from sealwright.evidence import (
    Attestation,
    Case,
    GateDecision,
    NotPerformed,
    Outcome,
    Policy,
    PolicySpec,
    Result,
    Terms,
    class_policy,
    decide,
    settle_terms,
    thresholds_first,
)

HIGH = class_policy(RiskClass.HIGH)
AUC = next(one for one in HIGH.requirements if one.check == "performance.roc_auc")
GAP = next(one for one in HIGH.requirements if one.check == "fairness.selection_gap")
NOISE = next(one for one in HIGH.requirements if one.check == "robustness.noise_flip_share")


def result(decision: GateDecision, check: str) -> Result:
    return next(one for one in decision.results if one.check == check and one.source != "objective")


def changed(make: Any, check: str, attribute: str | None = None, **changes: Any) -> Case:
    """The passing case with one finding replaced."""
    requirement = next(one for one in HIGH.requirements if one.check == check)
    case = make.without_finding(make.case(), check, attribute)
    return make.with_finding(case, make.measurement(requirement, attribute, **changes))  # type: ignore[no-any-return]


@pytest.mark.parametrize("risk", list(RiskClass))
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_model_that_meets_everything_passes(make: Any, risk: RiskClass, task: str) -> None:
    policy = class_policy(risk)
    decision = decide(policy, make.case(policy, subject=make.subject(task=task)))
    assert [one.check for one in decision.blocking] == []
    assert decision.passed


def test_a_value_beyond_its_limit_fails_with_number_and_evidence(make: Any) -> None:
    found = result(
        decide(HIGH, changed(make, "fairness.selection_gap", "sex", value=0.2, low=0.1, high=0.3)), GAP.check
    )
    assert found.outcome is Outcome.FAIL
    assert found.found.startswith("sex: 0.2 share (0.1 to 0.3, n 250); age: ")
    assert found.limit == "at most 0.15, n at least 200, for every declared attribute"
    assert found.evidence == (make.digest("statement fairness"),)
    assert (found.who, found.why) == ("data_scientist", GAP.why)
    assert found.next_step.endswith("sealwright run")


def test_the_honest_end_of_the_interval_is_judged(make: Any) -> None:
    good_value = changed(make, AUC.check, value=0.8, low=0.64, high=0.9)
    assert result(decide(HIGH, good_value), AUC.check).outcome is Outcome.FAIL
    upper = changed(make, NOISE.check, value=0.05, low=0.01, high=0.11)
    assert result(decide(HIGH, upper), NOISE.check).outcome is Outcome.FAIL


def test_without_an_interval_its_end_cannot_be_judged(make: Any) -> None:
    found = result(decide(HIGH, changed(make, AUC.check, value=0.9, low=None, high=None)), AUC.check)
    assert found.outcome is Outcome.NOT_PERFORMED
    assert "no interval is given" in found.found


def test_an_interval_that_flatters_the_value_does_not_help(make: Any) -> None:
    assert (
        result(decide(HIGH, changed(make, AUC.check, value=0.5, low=0.7, high=0.9)), AUC.check).outcome is Outcome.FAIL
    )


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_what_is_not_a_number_never_passes(make: Any, value: float) -> None:
    assert not decide(HIGH, changed(make, AUC.check, value=value, low=value, high=value)).passed


def test_too_few_rows_do_not_pass_and_do_not_hide_a_failure(make: Any) -> None:
    few = result(decide(HIGH, changed(make, AUC.check, n=199)), AUC.check)
    assert few.outcome is Outcome.NOT_PERFORMED
    assert "too few rows to say so, 200 are needed" in few.found
    assert result(decide(HIGH, changed(make, AUC.check, n=5, value=0.5)), AUC.check).outcome is Outcome.FAIL


def test_nothing_on_file_is_missing(make: Any) -> None:
    found = result(decide(HIGH, make.without_finding(make.case(), AUC.check)), AUC.check)
    assert (found.outcome, found.found, found.evidence) == (Outcome.MISSING, "no finding on file", ())


def test_an_attribute_without_a_finding_is_missing_even_if_others_have_one(make: Any) -> None:
    found = result(decide(HIGH, make.without_finding(make.case(), GAP.check, "sex")), GAP.check)
    assert found.outcome is Outcome.MISSING
    assert found.found.startswith("sex: no finding on file; age: ")


def test_a_finding_about_one_group_does_not_answer_for_the_model(make: Any) -> None:
    case = make.without_finding(make.case(), AUC.check)
    for about in ({"attribute": "sex"}, {"attribute": "sex", "level": "female"}):
        one = make.with_finding(case, replace(make.measurement(AUC), **about))
        assert result(decide(HIGH, one), AUC.check).outcome is Outcome.MISSING


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "other"}, "another model"),
        ({"data": "other"}, "other data"),
        ({"performed_at": timedelta(days=-181)}, "more than 180 days ago"),
        ({"task": "regression"}, "as a regression model"),
    ],
)
def test_what_was_measured_elsewhere_or_long_ago_is_stale(make: Any, changes: dict[str, Any], words: str) -> None:
    made = {
        name: make.now + value
        if isinstance(value, timedelta)
        else make.digest(value)
        if name in {"model", "data"}
        else value
        for name, value in changes.items()
    }
    case = make.case()
    records = [replace(one, **made) if one.suite == "performance" else one for one in case.records]
    decision = decide(HIGH, replace(case, records=records))
    for check in (AUC.check, "suite.performance"):
        assert result(decision, check).outcome is Outcome.STALE
        assert words in result(decision, check).found


def test_a_date_in_the_future_is_not_yet(make: Any) -> None:
    case = make.case()
    records = [replace(one, performed_at=make.now + timedelta(days=1)) for one in case.records]
    decision = decide(HIGH, replace(case, records=records))
    assert result(decision, AUC.check).outcome is Outcome.NOT_YET
    assert result(decision, "suite.performance").outcome is Outcome.NOT_YET


def test_a_suite_that_says_why_it_could_not_measure_is_quoted(make: Any) -> None:
    case = make.without_finding(make.case(), NOISE.check)
    records = [
        replace(one, not_performed=(NotPerformed(check=NOISE.check, why="the rows are too few to disturb"),))
        if one.suite == "robustness"
        else one
        for one in case.records
    ]
    found = result(decide(HIGH, replace(case, records=records)), NOISE.check)
    assert found.outcome is Outcome.NOT_PERFORMED
    assert "the rows are too few to disturb" in found.found
    assert f"sealwright attest --check {NOISE.check}" in found.next_step


def no_such_thing(make: Any, *, days_ago: int = 0) -> Case:
    """A robustness suite that says: this model has nothing that noise could be put on."""
    case = make.without_finding(make.case(), NOISE.check)
    said = NotPerformed(check=NOISE.check, why="the model takes no numbers", applicable=False)
    return replace(
        case,
        records=[
            replace(one, not_performed=(said,), performed_at=one.performed_at - timedelta(days=days_ago))
            if one.suite == "robustness"
            else one
            for one in case.records
        ],
    )


def test_what_a_model_cannot_have_does_not_apply_to_it(make: Any) -> None:
    found = result(decide(HIGH, no_such_thing(make)), NOISE.check)
    assert (found.outcome, found.found, found.next_step) == (
        Outcome.NOT_APPLICABLE,
        "the model takes no numbers",
        "",
    )


def test_that_there_is_no_such_thing_must_have_been_said_recently(make: Any) -> None:
    found = result(decide(HIGH, no_such_thing(make, days_ago=400)), NOISE.check)
    assert found.outcome is Outcome.STALE


def test_a_check_that_could_not_be_done_outweighs_one_that_does_not_apply(make: Any) -> None:
    case = no_such_thing(make)
    one = next(one for one in case.records if one.suite == "robustness")
    other = replace(
        one, not_performed=(NotPerformed(check=NOISE.check, why="out of time"),), statement="sha256:" + "0" * 64
    )
    for records in ([*case.records, other], [other, *case.records]):
        found = result(decide(HIGH, replace(case, records=records)), NOISE.check)
        assert found.outcome is Outcome.NOT_PERFORMED


def test_a_measurement_on_file_outweighs_that_it_does_not_apply(make: Any) -> None:
    case = make.with_finding(no_such_thing(make), make.measurement(NOISE, None, value=0.9, low=0.8, high=1.0))
    assert result(decide(HIGH, case), NOISE.check).outcome is Outcome.FAIL


def attested(make: Any, **changes: Any) -> Attestation:
    given: dict[str, Any] = {
        "statement": make.digest("attestation"),
        "check": NOISE.check,
        "model": make.digest("model"),
        "by": "sam",
        "key_id": make.signers["sam"].key_id,
        "role": "security_officer",
        "reason": "All inputs are categories.",
        "at": make.now,
    }
    return Attestation(**{**given, **changes})


def attestable(make: Any, *attestations: Attestation, why: str = "no numbers") -> Case:
    case = make.without_finding(make.case(), NOISE.check)
    records = [
        replace(one, not_performed=(NotPerformed(check=NOISE.check, why=why),)) if one.suite == "robustness" else one
        for one in case.records
    ]
    return replace(case, records=records, attestations=attestations)


def test_a_persons_word_stands_in_where_the_policy_allows_it(make: Any) -> None:
    decision = decide(HIGH, attestable(make, attested(make)))
    found = result(decision, NOISE.check)
    assert found.outcome is Outcome.ATTESTED
    assert "sam (security_officer) states: All inputs are categories." in found.found
    assert found.evidence == decision.attested == (make.digest("attestation"),)
    assert decision.passed


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "reviewer"},
        {"check": "admission.accepted"},
        {"model": "sha256:" + "0" * 64},
        {"by": "tom", "role": "compliance_officer"},
        {"key_id": "0" * 64},
        {"by": "nobody"},
        {"at": timedelta(days=1)},
    ],
)
def test_a_word_from_the_wrong_person_or_about_something_else_does_not(make: Any, changes: dict[str, Any]) -> None:
    if "at" in changes:
        changes = {"at": make.now + changes["at"]}
    found = result(decide(HIGH, attestable(make, attested(make, **changes))), NOISE.check)
    assert found.outcome is Outcome.NOT_PERFORMED


def test_whoever_trained_the_model_cannot_attest_under_any_name(make: Any) -> None:
    case = attestable(make, attested(make))
    assert (
        result(decide(HIGH, replace(case, barred={"sam": "trained it"})), NOISE.check).outcome is Outcome.NOT_PERFORMED
    )
    people = {**case.people, "samuel": case.people["sam"]}
    alias = replace(case, people=people, barred={"samuel": "trained it"})
    assert result(decide(HIGH, alias), NOISE.check).outcome is Outcome.NOT_PERFORMED


def test_a_word_counts_only_in_a_role_still_held(make: Any) -> None:
    case = attestable(make, attested(make))
    sam = case.people["sam"]
    moved = {**case.people, "sam": replace(sam, person=replace(sam.person, roles=("reviewer",)))}
    assert result(decide(HIGH, replace(case, people=moved)), NOISE.check).outcome is Outcome.NOT_PERFORMED


def test_a_word_never_stands_in_for_a_failure_or_for_silence(make: Any) -> None:
    failed = replace(changed(make, NOISE.check, value=0.5, low=0.4, high=0.6), attestations=(attested(make),))
    assert result(decide(HIGH, failed), NOISE.check).outcome is Outcome.FAIL
    silent = replace(make.without_finding(make.case(), NOISE.check), attestations=(attested(make),))
    assert result(decide(HIGH, silent), NOISE.check).outcome is Outcome.MISSING
    allowed_nowhere = next(one for one in HIGH.requirements if one.check == "admission.accepted")
    assert allowed_nowhere.attested_by == ()


def test_without_declared_attributes_fairness_is_not_simply_met(make: Any) -> None:
    case = make.case(subject=make.subject(groups=()))
    assert result(decide(HIGH, case), GAP.check).outcome is Outcome.NOT_PERFORMED


def test_a_task_is_asked_what_makes_sense_for_it(make: Any) -> None:
    decision = decide(HIGH, make.case(subject=make.subject(task="regression")))
    assert result(decision, AUC.check).outcome is Outcome.NOT_APPLICABLE
    assert result(decision, "performance.r2").outcome is Outcome.PASS


def test_calling_a_classifier_a_regression_does_not_help(make: Any) -> None:
    honest = make.case()
    renamed = replace(honest, subject=make.subject(task="regression"))
    assert result(decide(HIGH, renamed), "suite.performance").outcome is Outcome.STALE
    assert not decide(HIGH, renamed).passed


def test_a_weaker_setting_does_not_pass_and_does_not_hide_a_failure(make: Any) -> None:
    case = make.case()
    weak = [replace(one, settings={**one.settings, "confidence": 0.8}) for one in case.records]
    found = result(decide(HIGH, replace(case, records=weak)), AUC.check)
    assert found.outcome is Outcome.NOT_PERFORMED
    assert "confidence 0.8, where the policy wants at least 0.95" in found.found
    failed = changed(make, AUC.check, value=0.5)
    weak = [replace(one, settings={"confidence": 0.8}) for one in failed.records]
    assert result(decide(HIGH, replace(failed, records=weak)), AUC.check).outcome is Outcome.FAIL


def test_measuring_again_does_not_erase_a_failure(make: Any) -> None:
    case = changed(make, AUC.check, value=0.5, low=0.4, high=0.6)
    again = replace(
        next(one for one in make.case().records if one.suite == "performance"),
        statement=make.digest("again"),
        ledger_index=90,
    )
    found = result(decide(HIGH, replace(case, records=[*case.records, again])), AUC.check)
    assert found.outcome is Outcome.FAIL
    assert "worst of 2 measurements" in found.found


def test_a_failure_does_not_heal_with_age(make: Any) -> None:
    case = changed(make, AUC.check, value=0.5)
    old = [replace(one, performed_at=make.now - timedelta(days=900)) for one in case.records]
    fresh = [replace(one, statement=make.digest(f"again {one.suite}"), ledger_index=90) for one in make.case().records]
    assert result(decide(HIGH, replace(case, records=[*old, *fresh])), AUC.check).outcome is Outcome.FAIL


def test_of_several_passing_measurements_the_newest_speaks(make: Any) -> None:
    case = make.case()
    again = [replace(one, statement=make.digest(f"again {one.suite}"), ledger_index=50) for one in case.records]
    found = result(decide(HIGH, replace(case, records=[*again, *case.records])), AUC.check)
    assert found.evidence == (make.digest("again performance"),)
    assert "newest of 2 measurements, all within the limit" in found.found


def test_leaving_out_a_statement_the_ledger_knows_is_noticed(make: Any) -> None:
    case = make.case()
    found = result(decide(HIGH, replace(case, filed=[*case.filed, make.digest("the bad one")])), "evidence.complete")
    assert found.outcome is Outcome.MISSING
    assert make.digest("the bad one")[:19] in found.found


@pytest.mark.parametrize(
    ("index", "outcome"), [(3, Outcome.PASS), (9, Outcome.PASS), (10, Outcome.FAIL), (400, Outcome.FAIL)]
)
def test_thresholds_are_signed_before_the_first_result(make: Any, index: int, outcome: Outcome) -> None:
    terms = [make.terms(HIGH, index=index)]
    assert result(decide(HIGH, make.case(terms=terms)), "charter.frozen_first").outcome is outcome


def test_no_charter_is_missing_and_no_result_is_not_yet(make: Any) -> None:
    assert result(decide(HIGH, make.case(terms=[])), "charter.frozen_first").outcome is Outcome.MISSING
    assert result(decide(HIGH, make.case(records=[])), "charter.frozen_first").outcome is Outcome.NOT_YET


def test_order_in_the_ledger_is_what_counts_as_first() -> None:
    assert thresholds_first(3, [4, 9])
    assert not thresholds_first(4, [4, 9])
    assert not thresholds_first(5, [4, 9])
    assert not thresholds_first(3, [])


def loosened() -> Policy:
    from sealwright.charter import CharterSpec
    from sealwright.evidence import resolve_policy

    spec = PolicySpec.model_validate(
        {"overrides": [{"check": AUC.check, "at_least": 0.6, "why": "The old scorecard reaches no more."}]}
    )
    return resolve_policy(spec, CharterSpec(purpose="p", owner="o", risk_class=RiskClass.HIGH))


def test_loosening_after_results_is_shown_and_waits_for_the_compliance_officer(make: Any) -> None:
    policy = loosened()
    frozen = [make.terms(HIGH, groups=("age", "sex"))]
    approvals = [make.approval("cora", policy), make.approval("bea", policy)]
    case = make.case(policy, terms=frozen, approvals=approvals)
    decision = decide(policy, case)
    assert [one.check for one in decision.blocking] == ["approval.policy_change"]
    assert [change.what for change in decision.loosened] == [AUC.check]
    assert decision.loosened[0].why == "The old scorecard reaches no more."
    yes = make.approval("cora", policy, purpose="policy_change")
    assert decide(policy, replace(case, approvals=[*approvals, yes])).passed


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("bea", {"role": "business_owner"}),
        ("tom", {"role": "compliance_officer"}),
        ("cora", {"policy": HIGH.digest}),
        ("cora", {"package": "sha256:" + "1" * 64}),
        ("cora", {"purpose": "release"}),
    ],
)
def test_a_policy_change_takes_the_right_officer_under_the_right_policy(
    make: Any, name: str, changes: dict[str, Any]
) -> None:
    policy = loosened()
    wrong = replace(make.approval(name, policy), **{"purpose": "policy_change", **changes})
    approvals = [make.approval("cora", policy), make.approval("bea", policy), wrong]
    assert (
        result(decide(policy, make.case(policy, approvals=approvals)), "approval.policy_change").outcome
        is Outcome.NOT_YET
    )


def test_below_the_class_an_approval_is_needed_even_when_frozen_so(make: Any) -> None:
    policy = loosened()
    decision = decide(policy, make.case(policy))
    assert decision.loosened == ()
    assert [change.what for change in decision.below_class] == [AUC.check]
    assert [one.check for one in decision.blocking] == ["approval.policy_change"]


def test_approvals_given_under_the_stricter_policy_do_not_carry_the_looser_one(make: Any) -> None:
    policy = loosened()
    old = [
        make.approval("cora", HIGH),
        make.approval("bea", HIGH),
        make.approval("cora", HIGH, purpose="policy_change"),
    ]
    found = result(decide(policy, make.case(policy, approvals=old)), "approval.release")
    assert found.outcome is Outcome.NOT_YET
    assert "under another policy" in found.found


def test_comparing_fewer_groups_than_promised_is_loosening(make: Any) -> None:
    frozen = [make.terms(HIGH, groups=("age", "sex"))]
    decision = decide(HIGH, make.case(subject=make.subject(groups=("age",)), terms=frozen))
    assert [change.what for change in decision.loosened] == ["groups by sex"]
    assert not decision.passed


def terms(make: Any, *indexes: int) -> list[Terms]:
    return [make.terms(HIGH, f"charter {i}", index=i) for i in indexes]


def test_a_promise_binds_while_results_were_seen_under_it_and_nothing_was_released_since(make: Any) -> None:
    def held(results: list[int], released_at: int = -1) -> list[int]:
        settled = settle_terms(terms(make, 30, 10, 20), results, released_at=released_at)
        return [one.ledger_index for one in settled if not one.settled]

    assert held([]) == [30]
    assert held([12]) == [10, 30]
    assert held([12, 25, 31]) == [10, 20, 30]
    assert held([12, 25, 31], released_at=15) == [10, 20, 30]
    assert held([12, 25, 31], released_at=22) == [20, 30]
    assert held([12, 25, 31], released_at=40) == [30]


def test_an_empty_decision_is_no_pass(make: Any) -> None:
    decision = decide(HIGH, make.case())
    assert not replace(decision, results=()).passed


def test_only_three_outcomes_open_the_gate() -> None:
    assert {one.value for one in Outcome} == {
        "pass",
        "fail",
        "missing",
        "stale",
        "not_performed",
        "attested",
        "not_applicable",
        "not_yet",
    }
    assert {one.value for one in Outcome if one.opens} == {"pass", "attested", "not_applicable"}


def test_an_inner_setting_is_limited_for_its_own_suite_alone(make: Any) -> None:
    """Sets that are nearly full cover every group alike; what other suites found is not touched by that."""
    case = make.case()

    def at(coverage: float) -> GateDecision:
        spec = {"confidence": 0.95, "reported_at": 0.1, "crossed": 2, "uncertainty": {"coverage": coverage}}
        terms = [make.terms(HIGH, groups=case.subject.groups, settings=spec)]
        return decide(HIGH, replace(case, terms=terms, records=[replace(one, settings=spec) for one in case.records]))

    full = result(at(0.99), "uncertainty.coverage_gap")
    assert full.outcome is Outcome.NOT_PERFORMED
    assert "uncertainty.coverage 0.99, where the policy wants at least 0.8 and at most 0.95" in full.found
    assert result(at(0.99), "performance.roc_auc").outcome is Outcome.PASS
    assert at(0.9).passed


def test_attributes_that_are_not_crossed_leave_the_question_open(make: Any) -> None:
    case = make.case()
    spec = {"confidence": 0.95, "reported_at": 0.1, "crossed": 1}
    said = NotPerformed(check="fairness.crossed_groups_worse_off", why="assurance.crossed is 1", applicable=False)
    records = [replace(one, settings=spec, not_performed=(said,)) for one in case.records]
    without = make.without_finding(replace(case, records=records), "fairness.crossed_groups_worse_off")
    assert not result(decide(HIGH, without), "fairness.crossed_groups_worse_off").outcome.opens
