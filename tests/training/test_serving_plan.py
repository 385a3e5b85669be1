"""Whatever is trained here, the serving plan gives the bits that the whole graph gives, or it is not used."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sealwright.serving import contract_of
from sealwright.serving.adapters.onnx import OnnxEngine
from sealwright.serving.adapters.planned import PlannedEngine, agree, engine_of
from sealwright.serving.contract import Batch, Contract
from sealwright.training import RECIPES

from .test_export import SETS, job_of, made_by

KINDS = ["mixed", "only text", "flags and dates", "many words", "half missing"]


def planned(model: bytes, contract: Contract) -> PlannedEngine:
    told: list[str] = []
    engine = engine_of(model, contract, tell=told.append)
    assert told == []
    assert isinstance(engine, PlannedEngine)
    return engine


@pytest.mark.parametrize(
    ("recipe", "task", "columns"),
    [*((recipe, "binary", columns) for recipe in RECIPES for columns in KINDS),
     *((recipe, task, "mixed") for recipe in RECIPES for task in ("multiclass", "regression"))],
)  # fmt: skip
def test_the_plan_gives_the_bits_of_the_graph(recipe: str, task: str, columns: str) -> None:
    job, interface = job_of(recipe, task, **SETS[columns])
    made = made_by(replace(job, params={"trees": 10} if recipe != "logistic" else {}))
    contract, rows = contract_of(interface), job.holdout
    batch = Batch(rows.rows, rows.numbers if contract.numbers else None, rows.strings())
    assert agree(OnnxEngine(made.model, contract), planned(made.model, contract), batch)


@pytest.mark.parametrize("codes", ["one-hot", "ordinal"])
def test_pipelines_of_the_users_own_have_a_plan(codes: str) -> None:
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    from sealwright.training.adapters.onnx_own import converted

    random = np.random.default_rng(3)
    rows = np.empty((200, 5), dtype=object)
    rows[:, :3] = random.normal(size=(200, 3)).astype(np.float32)
    rows[:, 3], rows[:, 4] = random.choice(["a", "b", "c"], 200), random.choice(["x", "y"], 200)
    target = ((rows[:, 0].astype(float) > 0) ^ (rows[:, 3] == "a")).astype(int)
    encoder: Any = OneHotEncoder(handle_unknown="ignore")
    if codes == "ordinal":
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    first = ColumnTransformer([("words", encoder, [3, 4]), ("numbers", SimpleImputer(), [0, 2])])
    pipeline = make_pipeline(first, RandomForestClassifier(10, random_state=0)).fit(rows, target)
    contract = contract_of(_interface())
    engine = planned(converted(pipeline, "binary", 2, 3, 2), contract)
    batch = Batch(200, rows[:, :3].astype(np.float32), rows[:, 3:])
    assert np.allclose(engine.run(batch), pipeline.predict_proba(rows), atol=1e-5)


def _interface() -> dict[str, Any]:
    return {
        "format": 1,
        "project": "own",
        "task": "binary",
        "classes": ["no", "yes"],
        "order": ["n0", "n1", "n2", "s0", "s1"],
        "numbers": [{"name": f"n{at}", "type": "number", "nullable": True, "min": -3, "max": 3} for at in range(3)],
        "strings": [
            {"name": "s0", "type": "category", "nullable": True, "categories": ["a", "b", "c"]},
            {"name": "s1", "type": "category", "nullable": False, "categories": ["x", "y"]},
        ],
    }
