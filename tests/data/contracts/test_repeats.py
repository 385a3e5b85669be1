"""Keys that come again are found by content, whatever the type, the batches and the length."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.data.contracts.repeats import Repeats

_LONG = "x" * 2_000
_CELLS = {
    pa.string(): st.none()
    | st.sampled_from(["", "\0", "\0\0", "a", "a\0", "ab", "ba", "abcd", "abcde", "é", _LONG, _LONG + "y"]),
    pa.binary(): st.none() | st.sampled_from([b"", b"\xff", b"\0", b"a"]),
    pa.int64(): st.none() | st.sampled_from([0, 1, -1, 2**62, -(2**63)]),
    pa.float64(): st.none() | st.sampled_from([0.0, -0.0, 1.5, float("inf"), float("nan")]),
    pa.bool_(): st.none() | st.booleans(),
    pa.date32(): st.none() | st.integers(-9, 9),
}


def _tables() -> st.SearchStrategy[list[pa.Array]]:
    def filled(kinds: list[Any], rows: int) -> st.SearchStrategy[list[pa.Array]]:
        columns = [st.lists(_CELLS[kind], min_size=rows, max_size=rows) for kind in kinds]
        return st.tuples(*columns).map(
            lambda cells: [pa.array(one, kind) for one, kind in zip(cells, kinds, strict=True)]
        )

    kinds = st.lists(st.sampled_from(list(_CELLS)), min_size=1, max_size=3)
    return st.tuples(kinds, st.integers(0, 40)).flatmap(lambda drawn: filled(*drawn))


def _found(columns: list[pa.Array], at_once: int) -> list[int]:
    repeats = Repeats()
    for start in range(0, len(columns[0]), at_once):
        repeats.add([one.slice(start, at_once) for one in columns], None)
    return repeats.places().tolist()


@given(_tables(), st.sampled_from([1, 7, 1_000]))
def test_every_row_is_found_whose_key_stood_before(columns: list[pa.Array], at_once: int) -> None:
    seen, expected = set(), []
    for place, cells in enumerate(zip(*(one.to_pylist() for one in columns), strict=True)):
        key = tuple("NaN" if isinstance(cell, float) and cell != cell else cell for cell in cells)
        if None in cells:
            continue
        if key in seen:
            expected.append(place)
        seen.add(key)
    assert _found(columns, at_once) == expected


def test_encodings_of_a_text_are_one_and_unread_rows_have_no_key() -> None:
    words = pa.array(["a", "b", "a", None, "b"])
    for column in (words, words.dictionary_encode(), words.cast(pa.large_string())):
        repeats = Repeats()
        repeats.add([column], np.array([False, False, False, False, True]))
        assert repeats.places().tolist() == [2]


def test_a_text_longer_than_a_part_is_one_key_and_keeps_its_neighbours() -> None:
    texts = ["z" * (3 << 20), "a", "z" * (3 << 20), "b" * 1_024, "b" * 1_024, "b" * 1_023]
    assert _found([pa.array(texts)], 10) == [2, 4]


def test_many_texts_of_different_length_do_not_meet() -> None:
    texts = [f"{place:x}" * (place % 9 + 1) for place in range(150_000)]
    assert len(set(texts)) < len(texts)
    found = _found([pa.array(texts)], 40_000)
    assert len(found) == len(texts) - len(set(texts))


def test_nobody_can_prepare_texts_that_meet_since_every_check_has_multipliers_of_its_own() -> None:
    one, other = Repeats(), Repeats()
    assert not np.array_equal(one._for_texts, other._for_texts)
    assert one._secret != other._secret


@pytest.mark.parametrize("kind", [pa.decimal128(21, 2), pa.timestamp("us", "UTC"), pa.time32("s")])
def test_other_types_are_compared_as_they_are_written(kind: pa.DataType) -> None:
    column = pa.array([1, 2, 1]).cast(pa.int32() if kind == pa.time32("s") else pa.int64()).cast(kind)
    assert _found([column], 10) == [2]
