"""A passkey answers our question, at our address, once, with its person verified; everything else is refused."""

from datetime import timedelta

import pytest
from house import AWAY, House
from soft_authenticator import UP, UV, SoftAuthenticator, b64, unb64

from sealwright.kernel import Conflict, InvalidInput, NotFound
from sealwright.trust import (
    FirstPasskey,
    FreshProofNeeded,
    LastFactor,
    LoginRefused,
    PasskeyAnswer,
    ProofRefused,
    Secret,
)


def with_key(house: House, authenticator: SoftAuthenticator, name: str = "ada") -> str:
    """A session of a person who added this passkey."""
    if name not in house.enrolled:
        house.person(name)
    cookie = house.cookie(name)
    house.identity.passkeys.add(cookie, authenticator.make(house.identity.passkeys.offer(cookie)), label="blue key")
    return cookie


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519"])
def test_a_passkey_is_a_second_factor(house: House, algorithm: str) -> None:
    key = SoftAuthenticator(algorithm)
    with_key(house, key)
    ticket = house.begin()
    answer = key.get(house.identity.login.passkey_options(ticket))
    new = house.identity.login.complete(ticket, PasskeyAnswer(answer), source=AWAY).new
    assert new.session.factor == "passkey"
    assert house.identity.sessions.principal(new.id.reveal()).strong


def test_a_passkey_steps_up_without_a_password(house: House, authenticator) -> None:
    cookie = with_key(house, authenticator)
    house.clock.advance(timedelta(minutes=11))
    assert not house.identity.sessions.principal(cookie).strong
    answer = authenticator.get(house.identity.step_up.passkey_options(cookie))
    renewed = house.identity.step_up.prove(cookie, PasskeyAnswer(answer)).id.reveal()
    assert house.identity.sessions.principal(renewed).strong


