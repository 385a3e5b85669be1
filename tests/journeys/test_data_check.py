"""A pipeline that is not ours: a contract is written, checked, broken, brought from another tool and handed to it."""

import pandera.pandas as pandera
import polars as pl
import pytest

import sealwright as sw
from sealwright.data.contracts import ContractBroken
from whole_way import REPOSITORY, Home

LOANS = REPOSITORY / "examples" / "german-credit" / "german_credit.csv"


@pytest.fixture
def loans(empty_home: Home) -> Home:
    (empty_home.root / "loans.csv").write_text(LOANS.read_text())
    bad = LOANS.read_text().replace("\nA0003,", "\nA0002,", 1).replace(",own,", ",ownn,", 1)
    (empty_home.root / "bad.csv").write_text(bad)
    return empty_home


def test_a_contract_is_drafted_kept_and_broken(loans: Home) -> None:
    drafted = loans.inside("data", "contract", "draft", "loans.csv", "--to", "c.yaml", "--json").json
    assert (drafted["rows"], drafted["columns"]) == (1000, 22)
    assert "The contract is kept" in loans.inside("data", "check", "loans.csv", "--contract", "c.yaml").out
    broken = loans.inside("data", "check", "bad.csv", "--contract", "c.yaml", "--json", expect=3).json
    assert not broken["passed"]
    assert {(found["column"], found["rule"]) for found in broken["breaches"]} == {
        ("applicant_id", "repeated"),
        ("housing", "not_in_categories"),
    }
    assert "ownn" not in str(broken)
    assert "A0002" not in str(broken)
    words = loans.inside("data", "check", "bad.csv", "--contract", "c.yaml", "--show-values", expect=3)
    assert "The contract is broken" in words.out
    assert "ownn" in words.out
    assert "Next: " in words.out
    loans.inside("data", "check", "bad.csv", "--contract", "c.yaml", "--max-share", "0.01")


def test_identifiers_are_never_shown(loans: Home) -> None:
    loans.inside("data", "contract", "draft", "loans.csv", "--to", "c.yaml")
    said = loans.inside("data", "check", "bad.csv", "--contract", "c.yaml", "--show-values", expect=3).out
    assert "repeated" in said
    assert "A0002" not in said


def test_a_project_is_a_contract(loans: Home) -> None:
    loans.inside("init", "credit", "--data", "loans.csv", "--target", "outcome")
    assert loans.inside("data", "check", "loans.csv", "--contract", "credit", "--json").json["at_most_share"] == 0.01
    loans.inside("data", "check", "bad.csv", "--contract", "credit/sealwright.yaml")
    loans.inside("data", "check", "bad.csv", "--contract", "credit", "--max-share", "0", expect=3)


def test_out_to_other_tools_and_back(loans: Home) -> None:
    loans.inside("data", "contract", "draft", "loans.csv", "--to", "c.yaml")
    said = loans.inside("data", "contract", "export", "c.yaml", "--as", "pandera", "--to", "p.yaml", "--json").json
    assert "applicant_id: class personal" in said["left_out"]
    schema = pandera.DataFrameSchema.from_yaml(loans.root / "p.yaml")
    schema.validate(pl.read_csv(loans.root / "loans.csv").to_pandas(), lazy=True)
    with pytest.raises(pandera.errors.SchemaErrors):
        schema.validate(pl.read_csv(loans.root / "bad.csv").to_pandas(), lazy=True)
    loans.inside("data", "contract", "export", "c.yaml", "--as", "great-expectations", "--to", "g.json")
    for theirs in ("p.yaml", "g.json"):
        loans.inside("data", "contract", "import", theirs, "--to", f"{theirs}.ours")
        loans.inside("data", "check", "loans.csv", "--contract", f"{theirs}.ours")
        loans.inside("data", "check", "bad.csv", "--contract", f"{theirs}.ours", expect=3)


def test_a_notebook_gets_the_same_answer_and_can_stop(loans: Home) -> None:
    loans.inside("data", "contract", "draft", "loans.csv", "--to", "c.yaml")
    frame = pl.read_csv(loans.root / "bad.csv")
    report = sw.check_data(frame, loans.root / "c.yaml")
    from_file = sw.check_data(loans.root / "bad.csv", loans.root / "c.yaml")
    assert (report.breaches, report.bad_rows) == (from_file.breaches, 2)
    with pytest.raises(ContractBroken, match="housing: not one of the contract's categories, 1 times") as stopped:
        report.raise_for_breach()
    assert (stopped.value.code, stopped.value.exit_code) == ("data.contract_broken", 3)
    assert "ownn" not in str(stopped.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "none.csv", "--contract", "c.yaml"), "Cannot open the data file"),
        (("check", "loans.csv", "--contract", "none.yaml"), "data contract draft"),
        (("check", "loans.csv", "--contract", "loans.csv"), "is no contract"),
        (
            ("check", "loans.csv", "--contract", "wrong.yaml"),
            "line 2: columns.age.mim: unknown key. Did you mean 'min'?",
        ),
        (("check", "loans.csv", "--contract", "c.yaml", "--max-share", "2"), "less than or equal to 1"),
        (("contract", "draft", "loans.csv", "--to", "c.yaml"), "stays as it is"),
        (("contract", "draft", "loans.csv", "--to", "nowhere/c.yaml"), "no folder"),
        (("contract", "import", "c.yaml", "--to", "d.yaml"), "neither a pandera schema"),
        (("contract", "export", "c.yaml", "--as", "soda", "--to", "d.yaml"), "pandera or great-expectations"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_next_step(loans: Home, arguments: tuple[str, ...], words: str) -> None:
    (loans.root / "c.yaml").write_text("columns: {age: {type: integer}}\n")
    (loans.root / "wrong.yaml").write_text("columns:\n  age: {type: integer, mim: 3}\n")
    assert words in loans.inside("data", *arguments, expect=2).err
