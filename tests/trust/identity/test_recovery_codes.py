"""Ten codes, each good once, for the day the phone is gone."""

from datetime import timedelta

import pytest
from house import AWAY, House, at_once

from sealwright.trust import FreshProofNeeded, LoginRefused, RecoveryCode


def test_ten_codes_of_80_bits_all_different(house: House) -> None:
    house.person()
    codes = house.codes["ada"]
    assert len(set(codes)) == 10
    assert all(len(code.replace("-", "")) * 5 == 80 for code in codes)


def test_each_code_signs_in_once_is_on_record_and_ends_other_sessions(house: House) -> None:
    house.person()
    other, code = house.cookie(), house.codes["ada"][3]
    new = house.identity.login.complete(house.begin(), RecoveryCode(f" {code.upper()} "), source=AWAY).new
    assert new.session.factor == "recovery_code"
    assert not house.alive(other)
    assert house.identity.recovery.left(new.id.reveal()) == 9
    assert len(house.entries("recovery_code.use")) == 1
    with pytest.raises(LoginRefused):
        house.identity.login.complete(house.begin(), RecoveryCode(code), source=AWAY)


def test_one_code_used_twenty_times_at_once_counts_once(house: House) -> None:
    house.person()
    results = at_once([lambda: house.identity.recovery.use("ada", house.codes["ada"][0])] * 20)
    assert results.count(True) == 1


def test_a_wrong_password_uses_no_code_up(house: House) -> None:
    house.person()
    code = house.codes["ada"][0]
    with pytest.raises(LoginRefused):
        house.identity.login.complete(house.begin(password="wrong wrong wrong"), RecoveryCode(code), source=AWAY)
    assert house.identity.login.complete(house.begin(), RecoveryCode(code), source=AWAY)


@pytest.mark.parametrize("code", ["", "aaaa-aaaa-aaaa-aaaa", "x" * 9999, "0000-0000-0000-0000", "%", "aaaa"])
def test_what_is_no_code_is_refused(house: House, code: str) -> None:
    house.person()
    assert not house.identity.recovery.use("ada", code)


def test_a_code_of_somebody_else_is_refused(house: House) -> None:
    house.person("ada")
    house.person("eve")
    assert not house.identity.recovery.use("ada", house.codes["eve"][0])
    with house.db.write() as tx:  # nor if its row is copied over by somebody with the database alone
        tx.run("DELETE FROM identity_recovery_codes WHERE name = 'ada'")
        tx.run("UPDATE identity_recovery_codes SET name = 'ada' WHERE name = 'eve'")
    assert not house.identity.recovery.use("ada", house.codes["eve"][0])


def test_new_codes_replace_the_old_and_need_a_fresh_proof(house: House) -> None:
    house.person()
    cookie = house.cookie()
    fresh = [code.reveal() for code in house.identity.recovery.make(cookie)]
    assert not house.identity.recovery.use("ada", house.codes["ada"][0])
    assert house.identity.recovery.use("ada", fresh[0])
    house.clock.advance(timedelta(minutes=10))
    with pytest.raises(FreshProofNeeded):
        house.identity.recovery.make(cookie)
