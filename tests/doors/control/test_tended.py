"""The control server seals decisions by the hour and ends those past their days; when it cannot, somebody hears of it."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from acting import Kept, operator, person
from deciding import decide
from sealwright.doors.control.tended import tended
from sealwright.kernel import FixedClock, VerificationFailed
from sealwright.pipeline import Workspace, create_workspace, enrol, keep_decisions, kept_days, waiting_since
from sealwright.pipeline.decision_hours import FILE, hours_of
from sealwright.serving import EventLog, decision_ledger_folder
from sealwright.trust import InsecurePassphraseForTests, Ledger, PermissionDenied, Secret

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
BEGIN = datetime(2026, 3, 2, 6, 10, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(BEGIN)


@pytest.fixture
def workspace(tmp_path: Path, clock: FixedClock) -> Iterator[Workspace]:
    """Two finished hours of decisions, and somebody who answers for them."""
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK, clock=clock) as made:
        enrol(made, "dora", ["compliance_officer"], UNLOCK, by=operator())
        decide(made, clock, ["a1-p1", "a2-p2"], BEGIN)
        decide(made, clock, ["b1-p1"], BEGIN + timedelta(hours=1))
        made.let_go()
        clock.advance(timedelta(hours=2))
        yield made


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


def told(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def files(workspace: Workspace) -> list[str]:
    return [one.hour for one in hours_of(workspace, "loans", "live") if one.file]


def test_hours_are_sealed_while_the_server_runs_and_again_after_the_next(
    workspace: Workspace, clock: FixedClock, log: io.StringIO, wait_until: Callable[..., None]
) -> None:
    assert waiting_since(workspace, "loans", "live") == "2026-03-02T06"
    with tended(workspace, Kept(), EventLog(log, clock), seconds=0.05):
        wait_until(lambda: len(told(log)) == 1)
        assert files(workspace) == ["2026-03-02T06", "2026-03-02T07"]
        decide(workspace, clock, ["c1-p1"], clock())
        clock.advance(timedelta(hours=1))
        wait_until(lambda: len(told(log)) == 2)
    assert files(workspace)[-1] == "2026-03-02T09"
    assert [(one["event"], one["sealed"]) for one in told(log)] == [("decisions_sealed", 2), ("decisions_sealed", 1)]
    assert waiting_since(workspace, "loans", "live") == ""
    assert "decisions" not in {thread.name for thread in threading.enumerate()}


def test_the_ledgers_are_free_for_others_between_and_after(
    workspace: Workspace, clock: FixedClock, log: io.StringIO, wait_until: Callable[..., None]
) -> None:
    folder = decision_ledger_folder(workspace.home, "loans", "live")
    signer = workspace.keyring.signer("decision-checkpoints")
    with Ledger.open(folder, origin=_origin_of(folder), signer=signer, clock=clock) as serving:  # a server runs
        with tended(workspace, Kept(), EventLog(log, clock), seconds=0.05):
            wait_until(lambda: len(told(log)) == 1)
            assert workspace.ledger.append("a.b", "s", {}).index > 0
            workspace.let_go()
        serving.append("serving.release_taken", "x", {})
    assert len(files(workspace)) == 2


def _origin_of(folder: Path) -> str:
    return (folder / "checkpoint").read_text().splitlines()[0]


def test_hours_end_only_by_the_word_of_somebody_who_may_dispose_of_data(
    workspace: Workspace, clock: FixedClock, log: io.StringIO, wait_until: Callable[..., None]
) -> None:
    with tended(workspace, Kept(), EventLog(log, clock), seconds=0.05):
        wait_until(lambda: len(told(log)) == 1)
    clock.advance(timedelta(days=40))
    with tended(workspace, Kept(), EventLog(log, clock), seconds=0.05):
        pass
    assert len(files(workspace)) == 2
    with pytest.raises(PermissionDenied):
        keep_decisions(workspace, "loans", 30, by=operator())
    assert kept_days(workspace, "loans") is None
    keep_decisions(workspace, "loans", 300, by=person("dora", "compliance_officer"))
    keep_decisions(workspace, "loans", 30, by=person("dora", "compliance_officer"))
    assert kept_days(workspace, "loans") == 30
    workspace.let_go()
    with tended(workspace, Kept(), EventLog(log, clock), seconds=0.05):
        wait_until(lambda: any(one.get("ended") for one in told(log)))
    assert files(workspace) == []
    assert all(one.disposed for one in hours_of(workspace, "loans", "live"))


def test_a_failure_is_told_raises_one_alarm_and_is_tried_again(
    workspace: Workspace, clock: FixedClock, log: io.StringIO, wait_until: Callable[..., None]
) -> None:
    with tended(workspace, Kept(), EventLog(log, clock), seconds=0.05):
        wait_until(lambda: len(told(log)) == 1)
    damaged = hours_of(workspace, "loans", "live")[0].folder
    whole = (damaged / FILE).read_bytes()
    manifest = (damaged / "manifest.json").read_bytes()
    (damaged / "manifest.json").write_bytes(manifest[:-20])
    with pytest.raises(VerificationFailed):
        waiting_since(workspace, "loans", "live")
    audit = Kept()
    clock.advance(timedelta(hours=1))
    with tended(workspace, audit, EventLog(log, clock), seconds=0.02):
        wait_until(lambda: len(told(log)) >= 3)
        assert {one["event"] for one in told(log)[1:]} == {"decisions_not_sealed"}
        assert [(one.action, one.reason) for one in audit.events] == [("alert.raise", "decisions.not_sealed")]
        decide(workspace, clock, ["c1-p1"], clock())
        clock.advance(timedelta(hours=1))
        (damaged / "manifest.json").write_bytes(manifest)
        wait_until(lambda: told(log)[-1]["event"] == "decisions_sealed")
    assert (damaged / FILE).read_bytes() == whole
