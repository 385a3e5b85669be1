"""What a model said is read the same way whether few or many were asked about."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from sealwright.serving.outcome import _FEW_ROWS, _shares_of_few, _shares_of_many

CLASSES = ("a", "b", "c")
odd = st.sampled_from([0.0, -0.0, 1.0, 1.0000005, 1.1, -1e-9, 1e-7, 0.5, float("nan"), float("inf"), float("-inf")])
shares = st.one_of(st.floats(0, 1, width=32), odd)


@example([[1.00000095, 0.0, 0.0], [-0.0, 1.0, 0.0]])
@given(st.lists(st.lists(shares, min_size=3, max_size=3), min_size=1, max_size=2 * _FEW_ROWS))
def test_a_row_is_told_alike_among_few_and_among_many(lines: list[list[float]]) -> None:
    raw = np.array(lines, dtype=np.float32)
    few, many = _shares_of_few(CLASSES, raw), _shares_of_many(CLASSES, raw)
    assert few.sound == many.sound
    for row in np.flatnonzero(few.sound).tolist():
        assert few.labels[row] == many.labels[row]
        assert list(map(repr, few.probabilities[row])) == list(map(repr, many.probabilities[row]))


@given(st.lists(st.floats(0.125, 1, width=32), min_size=3, max_size=3))
def test_shares_that_add_up_are_a_prediction(parts: list[float]) -> None:
    raw = np.array([parts], dtype=np.float32) / np.float32(sum(parts))
    found = _shares_of_few(CLASSES, raw)
    assert found.sound == [True]
    assert found.labels == [CLASSES[int(raw[0].argmax())]]