LIES = {
    "wrong origin": {"origin": "https://models.example.org.evil.example"},
    "an origin on another port": {"origin": "https://models.example.org:444"},
    "an origin without TLS": {"origin": "http://models.example.org"},
    "other rpId": {"rp_id": "evil.example"},
    "the parent's rpId": {"rp_id": "example.org"},
    "missing UV": {"flags": UP},
    "missing UP": {"flags": UV},
    "another challenge": {"challenge": b64(b"x" * 32)},
    "a registration as an assertion": {"type": "webauthn.create"},
    "from a frame of another site": {"crossOrigin": True},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_an_assertion_that_lies_is_refused_t08(house: House, authenticator, lie) -> None:
    with_key(house, authenticator)
    ticket = house.begin()
    answer = authenticator.get(house.identity.login.passkey_options(ticket), **lie)
    with pytest.raises(LoginRefused):
        house.identity.login.complete(ticket, PasskeyAnswer(answer), source=AWAY)
    again = authenticator.get(house.identity.login.passkey_options(ticket))
    assert house.identity.login.complete(ticket, PasskeyAnswer(again), source=AWAY)  # and without the lie it works


REGISTRATION_LIES = {
    "wrong origin": {"origin": "https://evil.example"},
    "other rpId": {"rp_id": "evil.example"},
    "missing UV": {"flags": UP},
    "another challenge": {},
    "from a frame": {"crossOrigin": True},
    "another kind of attestation": {"fmt": "android-safetynet"},
}


@pytest.mark.parametrize("name", REGISTRATION_LIES)
def test_a_registration_that_lies_is_refused_t08(house: House, authenticator, name: str) -> None:
    house.person()
    cookie = house.cookie()
    options = dict(house.identity.passkeys.offer(cookie))
    if name == "another challenge":
        options["challenge"] = b64(b"x" * 32)
    with pytest.raises(ProofRefused):
        house.identity.passkeys.add(cookie, authenticator.make(options, **REGISTRATION_LIES[name]), label="key")
    assert house.identity.passkeys.own(cookie) == []
    assert house.reasons("passkey.add") == ["identity.wrong_passkey"]


def test_a_challenge_is_answered_once_t08(house: House) -> None:
    authenticator = SoftAuthenticator(counts=False)  # so that the counter does not notice it first
    cookie = with_key(house, authenticator)
    answer = authenticator.get(house.identity.step_up.passkey_options(cookie))
    renewed = house.identity.step_up.prove(cookie, PasskeyAnswer(answer)).id.reveal()
    with pytest.raises(ProofRefused):
        house.identity.step_up.prove(renewed, PasskeyAnswer(answer))


def test_a_challenge_is_over_after_five_minutes_t08(house: House, authenticator) -> None:
    cookie = with_key(house, authenticator)
    options = house.identity.step_up.passkey_options(cookie)
    house.clock.advance(timedelta(minutes=5))
    with pytest.raises(ProofRefused):
        house.identity.step_up.prove(cookie, PasskeyAnswer(authenticator.get(options)))


def test_a_challenge_is_for_one_session_and_one_purpose_t08(house: House, authenticator) -> None:
    cookie = with_key(house, authenticator)
    other = house.cookie()
    options = house.identity.step_up.passkey_options(cookie)
    with pytest.raises(ProofRefused):
        house.identity.step_up.prove(other, PasskeyAnswer(authenticator.get(options)))
    ticket = house.begin()
    with pytest.raises(ProofRefused):  # the question of a login does not step up
        answer = authenticator.get(house.identity.login.passkey_options(ticket))
        house.identity.step_up.prove(cookie, PasskeyAnswer(answer))


def test_a_counter_that_goes_back_is_refused_with_an_alarm_t08(house: House, authenticator) -> None:
    cookie = with_key(house, authenticator)
    for step in (5, 0, -3):
        ticket = house.begin()
        answer = authenticator.get(house.identity.login.passkey_options(ticket), step=step)
        if step > 0:
            house.identity.login.complete(ticket, PasskeyAnswer(answer), source=AWAY)
            continue
        with pytest.raises(LoginRefused):
            house.identity.login.complete(ticket, PasskeyAnswer(answer), source=AWAY)
    assert house.reasons("alert.raise") == ["identity.passkey_counter_back"] * 2
    assert house.alive(cookie)


def test_an_authenticator_that_does_not_count_works(house: House) -> None:
    key = SoftAuthenticator(counts=False)
    cookie = with_key(house, key)
    for _ in range(2):
        answer = key.get(house.identity.step_up.passkey_options(cookie))
        cookie = house.identity.step_up.prove(cookie, PasskeyAnswer(answer)).id.reveal()


def test_an_answer_with_a_forged_counter_does_not_move_ours_t08(house: House, authenticator) -> None:
    cookie = with_key(house, authenticator)
    answer = authenticator.get(house.identity.step_up.passkey_options(cookie))
    data = bytearray(unb64(answer["response"]["authenticatorData"]))
    data[33:37] = b"\xff\xff\xff\xff"
    answer["response"]["authenticatorData"] = b64(bytes(data))
    with pytest.raises(ProofRefused):
        house.identity.step_up.prove(cookie, PasskeyAnswer(answer))
    good = authenticator.get(house.identity.step_up.passkey_options(cookie))
    assert house.identity.step_up.prove(cookie, PasskeyAnswer(good))


@pytest.mark.parametrize("part", ["clientDataJSON", "authenticatorData", "signature"])
def test_a_changed_byte_is_refused_t08(house: House, authenticator, part: str) -> None:
    cookie = with_key(house, authenticator)
    answer = authenticator.get(house.identity.step_up.passkey_options(cookie))
    data = bytearray(unb64(answer["response"][part]))
    data[-2] ^= 1
    answer["response"][part] = b64(bytes(data))
    with pytest.raises(ProofRefused):
        house.identity.step_up.prove(cookie, PasskeyAnswer(answer))


def test_another_key_under_the_same_id_is_refused_t08(house: House, authenticator) -> None:
    cookie = with_key(house, authenticator)
    thief = SoftAuthenticator()
    thief.id, thief.count = authenticator.id, 10
    with pytest.raises(ProofRefused):
        house.identity.step_up.prove(cookie, PasskeyAnswer(thief.get(house.identity.step_up.passkey_options(cookie))))


def test_a_passkey_of_another_person_is_refused_t08(house: House) -> None:
    ada, eve = SoftAuthenticator(), SoftAuthenticator()
    with_key(house, ada, "ada")
    with_key(house, eve, "eve")
    ticket = house.begin("ada")
    with pytest.raises(LoginRefused):
        answer = eve.get(house.identity.login.passkey_options(ticket))
        house.identity.login.complete(ticket, PasskeyAnswer(answer), source=AWAY)
    assert house.reasons("alert.raise") == []  # it was not even opened


def test_a_credential_id_is_one_persons(house: House, authenticator) -> None:
    with_key(house, authenticator, "ada")
    house.person("eve")
    cookie = house.cookie("eve")
    with pytest.raises(Conflict, match="registered already"):
        house.identity.passkeys.add(cookie, authenticator.make(house.identity.passkeys.offer(cookie)), label="mine")


def test_a_row_that_somebody_wrote_without_our_key_opens_nothing(house: House) -> None:
    ada, eve = SoftAuthenticator(), SoftAuthenticator()
    with_key(house, ada, "ada")
    with_key(house, eve, "eve")
    with house.db.write() as tx:
        tx.run("UPDATE identity_passkeys SET name = 'ada' WHERE name = 'eve'")
    ticket = house.begin("ada")
    with pytest.raises(LoginRefused):
        answer = eve.get(house.identity.login.passkey_options(ticket))
        house.identity.login.complete(ticket, PasskeyAnswer(answer), source=AWAY)
    assert "identity.row_changed" in house.reasons("alert.raise")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"id": 1},
        {"response": {}},
        {"response": {"clientDataJSON": "!!"}},
        {"response": {"clientDataJSON": b64(b"[]")}},
        {"response": {"clientDataJSON": b64(b'{"type":"webauthn.get","type":"x","challenge":"","origin":""}')}},
        {"id": "x", "response": {"clientDataJSON": "A" * 99999}},
    ],
)
def test_what_is_no_answer_is_refused_and_nothing_worse(house: House, answer) -> None:
    house.person()
    with pytest.raises(LoginRefused):
        house.identity.login.complete(house.begin(), PasskeyAnswer(answer), source=AWAY)


