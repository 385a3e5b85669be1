"""From "groups fare unlike" to a sealed model that says what was done about it: compare, choose, run."""

import json
import shutil

import pytest
import yaml

from sealwright.kernel import strict_yaml
from whole_way import REPOSITORY, Home

_WAY = "reweighing"


@pytest.fixture
def loans(empty_home: Home) -> Home:
    """A project of minimal risk with a short training, its rows taken in."""
    shutil.copy(REPOSITORY / "examples" / "german-credit" / "german_credit.csv", empty_home.root)
    empty_home.inside("init", "loans", "--data", "german_credit.csv", "--target", "outcome", "--positive", "good")
    text = _read(empty_home)
    text["training"] = {"recipe": "logistic", "search": {"trials": 0}, "folds": 2}
    text["assurance"] = {"suites": ["quality", "performance", "fairness"], "groups": ["sex"]}
    text["data"]["columns"]["sex"]["role"] = "sensitive"
    text["data"]["columns"]["foreign_worker"]["role"] = "ignore"
    _write(empty_home, text)
    empty_home.inside("ingest", "loans")
    return empty_home


def _read(home: Home) -> dict:
    return strict_yaml((home.root / "loans" / "sealwright.yaml").read_bytes(), what="the project").value


def _write(home: Home, text: dict) -> None:
    (home.root / "loans" / "sealwright.yaml").write_text(yaml.safe_dump(text, sort_keys=False), encoding="utf-8")


def test_a_way_is_compared_chosen_and_sealed_and_the_package_says_so(loans: Home) -> None:
    before = (
        sorted(path.name for path in (loans.workspace / "runs").iterdir())
        if (loans.workspace / "runs").exists()
        else []
    )
    done = loans.inside("compare", "loans", "--only", f"{_WAY},decorrelate", "--to", "ways.html", "--json")
    ways = {way["name"]: way for way in done.json["ways"]}
    assert list(ways) == ["present", _WAY, "decorrelate"]
    assert done.json["filed"] is False
    for way in ways.values():
        checks = {one["check"] for one in way["findings"]}
        assert {"performance.accuracy", "fairness.selection_gap", "fairness.selection_rate"} <= checks
        assert ("performance.gain_over_previous" in checks) is (way["name"] != "present")
    after = (
        sorted(path.name for path in (loans.workspace / "runs").iterdir())
        if (loans.workspace / "runs").exists()
        else []
    )
    assert before == after  # nothing was kept

    page = (loans.root / "ways.html").read_text(encoding="utf-8")
    assert page.count("data:image/svg+xml") == 1
    assert "method: reweighing" in page
    assert "<script" not in page

    chosen = _read(loans)
    chosen["training"] |= yaml.safe_load(ways[_WAY]["lines"])["training"]
    _write(loans, chosen)
    loans.inside("run", "loans")
    card = (loans.package / "card.md").read_text(encoding="utf-8")
    assert "Mitigation in training: reweighing for sex" in card
    loans.inside("verify", loans.package)
    provenance = json.dumps(_payload(loans))
    assert '"method": "reweighing"' in provenance
    assert "rows weigh from" in provenance


def _payload(home: Home) -> dict:
    import base64

    envelope = json.loads((home.package / "statements" / "provenance.json").read_text(encoding="utf-8"))
    return json.loads(base64.b64decode(envelope["payload"]))


def test_the_table_is_for_people_and_ends_with_the_lines_to_write(loans: Home) -> None:
    done = loans.inside("compare", "loans", "--only", _WAY)
    for words in ("present", _WAY, "Selection gap", "paired gain", "sex: female", "mitigation:", "Next: "):
        assert words in done.out


@pytest.mark.parametrize(("options", "words"), [
    (("--what", "beauty"), "Use one of: fairness"),
    (("--only", "wishing"), "The ways are: reweighing"),
])  # fmt: skip
def test_what_cannot_be_compared_is_said_before_any_work(loans: Home, options: tuple[str, ...], words: str) -> None:
    done = loans.inside("compare", "loans", *options, "--json", expect=2)
    assert words in json.dumps(done.error)


def test_without_rows_it_says_what_to_do_first(empty_home: Home) -> None:
    shutil.copy(REPOSITORY / "examples" / "german-credit" / "german_credit.csv", empty_home.root)
    empty_home.inside("init", "loans", "--data", "german_credit.csv", "--target", "outcome", "--positive", "good")
    empty_home.inside("workspace", "create", expect=None)
    done = empty_home.inside("compare", "loans", expect=None)
    assert done.code != 0
    assert "sealwright" in done.err


def test_harder_and_more_private_ways_are_compared_in_the_same_table(loans: Home) -> None:
    text = _read(loans)
    text["assurance"]["budget"] = {"rows": 200, "robustness_rows": 100, "repeats": 2}
    text["training"]["mitigation"] = {"method": _WAY, "attributes": ["sex"]}  # each way stands in its place
    _write(loans, text)
    harder = loans.inside("compare", "loans", "--what", "robustness", "--only", "sanitised inputs", "--json").json
    _, tried = harder["ways"]
    assert tried["failed"] == ""
    assert tried["training"] == {"mitigation": None, "hardening": {"sanitise": 0.005}}
    assert {"robustness.evasion_flip_share"} <= {one["check"] for one in tried["findings"]}

    refused = loans.inside("compare", "loans", "--what", "privacy", "--only", "privacy-1", "--json", expect=3)
    assert refused.error["error"] == "data.privacy_budget_missing"
    text["data"]["privacy_budget"] = {"epsilon": 1.5, "training_delta": 1e-5}
    _write(loans, text)
    private = loans.inside("compare", "loans", "--what", "privacy", "--only", "privacy-1", "--json").json
    assert (private["privacy_budget"]["spent"], private["privacy_budget"]["trainings"]) == ("1", 1)
    _, tried = private["ways"]
    assert tried["failed"] == ""
    checks = {one["check"]: one for one in tried["findings"]}
    assert checks["privacy.epsilon_exceeded"]["value"] <= 0  # held against the epsilon it was trained with
    assert "privacy.membership_auc" in checks
    assert any("1 of 1.5 were spent" in note for note in tried["notes"])
    told = " ".join(loans.inside("data", "budget", "loans").out.split())
    assert "1 in 1 training" in told
    assert "training" in told
    assert "logistic, comparison, privacy-1" in told
    again = loans.inside("compare", "loans", "--what", "privacy", "--only", "privacy-1", "--json", expect=3)
    assert again.error["error"] == "data.privacy_budget_spent"
