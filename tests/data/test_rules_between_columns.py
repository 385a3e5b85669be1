"""Rules between columns: rows that break one are set aside at ingest, under the rule's name, and packages carry the rules."""

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from sealwright.data import DataSpec, check_batch, feature_interface
from sealwright.data.sources import SourceBatch

COLUMNS = {
    "opened": {"type": "date"},
    "closed": {"type": "date", "nullable": True},
    "income": {"type": "number"},
    "rent": {"type": "number", "nullable": True},
    "status": {"type": "category", "categories": ["single", "married"]},
    "partner": {"type": "boolean"},
    "outcome": {"type": "category", "categories": ["good", "bad"]},
}
IN_ORDER = {"name": "closes_after_opening", "then": [{"column": "opened", "is": "<=", "other": "closed"}]}
PARTNER = {
    "name": "married_have_a_partner",
    "when": [{"column": "status", "is": "==", "value": "married"}],
    "then": [{"column": "partner", "is": "==", "value": True}],
    "text": "Whoever is married has a partner.",
}


def _spec(*rules: object) -> DataSpec:
    return DataSpec.model_validate(
        {"source": "x.csv", "target": "outcome", "positive": "good", "columns": COLUMNS, "rules": list(rules)}
    )


def _batch(*rows: dict[str, object]) -> SourceBatch:
    usual = {
        "opened": "2020-01-01", "closed": "2021-01-01", "income": "10", "rent": "5", "status": "single",
        "partner": "false", "outcome": "good",
    }  # fmt: skip
    lines = [usual | row for row in rows]
    table = {name: pa.array([line[name] for line in lines], pa.string()) for name in COLUMNS}
    return SourceBatch(rows=pa.RecordBatch.from_pydict(table), numbers=np.arange(1, len(rows) + 1))


def test_a_row_that_breaks_a_rule_is_set_aside_under_the_rules_name() -> None:
    found = check_batch(
        _batch({}, {"closed": "2019-12-31"}, {"status": "married"}, {"status": "married", "partner": "true"}),
        _spec(IN_ORDER, PARTNER),
    )
    assert found.good.num_rows == 2
    assert [(row.row, [(p.column, p.reason) for p in row.problems]) for row in found.set_aside] == [
        (2, [("closes_after_opening", "breaks_rule")]),
        (3, [("married_have_a_partner", "breaks_rule")]),
    ]


def test_an_empty_cell_breaks_no_rule() -> None:
    rent = {"name": "rent_below_income", "then": [{"column": "rent", "is": "<", "other": "income"}]}
    found = check_batch(_batch({"closed": None}, {"rent": None}, {"rent": "11"}), _spec(IN_ORDER, rent))
    assert [row.row for row in found.set_aside] == [3]


def test_the_interface_carries_the_rules_about_features_only() -> None:
    about_target = {"name": "no_bad_rent", "then": [{"column": "outcome", "is": "!=", "value": "bad"}]}
    rules = feature_interface(_spec(IN_ORDER, PARTNER, about_target), project="p")["rules"]
    assert [rule["name"] for rule in rules] == ["closes_after_opening", "married_have_a_partner"]
    assert rules[0] == {
        "name": "closes_after_opening",
        "then": [{"column": "opened", "sign": "<=", "other": "closed"}],
    }
    assert "rules" not in feature_interface(_spec(), project="p")


def test_a_contract_without_rules_keeps_its_digest_and_one_with_rules_has_another() -> None:
    assert _spec().contract_digest != _spec(IN_ORDER).contract_digest != _spec(IN_ORDER, PARTNER).contract_digest
    assert "rules" not in _spec().model_dump(mode="json")


@pytest.mark.parametrize(
    ("comparison", "said"),
    [
        ({"column": "opend", "is": "<", "other": "closed"}, "is not a column"),
        ({"column": "opened", "is": "<", "other": "income"}, "different kinds"),
        ({"column": "status", "is": "<", "value": "single"}, "no order"),
        ({"column": "status", "is": "==", "value": "widowed"}, "not one that column can hold"),
        ({"column": "opened", "is": "<", "value": "tomorrow"}, "not one that column can hold"),
        ({"column": "partner", "is": "==", "value": 1}, "not one that column can hold"),
        ({"column": "income", "is": "<"}, "either `value` or `other`"),
        ({"column": "income", "is": "<", "value": 1, "other": "rent"}, "either `value` or `other`"),
    ],
)
def test_a_rule_that_cannot_be_held_is_refused_when_the_project_is_read(comparison: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        _spec({"name": "odd", "then": [comparison]})
