"""Reasons add up to the model's own answer, are the same wherever they are asked, and are refused rather than wrong."""

import os
import subprocess
import sys
from typing import Any

import msgspec
import numpy as np
import pytest

import sealwright
from sealwright.kernel import VerificationFailed, canonical_json
from sealwright.registry import Source
from sealwright.serving import Explainer
from sealwright.serving.contract import Batch
from sealwright.serving.reasons import Reasons, ReasonsDoNotAddUp
from sealwright.serving.reasons.encoding import Encoder, Lines

SOME = tuple(range(0, 500, 25))
EVERY = [
    ("logistic", "binary", "log-odds"),
    ("boosting", "binary", "log-odds"),
    ("forest", "binary", "share"),
    ("logistic", "multiclass", "score"),
    ("boosting", "multiclass", "score"),
    ("forest", "multiclass", "share"),
    ("logistic", "regression", "value"),
    ("boosting", "regression", "value"),
    ("forest", "regression", "value"),
]


def silent(one: Any, task: str) -> Explainer:
    """Without declared reasons, which only two classes can have."""
    found = one.explainer(wanted="good" if task == "binary" else "", reasons={})
    assert isinstance(found, Explainer)
    return found


@pytest.mark.parametrize(("recipe", "task", "unit"), EVERY)
def test_base_and_contributions_give_the_score_and_the_score_the_answer(
    made: Any, recipe: str, task: str, unit: str
) -> None:
    one = made(recipe, task)
    batch = one.batch(*SOME)
    said = one.engine.run(batch)
    for row, line in zip(silent(one, task).explain(batch, engine=one.engine), said, strict=True):
        near = 1e-4 * max(1.0, abs(row.score))
        assert row.base + sum(part.value for part in row.contributions) == pytest.approx(row.score, abs=near)
        assert row.unit == unit
        sizes = [abs(part.value) for part in row.contributions]
        assert sizes == sorted(sizes, reverse=True)
        assert 0 < len(sizes) <= 7
        if task == "regression":
            assert row.score == pytest.approx(line[0], rel=1e-4)
            continue
        place = one.contract.classes.index(row.toward)
        assert row.probability == pytest.approx(line[place], abs=1e-6)
        if unit == "log-odds":
            assert 1 / (1 + np.exp(-row.score)) == pytest.approx(line[place], abs=1e-4)
        if unit == "share":
            assert row.score == pytest.approx(line[place], abs=1e-4)
        if task == "multiclass":
            assert place == int(np.argmax(line))  # each answer is explained for its own class


@pytest.mark.parametrize(("recipe", "task", "unit"), [one for one in EVERY if one[1] == "binary"])
def test_the_other_class_has_the_opposite_contributions(made: Any, recipe: str, task: str, unit: str) -> None:
    one = made(recipe)
    batch = one.batch(*SOME)
    good, bad = (one.explainer(wanted=name, reasons={}).explain(batch, engine=one.engine) for name in ("good", "bad"))
    assert {row.toward for row in good} == {"good"}
    assert {row.toward for row in bad} == {"bad"}
    for there, here in zip(good, bad, strict=True):
        assert there.probability == pytest.approx(1 - (here.probability or 0), abs=1e-6)
        whole = 1.0 if unit == "share" else 0.0
        assert there.score == pytest.approx(whole - here.score, abs=1e-6)
        assert here.base + sum(part.value for part in here.contributions) == pytest.approx(here.score, abs=1e-4)


def test_of_a_linear_model_they_are_weight_times_distance_from_the_mean_of_the_reference(made: Any) -> None:
    one = made("logistic")
    document = msgspec.json.decode(one.document(reasons={}))
    assert document["reference"]["decided"] == "good"
    said = one.engine.run(one.batch(*range(500))).astype(np.float64)
    odds = np.log(said[:, 1] / said[:, 0])
    approved = odds > 0
    reasons = one.explainer(reasons={}).explain(one.batch(*SOME), engine=one.engine)
    assert reasons[0].base == pytest.approx(odds[approved].mean(), abs=1e-4)  # the reference: rows decided as good
    debt = one.numbers[:, 2].astype(np.float64)
    slope = _slope(one, 2)
    for line, row in zip(SOME, reasons, strict=True):
        found = {part.feature: part.value for part in row.contributions}.get("debt", 0.0)
        assert found == pytest.approx(slope * (debt[line] - debt[approved].mean()), abs=1e-4)


