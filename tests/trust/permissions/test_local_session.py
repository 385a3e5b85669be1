"""Logged in on the command line: for a while, for one person, and not by a forged file (T-09 in small)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sealwright.engines import Database
from sealwright.trust import InsecurePassphraseForTests, Ledger, LedgerAudit, LocalSigner, Secret, create_keyring
from sealwright.trust.permissions.local_session import LocalSessions

START = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


class House:
    def __init__(self, db: Database, folder: Path) -> None:
        unlock = InsecurePassphraseForTests(Secret("a passphrase for tests"))
        self.now, self.db = START, db
        self.ring = create_keyring(folder / "keys", "ws_test", unlock)
        self.ledger = Ledger.open(
            folder / "ledger",
            origin="sealwright/t/ledger",
            signer=LocalSigner("ed25519", bytes(31) + b"\x01"),
            clock=lambda: self.now,
            create=True,
        )
        self.audit = LedgerAudit(self.ledger, self.ring)
        self.sessions = LocalSessions(db, lambda: self.ledger, self.ring, self.audit, lambda: self.now)

    def later(self, **by: int) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def house(db: Database, tmp_path: Path) -> Iterator[House]:
    made = House(db, tmp_path)
    yield made
    made.ledger.close()


def test_a_session_says_whose_it_is_and_is_strong_for_a_while(house: House) -> None:
    token = house.sessions.open("sofia", "k1")
    found = house.sessions.find(token)
    assert found is not None
    assert (found.person, found.key_id, found.strong) == ("sofia", "k1", True)
    house.later(minutes=16)
    found = house.sessions.find(token)
    assert found is not None
    assert not found.strong


def test_it_ends_after_half_an_hour_of_rest(house: House) -> None:
    token = house.sessions.open("sofia", "k1")
    for _ in range(3):
        house.later(minutes=29)
        assert house.sessions.find(token) is not None
    house.later(minutes=30)
    assert house.sessions.find(token) is None


def test_it_ends_after_eight_hours_however_busy(house: House) -> None:
    token = house.sessions.open("sofia", "k1")
    while house.now < START + timedelta(hours=7, minutes=45):
        house.later(minutes=15)
        assert house.sessions.find(token) is not None
    house.later(minutes=15)
    assert house.sessions.find(token) is None


def test_a_guessed_or_changed_token_opens_nothing(house: House) -> None:
    token = house.sessions.open("sofia", "k1")
    name, _, secret = token.partition(".")
    flipped = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    for wrong in ("", ".", name, f"{name}.", f"{name}.{flipped}", f"ses_other.{secret}", secret, f"{name}.{secret}0"):
        assert house.sessions.find(wrong) is None


def test_whoever_writes_the_database_but_has_no_keys_logs_nobody_in(house: House) -> None:
    token = house.sessions.open("ben", "k1")
    with house.db.write() as tx:
        tx.run("UPDATE local_sessions SET person = 'sofia'")
    assert house.sessions.find(token) is None


def test_the_secret_is_in_neither_database_nor_ledger(house: House, tmp_path: Path) -> None:
    token = house.sessions.open("sofia", "k1")
    secret = token.partition(".")[2]
    with house.db.read() as tx:
        assert secret not in json.dumps([dict(row) for row in tx.run("SELECT * FROM local_sessions")])
    for file in (tmp_path / "ledger").rglob("*"):
        assert not file.is_file() or (secret.encode() not in file.read_bytes() and b"sofia" not in file.read_bytes())


def test_after_logout_a_restored_database_logs_nobody_in_t85(house: House) -> None:
    token = house.sessions.open("sofia", "k1")
    with house.db.read() as tx:
        (row,) = tx.run("SELECT * FROM local_sessions")
    assert house.sessions.end(token) == "sofia"
    assert house.sessions.find(token) is None
    with house.db.write() as tx:
        tx.run(
            "INSERT INTO local_sessions (id, secret, person, key_id, opened_at, used_at, ledger_size, seal)"
            " VALUES (:id, :secret, :person, :key_id, :opened_at, :used_at, :ledger_size, :seal)",
            **dict(row),
        )
    assert house.sessions.find(token) is None
    assert house.sessions.end(token) == ""


def test_login_and_logout_are_on_record(house: House) -> None:
    house.sessions.end(house.sessions.open("sofia", "k1"))
    assert [(entry.action, entry.detail["outcome"]) for entry in house.ledger.entries()] == [
        ("login", "done"),
        ("logout", "done"),
    ]
