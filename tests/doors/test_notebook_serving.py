"""Rollouts and decisions in a notebook: the same verbs as in the terminal, and what is shown there."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import sealwright as sw
from deciding import decide
from sealwright.doors.notebook import Workspace
from sealwright.kernel import FixedClock, InvalidInput
from sealwright.pipeline import NoRollout, open_workspace
from sealwright.trust import KeyFile, PermissionDenied
from whole_way import Home

if "serving_house" not in sys.modules:
    _spec = importlib.util.spec_from_file_location(
        "serving_house", Path(__file__).parent.parent / "serving" / "house.py"
    )
    assert _spec is not None
    assert _spec.loader is not None
    sys.modules["serving_house"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["serving_house"])
houses = sys.modules["serving_house"]
WHY = "Weekly look at refusals"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with two versions, the first in service."""
    made = houses.House(tmp_path / "home")
    for middle in (3.0, 4.0):
        made.register(houses.credit_model(houses.credit_interface(), middle=middle))
    made.promote(1)
    made.close()
    about = {"format": 1, "id": "ws_1", "name": "Tests", "created_at": "2026-11-02T00:00:00Z", "database": None}
    (made.home / "workspace.json").write_text(json.dumps(about))
    with sw.open(made.home, key_file=made.home / "key", actor="ops") as workspace:
        yield workspace


def test_a_rollout_from_its_start_to_the_way_back(served: Workspace) -> None:
    rollout = served.rollout(houses.PROJECT)
    with pytest.raises(NoRollout):
        rollout.status()
    plan = rollout.start(2, reason="for <the> tests")
    found = rollout.status()
    assert (found.verdict, found.to_json()["rollout"], found.to_json()["stage"]) == ("hold", plan.id, 1)
    assert "waits" in str(found)
    page = found._repr_html_()
    assert "<th>arm</th>" in page
    assert '<svg class="limits"' in page
    assert rollout.run(once=True) is None
    assert [arm.share for arm in rollout.advance(reason="by hand").arms] == [9_500, 500]
    assert next(rollout.watch(every=0)).to_json()["stage"] == 2
    assert rollout.back(reason="complaints").number == 1
    assert list(rollout.watch(every=0)) == []


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


def test_decisions_are_sealed_found_kept_and_ended(office: Home) -> None:
    with sw.open(office.workspace, key_file=office.key, actor="ops") as anybody:
        assert [one["rows"] for one in anybody.decisions("loans").seal()] == [2, 1]
        assert anybody.decisions("loans").check().decisions == 3
        with pytest.raises(PermissionDenied):
            anybody.decisions("loans").list(reason=WHY)
    own = office.root / "dora.key"
    with sw.open(office.workspace, key_file=office.key, actor="dora", person_key=own) as workspace:
        decisions = workspace.decisions("loans")
        found = decisions.list(reason=WHY, since=datetime.now(UTC) - timedelta(days=1))
        assert [one.record.decision for one in found] == ["dec_b1_p1", "dec_a2_p2", "dec_a1_p1"]
        assert len(found[1:]) == 2
        yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
        assert len(decisions.list(reason=WHY, since=str(yesterday), until="2099-01-01")) == 3
        assert len(decisions.list(reason=WHY, since=yesterday, limit=10**30)) == 3
        assert "request" not in found.to_json()[0]
        assert "<td>dec_a2_p2</td>" in found._repr_html_()
        assert [one.label for one in decisions.list(reason=WHY, label="yes", limit=1)] == ["yes"]
        assert json.loads(decisions.show("dec_a2_p2", reason=WHY).to_json()["request"]) == {"row": {"name": "a2-p2"}}
        with pytest.raises(InvalidInput, match="how long"):
            decisions.keep()
        assert decisions.keep(30).startswith("sha256:")
        assert decisions.end(30).ended == ()
