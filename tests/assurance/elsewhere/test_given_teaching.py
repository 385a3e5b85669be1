"""A clone of somebody's estimator, trained anew, is that estimator again."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression

from sealwright.assurance.elsewhere.given_rows import given_rows
from sealwright.assurance.elsewhere.given_teaching import given_teaching
from sealwright.assurance.elsewhere.held import _interface
from sealwright.assurance.features import pack


def test_a_clone_answers_as_the_original_whatever_its_outcomes_are_called() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    said = np.where(y == 1, "benign", "malignant")
    model = LogisticRegression(max_iter=5000).fit(X[:300], said[:300])
    rows = given_rows(X[:300])
    interface = _interface(rows, "binary", ("benign", "malignant"), None)
    teach = given_teaching(model, rows, interface)
    assert teach is not None
    table = rows.table.append_column("target", pa.array(said[:300]))
    again = teach.learn(table, 3)
    test = pack(given_rows(X[300:]).table.append_column("target", pa.array(said[300:])), interface)
    assert again.predict(test) == pytest.approx(model.predict_proba(X[300:]), abs=1e-6)


def test_the_seed_decides_what_is_drawn() -> None:
    X, y = load_diabetes(return_X_y=True)
    rows = given_rows(X)
    interface = _interface(rows, "regression", (), None)
    teach = given_teaching(RandomForestRegressor(10), rows, interface)
    assert teach is not None
    table = rows.table.append_column("target", pa.array(y))
    features = pack(table, interface)
    first, same, other = (teach.learn(table, seed).predict(features) for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_a_function_does_not_say_how_it_was_trained() -> None:
    rows = given_rows(np.zeros((3, 2)))
    assert given_teaching(lambda X: X, rows, _interface(rows, "regression", (), None)) is None
