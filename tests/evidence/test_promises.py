"""Findings that pass because less was tried: the gate sees which setting was loosened, and waits for the officer.

Threats, each by its name: a loosened attack budget, skipped groups, narrowed intervals, a dropped expectation, an attacker
who may change nothing, settings nobody can compare.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.assurance import HARDER, AssuranceSpec
from sealwright.charter import RiskClass
from sealwright.evidence import (
    Attestation,
    Case,
    Change,
    GateDecision,
    Measuring,
    NotPerformed,
    Outcome,
    class_policy,
    decide,
    gentler,
    render_gate,
)
from sealwright.kernel import canonical_json

HIGH = class_policy(RiskClass.HIGH)
MEASURING = Measuring(harder=HARDER, defaults=AssuranceSpec().model_dump(mode="json"))
AGE = {"column": "age", "expect": "same"}
INCOME = {"column": "income", "expect": "rises"}
PROMISED: dict[str, Any] = {
    "confidence": 0.99,
    "groups": ["sex", {"age": [26]}],
    "expectations": [AGE, INCOME],
    "claimed_privacy": {"epsilon": 3},
    "costs": {"bad": {"good": 5}},
}


def spec(**section: Any) -> dict[str, Any]:
    """The whole `assurance` section as it stands in a statement, where it is not `PROMISED`."""
    written = AssuranceSpec.model_validate({**PROMISED, **section}).model_dump(mode="json")
    read: dict[str, Any] = json.loads(canonical_json(written))
    return read


def measured(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != "suites"}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    return list(gentler(before, measured(after), ("sex", "age"), MEASURING))


def case(make: Any, *, under: Mapping[str, Any], frozen: Mapping[str, Any] | None = None, **more: Any) -> Case:
    """A case that passes in everything, measured `under` some settings while others were `frozen`."""
    made: Case = make.case(
        terms=[make.terms(HIGH, groups=("age", "sex"), settings=frozen)], measuring=MEASURING, **more
    )
    suites = {one.suite for one in HIGH.suites}
    return replace(
        made,
        records=[replace(one, settings=measured(under) if one.suite in suites else {}) for one in made.records],
    )


def loosened(decision: GateDecision) -> list[tuple[str, str, str]]:
    return [(one.what, one.before, one.after) for one in decision.loosened]


def test_measured_as_promised_the_gate_passes(make: Any) -> None:
    decision = decide(HIGH, case(make, under=spec(), frozen=spec()))
    assert decision.passed
    assert decision.loosened == ()


@pytest.mark.parametrize(
    ("section", "seen"),
    [
        ({"attacks": {"budgets": [0.01], "reported_budget": 0.01}}, ("assurance.attacks.reported_budget", "1", "0.01")),
        ({"attacks": {"rows": 20}}, ("assurance.attacks.rows", "200", "20")),
        ({"attacks": {"queries": 20}}, ("assurance.attacks.queries", "150", "20")),
        ({"smallest_group": 5000}, ("assurance.smallest_group", "30", "5000")),
        ({"confidence": 0.95}, ("assurance.confidence", "0.99", "0.95")),
        ({"bootstrap": 200}, ("assurance.bootstrap", "1000", "200")),
        ({"threshold": 0.9}, ("assurance.threshold", "0.5", "0.9")),
        ({"expectations": [AGE]}, ("assurance.expectations", "income", "taken out")),
        ({"expectations": [AGE, {**INCOME, "tolerance": 1}]}, ("assurance.expectations", "income", "taken out")),
        ({"constraints": {"income": {"fixed": True}}}, ("assurance.constraints.income", "not set", '"fixed": true')),
        ({"groups": ["sex", {"age": [99]}]}, ("assurance.groups", "26", "99")),
        ({"groups": ["sex"]}, ("assurance.groups", "26", '["sex"]')),
        ({"claimed_privacy": None}, ("assurance.claimed_privacy", '"epsilon": 3', "not set")),
        ({"claimed_privacy": {"epsilon": 30}}, ("assurance.claimed_privacy.epsilon", "3", "30")),
        ({"costs": {"bad": {"good": 1}}}, ("assurance.costs.bad.good", "5", "1")),
        ({"budget": {"seconds": 1}}, ("assurance.budget.seconds", "not set", "1")),
        ({"stress": {"breaks_at": {"flip_share": 1}}}, ("assurance.stress.breaks_at.flip_share", "0.1", "1")),
        ({"stress": {"beyond": [0.1, 1, 10]}}, ("assurance.stress.beyond", "1e+30", "[0.1, 1, 10]")),
    ],
    ids=lambda one: ".".join(one) if isinstance(one, dict) else "",
)
def test_trying_less_is_shown_and_waits_for_the_compliance_officer(
    make: Any, section: dict[str, Any], seen: tuple[str, str, str]
) -> None:
    given = case(make, under=spec(**section), frozen=spec())
    decision = decide(HIGH, given)
    assert [one.check for one in decision.blocking] == ["approval.policy_change"]
    assert "undo the change and run again" in decision.blocking[0].next_step
    (found,) = [one for one in loosened(decision) if one[0].startswith(seen[0])]
    assert seen[1] in found[1]
    assert seen[2] in found[2]
    assert seen[0] in render_gate(decision)
    yes = make.approval("cora", HIGH, purpose="policy_change")
    assert decide(HIGH, replace(given, approvals=[*given.approvals, yes])).passed


@pytest.mark.parametrize(
    "section",
    [
        {"attacks": {"rows": 500, "queries": 500, "reported_budget": 2.0, "moved_by": 0.2}},
        {"depth": "full"},
        {"bootstrap": 5000},
        {"budget": {"rows": 200_000, "repeats": 20}},
        {"expectations": [INCOME, AGE, {"column": "debt", "expect": "falls"}]},
        {"slices": [{"where": {"housing": "rent"}}]},
        {"noise": [0.05, 0.1, 0.2, 0.25, 0.5]},
        {"claimed_privacy": {"epsilon": 1}},
        {"stress": {"breaks_at": {"flip_share": 0.05}}},
    ],
    ids=lambda one: ".".join(one),
)
def test_trying_harder_needs_nobodys_leave(make: Any, section: dict[str, Any]) -> None:
    assert decide(HIGH, case(make, under=spec(**section), frozen=spec())).passed
    assert not decide(HIGH, case(make, under=spec(), frozen=spec(**section))).passed, "and the way back is a loosening"


def test_a_claim_that_private_training_brings_is_no_loosening() -> None:
    """What is judged against the guarantee a training states was promised before that training."""
    assert changes(spec(claimed_privacy=None), spec(claimed_privacy={"epsilon": 8, "delta": 1e-5})) == []
    assert changes(spec(), spec(claimed_privacy={"epsilon": 2, "delta": 1e-5})) != []


def test_more_questions_are_less_if_they_are_limited_at_all() -> None:
    assert changes(spec(budget={"seconds": 60}), spec()) == []
    assert changes(spec(budget={"seconds": 60}), spec(budget={"seconds": 600})) == []
    assert changes(spec(), spec(budget={"seconds": 600})) != []


def test_other_cut_points_for_a_column_that_was_compared_as_it_is_count_and_a_new_column_does_not() -> None:
    """A sensitive number is compared by quarters, though `groups` does not name it."""
    assert changes(spec(groups=None), spec(groups=[{"age": [99]}]))
    assert not changes(spec(groups=None), spec(groups=["sex", {"income": [1000]}]))


def test_a_setting_nobody_decided_on_counts_whichever_way_it_changes() -> None:
    for before, after in ((1, 2), (2, 1), (None, 1), ([1], [1, 2]), ("a", "b"), ({"a": 1}, {"a": 2})):
        assert list(gentler({"new": before}, {"new": after}, (), MEASURING)), (before, after)


def test_knowing_no_way_every_change_counts(make: Any) -> None:
    harder = case(make, under=spec(attacks={"rows": 500}), frozen=spec())
    assert not decide(HIGH, replace(harder, measuring=Measuring())).passed


def test_a_setting_that_an_older_charter_does_not_name_had_its_usual_value(make: Any) -> None:
    older = spec()
    del older["attacks"]["rows"]
    assert decide(HIGH, case(make, under=spec(), frozen=older)).passed
    decision = decide(HIGH, case(make, under=spec(attacks={"rows": 20}), frozen=older))
    assert loosened(decision) == [("assurance.attacks.rows", "200", "20")]


def test_a_charter_that_holds_its_settings_by_digest_alone_cannot_be_compared_and_waits(make: Any) -> None:
    decision = decide(HIGH, case(make, under=spec(), frozen=None))
    assert [one.check for one in decision.blocking] == ["approval.policy_change"]
    assert [one.what for one in decision.loosened] == ["assurance"]


def test_a_suite_that_hides_its_settings_is_seen(make: Any) -> None:
    decision = decide(HIGH, case(make, under={}, frozen=spec()))
    assert ("assurance.confidence", "0.99", "not set") in loosened(decision)
    assert not decision.passed


def test_a_suite_that_was_set_gently_is_seen_even_if_no_measure_of_it_is_limited(make: Any) -> None:
    only_run = HIGH.model_copy(update={"requirements": ()})
    given = case(make, under=spec(explanation={"rows": 20}), frozen=spec())
    assert ("assurance.explanation.rows", "200", "20") in loosened(decide(only_run, given))


def test_measuring_as_promised_again_heals_it(make: Any) -> None:
    gentle = case(make, under=spec(smallest_group=5000), frozen=spec())
    again = [
        replace(one, settings=measured(spec()), statement=make.digest(f"again {one.suite}"), ledger_index=90 + place)
        for place, one in enumerate(gentle.records)
    ]
    assert decide(HIGH, replace(gentle, records=[*gentle.records, *again])).passed


def test_a_gentle_measurement_fills_no_gap_that_the_promised_one_left(make: Any) -> None:
    """Skipped groups, the other way about: what the promised settings could not measure, gentler ones did."""
    check = "fairness.selection_gap"
    gentle = case(make, under=spec(smallest_part=1), frozen=spec())
    strict = [
        replace(
            one,
            settings=measured(spec()),
            statement=make.digest(f"strict {one.suite}"),
            ledger_index=90 + place,
            measurements=tuple(m for m in one.measurements if m.check != check),
            not_performed=(NotPerformed(check=check, why="too few rows"),) if one.suite == "fairness" else (),
        )
        for place, one in enumerate(gentle.records)
    ]
    decision = decide(HIGH, replace(gentle, records=[*gentle.records, *strict]))
    assert [one.check for one in decision.blocking] == ["approval.policy_change"]
    assert loosened(decision) == [("assurance.smallest_part", "10", "1")]


def test_skipped_groups_are_not_made_good_by_a_persons_word(make: Any) -> None:
    """What could not be measured because of loosened settings was not really tried; a word on it does not hide that."""
    check = next(one for one in HIGH.requirements if one.attested_by == ("compliance_officer",) and one.per == "model")
    policy = HIGH.model_copy(update={"suites": ()})
    given = make.without_finding(case(make, under=spec(smallest_group=5000), frozen=spec()), check.check)
    said = NotPerformed(check=check.check, why="the groups are too small")
    records = [replace(one, not_performed=(said,)) for one in given.records if check.check.startswith(one.suite)]
    word = Attestation(
        statement=make.digest("word"),
        check=check.check,
        model=given.subject.model,
        by="cora",
        key_id=make.signers["cora"].key_id,
        role="compliance_officer",
        reason="There are no such groups.",
        at=given.now,
    )
    for words, outcome in (([], Outcome.NOT_PERFORMED), ([word], Outcome.ATTESTED)):
        one = policy.model_copy(update={"requirements": (check,)})
        decision = decide(one, replace(given, records=records, attestations=words))
        assert [item.outcome for item in decision.results if item.check == check.check] == [outcome]
        assert ("assurance.smallest_group", "30", "5000") in loosened(decision)


def test_a_promise_that_a_release_settled_no_longer_binds(make: Any) -> None:
    given = case(make, under=spec(smallest_group=5000), frozen=spec())
    now = make.terms(HIGH, "later", index=5, groups=("age", "sex"), settings=spec(smallest_group=5000))
    (old,) = given.terms
    assert not decide(HIGH, replace(given, terms=[old, now])).passed
    assert decide(HIGH, replace(given, terms=[replace(old, settled=True), now])).passed


def test_other_models_and_what_is_no_suite_are_left_alone(make: Any) -> None:
    given = case(make, under=spec(), frozen=spec())
    other = replace(
        given.records[0], statement=make.digest("other"), model=make.digest("other"), settings={"confidence": 0.5}
    )
    assert decide(HIGH, replace(given, records=[*given.records, other])).passed
    stale = [replace(one, model=make.digest("other"), settings={"confidence": 0.5}) for one in given.records]
    assert decide(HIGH, replace(given, records=stale)).loosened == ()
    assert {one.suite for one in given.records} - {one.suite for one in HIGH.suites}, (
        "parity and the like have no settings"
    )


def test_what_is_too_long_to_show_is_named_by_its_digest() -> None:
    words = {f"word{n}": ["other"] for n in range(100)}
    (one, *_) = changes(spec(), spec(legitimate="x" * 500))
    assert len(one.after) < 260
    assert "sha256:" in one.after
    assert len(changes(spec(), spec(text={"synonyms": words}))) == 100


_NUMBERS = st.integers(1, 1000)


@given(_NUMBERS, _NUMBERS, st.sampled_from(sorted(name for name, way in HARDER.items() if way in {"more", "less"})))
def test_of_two_different_numbers_exactly_one_way_is_a_loosening(a: int, b: int, name: str) -> None:
    def at(value: int) -> dict[str, Any]:
        nested: Any = value
        for part in reversed(name.split(".")):
            nested = {part: nested}
        return dict(nested)

    there, back = (list(gentler(at(x), at(y), (), MEASURING)) for x, y in ((a, b), (b, a)))
    assert len(there) + len(back) == (a != b)
