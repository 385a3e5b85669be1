"""Single rows are explained in the hand, escaped where they are shown, and refused where they do not fit."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import sealwright as sw
from sealwright.kernel import InvalidInput


def test_a_row_is_explained_as_text_table_and_data() -> None:
    rng = np.random.default_rng(0)
    columns = {"<b>": rng.normal(size=200), "age": rng.normal(size=200)}
    X = np.column_stack(list(columns.values()))
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    model = LogisticRegression().fit(X, y)

    def ask(table):  # the rows come as they were given
        return model.predict_proba(np.column_stack([table[name].to_numpy() for name in columns]))

    row = {"<b>": -1.0, "age": -0.5}
    found = sw.explain(ask, row, learned_from=(columns, y), fixed=["age"])
    (one,) = found
    assert one.decided == "0"
    assert set(one.change.changes) == {"<b>"}
    assert one.change.answer >= 0.5
    assert "decided 0" in found.text()
    assert "<b></td>" not in found.html()
    assert "&lt;b&gt;" in found.html()
    assert found.to_json()[0]["contributions"][0]["feature"] in columns
    with pytest.raises(InvalidInput, match="lack age"):
        sw.explain(ask, {"<b>": 1.0}, learned_from=(columns, y))
