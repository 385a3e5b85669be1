"""A rollout goes on when every limit is surely kept, back when one is surely broken, and waits otherwise."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sealwright.pipeline.rollouts_judgement import Observed, Verdict, judge
from sealwright.pipeline.rollouts_statistics import Sample
from sealwright.serving import RolloutSpec

RNG = np.random.default_rng(11)
SCORES = RNG.beta(2, 3, 4_000)


def arm(name: str, **more: Any) -> Observed:
    usual: dict[str, Any] = {
        "arm": name, "number": 1, "share": 5_000, "answered": 4_000, "times": Counter({100: 3_900, 104: 100}), "drawn": 4_000,
        "scores": SCORES, "groups": {"f": (900, 2_000), "m": (940, 2_000)}, "outcomes": Sample.of(np.ones(500) * 0.0 + RNG.normal(size=500)),
    }  # fmt: skip
    return Observed(**(usual | more))


def spec(**more: Any) -> RolloutSpec:
    return RolloutSpec.model_validate({"minutes": 10, "most_minutes": 100, "least_requests": 1_000, **more})


def decide(challenger: Observed, *, minutes: float = 20, champion: Observed | None = None, **more: Any) -> Verdict:
    return judge(champion or arm("champion"), challenger, spec(**more), minutes=minutes)


def state(verdict: Verdict, measure: str) -> str:
    return next(one.state for one in verdict.findings if one.measure == measure)


def test_one_that_does_as_well_goes_on() -> None:
    verdict = decide(arm("challenger"))
    assert (verdict.word, verdict.reasons) == ("promote", [])


@pytest.mark.parametrize(
    ("measure", "changes"),
    [
        ("errors", {"failed": 400}),
        ("latency", {"times": Counter({100: 3_000, 130: 1_000})}),
        ("psi", {"scores": np.clip(SCORES + 0.4, 0, 1)}),
        ("ks", {"scores": np.clip(SCORES + 0.4, 0, 1)}),
    ],
)
def test_one_that_breaks_a_limit_goes_back_at_once(measure: str, changes: dict[str, Any]) -> None:
    """Neither the least time nor the least number of requests is waited for."""
    verdict = decide(arm("challenger", **changes), minutes=0.1, least_requests=1_000_000)
    assert (verdict.word, state(verdict, measure)) == ("roll_back", "broken")
    assert verdict.reasons


def test_time_and_requests_are_waited_for() -> None:
    assert decide(arm("challenger"), minutes=5).word == "hold"
    assert state(decide(arm("challenger"), least_requests=5_000), "requests") == "undecided"


def test_what_was_not_measured_never_lets_it_go_on() -> None:
    few = {"scores": np.zeros(0), "times": Counter(), "outcomes": Sample(0, 0.0, 0.0), "groups": {}}
    limits = {"fairness": {"column": "sex", "favourable": "good"}, "metric": {"name": "repaid"}}
    for name, value in few.items():
        verdict = decide(
            arm("challenger", **{name: value}), limits=limits | {"metric": {"name": "repaid", "margin": 9}}
        )
        assert verdict.word == "hold", name
    nothing = Observed(arm="challenger", number=2)
    assert decide(nothing, minutes=50, limits=limits).word == "hold"


def test_what_cannot_be_judged_in_its_time_goes_back() -> None:
    verdict = decide(Observed(arm="challenger", number=2), minutes=101)
    assert (verdict.word, verdict.reasons[0][:17]) == ("roll_back", "after 101 minutes")


def test_unfair_answers_send_it_back() -> None:
    limits = {"fairness": {"column": "sex", "favourable": "good", "at_least": 0.8}}
    assert decide(arm("challenger"), limits=limits).word == "promote"
    unfair = arm("challenger", groups={"f": (400, 2_000), "m": (900, 2_000)})
    assert state(decide(unfair, limits=limits), "fairness") == "broken"


@pytest.mark.parametrize(
    ("better", "moved", "found"),
    [("higher", -2.0, "broken"), ("higher", 2.0, "kept"), ("lower", 2.0, "broken"), ("lower", -2.0, "kept")],
)
def test_the_business_metric_counts_in_its_own_direction(better: str, moved: float, found: str) -> None:
    outcomes = Sample.of(RNG.normal(moved, 1, 500))
    verdict = decide(
        arm("challenger", outcomes=outcomes), limits={"metric": {"name": "x", "better": better}}, planned_requests=1_000
    )
    assert state(verdict, "metric") == found


def test_parts_that_are_not_those_signed_hold_everything() -> None:
    """Something between the draw and the record takes requests away: nothing that was counted compares."""
    verdict = decide(arm("challenger", drawn=3_000))
    assert (verdict.word, state(verdict, "split")) == ("hold", "undecided")


def test_a_shadow_is_judged_by_agreement_and_not_by_outcomes() -> None:
    shadow = arm("shadow", share=0, compared=1_000, agreed=990, drawn=0, outcomes=Sample(0, 0.0, 0.0))
    limits = {"agreement": 0.9, "metric": {"name": "repaid"}}
    found = judge(arm("champion"), shadow, spec(limits=limits), minutes=20, shadow=True)
    assert found.word == "promote"
    worse = judge(arm("champion"), replace(shadow, agreed=500), spec(limits=limits), minutes=20, shadow=True)
    assert worse.word == "roll_back"


@given(st.integers(0, 4_000), st.integers(0, 400))
def test_more_failures_never_make_the_verdict_better(failed: int, more: int) -> None:
    order = ["roll_back", "hold", "promote"]
    fewer, many = (decide(arm("challenger", failed=count, answered=4_000)).word for count in (failed, failed + more))
    assert order.index(many) <= order.index(fewer)


@pytest.mark.parametrize(
    "said",
    [
        {"steps": [5, 1]},
        {"steps": []},
        {"minutes": 10, "most_minutes": 5},
        {"limits": {"pis": 1}},
        {"steps": [101]},
        {"steps": [100]},
        {"confidence": 1},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RolloutSpec.model_validate(said)
