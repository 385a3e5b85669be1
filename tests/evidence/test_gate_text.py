"""What a blocked gate says is reviewed like code: the golden file is its text.

Write it anew with: SEALWRIGHT_UPDATE_GOLDEN=1 pytest tests/evidence/test_gate_text.py
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sealwright.charter import CharterSpec, Objective, RiskClass
from sealwright.evidence import (
    Case,
    GateBlocked,
    NotPerformed,
    Outcome,
    Policy,
    PolicySpec,
    class_policy,
    decide,
    render_gate,
    resolve_policy,
)
from sealwright.kernel import StoppedByPolicy

GOLDEN = Path(__file__).with_name("golden") / "blocked.txt"


def policy() -> Policy:
    spec = PolicySpec.model_validate(
        {
            "overrides": [
                {
                    "check": "robustness.missing_flip_share",
                    "at_most": 0.35,
                    "why": "Applications with gaps go to a person before the model sees them.",
                }
            ]
        }
    )
    objective = Objective(metric="performance.pr_auc", at_least=0.85, why="Below it the old scorecard does as well.")
    charter = CharterSpec(purpose="p", owner="o", risk_class=RiskClass.HIGH, objectives=(objective,))
    return resolve_policy(spec, charter)


def blocked(make: Any) -> tuple[Policy, Case]:
    """One of every outcome that can stand in the way."""
    chosen = policy()
    limits = {one.check: one for one in chosen.requirements}
    case = make.case(
        chosen, approvals=[make.approval("bea", chosen), make.approval("tom", chosen, role="compliance_officer")]
    )
    case = make.without_finding(case, "fairness.selection_gap", "sex")
    gap = limits["fairness.selection_gap"]
    case = make.with_finding(case, make.measurement(gap, "sex", value=0.1712, low=0.061, high=0.2815, n=250))
    case = make.without_finding(case, "performance.pr_auc")
    case = make.without_finding(case, "robustness.noise_flip_share")
    said = NotPerformed(check="robustness.noise_flip_share", why="the rows are too few to disturb")
    promised = {"confidence": 0.95, "reported_at": 0.1, "smallest_group": 30}
    records = []
    for one in case.records:
        one = replace(one, settings={**promised, "smallest_group": 5000 if one.suite == "fairness" else 30})
        if one.suite == "robustness":
            one = replace(one, not_performed=(said,))
        if one.suite == "explanation":
            one = replace(one, model=make.digest("an earlier model"))
        records.append(one)
    terms = [
        make.terms(class_policy("high"), groups=case.subject.groups, settings=promised),
        make.terms(chosen, "charter 2", index=40, groups=case.subject.groups, settings=promised),
    ]
    filed = [*(one.statement for one in (*records, *terms)), make.digest("a result nobody showed")]
    return chosen, replace(case, records=records, terms=terms, filed=filed)


def test_the_text_of_a_blocked_gate(make: Any) -> None:
    chosen, case = blocked(make)
    text = render_gate(decide(chosen, case)) + "\n"
    if os.environ.get("SEALWRIGHT_UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_the_error_carries_every_reason_at_once(make: Any) -> None:
    chosen, case = blocked(make)
    decision = decide(chosen, case)
    error = GateBlocked(decision)
    assert isinstance(error, StoppedByPolicy)
    assert (error.code, error.exit_code, error.decision) == ("gate.blocked", 3, decision)
    for one in decision.blocking:
        assert one.check in str(error)
        assert one.who
        assert one.next_step


def test_the_golden_case_shows_every_outcome_that_blocks(make: Any) -> None:
    chosen, case = blocked(make)
    outcomes = {one.outcome for one in decide(chosen, case).blocking}
    assert outcomes == {one for one in Outcome if not one.opens}


def test_no_line_is_wider_than_a_terminal_and_nothing_claims_compliance(make: Any) -> None:
    chosen, case = blocked(make)
    for everything in (False, True):
        text = render_gate(decide(chosen, case), everything=everything)
        assert max(map(len, text.splitlines())) <= 100
        assert "compliant" not in text


@pytest.mark.parametrize("everything", [False, True])
def test_a_gate_that_passed_says_so_and_lists_what_was_met_on_request(make: Any, everything: bool) -> None:
    decision = decide(class_policy("high"), make.case())
    text = render_gate(decision, everything=everything)
    assert text.startswith(f"german-credit may be released: all {len(decision.results)} requirements are met.")
    assert ("performance.roc_auc" in text) == everything
    assert "not applicable" in text
