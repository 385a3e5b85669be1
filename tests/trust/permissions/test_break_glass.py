"""Break-glass: two people, a short time, an alarm, and no way back after it has ended."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from acting import operator, person
from sealwright.engines import Database, open_database
from sealwright.kernel import Conflict, InvalidInput, NotFound, VerificationFailed
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
from sealwright.trust.discretion import Discretion
from sealwright.trust.permissions.break_glass import BreakGlass, Emergency
from sealwright.trust.permissions.errors import PermissionDenied
from sealwright.trust.permissions.permissions import Permissions
from sealwright.trust.permissions.resources import VersionResource
from sealwright.trust.permissions.roster import Member, Roster

SOFIA, CORA = person("sofia", "security_officer"), person("cora", "compliance_officer")
DAN = person("dan", "data_scientist")
LIVE = VersionResource(name="credit/3", project="credit", risk="minimal", stage="live")
WHY = "Mia is in hospital and version 3 answers wrongly"
_EDITED = ("id", "project", "beneficiary", "roles", "minutes", "requested_by", "requested_at", "state")


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
        self.glass = BreakGlass(db, lambda: ledger, self.audit, watch, Discretion(keyring).names_of)
        self.permissions = self.with_roster(roster)

    def with_roster(self, roster: Roster) -> Permissions:
        """The same workspace with these people enrolled."""
        return Permissions(roster, self.audit, clock=self.watch, open_glass=self.glass.open_at)

    def ask(self, by: Principal = SOFIA, **more: object) -> Emergency:
        terms = {"project": "credit", "beneficiary": "dan", "roles": ["ml_engineer"], "reason": WHY} | more
        return self.glass.request(self.permissions, by, **terms)  # type: ignore[arg-type]

    def change(self, **columns: object) -> None:
        """Edit the rows, as whoever has the database does."""
        with self.db.write() as tx:
            (row,) = tx.run("SELECT * FROM break_glass")
            tx.run(
                "UPDATE break_glass SET id = :id, project = :project, beneficiary = :beneficiary, roles = :roles,"
                " minutes = :minutes, requested_by = :requested_by, requested_at = :requested_at, state = :state",
                **{name: row[name] for name in _EDITED} | columns,
            )

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


@pytest.mark.parametrize(
    "columns",
    [
        {"requested_by": "cora"},
        {"requested_by": "cora", "roles": "ml_engineer,security_officer"},
        {"requested_by": "cora", "beneficiary": "ben"},
        {"requested_by": "cora", "minutes": 240},
        {"requested_by": "cora", "id": "bg_invented"},
    ],
)
def test_nobody_is_both_people_by_editing_who_asked(house: House, columns: dict[str, object]) -> None:
    asked = house.ask(SOFIA)
    house.change(**columns)
    with pytest.raises(VerificationFailed, match="not what was asked for on record"):
        house.glass.confirm(house.permissions, SOFIA, str(columns.get("id", asked.id)))
    assert house.glass.open_at(house.watch()) == []
    assert house.actions() == [
        ("break_glass.request", "done"),
        ("break_glass.open", "refused"),
        ("alert.raise", "done"),
    ]


@pytest.mark.parametrize(
    "columns", [{"roles": "ml_engineer,security_officer"}, {"beneficiary": "ben"}, {"minutes": 240}]
)
def test_the_second_person_agrees_to_what_was_asked_for_and_nothing_else(
    house: House, columns: dict[str, object]
) -> None:
    asked = house.ask(SOFIA)
    house.change(**columns)
    with pytest.raises(VerificationFailed, match="not what was asked for on record"):
        house.glass.confirm(house.permissions, CORA, asked.id)
    assert house.glass.open_at(house.watch()) == []


def test_a_row_put_back_while_she_confirms_does_not_make_her_two_people(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = house.ask(SOFIA)
    house.change(requested_by="cora")
    need = house.permissions.need

    def judged(*given: object, **more: object) -> object:
        decision = need(*given, **more)  # type: ignore[arg-type]
        house.change(requested_by="sofia")  # what is checked next is as it was recorded
        return decision

    monkeypatch.setattr(house.permissions, "need", judged)
    with pytest.raises(VerificationFailed, match="not what was asked for on record"):
        house.glass.confirm(house.permissions, SOFIA, asked.id)
    assert house.glass.open_at(house.watch()) == []


def test_a_request_on_record_in_another_name_is_not_theirs(house: House) -> None:
    asked = house.ask(SOFIA)
    stranger = BreakGlass(house.db, lambda: house.ledger, house.audit, house.watch, lambda _: {"sub_" + "0" * 32})
    with pytest.raises(VerificationFailed, match="not what was asked for on record"):
        stranger.confirm(house.permissions, CORA, asked.id)
    without = BreakGlass(house.db, lambda: house.ledger, house.audit, house.watch)
    with pytest.raises(VerificationFailed, match="not what was asked for on record"):
        without.confirm(house.permissions, CORA, asked.id)


def test_a_stale_request_is_not_made_fresh_in_the_database(house: House) -> None:
    asked = house.ask()
    house.watch.later(minutes=61)
    house.change(requested_at="2026-11-26T10:00:00.000Z")
    with pytest.raises(Conflict, match="more than an hour ago"):
        house.glass.confirm(house.permissions, CORA, asked.id)


def test_an_ended_one_is_not_waiting_again_with_an_older_database_t85(house: House) -> None:
    asked = house.ask()
    house.glass.end(house.permissions, SOFIA, asked.id)
    house.change(state="requested")
    with pytest.raises(VerificationFailed, match="not what was asked for on record"):
        house.glass.confirm(house.permissions, CORA, asked.id)


def without(roster: Roster, *changed: Member) -> Roster:
    """The roster with dan gone, or as `changed` has him."""
    return Roster([*(one for one in roster if one.name != "dan"), *changed])


def test_somebody_whose_enrolment_ended_has_no_emergency(house: House, roster: Roster) -> None:
    house.glass.confirm(house.permissions, CORA, house.ask().id)
    now = house.with_roster(without(roster))
    for gone in (DAN, person("dan")):  # the second: as a key that nobody enrolled was taken before
        assert not now.decide(gone, "model.rollback", LIVE).allowed


def test_a_name_enrolled_anew_with_another_key_is_somebody_else(house: House, roster: Roster) -> None:
    house.glass.confirm(house.permissions, CORA, house.ask().id)
    now = house.with_roster(without(roster, Member(name="dan", grants=DAN.grants, key_id="another")))
    assert not now.decide(DAN, "model.rollback", LIVE).allowed
    waiting = house.ask()
    with pytest.raises(Conflict, match="another key"):
        house.glass.confirm(now, CORA, waiting.id)


def test_who_comes_with_other_roles_than_their_enrolment_has_no_emergency(house: House) -> None:
    """By the identity provider: the name is the same, the roles are those of groups."""
    house.glass.confirm(house.permissions, CORA, house.ask().id)
    assert rolls_back(house)
    for brought in (person("dan", "auditor@credit"), person("dan"), person("sso-0123456789abcdef", "data_scientist")):
        assert not rolls_back(house, brought)


def test_nobody_agrees_for_somebody_who_is_not_enrolled_any_more(house: House, roster: Roster) -> None:
    asked = house.ask()
    with pytest.raises(NotFound, match="enrolled"):
        house.glass.confirm(house.with_roster(without(roster)), CORA, asked.id)
    assert house.actions()[-1] == ("break_glass.request", "done")


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