def _slope(one: Any, column: int) -> float:
    """By how much the log-odds change for one unit of a number."""
    low, high = one.batch(0), one.batch(0)
    low.numbers[0, column], high.numbers[0, column] = 0.0, 1.0
    said = [one.engine.run(batch).astype(np.float64)[0] for batch in (low, high)]
    return float(np.log(said[1][1] / said[1][0]) - np.log(said[0][1] / said[0][0]))


@pytest.mark.parametrize("recipe", ["logistic", "boosting", "forest"])
def test_a_row_has_the_same_reasons_alone_and_in_a_batch(made: Any, recipe: str) -> None:
    one = made(recipe)
    explainer, lines = one.explainer(), one.refused(5)
    together = explainer.explain(one.batch(*lines), engine=one.engine, counterfactual=True)
    alone = [explainer.explain(one.batch(line), engine=one.engine, counterfactual=True)[0] for line in lines]
    assert msgspec.json.encode(together) == msgspec.json.encode(alone)


def test_two_processes_give_the_same_bytes(made: Any, tmp_path: Any) -> None:
    one = made("boosting")
    lines = one.refused(3)
    (tmp_path / "model").write_bytes(one.model)
    (tmp_path / "explainer").write_bytes(one.document())
    (tmp_path / "interface").write_bytes(canonical_json(one.interface))
    rows = [[None if np.isnan(x) else float(x) for x in one.numbers[line]] for line in lines]
    (tmp_path / "rows").write_bytes(msgspec.json.encode([rows, one.strings[lines].tolist()]))
    code = """
import sys, pathlib, msgspec, numpy as np
from sealwright.serving import Explainer, contract_of
from sealwright.serving.adapters.onnx import OnnxEngine
from sealwright.serving.contract import Batch
at = pathlib.Path(sys.argv[1])
contract = contract_of(msgspec.json.decode((at / "interface").read_bytes()))
model = (at / "model").read_bytes()
numbers, strings = msgspec.json.decode((at / "rows").read_bytes())
batch = Batch(len(numbers), np.array(numbers, dtype=np.float32), np.array(strings, dtype=object))
explainer = Explainer.of((at / "explainer").read_bytes(), model, contract)
found = explainer.explain(batch, engine=OnnxEngine(model, contract), counterfactual=True)
assert not {"sklearn", "scipy", "shap", "pyarrow"} & set(sys.modules)
sys.stdout.buffer.write(msgspec.json.encode(found))
"""
    source = os.path.dirname(os.path.dirname(sealwright.__file__))  # noqa: PTH120
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": source, "PYTHONHASHSEED": "1"},
    )
    assert done.returncode == 0, done.stderr.decode()
    here = one.explainer().explain(one.batch(*lines), engine=one.engine, counterfactual=True)
    assert done.stdout == msgspec.json.encode(here)
    assert msgspec.json.decode(done.stdout, type=list[Reasons]) == here  # and the record can be read again


def test_a_column_is_rounded_as_the_trees_round_it() -> None:
    """A hair's breadth decides on which side of a threshold a scaled number falls."""
    third = (Source(kind="number", place=0, factor=1 / 3), Source(kind="string", place=0, table={"a": 0.1}))
    lines = Lines(Batch(1, np.array([[1.0]], dtype=np.float32), np.array([["a"]], dtype=object)))
    assert Encoder(third, single=True).row(lines, 0).tolist() == [float(np.float32(1 / 3)), float(np.float32(0.1))]
    assert Encoder(third, single=False).row(lines, 0).tolist() == [1 / 3, 0.1]


def test_a_version_without_the_document_has_no_explainer(made: Any) -> None:
    one = made("logistic")
    assert Explainer.of(None, one.model, one.contract) is None


def test_an_explainer_of_another_model_is_refused(made: Any) -> None:
    one, other = made("boosting"), made("forest")
    with pytest.raises(VerificationFailed, match="about another model"):
        Explainer.of(other.document(), one.model, one.contract)


