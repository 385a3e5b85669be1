"""A session by the identity provider stays one, whatever is shown in it later, and gives nobody a way in of their own."""

from datetime import timedelta

import pytest
from house import WORDS, House
from soft_authenticator import SoftAuthenticator

from sealwright.trust import FreshProofNeeded, RecoveryCode, Secret, SessionOver, TotpCode


def by_provider(house: House, name: str = "ada", *, strong: bool = True) -> str:
    return house.identity.sessions.begin_by_provider(name, strong=strong).id.reveal()


def test_a_step_up_does_not_turn_it_into_a_session_of_the_enrolment(house: House) -> None:
    """The roles were those of the groups; after a step-up they were those of the enrolment."""
    house.person("ada", "administrator")
    cookie = by_provider(house)
    assert house.identity.sessions.principal(cookie).grants == frozenset()
    for proof in (TotpCode(house.code()), RecoveryCode(house.codes["ada"][0])):
        cookie = house.identity.step_up.prove(cookie, proof).id.reveal()
        session = house.identity.sessions.look_up(cookie)
        assert (session.by_provider, session.factor) == (True, proof.factor)
        principal = house.identity.sessions.principal(cookie)
        assert (principal.grants, principal.strong) == (frozenset(), True)
    assert [one.detail["factor"] for one in house.entries("step_up")] == ["totp", "recovery_code"]
    assert not house.identity.sessions.look_up(house.cookie()).by_provider


def test_where_it_came_from_cannot_be_edited(house: House) -> None:
    house.person()
    cookie = house.identity.step_up.prove(by_provider(house), TotpCode(house.code())).id.reveal()
    with house.db.write() as tx:
        tx.run("UPDATE identity_sessions SET factor = 'totp'")
    with pytest.raises(SessionOver):
        house.identity.sessions.principal(cookie)


def test_whoever_has_the_account_at_the_provider_adds_no_way_in_here(
    house: House, authenticator: SoftAuthenticator
) -> None:
    """They sign in there, add an app of theirs, step up with it, and are the person."""
    house.person()
    cookie, identity = by_provider(house), house.identity
    assert identity.sessions.principal(cookie).strong  # by the word of the provider
    for change in (
        lambda: identity.totp.offer(cookie),
        lambda: identity.totp.add(cookie, "ticket", "123456"),
        lambda: identity.totp.remove(cookie),
        lambda: identity.passkeys.offer(cookie),
        lambda: identity.passkeys.add(cookie, {}, label="mine"),
        lambda: identity.passkeys.remove(cookie, "key"),
        lambda: identity.recovery.make(cookie),
        lambda: identity.accounts.change_password(cookie, Secret(WORDS), Secret("another teapot gravel 31")),
    ):
        with pytest.raises(FreshProofNeeded, match="already"):
            change()
    assert identity.recovery.left(cookie) == 10
    assert house.entries("totp.add") == house.entries("passkey.add") == house.entries("recovery_codes.make") == []


def test_whoever_shows_a_factor_that_was_here_before_changes_them(house: House) -> None:
    house.person()
    identity = house.identity
    cookie = identity.step_up.prove(by_provider(house, strong=False), TotpCode(house.code())).id.reveal()
    assert len(identity.recovery.make(cookie)) == 10
    assert identity.totp.offer(cookie)
    house.clock.advance(timedelta(minutes=11))
    with pytest.raises(FreshProofNeeded, match="fresh proof"):
        identity.recovery.make(cookie)
    with pytest.raises(FreshProofNeeded, match="already"):
        identity.recovery.make(by_provider(house))  # there once more: it does not count for here
