"""A rollout from its plan to its end or its way back, with a real server under real load, and nobody moves it off its plan."""

import contextlib
import http.client
import importlib.util
import json
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pytest

from sealwright.kernel import Conflict, FixedClock, InvalidInput, Refused, VerificationFailed
from sealwright.pipeline import (
    NoRollout,
    RolloutHeld,
    RolloutWatch,
    Verdict,
    Workspace,
    advance_rollout,
    go_back,
    move_by_plan,
    open_workspace,
    promote_rollout,
    report_outcomes,
    rollout_status,
    start_rollout,
    stop_rollout,
)
from sealwright.pipeline.decision_records import decision_records, shadow_records, shadows_of
from sealwright.serving import Limits
from sealwright.trust import KeyFile, PermissionDenied, Principal, RoleGrant, erase_attachments

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

LENIENT = {
    "steps": [20, 100], "minutes": 0.001, "most_minutes": 60, "least_requests": 30, "planned_requests": 200,
    "limits": {"errors": 0.8, "latency_ratio": 100, "psi": 10, "ks": 1},
}  # fmt: skip
QUICK = Limits(watch_seconds=0.1, arm_seconds=0.2)
OPERATOR = Principal(kind="person", name="root", proof="machine_account")
REASON = "for the tests"


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed workspace: versions 1 and 2, and 3, which fails on some rows; 2 and 3 with a plan in their charters."""
    made = houses.House(tmp_path_factory.mktemp("rollouts") / "home", FixedClock(datetime(2026, 11, 2, tzinfo=UTC)))
    made.register()
    made.rollout = LENIENT
    made.register(houses.credit_model(houses.credit_interface(), middle=4.0))
    made.register(houses.credit_model(houses.credit_interface(), wild=True))
    made.promote(1)
    made.close()
    home: Path = made.home
    (home / "workspace.json").write_text(
        json.dumps({"format": 1, "id": "ws_1", "name": "Tests", "created_at": "2026-11-02T00:00:00Z", "database": None})
    )
    return home


@pytest.fixture
def house(tmp_path: Path, stocked: Path) -> Iterator[Any]:
    made = houses.House(tmp_path / "home", like=stocked)
    made.promote(1)  # by today's clock
    made.ledger.close()  # the workspace opens it
    yield made
    made.close()


@pytest.fixture
def site(house: Any) -> Workspace:
    return Workspace(home=house.home, id="ws_1", name="Tests", keyring=house.keyring, db=house.db, clock=house.clock)


@pytest.fixture
def closing(site: Workspace) -> Iterator[None]:
    yield
    if site._ledger is not None:
        site._ledger.close()


class Load:
    """One caller that asks about many persons until it is told to stop."""

    def __init__(self, house: Any, port: int, row: dict[str, Any]) -> None:
        self.house, self.port, self.row = house, port, row
        self.tls, self.token = ssl.create_default_context(cafile=str(house.tls.ca)), house.token()
        self.statuses: Counter[int] = Counter()
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        link, at = http.client.HTTPSConnection("localhost", self.port, context=self.tls, timeout=20), 0
        with contextlib.closing(link):
            while not self._stop.is_set():
                at += 1
                headers = {
                    "Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "Sealwright-Person": f"p{at % 500}",
                }  # fmt: skip
                body = json.dumps({"row": self.row | {"age": 18 + at % 80}}).encode()
                try:
                    link.request("POST", f"/v1/models/{self.house.project}/predict", body, headers)
                    reply = link.getresponse()
                    reply.read()
                except (OSError, http.client.HTTPException) as error:
                    self.failures.append(type(error).__name__)
                    return
                self.statuses[reply.status] += 1


@contextlib.contextmanager
def answering(house: Any, row: dict[str, Any] | None = None) -> Iterator[Load]:
    with house.launch(limits=QUICK) as server:
        with Load(house, server.port, row or houses.credit_row()) as load:
            yield load
        server.stop()


def begin(site: Workspace, number: int = 2, **more: Any) -> Any:
    usual = {"kind": "canary", "channel": "live", "by": OPERATOR, "reason": REASON, "days": 7}
    return start_rollout(site, houses.PROJECT, number, **(usual | more))


def run(site: Workspace, *, seconds: float = 30.0) -> list[str]:
    """What `sealwright rollout run` does, until the plan ends."""
    watching, done, end = RolloutWatch(houses.PROJECT, "live"), [], time.monotonic() + seconds
    while time.monotonic() < end:
        moved = move_by_plan(site, watching.look(site, OPERATOR), by=OPERATOR)
        if moved is not None:
            done.append(moved.what)
            if moved.what != "advanced":
                return done
        time.sleep(0.1)
    raise AssertionError(json.dumps(watching.look(site, OPERATOR).to_json()))


def current(site: Workspace) -> Any:
    return site.registry_to_read.current(houses.PROJECT, "live")


pytestmark = pytest.mark.usefixtures("closing")


def test_a_sound_version_goes_the_whole_way_under_load_and_no_request_fails(site: Workspace, house: Any) -> None:
    plan, facts = begin(site)
    assert [arm.share for arm in facts.arms] == [8_000, 2_000]
    with answering(house) as load:
        assert run(site) == ["advanced", "ended"]
        time.sleep(0.5)
    assert (load.failures, set(load.statuses)) == ([], {200})
    assert (current(site).number, current(site).arms) == (2, ())
    judged = [one.detail for one in site.ledger.entries() if one.action == "rollout.judged"]
    assert [(one["plan"], one["stage"], one["verdict"]) for one in judged] == [
        (plan.id, 1, "promote"), (plan.id, 2, "promote"),
    ]  # fmt: skip
    assert [one.split == plan.split for one in site.registry_to_read.history(houses.PROJECT, "live")[-4:]] == [
        False, True, True, False,
    ]  # fmt: skip
    with pytest.raises(NoRollout):
        rollout_status(site, houses.PROJECT, channel="live", by=OPERATOR)


def test_a_version_that_fails_is_sent_back_by_itself(site: Workspace, house: Any) -> None:
    house_row = houses.credit_row() | {"c2": "a14"}
    begin(site, 3)
    with answering(house, house_row) as load:
        assert run(site) == ["went_back"]
        time.sleep(0.5)
        failed = load.statuses[500]
        time.sleep(0.3)
        assert load.statuses[500] == failed > 0
    assert load.failures == []
    assert (current(site).number, current(site).arms) == (1, ())
    judged = next(one.detail for one in site.ledger.entries() if one.action == "rollout.judged")
    assert judged["verdict"] == "roll_back"
    assert "requests failed" in judged["reasons"][0]


def test_a_version_that_is_slow_is_sent_back_by_itself(site: Workspace, house: Any) -> None:
    house.rollout = LENIENT | {"limits": LENIENT["limits"] | {"latency_ratio": 2}, "least_requests": 1_000}
    number = registered(site, house, houses.credit_model(houses.credit_interface(), slow=1_300))
    begin(site, number, kind="split")
    with answering(house) as load:
        assert run(site, seconds=60) == ["went_back"]
    assert (load.failures, set(load.statuses)) == ([], {200})
    assert current(site).number == 1
    judged = next(one.detail for one in site.ledger.entries() if one.action == "rollout.judged")
    found = {one["measure"]: one for one in judged["findings"]}
    assert found["latency"]["state"] == "broken"
    assert found["latency"]["low"] > 2


def test_a_version_that_is_revoked_meanwhile_is_sent_back_by_itself(site: Workspace, house: Any) -> None:
    plan, _ = begin(site)
    with answering(house) as load:
        site.registry.revoke(plan.challenger_package, by="sofia", reason="wrong data")
        assert run(site) == ["went_back"]
    assert (load.failures, set(load.statuses)) == ([], {200})
    assert (current(site).number, current(site).arms) == (1, ())
    judged = next(one.detail for one in site.ledger.entries() if one.action == "rollout.judged")
    assert "not loaded" in judged["reasons"][0]


def registered(site: Workspace, house: Any, model: bytes) -> int:
    """A new version, by the registry of the workspace that holds the ledger now."""
    house.registry = site.registry
    return int(house.register(model).number)


def test_a_shadow_is_compared_and_ends_with_the_champion_and_its_records_can_be_erased(
    site: Workspace, house: Any
) -> None:
    begin(site, kind="shadow")
    with answering(house) as load:
        assert run(site) == ["ended"]
    assert (load.failures, set(load.statuses)) == ([], {200})
    assert (current(site).number, current(site).arms) == (1, ())
    decisions = {record.decision for _, _, record in decision_records(site, houses.PROJECT)}
    found = shadows_of(site, houses.PROJECT, decisions)["live"]
    assert len(found) >= 30
    said = next(iter(shadow_records(site, houses.PROJECT, decisions)))
    assert (said.number, said.decision in decisions, said.shadow[0].label in {"good", "bad"}) == (2, True, True)
    folder = site.home / "serving" / houses.PROJECT / "live" / "ledger"
    assert erase_attachments(folder, [index for index, _ in found[:5]]) == 5
    assert shadows_of(site, houses.PROJECT, decisions)["live"] == found[5:]


def test_green_takes_over_from_blue_and_blue_comes_back_at_once(site: Workspace, house: Any) -> None:
    begin(site, kind="blue-green")
    with answering(house) as load:
        watching, end = RolloutWatch(houses.PROJECT, "live"), time.monotonic() + 30
        while move_by_plan(site, watching.look(site, OPERATOR), by=OPERATOR) is None:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert [(arm.name, arm.share) for arm in current(site).arms] == [("green", 10_000), ("blue", 0)]
        time.sleep(0.5)
        go_back(site, houses.PROJECT, channel="live", by=OPERATOR, reason=REASON)
        time.sleep(0.5)
    assert (load.failures, set(load.statuses)) == ([], {200})
    assert current(site).number == 1


def test_what_the_organisation_reports_back_decides(site: Workspace, house: Any) -> None:
    house.rollout = LENIENT | {"limits": LENIENT["limits"] | {"metric": {"name": "repaid"}}, "minutes": 0.001}
    number = registered(site, house, houses.credit_model(houses.credit_interface(), middle=3.5))
    begin(site, number, kind="split")
    watching = RolloutWatch(houses.PROJECT, "live")
    with answering(house):
        end = time.monotonic() + 30
        while (status := watching.look(site, OPERATOR)).new.answered < 60 or status.old.answered < 60:
            assert time.monotonic() < end
            time.sleep(0.1)
    assert status.verdict.word == "hold"
    assert any("no outcomes of repaid" in one for one in status.verdict.reasons)
    worse = {
        record.decision: float(record.arm == "champion") for _, _, record in decision_records(site, houses.PROJECT)
    }
    assert report_outcomes(site, houses.PROJECT, worse, channel="live", by=OPERATOR) == len(worse)
    status = watching.look(site, OPERATOR)
    assert status.verdict.word == "roll_back"
    assert status.old.outcomes.mean > status.new.outcomes.mean
    for verb in (advance_rollout, promote_rollout):
        with pytest.raises((RolloutHeld, Conflict)):
            verb(site, houses.PROJECT, channel="live", by=OPERATOR, reason=REASON)
    assert move_by_plan(site, status, by=OPERATOR).what == "went_back"  # type: ignore[union-attr]


# ---- without a server: what may be moved, by whom, and to where


def test_who_went_back_by_hand_is_not_overruled_by_a_verdict_of_before(site: Workspace) -> None:
    begin(site)
    status = rollout_status(site, houses.PROJECT, channel="live", by=OPERATOR)
    assert status.verdict.word == "hold"
    go_back(site, houses.PROJECT, channel="live", by=OPERATOR, reason=REASON)
    for word in ("promote", "roll_back"):
        with pytest.raises(Conflict):
            move_by_plan(site, replace(status, verdict=Verdict(word=word, findings=())), by=OPERATOR)  # type: ignore[arg-type]
    assert (current(site).number, current(site).arms) == (1, ())


def test_a_rollout_that_does_not_fit_is_not_begun(site: Workspace) -> None:
    sequence = current(site).sequence
    for problem, error, more in (
        ("already", Conflict, {"number": 1}),
        ("one of", InvalidInput, {"kind": "big-bang"}),
        ("a part", InvalidInput, {"kind": "split", "share": 100.0}),
    ):
        with pytest.raises(error, match=problem):
            begin(site, **more)
    assert current(site).sequence == sequence
    begin(site)
    with pytest.raises(Conflict, match="under way"):
        begin(site, 3)


def test_arms_outside_the_plan_are_not_taken_for_a_stage_of_it(site: Workspace) -> None:
    """Somebody with the registry's keys shares requests otherwise than planned: the automaton refuses to go on from there."""
    plan, facts = begin(site)
    arms = (replace(facts.arms[0], share=5_000), replace(facts.arms[1], share=5_000))
    site.registry.arrange(houses.PROJECT, "live", arms, split=plan.split, by="mallory", reason=REASON)
    with pytest.raises(VerificationFailed, match="does not plan"):
        rollout_status(site, houses.PROJECT, channel="live", by=OPERATOR)
    site.registry.arrange(houses.PROJECT, "live", arms, split="ab" * 16, by="mallory", reason=REASON)
    with pytest.raises(VerificationFailed, match="no plan"):
        rollout_status(site, houses.PROJECT, channel="live", by=OPERATOR)