@pytest.mark.parametrize("part", ["counts", "everyone"])
def test_an_explainer_that_counts_other_leaves_is_refused(made: Any, part: str) -> None:
    one = made("boosting")
    said = msgspec.json.decode(one.document())
    said[part] = said[part][:-1]
    with pytest.raises(VerificationFailed, match="counts other leaves"):
        Explainer.of(msgspec.json.encode(said), one.model, one.contract)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"toward": "excellent"}, "speaks for a class"),
        ({"toward": "bad"}, "calls a refusal"),
        ({"toward": ""}, "calls a refusal"),
        ({"usual": {"age": "own"}}, "another kind"),
        ({"usual": {"home": 3}}, "another kind"),
        ({"counts": [-1]}, "counts"),
        ({"moves": {"age": {"price": 1, "scale": 0}}}, "scale"),
    ],
)
def test_an_explainer_that_does_not_fit_is_refused_when_it_is_loaded(made: Any, change: Any, words: str) -> None:
    """Not when the first person asks."""
    one = made("boosting")
    said = msgspec.json.decode(one.document()) | change
    with pytest.raises(VerificationFailed, match=words):
        Explainer.of(msgspec.json.encode(said), one.model, one.contract)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"format":2}', b"\xff", b"[" * 100_000, b'{"format":1,"code":"x"}'])
def test_a_damaged_document_is_refused_with_its_name(made: Any, data: bytes) -> None:
    one = made("logistic")
    with pytest.raises(VerificationFailed, match="explainer") as raised:
        Explainer.of(data, one.model, one.contract)
    assert raised.value.link == "package/explainer.json"


def test_an_answer_that_the_contributions_do_not_lead_to_gets_no_reasons(made: Any) -> None:
    one, other = made("boosting"), made("forest")
    with pytest.raises(ReasonsDoNotAddUp, match="do not add up"):
        one.explainer().explain(one.batch(*SOME), engine=other.engine)
    raw = one.engine.run(one.batch(3))
    raw[0] += np.array([-2e-4, 2e-4], dtype=np.float32)
    with pytest.raises(ReasonsDoNotAddUp):
        one.explainer().explain(one.batch(3), engine=one.engine, raw=raw)


@pytest.mark.parametrize("recipe", ["logistic", "boosting", "forest"])
def test_a_refusal_has_reasons_and_an_approval_has_none(made: Any, recipe: str) -> None:
    one = made(recipe)
    explainer = one.explainer()
    said = one.engine.run(one.batch(*range(120)))
    found = explainer.explain(one.batch(*range(120)), engine=one.engine)
    assert [row.adverse is not None for row in found] == (said[:, 0] >= said[:, 1]).tolist()
    for row in found:
        if row.adverse is None:
            continue
        gained = {part.feature: part.value for part in row.contributions}
        assert 1 <= len(row.adverse.reasons) <= 5
        assert all(gained[one_.feature] == -one_.against for one_ in row.adverse.reasons)
        assert row.adverse.needs_person == ""


@pytest.mark.parametrize("recipe", ["logistic", "boosting"])
def test_bringing_a_named_feature_to_the_reference_does_not_lower_the_score(made: Any, recipe: str) -> None:
    one = made(recipe)
    usual = msgspec.json.decode(one.document())["usual"]
    columns = [feature.name for feature in (*one.contract.numbers, *one.contract.strings)]
    for line in one.refused(10):
        (row,) = one.explainer().explain(one.batch(line), engine=one.engine)
        for reason in row.adverse.reasons:
            better, place = one.batch(line), columns.index(reason.feature)
            block, at = (better.numbers, place) if place < 4 else (better.strings, place - 4)
            block[0, at] = usual[reason.feature]
            assert one.engine.run(better)[0, 1] >= row.probability - 2e-6


def test_a_protected_feature_that_weighed_most_leaves_the_notice_to_a_person(made: Any) -> None:
    one = made("logistic")
    (line,) = one.refused(1)
    (row,) = one.explainer().explain(one.batch(line), engine=one.engine)
    strongest = row.adverse.reasons[0].feature
    (kept,) = one.explainer(protected=(strongest,)).explain(one.batch(line), engine=one.engine)
    assert strongest not in [reason.feature for reason in kept.adverse.reasons]
    assert "protected" in kept.adverse.needs_person


def test_a_feature_the_model_does_not_use_is_never_a_reason(made: Any) -> None:
    one = made("boosting")
    explainer = one.explainer()
    batch = one.batch(*one.refused(20))
    for row in explainer.explain(batch, engine=one.engine):
        assert {reason.feature for reason in row.adverse.reasons} <= explainer._used


def test_explaining_leaves_the_rows_as_they_were(made: Any) -> None:
    one = made("boosting")
    batch = one.batch(*one.refused(3))
    before = Batch(batch.rows, batch.numbers.copy(), batch.strings.copy())
    one.explainer().explain(batch, engine=one.engine, counterfactual=True)
    assert np.array_equal(before.numbers, batch.numbers, equal_nan=True)
    assert (before.strings == batch.strings).all()
