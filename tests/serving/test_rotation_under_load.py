"""Every signing key is replaced under a server that answers: no request fails, and what the new keys sign is believed."""

import contextlib
import http.client
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from sealwright import registry, trust
from sealwright.kernel import InvalidInput, VerificationFailed
from sealwright.serving import (
    DECISION_KEY_PURPOSE,
    Limits,
    access_file,
    decision_ledger_folder,
    decision_origin,
    read_decision,
)

SIGNING = (
    "decision-checkpoints",
    "tokens",
    "releases",
    "releases-pq",
    "statements",
    "authority",
    "authority-pq",
    "tls",
)


class Nowhere:
    def record(self, event: trust.Event) -> None: ...


class Load:
    """Callers that ask again and again, each on one connection, with a token of before and with the newest one."""

    def __init__(self, client: Any, row: dict[str, Any]) -> None:
        self.client, self.row = client, row
        self.tokens = [client.token]
        self.answers: list[int] = []
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(at,)) for at in range(2)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int = 30) -> None:
        """Wait until that many more were answered."""
        wanted, end = len(self.answers) + count, time.monotonic() + 30
        while len(self.answers) < wanted and not self.failures:
            assert time.monotonic() < end, "the server answers no more"
            time.sleep(0.01)

    def _ask(self, at: int) -> None:
        link = http.client.HTTPSConnection("localhost", self.client.port, context=self.client.tls, timeout=20)
        with contextlib.closing(link):
            while not self._stop.is_set():
                token = self.tokens[0] if at % 2 else self.tokens[-1]
                headers = self.client.usual(Authorization=f"Bearer {token}")
                body = json.dumps({"row": self.row | {"age": 18 + at % 80}}).encode()
                try:
                    link.request("POST", f"/v1/models/{self.client.house.project}/predict", body, headers)
                    reply = link.getresponse()
                    data = reply.read()
                except (OSError, http.client.HTTPException) as error:
                    self.failures.append(type(error).__name__)
                    return
                if reply.status != 200:
                    self.failures.append(f"{reply.status} {data[:200]!r}")
                self.answers.append(reply.status)
                at += 1


def rotate(house: Any, branch: str) -> trust.TrustRoot:
    unlock = trust.KeyFile(house.home / "key")
    return trust.rotate_signing(house.keyring, house.home / "keys", unlock, branch, audit=Nowhere(), by="ada")


def publish(house: Any) -> None:
    machines = trust.Machines(
        house.db, trust.LedgerAudit(house.ledger, house.keyring), signer=house.keyring.signer("tokens"),
        workspace="ws_1", access_file=access_file(house.home), clock=house.clock,
    )  # fmt: skip
    machines.publish()


@pytest.fixture
def running(new_house: Callable[..., Any], start: Any, client_of: Any) -> Any:
    house = new_house()
    publish(house)
    return house, client_of(house, start(house, limits=Limits()))


def test_no_request_fails_while_every_signing_key_is_replaced_twice(
    running: Any, row: dict[str, Any], wait_until: Any
) -> None:
    house, client = running
    with Load(client, row) as load:
        load.more()
        for branch in SIGNING * 2:
            rotate(house, branch)
            load.tokens.append(house.token())  # used at once, by the newest key of "tokens"
            publish(house)
            load.more()
        reg = registry.Registry(house.db, house.home, house.keyring, house.ledger, house.clock)
        sequence = reg.promote(house.project, 1, "live", "ada", "signed by the newest keys").sequence
        state = decision_ledger_folder(house.home, house.project, "live").parent / "state.json"
        wait_until(lambda: json.loads(state.read_bytes())["sequence"] == sequence)
        load.more()
    assert load.failures == []
    assert len(load.answers) > 30 * len(SIGNING) * 2
    house.settle()
    root = house.keyring.trust_root
    assert {branch: len(root.keys[branch]) for branch in SIGNING} == dict.fromkeys(SIGNING, 3)
    with trust.Ledger.open(
        decision_ledger_folder(house.home, house.project, "live"), origin=decision_origin("ws_1", house.project, "live"),
        signer=None, keys=root.keys_of("decision-checkpoints")[-1:],
    ) as read:  # fmt: skip
        assert read.size >= len(load.answers)  # the newest head is by the newest key


