"""A text classifier is judged by the same suites, pressed with what happens to texts, and explained word by word."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from skl2onnx import to_onnx
from skl2onnx.common.data_types import StringTensorType
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from sealwright.assurance import judge
from sealwright.assurance.text.attack import attacked
from sealwright.assurance.text.attribution import documents_of, leave_one_out, shapley, without
from sealwright.kernel import InvalidInput


def test_documents_may_be_a_list_an_array_a_series_or_arrow(opinion: Any) -> None:
    wanted = opinion.model.score(opinion.rows, opinion.truth)
    for rows in (
        opinion.rows,
        tuple(opinion.rows),
        np.array(opinion.rows),
        np.array(opinion.rows, dtype=object),
        pd.Series(opinion.rows),
        pl.Series(opinion.rows),
        pa.array(opinion.rows),
    ):
        found = type(opinion)(opinion.model, rows, opinion.truth).judge("performance")
        assert found.one("performance.accuracy").value == pytest.approx(wanted)


def test_a_frame_with_a_column_of_texts_stays_a_table(opinion: Any) -> None:
    (result,) = judge(
        lambda rows: opinion.model.predict_proba(rows["said"]),
        pd.DataFrame({"said": opinion.rows}),
        opinion.truth,
        settings={"suites": ["performance"]},
    )
    assert result.settings["interface"]["modality"] == "table"


def test_a_file_of_onnx_reads_documents(opinion: Any) -> None:
    rows = [text.lower() for text in opinion.rows]  # onnxruntime lowers letters by a locale that may not be installed
    model = make_pipeline(TfidfVectorizer(lowercase=False), LogisticRegression()).fit(rows, opinion.truth)
    for shape in ([None, 1], [None]):
        types = [("text", StringTensorType(shape))]
        file = to_onnx(model, initial_types=types, options={"zipmap": False}).SerializeToString()
        found = type(opinion)(file, rows, opinion.truth).judge("performance")
        wanted = roc_auc_score(opinion.truth, model.predict_proba(rows)[:, 1])
        assert found.one("performance.roc_auc").value == pytest.approx(wanted, abs=0.01)


def test_every_suite_runs_and_says_what_is_not_for_documents(opinion: Any, judged_opinion: Any) -> None:
    found = judged_opinion
    assert all(result.findings for result in found.results if result.suite != "privacy")  # which needs the rows learned
    again = opinion.judge("robustness", "explanation")
    assert [one.findings for one in found.results if one.suite in ("robustness", "explanation")] == [
        one.findings for one in again.results
    ]
    assert found.why("stress.unit_mistake_flip_share") == (
        "it is about rows of a table; here are documents",
        False,
    )
    assert found.why("robustness.image_flip_share")[1] is False


def test_groups_and_the_rows_learned_from_stand_beside_documents(
    opinion: Any, make_reviews: Callable[..., Any]
) -> None:
    learned = make_reviews(200, np.random.default_rng(5))
    found = opinion.judge(
        "quality", "fairness", "performance", groups={"shop": np.arange(400) % 2}, learned_from=learned
    )
    assert found.one("fairness.selection_gap").group.attribute == "shop"
    assert found.one("quality.overlap_share").n == 400
    assert found.one("performance.overfit_gap").n > 0


def test_the_order_of_documents_changes_no_number(opinion: Any, judged_opinion: Any) -> None:
    suites = ("performance", "robustness", "explanation")
    turned = type(opinion)(opinion.model, opinion.rows[::-1], opinion.truth[::-1]).judge(*suites)
    for check in ("performance.roc_auc", "robustness.text_attack_accuracy", "explanation.word_top_share"):
        assert turned.one(check).value == pytest.approx(judged_opinion.one(check).value, abs=1e-12)
    assert turned.all("robustness.text_flip_share") == judged_opinion.all("robustness.text_flip_share")


def test_a_slice_of_long_documents_can_be_declared_without_giving_their_length(opinion: Any) -> None:
    long = {"where": {"words": {"at_least": 19}}, "name": "long"}
    rows = [text + " And so on it went." if at % 2 else text for at, text in enumerate(opinion.rows)]
    found = type(opinion)(opinion.model, rows, opinion.truth).judge("slices", settings={"slices": [long]})
    sizes = {one.n for one in found.results[0].findings if one.group and one.group.level == "long"}
    assert 200 in sizes


def test_every_disturbance_has_its_curve_and_the_strength_it_holds_up_to(judged_opinion: Any) -> None:
    found = judged_opinion
    kinds = {one.group.attribute for one in found.all("robustness.text_holds_up_to")}
    assert kinds == {
        *("typos", "case", "spacing", "punctuation"),
        *("homoglyphs", "dropped_words", "truncation", "synonyms"),
    }
    assert found.one("robustness.text_flip_share", "case").value == 0, "TF-IDF reads small letters only"
    assert found.one("robustness.text_flip_share", "typos").value > 0
    (figure,) = [one for result in found.results for one in result.figures if one.name == "robustness.text"]
    assert all(series.x == (0.0, 0.05, 0.1, 0.2, 0.4) and series.y[0] == 0 for series in figure.series)


def test_without_enough_known_words_synonyms_say_nothing(opinion: Any) -> None:
    found = opinion.judge("robustness", settings={"text": {"english": False}})
    why = next(
        one.why
        for one in found.results[0].not_performed
        if one.check == "robustness.text_flip_share" and one.group and one.group.attribute == "synonyms"
    )
    assert "0 of 150 documents have a word with a known synonym" in why
    assert "synonyms" not in {one.group.attribute for one in found.all("robustness.text_holds_up_to")}


# --- the attack


def test_an_attack_never_raises_accuracy_and_more_questions_never_help_the_model(opinion: Any) -> None:
    found = [
        opinion.judge("robustness", settings={"text": {"queries": queries, "shares": [0.1]}})
        for queries in (20, 60, 200)
    ]
    held = [one.one("robustness.text_attack_accuracy") for one in found]
    assert held[0].value > held[1].value > held[2].value
    assert held[0].value <= opinion.judge("performance").one("performance.accuracy").high
    (figure,) = [one for one in found[1].results[0].figures if one.name == "robustness.text_attack"]
    curve = figure.series[0].y
    assert list(curve) == sorted(curve, reverse=True)
    assert curve[-1] == held[1].value


def test_the_attacker_asks_no_more_than_allowed() -> None:
    asked = [0]

    def stubborn(versions: Any, wanted: NDArray[Any]) -> Any:
        asked[0] += len(versions)
        return np.full(len(versions), 0.9), np.zeros(len(versions), dtype=bool)

    for text, most in (("a plain text with quite a few words in it", 38), ("two words", 14), ("", 0), ("one", 7)):
        asked[0] = 0
        found = attacked(stubborn, [text], np.array([0]), np.array([0.9]), {}, 38, np.random.default_rng(0))
        assert found.fooled_at.tolist() == [0]
        assert asked[0] <= most


def test_a_model_that_never_answers_for_changed_text_is_not_called_fooled() -> None:
    def silent(versions: Any, wanted: NDArray[Any]) -> Any:
        return np.full(len(wanted), np.nan), np.zeros(len(versions), dtype=bool)

    found = attacked(silent, ["some words here"], np.array([0]), np.array([0.9]), {}, 30, np.random.default_rng(0))
    assert found.fooled_at.tolist() == [0]


# --- words


def additive(weights: dict[str, float]) -> Callable[..., Any]:
    return lambda texts, _owners: np.array([sum(weights.get(word, 0) for word in text.split()) for text in texts])


def test_of_a_sum_over_words_both_attributions_are_the_summands() -> None:
    weights = {"good": 2.0, "bad": -1.0, "day": 0.25}
    (document,) = documents_of(["good day bad thing"], 10)
    ask = additive(weights)
    whole = ask([document.text], [0])
    (drops,) = leave_one_out(ask, [document], whole)
    (parts,) = shapley(ask, [document], 2, np.random.default_rng(0))
    wanted = [weights.get(word, 0) for word in document.words]
    assert drops == pytest.approx(wanted)
    assert parts.values == pytest.approx(wanted)


def test_shapley_values_of_a_game_are_those_of_all_orders_and_add_up() -> None:
    from itertools import permutations

    def ask(texts: Any, _owners: Any) -> NDArray[np.float64]:
        return np.array(
            [1.0 * ("a" in t and "b" in t) + 0.5 * ("c" in t) - 0.3 * ("a" in t and "c" in t) for t in texts]
        )

    (document,) = documents_of(["a b c"], 10)
    brute = np.zeros(3)
    for order in permutations(range(3)):
        for at, word in enumerate(order):
            have, before = set(order[: at + 1]), set(order[:at])
            sides = [without(document, [one for one in range(3) if one not in group]) for group in (have, before)]
            brute[word] += np.subtract(*ask(sides, None)) / 6
    (parts,) = shapley(ask, [document], 400, np.random.default_rng(0))
    assert parts.values == pytest.approx(brute, abs=0.03)
    assert parts.values.sum() == pytest.approx(parts.whole - parts.none, abs=1e-12)


def test_words_of_fewer_than_ten_documents_are_never_named(opinion: Any) -> None:
    rows = [*opinion.rows[:291], *(f"{text} Rumpelstiltskin" for text in opinion.rows[291:300])]
    found = type(opinion)(opinion.model, rows, opinion.truth[:300]).judge("explanation")
    assert "rumpelstiltskin" not in str([result.to_json() for result in found.results]).lower()
    told = found.all("explanation.word_influence")
    assert told
    assert min(one.n for one in told) >= 10


def test_what_adds_up_is_reported_and_a_model_in_two_minds_is_refused(opinion: Any, judged_opinion: Any) -> None:
    steady = judged_opinion
    assert steady.one("explanation.word_shapley_additivity").value < 1e-9
    assert steady.one("explanation.word_shapley_agreement").low > 0.5
    assert steady.one("explanation.word_fidelity").low > 0.1
    calls = iter(range(10**9))

    def moody(rows: list[str]) -> NDArray[Any]:
        shift = 0.01 * (next(calls) % 7)
        chance = np.clip(opinion.model.predict_proba(rows)[:, 1] - shift, 0, 1)
        return np.asarray(chance)

    found = type(opinion)(moody, opinion.rows, opinion.truth).judge("explanation")
    assert found.one("explanation.word_shapley_additivity").value > 1e-3
    assert "do not add up" in found.why("explanation.word_shapley_agreement")[0]


def test_a_useless_explanation_is_told_from_a_useful_one(opinion: Any, judged_opinion: Any) -> None:
    """A model that looks at the number of letters only has no words to hang on."""

    def by_length(rows: list[str]) -> NDArray[Any]:
        return 1 / (1 + np.exp(-(np.array([len(one) for one in rows]) - 80) / 40))

    found = type(opinion)(by_length, opinion.rows, opinion.truth).judge("explanation")
    assert found.one("explanation.word_fidelity").value < 0.1 < judged_opinion.one("explanation.word_fidelity").low


# --- planted faults


def test_a_model_that_leans_on_one_word_is_found(make_opinion: Callable[..., Any]) -> None:
    leaning = make_opinion(1, token=0.97).judge("explanation")
    top = leaning.one("explanation.word_top_share")
    assert top.low > 0.15
    assert "zx81" in top.note or "ref" in top.note
    sound = make_opinion(1).judge("explanation").one("explanation.word_top_share")
    assert sound.high < 0.15


def test_a_model_that_decides_by_he_and_she_is_found(opinion: Any, judged_opinion: Any) -> None:
    def partial(rows: list[str]) -> NDArray[Any]:
        chance = opinion.model.predict_proba(rows)[:, 1]
        return np.asarray(np.clip(chance - 0.3 * np.array([" She " in f" {one}" for one in rows]), 0, 1))

    found = type(opinion)(partial, opinion.rows, opinion.truth).judge("fairness")
    assert found.one("fairness.identity_flip_share").low > 0.1
    assert found.one("fairness.identity_shift").high < -0.1
    sound = judged_opinion
    assert sound.one("fairness.identity_flip_share").high < 0.05
    assert abs(sound.one("fairness.identity_shift").value) < 0.02


def test_documents_without_such_words_leave_the_question_open(opinion: Any) -> None:
    rows = [text.replace("He ", "They ").replace("She ", "They ") for text in opinion.rows]
    why, applicable = type(opinion)(opinion.model, rows, opinion.truth).judge("fairness").why(
        "fairness.identity_flip_share"
    )  # fmt: skip
    assert "there are 0 documents with a word of assurance.text.identity_pairs" in why
    assert applicable


def test_a_number_can_be_predicted_from_documents(opinion: Any) -> None:
    truth = np.array([len(text) for text in opinion.rows], dtype=float) + np.linspace(0, 1, 400)

    def letters(rows: list[str]) -> NDArray[Any]:
        return np.array([len(one) for one in rows], dtype=float)

    found = type(opinion)(letters, opinion.rows, truth).judge("robustness", "explanation", task="regression")
    assert found.one("robustness.text_shift", "truncation").value > 0.1
    assert found.all("explanation.word_influence")
    assert found.why("robustness.text_attack_accuracy") == ("there is no such thing for a regression model", False)


def test_what_does_not_fit_is_said_in_words(opinion: Any) -> None:
    with pytest.raises(InvalidInput, match="layout is about images"):
        judge(opinion.model, opinion.rows, opinion.truth, layout="nhwc")
    with pytest.raises(InvalidInput, match="400 rows and 3 outcomes"):
        judge(opinion.model, opinion.rows, [1, 0, 1])
    with pytest.raises(InvalidInput, match="two different words"):
        judge(opinion.model, opinion.rows, opinion.truth, settings={"text": {"identity_pairs": [["he", "He"]]}})
