"""After the projection no line tells the group from the features; the residual form equals fairlearn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from sealwright.training.mitigation.erasure import erasure, residuals


def rows(seed: int, groups: int = 2, n: int = 400, d: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    of = rng.integers(0, groups, n).astype(np.int32)
    mixing = rng.normal(size=(d, d))
    return rng.normal(size=(n, d)) @ mixing + of[:, None] * rng.normal(size=d) * 2, of


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_no_feature_is_correlated_with_any_group(seed: int, groups: int) -> None:
    matrix, of = rows(seed, groups)
    project, shift = erasure(matrix, of)
    after = matrix @ project + shift
    for group in range(groups):
        assert np.allclose(after[of == group].mean(axis=0), matrix.mean(axis=0), atol=1e-8 * np.abs(matrix).max())


def test_a_line_can_no_longer_tell_the_group() -> None:
    matrix, of = rows(1)
    project, shift = erasure(matrix, of)
    after = matrix @ project + shift
    before = LogisticRegression(max_iter=5000).fit(matrix, of).score(matrix, of)
    told = LogisticRegression(max_iter=5000, tol=1e-12).fit(after, of)
    assert before > 0.8
    assert np.abs(told.coef_).max() < 1e-4


def test_it_moves_the_features_less_than_dropping_the_direction_does() -> None:
    """Belrose et al., theorem 4.3: least in mean squared distance, here held against the orthogonal projection."""
    matrix, of = rows(2)
    project, shift = erasure(matrix, of)
    away = matrix - matrix.mean(axis=0)
    direction = (away.T @ (of - of.mean())).reshape(-1, 1)
    direction /= np.linalg.norm(direction)
    dropped = matrix - away @ direction @ direction.T
    moved = ((matrix @ project + shift - matrix) ** 2).sum()
    assert moved < ((dropped - matrix) ** 2).sum()


def test_constant_columns_and_doubled_columns_are_no_obstacle() -> None:
    matrix, of = rows(3)
    wide = np.column_stack([matrix, matrix[:, 0], np.ones(len(matrix))])
    project, shift = erasure(wide, of)
    after = wide @ project + shift
    assert np.isfinite(after).all()
    assert np.allclose(after[of == 0].mean(axis=0), after[of == 1].mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("strength", [1.0, 0.4])
def test_the_residual_form_is_fairlearns(strength: float) -> None:
    from fairlearn.preprocessing import CorrelationRemover

    matrix, of = rows(4)
    both = np.column_stack([of.astype(float), matrix])
    theirs = CorrelationRemover(sensitive_feature_ids=[0], alpha=strength).fit_transform(both)
    assert np.allclose(residuals(matrix, of, strength), theirs, atol=1e-9)


@given(st.integers(0, 1000))
@settings(max_examples=10)
def test_renaming_groups_changes_nothing(seed: int) -> None:
    matrix, of = rows(seed, 3)
    renamed = np.array([2, 0, 1], dtype=np.int32)[of]
    for one, other in zip(erasure(matrix, of), erasure(matrix, renamed), strict=True):
        assert np.allclose(one, other, atol=1e-8)
