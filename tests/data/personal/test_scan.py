"""A scan of tables: what is planted is named with its share, what only looks like it is not, and no value gets out."""

import json
import random
from typing import Any

import pyarrow as pa
import pytest
from faker import Faker

from sealwright.charter import RiskClass
from sealwright.data import ColumnSpec, DataSpec, infer_contract, open_source
from sealwright.data.personal import (
    Finding,
    PersonalDataReport,
    PersonalDataUnclassified,
    ScanSettings,
    refuse_unclassified,
    scan,
    unclassified,
)
from sealwright.data.personal.sampling import RowSample

ROWS = 400


@pytest.fixture(scope="module")
def people() -> pa.Table:
    """Columns of people under names that say nothing, and columns of things."""
    fake, dice = Faker(["en_US", "de_DE", "es_ES"]), random.Random(7)
    fake.seed_instance(7)
    given = [fake.first_name() for _ in range(ROWS)]
    family = [fake.last_name() for _ in range(ROWS)]
    cards = [fake.credit_card_number("visa16") for _ in range(ROWS)]
    prose = [" ".join(["the parcel came late and nobody was at home"] * 2) for _ in range(ROWS)]
    return pa.table(
        {
            "a": given,
            "b": family,
            "c": [f"{x}.{y}@example.org".lower().replace(" ", "") for x, y in zip(given, family, strict=True)],
            "d": cards,
            "e": [int(card) for card in cards],
            "f": [
                f"{k}: {prose[k]}, write to p{k}@example.com" if k % 20 == 0 else f"{k}: {prose[k]}"
                for k in range(ROWS)
            ],
            "g": [fake["en_US"].ssn() for _ in range(ROWS)],
            "h": [fake["de_DE"].iban() for _ in range(ROWS)],
            "i": [fake["en_US"].address() for _ in range(ROWS)],
            "j": [f"+49 30 {dice.randrange(10**7, 10**8)}" for _ in range(ROWS)],
            "k": [f"84.17.{dice.randrange(256)}.{dice.randrange(256)}" for _ in range(ROWS)],
            "order": [str(dice.randrange(10**15, 10**16)) for _ in range(ROWS)],
            "number": [dice.randrange(10**15, 10**16) for _ in range(ROWS)],
            "made_at": [f"2024-01-{k % 28 + 1:02d} 10:{k % 60:02d}:00" for k in range(ROWS)],
            "sku": [f"AB-{dice.randrange(10**4):04d}-{dice.randrange(10**6):06d}" for _ in range(ROWS)],
            "nine": [str(dice.randrange(10**8, 10**9)) for _ in range(ROWS)],
            "version": [f"{dice.randrange(9)}.{dice.randrange(20)}.{dice.randrange(9)}" for _ in range(ROWS)],
            "amount": [dice.random() * 1000 for _ in range(ROWS)],
            "flag": [dice.random() < 0.5 for _ in range(ROWS)],
            "town": [fake.city() for _ in range(ROWS)],
        }
    )


@pytest.fixture(scope="module")
def report(people: pa.Table) -> PersonalDataReport:
    return scan(people)


def of(report: PersonalDataReport, column: str) -> dict[str, Finding]:
    (found,) = [one for one in report.columns if one.name == column]
    return {one.kind: one for one in found.findings if one.counts or one.kind == "free_text"}


@pytest.mark.parametrize(
    ("column", "kind"),
    [("a", "person_name"), ("b", "person_name"), ("c", "email"), ("d", "card"), ("e", "card"), ("f", "email"), ("f", "free_text"),
     ("g", "national_id"), ("h", "iban"), ("i", "address"), ("j", "phone"), ("k", "ip_address")],
)  # fmt: skip
def test_what_is_in_a_column_is_found_though_its_name_says_nothing(
    report: PersonalDataReport, column: str, kind: str
) -> None:
    found = of(report, column)
    assert kind in found, found
    assert not found[kind].by_name


@pytest.mark.parametrize("column", ["order", "number", "made_at", "sku", "nine", "version", "amount", "flag", "town"])
def test_columns_of_things_are_not_taken_for_persons(report: PersonalDataReport, column: str) -> None:
    assert of(report, column) == {}


