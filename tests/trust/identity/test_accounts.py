"""An account's password is changed by its person alone, after a fresh proof, and locked by whoever may."""

from datetime import timedelta

import pytest
from house import WORDS, House

from sealwright.kernel import InvalidInput, NotFound
from sealwright.trust import FreshProofNeeded, LoginRefused, PasswordUnsuitable, ProofRefused, Secret, TooManyTries

NEW = "another teapot gravel 31"


def test_a_person_changes_their_password(house: House) -> None:
    house.person()
    house.identity.accounts.change_password(house.cookie(), Secret(WORDS), Secret(NEW))
    with pytest.raises(LoginRefused):
        house.cookie()
    assert house.alive(house.sign_in(password=NEW).id.reveal())
    assert len(house.entries("password.change")) == 1


def test_the_old_password_and_a_fresh_proof_are_needed(house: House) -> None:
    house.person()
    cookie = house.cookie()
    with pytest.raises(ProofRefused):
        house.identity.accounts.change_password(cookie, Secret("wrong wrong wrong"), Secret(NEW))
    with pytest.raises(PasswordUnsuitable, match="old one"):
        house.identity.accounts.change_password(cookie, Secret(WORDS), Secret(WORDS))
    with pytest.raises(PasswordUnsuitable):
        house.identity.accounts.change_password(cookie, Secret(WORDS), Secret("ada-ada-ada-ada"))
    with pytest.raises(TooManyTries):
        for _ in range(10):
            with pytest.raises(ProofRefused):
                house.identity.accounts.change_password(cookie, Secret("wrong wrong wrong"), Secret(NEW))
    house.clock.advance(timedelta(minutes=10))
    with pytest.raises(FreshProofNeeded):
        house.identity.accounts.change_password(cookie, Secret(WORDS), Secret(NEW))
    assert house.alive(house.cookie())


def test_a_lock_ends_sessions_and_keeps_the_person_out_until_unlocked(house: House) -> None:
    house.person()
    cookie = house.cookie()
    house.identity.accounts.lock("ada", by="root", reason="the laptop was stolen")
    assert not house.alive(cookie)
    with pytest.raises(LoginRefused):
        house.cookie()
    house.identity.accounts.unlock("ada", by="root")
    assert house.alive(house.cookie())
    assert [e.actor for e in house.entries("account.lock")] == [house.audit.name_of("root")]
    assert len(house.entries("account.unlock")) == 1


def test_a_lock_needs_a_reason_and_an_account(house: House) -> None:
    house.person()
    with pytest.raises(InvalidInput):
        house.identity.accounts.lock("ada", by="root", reason=" ")
    with pytest.raises(NotFound):
        house.identity.accounts.lock("nobody", by="root", reason="the laptop was stolen")
    with pytest.raises(NotFound):
        house.identity.accounts.unlock("nobody", by="root")


def test_when_the_ledger_cannot_be_written_nothing_changes(house: House, authenticator) -> None:
    house.person()
    cookie, offer_key = house.cookie(), None
    offer_key = authenticator.make(house.identity.passkeys.offer(cookie))
    before = snapshot(house)
    house.ledger.close()
    for verb in (
        lambda: house.identity.accounts.change_password(cookie, Secret(WORDS), Secret(NEW)),
        lambda: house.identity.accounts.lock("ada", by="root", reason="the laptop was stolen"),
        lambda: house.identity.passkeys.add(cookie, offer_key, label="key"),
        lambda: house.identity.recovery.make(cookie),
        lambda: house.identity.recovery.use("ada", house.codes["ada"][0]),
        lambda: house.identity.sessions.end(cookie),
        lambda: house.identity.sessions.end_all("ada", by="root", reason="identity.x"),
        lambda: house.identity.links.make("ada", by="root"),
    ):
        with pytest.raises(Exception, match="closed"):
            verb()
    assert snapshot(house) == before


def snapshot(house: House) -> list[object]:
    with house.db.read() as tx:
        return [
            [{k: v for k, v in row.items() if k != "seen_at"} for row in rows]
            for rows in (
                tx.run("SELECT * FROM identity_accounts"),
                tx.run("SELECT * FROM identity_passkeys"),
                tx.run("SELECT * FROM identity_recovery_codes ORDER BY code"),
                tx.run("SELECT * FROM identity_sessions"),
                tx.run("SELECT * FROM identity_links ORDER BY id"),
            )
        ]
