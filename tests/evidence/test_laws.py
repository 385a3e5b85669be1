"""Laws of the gate: nothing that is taken away, made worse or asked in addition ever opens it."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.charter import RiskClass
from sealwright.evidence import Case, Measurement, NotPerformed, Policy, class_policy, decide, read_policy

HIGH = class_policy(RiskClass.HIGH)
CHECKS = [one for one in HIGH.requirements if one.applies_to("binary")]

# how a finding may be spoiled; None leaves it as it is
SPOILS: Sequence[dict[str, Any] | None] = (
    None,
    {"n": 3},
    {"low": None, "high": None},
    {"value": 0.5, "low": 0.2, "high": 0.9},
    {"value": 0.0, "low": -1.0, "high": 1.0},
)
# how a whole record may be spoiled
AGES: Sequence[dict[str, Any]] = (
    {},
    {"settings": {"confidence": 0.8}},
    {"performed_at": timedelta(days=-400)},
    {"performed_at": timedelta(days=2)},
    {"model": "sha256:" + "9" * 64},
)


def _age(record: Any, change: dict[str, Any], now: Any) -> Any:
    made = {name: now + value if isinstance(value, timedelta) else value for name, value in change.items()}
    return replace(record, **made)


@st.composite
def cases(draw: st.DrawFn, make: Any) -> Case:
    """Cases near the border: mostly good, with a few findings, records, people or approvals spoiled."""
    case: Case = make.case()
    for requirement in draw(st.lists(st.sampled_from(CHECKS), max_size=2)):
        attribute = draw(st.sampled_from(["age", "sex"])) if requirement.per == "attribute" else None
        case = make.without_finding(case, requirement.check, attribute)
        spoil = draw(st.sampled_from(SPOILS))
        if spoil is not None:
            case = make.with_finding(case, replace(make.measurement(requirement, attribute), **spoil))
        elif draw(st.booleans()):
            said = NotPerformed(check=requirement.check, why="it was not possible", attribute=attribute)
            case = replace(
                case, records=[replace(one, not_performed=(*one.not_performed, said)) for one in case.records]
            )
    if draw(st.booleans()):
        place, change = draw(st.integers(0, len(case.records) - 1)), draw(st.sampled_from(AGES))
        records = [_age(one, change, case.now) if i == place else one for i, one in enumerate(case.records)]
        case = replace(case, records=records)
    if draw(st.booleans()):  # the same measured twice
        twin = draw(st.sampled_from(list(case.records)))
        twin = replace(
            _age(twin, draw(st.sampled_from(AGES)), case.now), statement=make.digest("twin"), ledger_index=70
        )
        case = replace(case, records=[*case.records, twin], filed=[*case.filed, twin.statement])
    people = draw(st.lists(st.sampled_from(["cora", "bea", "sam", "tom", "rex"]), min_size=1, max_size=4))
    approvals = [
        make.approval(name, HIGH, role=draw(st.sampled_from(make.signers[name].person.roles)), purpose=purpose)
        for name in people
        for purpose in draw(st.sampled_from([["release"], ["policy_change"], ["release", "policy_change"]]))
    ]
    case = replace(case, approvals=approvals if draw(st.booleans()) else case.approvals)
    if draw(st.integers(0, 3)) == 0:
        promised = replace(case.terms[0], ledger_index=draw(st.integers(0, 30)))
        case = replace(case, terms=[promised])
    return case


@pytest.fixture(scope="session")
def near(make: Any) -> Any:
    return cases(make)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_removing_any_finding_never_opens_the_gate(near: Any, data: st.DataObject) -> None:
    case = data.draw(near)
    before = decide(HIGH, case)
    record = data.draw(st.sampled_from(list(case.records)))
    if not record.measurements:
        return
    gone = data.draw(st.integers(0, len(record.measurements) - 1))
    less = replace(record, measurements=tuple(m for i, m in enumerate(record.measurements) if i != gone))
    others = [one for one in case.records if one is not record]
    if any(m.check == record.measurements[gone].check for one in others for m in one.measurements):
        return  # a twin is on file: taking a finding out of a signed statement gives another statement, as below
    if not before.passed:
        assert not decide(HIGH, replace(case, records=[*others, less])).passed


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_removing_any_statement_never_opens_the_gate(near: Any, data: st.DataObject) -> None:
    """Here twins are allowed: the ledger remembers the statement that was left out."""
    case = data.draw(near)
    gone = data.draw(st.sampled_from([*case.records, *case.terms]))
    less = replace(
        case,
        records=[one for one in case.records if one is not gone],
        terms=[one for one in case.terms if one is not gone],
    )
    assert decide(HIGH, case).passed or not decide(HIGH, less).passed


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_adding_a_failure_never_opens_the_gate_and_closes_it(near: Any, make: Any, data: st.DataObject) -> None:
    case = data.draw(near)
    requirement = data.draw(st.sampled_from(CHECKS))
    attribute = data.draw(st.sampled_from(["age", "sex"])) if requirement.per == "attribute" else None
    bad = -1.0 if requirement.at_least is not None else 2.0
    finding = Measurement(
        check=requirement.check, value=bad, low=bad, high=bad, n=9999, unit="share", attribute=attribute
    )
    failed = replace(case.records[0], statement=make.digest("bad"), measurements=(finding,), model=case.subject.model)
    failed = replace(failed, performed_at=case.now, settings={})
    more = replace(case, records=[*case.records, failed], filed=[*case.filed, failed.statement])
    assert not decide(HIGH, more).passed


@st.composite
def tighter(draw: st.DrawFn) -> Policy:
    """HIGH, asking for more in one to three places."""
    said = HIGH.to_json()
    for _ in range(draw(st.integers(1, 3))):
        one = draw(st.sampled_from(said["requirements"]))
        kind = draw(st.sampled_from(["limit", "end", "rows", "tasks", "word", "age", "people", "setting", "more"]))
        if kind == "limit" and one["at_least"] is not None:
            one["at_least"] += draw(st.floats(0, 0.5))
        elif kind == "limit":
            one["at_most"] -= draw(st.floats(0, 0.5))
        elif kind == "end":
            one["judged_on"] = "lower" if one["at_least"] is not None else "upper"
        elif kind == "rows":
            one["min_n"] += draw(st.integers(0, 1000))
        elif kind == "word":
            one["attested_by"] = []
        elif kind == "age":
            said["freshness"]["max_age_days"] = draw(st.integers(1, 180))
        elif kind == "people":
            said["approvals"]["people"] = 3
        elif kind == "setting":
            said["settings"][0]["at_least"] = 0.99
        elif kind == "more" and not any(r["source"] == "project" for r in said["requirements"]):
            said["requirements"].append({**one, "source": "project"})
    return read_policy(said)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_asking_for_more_never_opens_the_gate(near: Any, data: st.DataObject) -> None:
    case = data.draw(near)
    policy = data.draw(tighter())
    case = replace(case, approvals=[replace(one, policy=HIGH.digest) for one in case.approvals])
    under = replace(case, approvals=[replace(one, policy=policy.digest) for one in case.approvals])
    if not decide(HIGH, case).passed:
        assert not decide(policy, under).passed


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_order_does_not_matter(near: Any, data: st.DataObject) -> None:
    case = data.draw(near)
    shuffle = random.Random(data.draw(st.integers(0, 99))).sample

    def mixed(items: Sequence[Any]) -> list[Any]:
        return shuffle(list(items), len(items))

    records = [
        replace(one, measurements=tuple(mixed(one.measurements)), not_performed=tuple(mixed(one.not_performed)))
        for one in mixed(case.records)
    ]
    other = replace(
        case, records=records, approvals=mixed(case.approvals), terms=mixed(case.terms), filed=mixed(case.filed)
    )
    assert decide(HIGH, other).to_json() == decide(HIGH, case).to_json()


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_removing_an_approval_never_opens_the_gate(near: Any, data: st.DataObject) -> None:
    case = data.draw(near)
    gone = data.draw(st.integers(0, len(case.approvals) - 1))
    fewer = replace(case, approvals=[one for i, one in enumerate(case.approvals) if i != gone])
    assert decide(HIGH, case).passed or not decide(HIGH, fewer).passed


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_person_who_leaves_or_is_barred_never_opens_the_gate(near: Any, data: st.DataObject) -> None:
    case = data.draw(near)
    name = data.draw(st.sampled_from(sorted(case.people)))
    gone = {other: standing for other, standing in case.people.items() if other != name}
    barred = {**case.barred, name: "submitted this model"}
    for changed in (replace(case, people=gone), replace(case, barred=barred)):
        assert decide(HIGH, case).passed or not decide(HIGH, changed).passed


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_one_more_promise_never_opens_the_gate_unless_it_is_the_first(
    near: Any, make: Any, data: st.DataObject
) -> None:
    case = data.draw(near)
    late = make.terms(HIGH, "late", index=99, groups=("region",))
    more = replace(case, terms=[*case.terms, late])
    assert decide(HIGH, case).passed or not decide(HIGH, more).passed


def test_the_cases_these_laws_are_tried_on_lie_on_both_sides(near: Any) -> None:
    """A law about gates that never pass, or always do, would say nothing."""
    seen: set[bool] = set()

    @given(near)
    @settings(max_examples=40, deadline=None, database=None, derandomize=True)
    def look(case: Case) -> None:
        seen.add(decide(HIGH, case).passed)

    look()
    assert seen == {True, False}
