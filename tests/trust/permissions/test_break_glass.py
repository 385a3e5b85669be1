"""Break-glass: two people, a short time, an alarm, and no way back after it has ended."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from acting import operator, person
from sealwright.engines import Database, open_database
from sealwright.kernel import Conflict, InvalidInput, NotFound
from sealwright.trust import (
    InsecurePassphraseForTests,
    Keyring,
    Ledger,
    LedgerAudit,
    LocalSigner,
    Principal,
    Secret,
    create_keyring,
)
from sealwright.trust.permissions.break_glass import BreakGlass, Emergency
from sealwright.trust.permissions.errors import PermissionDenied
from sealwright.trust.permissions.permissions import Permissions
from sealwright.trust.permissions.resources import VersionResource
from sealwright.trust.permissions.roster import Roster

SOFIA, CORA = person("sofia", "security_officer"), person("cora", "compliance_officer")
DAN = person("dan", "data_scientist")
LIVE = VersionResource(name="credit/3", project="credit", risk="minimal", stage="live")
WHY = "Mia is in hospital and version 3 answers wrongly"


class Watch:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def later(self, **by: int) -> None:
        self.now += timedelta(**by)


class House:
    """A database, a ledger and what rests on them."""

    def __init__(self, db: Database, ledger: Ledger, keyring: Keyring, roster: Roster, watch: Watch) -> None:
        self.db, self.ledger, self.watch = db, ledger, watch
        self.audit = LedgerAudit(ledger, keyring)
        self.glass = BreakGlass(db, lambda: ledger, self.audit, watch)
        self.permissions = Permissions(roster, self.audit, clock=watch, open_glass=self.glass.open_at)

    def ask(self, by: Principal = SOFIA, **more: object) -> Emergency:
        terms = {"project": "credit", "beneficiary": "dan", "roles": ["ml_engineer"], "reason": WHY} | more
        return self.glass.request(self.permissions, by, **terms)  # type: ignore[arg-type]

    def actions(self) -> list[tuple[str, str]]:
        return [(entry.action, str(entry.detail.get("outcome"))) for entry in self.ledger.entries()]


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def house(db: Database, tmp_path: Path, roster: Roster, watch: Watch) -> Iterator[House]:
    unlock = InsecurePassphraseForTests(Secret("a passphrase for tests"))
    ring = create_keyring(tmp_path / "keys", "ws_test", unlock)
    ledger = Ledger.open(
        tmp_path / "ledger",
        origin="sealwright/t/ledger",
        signer=LocalSigner("ed25519", bytes(31) + b"\x01"),
        clock=watch,
        create=True,
    )
    yield House(db, ledger, ring, roster, watch)
    ledger.close()


def rolls_back(house: House, principal: Principal = DAN) -> bool:
    return house.permissions.decide(principal, "model.rollback", LIVE).allowed


def test_two_people_open_it_for_one_person_in_one_project(house: House) -> None:
    asked = house.ask()
    assert not rolls_back(house)  # one is not enough
    opened = house.glass.confirm(house.permissions, CORA, asked.id)
    assert (opened.state, opened.until) == ("open", "2026-11-26T10:00:00.000Z")
    assert rolls_back(house)
    assert not rolls_back(house, person("ben", "business_owner"))
    there = VersionResource(name="loans/1", project="loans", risk="minimal", stage="live")
    assert not house.permissions.decide(DAN, "model.rollback", there).allowed
    assert not house.permissions.decide(DAN, "model.revoke", LIVE).allowed  # another role's


def test_opening_and_every_use_raise_an_alarm_and_say_which(house: House) -> None:
    asked = house.ask()
    house.glass.confirm(house.permissions, CORA, asked.id)
    decision = house.permissions.need(DAN, "model.rollback", LIVE)
    assert decision.break_glass == asked.id
    assert house.actions() == [
        ("break_glass.request", "done"),
        ("break_glass.open", "done"),
        ("alert.raise", "done"),
        ("break_glass.use", "done"),
        ("alert.raise", "done"),
    ]
    use = list(house.ledger.entries())[3]
    assert (use.detail["break_glass"], use.detail["action"]) == (asked.id, "model.rollback")


def test_what_somebody_may_anyway_is_no_use_of_it(house: House) -> None:
    house.glass.confirm(house.permissions, CORA, house.ask().id)
    mia = person("mia", "ml_engineer")
    assert house.permissions.need(mia, "model.rollback", LIVE).break_glass == ""


def test_neither_the_one_who_asked_nor_the_one_who_gains_agrees(house: House) -> None:
    asked = house.ask()
    with pytest.raises(PermissionDenied, match="two people"):
        house.glass.confirm(house.permissions, SOFIA, asked.id)
    for_herself = house.ask(beneficiary="cora")
    with pytest.raises(PermissionDenied, match="two people"):
        house.glass.confirm(house.permissions, CORA, for_herself.id)
    for who in (DAN, operator(), person("cora", "compliance_officer", strong=False)):
        with pytest.raises(PermissionDenied):
            house.glass.confirm(house.permissions, who, asked.id)
    assert house.glass.open_at(house.watch()) == []


def test_a_refused_attempt_neither_opens_it_nor_spoils_it(house: House) -> None:
    asked = house.ask()
    with pytest.raises(PermissionDenied):
        house.glass.confirm(house.permissions, SOFIA, asked.id)
    assert not rolls_back(house)
    house.glass.confirm(house.permissions, CORA, asked.id)
    with pytest.raises(PermissionDenied):
        house.glass.end(house.permissions, person("mia", "ml_engineer"), asked.id)
    assert rolls_back(house)


def test_who_may_not_ask_and_what_cannot_be_asked_for(house: House) -> None:
    for who in (DAN, operator(), person("sofia", "security_officer", strong=False)):
        with pytest.raises(PermissionDenied):
            house.ask(who)
    for wrong in ({"minutes": 241}, {"minutes": 0}, {"roles": []}, {"roles": ["king"]}, {"reason": "soon"}):
        with pytest.raises(InvalidInput):
            house.ask(**wrong)
    with pytest.raises(NotFound, match="enrolled"):
        house.ask(beneficiary="nobody")


def test_it_ends_by_itself(house: House) -> None:
    house.glass.confirm(house.permissions, CORA, house.ask(minutes=30).id)
    house.watch.later(minutes=29)
    assert rolls_back(house)
    house.watch.later(minutes=1)
    assert not rolls_back(house)
    assert [one.state for one in house.glass.all()] == ["ended"]


def test_a_request_nobody_agreed_to_goes_stale(house: House) -> None:
    asked = house.ask()
    house.watch.later(minutes=61)
    with pytest.raises(Conflict, match="more than an hour ago"):
        house.glass.confirm(house.permissions, CORA, asked.id)


def test_it_is_opened_once(house: House) -> None:
    asked = house.ask()
    house.glass.confirm(house.permissions, CORA, asked.id)
    with pytest.raises(Conflict, match="open already"):
        house.glass.confirm(house.permissions, CORA, asked.id)


def test_whoever_has_a_part_in_it_ends_it_and_strangers_do_not(house: House) -> None:
    asked = house.ask()
    house.glass.confirm(house.permissions, CORA, asked.id)
    with pytest.raises(PermissionDenied):
        house.glass.end(house.permissions, person("mia", "ml_engineer"), asked.id)
    with pytest.raises(PermissionDenied):
        house.glass.end(house.permissions, operator("dan"), asked.id)
    assert house.glass.end(house.permissions, DAN, asked.id).state == "ended"
    assert not rolls_back(house)


def test_separation_of_duties_holds_in_an_emergency_t17(house: House) -> None:
    house.glass.confirm(house.permissions, CORA, house.ask(roles=["business_owner"]).id)
    candidate = VersionResource(name="credit/candidate", project="credit", trained_by=frozenset({"dan"}))
    decision = house.permissions.decide(DAN, "model.approve", candidate, role="business_owner")
    assert not decision.allowed
    other = VersionResource(name="credit/candidate", project="credit", trained_by=frozenset({"ada"}))
    assert house.permissions.decide(DAN, "model.approve", other, role="business_owner").allowed


def test_a_restored_database_does_not_bring_an_ended_one_back_t85(
    house: House, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    asked = house.ask()
    house.glass.confirm(house.permissions, CORA, asked.id)
    with house.db.read() as tx:
        (before,) = tx.run("SELECT * FROM break_glass")
    house.glass.end(house.permissions, SOFIA, asked.id)
    with house.db.write() as tx:
        tx.run("UPDATE break_glass SET state = 'open', ended_by = '', ended_at = ''")  # the row as the backup has it
        (row,) = tx.run("SELECT * FROM break_glass")
    assert dict(row) == dict(before)
    assert not rolls_back(house)
    fresh = BreakGlass(house.db, lambda: house.ledger, house.audit, house.watch)
    assert fresh.open_at(house.watch()) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("until", "2026-11-30T10:00:00.000Z"),
        ("roles", "ml_engineer,security_officer"),
        ("beneficiary", "ben"),
        ("project", "loans"),
    ],
)
def test_a_changed_row_is_worth_nothing(house: House, column: str, value: str) -> None:
    house.glass.confirm(house.permissions, CORA, house.ask().id)
    with house.db.write() as tx:
        if column == "until":
            tx.run("UPDATE break_glass SET until = :value", value=value)
        elif column == "roles":
            tx.run("UPDATE break_glass SET roles = :value", value=value)
        elif column == "beneficiary":
            tx.run("UPDATE break_glass SET beneficiary = :value", value=value)
        else:
            tx.run("UPDATE break_glass SET project = :value", value=value)
    assert house.glass.open_at(house.watch()) == []


def test_a_row_that_was_never_agreed_to_is_worth_nothing(house: House) -> None:
    asked = house.ask()
    with house.db.write() as tx:
        tx.run("UPDATE break_glass SET state = 'open', confirmed_by = 'cora', until = '2026-11-26T10:00:00.000Z'")
    assert house.glass.open_at(house.watch()) == []
    with pytest.raises(PermissionDenied):
        house.glass.confirm(house.permissions, SOFIA, asked.id)
    assert house.glass.open_at(house.watch()) == []  # a refused attempt in the ledger opens nothing


def test_no_name_of_a_person_stands_in_the_ledger(house: House, tmp_path: Path) -> None:
    house.glass.confirm(house.permissions, CORA, house.ask().id)
    house.permissions.need(DAN, "model.rollback", LIVE)
    for file in (tmp_path / "ledger").rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert not any(name in data for name in (b"sofia", b"cora", b'"dan"', b"hospital"))


def test_the_older_database_file_in_the_place_of_the_newer_t85(tmp_path: Path, roster: Roster, watch: Watch) -> None:
    """The attack as it is made: the file copied away before the end, and put back after it."""
    unlock = InsecurePassphraseForTests(Secret("a passphrase for tests"))
    ring = create_keyring(tmp_path / "keys", "ws_test", unlock)
    ledger = Ledger.open(
        tmp_path / "ledger",
        origin="sealwright/t/ledger",
        signer=LocalSigner("ed25519", bytes(31) + b"\x01"),
        clock=watch,
        create=True,
    )
    db = open_database(f"sqlite:///{tmp_path / 'db.sqlite'}")
    house = House(db, ledger, ring, roster, watch)
    asked = house.ask()
    house.glass.confirm(house.permissions, CORA, asked.id)
    db.close()
    shutil.copy(tmp_path / "db.sqlite", tmp_path / "backup.sqlite")
    db = open_database(f"sqlite:///{tmp_path / 'db.sqlite'}")
    house = House(db, ledger, ring, roster, watch)
    assert rolls_back(house)
    house.glass.end(house.permissions, CORA, asked.id)
    db.close()
    shutil.copy(tmp_path / "backup.sqlite", tmp_path / "db.sqlite")
    db = open_database(f"sqlite:///{tmp_path / 'db.sqlite'}")
    assert not rolls_back(House(db, ledger, ring, roster, watch))
    db.close()
    ledger.close()
