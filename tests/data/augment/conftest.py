"""German credit, and a small table with every type of column, gaps included."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pytest

from sealwright.data import DataSpec
from sealwright.data.augment import AugmentSpec
from sealwright.kernel import strict_yaml

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="session")
def german_contract() -> DataSpec:
    project: Any = strict_yaml((EXAMPLES / "german-credit" / "sealwright.yaml").read_bytes(), what="example").value
    section = {name: value for name, value in project["data"].items() if name not in {"diversity", "augment"}}
    return DataSpec.model_validate(section)


@pytest.fixture(scope="session")
def german_rows(german_contract: DataSpec) -> pa.Table:
    return pcsv.read_csv(EXAMPLES / "german-credit" / "german_credit.csv").select(list(german_contract.kept))


@pytest.fixture(scope="session")
def women() -> Callable[..., AugmentSpec]:
    def make(method: str = "synthesiser", rows: int = 166, **more: Any) -> AugmentSpec:
        groups = [{"where": {"sex": "female"}, "rows": rows}]
        return AugmentSpec.model_validate({"method": method, "groups": groups, "folds": 3, **more})

    return make


COLUMNS: dict[str, Any] = {
    "person": {"type": "text", "class": "personal", "role": "identifier"},
    "number": {"type": "integer", "role": "identifier"},
    "visit": {"type": "integer", "min": 0, "role": "identifier", "nullable": True},
    "group": {"type": "category", "categories": ["a", "b"], "role": "sensitive"},
    "pay": {"type": "number", "min": 0, "max": 100, "nullable": True},
    "years": {"type": "integer", "min": 0, "max": 40},
    "since": {"type": "date", "min": "2010-01-01", "max": "2020-12-31", "nullable": True},
    "kind": {"type": "category", "categories": ["x", "y", "z", "never"], "nullable": True},
    "member": {"type": "boolean"},
    "y": {"type": "category", "categories": ["no", "yes"]},
}


@pytest.fixture(scope="session")
def mixed_contract() -> DataSpec:
    return DataSpec.model_validate(
        {"source": "x.csv", "target": "y", "positive": "yes", "subject": "person", "columns": COLUMNS}
    )


@pytest.fixture(scope="session")
def mixed_rows() -> pa.Table:
    """600 rows in which pay, years, since and the outcome go together."""
    rng, n = np.random.default_rng(7), 600
    latent = rng.normal(size=n)
    years = np.clip(np.rint(15 + 7 * latent + rng.normal(0, 3, n)), 0, 40).astype(int)
    pay = np.round(np.clip(30 + 15 * latent + rng.normal(0, 6, n), 0, 100), 2)
    since = [dt.date(2019, 12, 31) - dt.timedelta(days=int(80 * one)) for one in years]
    kinds = np.where(latent > 0.5, "x", np.where(rng.random(n) < 0.5, "y", "z"))
    gap = rng.random((3, n)) < 0.08
    return pa.table(
        {
            "person": [f"p{one}" for one in range(n)],
            "number": list(range(n)),
            "visit": list(range(n)),
            "group": np.where(rng.random(n) < 0.2, "a", "b"),
            "pay": pa.array(pay, mask=gap[0]),
            "years": years,
            "since": pa.array(since, pa.date32(), mask=gap[1]),
            "kind": pa.array(kinds, pa.string(), mask=gap[2]),
            "member": rng.random(n) < 0.3,
            "y": np.where(latent + rng.normal(0, 0.7, n) > 0, "yes", "no"),
        }
    )
