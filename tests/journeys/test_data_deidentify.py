"""A person makes an extract at the command line, asks for one value back, and measures a file."""

import shutil

import pyarrow.parquet as pq
import pytest

from whole_way import REPOSITORY, Home

RECIPE = """
deidentify:
  subject: applicant_id
  columns:
    applicant_id: {method: pseudonym, prefix: a_}
    amount_dm: {method: round, to: 100}
    foreign_worker: suppress
  quasi_identifiers:
    age: {levels: [{bands: 5, bottom: 20, top: 70}, {bands: 10, bottom: 20, top: 70}]}
    sex: {}
  sensitive: [checking_account]
  enforce: {k: 5, l: 2}
  reversible: true
"""


@pytest.fixture
def credit(empty_home: Home) -> Home:
    shutil.copy(REPOSITORY / "examples" / "german-credit" / "german_credit.csv", empty_home.root)
    empty_home.inside("init", "credit", "--data", "german_credit.csv", "--target", "outcome", "--positive", "good")
    (empty_home.root / "recipe.yaml").write_text(RECIPE)
    empty_home.inside("ingest", "credit", "--json")
    return empty_home


def test_an_extract_and_the_way_back(credit: Home) -> None:
    looked = credit.inside("data", "deidentify", "credit", "--recipe", "recipe.yaml")
    assert "still personal data (GDPR, recital 26)" in looked.out
    assert "Next: sealwright data deidentify credit --to extract.parquet" in looked.out
    assert not list(credit.root.glob("*.parquet"))
    done = credit.do("data", "deidentify", "credit", "--recipe", "recipe.yaml", "--to", "out.parquet", "--json").json
    assert done["report"]["after"]["k"] >= 5
    name = pq.read_table(credit.root / "out.parquet")["applicant_id"][0].as_py()
    assert name.startswith("a_")
    refused = credit.inside("data", "reidentify", "credit", name, "--reason", "why not", "--json", expect=2)
    assert refused.error["error"] == "input.invalid"
    told = credit.inside("data", "reidentify", "credit", name, "--reason", "The applicant objects", "--json").json
    assert told["value"].startswith("A0")
    credit.inside("verify", "ws/ledger")


def test_stopped_by_its_limits_with_exit_3_and_nothing_written(credit: Home) -> None:
    recipe = credit.root / "recipe.yaml"
    recipe.write_text(RECIPE.replace("{k: 5, l: 2}", "{k: 50, by: suppress}"))
    done = credit.inside(
        "data", "deidentify", "credit", "--recipe", "recipe.yaml", "--to", "out.csv", "--json", expect=3
    )
    assert done.error["error"] == "data.deidentify_stopped"
    assert "by: generalise" in done.error["message"]
    assert not (credit.root / "out.csv").exists()
    undecided = RECIPE.replace("    applicant_id: {method: pseudonym, prefix: a_}\n", "").replace(
        "reversible: true", ""
    )
    recipe.write_text(undecided)
    done = credit.inside("data", "deidentify", "credit", "--recipe", "recipe.yaml", "--json", expect=2)
    assert done.error["error"] == "data.deidentify_undecided"


def test_the_safe_harbor_lists_all_eighteen(credit: Home) -> None:
    (credit.root / "recipe.yaml").write_text(
        "deidentify: {profile: hipaa-safe-harbor, identifiers: {sex: none, foreign_worker: none}}\n"
    )
    done = credit.inside("data", "deidentify", "credit", "--recipe", "recipe.yaml")
    assert "full-face photographs" in done.out
    assert "No program can." in done.out


def test_the_recipe_may_stand_in_the_project_file(credit: Home) -> None:
    file = credit.root / "credit" / "sealwright.yaml"
    file.write_text(file.read_text() + RECIPE)
    assert credit.inside("data", "deidentify", "credit", "--json").json["report"]["reversible"] is True
    file.write_text(file.read_text().replace("method: round", "method: rond"))
    wrong = credit.inside("data", "deidentify", "credit", "--json", expect=2)
    assert "deidentify.columns.amount_dm" in wrong.error["message"]


def test_risk_of_a_file_and_of_a_project(credit: Home) -> None:
    of_file = credit.inside("data", "risk", "german_credit.csv", "--quasi", "age,sex", "--population", 100_000)
    assert "journalist" in of_file.out
    assert "if the attacker did not know" in of_file.out
    of_project = credit.inside("data", "risk", "credit", "--quasi", "age,sex", "--sensitive", "savings", "--json")
    assert of_project.json["measured"]["k"] >= 1
    wrong = credit.inside("data", "risk", "german_credit.csv", "--quasi", "agee", "--json", expect=2)
    assert "Did you mean 'age'" in wrong.error["message"]
