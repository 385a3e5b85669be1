"""A file is profiled with and without a contract, and a project by its newest snapshot; nothing about a person is printed."""

import pytest

from whole_way import REPOSITORY, Home, credit_project

LOANS = REPOSITORY / "examples" / "german-credit" / "german_credit.csv"
CONTRACT = REPOSITORY / "examples" / "german-credit"


@pytest.fixture
def loans(empty_home: Home) -> Home:
    """The file with the first row loaded three times, one outcome spelled wrong, and one age of nobody."""
    lines = LOANS.read_text().splitlines()
    first = lines[1].split(",", 1)[1]
    lines += [f"A2001,{first}", f"A2002,{first}", lines[5].replace("A0005", "A2003").removesuffix("bad") + "baad"]
    (empty_home.root / "loans.csv").write_text("\n".join(lines) + "\n")
    return empty_home


def test_a_file_is_profiled_under_a_contract(loans: Home) -> None:
    said = loans.inside("data", "profile", "loans.csv", "--contract", CONTRACT, "--json").json
    assert (said["rows_in_file"], said["rows"]) == (1003, 1002)
    found = {fault["check"]: fault for fault in said["faults"]}
    assert found["quality.exact_duplicates"]["rows"] == [1001, 1002]
    assert found["quality.outside_contract"]["rows"] == [1003]
    assert found["quality.outside_contract"]["columns"] == ["outcome"]
    hidden = {column["name"]: column for column in said["profile"]["columns"] if column["hidden"]}
    assert hidden["sex"]["top"] == []
    assert "A0001" not in str(said)
    words = loans.inside("data", "profile", "loans.csv", "--contract", CONTRACT, "--columns").out
    assert words.index("severity") < words.index("exact duplicates") < words.index("most frequent")


def test_a_file_nobody_described_is_profiled(loans: Home) -> None:
    guessed = loans.inside("data", "profile", "loans.csv", "--json").json
    assert {run["check"]: run["not_performed"] for run in guessed["checks"]}["quality.leaking_columns"]
    words = loans.inside("data", "profile", "loans.csv", "--target", "outcome")
    assert "Next: " in words.out


def test_what_does_not_fit_together_is_refused(loans: Home) -> None:
    for arguments in (
        ("loans.csv", "--contract", CONTRACT, "--target", "outcome"),
        ("nothing.csv",),
        ("loans.csv", "--target", "outcom"),
    ):
        assert loans.inside("data", "profile", *arguments, expect=2).err


@pytest.mark.slow
def test_a_project_is_profiled_by_its_newest_snapshot(empty_home: Home) -> None:
    credit_project(empty_home.root / "credit")
    snapshot = empty_home.inside("ingest", "credit", "--json").json["snapshot"]
    said = empty_home.inside("data", "profile", "credit", "--json").json
    assert (said["snapshot"], said["rows"]) == (snapshot, 1000)
