"""A project file's data block in small, and people who may sign."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from sealwright.data import DataSpec

GOOD: dict[str, Any] = {
    "source": "applications.csv",
    "target": "repaid",
    "positive": "yes",
    "basis": {
        "dataset": "applications",
        "controller": {"name": "Example Bank AG", "contact": "privacy@bank.example", "dpo": "dpo@bank.example"},
        "source": {
            "from": "loan applications in branches",
            "by": "retail lending",
            "collected_from": "2019-01-01",
            "collected_until": "2021-12-31",
        },
        "lawful_basis": "contract",
        "purposes": {"credit-decision": "Decide on an application for a loan."},
        "subjects": ["applicants for loans"],
        "recipients": [],
        "transfers": [{"to": "Switzerland", "safeguard": "adequacy decision"}],
        "retention": {"keep": "10 years"},
        "columns": {"health": {"article_9": "explicit_consent", "lawful_basis": "consent"}},
    },
    "columns": {
        "id": {"type": "text", "class": "personal", "role": "identifier"},
        "income": {"type": "number", "class": "personal"},
        "height": {"type": "number"},
        "health": {"type": "boolean", "class": "special", "role": "sensitive"},
        "remark": {"type": "text", "class": "personal", "role": "ignore"},
        "repaid": {"type": "category", "categories": ["yes", "no"]},
    },
}


@pytest.fixture
def data() -> Callable[..., DataSpec]:
    """The block with some answers changed; None takes an answer out."""

    def made(**basis: Any) -> DataSpec:
        value = deepcopy(GOOD)
        for name, answer in basis.items():
            if answer is None:
                value["basis"].pop(name, None)
            else:
                value["basis"][name] = answer
        return DataSpec.model_validate(value)

    return made
