"""One document explained: its words add up to the model's own answer, are held against deletion, and refused where they lie."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from skl2onnx import to_onnx
from skl2onnx.common.data_types import StringTensorType
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sealwright.assurance import Deletion, DocumentExplanation, UnusablePredictions, explain_given
from sealwright.kernel import InvalidInput

WEIGHTS = {"superb": 5.0, "good": 3.0, "nice": 2.0, "fine": 1.0, "bad": -4.0, "poor": -1.5, "day": 0.0}


def summed(texts: Sequence[str]) -> NDArray[np.float64]:
    """A number that is a sum over different words."""
    return np.array([10 + sum(WEIGHTS.get(word, 0.0) for word in set(text.lower().split())) for text in texts])


def explained(model: Any, rows: Any, **more: Any) -> list[DocumentExplanation]:
    found = explain_given(model, rows, **more)
    assert all(isinstance(one, DocumentExplanation) for one in found)
    return list(found)


def test_of_a_sum_over_words_the_effects_are_the_summands() -> None:
    (one,) = explained(summed, "Good bad day superb bad", task="regression")
    assert {item.word: item.effect for item in one.words} == pytest.approx(
        {"good": 3.0, "bad": -4.0, "day": 0.0, "superb": 5.0}
    )
    assert [item.word for item in one.words] == ["superb", "bad", "good", "day"], "the largest effect stands first"
    assert all(item.error == pytest.approx(0, abs=1e-9) for item in one.words)
    assert all(item.alone == pytest.approx(item.effect) for item in one.words)
    assert (one.base, one.answer, one.decided, one.outcome, one.unit) == (10.0, 14.0, None, None, "target units")
    assert [one.text[begin:end] for begin, end in one.words[1].places] == ["bad", "bad"]


def test_deletion_takes_the_largest_effects_first_and_is_held_against_chance() -> None:
    (one,) = explained(summed, "superb good nice fine bad poor day", task="regression")
    assert isinstance(one.deletion, Deletion)
    # of seven words 10, 20, 30 and 50 % are one, one, two and four: superb; superb; and good; and nice, fine
    assert one.deletion.guided == pytest.approx((5 + 5 + 8 + 11) / 4)
    by_chance = sum(WEIGHTS.values()) / 7 * (1 + 1 + 2 + 4) / 4
    assert one.deletion.by_lot == pytest.approx(by_chance, abs=2.0)
    assert one.to_json()["fidelity"] == one.deletion.guided - one.deletion.by_lot


def test_words_and_rest_are_the_answer_of_the_pipeline_itself(opinion: Any) -> None:
    texts = opinion.rows[:5]
    chances = opinion.model.predict_proba(texts)
    for row, one in enumerate(explained(opinion.model, texts)):
        assert one.decided == one.outcome == str(chances[row].argmax())
        assert one.answer == pytest.approx(chances[row].max())
        assert one.base + sum(item.effect for item in one.words) == pytest.approx(one.answer, abs=1e-9)
        assert one.additivity < 1e-9
        assert one.deletion.fidelity > 0.1
    assert json.loads(json.dumps(one.to_json(), allow_nan=False))["words"][0]["word"] == one.words[0].word


def test_the_standard_error_of_an_effect_is_its_spread_from_seed_to_seed(opinion: Any) -> None:
    few = {"text": {"explained": 400}}
    told = [explained(opinion.model, opinion.rows[0], settings=few, seed=seed)[0] for seed in range(40)]
    for word in [item.word for item in told[0].words[:3]]:
        same = [item for one in told for item in one.words if item.word == word]
        spread = np.std([item.effect for item in same], ddof=1)
        assert np.mean([item.error for item in same]) == pytest.approx(spread, rel=1 / 3)
        assert spread > 1e-3


def test_words_for_one_outcome_are_words_against_the_other(opinion: Any) -> None:
    text = opinion.rows[0]
    (yes,), (no,) = (explained(opinion.model, text, wanted=outcome) for outcome in (1, "0"))
    assert (yes.outcome, no.outcome, yes.decided) == ("1", "0", no.decided)
    against = {item.word: -item.effect for item in no.words}
    assert {item.word: item.effect for item in yes.words} == pytest.approx(against, abs=1e-9)
    with pytest.raises(InvalidInput, match="wanted is '2'; the model's outcomes are 0, 1"):
        explained(opinion.model, text, wanted=2)


def test_a_document_is_explained_alike_in_any_company_and_form(opinion: Any) -> None:
    alone = explained(opinion.model, opinion.rows[1])
    for rows in (opinion.rows[:3], np.array(opinion.rows[:3]), pd.Series(opinion.rows[:3])):
        assert explained(opinion.model, rows)[1] == alone[0]
    assert explained(opinion.model, opinion.rows[1], seed=1) != alone


def test_values_that_do_not_add_up_are_refused_and_what_stands_in_says_so(opinion: Any) -> None:
    calls = iter(range(10**9))

    def moody(rows: Sequence[str]) -> NDArray[Any]:
        return np.asarray(np.clip(opinion.model.predict_proba(rows)[:, 1] - 0.01 * (next(calls) % 7), 0, 1))

    (one,) = explained(moody, opinion.rows[0], classes=[0, 1])
    assert "miss the answer by" in one.additivity
    assert "refused" in one.additivity
    assert one.base is None
    assert one.method.startswith("one word left out at a time")
    assert all(item.effect == item.alone and item.error is None for item in one.words)


def test_a_word_the_model_cannot_do_without_is_told_apart() -> None:
    def needs_day(texts: Sequence[str]) -> NDArray[Any]:
        return np.where(["day" in text for text in texts], summed(texts), np.nan)

    (one,) = explained(needs_day, "good day bad", task="regression")
    assert {item.word: item.effect for item in one.words} == {"day": None, "bad": -4.0, "good": 3.0}
    assert "versions without an answer" in one.additivity
    with pytest.raises(UnusablePredictions, match="NaN or infinity for 1 of 1"):
        explained(needs_day, "good", task="regression")


@pytest.mark.parametrize("text", ["", " …! ", "good", "Good GOOD good."])
def test_a_document_of_few_words_claims_no_fidelity(opinion: Any, text: str) -> None:
    (one,) = explained(opinion.model, text)
    assert "all deletions are the same" in one.deletion
    assert len(one.words) == ("ood" in text)
    assert one.base is None if not one.words else one.base + one.words[0].effect == pytest.approx(one.answer)


def test_a_model_that_reads_nothing_is_not_explained_away() -> None:
    (one,) = explained(lambda texts: np.full(len(texts), 0.7), "good day bad", classes=["no", "yes"])
    assert one.deletion.fidelity == 0
    assert not any(item.effect for item in one.words)


def test_words_beyond_those_that_can_be_told_apart_are_counted() -> None:
    text = " ".join([*WEIGHTS, *(f"w{at}" for at in range(20))])
    (one,) = explained(summed, text, task="regression", settings={"text": {"explained": 100}})
    assert (len(one.words), one.unseen) == (11, 16)
    assert one.base + sum(item.effect for item in one.words) == pytest.approx(one.answer)


def test_a_long_document_costs_about_what_the_settings_say() -> None:
    asked = [0]

    def counting(texts: Sequence[str]) -> NDArray[Any]:
        asked[0] += len(texts)
        return summed(texts)

    text = " ".join(f"w{at}" for at in range(1000))
    for each in (200, 2_000):
        asked[0] = 0
        explained(counting, text, task="regression", settings={"text": {"explained": each}})
        assert 0.7 * each < asked[0] < 1.3 * each + 100


@pytest.mark.parametrize(
    ("rows", "more", "says"),
    [
        ("a text", {}, r"does not name its outcomes\. Give them .* classes=\[\.\.\.\]"),
        ([], {"task": "regression"}, "learned_from"),
        (["a"] * 101, {"task": "regression"}, "explains 100 of 101 documents; raise it"),
        (["a"] * 1001, {"task": "regression", "settings": {"text": {"explained": 100}}}, "at most 1,000"),
        ("a text", {"task": "regression", "fixed": ["age"]}, "fixed names columns of a table, age; here are texts"),
        ("a text", {"task": "regression", "layout": "nhw"}, "layout is about images"),
        ("a text", {"learned_from": ["a", "b", "c"]}, r"learned_from is two things, \(rows, truth\)"),
        (7, {"task": "regression", "learned_from": (["a", "b"], [1.5, 2.5])}, "Give a text, or a list of texts"),
    ],
)
def test_what_does_not_fit_is_said_in_words(rows: Any, more: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        explain_given(summed, rows, **more)


def test_outcomes_of_a_function_are_named_by_the_truth_or_by_hand(opinion: Any) -> None:
    def ask(rows: Sequence[str]) -> NDArray[Any]:
        return np.asarray(opinion.model.predict_proba(rows))

    by_truth = explained(ask, opinion.rows[0], learned_from=(opinion.rows, opinion.truth))
    assert by_truth == explained(ask, opinion.rows[0], classes=[0, 1]) == explained(opinion.model, opinion.rows[0])


def test_a_file_that_reads_documents_is_explained_as_the_pipeline_it_was(tmp_path: Any) -> None:
    texts = [f"{'good' if at % 2 else 'poor'} thing number {at % 7}" for at in range(60)]
    labels = ["yes" if at % 2 else "no" for at in range(60)]
    model = make_pipeline(TfidfVectorizer(lowercase=False), LogisticRegression()).fit(texts, labels)
    file = to_onnx(model, initial_types=[("text", StringTensorType([None, 1]))])
    (tmp_path / "opinion.onnx").write_bytes(file.SerializeToString())
    (one,), (same,) = (
        explained(asked, texts[1], classes=["no", "yes"]) for asked in (tmp_path / "opinion.onnx", model)
    )
    assert one.decided == "yes"
    assert {item.word: item.effect for item in one.words} == pytest.approx(
        {item.word: item.effect for item in same.words}, abs=1e-5
    )
    assert one.words[0].word == "good"
