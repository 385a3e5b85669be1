"""There is no account until somebody on the machine used a link, once, within fifteen minutes."""

from datetime import timedelta

import pytest
from house import AWAY, HERE, WORDS, House, at_once

from sealwright.kernel import Refused
from sealwright.trust import (
    FirstPasskey,
    LinkRefused,
    LoginRefused,
    PasswordUnsuitable,
    ProofRefused,
    RoleGrant,
    Secret,
    TotpCode,
)

COMMON = [
    (name, password)
    for name in ("admin", "root", "administrator", "sealwright", "user", "test", "guest", "security_officer", "ada")
    for password in (
        "",
        "admin",
        "root",
        "password",
        "changeme",
        "admin123",
        "sealwright",
        "123456",
        "letmein",
        "default",
    )
]


def use(house: House, token: str, *, source: str = HERE, password: str = WORDS, vouch=None) -> list[str]:
    """Open the link and use it with an authenticator app."""
    import pyotp

    offer = house.identity.links.open(token, source=source)
    code = pyotp.TOTP(offer.totp.secret.reveal()).at(house.clock())
    house.secrets[offer.name] = offer.totp.secret.reveal()
    factor = (offer.totp.ticket.reveal(), TotpCode(code))
    codes = house.identity.links.use(token, Secret(password), factor, source=source, vouch=vouch)
    return [one.reveal() for one in codes]


def first(house: House) -> str:
    return house.identity.links.make_first("ada").token.reveal()


def vouch(house: House):
    return lambda name: house.enrolled.setdefault(name, frozenset({RoleGrant("security_officer")}))


def test_a_fresh_install_has_no_account_and_no_common_credentials_work_t12(house: House) -> None:
    house.enrolled["ada"] = frozenset({RoleGrant("security_officer")})
    for name, password in COMMON:
        house.clock.advance(timedelta(minutes=1))
        ticket = house.begin(name, password)
        with pytest.raises(LoginRefused):
            house.identity.login.complete(ticket, TotpCode("000000"), source=AWAY)
    with house.db.read() as tx:
        assert tx.run("SELECT * FROM identity_accounts") == []
        assert tx.run("SELECT * FROM identity_links") == []


def test_the_first_link_makes_the_first_account_t12(house: House) -> None:
    token = first(house)
    assert len(token) * 6 >= 256
    assert len(use(house, token, vouch=vouch(house))) == 10
    assert house.alive(house.cookie())
    assert [entry.action for entry in house.entries()][:2] == ["enrol.link", "enrol.use"]


def test_after_sixteen_minutes_a_link_is_worth_nothing_t12(house: House) -> None:
    token = first(house)
    house.clock.advance(timedelta(minutes=16))
    with pytest.raises(LinkRefused):
        house.identity.links.open(token, source=HERE)


def test_a_link_that_was_opened_in_time_is_not_used_too_late_t12(house: House) -> None:
    token = first(house)
    offer = house.identity.links.open(token, source=HERE)
    house.clock.advance(timedelta(minutes=15))
    with pytest.raises(LinkRefused):
        house.identity.links.use(token, Secret(WORDS), (offer.totp.ticket.reveal(), TotpCode("000000")), source=HERE)


@pytest.mark.parametrize(
    "source", [AWAY, "10.0.0.1", "::ffff:192.0.2.7", "2001:db8::1", "localhost", "", "127.0.0.1.evil", "0.0.0.0"]
)
def test_a_link_is_opened_on_this_machine_only_t12(house: House, source: str) -> None:
    with pytest.raises(LinkRefused):
        use(house, first(house), source=source)
    assert house.reasons("enrol.use") == ["identity.link_refused"]


@pytest.mark.parametrize("source", ["127.0.0.1", "::1", "127.9.9.9", "::ffff:127.0.0.1"])
def test_every_spelling_of_this_machine_works(house: House, source: str) -> None:
    assert use(house, first(house), source=source, vouch=vouch(house))


