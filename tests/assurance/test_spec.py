"""The assurance section says what it means, or is refused with the reason."""

import pytest
from pydantic import ValidationError

from sealwright.assurance import AssuranceSpec
from sealwright.kernel import strict_yaml


def _read(text: str) -> AssuranceSpec:
    return AssuranceSpec.model_validate(strict_yaml(text, what="sealwright.yaml").value)


def test_nothing_is_a_complete_section() -> None:
    spec = _read("{}")
    assert spec.suites == (
        "quality",
        "performance",
        "fairness",
        "robustness",
        "stress",
        "slices",
        "uncertainty",
        "privacy",
        "explanation",
    )
    assert spec.cut_points() is None
    assert (spec.confidence, spec.smallest_group, spec.favourable) == (0.95, 30, None)


def test_groups_are_names_or_names_with_cut_points() -> None:
    spec = _read("groups:\n  - sex\n  - age: [25, 40, 60]\nfavourable: good")
    assert spec.cut_points() == {"sex": None, "age": (25.0, 40.0, 60.0)}
    assert _read("groups: []").cut_points() == {}


@pytest.mark.parametrize(("text", "meant"), [("true", "true"), ("1", "1"), ("1.0", "1"), ("no", "no")])
def test_a_favourable_outcome_is_read_as_the_class_it_names(text: str, meant: str) -> None:
    assert _read(f"favourable: {text}").favourable == meant


def test_costs_name_classes_as_the_model_writes_them() -> None:
    assert _read("costs: {true: {false: 5}, false: {true: 1}}").costs == {"true": {"false": 5}, "false": {"true": 1}}
    assert _read("costs: {1: {0: 5, 1: -2}}").costs == {"1": {"0": 5, "1": -2}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("grupos: [sex]", "Extra inputs"),
        ("suites: [security]", "quality"),
        ("suites: []", "at least 1"),
        ("groups: [sex, sex]", "named twice"),
        ("groups: [{age: [40, 25]}]", "ascending"),
        ("groups: [{age: []}]", "ascending"),
        ("groups: [{age: [25], sex: [1]}]", "one entry names one column"),
        ("threshold: 0", "greater than 0"),
        ("confidence: 1", "less than or equal to 0.999"),
        ("bootstrap: 10", "200"),
        ("smallest_group: 1", "greater than or equal to 2"),
        ("noise: [0.1, 2]", "less than or equal to 1"),
        ("reported_at: 0", "greater than 0"),
        ("beta: 0", "greater than 0"),
        ("costs: {bad: {good: 0}}", "at least one of them not zero"),
        ("costs: {bad: {good: dear}}", "valid number"),
        ("costs: {bad: 5}", "dictionary"),
        ("top_share: 0", "greater than 0"),
        ("quantile: 1", "less than 1"),
        ("budget: {rows: 1}", "100"),
        ("slices: [{where: {}}]", "at least 1"),
        ("slices: [{where: {age: {at_least: 40, under: 25}}}]", "at_least must lie below under"),
        ("slices: [{where: {age: {}}}]", "a range has an end"),
        ("slices: [{where: {sex: female}}, {where: {sex: female}}]", "the same name"),
        ("slices: [{where: {sex: female}, worst_change: {f1: 0.1}}]", "error_share"),
        ("slice_search: {smallest: 2}", "10"),
        ("stress: {odds: [0.5]}", "greater than 1"),
        ("stress: {breaks_at: {flip_share: 2}}", "less than or equal to 1"),
        ("expectations: [{column: age, expect: grows}]", "same"),
        ("expectations: [{column: age, expect: same, by: 0}]", "greater than 0"),
        ("budget: {hours: 5}", "Extra inputs"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        _read(text)


def test_the_order_of_suites_is_ours_and_shares_are_sorted() -> None:
    spec = _read("suites: [fairness, quality]\nnoise: [0.5, 0.1, 0.1]")
    assert spec.suites == ("quality", "fairness")
    assert spec.noise == (0.1, 0.5)


def test_the_schema_tells_an_editor_what_each_field_is_for() -> None:
    schema = AssuranceSpec.model_json_schema()
    assert all("description" in field for name, field in schema["properties"].items() if name != "budget")
