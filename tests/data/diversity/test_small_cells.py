"""What is hidden cannot be had back by adding and subtracting what is shown."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sealwright.data.diversity.small_cells import hidden_cells, subsets

LEAST = 5
Margins = dict[tuple[int, ...], NDArray[np.int64]]


def margins_of(cube: NDArray[np.int64], depth: int) -> Margins:
    axes = tuple(range(cube.ndim))
    wanted = {part for size in range(depth + 1) for part in combinations(axes, size)}
    return {part: cube.sum(axis=tuple(axis for axis in axes if axis not in part)) for part in wanted}


@st.composite
def cubes(draw: st.DrawFn) -> NDArray[np.int64]:
    shape = draw(st.tuples(st.integers(2, 4), st.integers(2, 4), st.integers(2, 3)))
    values = draw(
        st.lists(
            st.one_of(st.just(0), st.integers(0, 3), st.integers(0, 14)),
            min_size=int(np.prod(shape)),
            max_size=int(np.prod(shape)),
        )
    )
    return np.array(values, dtype=np.int64).reshape(shape)


@settings(max_examples=150)
@given(cubes(), st.sampled_from([{0}, {1, 2}, {0, 1, 2}]), st.sampled_from([2, 3]))
def test_no_sum_that_is_shown_gives_a_small_count_away(cube: NDArray[np.int64], special: set[int], depth: int) -> None:
    margins = margins_of(cube, depth)
    hidden = hidden_cells(margins, special, LEAST)
    for axes, counts in margins.items():
        small = (counts > 0) & (counts < LEAST)
        if set(axes) & special:
            assert not (small & ~hidden[axes]).any()
        else:
            assert not hidden[axes].any()
        for place in range(len(axes)):
            parent = hidden[axes[:place] + axes[place + 1 :]]
            inside, lines = np.moveaxis(hidden[axes], place, -1), np.moveaxis(counts, place, -1)
            for where in np.ndindex(parent.shape):
                closed = inside[where]
                if parent[where]:
                    assert closed.any()
                elif closed.any() and not closed.all():
                    assert closed.sum() >= 2
                    assert lines[where][closed].sum() >= LEAST


def test_without_a_special_axis_nothing_is_hidden() -> None:
    cube = np.array([[1, 2], [3, 1]])
    assert not any(cells.any() for cells in hidden_cells(margins_of(cube, 2), set(), LEAST).values())


def test_a_small_count_takes_the_smallest_neighbour_with_it() -> None:
    margins = margins_of(np.array([2, 900, 60]), 1)
    assert hidden_cells(margins, {0}, LEAST)[(0,)].tolist() == [True, False, True]
    assert hidden_cells(margins, {0}, 2)[(0,)].tolist() == [False, False, False]


def test_solving_all_sums_at_once_gives_almost_nothing_away() -> None:
    """The stronger attack: which hidden cells follow from every shown number together (linear algebra)?"""
    rng, told, closed = np.random.default_rng(5), 0, 0
    for _ in range(60):
        cube = rng.poisson(rng.choice([1, 4, 20], size=(3, 4, 2)))
        margins = margins_of(cube, 3)
        hidden = hidden_cells(margins, {0}, LEAST)
        base = np.arange(cube.size).reshape(cube.shape)
        rows = []
        for axes in subsets((0, 1, 2)):
            for where in np.ndindex(margins[axes].shape):
                line = np.zeros(cube.size)
                place: list[object] = [slice(None)] * 3
                for axis, index in zip(axes, where, strict=True):
                    place[axis] = index
                line[base[tuple(place)].ravel()] = 1  # type: ignore[index]
                rows.append((line, bool(hidden[axes][where])))
        shown = np.array([line for line, is_hidden in rows if not is_hidden])
        rank = np.linalg.matrix_rank(shown)
        for line, is_hidden in rows:
            if is_hidden:
                closed += 1
                told += np.linalg.matrix_rank(np.vstack([shown, line])) == rank
    assert closed > 500
    assert told / closed == pytest.approx(0, abs=0.02)
