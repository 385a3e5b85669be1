"""A rollout under load: from one part in a hundred to all, back in the middle, a shadow, a bad challenger; no request fails by it."""

import contextlib
import http.client
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest

from sealwright import trust
from sealwright.serving import (
    COUNTS,
    DECISION_KEY_PURPOSE,
    SHADOW,
    ArmCount,
    DecisionRecord,
    ShadowRecord,
    decision_ledger_folder,
    decision_origin,
    read_decision,
    read_shadow,
)
from sealwright.trust import PointerArm

SPLIT = "0123456789abcdef" * 2
PERSONS = 50


class Load:
    """Callers that ask again and again about fifty persons, each on one connection."""

    def __init__(self, client: Any, row: dict[str, Any]) -> None:
        self.client, self.row = client, row
        self.statuses: Counter[int] = Counter()
        self.packages: list[tuple[str, str]] = []  # person and who answered, in order
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(at * 23,)) for at in range(2)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int = 60) -> None:
        wanted, end = self.statuses.total() + count, time.monotonic() + 30
        while self.statuses.total() < wanted and not self.failures:
            assert time.monotonic() < end, "the server answers no more"
            time.sleep(0.005)

    def _ask(self, at: int) -> None:
        link = http.client.HTTPSConnection("localhost", self.client.port, context=self.client.tls, timeout=20)
        path = f"/v1/models/{self.client.house.project}/predict"
        with contextlib.closing(link):
            while not self._stop.is_set():
                person = f"person-{at % PERSONS}"
                headers = self.client.usual(**{"Sealwright-Person": person})
                body = json.dumps({"row": self.row | {"age": 18 + at % 80}}).encode()
                try:
                    link.request("POST", path, body, headers)
                    reply = link.getresponse()
                    data = reply.read()
                except (OSError, http.client.HTTPException) as error:
                    self.failures.append(type(error).__name__)
                    return
                self.statuses[reply.status] += 1
                if reply.status == 200:
                    self.packages.append((person, json.loads(data)["answer"]["model"]["package"]))
                at += 1


class Rollout:
    """One place, moved by signed pointers while it answers."""

    def __init__(self, house: Any, wait_until: Callable[..., None]) -> None:
        self.house, self._wait_until = house, wait_until
        self._state = decision_ledger_folder(house.home, house.project, "live").parent / "state.json"

    def package(self, number: int) -> str:
        return str(self.house.version(number).package)

    def arrange(self, *arms: tuple[int, int, str]) -> None:
        made = [
            PointerArm(name=role + str(number), package=self.package(number), number=number, share=share, role=role)  # type: ignore[arg-type]
            for number, share, role in arms
        ]
        facts = self.house.registry.arrange(self.house.project, "live", made, split=SPLIT, by="ada", reason="next step")
        self.taken(facts.sequence)

    def back(self, number: int) -> None:
        facts = self.house.registry.rollback(self.house.project, "live", number, "ada", "instantly back")
        self.taken(facts.sequence)

    def taken(self, sequence: int) -> None:
        self._wait_until(lambda: json.loads(self._state.read_bytes())["sequence"] >= sequence)
        time.sleep(0.3)  # written before it is acted on; loading a model takes a moment

    def entries(self) -> Iterator[trust.LedgerEntry]:
        self.house.settle()
        keys = self.house.keyring.trust_root.keys_of("decision-checkpoints")
        origin = decision_origin("ws_1", self.house.project, "live")
        folder = decision_ledger_folder(self.house.home, self.house.project, "live")
        with trust.Ledger.open(folder, origin=origin, signer=None, keys=keys) as read:
            yield from list(read.entries())

    @property
    def key(self) -> bytes:
        return bytes(self.house.keyring.key("decisions", DECISION_KEY_PURPOSE))

    def records(self) -> list[DecisionRecord]:
        return [read_decision(one, self.key) for one in self.entries() if one.action == trust.DECISION]

    def shadows(self) -> list[ShadowRecord]:
        return [read_shadow(one, self.key) for one in self.entries() if one.action == SHADOW]

    def counts(self) -> dict[str, ArmCount]:
        found: dict[str, ArmCount] = {}
        for one in self.entries():
            if one.action == COUNTS:
                found.setdefault(str(one.detail["arm"]), ArmCount()).add(ArmCount.from_json(one.detail))
        return found


@pytest.fixture
def running(new_house: Callable[..., Any], start: Any, client_of: Any, wait_until: Any) -> tuple[Rollout, Any, Any]:
    house = new_house()
    server = start(house)
    return Rollout(house, wait_until), client_of(house, server), server


