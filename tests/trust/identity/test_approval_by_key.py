"""An approval signed by a person's own key holds for exactly that statement, and is checked with no database at all."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from house import ORIGIN, RP_ID, House
from hypothesis import given
from hypothesis import strategies as st
from soft_authenticator import UP, SoftAuthenticator, b64

from sealwright.kernel import Refused, VerificationFailed, canonical_json, strict_json
from sealwright.trust import (
    ED25519,
    LocalSigner,
    PasskeyPublic,
    ProofRefused,
    Statement,
    approval_challenge,
    make_statement,
    passkey_statement,
    sign_statement,
    verify_approval_by_key,
    verify_passkey,
)
from sealwright.trust.identity.approval_by_key import make_approval_by_key

APPROVAL = "urn:sealwright:predicate:approval:v1"
WORKSPACE, EVIL = LocalSigner(ED25519, b"w" * 32), LocalSigner(ED25519, b"e" * 32)
AT = datetime(2026, 11, 26, tzinfo=UTC)


def approval(digit: str = "a", by: str = "ada") -> Statement:
    return make_statement([("package", f"sha256:{digit * 64}")], APPROVAL, {"by": by, "reason": "measured and good"})


def public(key: SoftAuthenticator, person: str = "ada") -> PasskeyPublic:
    return PasskeyPublic(person=person, credential=b64(key.id), public_key=key.cose())


def answer_to(key: SoftAuthenticator, statement: Statement, **lies: Any) -> dict[str, Any]:
    options = {"rpId": RP_ID, "challenge": b64(approval_challenge(statement))}
    return key.get(options, **lies)


def evidence(key: SoftAuthenticator, statement: Statement) -> bytes:
    return make_approval_by_key(statement, public(key), answer_to(key, statement), rp_id=RP_ID, origin=ORIGIN)


def verified(data: bytes, *keys: PasskeyPublic, **more: Any) -> Any:
    return verify_approval_by_key(data, keys, rp_id=more.pop("rp_id", RP_ID), origin=more.pop("origin", ORIGIN), **more)


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519"])
def test_anyone_with_the_public_key_can_check_it_offline(algorithm: str) -> None:
    key, said = SoftAuthenticator(algorithm), approval()
    found = verified(evidence(key, said), public(key), statement=said.digest)
    assert (found.statement, found.passkey, found.sign_count) == (said, public(key), 1)


def test_the_workspace_vouches_whose_key_it_is() -> None:
    key = SoftAuthenticator()
    vouched = sign_statement(passkey_statement(public(key), added_at=AT), WORKSPACE)
    assert verify_passkey(vouched, [WORKSPACE.public()]) == public(key)
    assert verified(evidence(key, approval()), verify_passkey(vouched, [WORKSPACE.public()]))
    with pytest.raises(VerificationFailed):
        verify_passkey(sign_statement(passkey_statement(public(key), added_at=AT), EVIL), [WORKSPACE.public()])
    swapped = make_statement(
        [("ada", "sha256:" + "0" * 64)],
        "urn:sealwright:predicate:passkey:v1",
        {**public(key).to_json(), "added_at": "2026-11-26T00:00:00.000Z"},
    )
    with pytest.raises(VerificationFailed, match="another key"):
        verify_passkey(sign_statement(swapped, WORKSPACE), [WORKSPACE.public()])


def test_a_signature_does_not_move_to_another_statement_t18() -> None:
    key = SoftAuthenticator()
    value = strict_json(evidence(key, approval("a")))
    value["statement"] = approval("b").payload.decode()
    with pytest.raises(VerificationFailed, match="does not hold"):
        verified(canonical_json(value), public(key))
    with pytest.raises(VerificationFailed, match="It approves"):
        verified(evidence(key, approval("a")), public(key), statement=approval("b").digest)
    with pytest.raises(VerificationFailed):
        make_approval_by_key(approval("b"), public(key), answer_to(key, approval("a")), rp_id=RP_ID, origin=ORIGIN)


def test_only_keys_somebody_vouches_for_count_t18() -> None:
    key, other = SoftAuthenticator(), SoftAuthenticator()
    data = evidence(key, approval())
    for trusted in ([], [public(other)], [public(key, "eve")]):
        with pytest.raises(VerificationFailed, match="Nobody vouches"):
            verified(data, *trusted)


def test_nobody_speaks_for_somebody_else_t17() -> None:
    key = SoftAuthenticator()
    with pytest.raises(VerificationFailed, match="speaks for somebody else"):
        evidence(key, approval(by="bob"))


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://evil.example"},
        {"rp_id": "evil.example"},
        {"flags": UP},
        {"type": "webauthn.create"},
        {"crossOrigin": True},
    ],
    ids=str,
)
def test_an_answer_given_elsewhere_or_without_the_person_is_refused_t08(lie: dict[str, Any]) -> None:
    key, said = SoftAuthenticator(), approval()
    with pytest.raises(VerificationFailed):
        make_approval_by_key(said, public(key), answer_to(key, said, **lie), rp_id=RP_ID, origin=ORIGIN)


def test_the_verifier_says_which_address_counts_t08() -> None:
    key = SoftAuthenticator()
    data = evidence(key, approval())
    for elsewhere in ({"origin": "https://other.example.org"}, {"rp_id": "example.org"}):
        with pytest.raises(VerificationFailed, match="given at"):
            verified(data, public(key), **elsewhere)
    value = strict_json(data)
    value["origin"] = "https://other.example.org"  # claiming another address does not make it given there
    with pytest.raises(VerificationFailed):
        verified(canonical_json(value), public(key), origin="https://other.example.org")


_KEY = SoftAuthenticator()
_EVIDENCE = evidence(_KEY, approval())


@given(st.integers(0, len(_EVIDENCE) - 1), st.integers(1, 255))
def test_any_changed_byte_is_noticed_t18(at: int, change: int) -> None:
    changed = bytearray(_EVIDENCE)
    changed[at] ^= change
    with pytest.raises(VerificationFailed):
        verified(bytes(changed), public(_KEY))


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a field more": lambda v: v | {"note": "x"},
    "a field less": lambda v: {k: w for k, w in v.items() if k != "origin"},
    "another format": lambda v: v | {"format": 2},
    "more in the answer": lambda v: v | {"answer": v["answer"] | {"userHandle": "AA"}},
    "no answer": lambda v: v | {"answer": None},
    "a list": lambda v: [v],
    "a number for the statement": lambda v: v | {"statement": 7},
    "a person without a key": lambda v: v | {"passkey": {"person": "ada"}},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_shape_is_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    with pytest.raises(VerificationFailed):
        verified(canonical_json(change(strict_json(_EVIDENCE))), public(_KEY))
    with pytest.raises(VerificationFailed):
        verified(_EVIDENCE + b" ", public(_KEY))


def signed_in_with_key(house: House, key: SoftAuthenticator, name: str = "ada") -> str:
    house.person(name)
    cookie = house.cookie(name)
    house.identity.passkeys.add(cookie, key.make(house.identity.passkeys.offer(cookie)), label="key")
    return cookie


def test_a_person_signs_while_signed_in_and_it_is_on_record(house: House, authenticator) -> None:
    cookie, said = signed_in_with_key(house, authenticator), approval()
    options = house.identity.approvals.ask(cookie, said)
    data = house.identity.approvals.sign(cookie, authenticator.get(options))
    assert verified(data, public(authenticator), statement=said.digest)
    assert [entry.detail["statement"] for entry in house.entries("approval.sign")] == [said.digest]


def test_a_signature_is_given_once_to_one_session_and_for_oneself_t18(house: House, authenticator) -> None:
    cookie, said = signed_in_with_key(house, authenticator), approval()
    with pytest.raises(Refused, match="signs what speaks for ada"):
        house.identity.approvals.ask(cookie, approval(by="bob"))
    other = house.cookie()
    answer = authenticator.get(house.identity.approvals.ask(cookie, said))
    with pytest.raises(ProofRefused):
        house.identity.approvals.sign(other, answer)
    house.identity.approvals.sign(cookie, answer)
    with pytest.raises(ProofRefused):
        house.identity.approvals.sign(cookie, answer)
    assert house.reasons("approval.sign") == ["identity.wrong_passkey", "", "identity.wrong_passkey"]


def test_asking_twice_is_asking_anew(house: House, authenticator) -> None:
    cookie, said = signed_in_with_key(house, authenticator), approval()
    house.identity.approvals.ask(cookie, said)
    assert house.identity.approvals.sign(cookie, authenticator.get(house.identity.approvals.ask(cookie, said)))


def test_an_answer_to_a_login_is_no_approval(house: House, authenticator) -> None:
    cookie = signed_in_with_key(house, authenticator)
    answer = authenticator.get(house.identity.step_up.passkey_options(cookie))
    with pytest.raises(ProofRefused):
        house.identity.approvals.sign(cookie, answer)
