"""A judgement can be repeated to the last digit, accounts for every check, and refuses what it cannot judge."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.assurance import SUITES, AssuranceSpec, UnusablePredictions, check_names, run_suites, to_predicate
from sealwright.kernel import InvalidInput, canonical_json

from .conftest import Judged

_ALL = tuple(SUITES)


def _canonical(judged) -> bytes:
    return canonical_json({name: result.to_json() for name, result in judged.results.items()})


def test_the_same_question_gets_the_same_bytes(german) -> None:
    first, second = (german.judge(*_ALL, groups=["sex", "age"], quarantined=3) for _ in range(2))
    assert _canonical(first) == _canonical(second)


_FRESH = """
import numpy as np, pyarrow as pa
from datetime import UTC, datetime
from sealwright.assurance import SUITES, AssuranceSpec, run_suites
from sealwright.kernel import canonical_json, digest_of
rng = np.random.default_rng(0)
words = rng.choice(["a", "b", "c", "d"], 120)
table = pa.table({"x": rng.random(120), "word": words, "outcome": rng.choice(["no", "yes"], 120)})
interface = {"format": 1, "task": "binary", "target": "outcome", "classes": ["no", "yes"], "positive": "yes",
             "numbers": [{"name": "x", "type": "number"}], "strings": [{"name": "word", "categories": list("abcd")}]}
def model(features):
    p = np.clip(np.nan_to_num(features.numbers[:, 0]) * 0.9 + 0.1 * (features.strings[:, 0] == "a"), 0, 1)
    return np.column_stack([1 - p, p])
