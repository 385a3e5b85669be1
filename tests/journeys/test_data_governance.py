"""A data protection officer's day at the command line: basis, consent, requests, holds, retention, the record."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from whole_way import Home

ANSWERS = (
    "--link", "Both purposes judge the same loans.",
    "--context", "Customers of the bank were told of scoring.",
    "--nature", "Income only, nothing special in it.",
    "--consequences", "A letter more or less, no decision.",
    "--safeguards", "Encrypted, pseudonyms, deleted in time.",
)  # fmt: skip
PROJECT: dict[str, Any] = {
    "format": 1,
    "project": "loans",
    "charter": {
        "purpose": "Estimate who repays.",
        "purpose_id": "credit-decision",
        "owner": "Head of credit",
        "risk_class": "limited",
    },
    "data": {
        "source": "loans.csv",
        "target": "repaid",
        "positive": "yes",
        "basis": {
            "dataset": "applications",
            "controller": {"name": "Example Bank AG", "contact": "privacy@bank.example"},
            "source": {"from": "branches", "collected_from": "2020-01-01"},
            "lawful_basis": "contract",
            "purposes": {"credit-decision": "Decide on an application."},
            "recipients": [],
            "transfers": [],
            "retention": {"keep": "50 years"},
        },
        "columns": {
            "income": {"type": "integer", "class": "personal"},
            "repaid": {"type": "category", "categories": ["yes", "no"]},
        },
    },
}


def write(home: Home, **basis: Any) -> None:
    value = json.loads(json.dumps(PROJECT))
    value["charter"]["purpose_id"] = basis.pop("purpose_id", "credit-decision")
    value["data"]["basis"] |= basis
    (home.root / "loans" / "sealwright.yaml").write_text(yaml.safe_dump(value, sort_keys=False))


@pytest.fixture
def office(empty_home: Home) -> Home:
    home = empty_home
    (home.root / "loans").mkdir()
    lines = [f"{1000 + n},{'yes' if n % 3 else 'no'}" for n in range(60)]
    (home.root / "loans" / "loans.csv").write_text("income,repaid\n" + "\n".join(lines) + "\n")
    write(home)
    home.inside("workspace", "create", "--name", "Example Bank", "--json")
    return home


def test_another_purpose_needs_an_officers_signature(office: Home) -> None:
    assert office.inside("data", "basis", "loans", "--json").json["missing"] == []
    write(office, purpose_id="marketing")
    stopped = office.inside("data", "basis", "loans", "--json", expect=3)
    assert stopped.error["error"] == "data.purpose_not_covered"
    assert "sealwright data compatibility" in stopped.error["message"]
    office.inside("people", "add", "dora", "--role", "compliance_officer", "--person-key", "dora.key")
    until = (datetime.now(UTC) + timedelta(days=200)).date().isoformat()
    command = (
        "data", "compatibility", "loans", "--as", "dora", "--purpose", "marketing", *ANSWERS, "--until", until,
        "--person-key", "dora.key", "--json",
    )  # fmt: skip
    filed = office.inside(*command).json
    assert filed["compatible"] is True
    assert office.inside("data", "basis", "loans", "--json").json["compatibility"] == filed["statement"]
    office.inside(*command, "--not-compatible")
    assert "not compatible" in office.inside("data", "basis", "loans", "--json", expect=3).error["message"]
    wrong = office.inside(*command, "--role", "auditor", expect=2)
    assert "signed by a compliance_officer" in wrong.error["message"]


def test_a_basis_that_is_missing_is_named_before_anything_is_read(office: Home) -> None:
    write(office, lawful_basis="consent", retention={"keep": "9 years"}, columns={"incme": {}})
    assert "Did you mean 'income'" in office.inside("data", "basis", "loans", expect=2).err
    write(office, lawful_basis="because")
    assert "lawful_basis" in office.inside("data", "basis", "loans", expect=2).err


def test_consent_is_taken_back_as_easily_as_it_is_given(office: Home) -> None:
    (office.root / "words.txt").write_text("You may use my application to improve your scoring.")
    at = ("--project", "loans")
    given = office.inside(
        "data",
        "consent",
        "give",
        "4711",
        *at,
        "--purpose",
        "scoring",
        "--text",
        "words.txt",
        "--text-version",
        "1",
        "--json",
    ).json
    assert given["subject"].startswith("sub_")
    taken = office.inside("data", "consent", "withdraw", "4711", *at, "--json").json
    assert (taken["purposes"], taken["subject"]) == (["scoring"], given["subject"])
    history = office.inside("data", "consent", "show", "4711", *at, "--json").json["changes"]
    assert [one["change"] for one in history] == ["given", "withdrawn"]
    assert "withdrawn" in office.inside("data", "consent", "show", given["subject"], *at).out
    (office.root / "many.csv").write_text("subject,purpose,at\n1,scoring,2024-05-01\n2,scoring,2024-05-02\n")
    many = ("data", "consent", "import", "many.csv", *at, "--text", "words.txt", "--text-version", "1", "--json")
    assert office.inside(*many).json == {"rows": 2, "recorded": 2}
    assert office.inside(*many).json == {"rows": 2, "recorded": 0}
    assert office.inside("data", "consent", "check", "--json").json == {"consents": 4, "suppressions": 0}
    (office.root / "many.csv").write_text("subject,purpose,at\nAnna Muster,scoring,never\n")
    refused = office.inside(*many, expect=2)
    assert "row 1" in refused.error["message"]
    assert "Muster" not in refused.err
    assert b"4711" not in b"".join(path.read_bytes() for path in office.workspace.rglob("*") if path.is_file())


def test_what_is_overdue_is_said_and_fails_a_job_that_asks(office: Home) -> None:
    office.inside("ingest", "loans")
    day = (datetime.now(UTC) - timedelta(days=70)).date().isoformat()
    assert "Nothing is waiting" in office.inside("data", "requests", "--strict").out
    late = office.inside(
        "data", "request", "open", "access", "4711", "--project", "loans", "--received", day, "--json"
    ).json
    fresh = office.inside(
        "data", "request", "open", "erase", "4712", "--project", "loans", "--law", "ccpa", "--json"
    ).json
    listed = office.inside("data", "requests", "--strict", "--json", expect=3).json
    assert ([one["id"] for one in listed["requests"]], listed["overdue"]) == ([late["id"], fresh["id"]], 1)
    assert fresh["next"] == "confirm"
    assert [one["id"] for one in office.inside("data", "requests", "--due", "--json").json["requests"]] == [late["id"]]
    too_late = office.inside(
        "data", "request", "extend", late["id"], "--reason", "Four archives to search", "--json", expect=2
    )
    assert "had to be told" in too_late.error["message"]
    office.inside("data", "request", "confirm", fresh["id"])
    longer = office.inside(
        "data", "request", "extend", fresh["id"], "--reason", "Four archives to search", "--json"
    ).json
    assert longer["due"] > fresh["due"]
    office.inside("data", "request", "identify", late["id"], "--identity", "ticket 12")
    done = office.inside(
        "data", "request", "close", late["id"], "--outcome", "Copy sent, late: the archive was closed", "--json"
    ).json
    assert (done["state"], done["next"]) == ("answered", None)
    office.inside("data", "requests", "--strict")
    assert office.inside("data", "request", "show", late["id"], "--json").json["identity"] == "ticket 12"
    assert len(office.inside("data", "requests", "--all", "--json").json["requests"]) == 2
    assert (
        "no right"
        in office.inside("data", "request", "open", "object", "1", "--project", "loans", "--law", "ccpa", expect=2).err
    )


def test_what_is_past_its_limit_goes_unless_it_is_on_hold(office: Home) -> None:
    write(office, retention={"keep": "1 day"})
    snapshot = office.inside("ingest", "loans", "--json").json["snapshot"]
    (found,) = office.inside("data", "retention", "--strict", "--json", expect=3).json["items"]
    assert (found["digest"], found["verdict"]) == (snapshot, "dispose")
    hold = office.inside("data", "hold", "add", "loans", "--reason", "Case 12/26, county court", "--json").json
    assert office.inside("data", "retention", "--apply", "--strict", "--json").json["disposed"] == []
    assert hold["id"] in office.inside("data", "retention").out
    assert hold["id"] in office.inside("data", "hold", "list").out
    office.inside("data", "hold", "lift", hold["id"], "--reason", "The case was settled")
    assert office.inside("data", "hold", "list", "--json").json == []
    assert len(office.inside("data", "hold", "list", "--all", "--json").json) == 1
    done = office.inside("data", "retention", "--apply", "--strict", "--json").json
    assert [one["digest"] for one in done["disposed"]] == [snapshot]
    assert done["disposed"][0]["proof"]["bytes"] > 0
    assert not (office.workspace / "snapshots" / snapshot.partition(":")[2]).exists()
    assert "No data lies here" in office.inside("data", "retention").out
    office.inside("verify", "ws/ledger")


def test_the_record_of_processing_comes_in_every_form(office: Home) -> None:
    office.inside("ingest", "loans")
    table = office.inside("data", "ropa").out
    assert "Missing: 1" in table
    assert "loans: categories of persons" in table
    assert "Supports evidence for Article 30(1)" in table
    record = office.inside("data", "ropa", "--format", "json").json
    assert record == {**office.inside("data", "ropa", "--json").json, "at": record["at"]}
    assert record["records"][0]["missing"] == ["categories of persons"]
    lines = list(csv.DictReader(io.StringIO(office.inside("data", "ropa", "--format", "csv").out)))
    assert {line["dataset"] for line in lines} == {"applications"}
    office.inside("data", "ropa", "--format", "html", "--to", "ropa.html")
    page = Path(office.root / "ropa.html").read_text()
    assert "Example Bank AG" in page
    assert "<script" not in page
    office.inside("data", "ropa", "--to", "ropa.txt")
    assert "controller 30(1)(a): Example Bank AG" in (office.root / "ropa.txt").read_text()
    for words in (table, page, json.dumps(record)):
        assert "compliant" not in words.lower()


def test_json_means_json_wherever_the_record_and_the_lineage_go(office: Home) -> None:
    office.inside("ingest", "loans")
    said = office.inside("data", "ropa", "--to", "ropa.json", "--json").json
    assert said == {"written": "ropa.json"}
    assert json.loads((office.root / "ropa.json").read_text())["missing"] == 1
    assert office.inside("data", "ropa", "--format", "csv", "--to", "r.csv", "--json").json == {"written": "r.csv"}
    assert (office.root / "r.csv").read_text().startswith("project,")
    assert "--json prints JSON" in office.inside("data", "ropa", "--format", "csv", "--json", expect=2).error["message"]
    for form in ("svg", "text"):
        refused = office.inside("data", "lineage", "loans", "--format", form, "--json", expect=2)
        assert (refused.out, "--json prints JSON" in refused.error["message"]) == ("", True)
        to = f"lineage-{form}"
        assert office.inside("data", "lineage", "loans", "--format", form, "--to", to, "--json").json == {"written": to}
    assert (office.root / "lineage-svg").read_text().startswith("<svg")
    assert (office.root / "lineage-text").read_text() == "".join(
        f"{line}\n"
        for line in office.inside("data", "lineage", "loans").out.splitlines()
        if not line.startswith("Next:")
    )
    found = office.inside("data", "lineage", "loans", "--json").json
    office.inside("data", "lineage", "loans", "--to", "lineage.json")
    assert json.loads((office.root / "lineage.json").read_text()) == found


def test_the_last_day_of_the_calendar_is_beyond_what_may_be_signed(office: Home) -> None:
    write(office, purpose_id="marketing")
    office.inside("people", "add", "dora", "--role", "compliance_officer", "--person-key", "dora.key")
    refused = office.inside(
        "data", "compatibility", "loans", "--as", "dora", "--purpose", "marketing", *ANSWERS, "--until", "9999-12-31",
        "--person-key", "dora.key", expect=2,
    )  # fmt: skip
    assert "within the next three years" in refused.err