def test_a_link_works_once_t12(house: House) -> None:
    token = first(house)
    use(house, token, vouch=vouch(house))
    with pytest.raises(LinkRefused):
        house.identity.links.open(token, source=HERE)
    with pytest.raises(LinkRefused):
        house.identity.links.use(token, Secret(WORDS), ("x", TotpCode("000000")), source=HERE)


def test_of_twenty_uses_at_once_one_counts_t12(house: House) -> None:
    import pyotp

    token, works, passwords = first(house), [], [f"{WORDS} {n}" for n in range(20)]
    for password in passwords:
        offer = house.identity.links.open(token, source=HERE)
        code = pyotp.TOTP(offer.totp.secret.reveal()).at(house.clock())
        factor = (offer.totp.ticket.reveal(), TotpCode(code))
        works.append(
            lambda p=password, f=factor: house.identity.links.use(token, Secret(p), f, source=HERE, vouch=vouch(house))
        )
    done = at_once(works)
    assert sum(isinstance(one, list) for one in done) == 1
    assert sum(isinstance(one, LinkRefused) for one in done) == 19
    assert [entry.detail["outcome"] for entry in house.entries("enrol.use")].count("done") == 1
    with house.db.read() as tx:
        assert len(tx.run("SELECT code FROM identity_recovery_codes")) == 10


def test_there_is_no_first_link_once_there_is_an_account_t12(house: House) -> None:
    lost = first(house)
    token = first(house)
    with pytest.raises(LinkRefused):  # a newer one makes the lost one worthless
        house.identity.links.open(lost, source=HERE)
    use(house, token, vouch=vouch(house))
    with pytest.raises(Refused, match="already"):
        house.identity.links.make_first("eve")


def test_two_first_links_never_make_two_first_accounts_t12(house: House) -> None:
    """Even if a second one was put into the database while the first was used."""
    token = first(house)
    with house.db.write() as tx:
        row = dict(tx.run("SELECT * FROM identity_links")[0])
    use(house, token, vouch=vouch(house))
    import hashlib

    with house.db.write() as tx:
        tx.run(
            "INSERT INTO identity_links (id, name, first, anywhere, expires_at, used_at) VALUES (:id, 'eve', 1, 0, :until, '')",
            id=hashlib.sha256(b"second").hexdigest(),
            until=row["expires_at"],
        )
    with pytest.raises(Refused, match="already"):
        use(house, "second", vouch=vouch(house))


def test_only_the_hash_of_a_token_is_kept(house: House) -> None:
    token = first(house)
    with house.db.read() as tx:
        assert token not in str(tx.run("SELECT * FROM identity_links"))
    assert token not in repr(house.identity.links.make_first("ada"))


def test_password_and_factor_are_set_both_or_neither(house: House) -> None:
    token = first(house)
    offer = house.identity.links.open(token, source=HERE)
    import pyotp

    good = (offer.totp.ticket.reveal(), TotpCode(pyotp.TOTP(offer.totp.secret.reveal()).at(house.clock())))
    with pytest.raises(PasswordUnsuitable):
        house.identity.links.use(token, Secret("password1234"), good, source=HERE, vouch=vouch(house))
    with pytest.raises(ProofRefused):
        house.identity.links.use(token, Secret(WORDS), (good[0], TotpCode("000000")), source=HERE, vouch=vouch(house))
    with pytest.raises(ProofRefused):
        house.identity.links.use(token, Secret(WORDS), FirstPasskey({}), source=HERE, vouch=vouch(house))
    with house.db.read() as tx:
        for table in (tx.run("SELECT name FROM identity_accounts"), tx.run("SELECT name FROM identity_totp")):
            assert table == []
    assert house.enrolled == {}
    assert house.identity.links.use(token, Secret(WORDS), good, source=HERE, vouch=vouch(house))


