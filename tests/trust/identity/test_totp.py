"""A code counts once, within a step of now, for whoever holds the secret."""

from datetime import timedelta

import pyotp
import pytest
from house import AWAY, House, at_once

from sealwright.kernel import NotFound
from sealwright.trust import FreshProofNeeded, LastFactor, LoginRefused, ProofRefused, SignedIn, TotpCode


def test_the_same_code_works_once_t07(house: House) -> None:
    house.person()
    code = house.code()
    assert house.identity.totp.use("ada", code)
    assert not house.identity.totp.use("ada", code)
    house.clock.advance(timedelta(seconds=30))
    assert not house.identity.totp.use("ada", code)  # still within the window, still used


def test_fifty_uses_of_one_code_at_once_have_one_success_t07(house: House) -> None:
    house.person()
    code = house.code()
    results = at_once([lambda: house.identity.totp.use("ada", code)] * 50)
    assert results.count(True) == 1
    assert results.count(False) == 49


def test_fifty_logins_with_one_code_at_once_make_one_session_t07(house: House) -> None:
    house.person()
    tickets = [house.begin(source=f"198.51.100.{n}") for n in range(50)]
    code = house.code()
    done = at_once([lambda t=t: house.identity.login.complete(t, TotpCode(code), source=AWAY) for t in tickets])
    assert sum(isinstance(one, SignedIn) for one in done) == 1
    assert sum(isinstance(one, LoginRefused) for one in done) == 49
    with house.db.read() as tx:
        assert len(tx.run("SELECT id FROM identity_sessions")) == 1


@pytest.mark.parametrize(("drift", "good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_the_window_is_one_step_to_each_side_t07(house: House, drift: int, good: bool) -> None:
    house.person()
    house.clock.advance(timedelta(minutes=10))
    code = pyotp.TOTP(house.secrets["ada"]).at(house.clock() + timedelta(seconds=drift))
    assert house.identity.totp.use("ada", code) is good


def test_after_a_later_code_an_earlier_one_is_worthless_t07(house: House) -> None:
    house.person()
    house.clock.advance(timedelta(minutes=10))
    app = pyotp.TOTP(house.secrets["ada"])
    assert house.identity.totp.use("ada", app.at(house.clock() + timedelta(seconds=30)))
    assert not house.identity.totp.use("ada", app.at(house.clock()))


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "12345a", "１２３４５６", "-12345", "0x1234", " " * 6, "x" * 99999]
)
def test_what_is_no_code_is_wrong_and_nothing_worse(house: House, code: str) -> None:
    house.person()
    assert not house.identity.totp.use("ada", code)
    assert not house.identity.totp.use("nobody", code)


def test_a_code_may_be_typed_with_a_space(house: House) -> None:
    house.person()
    code = house.code()
    assert house.identity.totp.use("ada", f"{code[:3]} {code[3:]}")


def test_a_stolen_phone_guesses_one_password_a_code(house: House) -> None:
    """The right code with the wrong password is used up all the same, and fills the account's bucket."""
    house.person()
    code = house.code()
    ticket = house.begin(password="wrong wrong wrong")
    with pytest.raises(LoginRefused):
        house.identity.login.complete(ticket, TotpCode(code), source=AWAY)
    with pytest.raises(LoginRefused):
        house.identity.login.complete(house.begin(), TotpCode(code), source=AWAY)


def test_the_secret_is_160_bits_sealed_and_bound_to_its_person(house: House) -> None:
    house.person("ada")
    house.person("eve")
    assert len(house.secrets["ada"]) * 5 == 160
    with house.db.write() as tx:
        row = tx.run("SELECT sealed FROM identity_totp WHERE name = 'ada'")[0]
        assert house.secrets["ada"].encode() not in bytes(row["sealed"])
        tx.run(
            "UPDATE identity_totp SET sealed = (SELECT sealed FROM identity_totp WHERE name = 'eve') WHERE name = 'ada'"
        )
    ticket = house.begin("ada")
    with pytest.raises(LoginRefused):
        house.identity.login.complete(ticket, TotpCode(house.code("eve")), source=AWAY)
    assert "identity.row_changed" in house.reasons("alert.raise")


def test_an_app_is_replaced_after_a_fresh_proof_and_other_sessions_end(house: House) -> None:
    house.person()
    other, cookie = house.cookie(), house.cookie()
    offer = house.identity.totp.offer(cookie)
    assert offer.uri.reveal().startswith("otpauth://totp/acme:ada?secret=")
    with pytest.raises(ProofRefused, match="not a code"):
        house.identity.totp.add(cookie, offer.ticket.reveal(), "000000")
    house.identity.totp.add(cookie, offer.ticket.reveal(), pyotp.TOTP(offer.secret.reveal()).at(house.clock()))
    assert house.alive(cookie)
    assert not house.alive(other)
    old = house.code()
    assert not house.identity.totp.use("ada", old)
    house.secrets["ada"] = offer.secret.reveal()
    assert house.alive(house.cookie())


def test_without_a_fresh_proof_nothing_is_offered_added_or_removed(house: House) -> None:
    house.person()
    cookie = house.cookie()
    offer = house.identity.totp.offer(cookie)
    house.clock.advance(timedelta(minutes=10))
    with pytest.raises(FreshProofNeeded):
        house.identity.totp.offer(cookie)
    with pytest.raises(FreshProofNeeded):
        house.identity.totp.add(cookie, offer.ticket.reveal(), "000000")
    with pytest.raises(FreshProofNeeded):
        house.identity.totp.remove(cookie)


def test_an_offer_belongs_to_its_session_and_ends_after_five_wrong_codes(house: House) -> None:
    house.person("ada")
    house.person("eve")
    ada, eve = house.cookie("ada"), house.cookie("eve")
    offer = house.identity.totp.offer(ada)
    right = pyotp.TOTP(offer.secret.reveal())
    with pytest.raises(ProofRefused):
        house.identity.totp.add(eve, offer.ticket.reveal(), right.at(house.clock()))
    for _ in range(5):
        with pytest.raises(ProofRefused):
            house.identity.totp.add(ada, offer.ticket.reveal(), "000000")
    with pytest.raises(ProofRefused):
        house.identity.totp.add(ada, offer.ticket.reveal(), right.at(house.clock()))


def test_the_only_second_factor_cannot_be_removed(house: House, authenticator) -> None:
    house.person()
    cookie = house.cookie()
    with pytest.raises(LastFactor):
        house.identity.totp.remove(cookie)
    house.identity.passkeys.add(cookie, authenticator.make(house.identity.passkeys.offer(cookie)), label="key")
    house.identity.totp.remove(cookie)
    with pytest.raises(NotFound):
        house.identity.totp.remove(cookie)
    assert not house.identity.totp.use("ada", house.code())


def test_of_two_removals_at_once_one_factor_stays(house: House, authenticator) -> None:
    house.person()
    cookie = house.cookie()
    key = house.identity.passkeys.add(cookie, authenticator.make(house.identity.passkeys.offer(cookie)), label="key")
    done = at_once([lambda: house.identity.totp.remove(cookie), lambda: house.identity.passkeys.remove(cookie, key)])
    assert sorted(type(one).__name__ for one in done) == ["LastFactor", "NoneType"]