def test_the_options_of_a_login_say_nothing_about_keys_t06(house: House, authenticator) -> None:
    with_key(house, authenticator)
    known, unknown = (dict(house.identity.login.passkey_options(house.begin(name))) for name in ("ada", "nobody"))
    known.pop("challenge")
    unknown.pop("challenge")
    assert known == unknown
    assert known["userVerification"] == "required"
    assert not known.get("allowCredentials")


def test_adding_and_removing_end_other_sessions_and_need_a_fresh_proof(house: House, authenticator) -> None:
    house.person()
    other = house.cookie()
    cookie = with_key(house, authenticator)
    assert not house.alive(other)
    (passkey,) = house.identity.passkeys.own(cookie)
    assert passkey.label == "blue key"
    other = house.cookie()
    house.identity.passkeys.remove(cookie, passkey.id)
    assert not house.alive(other)
    with pytest.raises(NotFound):
        house.identity.passkeys.remove(cookie, passkey.id)
    house.clock.advance(timedelta(minutes=10))
    with pytest.raises(FreshProofNeeded):
        house.identity.passkeys.offer(cookie)
    with pytest.raises(FreshProofNeeded):
        house.identity.passkeys.remove(cookie, passkey.id)


def test_the_only_passkey_of_somebody_without_an_app_stays(house: House, authenticator) -> None:
    house.enrolled["ada"] = frozenset()
    link = house.identity.links.make("ada", by="root", anywhere=True)
    offer = house.identity.links.open(link.token.reveal(), source=AWAY)
    house.identity.links.use(
        link.token.reveal(),
        Secret("lantern okapi velvet 7 rivers"),
        FirstPasskey(authenticator.make(offer.passkey)),
        source=AWAY,
    )
    ticket = house.begin()
    answer = authenticator.get(house.identity.login.passkey_options(ticket))
    cookie = house.identity.login.complete(ticket, PasskeyAnswer(answer), source=AWAY).new.id.reveal()
    (passkey,) = house.identity.passkeys.own(cookie)
    with pytest.raises(LastFactor):
        house.identity.passkeys.remove(cookie, passkey.id)


@pytest.mark.parametrize("label", ["", "  ", "x" * 61, "a\x1b[31mb"])
def test_a_label_that_cannot_be_shown_is_refused(house: House, authenticator, label: str) -> None:
    house.person()
    cookie = house.cookie()
    with pytest.raises(InvalidInput, match="label"):
        house.identity.passkeys.add(cookie, authenticator.make(house.identity.passkeys.offer(cookie)), label=label)