def test_when_the_person_cannot_be_enrolled_nothing_is_set_and_the_link_stays(house: House) -> None:
    token = first(house)

    def fails(name: str) -> None:
        raise Refused("no signer")

    with pytest.raises(Refused, match="no signer"):
        use(house, token, vouch=fails)
    with pytest.raises(Refused, match="not enrolled"):
        use(house, token, vouch=None)
    with house.db.read() as tx:
        assert tx.run("SELECT name FROM identity_accounts") == []
    assert use(house, token, vouch=vouch(house))


def test_when_the_ledger_cannot_be_written_nothing_is_set(house: House) -> None:
    token = first(house)
    import pyotp

    offer = house.identity.links.open(token, source=HERE)
    code = pyotp.TOTP(offer.totp.secret.reveal()).at(house.clock())
    house.ledger.close()
    with pytest.raises(Exception, match="closed"):
        house.identity.links.use(
            token, Secret(WORDS), (offer.totp.ticket.reveal(), TotpCode(code)), source=HERE, vouch=vouch(house)
        )
    with house.db.read() as tx:
        assert tx.run("SELECT name FROM identity_accounts") == []
        assert tx.run("SELECT name FROM identity_totp") == []


def test_a_link_for_somebody_who_is_not_enrolled_is_not_made(house: House) -> None:
    with pytest.raises(Refused, match="not enrolled"):
        house.identity.links.make("mallory", by="ada")


def test_a_passkey_may_be_the_first_factor(house: House, authenticator) -> None:
    token = first(house)
    offer = house.identity.links.open(token, source=HERE)
    answer = authenticator.make(offer.passkey)
    house.identity.links.use(token, Secret(WORDS), FirstPasskey(answer), source=HERE, vouch=vouch(house))
    with house.db.read() as tx:
        assert len(tx.run("SELECT id FROM identity_passkeys")) == 1


def test_an_offer_of_one_link_does_not_serve_another(house: House) -> None:
    house.enrolled["eve"] = house.enrolled["bob"] = frozenset()
    eve = house.identity.links.make("eve", by="root", anywhere=True).token.reveal()
    bob = house.identity.links.make("bob", by="root", anywhere=True).token.reveal()
    import pyotp

    offer = house.identity.links.open(eve, source=AWAY)
    code = pyotp.TOTP(offer.totp.secret.reveal()).at(house.clock())
    with pytest.raises(ProofRefused):
        house.identity.links.use(bob, Secret(WORDS), (offer.totp.ticket.reveal(), TotpCode(code)), source=AWAY)


def test_a_new_link_replaces_all_a_person_signs_in_with_and_ends_their_sessions(house: House, authenticator) -> None:
    house.person()
    cookie, old_code = house.cookie(), house.codes["ada"][0]
    house.identity.passkeys.add(cookie, authenticator.make(house.identity.passkeys.offer(cookie)), label="key")
    token = house.identity.links.make("ada", by="root").token.reveal()
    assert house.alive(cookie)  # making one changes nothing yet
    use(house, token, password="another teapot gravel 31")
    assert not house.alive(cookie)
    assert not house.identity.recovery.use("ada", old_code)
    with house.db.read() as tx:
        assert tx.run("SELECT id FROM identity_passkeys") == []
    with pytest.raises(LoginRefused):
        house.cookie()
    assert house.alive(house.sign_in(password="another teapot gravel 31").id.reveal())


def test_a_link_does_not_unlock_an_account(house: House) -> None:
    house.person()
    house.identity.accounts.lock("ada", by="root", reason="under investigation")
    use(house, house.identity.links.make("ada", by="root").token.reveal())
    with pytest.raises(LoginRefused):
        house.cookie()


def test_guessing_links_does_not_fill_the_ledger(house: House) -> None:
    for n in range(100):
        with pytest.raises(LinkRefused):
            house.identity.links.open(f"guess {n}", source=AWAY)
    assert len(house.entries("enrol.use")) == house.rules.flood_per_source