def test_a_compromised_tokens_key_lets_nobody_in_within_a_second_or_two_t85(running: Any, row: dict[str, Any]) -> None:
    house, client = running
    assert client.predict(row).status == 200
    old = house.keyring.trust_root.keys["tokens"][0].key_id
    root = rotate(house, "tokens")
    publish(house)
    now = house.clock()
    one = trust.RevokedKey(key_id=old, branch="tokens", reason="compromised", since=0, at=now, by="ada")
    listed = trust.revoke(trust.KeyListFile(house.home).read(root, now=now), one, root, now=now)
    trust.KeyListFile(house.home).put(trust.make_key_revocations(listed, house.keyring.signer("authority")), root)
    began = time.monotonic()
    while client.predict(row).status == 200:
        assert time.monotonic() - began < 3.0
        time.sleep(0.02)
    assert client.predict(row).status == 401
    assert client.predict(row, Authorization=f"Bearer {house.token()}").status == 200


def rotate_decisions(house: Any, *, dies: bool = False) -> trust.Reached:
    """As `sealwright keys rotate decisions` does it: by a keyring of its own; it may die before anything is written."""
    unlock, reached = trust.KeyFile(house.home / "key"), trust.Reached()

    def first(handed: trust.Handed) -> None:
        nonlocal reached
        ring.hold("decisions", handed)
        reached = trust.hand_over(house.home, "ws_1", "decisions", handed.version, ring)
        if dies:
            raise KeyboardInterrupt

    with trust.open_keyring(house.home / "keys", unlock) as ring, contextlib.suppress(KeyboardInterrupt):
        trust.rotate_branch(house.home / "keys", unlock, "decisions", first=first)
    return reached


def sealed_with(house: Any) -> list[int]:
    """The version that each decision record is sealed with, in their order; each is read with that version alone."""
    unlock = trust.KeyFile(house.home / "key")
    house.settle()
    with trust.open_keyring(house.home / "keys", unlock) as ring, trust.Ledger.open(
        decision_ledger_folder(house.home, house.project, "live"), origin=decision_origin("ws_1", house.project, "live"),
        signer=None, keys=ring.trust_root.keys_of("decision-checkpoints"),
    ) as read:  # fmt: skip
        keys = {one: ring.key("decisions", DECISION_KEY_PURPOSE, version=one) for one in ring.versions("decisions")}
        entries = [entry for entry in read.entries() if entry.action == trust.DECISION]
        found = [[version for version, key in keys.items() if _opens(entry, key)] for entry in entries]
    assert {len(one) for one in found} == {1}
    return [version for (version,) in found]


def test_no_request_fails_while_the_key_of_decision_records_is_replaced_and_every_record_is_read(
    running: Any, row: dict[str, Any]
) -> None:
    house, client = running
    name = f"predict.{house.project}+live"
    with Load(client, row) as load:
        load.more()
        for pause in (1.5, 0.0, 1.5):  # the server looks once a second
            assert rotate_decisions(house) == trust.Reached(taken=(name,))
            time.sleep(pause)
            load.more()
    assert load.failures == []
    versions = sealed_with(house)
    assert len(versions) == len(load.answers)
    assert versions == sorted(versions), "once with the new key, always with the new key"
    assert {1, 2, 4} <= set(versions)


def test_several_workers_and_their_keeper_follow_every_key(
    new_house: Callable[..., Any], start: Any, client_of: Any, row: dict[str, Any]
) -> None:
    """A worker that is started after the rotations has the newest, too."""
    house = new_house()
    publish(house)
    server = start(house, limits=Limits(), workers=2)
    with Load(client_of(house, server), row) as load:
        load.more()
        for branch in ("decision-checkpoints", "tokens"):
            rotate(house, branch)
            load.tokens.append(house.token())
            publish(house)
            load.more()
        name = f"{house.project}+live"
        reached = {f"keeper.{name}", f"predict.{name}.1", f"predict.{name}.2"}
        assert set(rotate_decisions(house).taken) == reached
        time.sleep(1.5)  # they look once a second
        load.more()
    assert load.failures == []
    workers = [
        int(one) for path in Path(f"/proc/{server.pid}/task").glob("*/children") for one in path.read_text().split()
    ]
    for one in workers:
        os.kill(one, signal.SIGKILL)
    client, until = client_of(house, server), time.monotonic() + 20.0
    while time.monotonic() < until:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if client.predict(row).status == 200:
                break
        time.sleep(0.1)
    versions = sealed_with(house)
    assert versions[0] == 1
    assert versions[-20:] == [2] * 20
    newest = house.keyring.trust_root.keys_of("decision-checkpoints")[-1:]
    folder, origin = (
        decision_ledger_folder(house.home, house.project, "live"),
        decision_origin("ws_1", house.project, "live"),
    )
    with trust.Ledger.open(folder, origin=origin, signer=None, keys=newest) as read:
        assert read.size > len(versions)  # the newest head is by the newest key