def test_a_plan_of_somebody_who_left_goes_back_but_not_on(site: Workspace) -> None:
    begin(site)
    status = rollout_status(site, houses.PROJECT, channel="live", by=OPERATOR)
    left = replace(status, plan=replace(status.plan, by="cora", by_machine=False))
    with pytest.raises(Refused, match="not enrolled"):
        move_by_plan(site, replace(left, verdict=Verdict(word="promote", findings=())), by=OPERATOR)
    moved = move_by_plan(site, replace(left, verdict=Verdict(word="roll_back", findings=())), by=OPERATOR)
    assert moved is not None
    assert moved.what == "went_back"


def test_nobody_without_the_role_moves_a_rollout(site: Workspace) -> None:
    reviewer = Principal(
        kind="person", name="rita", proof="key", strong=True, grants=frozenset({RoleGrant("reviewer", "*")})
    )
    with pytest.raises(PermissionDenied):
        begin(site, by=reviewer)
    begin(site)
    for verb in (advance_rollout, promote_rollout, go_back, stop_rollout):
        with pytest.raises(PermissionDenied):
            verb(site, houses.PROJECT, channel="live", by=reviewer, reason=REASON)
    with pytest.raises(PermissionDenied):
        report_outcomes(site, houses.PROJECT, {"dec_1": 1.0}, channel="live", by=reviewer)


