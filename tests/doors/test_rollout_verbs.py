"""`sealwright rollout`: what a person types, what a script reads, and which exit codes they get."""

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sealwright.doors.cli import main

if "serving_house" not in sys.modules:
    _spec = importlib.util.spec_from_file_location(
        "serving_house", Path(__file__).parent.parent / "serving" / "house.py"
    )
    assert _spec is not None
    assert _spec.loader is not None
    _module = importlib.util.module_from_spec(_spec)
    sys.modules["serving_house"] = _module
    _spec.loader.exec_module(_module)
houses = sys.modules["serving_house"]
PROJECT = houses.PROJECT
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """The program, in a workspace with two versions, the first in service."""
    made = houses.House(tmp_path / "home")
    for middle in (3.0, 4.0):
        made.register(houses.credit_model(houses.credit_interface(), middle=middle))
    made.promote(1)
    made.close()
    about = {"format": 1, "id": "ws_1", "name": "Tests", "created_at": "2026-11-02T00:00:00Z", "database": None}
    (made.home / "workspace.json").write_text(json.dumps(about))
    monkeypatch.setenv("SEALWRIGHT_HOME", str(made.home))
    monkeypatch.setenv("SEALWRIGHT_KEY_FILE", str(made.home / "key"))
    monkeypatch.setenv("SEALWRIGHT_ACTOR", "ops")

    def run(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["sealwright", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def test_a_rollout_from_its_start_to_the_way_back(cli: Cli) -> None:
    status, out, _ = cli("rollout", "start", PROJECT, "2", "--reason", "for the tests", "--json")
    begun = json.loads(out)
    assert (status, begun["arms"][1]["share"], begun["sequence"]) == (0, 100, 2)
    status, out, _ = cli("rollout", "status", PROJECT, "--json")
    found: dict[str, Any] = json.loads(out)
    assert (status, found["rollout"], found["stage"], found["stages"]) == (0, begun["rollout"], 1, 5)
    assert (found["verdict"], [arm["arm"] for arm in found["arms"]]) == ("hold", ["champion", "challenger"])
    status, out, _ = cli("rollout", "status", PROJECT)
    assert "canary of version 2 beside version 1" in out
    assert "Verdict: waits" in out
    assert "Next: champion 95 %, challenger 5 %" in out
    status, out, _ = cli("rollout", "run", PROJECT, "--once")
    assert (status, out.strip()) == (
        0,
        "stage 1 of 5: champion 0 answered 0 failed, challenger 0 answered 0 failed; waits",
    )
    status, out, _ = cli("rollout", "advance", PROJECT, "--reason", "by hand")
    assert "version 2 as challenger 5 %" in out
    status, out, _ = cli("history", PROJECT, "--json")
    assert [len(one.get("arms", ())) for one in json.loads(out)] == [0, 2, 2]
    status, out, _ = cli("rollout", "back", PROJECT, "--reason", "complaints")
    assert (status, "version 1 answers everything on channel live" in out) == (0, True)


def test_where_no_rollout_is_under_way_it_says_so_and_how_to_begin_one(cli: Cli) -> None:
    for verb in ("status", "watch", "run"):
        status, _, err = cli("rollout", verb, PROJECT)
        assert (status, "rollout.none" in err, "sealwright rollout start" in err) == (2, True, True)
    for verb in ("advance", "promote", "back", "stop"):
        assert cli("rollout", verb, PROJECT, "--reason", "nothing there")[0] == 2


def test_outcomes_come_from_a_table_and_mistakes_name_their_line(cli: Cli, tmp_path: Path) -> None:
    cli("rollout", "start", PROJECT, "2", "--kind", "split", "--reason", "for the tests")
    table = tmp_path / "outcomes.csv"
    table.write_text("decision,value\ndec_a,1\ndec_b,0.5\n")
    status, out, _ = cli("rollout", "outcomes", PROJECT, str(table), "--json")
    assert (status, json.loads(out)["outcomes"]) == (0, 2)
    for text, line in (
        ("decision,value\ndec_a,x\n", 2),
        ("decision,value\ndec_a,1\ndec_a,1\n", 3),
        ("decision,value\n\ndec_a,1\ndec_b,x\n", 4),
        ("a,b\n1,2\n", 1),
        ("decision;value\ndec_a;1\n", 1),
    ):
        table.write_text(text)
        status, _, err = cli("rollout", "outcomes", PROJECT, str(table))
        assert (status, f"Line {line} of outcomes.csv" in err) == (2, True)


def test_outcomes_from_a_spreadsheet_are_taken_in_and_it_is_said_when_they_are_joined(cli: Cli, tmp_path: Path) -> None:
    cli("rollout", "start", PROJECT, "2", "--kind", "split", "--reason", "for the tests")
    table = tmp_path / "outcomes.csv"
    table.write_bytes("decision,value\r\ndec_of_nothing,1\r\n".encode("utf-8-sig"))
    status, out, _ = cli("rollout", "outcomes", PROJECT, str(table))
    assert (status, "1 taken in" in out, "when the rollout is judged" in out) == (0, True, True)
    assert f"sealwright rollout status {PROJECT}" in out
    table.write_text("decision,value\ndec_a,1\n", encoding="utf-16")
    status, _, err = cli("rollout", "outcomes", PROJECT, str(table))
    assert (status, "UTF-8" in err) == (2, True)


def test_a_terminal_gets_a_page_that_is_drawn_over_itself(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("rollout", "start", PROJECT, "2", "--kind", "blue-green", "--reason", "for the tests")
    monkeypatch.setenv("FORCE_COLOR", "1")
    status, out, _ = cli("rollout", "run", PROJECT, "--once")
    assert status == 0
    assert "\x1b[" in out
    assert "green" in out
