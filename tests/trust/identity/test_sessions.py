"""A session is an id nobody can guess, and it is dead after anything that ends it."""

import hashlib
from datetime import timedelta

import pyotp
import pytest
from house import AWAY, WORDS, House, at_once
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealwright.trust import (
    FreshProofNeeded,
    NewSession,
    ProofRefused,
    RecoveryCode,
    RoleGrant,
    Secret,
    SessionOver,
    TooManyTries,
    TotpCode,
)


def test_the_id_is_256_bits_and_only_its_hash_is_kept(house: House) -> None:
    house.person()
    cookie = house.cookie()
    assert len(cookie) * 6 >= 256
    with house.db.read() as tx:
        (row,) = tx.run("SELECT * FROM identity_sessions")
    assert row["id"] == hashlib.sha256(cookie.encode()).hexdigest()
    assert cookie not in str(dict(row))


def test_a_login_gives_a_new_id_and_kills_the_one_brought_along_t09(house: House) -> None:
    house.person("ada")
    house.person("eve")
    planted = house.cookie("eve")  # eve puts her own cookie into ada's browser
    new = house.sign_in("ada", previous=planted)
    assert new.id.reveal() != planted
    assert not house.alive(planted)
    assert house.identity.sessions.look_up(new.id.reveal()).name == "ada"


def test_an_id_that_a_stranger_chose_becomes_nobodys_session_t09(house: House) -> None:
    house.person()
    house.sign_in(previous="chosen-by-the-attacker")
    assert not house.alive("chosen-by-the-attacker")


def test_a_step_up_changes_the_id_and_the_old_one_is_dead_t09(house: House) -> None:
    house.person()
    old = house.cookie()
    new = house.identity.step_up.prove(old, TotpCode(house.code())).id.reveal()
    assert new != old
    assert house.alive(new)
    assert not house.alive(old)


def test_after_logout_and_after_a_password_change_the_old_ids_are_dead_t09(house: House) -> None:
    house.person()
    one, two, three = house.cookie(), house.cookie(), house.cookie()
    house.identity.sessions.end(one)
    assert (house.alive(one), house.alive(two), house.alive(three)) == (False, True, True)
    house.identity.accounts.change_password(two, Secret(WORDS), Secret("another teapot gravel 31"))
    assert (house.alive(two), house.alive(three)) == (True, False)


@pytest.mark.parametrize("cookie", ["", "x", "ses_1", "' OR '1'='1", "\x00", "\ud800", "é" * 5000])
def test_an_invented_id_is_nobodys(house: House, cookie: str) -> None:
    house.person()
    house.cookie()
    with pytest.raises(SessionOver):
        house.identity.sessions.look_up(cookie)
    house.identity.sessions.end(cookie)


def test_neither_the_hash_nor_the_handle_signs_in(house: House) -> None:
    house.person()
    new = house.sign_in()
    with house.db.read() as tx:
        (row,) = tx.run("SELECT id, handle FROM identity_sessions")
    assert not house.alive(row["id"])
    assert not house.alive(row["handle"])
    assert house.alive(new.id.reveal())


def test_a_row_written_without_our_key_is_no_session(house: House) -> None:
    """Somebody with the database alone: a row of their own, or one of theirs turned into somebody else's."""
    house.person("ada")
    house.person("eve", "auditor")
    eve = house.cookie("eve")
    with house.db.write() as tx:
        tx.run("UPDATE identity_sessions SET name = 'ada' WHERE name = 'eve'")
    with pytest.raises(SessionOver):
        house.identity.sessions.principal(eve)
    with house.db.write() as tx:
        tx.run("UPDATE identity_sessions SET name = 'eve'")
        assert tx.run("SELECT name FROM identity_sessions")
    assert house.alive(eve)
    house.clock.advance(timedelta(minutes=11))
    with house.db.write() as tx:
        tx.run("UPDATE identity_sessions SET strong_at = :now", now=house.identity.means.now())
    with pytest.raises(SessionOver):
        house.identity.sessions.principal(eve)


