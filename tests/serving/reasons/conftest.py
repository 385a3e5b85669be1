"""Real models by our own recipes, as the pipeline exports them, and their explainers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from threadpoolctl import threadpool_limits

from sealwright.assurance import ChangeSpec
from sealwright.serving import Contract, Explainer, contract_of, counted_rows, explainer_document
from sealwright.serving.adapters.onnx import OnnxEngine
from sealwright.serving.contract import Batch
from sealwright.serving.spec import ReasonSpec
from sealwright.training.adapters.estimators import fit
from sealwright.training.adapters.onnx_export import export
from sealwright.training.packing import pack, read_shape, target_of
from sealwright.training.recipes import parameters_of

ROWS = 500
NAMES = ["income", "age", "debt", "enquiries", "home", "job", "region"]
SENTENCES = {
    name: ReasonSpec(code=f"R{at:02}", text=f"Something about your {name}.", inquiries=name == "enquiries")
    for at, name in enumerate(NAMES)
}


def number(name: str, kind: str, low: float | None, high: float | None, *, nullable: bool = False) -> dict[str, Any]:
    return {"name": name, "type": kind, "nullable": nullable, "min": low, "max": high}


INTERFACE: dict[str, Any] = {
    "format": 1,
    "project": "credit",
    "task": "binary",
    "target": "outcome",
    "classes": ["bad", "good"],
    "positive": "good",
    "numbers": [
        number("income", "number", 0.0, 10.0, nullable=True),
        number("age", "integer", 18, 90),
        number("debt", "number", None, None),
        number("enquiries", "integer", 0, 12),
    ],
    "strings": [
        {"name": "home", "type": "category", "nullable": True, "categories": ["own", "rent", "free"]},
        {"name": "job", "type": "category", "nullable": False, "categories": ["a", "b", "c", "d"]},
        {"name": "region", "type": "category", "nullable": False, "categories": ["n", "s"]},
    ],
    "order": ["income", "home", "age", "job", "debt", "enquiries", "region"],
    "outputs": {"probabilities": ["N", 2]},
}


@dataclass(frozen=True)
class Made:
    """A model, its rows, and explainers for it."""

    model: bytes
    interface: dict[str, Any]
    numbers: np.ndarray = field(repr=False)
    strings: np.ndarray = field(repr=False)
    contract: Contract
    engine: OnnxEngine
    counted: bytes = field(repr=False)

    def document(
        self,
        *,
        wanted: str = "good",
        reasons: Mapping[str, ReasonSpec] = SENTENCES,
        protected: tuple[str, ...] = (),
        changes: Mapping[str, ChangeSpec] | None = None,
    ) -> bytes:
        every = {name: ChangeSpec() for name in NAMES} if changes is None else changes
        return explainer_document(
            self.counted,
            self.interface,
            wanted=wanted,
            reasons=reasons,
            protected=protected,
            changes=every,
            still=protected,
        )

    def explainer(self, **said: Any) -> Explainer:
        found = Explainer.of(self.document(**said), self.model, self.contract)
        assert found is not None
        return found

    def batch(self, *lines: int) -> Batch:
        return Batch(len(lines), self.numbers[list(lines)], self.strings[list(lines)])

    def refused(self, many: int = 20) -> list[int]:
        """Some rows that are decided as bad."""
        said = self.engine.run(self.batch(*range(ROWS)))
        return [int(line) for line in np.flatnonzero(said[:, 0] > said[:, 1])[:many]]


def _rows(task: str) -> tuple[np.ndarray, np.ndarray, list[Any]]:
    rng = np.random.default_rng(7)
    numbers = np.column_stack(
        [
            np.where(rng.random(ROWS) < 0.1, np.nan, rng.uniform(0, 10, ROWS).round(2)),
            rng.integers(18, 90, ROWS),
            rng.normal(0, 3, ROWS).round(2),
            rng.integers(0, 12, ROWS),
        ]
    ).astype(np.float32)
    strings = np.column_stack(
        [
            rng.choice(["own", "rent", "free", ""], ROWS),
            rng.choice(["a", "b", "c", "d"], ROWS),
            rng.choice(["n", "s"], ROWS),
        ]
    ).astype(object)
    score = np.nan_to_num(numbers[:, 0], nan=3) - numbers[:, 2] - 0.4 * numbers[:, 3] + 2 * (strings[:, 0] == "own")
    score = score + (strings[:, 1] == "a") * numbers[:, 2] + rng.normal(0, 1.5, ROWS)
    if task == "regression":
        return numbers, strings, [float(one) for one in score.round(3)]
    if task == "multiclass":
        return numbers, strings, [("low", "middle", "high")[int((one > 0) + 0) + int(one > 4)] for one in score]
    return numbers, strings, ["good" if one > 2.5 else "bad" for one in score]


def _interface(task: str) -> dict[str, Any]:
    if task == "regression":
        left = {key: one for key, one in INTERFACE.items() if key not in ("classes", "positive")}
        return left | {"task": task, "outputs": {"value": ["N", 1]}}
    if task == "multiclass":
        classes = ["low", "middle", "high"]
        return INTERFACE | {"task": task, "classes": classes, "positive": None, "outputs": {"probabilities": ["N", 3]}}
    return INTERFACE


@lru_cache
def _made(recipe: str, task: str) -> Made:
    numbers, strings, target = _rows(task)
    columns: dict[str, Any] = {
        name: pa.array(numbers[:, at].astype(float), mask=np.isnan(numbers[:, at])) for at, name in enumerate(NAMES[:4])
    }
    columns |= {name: pa.array([text or None for text in strings[:, at]]) for at, name in enumerate(NAMES[4:])}
    interface = _interface(task)
    table, shape = pa.table(columns | {"outcome": target}), read_shape(interface)
    parameters = {one.name: one.default for one in parameters_of(recipe, task, ROWS)}
    parameters |= {"trees": 12} if recipe != "logistic" else {}
    with threadpool_limits(limits=1):  # so few rows are not worth starting threads for
        fitted = fit(
            recipe,
            task,
            pack(table, shape),
            target_of(table, shape),
            classes=len(shape.classes),
            parameters=parameters,
            seed=1,
        )
    model, contract = export(fitted, 4, 3), contract_of(interface)
    counted, why = counted_rows(model, interface, numbers, strings)
    assert counted is not None, why
    return Made(model, interface, numbers, strings, contract, OnnxEngine(model, contract), counted)


@pytest.fixture(scope="session")
def made() -> Callable[..., Made]:
    """A model by the name of its recipe, and its task."""

    def make(recipe: str, task: str = "binary") -> Made:
        return _made(recipe, task)

    return make
