"""A person looks for personal data: in a file nobody described, then in a project, then lets a pipeline stop on it."""

import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from whole_way import REPOSITORY, Home

LOANS = REPOSITORY / "examples" / "german-credit" / "german_credit.csv"


@pytest.fixture
def loans(empty_home: Home) -> Home:
    """The bundled loans, and the same with an e-mail address and a note beside each."""
    dice = random.Random(5)
    head, *rows = LOANS.read_text().splitlines()
    (empty_home.root / "loans.csv").write_text(LOANS.read_text())
    lines = [f"{head},kontakt,bemerkung"]
    for place, row in enumerate(rows):
        note = (
            f"called on +49 30 {dice.randrange(10**7, 10**8)} about the rate"
            if place % 10 == 0
            else "nothing new to say about this one"
        )
        lines.append(f"{row},person{place}@example.org,{note}")
    (empty_home.root / "contacts.csv").write_text("\n".join(lines) + "\n")
    return empty_home


def test_a_file_nobody_described_is_looked_through(loans: Home) -> None:
    found = loans.inside("data", "scan", "contacts.csv", "--json").json
    by_name = {one["name"]: one for one in found["columns"]}
    assert by_name["kontakt"]["suggested"] == by_name["bemerkung"]["suggested"] == "personal"
    assert [one["kind"] for one in by_name["kontakt"]["findings"]] == ["email"]
    assert {"phone", "free_text"} <= {one["kind"] for one in by_name["bemerkung"]["findings"]}
    assert by_name["amount_dm"]["suggested"] is None
    assert {"kontakt", "bemerkung", "sex"} <= set(found["unclassified"])
    assert found["declared_recall"]["texts"] > 0
    words = loans.inside("data", "scan", "contacts.csv")
    assert words.out.startswith("5 of 24 columns look like data about persons")
    assert "100.0%" in words.out
    for said in (json.dumps(found), words.out):
        assert "example.org" not in said
        assert "person7" not in said


def test_a_project_is_compared_with_its_contract_and_a_pipeline_stops(loans: Home) -> None:
    loans.inside("init", "credit", "--data", "contacts.csv", "--target", "outcome")
    assert loans.inside("data", "scan", "credit", "--strict", "--json").json["unclassified"] == []
    path = loans.root / "credit" / "sealwright.yaml"
    text = path.read_text()
    before, after = text.split("    kontakt:", 1)
    path.write_text(f"{before}    kontakt:{after.replace('class: personal', 'class: internal', 1)}")
    stopped = loans.inside("data", "scan", "credit", "--strict", expect=3)
    assert "kontakt" in stopped.out
    assert "(unclassified)" in stopped.out
    assert "Next: " in stopped.out
    stated = after.replace(
        "class: personal", 'class: internal, not_personal: "mailboxes of branches, read by teams"', 1
    )
    path.write_text(f"{before}    kontakt:{stated}")
    assert "(stated:" in loans.inside("data", "scan", "credit", "--strict").out


def test_a_file_is_compared_with_a_contract_of_its_own(loans: Home) -> None:
    loans.inside("data", "contract", "draft", "contacts.csv", "--to", "c.yaml")
    assert (
        loans.inside("data", "scan", "contacts.csv", "--contract", "c.yaml", "--strict", "--json").json["unclassified"]
        == []
    )
    loans.inside("data", "scan", "contacts.csv", "--strict", expect=3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("none.csv",), "Cannot open"),
        (("loans.csv", "--contract", "none.yaml"), "data contract draft"),
        (("loans.csv", "--sample-rows", "1"), "greater than or equal to 100"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(loans: Home, arguments: tuple[str, ...], words: str) -> None:
    assert words in loans.inside("data", "scan", *arguments, expect=2).err


def test_rows_nobody_could_read_are_told_and_a_pipeline_stops_on_them(loans: Home) -> None:
    (loans.root / "one.csv").write_text("amount,term\n3,4\n4,9,anna@example.org\n5,6\n6,7\n")
    told = loans.inside("data", "scan", "one.csv")
    assert "not looked at  1 row (the row has more or fewer fields than the header)" in told.out
    found = loans.inside("data", "scan", "one.csv", "--strict", "--json", expect=3).json
    assert (found["rows"], found["rows_unread"], found["unread"]) == (3, 1, {"ragged_row": 1})
    assert found["unclassified"] == []
    (loans.root / "one.jsonl").write_text('{"amount": 3}\n{"amount": 4}\nnonsense\n')
    assert loans.inside("data", "scan", "one.jsonl", "--strict", "--json", expect=3).json["unread"] == {"not_json": 1}


@pytest.mark.parametrize("rows", ["", "Anna,3,x\nBob,4,y,z\n"])
def test_a_file_of_which_no_row_can_be_read_is_never_said_to_hold_nothing(loans: Home, rows: str) -> None:
    (loans.root / "none.csv").write_text("name,age\n" + rows)
    told = loans.inside("data", "scan", "none.csv", "--strict", expect=2)
    assert "Nothing was found" not in told.out
    assert "none.csv" in told.err


def test_a_column_nobody_can_read_is_told_and_a_pipeline_stops_on_it(loans: Home) -> None:
    table = pa.table({"amount": [1, 2, 3], "contacts": [["anna@example.org"], [], []]})
    pq.write_table(table, loans.root / "nested.parquet")
    assert "the column contacts (nested or binary)" in loans.inside("data", "scan", "nested.parquet").out
    found = loans.inside("data", "scan", "nested.parquet", "--strict", "--json", expect=3).json
    assert found["columns_unread"] == ["contacts"]
