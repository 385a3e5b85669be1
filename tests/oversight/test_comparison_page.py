"""The front of a comparison holds what no other way beats, and the page shows who pays."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sealwright.oversight import ComparisonFacts, render_comparison
from sealwright.oversight.report.tradeoff import _lifts, front_of

places = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=12)


@given(places)
def test_the_front_is_what_no_other_point_beats(found: list[tuple[int, int]]) -> None:
    points = [{"name": str(at), "x": x, "y": y} for at, (x, y) in enumerate(found)]
    front = front_of(points)
    assert front  # there is always one
    for one in points:
        beaten = any(
            other["x"] <= one["x"] and other["y"] >= one["y"] and (other["x"], other["y"]) != (one["x"], one["y"])
            for other in points
        )
        assert (one["name"] in front) is not beaten


def finding(check: str, value: float, attribute: str | None = None, level: str | None = None) -> dict[str, Any]:
    return {
        "check": check,
        "value": value,
        "low": value - 0.01,
        "high": value + 0.01,
        "n": 100,
        "unit": "share",
        "definition": "One.",
        "note": "",
        "attribute": attribute,
        "level": level,
    }


def way(name: str, about: str | None, accuracy: float, gap: float, rate: float, failed: str = "") -> dict[str, Any]:
    findings = [
        finding("performance.accuracy", accuracy),
        finding("fairness.selection_gap", gap, "sex"),
        finding("fairness.selection_rate", rate, "sex", "<b>female</b>"),
        finding("fairness.selection_rate", rate + gap, "sex", "male"),
    ]
    return {
        "name": name,
        "words": "words",
        "about": about,
        "training": {"mitigation": {"method": name}},
        "lines": f"training:\n  mitigation: {{method: {name}}}\n",
        "model": None,
        "failed": failed,
        "seconds": 1.0,
        "notes": ["a note"],
        "findings": [] if failed else findings,
        "not_performed": [],
    }


def page(*ways: dict[str, Any]) -> str:
    comparison = {
        "project": "loans",
        "snapshot": "sha256:" + "0" * 64,
        "rows": 100,
        "trained_on": 300,
        "seed": 1,
        "suites": ["performance", "fairness"],
        "filed": False,
        "ways": list(ways),
    }
    at = datetime(2026, 1, 2, tzinfo=UTC)
    return render_comparison(
        ComparisonFacts(title="loans", at=at, comparison=comparison, trade=("fairness.selection_gap",))
    )


def test_each_group_is_shown_before_and_after() -> None:
    text = page(way("present", None, 0.8, 0.2, 0.5), way("reweighing", "sex", 0.79, 0.05, 0.56))
    assert "+0.060" in text  # what the women gain
    assert "-0.090" in text  # and what the men lose
    assert "Selection rate by sex" in text
    assert text.count("data:image/svg+xml") == 1
    assert "<script" not in text
    assert "<b>female" not in text  # names are text


def test_a_way_that_gave_no_model_says_why_and_is_in_no_plot() -> None:
    text = page(
        way("present", None, 0.8, 0.2, 0.5),
        way("reweighing", "sex", 0.79, 0.05, 0.56),
        way("thresholds", "sex", 0, 0, 0, failed="There were too few rows."),
    )
    assert "There were too few rows." in text
    assert "method: thresholds" not in text


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.7, 0.8)), min_size=1, max_size=12))
def test_no_name_covers_another(places: list[tuple[float, float]]) -> None:
    points = [
        {"name": f"way number {at}", "x": x, "x_low": x - 0.02, "x_high": x + 0.02, "y": y, "y_low": y - 0.01, "y_high": y + 0.01}
        for at, (x, y) in enumerate(places)
    ]  # fmt: skip
    lifts = _lifts(points, from_zero=True)
    high = max(one["y_high"] for one in points) - min(one["y_low"] for one in points)
    wide = max(one["x_high"] for one in points)
    boxes = [
        (620 * one["x"] / wide, 380 * (1 - (one["y"] - min(other["y_low"] for other in points)) / high) + lift)
        for one, lift in zip(points, lifts, strict=True)
    ]
    for at, (x, y) in enumerate(boxes):
        for other_x, other_y in boxes[:at]:
            assert abs(y - other_y) >= 13 - 1e-6 or abs(x - other_x) > 6 * len("way number 0") - 1e-6
