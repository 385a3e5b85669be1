"""Data about persons is held on a basis, and used for what it was collected for; nothing else passes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sealwright.data import DataSpec
from sealwright.data.basis import (
    BasisMissing,
    BasisSpec,
    PurposeNotCovered,
    basis_predicate,
    basis_subjects,
    check_basis,
    check_purpose,
    column_groups,
    gaps_of,
    ground_of,
    read_basis,
    uncovered_by,
)
from sealwright.kernel import InvalidInput, VerificationFailed, canonical_json

from .conftest import GOOD

Made = Callable[..., DataSpec]
SNAPSHOT = "sha256:" + "5" * 64


def purpose_of(spec: DataSpec, purpose: str | None, *, high: bool = False, **more: Any) -> None:
    groups = column_groups(spec.basis, spec.columns)
    check_purpose("credit", purpose, groups, spec.columns, high_risk=high, **more)


def test_a_complete_block_holds(data: Made) -> None:
    spec = data()
    check_basis("credit", spec.basis, spec.columns, high_risk=True)
    purpose_of(spec, "credit-decision", high=True)
    assert [one.columns for one in column_groups(spec.basis, spec.columns)] == [
        ("id", "income", "height", "repaid"),
        ("health",),
    ]


def test_a_column_speaks_before_its_group_and_that_before_the_dataset(data: Made) -> None:
    spec = data(
        groups={
            "money": {"columns": ["income", "height"], "lawful_basis": "legal_obligation", "recipients": ["tax office"]}
        },
        columns={"income": {"lawful_basis": "public_task"}},
    )
    income, height, other = (ground_of(spec.basis, name) for name in ("income", "height", "repaid"))
    assert (income.lawful_basis, income.recipients) == ("public_task", ("tax office",))
    assert (height.lawful_basis, height.recipients) == ("legal_obligation", ("tax office",))
    assert (other.lawful_basis, other.recipients) == ("contract", ())
    assert income.retention == other.retention


@pytest.mark.parametrize(
    ("without", "what"),
    [
        ("lawful_basis", "lawful basis"),
        ("purposes", "purpose"),
        ("source", "source"),
        ("retention", "retention period"),
    ],
)
def test_every_answer_that_is_missing_is_named_for_every_column_at_once(data: Made, without: str, what: str) -> None:
    spec = data(**{without: None})
    with pytest.raises(BasisMissing, match=f"no {what}") as stopped:
        check_basis("credit", spec.basis, spec.columns, high_risk=False)
    named = {name for columns, _ in stopped.value.gaps for name in columns}
    assert {"id", "income"} <= named <= {"id", "income", "health"}
    assert stopped.value.exit_code == 3
    assert stopped.value.code == "data.basis_missing"


def test_without_a_block_only_columns_about_persons_stop_and_at_high_risk_all(data: Made) -> None:
    columns = data().columns
    low = gaps_of(None, columns, high_risk=False)
    assert {name for names, _ in low for name in names} == {"id", "income", "health"}
    high = gaps_of(None, columns, high_risk=True)
    assert {name for names, _ in high for name in names} == {"id", "income", "height", "health", "repaid"}
    assert gaps_of(None, {"height": columns["height"], "remark": columns["remark"]}, high_risk=False) == []


def test_special_data_needs_a_condition_of_its_own(data: Made) -> None:
    spec = data(columns={})
    with pytest.raises(BasisMissing, match=r"health: no condition of Article 9\(2\)"):
        check_basis("credit", spec.basis, spec.columns, high_risk=False)


def test_a_period_that_counts_from_collection_needs_the_day(data: Made) -> None:
    spec = data(source={"from": "branches"})
    with pytest.raises(BasisMissing, match="no first day of collection"):
        check_basis("credit", spec.basis, spec.columns, high_risk=False)
    counted = data(source={"from": "branches"}, retention={"keep": "1 year", "counts_from": "ingested"})
    check_basis("credit", counted.basis, counted.columns, high_risk=False)


def test_a_slip_in_a_column_name_does_not_leave_the_column_without_its_words(data: Made) -> None:
    spec = data(columns={"helth": {"article_9": "explicit_consent"}})
    with pytest.raises(InvalidInput, match="Did you mean 'health'"):
        check_basis("credit", spec.basis, spec.columns, high_risk=False)


def test_another_purpose_is_refused_and_the_way_out_named(data: Made) -> None:
    spec = data(columns={"health": {"article_9": "health_care"}})
    with pytest.raises(
        PurposeNotCovered, match="income, height, repaid, health: collected for credit-decision"
    ) as stopped:
        purpose_of(spec, "marketing")
    assert "sealwright data compatibility PROJECT" in str(stopped.value)
    assert (stopped.value.exit_code, stopped.value.code) == (3, "data.purpose_not_covered")
    purpose_of(spec, "marketing", compatible=True)


def test_no_record_covers_what_was_given_on_consent(data: Made) -> None:
    with pytest.raises(PurposeNotCovered, match="health: collected for credit-decision, on consent") as stopped:
        purpose_of(data(), "marketing", compatible=True)
    assert "income" not in str(stopped.value)
    assert "Ask the persons" in str(stopped.value)


def test_a_model_without_a_purpose_learns_nothing_from_persons(data: Made) -> None:
    with pytest.raises(PurposeNotCovered, match=r"Set charter\.purpose_id.*credit-decision"):
        purpose_of(data(), None)


def test_data_about_nobody_asks_for_nothing() -> None:
    columns = DataSpec.model_validate({**GOOD, "basis": None}).columns
    parts = {"height": columns["height"], "repaid": columns["repaid"]}
    check_basis("screws", None, parts, high_risk=False)
    for purpose in (None, "sorting-screws"):
        check_purpose("screws", purpose, column_groups(None, parts), parts, high_risk=False)


def test_an_identifier_that_is_kept_is_held_and_not_used(data: Made) -> None:
    spec = data()
    used = {
        name
        for one in uncovered_by("x", column_groups(spec.basis, spec.columns), spec.columns, high_risk=False)
        for name in one.columns
    }
    assert "id" not in used


names = st.sampled_from(["id", "income", "height", "health", "repaid"])
bases = st.sampled_from(["consent", "contract", "public_task", None])


@given(
    st.dictionaries(names, bases.map(lambda b: {"lawful_basis": b} if b else {})),
    st.dictionaries(names, st.sampled_from(["a", "b"]).map(lambda p: {"purposes": {p: "Some words."}})),
)
def test_groups_part_the_kept_columns_and_agree_inside(one: dict[str, Any], other: dict[str, Any]) -> None:
    exceptions = {name: {**one.get(name, {}), **other.get(name, {})} for name in {*one, *other}}
    spec = DataSpec.model_validate({**GOOD, "basis": {**GOOD["basis"], "columns": exceptions}})
    groups = column_groups(spec.basis, spec.columns)
    assert sorted(name for group in groups for name in group.columns) == sorted(spec.kept)
    assert all(ground_of(spec.basis, name) == group.ground for group in groups for name in group.columns)
    assert len({group.ground.key for group in groups}) == len(groups)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"lawful_basis": "because"}, "Input should be 'consent'"),
        ({"purposes": {}}, "at least one purpose"),
        ({"purposes": {"Any Thing": "x"}}, "usable purpose name"),
        ({"purposes": {"a": "  "}}, "this text is empty"),
        ({"retention": {"keep": "for ever"}}, "3 years"),
        ({"retention": {"keep": "900 years"}}, "more than a hundred years"),
        ({"source": {"from": "x", "collected_from": 20190101}}, "written like 2019-01-31"),
        ({"source": {"from": "x", "collected_from": "2020-01-01", "collected_until": "2019-01-01"}}, "later than"),
        ({"groups": {"a": {"columns": ["income"]}, "b": {"columns": ["income"]}}}, "is in two groups"),
        ({"lawfull_basis": "contract"}, "Extra inputs"),
    ],
)
def test_what_a_block_cannot_say_is_refused(change: dict[str, Any], match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        BasisSpec.model_validate({**GOOD["basis"], **change})


def test_a_contract_without_the_block_reads_as_it_always_did() -> None:
    spec = DataSpec.model_validate({name: value for name, value in GOOD.items() if name != "basis"})
    assert "basis" not in spec.model_dump(mode="json")
    assert spec.contract_digest == DataSpec.model_validate(GOOD).contract_digest


def predicate(spec: DataSpec, **more: Any) -> dict[str, Any]:
    from datetime import UTC, datetime

    given = {
        "project": "credit", "snapshot": SNAPSHOT, "columns": spec.columns, "purpose": "credit-decision",
        "purpose_words": "Decide.", "now": datetime(2026, 3, 2, tzinfo=UTC),
    }  # fmt: skip
    made = basis_predicate(spec.basis, **{**given, **more})
    return json.loads(canonical_json(made))  # type: ignore[no-any-return]


def test_what_was_stated_is_read_back(data: Made) -> None:
    spec = data()
    said = predicate(spec)
    read = read_basis(said, [SNAPSHOT])
    assert read.spec == spec.basis
    assert [one.columns for one in read.groups] == [one.columns for one in column_groups(spec.basis, spec.columns)]
    assert list(read.columns) == list(spec.kept)
    assert basis_subjects(said) == [("snapshot", SNAPSHOT)]
    assert any("AES-256" in line for line in read.security)


@pytest.mark.parametrize(
    "key", ["format", "project", "snapshot", "purpose", "basis", "columns", "security", "stated_at"]
)
def test_a_statement_with_a_part_missing_or_broken_is_refused(data: Made, key: str) -> None:
    said = predicate(data())
    for broken in ({name: value for name, value in said.items() if name != key}, {**said, key: 7}):
        with pytest.raises(VerificationFailed, match="cannot be read"):
            read_basis(broken)
    with pytest.raises(VerificationFailed, match="another snapshot"):
        read_basis(said, ["sha256:" + "6" * 64])