def test_the_key_of_a_rotation_that_died_seals_nothing(running: Any, row: dict[str, Any]) -> None:
    """Handed over and never written: what it sealed nobody could read."""
    house, client = running
    assert rotate_decisions(house, dies=True).taken
    time.sleep(1.5)
    assert client.predict(row).status == 200
    unlock = trust.KeyFile(house.home / "key")
    trust.rotate_branch(house.home / "keys", unlock, "decisions")  # another key of the same number, handed to nobody
    time.sleep(1.5)
    assert client.predict(row).status == 200
    assert sealed_with(house) == [1, 1]
    assert rotate_decisions(house).taken  # versions 2 and 3
    time.sleep(2.5)
    assert client.predict(row).status == 200
    assert sealed_with(house) == [1, 1, 3]


def test_a_key_from_somebody_who_does_not_hold_the_one_before_is_not_taken(
    running: Any, row: dict[str, Any], tmp_path: Any
) -> None:
    """Another workspace's owner of the same name, by the same user: its key would seal records that we cannot read."""
    house, client = running
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    unlock = trust.create_key_file(other / "key")
    trust.create_keyring(other / "keys", "ws_1", unlock).close()
    reached = trust.Reached()

    def first(handed: trust.Handed) -> None:
        nonlocal reached
        ring.hold("decisions", handed)
        reached = trust.hand_over(house.home, "ws_1", "decisions", handed.version, ring)

    with trust.open_keyring(other / "keys", unlock) as ring:
        trust.rotate_branch(other / "keys", unlock, "decisions", first=first)
    assert reached == trust.Reached(missed=(f"predict.{house.project}+live",))
    (house.home / "keys" / "decisions.v2.json").write_bytes((other / "keys" / "decisions.v2.json").read_bytes())
    time.sleep(1.5)
    assert client.predict(row).status == 200
    (house.home / "keys" / "decisions.v2.json").unlink()
    assert sealed_with(house) == [1]


def test_a_server_says_when_there_is_a_newer_key_that_it_was_not_given(
    new_house: Any, start: Any, client_of: Any, row: dict[str, Any], tmp_path: Any, wait_until: Any
) -> None:
    house = new_house()
    publish(house)
    log = tmp_path / "log"
    with log.open("wb") as stream, start(house, stderr=stream) as running:
        trust.rotate_branch(house.home / "keys", trust.KeyFile(house.home / "key"), "decisions")
        wait_until(lambda: '"decision_key_older"' in log.read_text())
        assert client_of(house, running).predict(row).status == 200
        rotate_decisions(house)
        wait_until(lambda: '"decision_key_taken", "version": 3' in log.read_text())
    assert log.read_text().count("decision_key_older") == 1
    assert not list((house.home / "run" / "keys").iterdir())


def test_records_of_before_a_rotation_of_their_key_are_read_beside_those_of_after(
    new_house: Any, start: Any, client_of: Any, row: dict[str, Any]
) -> None:
    house = new_house()
    publish(house)
    unlock = trust.KeyFile(house.home / "key")
    with start(house) as running:
        assert client_of(house, running).predict(row).status == 200
        assert trust.rotate_branch(house.home / "keys", unlock, "decisions") == 2
        assert client_of(house, running).predict(row).status == 200, (
            "who was not handed the new key goes on with the old"
        )
    house.keyring.close()
    house.keyring = trust.open_keyring(house.home / "keys", unlock)
    with start(house) as running:
        assert client_of(house, running).predict(row).status == 200
    ring = house.keyring
    keys = [ring.key("decisions", DECISION_KEY_PURPOSE, version=one) for one in ring.versions("decisions")]
    with trust.Ledger.open(
        decision_ledger_folder(house.home, house.project, "live"), origin=decision_origin("ws_1", house.project, "live"),
        signer=None, keys=ring.trust_root.keys_of("decision-checkpoints"),
    ) as read:  # fmt: skip
        entries = [entry for entry in read.entries() if entry.action == trust.DECISION]
        assert len([read_decision(entry, *reversed(keys)) for entry in entries]) == 3
        opened = [[key for key in keys if _opens(entry, key)] for entry in entries]
    assert opened == [[keys[0]], [keys[0]], [keys[1]]]
    with pytest.raises(InvalidInput, match="not rotated this way"):
        trust.retire_branch(house.home / "keys", "decisions", 1)


def _opens(entry: Any, key: bytes) -> bool:
    try:
        read_decision(entry, key)
    except VerificationFailed:
        return False
    return True
