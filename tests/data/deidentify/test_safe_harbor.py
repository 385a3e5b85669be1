"""The HIPAA Safe Harbor: all 18 identifiers, the rules for postcodes, dates and ages, and what no tool can say."""

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from sealwright.data import ColumnSpec
from sealwright.data.deidentify import DeidentifySpec, Keys, Released, SafeHarborNotReached, release
from sealwright.data.deidentify.identifiers import KINDS, LETTERS, RESTRICTED_ZIP3, kind_by_name

KEYS = Keys(pseudonyms=b"p" * 32, shifts=b"s" * 32)
TODAY = dt.date(2026, 6, 30)

# One column for each of the 18, by names as they are met; what has no telling name is declared.
PATIENT: dict[str, tuple[str, Any]] = {
    "Patient_Name": ("text", "Ann Example"),
    "zip": ("text", "03601"),
    "county": ("text", "Sullivan"),
    "date_of_birth": ("date", dt.date(1931, 5, 5)),
    "admitted": ("date", dt.date(2025, 11, 30)),
    "age": ("integer", 95),
    "phone": ("text", "555 0100"),
    "fax": ("text", "555 0101"),
    "email": ("text", "ann@example.org"),
    "ssn": ("text", "078-05-1120"),
    "mrn": ("text", "M1"),
    "member_id": ("text", "H1"),
    "account_number": ("text", "A1"),
    "licenseNumber": ("text", "L1"),
    "vin": ("text", "V1"),
    "device_id": ("text", "D1"),
    "url": ("text", "https://example.org/ann"),
    "ip_address": ("text", "192.0.2.1"),
    "fingerprint": ("text", "F1"),
    "photo": ("text", "ann.png"),
    "study_code": ("text", "S1"),
    "note": ("text", "Ann came in with a cough"),
    "state": ("category", "NH"),
    "diagnosis": ("category", "cough"),
}


def columns_of(rows: dict[str, tuple[str, Any]]) -> dict[str, ColumnSpec]:
    found = {}
    for name, (kind, value) in rows.items():
        more: dict[str, Any] = {"categories": [value, "other"]} if kind == "category" else {}
        more |= {"role": "identifier"} if kind == "text" else {}
        found[name] = ColumnSpec.model_validate({"type": kind, "class": "special", **more})
    return found


def table_of(rows: dict[str, tuple[str, Any]]) -> pa.Table:
    kinds = {"integer": pa.int64(), "date": pa.date32()}
    return pa.table({name: pa.array([value], kinds.get(kind, pa.string())) for name, (kind, value) in rows.items()})


def harboured(rows: dict[str, tuple[str, Any]], found: dict[str, str] | None = None, **more: Any) -> Released:
    more.setdefault("identifiers", {name: "none" for name in ("state", "diagnosis") if name in rows})
    spec = DeidentifySpec.model_validate({"profile": "hipaa-safe-harbor", **more})
    return release(table_of(rows), columns_of(rows), spec, KEYS, today=TODAY, found=found)


def test_all_eighteen_are_taken_out_or_coarsened() -> None:
    out = harboured(PATIENT)
    assert out.table.to_pylist() == [
        {"zip": "000", "date_of_birth": 1936, "admitted": 2025, "age": 90, "state": "NH", "diagnosis": "cough"}
    ]
    assert out.report.harbor is not None
    lines = {line.letter: line for line in out.report.harbor.lines}
    assert "".join(lines) == "ABCDEFGHIJKLMNOPQR"
    assert {letter for letter, line in lines.items() if line.outcome == "generalised"} == {"B", "C"}
    assert {line.outcome for letter, line in lines.items() if letter not in "BC"} == {"removed"}
    assert set(lines["B"].columns) == {"zip", "county"}
    assert set(lines["C"].columns) == {"date_of_birth", "admitted", "age"}
    assert set(lines["R"].columns) == {"study_code", "note"}
    assert out.report.harbor.remaining == ("state", "diagnosis")


def test_the_second_limb_is_left_to_a_person() -> None:
    said = harboured(PATIENT).report.to_json()["safe_harbor"]
    assert said["no_actual_knowledge"]["outcome"] == "not_performed"
    assert "for a person to say and sign" in said["no_actual_knowledge"]["note"]
    assert len(said["identifiers"]) == 18


def test_what_is_not_there_is_said_to_be_not_there() -> None:
    out = harboured({"age": ("integer", 40), "diagnosis": ("category", "cough")})
    assert out.report.harbor is not None
    assert [line.letter for line in out.report.harbor.lines if line.outcome != "not_present"] == ["C"]


@pytest.mark.parametrize("prefix", sorted(RESTRICTED_ZIP3))
def test_each_of_the_17_small_areas_becomes_000(prefix: str) -> None:
    assert len(RESTRICTED_ZIP3) == 17
    assert harboured({"zip": ("text", f"{prefix}99-1234")}).table["zip"].to_pylist() == ["000"]


