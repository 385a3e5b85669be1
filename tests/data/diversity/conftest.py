"""The two example tables, and contracts cut down to what a test is about."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest

from sealwright.data import DataSpec

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="session")
def german_rows() -> pa.Table:
    return pcsv.read_csv(EXAMPLES / "german-credit" / "german_credit.csv")


@pytest.fixture(scope="session")
def german_contract() -> DataSpec:
    return contract(
        {
            "age": {"type": "integer", "class": "personal", "role": "sensitive"},
            "sex": {"type": "category", "categories": ["female", "male"], "class": "special", "role": "sensitive"},
            "amount_dm": {"type": "integer"},
        },
        target="outcome",
        classes=["bad", "good"],
    )


@pytest.fixture(scope="session")
def census_rows() -> pa.Table:
    rows = pq.read_table(EXAMPLES / "job-screening" / "employment.parquet")
    return rows.set_column(rows.schema.get_field_index("employed"), "employed", rows["employed"].cast(pa.string()))


@pytest.fixture(scope="session")
def census_contract() -> DataSpec:
    def coded(count: int) -> dict[str, Any]:
        codes = [str(code) for code in range(1, count + 1)]
        return {"type": "category", "categories": codes, "class": "special", "role": "sensitive"}

    return contract(
        {"RAC1P": coded(9), "DIS": coded(2), "SEX": coded(2), "AGEP": {"type": "integer"}},
        target="employed",
        classes=["0", "1"],
    )


def contract(columns: dict[str, Any], *, target: str, classes: list[str]) -> DataSpec:
    goal = {"type": "category", "categories": classes}
    return DataSpec.model_validate(
        {"source": "x.csv", "target": target, "positive": classes[1], "columns": {**columns, target: goal}}
    )