def test_a_session_ends_when_idle_and_when_old(house: House) -> None:
    house.person()
    idle = house.cookie()
    house.clock.advance(timedelta(minutes=29, seconds=59))
    assert house.alive(idle)
    house.clock.advance(timedelta(minutes=30))
    assert not house.alive(idle)
    busy = house.cookie()
    for _ in range(12 * 3 - 1):
        house.clock.advance(timedelta(minutes=20))
        assert house.alive(busy)
    house.clock.advance(timedelta(minutes=20))
    assert not house.alive(busy)
    assert house.reasons("session.end") == ["identity.session_expired"] * 2


def test_a_step_up_does_not_make_a_session_last_longer(house: House) -> None:
    house.person()
    cookie = house.cookie()
    for _ in range(24 * 2):
        house.clock.advance(timedelta(minutes=15))
        if not house.alive(cookie):
            break
        cookie = house.identity.step_up.prove(cookie, TotpCode(house.code())).id.reveal()
    assert not house.alive(cookie)


def test_strength_lasts_ten_minutes(house: House) -> None:
    house.person()
    cookie = house.cookie()
    house.clock.advance(timedelta(minutes=9, seconds=59))
    assert house.identity.sessions.principal(cookie).strong
    house.clock.advance(timedelta(seconds=1))
    assert not house.identity.sessions.principal(cookie).strong
    with pytest.raises(FreshProofNeeded):
        house.identity.sessions.fresh(cookie)
    house.clock.advance(timedelta(minutes=-30))  # a clock that is set back makes nobody strong
    assert not house.identity.sessions.principal(cookie).strong


def test_roles_are_those_of_the_enrolment_at_this_moment_t16(house: House) -> None:
    house.person("ada", "security_officer")
    cookie = house.cookie()
    house.enrolled["ada"] = frozenset({RoleGrant("auditor", "credit")})
    assert house.identity.sessions.principal(cookie).grants == {RoleGrant("auditor", "credit")}
    with house.db.read() as tx:  # and no table of ours has a column that could give one
        for row in tx.run("SELECT * FROM identity_accounts"):
            assert not {"role", "roles", "grants"} & set(row)


def test_when_an_enrolment_ends_all_sessions_are_over_at_once(house: House) -> None:
    house.person()
    one, two = house.cookie(), house.cookie()
    grants = house.enrolled.pop("ada")
    assert not house.alive(one)
    house.enrolled["ada"] = grants  # enrolled again: what was ended stays so
    assert not house.alive(two)
    assert house.reasons("session.end") == ["identity.not_enrolled"]


def test_a_person_sees_and_ends_their_own_sessions_and_nobody_elses(house: House) -> None:
    house.person("ada")
    house.person("eve")
    here, there, eve = house.cookie("ada"), house.sign_in("ada"), house.cookie("eve")
    mine = house.identity.sessions.own(here)
    assert [one.name for one in mine] == ["ada", "ada"]
    house.identity.sessions.end_one(eve, there.session.handle)
    assert house.alive(there.id.reveal())
    house.identity.sessions.end_one(here, there.session.handle)
    assert not house.alive(there.id.reveal())
    assert house.alive(here)


def test_all_sessions_end_but_the_one_kept(house: House) -> None:
    house.person()
    keep, others = house.sign_in(), [house.cookie() for _ in range(3)]
    assert house.identity.sessions.end_all("ada", by="root", reason="identity.x", keep=keep.session.handle) == 3
    assert [house.alive(one) for one in others] == [False] * 3
    assert house.alive(keep.id.reveal())


def test_a_look_up_reads_and_writes_at_most_once_a_minute(house: House) -> None:
    house.person()
    cookie = house.cookie()
    wrote = 0
    write = house.identity.means.db.write

    def counted():
        nonlocal wrote
        wrote += 1
        return write()

    house.db.write = counted  # type: ignore[method-assign]
    for _ in range(50):
        house.clock.advance(timedelta(seconds=6))
        assert house.alive(cookie)
    assert wrote == 5