@pytest.mark.parametrize(
    ("kind", "value", "left"),
    [
        ("text", "10001", "100"),
        ("text", "1000", None),
        ("text", "x", None),
        ("integer", 3601, "000"),
        ("integer", 501, "005"),
    ],
)
def test_other_postcodes_keep_three_digits_or_nothing(kind: str, value: Any, left: str | None) -> None:
    assert harboured({"zip": (kind, value)}).table["zip"].to_pylist() == [left]


@pytest.mark.parametrize(
    ("born", "left"), [((1900, 1, 1), 1936), ((1936, 12, 31), 1936), ((1937, 1, 1), 1937), ((2020, 2, 29), 2020)]
)
def test_a_birth_year_never_tells_an_age_over_89(born: tuple[int, int, int], left: int) -> None:
    out = harboured({"birth date": ("date", dt.date(*born))})
    assert out.table["birth date"].to_pylist() == [left]
    year = harboured({"yob": ("integer", born[0])})
    assert year.table["yob"].to_pylist() == [left]


def test_the_day_ages_are_counted_to_can_be_named() -> None:
    out = harboured({"dob": ("date", dt.date(1915, 1, 1))}, as_of="2010-01-01")
    assert out.table["dob"].to_pylist() == [1920]


@pytest.mark.parametrize(
    ("rows", "more", "says"),
    [
        ({"mrn": ("text", "M1")}, {"columns": {"mrn": {"method": "pseudonym"}}}, r"mrn: a code made from the value"),
        (
            {"seen": ("date", dt.date(2025, 1, 1)), "id": ("text", "a")},
            {"columns": {"seen": {"method": "shift_dates", "days": 9}}, "subject": "id"},
            "seen: a shifted date",
        ),
        ({"age": ("integer", 95)}, {"columns": {"age": {"method": "generalise", "top": 95}}}, "top: 90"),
        ({"age": ("integer", 95)}, {"columns": {"age": {"method": "round", "to": 5}}}, "top: 90"),
        ({"zip": ("text", "10001")}, {"columns": {"zip": {"method": "generalise", "prefix": 3}}}, "zip3: true"),
        (
            {"seen": ("date", dt.date(2025, 1, 1))},
            {"columns": {"seen": {"method": "generalise", "part": "month"}}},
            "only the year",
        ),
        (
            {"dob": ("date", dt.date(1925, 1, 1))},
            {"columns": {"dob": {"method": "generalise", "part": "year"}}},
            "bottom: 1936",
        ),
        ({"note": ("text", "x")}, {"columns": {"note": "mask_text"}}, "note: this must go"),
        ({"email": ("text", "x")}, {"keep": {"email": "we need it"}}, "email: kept as it is, but holds: email"),
        ({"seen": ("date", dt.date(2025, 1, 1))}, {"identifiers": {"seen": "none"}}, "cannot be declared"),
        ({"county": ("text", "x")}, {"quasi_identifiers": ["county"]}, "cannot be among quasi_identifiers"),
    ],
)
def test_a_recipe_that_keeps_too_much_is_stopped(rows: Any, more: Any, says: str) -> None:
    with pytest.raises(SafeHarborNotReached, match=says) as got:
        harboured(rows, **more)
    assert got.value.exit_code == 3


def test_what_the_scanner_found_counts_where_the_name_is_silent() -> None:
    rows = {"c7": ("category", "ann@example.org"), "c8": ("category", "cough")}
    out = harboured(rows, found={"c7": "email"}, identifiers={"c8": "none"})
    assert out.table.column_names == ["c8"]
    assert out.report.harbor is not None
    line = next(one for one in out.report.harbor.lines if one.letter == "F")
    assert dict(line.known_by) == {"c7": "scanner"}
    with pytest.raises(SafeHarborNotReached, match="the scanner found email"):
        harboured(rows, found={"c7": "email"}, identifiers={"c7": "none", "c8": "none"})


def test_every_kind_has_its_letter_and_hints_only_name_known_kinds() -> None:
    assert {kind for _, kinds in LETTERS.values() for kind in kinds} == set(KINDS) - {"none"}
    for name, kind in {
        "E-Mail": "email",
        "firstName": "name",
        "Date of Birth": "birth_date",
        "postal code": "zip",
        "message": None,
        "package": None,
        "tip": None,
        "shape": None,
    }.items():
        assert kind_by_name(name) == kind, name


def test_limits_can_be_enforced_on_top() -> None:
    rows = {"age": ("integer", 40), "diagnosis": ("category", "cough")}
    table = pa.concat_tables([table_of(rows)] * 6)
    spec = DeidentifySpec.model_validate(
        {
            "profile": "hipaa-safe-harbor",
            "identifiers": {"diagnosis": "none"},
            "quasi_identifiers": ["age"],
            "enforce": {"k": 5},
        }
    )
    out = release(table, columns_of(rows), spec, KEYS, today=TODAY)
    assert out.report.after is not None
    assert out.report.after.k == 6
