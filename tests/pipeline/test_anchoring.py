"""New checkpoints reach the anchors, failures are tried again, and a history that was changed is found out."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from acting import operator, person
from sealwright.doors.witness_app import WitnessServer
from sealwright.kernel import Conflict, FixedClock, InvalidInput, NotFound, VerificationFailed
from sealwright.pipeline import (
    Anchoring,
    BucketAt,
    Sought,
    StamperAt,
    Taken,
    WitnessAt,
    Workspace,
    add_anchor,
    check_ledger,
    create_workspace,
    enrol,
    find_entries,
    ledger_origin,
    prove_entry,
    read_anchors,
    reading_ledger,
    remove_anchor,
)
from sealwright.trust import (
    AnchorStore,
    InsecurePassphraseForTests,
    Ledger,
    PermissionDenied,
    Secret,
    Witness,
    WitnessPolicy,
    verify_proof,
)
from sealwright.trust.signing.vault import open_vault

UNLOCK = InsecurePassphraseForTests(Secret("a passphrase for tests"))
START = datetime(2026, 11, 26, 9, tzinfo=UTC)


@dataclass
class House:
    """A workspace, two witnesses behind sockets, and one clock for all of them."""

    workspace: Workspace
    clock: FixedClock
    witnesses: list[Witness]
    servers: list[WitnessServer]
    monotonic: list[float] = field(default_factory=lambda: [0.0])
    told: list[Taken] = field(default_factory=list)

    def at(self, place: int) -> WitnessAt:
        return WitnessAt(f"http://127.0.0.1:{self.servers[place].server_address[1]}", self.witnesses[place].key.vkey())

    def anchoring(self) -> Anchoring:
        return Anchoring(
            self.workspace.home, clock=self.clock, monotonic=lambda: self.monotonic[0], told=self.told.append
        )

    def grow(self, count: int = 1) -> None:
        for _ in range(count):
            self.workspace.ledger.append("a.b", "s", {})

    @property
    def folder(self) -> Path:
        return self.workspace.home / "ledger"

    def policy(self, need: int) -> WitnessPolicy:
        return WitnessPolicy(tuple(one.key for one in self.witnesses), need)

    def check(self, **more: object) -> object:
        return check_ledger(self.folder, self.workspace.trust_root, now=self.clock(), **more)  # type: ignore[arg-type]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = FixedClock(START)
    with create_workspace(tmp_path / "ws", name="Test", unlock=UNLOCK, clock=clock) as workspace:
        made = House(workspace, clock, [], [])
        for name in ("w1", "w2"):
            witness = Witness(tmp_path / name, name=name, clock=clock)
            witness.state.add(workspace.trust_root.to_bytes())
            server = WitnessServer(witness, "127.0.0.1", 0)
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            made.witnesses.append(witness)
            made.servers.append(server)
        yield made
        for server, witness in zip(made.servers, made.witnesses, strict=True):
            server.shutdown()
            server.server_close()
            witness.close()


def test_two_witnesses_cosign_one_checkpoint_and_it_holds_offline(house: House) -> None:
    for place in (0, 1):
        add_anchor(house.workspace, house.at(place), by=operator("ada"))
    house.grow(5)
    done = house.anchoring().round(now=True)
    size = house.workspace.ledger.size
    assert [(one.kind, one.outcome, one.behind) for one in done] == [("witness", "done", 0)] * 2
    found = house.check(policy=house.policy(2), most_age=timedelta(hours=1))
    assert (found.cosigned, found.cosigned_at) == (size, START)  # type: ignore[attr-defined]
    with reading_ledger(house.workspace, operator("ada")) as ledger:
        leaf, proof = prove_entry(ledger, house.folder, 2, cosigned=True)
    keys = house.workspace.trust_root.keys_of("checkpoints")
    assert verify_proof(leaf, proof, keys, None, witnesses=house.policy(2)) == 2
    house.grow()
    with reading_ledger(house.workspace, operator("ada")) as ledger:
        _, bare = prove_entry(ledger, house.folder, 2)
        with pytest.raises(InvalidInput, match="No witness has cosigned"):
            prove_entry(ledger, house.folder, size, cosigned=True)
    with pytest.raises(VerificationFailed, match="0 of the witnesses"):
        verify_proof(leaf, bare, keys, None, witnesses=house.policy(1))


def test_on_time_on_count_and_when_idle(house: House) -> None:
    add_anchor(house.workspace, house.at(0), by=operator("ada"))
    anchoring = house.anchoring()

    def outcomes() -> list[str]:
        return [one.outcome for one in anchoring.round()]

    assert outcomes() == ["done"]
    assert outcomes() == ["fresh"]
    house.grow()
    assert outcomes() == ["later"]  # one entry, and no minute has passed
    house.clock.advance(timedelta(seconds=61))
    assert outcomes() == ["done"]
    house.grow(1000)
    assert outcomes() == ["done"]  # on count
    house.clock.advance(timedelta(minutes=59))
    assert outcomes() == ["fresh"]
    house.clock.advance(timedelta(minutes=2))
    assert outcomes() == ["done"]  # idle for an hour: the same tree, a new date
    assert house.check(policy=house.policy(1)).cosigned_at == house.clock()  # type: ignore[attr-defined]
    house.clock.advance(timedelta(hours=3))
    with pytest.raises(VerificationFailed, match="may be an old state"):
        house.check(policy=house.policy(1), most_age=timedelta(hours=2))


def test_a_witness_that_is_away_keeps_nobody_waiting_and_is_tried_again(house: House) -> None:
    add_anchor(house.workspace, WitnessAt("http://127.0.0.1:1", house.witnesses[1].key.vkey()), by=operator("ada"))
    add_anchor(house.workspace, house.at(0), by=operator("ada"))
    anchoring = house.anchoring()
    assert [one.outcome for one in anchoring.round()] == ["failed", "done"]
    assert [one.outcome for one in anchoring.round()] == ["later", "fresh"]
    pauses = []
    for _ in range(12):
        before = house.monotonic[0]
        while anchoring.round()[0].outcome == "later":
            house.monotonic[0] += 1
        pauses.append(house.monotonic[0] - before)
    assert pauses[0] == 5
    assert pauses[-1] == 600
    assert pauses == sorted(pauses)
    (behind,) = [one for one in anchoring.look() if one.anchor == "w2"]
    assert (behind.anchored, behind.at) == (0, None)
    assert behind.behind == house.workspace.ledger.size


def rolled_back(house: House) -> Callable[[], None]:
    """Remember the ledger as it is; the return value puts it back."""
    files = {path: path.read_bytes() for path in house.folder.iterdir() if path.is_file() and path.name != "lock"}

    def back() -> None:
        house.workspace.ledger.close()
        house.workspace._ledger = None
        for path, data in files.items():
            path.write_bytes(data)
        for path in (house.folder / "cache").iterdir():
            path.unlink()

    return back


def test_a_restored_older_state_is_found_out_t57(house: House) -> None:
    add_anchor(house.workspace, house.at(0), by=operator("ada"))
    back = rolled_back(house)
    house.grow(5)
    house.anchoring().round(now=True)
    kept = house.witnesses[0].state.newest(house.workspace.ledger._signed.head.origin)
    back()
    (taken,) = house.anchoring().round(now=True)
    assert (taken.outcome, "cut off" in taken.why) == ("disagrees", True)
    assert house.told[-1].outcome == "disagrees"
    with pytest.raises(VerificationFailed, match="ends before entry"):
        house.check(policy=house.policy(1))
    for path in (house.folder / "anchors" / "cosigned").iterdir():  # and whoever did it removed the anchors, too
        path.unlink()
    assert house.check() is not None  # then nothing here shows it …
    with pytest.raises(VerificationFailed, match="No checkpoint of this ledger carries"):
        house.check(policy=house.policy(1))  # … but for what should be here
    with pytest.raises(VerificationFailed, match="ends before entry"):
        house.check(against=[kept])  # … and what the witness kept
    (taken,) = house.anchoring().round(now=True)
    assert (taken.outcome, "has cosigned" in taken.why) == ("disagrees", True)


def test_a_history_rewritten_with_the_stolen_key_is_found_out_t57(house: House) -> None:
    add_anchor(house.workspace, house.at(0), by=operator("ada"))
    back = rolled_back(house)
    house.grow(5)
    house.anchoring().round(now=True)
    back()
    real = open_vault(house.workspace.home / "keys", UNLOCK).signers["checkpoints"]  # by a thief, who asks no signer
    with Ledger.open(house.folder, origin=ledger_origin(house.workspace.id), signer=real) as other:
        for number in range(10):
            other.append("another.history", str(number), {})
    (taken,) = house.anchoring().round(now=True)
    assert (taken.outcome, "does not extend" in taken.why) == ("disagrees", True)
    with pytest.raises(VerificationFailed, match="forked"):
        house.check(policy=house.policy(1))
    assert house.check() is not None  # without an anchor it looks whole


def test_what_ought_to_be_an_anchor_is_checked_before_it_becomes_one(house: House) -> None:
    before = house.workspace.ledger.size
    for wrong in (
        WitnessAt("ftp://x", house.witnesses[0].key.vkey()),
        WitnessAt("http://x", "w1+00000000+BA=="),
        StamperAt("http://x", "no certificate"),
        BucketAt("bucket", days=0),
        BucketAt("bucket", endpoint="nowhere"),
    ):
        with pytest.raises(InvalidInput):
            add_anchor(house.workspace, wrong, by=operator("ada"))
    assert read_anchors(house.workspace.home).all == ()
    assert house.workspace.ledger.size == before


def test_anchors_come_and_go_on_record(house: House) -> None:
    add_anchor(house.workspace, house.at(0), by=operator("ada"))
    with pytest.raises(Conflict, match="already"):
        add_anchor(house.workspace, house.at(0), by=operator("ada"))
    assert [one.name for one in read_anchors(house.workspace.home).all] == ["w1"]
    remove_anchor(house.workspace, "w1", by=operator("ada"))
    with pytest.raises(NotFound, match="no anchor"):
        remove_anchor(house.workspace, "w1", by=operator("ada"))
    with reading_ledger(house.workspace, operator("ada")) as ledger:
        found = list(find_entries(house.workspace, ledger, Sought(actor="ada", action="anchor.")))
    assert [one.action for one in found] == ["anchor.added", "anchor.removed"]
    path = house.workspace.home / "anchors.json"
    path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":2'))
    with pytest.raises(VerificationFailed, match="not as we wrote it"):
        read_anchors(house.workspace.home)


def test_only_so_many_cosigned_checkpoints_are_kept(house: House) -> None:
    add_anchor(house.workspace, house.at(0), by=operator("ada"))
    anchoring = house.anchoring()
    for _ in range(70):
        house.grow()
        anchoring.round(now=True)
    notes = AnchorStore(house.folder).cosigned()
    assert len(notes) == 64
    assert house.check(policy=house.policy(1)).cosigned == house.workspace.ledger.size  # type: ignore[attr-defined]


def test_a_thread_goes_round_until_it_is_stopped(house: House) -> None:
    add_anchor(house.workspace, house.at(0), by=operator("ada"))
    stop = threading.Event()
    anchoring = Anchoring(
        house.workspace.home, seconds=0.05, clock=house.clock, told=lambda one: (house.told.append(one), stop.set())
    )  # type: ignore[func-returns-value]
    thread = threading.Thread(target=anchoring.run, args=(stop,))
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert house.told[0].outcome == "done"


def test_who_may_not_say_where_the_ledger_is_anchored_takes_no_witness_out(house: House) -> None:
    add_anchor(house.workspace, house.at(0), by=operator("ada"))
    enrol(house.workspace, "sofia", ["security_officer"], UNLOCK, by=operator("ada"))
    for by in (operator("ada"), person("mia", "ml_engineer"), person("sofia", "security_officer", strong=False)):
        with pytest.raises(PermissionDenied):
            remove_anchor(house.workspace, "w1", by=by)
        with pytest.raises(PermissionDenied):
            add_anchor(house.workspace, house.at(1), by=by)
    assert [one.name for one in read_anchors(house.workspace.home).witnesses] == ["w1"]
    remove_anchor(house.workspace, "w1", by=person("sofia", "security_officer"))
    assert read_anchors(house.workspace.home).witnesses == ()
