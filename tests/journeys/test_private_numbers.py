"""A statistician's day at the command line: numbers about people, a budget that runs out, a reason to raise it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from whole_way import Home

PROJECT: dict[str, Any] = {
    "format": 1,
    "project": "survey",
    "charter": {"purpose": "Estimate who would come again.", "owner": "Head of survey", "risk_class": "minimal"},
    "data": {
        "source": "survey.csv",
        "target": "again",
        "positive": "yes",
        "subject": "person",
        "privacy_budget": {"epsilon": 1.0, "most_rows_per_person": 2},
        "columns": {
            "person": {"type": "text", "class": "personal", "role": "identifier"},
            "age": {"type": "integer", "min": 18, "max": 90, "class": "personal"},
            "spent": {"type": "number", "nullable": True},
            "town": {"type": "category", "categories": ["Ulm", "Trier"], "nullable": True},
            "again": {"type": "category", "categories": ["yes", "no"]},
        },
    },
}
REASON = "The council asked for one more table."


def write(home: Home, **budget: Any) -> None:
    value = json.loads(json.dumps(PROJECT))
    value["data"]["privacy_budget"] |= budget
    (home.root / "survey" / "sealwright.yaml").write_text(yaml.safe_dump(value, sort_keys=False))


@pytest.fixture
def survey(empty_home: Home) -> Home:
    folder = empty_home.root / "survey"
    folder.mkdir()
    rows = [
        f"x{place // 2},{18 + place % 60},{place % 97}.5,{['Ulm', 'Trier', ''][place % 3]},{'yes' if place % 4 else 'no'}"
        for place in range(800)
    ]
    (folder / "survey.csv").write_text("person,age,spent,town,again\n" + "\n".join(rows) + "\n")
    write(empty_home)
    empty_home.inside("ingest", "survey")
    return empty_home


def release(home: Home, *arguments: object, expect: int = 0) -> Any:
    done = home.inside("data", "release", *arguments, "--json", expect=expect)
    return done.json if expect == 0 else done.error


def test_numbers_come_with_their_accuracy_and_the_budget_runs_out(survey: Home) -> None:
    count = release(survey, "count", "survey", "--epsilon", "0.4")
    assert abs(count["numbers"]["value"] - 800) < 100
    assert count["unit"] == "person"
    mean = release(survey, "mean", "survey", "--column", "spent", "--lower", 0, "--upper", 100, "--epsilon", "0.2")
    assert mean["accuracy"]["lower"] <= mean["numbers"]["value"] <= mean["accuracy"]["upper"]
    towns = release(survey, "histogram", "survey", "--column", "town", "--epsilon", "0.2")
    assert [cell["label"] for cell in towns["numbers"]["cells"]] == ["Ulm", "Trier", "(empty)"]
    shown = survey.inside("data", "release", "quantile", "survey", "--column", "age", "--epsilon", "0.1").out
    for words in (
        "quantile 0.5 of 'age'",
        "with 95 % confidence",
        "epsilon 0.1",
        "0.9 of 1 spent, 0.1 left",
        "one person",
    ):
        assert words in " ".join(shown.split())
    refused = release(survey, "count", "survey", "--epsilon", "0.2", "--where", "town=Ulm", expect=3)
    assert refused["error"] == "data.privacy_budget_spent"
    assert "0.1 is left of 1" in refused["message"]
    told = survey.inside("data", "budget", "survey")
    assert "0.9 in 4 releases" in told.out
    assert "800" not in told.out


def test_more_budget_needs_the_project_file_and_a_reason_in_the_ledger(survey: Home) -> None:
    release(survey, "count", "survey", "--epsilon", "1")
    write(survey, epsilon=2.0)
    assert release(survey, "count", "survey", "--epsilon", "0.5", expect=3)["error"] == "data.privacy_budget_spent"
    told = survey.inside("data", "budget", "survey")
    assert "the project file says 2, the ledger 1; the smaller counts" in told.out
    assert "--set-epsilon 2 --reason" in told.out
    refused = survey.inside("data", "budget", "survey", "--set-epsilon", "2", "--json", expect=3)
    assert refused.error["error"] == "data.privacy_budget_changed"
    raised = survey.inside("data", "budget", "survey", "--set-epsilon", "2", "--reason", REASON, "--json").json
    assert (raised["fixed"], raised["left"]) == ("2", "1")
    release(survey, "count", "survey", "--epsilon", "0.5")
    found = survey.inside("ledger", "search", "--text", REASON.upper(), "--json").json["entries"]
    assert [(one["action"], one["words"]) for one in found] == [("data.privacy_budget_set", REASON)]
    assert REASON not in (survey.workspace / "ledger" / "entries.log").read_text()
    survey.inside("verify", "ws/ledger", "--json")


def test_a_private_model_takes_from_the_budget_of_the_numbers_and_its_card_says_so(survey: Home) -> None:
    rows = [
        f"x{k // 2},{18 + k % 60},{k % 97},{'Ulm' if k % 3 else 'Trier'},{'yes' if k % 3 else 'no'}" for k in range(800)
    ]
    (survey.root / "survey" / "survey.csv").write_text("person,age,spent,town,again\n" + "\n".join(rows) + "\n")
    survey.inside("ingest", "survey")
    release(survey, "count", "survey", "--epsilon", "0.5")
    value = json.loads(json.dumps(PROJECT))
    value["data"]["columns"]["spent"] = {"type": "number", "min": 0, "max": 100, "nullable": True}
    value["data"]["privacy_budget"] |= {"epsilon": 2.6, "training_delta": 1e-4}
    value["training"] = {"recipe": "naive_bayes", "privacy": {"epsilon": 1, "delta": 1e-5}}
    value["assurance"] = {"suites": ["quality", "performance"]}
    (survey.root / "survey" / "sealwright.yaml").write_text(yaml.safe_dump(value, sort_keys=False))

    refused = survey.inside("run", "survey", "--json", expect=3).error
    assert refused["error"] == "data.privacy_budget_spent"
    assert "would cost epsilon 2; 0.5 is left of 1" in refused["message"]  # two rows of one person, and 1 was fixed
    assert "may add up to 0" in refused["message"]
    assert not (survey.workspace / "packages").exists() or not list((survey.workspace / "packages").iterdir())

    survey.inside(
        "data", "budget", "survey", "--set-epsilon", "2.6", "--set-training-delta", "1e-4", "--reason", REASON
    )
    survey.inside("run", "survey", "--json")
    card = (survey.package / "card.md").read_text().replace("\\", "")
    assert "epsilon 1, delta 1e-05, for one row replaced by another. With this training, epsilon 2.5 of 2.6" in card
    told = " ".join(survey.inside("data", "budget", "survey").out.split())
    for words in (
        "2.5 in 1 release and 1 training",
        "0.1 for one more release",
        "training naive_bayes,",
        "of at most 0.0001",
    ):
        assert words in told
    kept = survey.inside("train", "survey", "--json").json
    assert (kept["again"], kept["privacy"]["budget"]["spent"]) == (True, "2.5")
    again = survey.inside("run", "survey", "--fresh", "--json", expect=3).error
    assert "0.1 is left of 2.6" in again["message"]
    assert release(survey, "count", "survey", "--epsilon", "0.2", expect=3)["error"] == "data.privacy_budget_spent"
    assert survey.package  # still the one


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("mean", "survey", "--column", "spent", "--epsilon", "0.1"), "--lower VALUE --upper VALUE"),
        (("mean", "survey", "--column", "agee", "--epsilon", "0.1"), "Did you mean 'age'"),
        (("count", "survey", "--epsilon", "nothing"), "epsilon is a number"),
        (("count", "survey", "--epsilon", "0"), "above 0"),
        (("count", "survey", "--epsilon", "0.1", "--where", "town"), "COLUMN=VALUE"),
        (("histogram", "survey", "--column", "person", "--epsilon", "0.1"), "type text"),
        (("quantile", "survey", "--column", "age", "--at", "2", "--epsilon", "0.1"), "0.5 is the median"),
        (("count", "survey", "--epsilon", "0.1", "--snapshot", "sha256:no"), "no snapshot"),
    ],
)
def test_what_cannot_be_asked_costs_nothing(survey: Home, arguments: tuple[object, ...], words: str) -> None:
    assert words in release(survey, *arguments, expect=2)["message"]
    assert survey.inside("data", "budget", "survey", "--json").json["spent"] == "0"


def test_there_is_no_seed(survey: Home) -> None:
    assert "seed" not in survey.inside("data", "release", "count", "--help").out
    assert survey.inside("data", "release", "count", "survey", "--epsilon", "0.1", "--seed", "1", expect=2).err


def test_a_contract_with_a_unit_that_does_not_fit_is_refused_with_its_line(survey: Home) -> None:
    path = Path(survey.root / "survey" / "sealwright.yaml")
    path.write_text(path.read_text().replace("  subject: person\n", ""))
    refused = release(survey, "count", "survey", "--epsilon", "0.1", expect=2)
    assert "data.subject" in refused["message"]
    assert "line" in refused["message"]
