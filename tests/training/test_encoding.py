"""The graph encodes exactly what the recipe was trained on: same bits, whatever the rows."""

from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from sealwright.training.adapters.onnx_encoding import Pieces, encoding_nodes, inputs_of
from sealwright.training.adapters.onnx_export import finished
from sealwright.training.encoding import Encoding, Style, fit_encoding
from sealwright.training.packed import Packed

WORDS = ["", "a", "b", "ä", " ", "longer word", *(f"w{number:02}" for number in range(80))]


def by_graph(encoding: Encoding, packed: Packed) -> Any:
    pieces = Pieces()
    matrix = encoding_nodes(pieces, encoding)
    pieces.node("Identity", [matrix], "value")
    output = helper.make_tensor_value_info("value", TensorProto.FLOAT, ["N", None])
    model = finished(pieces.nodes, pieces.constants, inputs_of(packed.numbers.shape[1], packed.codes.shape[1]), output)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    inputs = {"numbers": packed.numbers, "strings": packed.strings()}
    return session.run(["value"], {item.name: inputs[item.name] for item in session.get_inputs()})[0]


@st.composite
def packed_rows(draw: st.DrawFn) -> tuple[Packed, Packed]:
    """Rows to fit on and rows to encode, over the same levels."""
    numbers, strings = draw(st.sampled_from([(1, 0), (0, 1), (2, 1), (1, 2), (3, 3)]))
    words = draw(st.integers(1, len(WORDS)))
    seed = draw(st.integers(0, 2**16))
    random = np.random.default_rng(seed)
    levels = tuple(tuple(sorted(random.permutation(WORDS)[:words].tolist())) for _ in range(strings))

    def rows(count: int, seen: int) -> Packed:
        values = random.normal(size=(count, numbers)) * 10.0 ** random.integers(-20, 20, size=(1, numbers))
        values[random.random(values.shape) < draw(st.sampled_from([0.0, 0.3, 1.0]))] = np.nan
        codes = random.integers(0, max(1, seen), size=(count, strings))
        return Packed(numbers=values.astype(np.float32), codes=codes.astype(np.int32), levels=levels)

    return rows(draw(st.integers(1, 60)), max(1, words // 2)), rows(draw(st.integers(1, 20)), words)


@given(rows=packed_rows(), style=st.sampled_from(["plain", "filled", "scaled"]), ordered=st.booleans())
@settings(max_examples=60, deadline=None)
def test_graph_and_recipe_encode_alike_bit_for_bit(rows: tuple[Packed, Packed], style: Style, *, ordered: bool) -> None:
    train, other = rows
    encoding = fit_encoding(train, np.arange(train.rows) % 2, style, ordered=ordered)
    for packed in (train, other):
        ours = encoding.transform(packed)
        assert ours.dtype == np.float32
        assert ours.tobytes() == by_graph(encoding, packed).tobytes()


def packed_words(words: list[str], levels: list[str]) -> Packed:
    places = {word: place for place, word in enumerate(levels)}
    return Packed(
        numbers=np.empty((len(words), 0), dtype=np.float32),
        codes=np.array([[places[word]] for word in words], dtype=np.int32),
        levels=(tuple(levels),),
    )


def test_a_word_training_never_saw_is_neither_of_those_it_saw() -> None:
    packed = packed_words(["a", "b", "a", "b"], ["", "a", "b", "new"])
    encoding = fit_encoding(packed, np.array([0, 1, 0, 1]), "plain", ordered=True)
    assert encoding.transform(packed_words(["a", "new", ""], ["", "a", "b", "new"])).tolist() == [
        [1, 0],
        [0, 0],
        [0, 0],
    ]


def test_a_wide_column_becomes_codes_in_the_order_of_the_target() -> None:
    words = [f"w{number:02}" for number in range(20)]
    target = np.array([19 - number for number in range(20)] * 30, dtype=np.float64)
    packed = packed_words(words * 30, ["", *words, "x"])
    encoding = fit_encoding(packed, target, "plain", ordered=True)
    assert encoding.texts[0].words == tuple(reversed(words))
    found = encoding.transform(packed_words(["", "w19", "w00", "x"], ["", *words, "x"]))
    assert found.tolist() == [[0], [1], [20], [-1]]


def test_a_missing_number_is_filled_flagged_and_never_leaves_the_scaled_matrix_empty() -> None:
    numbers = np.array([[1, np.nan], [3, np.nan], [np.nan, np.nan]], dtype=np.float32)
    packed = Packed(numbers=numbers, codes=np.empty((3, 0), dtype=np.int32), levels=())
    encoding = fit_encoding(packed, np.zeros(3), "scaled", ordered=True)
    found = encoding.transform(packed)
    assert np.isfinite(found).all()
    assert encoding.fill.tolist() == [2.0, 0.0]
    assert found[:, 2:].tolist() == [[0, 1], [0, 1], [1, 1]]


@pytest.mark.parametrize("value", [0.0, 1e30, -5.0])
def test_a_constant_column_says_nothing_instead_of_dividing_by_zero(value: float) -> None:
    packed = Packed(numbers=np.full((9, 1), value, dtype=np.float32), codes=np.empty((9, 0), dtype=np.int32), levels=())
    encoding = fit_encoding(packed, np.zeros(9), "scaled", ordered=True)
    assert encoding.transform(packed).tolist() == [[0.0]] * 9