def test_two_step_ups_at_once_leave_one_session(house: House) -> None:
    house.person()
    cookie = house.cookie()
    codes = [RecoveryCode(code) for code in house.codes["ada"][:2]]
    done = at_once([lambda c=code: house.identity.step_up.prove(cookie, c) for code in codes])
    assert sum(isinstance(one, NewSession) for one in done) == 1
    with house.db.read() as tx:
        assert len(tx.run("SELECT id FROM identity_sessions")) == 1


def test_a_stolen_cookie_does_not_guess_codes_without_end(house: House) -> None:
    house.person()
    stolen, mine = house.cookie(), house.cookie()
    wrong = throttled = 0
    for _ in range(300):
        house.clock.advance(timedelta(seconds=20))
        try:
            house.identity.step_up.prove(stolen, TotpCode("000000"))
        except ProofRefused:
            wrong += 1
        except TooManyTries:
            throttled += 1
        except SessionOver:
            break
        house.alive(mine)
    assert wrong <= 11
    assert throttled > 0
    assert not house.alive(stolen)
    assert house.alive(mine)
    assert house.identity.step_up.prove(mine, TotpCode(house.code()))  # its own bucket is empty


ENDINGS = (
    "logout",
    "end_one",
    "end_all",
    "step_up",
    "password",
    "totp",
    "codes",
    "lock",
    "unenrol",
    "idle",
    "recovery",
    "link",
)


@pytest.mark.parametrize("first", ENDINGS)
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(later=st.lists(st.sampled_from(ENDINGS), max_size=3))
def test_an_id_is_dead_after_any_verb_that_ends_it_and_stays_dead(house: House, later: list[str], first: str) -> None:
    name = f"p{house.step}"
    house.step += 1
    house.person(name)
    victim = house.cookie(name)
    end(house, name, first, victim)
    assert not house.alive(victim), first
    for verb in later:
        house.enrolled.setdefault(name, frozenset({RoleGrant("auditor")}))
        house.identity.accounts.unlock(name, by="root")
        end(house, name, verb, house.cookie(name))
        assert not house.alive(victim), (first, verb)


def end(house: House, name: str, verb: str, victim: str) -> None:
    """One verb that ends the session `victim`, done in another session of the person where it takes one."""
    other = house.sign_in(name)
    identity, cookie = house.identity, other.id.reveal()
    if verb == "logout":
        identity.sessions.end(victim)
    elif verb == "end_one":
        identity.sessions.end_one(cookie, identity.sessions.look_up(victim).handle)
    elif verb == "end_all":
        identity.sessions.end_all(name, by=name, reason="identity.x", keep=other.session.handle)
    elif verb == "step_up":
        identity.step_up.prove(victim, TotpCode(house.code(name)))
    elif verb == "password":
        identity.accounts.change_password(cookie, Secret(WORDS), Secret("another teapot gravel 31"))
        identity.accounts.change_password(cookie, Secret("another teapot gravel 31"), Secret(WORDS))
    elif verb == "totp":
        offer = identity.totp.offer(cookie)
        identity.totp.add(cookie, offer.ticket.reveal(), pyotp.TOTP(offer.secret.reveal()).at(house.clock()))
        house.secrets[name] = offer.secret.reveal()
    elif verb == "codes":
        house.codes[name] = [code.reveal() for code in identity.recovery.make(cookie)]
    elif verb == "lock":
        identity.accounts.lock(name, by="root", reason="a drill, nothing else")
    elif verb == "unenrol":
        del house.enrolled[name]
    elif verb == "idle":
        house.clock.advance(timedelta(minutes=30))
    elif verb == "recovery":
        identity.login.complete(house.begin(name), RecoveryCode(house.codes[name].pop()), source=AWAY)
    elif verb == "link":
        house.person(name)
