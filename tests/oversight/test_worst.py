"""What to know first: what is missed before what is unknown, before what rows do not rule out, before what is near."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sealwright.oversight.report.worst import worst_findings

SUITES = ("performance", "fairness", "robustness")


def _limit(check: str, at_least: float | None = None, at_most: float | None = None) -> dict[str, Any]:
    return {"check": check, "at_least": at_least, "at_most": at_most}


def _result(check: str, *instances: dict[str, Any], outcome: str = "pass", found: str = "?") -> dict[str, Any]:
    return {"check": check, "outcome": outcome, "found": found, "instances": list(instances)}


def _one(value: float | None, low: float | None = None, high: float | None = None, **more: Any) -> dict[str, Any]:
    return {
        "outcome": "pass", "found": "?", "attribute": None, "value": value, "low": low, "high": high, "n": 200, **more
    }  # fmt: skip


POLICY = {
    "requirements": [
        _limit("fairness.selection_gap", at_most=0.15),
        _limit("fairness.impact_ratio", at_least=0.8),
        _limit("performance.roc_auc", at_least=0.65),
        _limit("robustness.missing_no_answer_share", at_most=0.0),
        _limit("performance.calibration_error", at_most=0.1),
        _limit("approval.release", at_least=2),
    ]
}


def test_missed_unknown_unsure_near_in_this_order_and_in_words() -> None:
    found = worst_findings(
        [
            _result("performance.calibration_error", _one(0.09, 0.05, 0.095)),
            _result("fairness.impact_ratio", _one(0.9, 0.7, 1.1, attribute="sex")),
            _result("performance.roc_auc", outcome="missing", found="no suite on file"),
            _result(
                "fairness.selection_gap",
                _one(0.05, 0.0, 0.1, attribute="sex"),
                _one(0.3, 0.2, 0.4, attribute="age", outcome="fail"),
                outcome="fail",
            ),
        ],
        POLICY,
        SUITES,
    )
    assert [one.kind for one in found] == ["fail", "unknown", "unsure", "near"]
    assert [one.words for one in found] == [
        "Selection gap by age is 0.300 (0.200 to 0.400, 200 rows); asked for is at most 0.150.",
        "ROC AUC could not be judged: no suite on file.",
        (
            "Impact ratio by sex is 0.900 (0.700 to 1.100, 200 rows). It keeps its limit of at least 0.800,"
            " but these rows do not rule out 0.700."
        ),
        "Calibration error is 0.090 (0.050 to 0.095, 200 rows), within its limit of at most 0.100.",
    ]


def test_none_of_n_rows_is_not_called_unsure_since_no_number_of_rows_rules_out_one() -> None:
    (only,) = worst_findings([_result("robustness.missing_no_answer_share", _one(0.0, 0.0, 0.02))], POLICY, SUITES)
    assert (only.kind, only.used) == ("near", 0.0)


def test_what_people_must_do_is_left_to_the_gate() -> None:
    assert worst_findings([_result("approval.release", outcome="not_yet")], POLICY, SUITES) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.randoms())
def test_at_most_five_the_most_used_up_first_in_whatever_order_they_come(values: list[float], random: Any) -> None:
    limits = [_limit(f"fairness.gap_{place}", at_most=0.5) for place in range(len(values))]
    results = [
        _result(f"fairness.gap_{place}", _one(value, outcome="fail" if value > 0.5 else "pass"))
        for place, value in enumerate(values)
    ]
    first = worst_findings(results, {"requirements": limits}, SUITES)
    random.shuffle(results)
    assert worst_findings(results, {"requirements": limits}, SUITES) == first
    assert len(first) == min(5, len(values))
    assert [one.used for one in first] == sorted((one.used for one in first), reverse=True)
    assert all((one.used > 1) == (one.kind == "fail") for one in first)
