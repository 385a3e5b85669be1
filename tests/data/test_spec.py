"""A contract that contradicts itself cannot be written down."""

from typing import Any

import pytest
from pydantic import ValidationError

from sealwright.data import ColumnSpec, DataSpec

GOOD: dict[str, Any] = {
    "source": "a.csv",
    "target": "outcome",
    "positive": "good",
    "columns": {
        "age": {"type": "integer", "min": 18, "max": 100, "class": "personal"},
        "sex": {"type": "category", "categories": ["f", "m"], "class": "special", "role": "sensitive"},
        "outcome": {"type": "category", "categories": ["bad", "good"]},
    },
}


def changed(**changes: Any) -> dict[str, Any]:
    return {**GOOD, **changes}


def with_column(name: str, **column: Any) -> dict[str, Any]:
    return changed(columns={**GOOD["columns"], name: column})


def test_the_target_gets_its_role_and_the_rest_keeps_theirs() -> None:
    spec = DataSpec.model_validate(GOOD)
    assert (spec.task, spec.classes) == ("binary", ("bad", "good"))
    assert (spec.features, spec.sensitive, spec.kept) == (("age",), ("sex",), ("age", "sex", "outcome"))
    assert spec.columns["outcome"].role == "target"


@pytest.mark.parametrize(
    ("document", "match"),
    [
        (changed(target="outcom"), "Did you mean 'outcome'"),
        (changed(positive="great"), "one of the two classes"),
        (changed(positive=None), "one of the two classes"),
        (changed(columns={"outcome": GOOD["columns"]["outcome"]}), "nothing to learn from"),
        (changed(test_share=0.9), "less than or equal"),
        (changed(extra=1), "Extra inputs"),
        (changed(source={"sql": "SELECT 1", "url_env": "not a name"}), "match pattern"),
        (with_column("x", type="text"), "text cannot be given to a model"),
        (with_column("x", type="category"), "needed there"),
        (with_column("x", type="integer", categories=["a"]), "belongs to type: category"),
        (with_column("x", type="category", categories=["a", "a"]), "listed twice"),
        (with_column("x", type="category", categories=["a", ""]), "never a category"),
        (with_column("x", type="category", categories=["a\x1b[31m"]), "control characters"),
        (with_column("x", type="category", categories=[True]), "in quotes"),
        (with_column("x", type="category", categories=[]), "1 to 1,000"),
        (with_column("x", type="integer", min=2, max=1), "larger than"),
        (with_column("x", type="integer", min=1.5), "whole"),
        (with_column("x", type="integer", max=2**53 + 1), "2\\^53"),
        (with_column("x", type="number", max=2**60), "2\\^53"),
        (with_column("x", type="number", max=float("inf")), "finite"),
        (with_column("x", type="number", min=True), "valid"),
        (with_column("x", type="date", min="2015-02-30"), "written like"),
        (with_column("x", type="boolean", min=0), "a boolean has none"),
        (with_column("x", type="integer", nulls=["NA"]), "set nullable: true"),
        (with_column("x", type="category", categories=["a"], nullable=True, nulls=["a"]), "both in"),
        (with_column("x", type="integer", role="target"), "exactly the column"),
        (with_column("outcome", type="date", role="target"), "cannot be the target"),
        (with_column("outcome", type="category", categories=["good"]), "one category only"),
        (with_column("outcome", type="category", categories=["good", "bad"], nullable=True), "cannot be empty"),
        (with_column("a\nb", type="integer"), "control characters"),
        (with_column(" a", type="integer"), "begins or ends with a space"),
        (with_column("age", type="integer", Min=1), "Extra inputs"),
    ],
)
def test_a_contradiction_is_refused_in_words(document: dict[str, Any], match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        DataSpec.model_validate(document)


def test_whole_numbers_are_taken_as_the_texts_they_are() -> None:
    spec = DataSpec.model_validate(
        changed(positive=1, columns={**GOOD["columns"], "outcome": {"type": "category", "categories": [0, 1]}})
    )
    assert (spec.classes, spec.positive) == (("0", "1"), "1")


@pytest.mark.parametrize(
    ("column", "task"),
    [
        ({"type": "number"}, "regression"),
        ({"type": "integer"}, "regression"),
        ({"type": "category", "categories": ["a", "b", "c"]}, "multiclass"),
    ],
)
def test_the_target_decides_the_task(column: dict[str, Any], task: str) -> None:
    columns = {**GOOD["columns"], "outcome": column}
    spec = DataSpec.model_validate({"source": "a.csv", "target": "outcome", "columns": columns})
    assert spec.task == task


def test_plain_values_read_back_as_the_same_contract() -> None:
    spec = DataSpec.model_validate(GOOD)
    assert DataSpec.model_validate(spec.plain()) == spec
    assert list(spec.plain()["columns"]["sex"]) == ["type", "nullable", "categories", "class", "role"]


def test_the_contract_digest_is_about_columns_not_about_where_they_come_from() -> None:
    spec = DataSpec.model_validate(GOOD)
    moved = DataSpec.model_validate(changed(source="b.parquet", test_share=0.5, quarantine={"at_most_share": 0.5}))
    assert moved.contract_digest == spec.contract_digest
    for other in (with_column("age", type="integer", min=18, max=99), with_column("z", type="number")):
        assert DataSpec.model_validate(other).contract_digest != spec.contract_digest
    turned = changed(columns=dict(reversed(GOOD["columns"].items())))
    assert DataSpec.model_validate(turned).contract_digest != spec.contract_digest


def test_every_field_of_the_published_schema_is_described() -> None:
    schema = DataSpec.model_json_schema(by_alias=True)
    models = [schema, *schema["$defs"].values()]
    for model in models:
        for name, field in model.get("properties", {}).items():
            assert len(field.get("description", "")) > 20, f"{model['title']}.{name}"
    assert "class" in schema["$defs"]["ColumnSpec"]["properties"]


def test_a_date_bound_counts_days() -> None:
    column = ColumnSpec(type="date", min="1970-01-02", max="2015-12-31")
    assert column.bounds == (1, 16800)
