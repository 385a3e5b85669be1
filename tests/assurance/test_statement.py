"""What is filed can be read back exactly, and a changed byte of meaning is refused."""

import copy
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.assurance import Figure, Finding, NotPerformed, Series, SuiteResult, from_predicate, to_predicate
from sealwright.kernel import InvalidInput, canonical_json, digest_of

_GOOD = {"check": "performance.accuracy", "value": 0.8, "n": 10, "unit": "share", "definition": "Share right."}


@pytest.fixture(scope="module")
def predicate(german) -> dict:
    judged = german.judge("fairness", groups=["sex"], data_digest="sha256:" + "d" * 64)
    return json.loads(canonical_json(to_predicate(judged["fairness"])))


def test_a_result_survives_the_round_trip(german) -> None:
    for name, result in german.judge("quality", "performance", "fairness", "robustness", "explanation").results.items():
        raw = canonical_json(to_predicate(result))
        again = from_predicate(json.loads(raw))
        assert canonical_json(to_predicate(again)) == raw, name
        assert again.findings == result.findings
        assert again.figures == result.figures


def test_the_predicate_is_an_in_toto_test_result(predicate: dict, german) -> None:
    assert set(predicate) == {"result", "configuration", "passedTests", "warnedTests", "failedTests", "sealwright"}
    assert predicate["result"] == "PASSED"
    assert "fairness.selection_gap" in predicate["passedTests"]
    assert [item["name"] for item in predicate["configuration"]] == ["settings", "data", "environment"]
    assert all(set(item["digest"]) == {"sha256"} for item in predicate["configuration"])
    assert predicate["sealwright"]["model"] == digest_of(german.model)
    assert "decided by the gate" in predicate["sealwright"]["meaning"]


def test_a_suite_with_gaps_is_a_warning(german) -> None:
    predicate = to_predicate(german.judge("quality")["quality"])
    assert predicate["result"] == "WARNED"
    assert "quality.outlier_share" in predicate["warnedTests"]
    assert "quality.outlier_share" not in predicate["passedTests"]


def _changes() -> list[tuple[str, object]]:
    def put(*path_and_value):
        *path, last, value = path_and_value

        def change(document: dict) -> None:
            for step in path:
                document = document[step]
            document[last] = value

        return change

    inside = ("sealwright",)
    return [
        ("passed", put("result", "FAILED")),
        ("hidden warning", put("warnedTests", ["fairness.selection_gap"])),
        ("another list", put("passedTests", [])),
        ("more", put("extra", 1)),
        ("settings", put(*inside, "settings", "spec", "threshold", 0.9)),
        ("settings digest", put(*inside, "settings_digest", "sha256:" + "0" * 64)),
        ("packages", put(*inside, "packages", "numpy", "0")),
        ("meaning", put(*inside, "meaning", "fine")),
        ("format", put(*inside, "format", 2)),
        ("unknown field", put(*inside, "verdict", "fair")),
        ("finding field", put(*inside, "findings", 0, "verdict", "fair")),
        ("value outside", put(*inside, "findings", 2, "value", 2.0)),
        ("infinite", put(*inside, "findings", 0, "value", float("inf"))),
        ("text for a number", put(*inside, "findings", 0, "value", "0.1")),
        ("no findings", put(*inside, "findings", [])),
        ("data", put(*inside, "data", "snapshot")),
        ("time", put(*inside, "performed_at", "yesterday")),
        ("not an object", put("sealwright", "x")),
    ]


@pytest.mark.parametrize(("what", "change"), _changes(), ids=[name for name, _ in _changes()])
def test_a_result_that_contradicts_itself_is_refused(predicate: dict, what: str, change) -> None:
    changed = copy.deepcopy(predicate)
    change(changed)
    with pytest.raises(InvalidInput):
        from_predicate(changed)


def test_a_function_without_digest_cannot_be_signed_for(scored) -> None:
    rows = scored([0, 1] * 20, [0.1, 0.9] * 20)
    with pytest.raises(InvalidInput, match="no digest to sign for"):
        to_predicate(rows.judge("performance")["performance"])
    named = rows.judge("performance", model_digest="sha256:" + "a" * 64)
    assert to_predicate(named["performance"])["sealwright"]["model"] == "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": float("nan")}, "must be a finite number"),
        ({"low": 0.1}, "an interval has two ends"),
        ({"low": 0.9, "high": 1.0}, "lies outside its interval"),
        ({"low": float("-inf"), "high": 1.0}, "low must be a finite number"),
        ({"n": -1}, "n >= 0"),
        ({"definition": ""}, "a definition"),
        ({"check": "accuracy"}, "named suite.name"),
        ({"check": "performance.Accuracy"}, "named suite.name"),
    ],
)
def test_a_finding_cannot_exist_in_a_wrong_state(changes: dict, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Finding(**(_GOOD | changes))


@given(st.floats(-1e300, 1e300), st.floats(0, 1e290))
def test_filed_numbers_have_ten_digits_and_keep_their_order(value: float, width: float) -> None:
    finding = Finding(**(_GOOD | {"value": value, "low": value - width, "high": value + width}))
    assert finding.low <= finding.value <= finding.high
    assert finding.value == float(f"{value:.10g}")
    assert Finding(**(_GOOD | {"value": finding.value})).value == finding.value


def test_not_performed_needs_a_reason() -> None:
    with pytest.raises(InvalidInput, match="say why"):
        NotPerformed(check="performance.roc_auc", why="")


def test_a_curve_of_many_points_is_refused() -> None:
    many = tuple(float(n) for n in range(201))
    with pytest.raises(InvalidInput, match="at most 200"):
        Series(name="rows", x=many, y=many)
    with pytest.raises(InvalidInput, match="x has 2"):
        Series(name="rows", x=(1.0, 2.0), y=(1.0,))
    with pytest.raises(InvalidInput, match="lines, bars or matrix"):
        Figure(name="performance.roc", kind="pie", title="", x="", y="", series=())


def test_a_result_needs_real_digests() -> None:
    fields = {"suite": "quality", "task": "binary", "seed": 1, "settings": {}, "packages": {}, "rows": {}}
    fields |= {"performed_at": datetime(2026, 1, 1, tzinfo=UTC), "findings": ()}
    with pytest.raises(InvalidInput, match="sha256"):
        SuiteResult(model=None, data="rows", **fields)
    with pytest.raises(InvalidInput, match="sha256"):
        SuiteResult(model="rows", data="sha256:" + "0" * 64, **fields)
    with pytest.raises(InvalidInput, match="seed"):
        SuiteResult(model=None, data="sha256:" + "0" * 64, **(fields | {"seed": -1}))
