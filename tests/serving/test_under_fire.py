"""Kills, full disks, broken disks, slow disks: no answered decision is missing from the log, nothing is answered unrecorded."""

import contextlib
import http.client
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # what the nursery and these tests share
from fire import Callers, Nursery, every_answer_is_recorded_and_proved, nursery_of, soak
from fire_kills import kill_again_and_again

from sealwright import trust
from sealwright.serving import (
    Limits,
    ServingSpec,
    decision_ledger_folder,
    decision_origin,
)

_QUICK = Limits(watch_seconds=0.1, answer_seconds=5.0)
_REFUSALS = {
    (503, "urn:sealwright:problem:decision.not_recorded", "10"),
    (503, "urn:sealwright:problem:serving.overloaded", "1"),
}


@pytest.fixture
def burning(new_house: Any) -> Any:
    return new_house()


@pytest.fixture
def nursery(burning: Any, tmp_path: Path) -> Iterator[Nursery]:
    with nursery_of(burning, tmp_path) as made:
        yield made


@pytest.fixture
def callers_of(burning: Any, row: dict[str, Any]) -> Iterator[Callable[[int, int], Callers]]:
    """Callers of a port, who end with the test."""
    with contextlib.ExitStack() as stack:

        def make(port: int, count: int) -> Callers:
            made = Callers(burning, port, row, count)
            stack.callback(made.end)
            return made

        yield make


@pytest.mark.parametrize("kills", [pytest.param(200, marks=pytest.mark.slow), 8])
def test_kill_9_at_random_moments_loses_no_answered_decision(
    burning: Any, nursery: Nursery, callers_of: Any, kills: int
) -> None:
    """`benchmarks/serving_kills.py` tells the counts."""
    answered = kill_again_and_again(nursery, callers_of, kills, random.Random(20261127), limits=_QUICK)
    assert len(answered) > 10 * kills
    every_answer_is_recorded_and_proved(burning, answered)


@pytest.mark.parametrize(
    ("disk", "durability"),
    [
        pytest.param(b"F", "strict", id="full"),
        pytest.param(b"R", "strict", id="read-only"),
        pytest.param(b"E", "strict", id="failing"),
        pytest.param(b"Y", "strict", id="failing to sync"),
        pytest.param(b"J", "strict", id="failing the journal and what undoes it"),
        pytest.param(b"F", "fast", id="full, fast"),
        pytest.param(b"Y", "fast", id="failing to sync, fast"),
    ],
)
def test_a_disk_that_fails_answers_nothing_unrecorded_and_the_server_comes_back_with_it(
    burning: Any, nursery: Nursery, callers_of: Any, wait_until: Any, disk: bytes, durability: str
) -> None:
    process = nursery.start(limits=_QUICK, spec=ServingSpec.model_validate({"durability": durability}))
    port = process.port()
    callers = callers_of(port, 3)
    wait_until(lambda: len(callers.answered) > 20)
    nursery.disk(disk)
    wait_until(lambda: len(callers.refused) > 20)
    assert _status(port, "/v2/health/ready") == 503
    assert _status(port, "/v2/health/live") == 200
    nursery.disk(b"-")
    before = len(callers.answered)
    wait_until(lambda: len(callers.answered) > before + 20)
    wait_until(lambda: _status(port, "/v2/health/ready") == 200)
    process.kill()  # what was answered since is as safe as before
    callers.end()
    assert set(callers.refused) <= _REFUSALS
    every_answer_is_recorded_and_proved(burning, callers.answered)


def test_a_slow_disk_delays_answers_turns_the_rest_away_and_drops_none(
    burning: Any, nursery: Nursery, callers_of: Any, wait_until: Any
) -> None:
    process = nursery.start(limits=Limits(watch_seconds=0.1, waiting=4))
    nursery.disk(b"S")
    callers = callers_of(process.port(), 12)
    wait_until(lambda: len(callers.answered) > 40 and callers.refused)
    nursery.disk(b"-")
    process.kill()
    callers.end()
    assert set(callers.refused) <= _REFUSALS
    every_answer_is_recorded_and_proved(burning, callers.answered)


def test_a_disk_that_hangs_ends_every_request_in_its_time_and_no_record_passes_for_an_answer(
    burning: Any, nursery: Nursery, callers_of: Any, row: dict[str, Any], wait_until: Any
) -> None:
    """Whoever waits behind it is told 503 in time. What was recorded all the same is listed as told to nobody."""
    process = nursery.start(limits=Limits(watch_seconds=0.1, answer_seconds=0.5, wait_seconds=0.2))
    port = process.port()
    callers = callers_of(port, 3)
    wait_until(lambda: len(callers.answered) > 20)
    nursery.disk(b"H")
    waited: list[tuple[float, int, str]] = []
    until = time.monotonic() + 4
    while time.monotonic() < until:
        begun = time.monotonic()
        status, kind = _asked(burning, port, row)
        waited.append((time.monotonic() - begun, status, kind))
        time.sleep(0.02)
    nursery.disk(b"-")
    before = len(callers.answered)
    wait_until(lambda: len(callers.answered) > before + 20)
    callers.end()
    process.stop()
    turned_away = {kind for _, status, kind in waited if status == 503}
    assert turned_away == {f"urn:sealwright:problem:serving.{name}" for name in ("overloaded", "too_late")}
    slowest = sorted(seconds for seconds, *_ in waited)
    assert slowest[-2] < 0.5 + 0.5 + 0.4, slowest  # the first one of all may meet the loop waiting for the disk itself
    every_answer_is_recorded_and_proved(burning, callers.answered)
    recorded, late = _recorded_and_late(burning)
    assert late
    assert late <= recorded
    assert not late & {reply["answer"]["decision"] for _, reply in callers.answered}


def _asked(house: Any, port: int, row: dict[str, Any]) -> tuple[int, str]:
    """The status of one request, and which problem it was."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(link):
        headers = {"Authorization": f"Bearer {house.token()}", "Content-Type": "application/json"}
        link.request("POST", f"/v1/models/{house.project}/predict", json.dumps({"row": row}).encode(), headers)
        reply = link.getresponse()
        told = json.loads(reply.read())
        return reply.status, told.get("type", "")


def _recorded_and_late(house: Any) -> tuple[set[str], set[str]]:
    """The decisions in the ledger, and those of them that it says nobody was told."""
    folder = decision_ledger_folder(house.home, house.project, "live")
    origin = decision_origin("ws_1", house.project, "live")
    with trust.Ledger.open(folder, origin=origin, signer=house.keyring.signer("decision-checkpoints")) as opened:
        entries = list(opened.entries())
    recorded = {str(entry.detail["decision"]) for entry in entries if entry.action == trust.DECISION}
    late = {name for entry in entries if entry.action == "serving.answers_late" for name in entry.detail["decisions"]}
    return recorded, late


def test_a_day_of_traffic_in_seconds_does_not_grow_the_memory(
    burning: Any, nursery: Nursery, row: dict[str, Any]
) -> None:
    """`benchmarks/serving_soak.py` does it for minutes, in every protocol, while hours are sealed and certificates renewed."""
    seen = soak(nursery, burning, row, 8_000, speed=40_000)
    assert seen.hours > 24
    assert seen.end_kb - seen.warm_kb < 5 * 1024


def _status(port: int, path: str) -> int:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    link.request("GET", path)
    status = link.getresponse().status
    link.close()
    return status