found = run_suites(list(SUITES), model, table, table, interface, AssuranceSpec(bootstrap=200), ["word"], 5,
                   clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
print(digest_of(canonical_json([one.to_json() for one in found])))
"""


def test_another_process_with_another_hash_seed_says_the_same() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", _FRESH], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    assert said.pop().startswith(b"sha256:")


def test_the_order_of_rows_and_columns_does_not_matter(german) -> None:
    rng = np.random.default_rng(0)

    def mixed(table: pa.Table) -> pa.Table:
        rows = table.take(pa.array(rng.permutation(table.num_rows)))
        return rows.select(list(rng.permutation(table.column_names)))

    other = german.with_(test=mixed(german.test), train=mixed(german.train))
    assert _canonical(german.judge(*_ALL, groups=["sex"])) == _canonical(other.judge(*_ALL, groups=["sex"]))


def test_chunks_and_dictionaries_do_not_matter(german) -> None:
    chunked = pa.concat_tables([german.test.slice(0, 100), german.test.slice(100)])
    encoded = pa.table({name: _encoded(chunked[name]) for name in chunked.column_names})
    same, other = german.with_(test=encoded).judge(*_ALL, groups=["sex"]), german.judge(*_ALL, groups=["sex"])
    assert _canonical(_but_types(same)) == _canonical(_but_types(other))


def _but_types(judged: Judged) -> Judged:
    """Without the check that changes the types of columns, and says which there were."""
    stress = judged["stress"]
    findings = tuple(one for one in stress.findings if one.check != "stress.cast_changes")
    kept = replace(stress, findings=findings, rows={**stress.rows, "queries": 0})
    return Judged(judged.results | {"stress": kept})


def _encoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.dictionary_encode() if pa.types.is_string(column.type) else column


def test_a_suite_says_the_same_alone_as_among_others(german) -> None:
    together = german.judge(*_ALL, groups=["sex"])
    for name in _ALL:
        assert german.judge(name, groups=["sex"])[name].to_json() == together[name].to_json()


def test_another_seed_moves_intervals_not_values(german) -> None:
    first, second = (german.judge("performance", seed=seed) for seed in (1, 2))
    for name in ("performance.brier", "performance.log_loss"):
        assert first.one(name).value == second.one(name).value
        assert first.one(name).low != second.one(name).low
    assert first["performance"].settings_digest == second["performance"].settings_digest


_NO_SUCH_THING = (
    "the model takes no",
    "these rows were not taken in",
    "only one attribute",
    "no earlier",
    "no slices are declared: name",
    "no slice was confirmed",
    "it is about",  # documents or images, where the rows are a table's
    "no features move together",
    "no guarantee of differential privacy",
    "no canaries are declared",
)


@pytest.mark.parametrize("name", ["german", "wine", "diabetes"])
def test_no_check_is_silently_absent(request, name: str) -> None:
    trained = request.getfixturevalue(name)
    judged = trained.judge(*_ALL, groups=["cellar"] if name == "wine" else ["sex"])
    for suite, result in judged.results.items():
        declared = {check for item in SUITES[suite] for check in item.files}
        said = {item.check for item in (*result.findings, *result.not_performed)}
        assert said == declared
        assert all(item.check in check_names(result.task) for item in result.findings)
        for item in result.not_performed:
            lacking = item.check not in check_names(result.task) or item.why.startswith(_NO_SUCH_THING)
            lacking = lacking and item.check != "slices.changes_beyond_limit"
            assert item.applicable is not lacking


def test_every_finding_explains_itself(german) -> None:
    for result in german.judge(*_ALL, groups=["sex", "age"]).results.values():
        for finding in result.findings:
            assert finding.definition.endswith(".")
            assert finding.n > 0
            assert "compliant" not in finding.definition


def test_no_figure_holds_a_row(german, diabetes) -> None:
    for trained in (german, diabetes):
        judged = trained.judge(*_ALL, groups=["sex"])
        figures = [figure.to_json() for result in judged.results.values() for figure in result.figures]
        assert max(len(series["x"]) for figure in figures for series in figure["series"]) <= 200
        identifiers = {f"A{n:04d}" for n in range(1, 1001)}
        assert not identifiers & set(json.dumps(figures).replace('"', " ").split())


def test_a_large_table_is_sampled_and_says_so(scored, rng: np.random.Generator) -> None:
    truth = rng.random(5000) < 0.5
    rows = scored(truth, np.clip(0.4 * truth + 0.6 * rng.random(5000), 0, 1), {"group": ["a", "b"] * 2500})
    budget = {"rows": 1000, "robustness_rows": 300, "explanation_rows": 200, "repeats": 2}
    judged = rows.judge(*_ALL, groups=["group"], spec={"budget": budget})
    looked_at = {"test": 5000, "test_judged": 1000, "train": 5000, "train_judged": 1000}
    assert judged["performance"].rows == looked_at | {"queries": 0}
    assert judged.one("performance.accuracy").n == 1000
    assert judged.one("robustness.noise_flip_share").n == 300
    assert judged["explanation"].find("explanation.importance")[0].n == 200
    assert judged.one("quality.duplicate_share").n == 10_000  # counting needs no sample
    whole = rows.judge("performance").one("performance.accuracy")
    assert whole.n == 5000
    assert judged.one("performance.accuracy").low < whole.value < judged.one("performance.accuracy").high


def test_progress_is_told_in_order(german) -> None:
    said: list[tuple[str, float]] = []
    german.judge("quality", "performance", progress=lambda line, share: said.append((line, share)))
    shares = [share for _, share in said]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert "performance: calibration" in [line for line, _ in said]


@settings(max_examples=8)
@given(st.integers(0, 2**32), st.integers(2, 60))
def test_any_two_columns_of_numbers_can_be_judged(scored, seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    rows = scored(rng.random(n) < rng.random(), np.round(rng.random(n), 1), {"group": rng.choice(["a", "b"], n)})
    for result in rows.judge(*_ALL, groups=["group"], spec={"smallest_group": 2, "smallest_part": 1}).results.values():
        for finding in result.findings:
            assert finding.low is None or finding.low <= finding.value <= finding.high
        to_predicate(result.__class__(**{**_fields(result), "model": "sha256:" + "0" * 64}))


def _fields(result) -> dict:
    return {name: getattr(result, name) for name in result.__dataclass_fields__}


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (lambda n: np.full((n, 2), np.nan), "NaN or infinity for 40 of 40"),
        (
            lambda n: np.column_stack([np.zeros(n), np.where(np.arange(n) == 3, np.inf, 1)]),
            "NaN or infinity for 1 of 40",
        ),
        (lambda n: np.ones((n, 3)) / 3, r"shape \(40, 3\); binary with 40 rows needs \(40, 2\)"),
        (lambda n: np.full(n, 0.5), r"shape \(40,\)"),
        (lambda n: np.full((n - 1, 2), 0.5), r"shape \(39, 2\)"),
        (lambda n: np.tile([-0.5, 1.5], (n, 1)), "not probabilities: they range from -0.5 to 1.5"),
        (lambda n: np.tile([0.2, 0.2], (n, 1)), "miss a sum of 1 by up to 0.6"),
    ],
)
def test_answers_that_are_no_predictions_are_refused(scored, outputs, message: str) -> None:
    rows = scored([0, 1] * 20, [0.1, 0.9] * 20).with_(model=lambda features: outputs(len(features)))
    with pytest.raises(UnusablePredictions, match=message):
        rows.judge("performance")


def test_values_must_be_one_column(guessed) -> None:
    rows = guessed(np.arange(40.0), np.arange(40.0))
    column = rows.with_(model=lambda features: features.numbers[:, :1])
    assert column.judge("performance").one("performance.mae").value == 0
    with pytest.raises(UnusablePredictions, match=r"needs \(40,\)"):
        rows.with_(model=lambda features: np.zeros((len(features), 2))).judge("performance")


def test_what_cannot_be_judged_is_refused_with_the_reason(scored) -> None:
    rows = scored([0, 1] * 20, [0.1, 0.9] * 20)
    test = rows.test

    def refused(match: str, *suites: str, **changes) -> None:
        more = {key: changes.pop(key) for key in ("spec", "seed", "data_digest") if key in changes}
        with pytest.raises(InvalidInput, match=match):
            rows.with_(**changes).judge(*(suites or ("performance",)), **more)

    refused("no suite 'secrecy'", "secrecy")
    refused("0 test rows", test=test.slice(0, 0))
    refused("1 training rows", train=test.slice(0, 1))
    refused("lacks score", test=test.drop_columns(["score"]))
    refused("lacks outcome", train=test.drop_columns(["outcome"]))
    refused("40 of 40 rows have no usable target", test=test.set_column(1, "outcome", pa.array(["maybe"] * 40)))
    refused("1 of 40 rows have no usable", test=test.set_column(1, "outcome", pa.array([None, *["yes"] * 39])))
    refused("interface says it holds numbers", test=test.set_column(0, "score", pa.array(["x"] * 40)))
    refused("'perhaps', which is none of the outcomes no, yes", spec={"favourable": "perhaps"})
    refused("A seed is a whole number", seed=-1)
    refused("A seed is a whole number", seed=2**53)
    refused("sha256", data_digest="md5:1")
    refused("task of an interface", interface=rows.interface | {"task": "ranking"})
    refused("two or more different classes", interface=rows.interface | {"classes": ["no", "no"]})
    refused("names one of them as positive", interface=rows.interface | {"positive": "maybe"})
    refused("never the target among them", interface=rows.interface | {"target": "score"})
    refused("cannot be read", interface={"format": 1})
    refused("cannot be read", interface=rows.interface | {"format": 2})


def test_a_favourable_number_makes_no_sense(guessed) -> None:
    with pytest.raises(InvalidInput, match="predicts numbers"):
        guessed(np.arange(40.0), np.arange(40.0)).judge("fairness", spec={"favourable": "high"})


def test_classes_may_be_booleans_or_whole_numbers(rng: np.random.Generator) -> None:
    for target in (rng.random(60) < 0.5, rng.integers(0, 2, 60), rng.integers(0, 2, 60).astype(float)):
        classes = [False, True] if target.dtype == bool else [0, 1]
        table = pa.table({"x": rng.random(60), "outcome": target})
        interface = {
            "format": 1,
            "task": "binary",
            "target": "outcome",
            "classes": classes,
            "positive": classes[1],
            "numbers": [{"name": "x", "type": "number"}],
        }
        model = lambda features: np.column_stack([1 - features.numbers[:, 0], features.numbers[:, 0]])  # noqa: E731
        spec = AssuranceSpec(bootstrap=200, favourable=classes[0])
        (result,) = run_suites(["performance"], model, table, table, interface, spec)
        assert result.find("performance.accuracy")[0].n == 60


def test_empty_and_infinite_cells_reach_the_model_as_they_are(rng: np.random.Generator) -> None:
    x = rng.random(80)
    x[:10], x[10:20] = np.nan, np.inf
    columns = {"x": x, "empty": pa.nulls(80, pa.float64()), "word": pa.nulls(80, pa.string())}
    table = pa.table(columns | {"outcome": rng.choice(["a", "b"], 80)})
    interface = {
        "format": 1,
        "task": "binary",
        "target": "outcome",
        "classes": ["a", "b"],
        "positive": "b",
        "numbers": [{"name": "x", "type": "number"}, {"name": "empty", "type": "number"}],
        "strings": [{"name": "word", "type": "category", "categories": []}],
    }

    def model(features):
        assert (features.strings == "").mean() > 0
        p = np.clip(np.nan_to_num(features.numbers[:, 0], nan=0.5, posinf=1.0), 0, 1)
        return np.column_stack([1 - p, p])

    found = run_suites(list(_ALL), model, table, table, interface, AssuranceSpec(bootstrap=200))
    quality = found[0]
    shares = {finding.group.attribute: finding.value for finding in quality.find("quality.column_missing_share")}
    assert shares == {"x": 0.125, "empty": 1.0, "word": 1.0, "outcome": 0.0}
    assert quality.find("quality.constant_columns")[0].value == 2