def test_no_request_fails_from_canary_to_all_and_back_and_each_record_says_who_answered(
    running: Any, row: dict[str, Any]
) -> None:
    rollout, client, server = running
    with Load(client, row) as load:
        load.more()
        for share in (100, 1_000, 5_000, 10_000):
            rollout.arrange((1, 10_000 - share, "champion"), (2, share, "challenger"))
            load.more()
        rollout.back(1)  # in the middle of it
        load.more()
        rollout.arrange((1, 10_000, "champion"), (3, 0, "challenger"))  # green waits, then takes over
        rollout.arrange((3, 10_000, "champion"), (1, 0, "challenger"))
        load.more()
        rollout.back(1)
        load.more()
    server.stop()
    assert load.failures == []
    assert set(load.statuses) == {200}
    records = rollout.records()
    assert len(records) == load.statuses[200]
    assert Counter(one.package for one in records) == Counter(package for _, package in load.packages)
    arms = {(one.arm, one.number) for one in records}
    assert arms == {("champion", 1), ("champion1", 1), ("challenger2", 2), ("champion3", 3)}
    while_split = [one for one in records if one.sequence in {2, 3, 4, 5}]
    counts = rollout.counts()
    assert counts["challenger2"].answered == sum(one.arm == "challenger2" for one in while_split)
    assert sum(one.failed + one.refused for one in counts.values()) == 0
    moves = Counter(
        one.person for one, after in _pairs(while_split) if one.arm == "challenger2" and after.arm != "challenger2"
    )
    assert not moves, "who has the challenger keeps it while its part grows"


def test_a_shadow_is_compared_row_by_row_and_nobody_is_answered_by_it(running: Any, row: dict[str, Any]) -> None:
    rollout, client, server = running
    rollout.arrange((1, 10_000, "champion"), (2, 0, "shadow"))
    with Load(client, row) as load:
        load.more(150)
    server.stop()
    assert load.failures == []
    assert set(load.packages) == {(person, rollout.package(1)) for person, _ in load.packages}
    shadows, count = rollout.shadows(), rollout.counts()["shadow2"]
    assert len(shadows) == count.answered > 0
    assert count.answered + count.left_out == load.statuses[200], "copied or said to be left out"
    told = {one.decision: one for one in rollout.records()}
    for one in shadows:
        assert (one.package, one.answered_by) == (rollout.package(2), told[one.decision].package)
        ((label, scores), (other, others)) = ((line.label, line.scores) for line in (one.told[0], one.shadow[0]))
        assert one.agreed == (label == other)
        assert others[0] > scores[0]  # the shadow's middle lies higher, so everybody is better to it
    assert {entry.detail["outcome"] for entry in rollout.entries() if entry.action == SHADOW} == {"compared"}


def test_a_shadow_that_fails_touches_no_answer(running: Any, row: dict[str, Any]) -> None:
    rollout, client, server = running
    wild = rollout.house.register(_model(wild=True))
    rollout.arrange((1, 10_000, "champion"), (wild.number, 0, "shadow"))
    with Load(client, row | {"c2": "a14"}) as load:
        load.more(40)
    server.stop()
    assert (load.failures, set(load.statuses)) == ([], {200})
    count = rollout.counts()[f"shadow{wild.number}"]
    assert (count.answered, count.failed > 0) == (0, True)
    assert {one.failed for one in rollout.shadows()} == {"failed"}


def test_a_challenger_that_fails_is_told_as_a_failure_and_counted_and_the_champion_goes_on(
    running: Any, row: dict[str, Any]
) -> None:
    rollout, client, server = running
    wild = rollout.house.register(_model(wild=True))
    rollout.arrange((1, 5_000, "champion"), (wild.number, 5_000, "challenger"))
    with Load(client, row | {"c2": "a14"}) as load:
        load.more(100)
        rollout.back(1)
        load.more(10)  # what was begun on it ends on it
        failed = load.statuses[500]
        load.more(60)
    server.stop()
    assert load.failures == []
    assert load.statuses[500] == failed > 0, "after the way back nobody meets it any more"
    counts = rollout.counts()
    assert counts[f"challenger{wild.number}"].failed == failed
    assert counts["champion1"].failed == 0
    assert {one.number for one in rollout.records()} == {1}


def _model(**kind: Any) -> bytes:
    house = sys.modules["serving_house"]
    return bytes(house.credit_model(house.credit_interface(), **kind))


def _pairs(records: list[DecisionRecord]) -> Iterator[tuple[DecisionRecord, DecisionRecord]]:
    """Each record with the next one about the same person."""
    last: dict[str, DecisionRecord] = {}
    for one in records:
        if one.person in last:
            yield last[one.person], one
        last[one.person] = one
