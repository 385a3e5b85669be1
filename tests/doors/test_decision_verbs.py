"""`sealwright decisions`: what a scheduler, an analyst and a compliance officer do with it, through the door they use."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from deciding import decide
from sealwright.kernel import FixedClock
from sealwright.pipeline import open_workspace
from sealwright.trust import KeyFile
from whole_way import Home

DORA = ("--as", "dora", "--person-key", "dora.key")
WHY = ("--reason", "Weekly look at refusals")


@pytest.fixture
def office(empty_home: Home) -> Home:
    """A workspace with an officer in it, and two finished hours of decisions."""
    empty_home.inside("people", "add", "dora", "--role", "compliance_officer", "--person-key", "dora.key")
    begin = datetime.now(UTC) - timedelta(hours=3)
    clock = FixedClock(begin)
    with open_workspace(empty_home.workspace, KeyFile(empty_home.key), clock=clock) as workspace:
        decide(workspace, clock, ["a1-p1", "a2-p2"], begin)
        decide(workspace, clock, ["b1-p1"], begin + timedelta(hours=1))
    return empty_home


def test_hours_are_sealed_checked_read_and_ended(office: Home) -> None:
    sealed = office.inside("decisions", "seal", "loans", "--json").json["sealed"]
    assert [one["rows"] for one in sealed] == [2, 1]
    assert "No hour is over" in office.inside("decisions", "seal", "loans").out
    assert office.inside("decisions", "check", "loans", "--json").json["decisions"] == 3
    lines = office.inside("decisions", "list", "loans", *WHY, *DORA, "--json").out.splitlines()
    assert [json.loads(line)["decision"] for line in lines] == ["dec_b1_p1", "dec_a2_p2", "dec_a1_p1"]
    assert "request" not in lines[0]
    few = office.inside("decisions", "list", "loans", *WHY, *DORA, "--label", "yes", "--limit", "1").out
    assert [line.split()[1] for line in few.splitlines()] == ["dec_b1_p1"]
    one = office.inside("decisions", "show", "loans", "dec_a2_p2", *WHY, *DORA, "--json").json
    assert json.loads(one["request"]) == {"row": {"name": "a2-p2"}}
    to = office.root / "all.jsonl"
    office.inside("decisions", "export", "loans", "--to", to, "--subject", "p1", *WHY, *DORA)
    assert [json.loads(line)["decision"] for line in to.read_text().splitlines()] == ["dec_a1_p1", "dec_b1_p1"]
    assert to.stat().st_mode & 0o077 == 0
    assert office.inside("decisions", "end", "loans", "--keep-days", "30", *DORA, "--json").json["ended"] == []


def test_who_may_not_read_and_what_is_not_there_is_said(office: Home) -> None:
    office.inside("decisions", "list", "loans", *WHY, expect=3)
    office.inside("decisions", "list", "loans", "--reason", "x", *DORA, expect=2)
    office.inside("decisions", "show", "loans", "dec_z", *WHY, *DORA, expect=2)
    office.inside("decisions", "end", "loans", expect=2)
    (office.root / "there.jsonl").write_text("")
    office.inside("decisions", "export", "loans", "--to", office.root / "there.jsonl", *WHY, *DORA, expect=2)
    assert (office.root / "there.jsonl").read_text() == ""


def test_a_list_that_finds_nothing_says_so_and_a_limit_has_a_bound(office: Home) -> None:
    nothing = ("decisions", "list", "loans", *WHY, *DORA, "--since", "2099-01-01")
    assert office.inside(*nothing).out == "Nothing fits.\n"
    assert office.inside(*nothing, "--json").out == ""
    told = office.inside(*nothing, "--limit", "99999999999999999999999", expect=2).err
    assert "--limit" in told


def test_the_doctor_says_which_hours_wait_and_for_how_long_records_are_kept(office: Home) -> None:
    def said() -> tuple[str, str]:
        found = office.inside("doctor", "--json", expect=None).json
        [one] = [one for one in found if one["what"] == "decision records of loans"]
        return one["state"], " ".join(one["says"])

    state, words = said()
    assert state == "look"
    assert "live: not sealed since" in words
    assert "nobody said for how long" in words
    office.inside("decisions", "seal", "loans")
    office.inside("decisions", "keep", "loans", "--days", "30", expect=3)
    kept = office.inside("decisions", "keep", "loans", "--days", "30", *DORA).out
    assert "kept for 30 days" in kept
    assert said() == ("good", "kept for 30 days")
