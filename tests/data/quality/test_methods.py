"""The methods against their definitions and against other implementations."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planting import clean
from sklearn.metrics import roc_auc_score

from sealwright.data.quality import find_suspects, folded, frame_of, near_pairs, spellings
from sealwright.data.quality.associations import correlations, cramers_v
from sealwright.data.quality.checks.categories import one_edit_apart
from sealwright.data.quality.checks.leaking import roc_area


def test_confident_learning_does_what_the_paper_defines() -> None:
    """Six rows, two classes, by hand: thresholds 0.6 and 0.7; row 2 is counted as (0, 1), row 5 as (1, 0)."""
    given = np.array([0, 0, 0, 1, 1, 1])
    ones = np.array([0.1, 0.2, 0.9, 0.95, 0.95, 0.2])
    probabilities = np.column_stack([1 - ones, ones])
    found = find_suspects(given, probabilities)
    assert sorted(found.rows.tolist()) == [2, 5]
    assert dict(zip(found.rows.tolist(), found.proposed.tolist(), strict=True)) == {2: 1, 5: 0}
    assert found.joint == pytest.approx(np.array([[2, 1], [1, 2]]) / 6)
    assert found.noise == pytest.approx(1 / 3)
    assert find_suspects(given, probabilities, margin=0.7).rows.tolist() == [2]


def test_labels_that_agree_are_never_suspected() -> None:
    given = np.array([0, 1, 2] * 20)
    found = find_suspects(given, np.eye(3)[given] * 0.8 + 0.2 / 3)
    assert found.rows.size == 0
    assert found.noise == pytest.approx(0.0)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.2, 0.5, 0.9])), min_size=2, max_size=40))
def test_the_area_is_that_of_scikit_learn(rows: list[tuple[bool, float]]) -> None:
    truth, scores = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    if truth.all() or not truth.any():
        assert roc_area(truth, scores) is None
    else:
        assert roc_area(truth, scores) == pytest.approx(roc_auc_score(truth, scores))


def test_correlations_are_those_over_rows_both_columns_have() -> None:
    made = clean(400, 8)
    holes = np.random.default_rng(1).random((2, 400)) < 0.3
    table = made.table
    for place, name in enumerate(("normal0", "normal1")):
        at = table.column_names.index(name)
        table = table.set_column(at, name, pa.array(table.column(name).to_numpy(), mask=holes[place]))
    both = ~holes.any(axis=0)
    expected = np.corrcoef(*(made.table.column(name).to_numpy()[both] for name in ("normal0", "normal1")))[0, 1]
    assert correlations(frame_of(table, made.spec))["normal1"]["normal0"] == pytest.approx(expected, abs=1e-4)


def test_cramers_v_is_one_for_a_copy_and_near_zero_for_chance() -> None:
    codes = np.random.default_rng(0).integers(0, 5, 3000)
    assert cramers_v(codes, codes) == pytest.approx(1.0)
    assert (cramers_v(codes, np.random.default_rng(1).integers(0, 4, 3000)) or 0.0) < 0.05
    assert cramers_v(codes, np.zeros(3000, dtype=np.int64)) is None


@pytest.mark.parametrize(
    "spelled",
    ["berlin", "BERLIN ", " Ber lin".replace("r l", "rl"), "Bеrlin", "Berlin\u00a0", "Ｂｅｒｌｉｎ", "Ber\u00adlin"],
)
def test_what_a_reader_does_not_see_is_folded_away(spelled: str) -> None:
    assert folded(spelled) == folded("Berlin")


def test_words_of_another_script_stay_words_of_it() -> None:
    assert folded("Москва") != folded("Mockba")
    assert folded("A-1") == folded("a 1")
    assert folded("e\u0301t\u00e9") == folded("\u00e9t\u00e9")


def test_the_most_frequent_spelling_wins() -> None:
    assert spellings(["A", "a", "b"], [2, 5, 1]) == {"A": "a"}
    assert spellings(["A", "a"], [3, 3]) == {"a": "A"}
    assert spellings(["A", "a"], [3, 0]) == {}
    assert spellings(["Halle ", "Halle", "a\u200bb", "ab"], [9, 2, 5, 1]) == {"Halle ": "Halle", "a\u200bb": "ab"}


@given(st.text("abc", min_size=1, max_size=5), st.text("abc", min_size=1, max_size=5))
def test_one_edit_apart_is_symmetric_and_what_a_plain_search_finds(one: str, other: str) -> None:
    edits = {one[:p] + one[p + 1 :] for p in range(len(one))}
    edits |= {one[:p] + c + one[p:] for p in range(len(one) + 1) for c in "abc"}
    edits |= {one[:p] + c + one[p + 1 :] for p in range(len(one)) for c in "abc"}
    edits |= {one[:p] + one[p + 1] + one[p] + one[p + 2 :] for p in range(len(one) - 1)}
    assert one_edit_apart(one, other) == (other in edits - {one})
    assert one_edit_apart(one, other) == one_edit_apart(other, one)


def test_near_pairs_are_those_a_comparison_of_all_pairs_finds() -> None:
    made = clean(400, 3)
    copies = made.table.slice(0, 20)
    copies = copies.set_column(1, "normal0", made.table.column("normal0").slice(200, 20))
    frame = frame_of(pa.concat_tables([made.table, copies]), made.spec)
    found = near_pairs(frame, similar=0.9)
    assert {(int(a), int(b)) for a, b in zip(found.one, found.other, strict=True)} == {(p, 400 + p) for p in range(20)}
    assert set(found.different.tolist()) <= {0, 1}