def test_a_share_is_of_every_cell_where_every_cell_was_looked_at(report: PersonalDataReport) -> None:
    email = of(report, "f")["email"]
    assert (email.cells, email.of_cells, email.exact, email.share) == (ROWS // 20, ROWS, True, 0.05)


def test_one_address_among_many_rows_is_found_outside_the_sample() -> None:
    cells = [f"note {k}" for k in range(30_000)]
    cells[29_999] = "mail anna@example.com"
    settings = ScanSettings(sample_rows=100)
    (column,) = scan(pa.table({"x": cells}), settings=settings).columns
    assert [(one.kind, one.cells, one.of_cells, one.exact) for one in column.findings] == [("email", 1, 30_000, True)]
    assert (
        scan(pa.table({"x": cells}), settings=ScanSettings(sample_rows=100, exact_megabytes=0)).columns[0].findings
        == ()
    )


def test_thousands_of_addresses_are_all_counted() -> None:
    cells = [f"p{k}@example.com" if k % 2 else f"note {k}" for k in range(9000)]
    (column,) = scan(pa.table({"x": cells})).columns
    assert [(one.kind, one.cells, one.of_cells, one.exact) for one in column.findings] == [("email", 4500, 9000, True)]


def test_a_card_among_whole_numbers_that_are_none_is_chance_but_a_column_of_cards_is_not() -> None:
    dice = random.Random(1)
    orders = [dice.randrange(4 * 10**15, 5 * 10**15) for _ in range(3000)]
    (column,) = scan(pa.table({"x": orders})).columns
    assert column.suggested is None
    assert [one.confidence for one in column.findings] == ["low"]


def test_nothing_of_any_cell_is_in_the_report(people: pa.Table, report: PersonalDataReport) -> None:
    said = json.dumps(report.to_json()) + repr(report)
    for name in "abcdefghijk":
        for cell in people.column(name).to_pylist():
            assert str(cell) not in said
    assert "example" not in said


def test_the_same_seed_gives_the_same_report_in_any_batches(people: pa.Table, report: PersonalDataReport) -> None:
    again = scan(iter(people.to_batches(max_chunksize=37)))
    assert again.columns == report.columns


def test_names_in_other_languages_and_flags_that_only_speak_about_them() -> None:
    said = {"Geburtsdatum": "birth_date", "prénom": "person_name", "Kundentelefonnummer": "phone", "direccion": "address",
            "codice_fiscale": "national_id", "burgerlijkeStaat": "marital_status", "Krankheit": "health", "userName": "username"}  # fmt: skip
    things = [
        "email_verified",
        "phone_type",
        "has_phone",
        "product_name",
        "file_name",
        "job",
        "housing",
        "savings",
        "status",
    ]
    table = pa.table({name: [f"x{k}y" for k in range(40)] for name in (*said, *things)})
    found = {one.name: one for one in scan(table).columns}
    assert {name: found[name].findings[0].kind for name in said} == said
    assert {name for name in things if found[name].suggested} == set()


def test_a_flag_is_no_telephone_number() -> None:
    (column,) = scan(pa.table({"telephone": ["yes", "no"] * 50})).columns
    assert [(one.kind, one.confidence) for one in column.findings] == [("phone", "low")]
    assert column.suggested is None


def test_long_cells_are_cut_and_counted() -> None:
    settings = ScanSettings(most_characters=100, exact_megabytes=0)
    text = "word " * 100 + "SSN 536-22-1234"
    (column,) = scan(pa.table({"x": [text] * 30}), settings=settings).columns
    assert (column.cells_cut, column.suggested) == (30, None)


@pytest.mark.parametrize("size", [100, 1000])
def test_every_row_has_the_same_chance_to_be_sampled(size: int) -> None:
    hits = [0] * 4
    for seed in range(12):
        sample = RowSample(size, most_characters=100, seed=seed)
        for start in range(0, 8000, 500):
            sample.add(pa.record_batch({"x": list(range(start, start + 500))}))
        rows = sample.table().column("x").to_pylist()
        assert len(rows) == len(set(rows)) == size
        for row in rows:
            hits[row // 2000] += 1
    assert max(hits) - min(hits) < 0.25 * sum(hits)


def test_kinds_of_tables_that_may_come() -> None:
    nothing = pa.table({"x": pa.array([None, None], pa.string()), "y": pa.nulls(2)})
    assert [one.findings for one in scan(nothing).columns] == [(), ()]
    assert scan(pa.table({"x": pa.array([], pa.string())})).columns == ()
    words = pa.array(["anna@example.com", None] * 20).dictionary_encode()
    assert scan(pa.table({"x": words})).columns[0].findings[0].kind == "email"
    assert (
        scan(pa.table({"x": pa.array(["anna@example.com"] * 20, pa.large_string())})).columns[0].suggested == "personal"
    )
    assert scan(pa.table({"x": pa.array(["a\x00nna@example.com"] * 20, pa.string_view())})).columns[0].suggested


# --- what the contract says


def contract(**columns: Any) -> DataSpec:
    given = {name: ColumnSpec.model_validate(one) for name, one in columns.items()}
    return DataSpec(
        source="x.csv",
        target="y",
        positive="a",
        columns={**given, "y": ColumnSpec.model_validate({"type": "category", "categories": ["a", "b"], "role": "target"}),
                 "z": ColumnSpec(type="number")},
    )  # fmt: skip


TABLE = pa.table(
    {"mail": [f"p{k}@example.com" for k in range(40)], "y": ["a", "b"] * 20, "z": [k / 3 for k in range(40)]}
)
TEXT = {"type": "text", "role": "identifier"}


def test_an_unclassified_column_stops_a_high_risk_project_with_the_ways_out() -> None:
    spec = contract(mail=TEXT)
    report = scan(TABLE, contract=spec)
    (found,) = unclassified(report, spec)
    assert (found.column, found.kind, found.contract_class, found.suggested) == (
        "mail",
        "email",
        "internal",
        "personal",
    )
    with pytest.raises(
        PersonalDataUnclassified, match="'mail': e-mail address, by its name and in 40 of 40 cells"
    ) as stopped:
        refuse_unclassified(report, spec, RiskClass.HIGH)
    assert (stopped.value.code, stopped.value.exit_code) == ("data.personal_unclassified", 3)
    for way in ("class: personal", "not_personal:", "sealwright data scan"):
        assert way in str(stopped.value)
    assert "example" not in str(stopped.value)
    for risk in (RiskClass.MINIMAL, RiskClass.LIMITED):
        refuse_unclassified(report, spec, risk)


@pytest.mark.parametrize(
    "said",
    [
        {"class": "personal"},
        {"class": "special"},
        {"not_personal": "Mailboxes of departments, read by nobody in particular"},
    ],
)
def test_a_contract_that_speaks_is_followed(said: dict[str, str]) -> None:
    spec = contract(mail={**TEXT, **said})
    report = scan(TABLE, contract=spec)
    refuse_unclassified(report, spec, RiskClass.HIGH)
    assert [one.covered for one in report.columns] == [True, True, True]


def test_a_column_that_is_not_kept_is_not_read() -> None:
    spec = contract(mail={"type": "text", "role": "ignore"})
    report = scan(TABLE, contract=spec)
    assert [one.name for one in report.columns] == ["y", "z"]
    refuse_unclassified(report, spec, RiskClass.HIGH)


def test_a_statement_that_contradicts_its_class_is_refused_and_an_unset_one_changes_no_digest() -> None:
    with pytest.raises(ValueError, match="not_personal"):
        ColumnSpec.model_validate({**TEXT, "class": "personal", "not_personal": "it is, though"})
    assert "not_personal" not in ColumnSpec(type="number").plain()
    assert "not_personal" not in ColumnSpec(type="number").model_dump(mode="json", by_alias=True)
    assert (
        contract(mail=TEXT).contract_digest
        != contract(mail={**TEXT, "not_personal": "only departments"}).contract_digest
    )


@pytest.mark.parametrize("example", ["german-credit/german_credit.csv"])
def test_the_contract_that_init_writes_is_classified(example: str) -> None:
    from pathlib import Path

    path = Path(__file__).parents[3] / "examples" / example
    spec = infer_contract(path, "outcome").spec
    report = scan(open_source(str(path), Path()), contract=spec)
    refuse_unclassified(report, spec, RiskClass.HIGH)
    assert report.rows == 1000
