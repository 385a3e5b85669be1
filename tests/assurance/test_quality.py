"""Faults planted in the data are found; clean data is not accused."""

import numpy as np
import pyarrow as pa
import pytest


def _with_column(table: pa.Table, name: str, values) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def test_clean_data_has_nothing_to_answer_for(german) -> None:
    judged = german.judge("quality", quarantined=0)
    for name in ("missing_share", "duplicate_share", "constant_columns", "overlap_share", "quarantine_share"):
        assert judged.one(f"quality.{name}").value == 0, name
    assert judged.one("quality.smallest_class_share").value == pytest.approx(0.3)
    assert judged.one("quality.smallest_class_share").note == "rarest: bad"
    assert judged.one("quality.single_feature_score").high < 0.85


def test_test_rows_that_were_trained_on_are_found(german) -> None:
    leaked = german.with_(test=pa.concat_tables([german.test, german.train.slice(0, 50)]))
    found = leaked.judge("quality").one("quality.overlap_share")
    assert found.value == pytest.approx(50 / 300)
    assert found.low > 0.1


def test_overlap_is_found_whatever_the_identifier_says(german) -> None:
    copies = _with_column(german.train.slice(0, 50), "applicant_id", [f"B{n}" for n in range(50)])
    leaked = german.with_(test=pa.concat_tables([german.test, copies]))
    assert leaked.judge("quality").one("quality.overlap_share").value == pytest.approx(50 / 300)


@pytest.mark.parametrize(("feature", "answers"), [("residence_years", (1, 4)), ("telephone", ("yes", "none"))])
def test_a_feature_that_gives_the_answer_away_is_named(german, feature: str, answers: tuple) -> None:
    def leak(table: pa.Table) -> pa.Table:
        return _with_column(table, feature, [answers[value == "good"] for value in table["outcome"].to_pylist()])

    judged = german.with_(train=leak(german.train), test=leak(german.test)).judge("quality")
    found = judged.one("quality.single_feature_score")
    assert found.value == 1
    assert found.low > 0.9
    assert found.note == f"strongest: {feature}"
    assert judged.figure("quality.single_features").series[0].x[0] == feature


def test_empty_cells_are_counted_by_column(german) -> None:
    def hollow(table: pa.Table) -> pa.Table:
        values = table["savings"].to_pylist()
        return _with_column(table, "savings", [None if n % 4 == 0 else value for n, value in enumerate(values)])

    judged = german.with_(train=hollow(german.train), test=hollow(german.test)).judge("quality")
    found = judged.one("quality.column_missing_share", attribute="savings")
    assert found.value == pytest.approx((188 + 63) / 1000)
    assert judged.one("quality.missing_share").value == pytest.approx(0.251 / 20)


def test_copies_and_constants_are_counted(german) -> None:
    train = pa.concat_tables([german.train, german.train.slice(0, 100)])
    train = _with_column(train, "telephone", ["yes"] * 850)
    judged = german.with_(train=train).judge("quality")
    assert judged.one("quality.duplicate_share").value == pytest.approx(100 / 1100, abs=2e-3)
    assert judged.one("quality.constant_columns").value == 1
    assert judged.one("quality.constant_columns").note == "telephone"


def test_values_far_out_are_counted_by_the_outer_fence(guessed, rng: np.random.Generator) -> None:
    values = np.concatenate([rng.normal(0, 1, 198), [50.0, -50.0]])
    rows = guessed(rng.normal(size=200), values)
    found = rows.judge("quality").one("quality.outlier_share", attribute="guess")
    assert found.value == pytest.approx(4 / 400)  # the same two rows in training and test
    flat = guessed(rng.normal(size=200), np.zeros(200)).judge("quality")
    assert "one value" in flat.why("quality.outlier_share", attribute="guess")


def test_rows_set_aside_are_a_share_of_what_was_delivered(german) -> None:
    found = german.judge("quality", quarantined=250).one("quality.quarantine_share")
    assert (found.value, found.n) == (0.2, 1250)
    assert "not taken in through a data contract" in german.judge("quality").why("quality.quarantine_share")


def test_other_tasks_say_what_does_not_apply(diabetes, wine) -> None:
    judged = diabetes.judge("quality")
    skips = {item.check: item.applicable for item in judged["quality"].not_performed}
    assert skips["quality.smallest_class_share"] is False
    assert judged.one("quality.single_feature_score").unit == "R2"
    assert wine.judge("quality").one("quality.single_feature_score").value > 0.8