def test_the_limits_are_those_that_the_charter_froze(site: Workspace) -> None:
    plan, _ = begin(site)
    assert plan.spec.model_dump(mode="json")["limits"]["errors"] == 0.8
    assert [one / 100 for one in plan.shares] == LENIENT["steps"]


_AUTOMATON = """
import sys, time
from dataclasses import replace
from pathlib import Path
from sealwright.kernel import Conflict
from sealwright.pipeline import NoRollout, RolloutWatch, Verdict, move_by_plan, open_workspace
from sealwright.trust import KeyFile, Principal
by = Principal(kind="person", name="root", proof="machine_account")
home = Path(sys.argv[1])
with open_workspace(home, KeyFile(home / "key")) as site:
    watching = RolloutWatch(sys.argv[2], "live")
    while True:
        status = watching.look(site, by)
        print("moving", status.stage, flush=True)
        move_by_plan(site, replace(status, verdict=Verdict(word="promote", findings=())), by=by)
"""


def test_killed_at_any_moment_it_goes_on_from_the_signed_pointer(house: Any, site: Workspace) -> None:
    """Three times kill -9 in the middle of a step; then it is let go on, and ends where the plan ends."""
    house.keyring.close()  # the automaton opens its own
    delays, stages = iter((0.0, 0.03, 0.12)), []
    site = _reopened(house.home)
    begin(site)
    site.close()
    while True:
        command = [sys.executable, "-c", _AUTOMATON, str(house.home), houses.PROJECT]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
            assert child.stdout is not None
            line = child.stdout.readline()
            if not line:
                break  # no rollout is under way any more
            stages.append(int(line.split()[1]))
            delay = next(delays, None)
            if delay is None:
                child.communicate(timeout=30)
                break
            time.sleep(delay)
            child.send_signal(signal.SIGKILL)
    site = _reopened(house.home)
    with site:
        site.registry.check()
        assert stages == sorted(stages), "it never went back on its own"
        assert (current(site).number, current(site).arms) == (2, ())
        shares = [[arm.share for arm in one.arms] for one in site.registry_to_read.history(houses.PROJECT, "live")]
        assert [one for one in shares if one] == [[8_000, 2_000], [0, 10_000]]


def _reopened(home: Path) -> Workspace:
    return open_workspace(home, KeyFile(home / "key"))
