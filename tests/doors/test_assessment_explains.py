"""What was judged can be explained: rows, documents and images, to the same model, with the settings it was judged by."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sealwright as sw
from sealwright.doors.assessment import Assessment
from sealwright.kernel import InvalidInput

GERMAN = Path(__file__).parents[2] / "examples/german-credit/german_credit.csv"
QUICK = {"suites": ["performance"], "bootstrap": 200}
FRAME = pd.read_csv(GERMAN).drop(columns="applicant_id")
ROWS, OUTCOME = FRAME.drop(columns="outcome"), FRAME["outcome"]
SOME = ["duration_months", "amount_dm", "age", "instalment_rate_percent"]


def encoded(model: Any, rows: pd.DataFrame) -> Any:
    words = list(rows.select_dtypes(exclude="number"))
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), words), remainder=StandardScaler())
    return make_pipeline(encode, model)


@pytest.fixture(scope="module")
def linear() -> Any:
    return encoded(LogisticRegression(max_iter=500), ROWS).fit(ROWS[:700], OUTCOME[:700])


def judged(model: Any, **more: Any) -> Assessment:
    settings = {**QUICK, **more.pop("settings", {})}
    return sw.assess(model, ROWS[700:], OUTCOME[700:], positive="good", settings=settings, **more)


@pytest.fixture(scope="module")
def found(linear: Any) -> Assessment:
    return judged(linear, groups=["sex"], learned_from=(ROWS[:700], OUTCOME[:700]))


def total(one: Any) -> float:
    return float(one.base + sum(item.phi for item in one.contributions))


def test_contributions_of_every_column_add_up_to_the_answer_of_the_pipeline(linear: Any, found: Assessment) -> None:
    rows = ROWS[700:720]
    chances = linear.predict_proba(rows)[:, list(linear.classes_).index("good")]
    told = found.explain(rows)
    assert len(told) == 20
    for one, chance in zip(told, chances, strict=True):
        assert (one.unit, one.outcome) == ("log-odds", "good")
        assert {item.feature for item in one.contributions} == set(ROWS)
        assert one.answer == pytest.approx(chance)
        assert 1 / (1 + np.exp(-total(one))) == pytest.approx(chance, abs=1e-6)
        assert one.decided == ("good" if chance >= 0.5 else "bad")


def test_contributions_of_a_forest_and_of_a_regression_add_up_on_the_scale_of_their_answers() -> None:
    rows, truth = ROWS[SOME], OUTCOME
    forest = RandomForestClassifier(20, max_depth=4, random_state=0).fit(rows[:700], truth[:700])
    (one,) = sw.assess(forest, rows[700:], truth[700:], positive="good", settings=QUICK).explain(rows[700:701])
    assert one.unit == "probability"
    assert total(one) == pytest.approx(forest.predict_proba(rows[700:701])[0, 1], abs=1e-6)
    price = LinearRegression().fit(rows[:700].drop(columns="amount_dm"), rows[:700]["amount_dm"])
    held = rows[700:].drop(columns="amount_dm")
    (value,) = sw.assess(price, held, rows[700:]["amount_dm"].astype(float), settings=QUICK).explain(held[:1])
    assert value.unit == "target units"
    assert total(value) == pytest.approx(price.predict(held[:1])[0])


def test_a_row_may_be_a_frame_a_series_or_a_mapping(found: Assessment) -> None:
    row = ROWS.iloc[800]
    frame, series, mapping = (found.explain(one) for one in (ROWS[800:801], row, row.to_dict()))
    assert frame.to_json() == series.to_json() == mapping.to_json()


def test_columns_the_model_does_not_know_or_misses_are_named(found: Assessment) -> None:
    with pytest.raises(
        InvalidInput, match=r"they lack age and have agee, which it does not take\.\nIt takes .*\bage\b"
    ):
        found.explain(ROWS[700:702].rename(columns={"age": "agee"}))
    with pytest.raises(InvalidInput, match="they have outcome, which it does not take"):
        found.explain(FRAME[700:702])
    with pytest.raises(InvalidInput, match="they lack housing, job"):
        found.explain(ROWS[700:702].drop(columns=["housing", "job"]))
    with pytest.raises(InvalidInput, match="Column age cannot be read as int64"):
        found.explain({**ROWS.iloc[700].to_dict(), "age": "old"})
    with pytest.raises(InvalidInput, match="wanted is 'great'; the model's outcomes are bad, good"):
        found.explain(ROWS[700:701], wanted="great")


def test_nobody_is_told_to_become_another_sex(found: Assessment) -> None:
    told = [one for one in found.explain(ROWS[700:730]) if one.decided == "bad"]
    changes = [one.change for one in told if not isinstance(one.change, str)]
    assert len(changes) > 2
    assert all("sex" not in one.changes for one in changes)
    worse = found.explain(ROWS[700:702], wanted="bad")
    assert {one.change.wanted for one in worse if not isinstance(one.change, str)} == {"bad"}


@pytest.mark.parametrize(
    "more",
    [
        {"settings": {"slices": [{"where": {"shop": "a"}}]}},
        {"settings": {"groups": ["shop", "sex"]}},
        {"settings": {"reference": {"shop": {"a": 0.5, "b": 0.5}}}},
        {"learned_from": (ROWS[:700], OUTCOME[:700])},
    ],
    ids=["slices", "groups", "shares", "learned from"],
)
def test_what_stands_beside_the_rows_judged_is_not_asked_of_a_row(linear: Any, more: dict[str, Any]) -> None:
    shops = ["a", "b"] * 150
    (one,) = judged(linear, groups={"shop": shops}, **more).explain(ROWS[700:701])
    assert 1 / (1 + np.exp(-total(one))) == pytest.approx(one.answer)


def test_groups_may_be_a_list_of_values(linear: Any) -> None:
    found = judged(linear, groups=["a", "b"] * 150, learned_from=(ROWS[:700], OUTCOME[:700]))
    assert found.explain(ROWS[700:701])[0].answer > 0.5


def test_words_of_a_document_are_explained_to_the_model_that_was_judged() -> None:
    texts = [f"{'good' if at % 2 else 'poor'} thing number {at % 7}" for at in range(120)]
    labels = ["yes" if at % 2 else "no" for at in range(120)]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, labels)
    found = sw.assess(model, texts, labels, groups={"shop": ["a", "b", "c"] * 40}, settings=QUICK)
    (one,) = found.explain("A good thing")
    assert (one.decided, one.words[0].word) == ("yes", "good")
    assert one.base + sum(item.effect for item in one.words) == pytest.approx(
        model.predict_proba(["A good thing"])[0, 1]
    )
    (against,) = found.explain("A good thing", wanted="no")
    assert against.words[0].effect == pytest.approx(-one.words[0].effect)
    with pytest.raises(InvalidInput, match="Give a text, or a list of texts"):
        found.explain(pd.DataFrame({"text": texts[:2]}))


def test_regions_of_an_image_are_explained_to_the_model_that_was_judged() -> None:
    digits = load_digits()
    images, truth = (
        digits.images[:400, None, :, 2:6] / 16,
        digits.target[:400] == 3,
    )  # one colour or four: it must be said
    model = LogisticRegression(max_iter=200).fit(images.reshape(400, -1), truth)
    found = sw.assess(model, images, truth, layout="nchw", settings={**QUICK, "images": {"images": 50}})
    (one,) = found.explain(images[3])
    assert (one.decided, one.rows, one.columns) == ("true", 8, 4)
    assert one.deletion.fidelity > 0
    assert found.explain(images[3:4])[0] == one


def test_findings_without_a_model_say_what_to_do() -> None:
    with pytest.raises(InvalidInput, match=r"findings only\. Use sw\.explain"):
        Assessment(title="kept", results=()).explain(ROWS[:1])
