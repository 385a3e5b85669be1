"""Rows have an identity that follows from their content, and nothing else."""

from datetime import date

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from sealwright.assurance.features import pack
from sealwright.assurance.interface import read_interface
from sealwright.assurance.rows import in_fixed_order, row_keys, table_digest

_CELLS = {
    "whole": st.none() | st.integers(-(2**62), 2**62),
    "number": st.none() | st.floats(allow_nan=False),
    "word": st.none() | st.text(max_size=4),
    "flag": st.none() | st.booleans(),
    "day": st.none() | st.dates(),
}
_SCHEMA = pa.schema(
    [
        ("whole", pa.int64()),
        ("number", pa.float64()),
        ("word", pa.string()),
        ("flag", pa.bool_()),
        ("day", pa.date32()),
    ]
)
_ROWS = st.lists(st.fixed_dictionaries(_CELLS), min_size=1, max_size=8)


def _table(rows: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


@given(_ROWS)
def test_rows_share_a_key_exactly_when_they_are_equal(rows: list[dict]) -> None:
    rows = rows + rows[:2]
    keys = row_keys(_table(rows), _SCHEMA.names)
    for i, one in enumerate(rows):
        for j, other in enumerate(rows):
            assert (keys[i] == keys[j]) == (one == other)


@given(_ROWS, st.randoms(use_true_random=False))
def test_any_order_becomes_the_same_order(rows: list[dict], shuffler) -> None:
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    one, other = in_fixed_order(_table(rows)), in_fixed_order(_table(shuffled).select(_SCHEMA.names[::-1]))
    assert table_digest(one) == table_digest(other)
    assert one.select(["word"]).equals(other.select(["word"]))


def test_swapped_columns_empty_words_and_nulls_are_told_apart() -> None:
    rows = [{"a": "x", "b": "y"}, {"a": "y", "b": "x"}, {"a": "", "b": "y"}, {"a": None, "b": "y"}]
    table = pa.Table.from_pylist(rows)
    assert len(set(row_keys(table, ["a", "b"]).tolist())) == 4
    zero = pa.table({"x": [0.0, -0.0]})
    assert len(set(row_keys(zero, ["x"]).tolist())) == 1


def test_every_changed_cell_changes_the_digest() -> None:
    row = {"whole": 1, "number": 0.5, "word": "ab", "flag": True, "day": date(2026, 1, 1)}
    other = {"whole": 2, "number": 0.25, "word": "a", "flag": False, "day": date(2026, 1, 2)}
    known = {table_digest(_table([row, row]))}
    for name, value in other.items():
        for changed in (value, None):
            found = table_digest(_table([row, row | {name: changed}]))
            assert found not in known
            known.add(found)
    words = [pa.table({"w": pair}) for pair in (["ab", "c"], ["a", "bc"], ["abc", ""], ["abc", None])]
    assert len({table_digest(table) for table in words}) == 4
    assert table_digest(words[0], words[1]) != table_digest(words[1], words[0])
    assert table_digest(words[0].slice(1)) == table_digest(pa.table({"w": ["c"]}))
    assert table_digest(pa.table({"w": pa.nulls(0, pa.string())})).startswith("sha256:")


def test_equal_texts_of_a_column_are_one_object_whatever_the_encoding() -> None:
    """A hundred thousand cells of a few words take the memory of the words."""
    told = {"task": "binary", "target": "y", "classes": ["n", "y"], "positive": "y", "numbers": []}
    interface = read_interface({"format": 1, **told, "strings": [{"name": "k", "categories": ["one", "two"]}]})
    plain = pa.chunked_array([["one", "two", None], ["one", "", "two"]])
    for column in (plain, plain.dictionary_encode(), pa.chunked_array([plain.combine_chunks()])):
        (words,) = pack(pa.table({"k": column, "y": ["y"] * 6}), interface).strings.T
        assert list(words) == ["one", "two", "", "one", "", "two"]
        assert words[0] is words[3]
        assert words[1] is words[5]
    assert pack(pa.table({"k": plain.slice(0, 0), "y": pa.array([], pa.string())}), interface).strings.shape == (0, 1)
