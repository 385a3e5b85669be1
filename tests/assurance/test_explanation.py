"""Explanations name what the model uses, and nothing it does not."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.inspection import permutation_importance

from sealwright.assurance import AssuranceSpec, Features, run_suites

_NUMBERS = [{"name": name, "type": "number", "nullable": False} for name in ("strong", "weak", "twin", "idle")]
_INTERFACE = {
    "format": 1,
    "task": "binary",
    "target": "outcome",
    "classes": ["no", "yes"],
    "positive": "yes",
    "numbers": _NUMBERS,
}


def _model(features: Features) -> np.ndarray:
    strong, weak = features.numbers[:, 0].astype(float), features.numbers[:, 1].astype(float)
    p = 1 / (1 + np.exp(2 * strong - 0.5 * weak))
    return np.column_stack([1 - p, p])


@pytest.fixture(scope="module")
def explained():
    rng = np.random.default_rng(4)
    n = 1000
    columns = {name["name"]: rng.normal(size=n) for name in _NUMBERS}
    columns["twin"] = columns["strong"] + rng.normal(0, 0.1, n)
    p = 1 / (1 + np.exp(2 * columns["strong"] - 0.5 * columns["weak"]))
    table = pa.table(columns | {"outcome": np.where(rng.random(n) < p, "yes", "no")})
    (result,) = run_suites(["explanation"], _model, table, table, _INTERFACE, AssuranceSpec(), (), 1)
    return result, table


def _by_feature(result, check: str) -> dict:
    return {finding.group.attribute: finding for finding in result.find(check)}


def test_importance_ranks_features_by_what_the_model_does_with_them(explained) -> None:
    found = _by_feature(explained[0], "explanation.importance")
    assert list(found) == ["strong", "weak", "idle", "twin"] or list(found) == ["strong", "weak", "twin", "idle"]
    assert found["strong"].low > 0.2
    assert found["weak"].low > 0
    assert (found["idle"].value, found["twin"].value) == (0, 0)
    assert explained[0].find("explanation.features_in_use")[0].value == 2


def test_importance_agrees_with_scikit_learn(explained) -> None:
    result, table = explained

    class Wrapped:
        classes_ = np.array(["no", "yes"])

        def fit(self, *_):
            return self

        def score(self, X, y):
            from sklearn.metrics import roc_auc_score

            features = Features(numbers=X.astype(np.float32), strings=np.empty((len(X), 0), dtype=object))
            return roc_auc_score(y == "yes", _model(features)[:, 1])

    X = np.column_stack([table[item["name"]].to_numpy() for item in _NUMBERS])
    y = np.array(table["outcome"].to_pylist())
    expected = permutation_importance(Wrapped(), X, y, n_repeats=20, random_state=0).importances_mean
    found = _by_feature(result, "explanation.importance")
    for item, value in zip(_NUMBERS, expected, strict=True):
        finding = found[item["name"]]
        assert finding.value == pytest.approx(value, abs=0.015)
        assert finding.low - 1e-9 <= value <= finding.high + 1e-9


def test_features_that_move_together_are_said_to(explained) -> None:
    found = _by_feature(explained[0], "explanation.importance")
    assert found["twin"].note.startswith("moves together with strong (association ")
    assert found["idle"].note == ""


def test_directions_are_those_of_the_model(explained) -> None:
    found = _by_feature(explained[0], "explanation.direction")
    assert found["strong"].value == -1
    assert found["weak"].value == 1
    skips = {item.group.attribute: item.why for item in explained[0].not_performed if item.group}
    assert skips["idle"] == "the mean prediction does not change along the feature"


def test_dependence_curves_show_no_row_of_data(explained) -> None:
    result, table = explained
    curves = [figure for figure in result.figures if figure.name.startswith("explanation.dependence.")]
    assert len(curves) == 4
    for figure in curves:
        values = set(table[figure.x].to_numpy().astype(np.float32).tolist())
        (line,) = figure.series
        assert len(line.x) == 20
        assert not values & set(np.float32(line.x).tolist())
        assert min(line.x) > min(values)
        assert max(line.x) < max(values)


def test_real_models_are_explained(german, wine, diabetes) -> None:
    judged = german.judge("explanation")
    first = judged["explanation"].find("explanation.importance")[0]
    assert first.group.attribute == "checking_account"
    assert first.low > 0
    assert judged.one("explanation.direction", attribute="duration_months").value < -0.8
    assert judged.figure("explanation.dependence.checking_account").kind == "bars"
    assert "assurance.favourable" in wine.judge("explanation").why("explanation.direction")
    named = wine.judge("explanation", spec={"favourable": "barolo"})
    assert named.one("explanation.direction", attribute="proline").value > 0.9
    assert diabetes.judge("explanation").one("explanation.direction", attribute="bmi").value > 0.8


def test_wide_tables_are_explained_on_fewer_rows_not_more_work(monkeypatch: pytest.MonkeyPatch, explained) -> None:
    monkeypatch.setattr("sealwright.assurance.checks.explanation.importance._MOST_PREDICTIONS", 16_000)
    _, table = explained
    (result,) = run_suites(["explanation"], _model, table, table, _INTERFACE, AssuranceSpec(), (), 1)
    assert result.find("explanation.importance")[0].n == 400
