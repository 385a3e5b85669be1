"""Cases made from the shared models, and small models whose explanations are known in closed form."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sealwright.assurance import AssuranceSpec, Features
from sealwright.assurance.case import Case
from sealwright.assurance.case_making import make_case
from sealwright.assurance.interface import read_interface
from sealwright.assurance.predictor import FunctionPredictor
from sealwright.assurance.service import predictor_of

MakeCase = Callable[..., Case]


@pytest.fixture(scope="session")
def case_of() -> MakeCase:
    """A case from a trained model of the shared fixtures."""

    def make(trained: Any, groups: Sequence[str] = (), **spec: Any) -> Case:
        interface = read_interface(trained.interface)
        model = predictor_of(trained.model, interface)
        asked = AssuranceSpec.model_validate(spec)
        return make_case(model, trained.test, trained.train, interface, asked, list(groups), 7, None)

    return make


@pytest.fixture(scope="session")
def numeric_case() -> MakeCase:
    """A case from columns, an outcome, and a function of the numbers that answers values or the chance of "yes"."""

    def make(columns: dict[str, Any], outcome: Any, answer: Callable[[np.ndarray], np.ndarray], **spec: Any) -> Case:
        regression = np.asarray(outcome).dtype.kind == "f"
        table = pa.table(columns | {"outcome": outcome})
        document = {
            "format": 1,
            "task": "regression" if regression else "binary",
            "target": "outcome",
            "classes": [] if regression else ["no", "yes"],
            "positive": None if regression else "yes",
            "numbers": [{"name": name, "type": "number", "nullable": False} for name in columns],
        }

        def ask(features: Features) -> np.ndarray:
            found = answer(features.numbers.astype(np.float64))
            return found if regression else np.column_stack([1 - found, found])

        interface = read_interface(document)
        asked = AssuranceSpec.model_validate(spec)
        return make_case(FunctionPredictor(ask), table, table, interface, asked, [], 7, None)

    return make
