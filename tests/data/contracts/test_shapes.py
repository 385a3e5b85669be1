"""The short way for patterns that are mere shapes never says anything else than RE2, cell by cell."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sealwright.data.contracts.shapes import not_matching, shape_of

ATOMS = [
    "[A-Z]",
    "[a-c1-3]",
    "[0-9]",
    r"\d",
    r"\w",
    "[-a]",
    "[a-]",
    "[a.b]",
    r"\.",
    r"\+",
    r"\\",
    "x",
    "-",
    " ",
    "[_ ]",
]
TIMES = ["", "", "{2}", "{0}", "{1,3}", "{2,}", "+", "*", "{1,}"]
CELL = st.none() | st.text(alphabet="AZaxb1390 .-+_\\\nä٣", max_size=6)


def patterns() -> Any:
    parts = st.lists(st.tuples(st.sampled_from(ATOMS), st.sampled_from(TIMES)).map("".join), min_size=1, max_size=4)
    return parts.map(lambda found: f"^{''.join(found)}$")


@settings(deadline=None, max_examples=120)
@given(patterns(), st.lists(CELL, max_size=12), st.integers(0, 3))
@example("^[A-Z]{2}$", ["AB", "ABC", "A\n", None, ""], 0)
@example("^[A-Z]{2}[0-9]{3}$", ["AB123", "12ABC", "ABCDE", "12345", "A1B23"], 0)
@example("^[a-z]{2,3}$", ["a", "ab", "abc", "abcd"], 0)
@example("^[0-9]+$", ["1", "", "12", "٣"], 1)
def test_a_cell_matches_by_shape_exactly_if_it_matches_in_re2(pattern: str, cells: list[str | None], skip: int) -> None:
    column = pa.array(cells, pa.string()).slice(min(skip, len(cells)))
    expected = pc.fill_null(pc.invert(pc.match_substring_regex(column, pattern)), fill_value=False).to_pylist()
    assert not_matching(column, pattern).tolist() == expected


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(["^[A-Z]{2}[0-9]{3}$", "^[a-z]+$", r"^\d{4}-\d{2}$"]), st.data())
def test_cells_made_after_the_pattern_are_proven_without_re2(pattern: str, data: Any) -> None:
    cells = data.draw(
        st.lists(
            st.from_regex(pattern, fullmatch=True).filter(lambda text: text.isascii() and "\n" not in text), max_size=8
        )
    )
    assert shape_of(pattern) is not None
    assert not not_matching(pa.array(cells, pa.string()), pattern).any()


@pytest.mark.parametrize(
    "pattern", ["a", "^a", "a$", "^(a|b)$", "^a.c$", "^[^a]$", "^a?$", "^[[:alpha:]]$", "^[a-z]+[0-9]+$", r"^\s$", "^a$|b$", "^ä$", "^a{2}{3}$", "(?i)^a$"]
)  # fmt: skip
def test_what_is_more_than_a_shape_is_left_to_re2(pattern: str) -> None:
    assert shape_of(pattern) is None
