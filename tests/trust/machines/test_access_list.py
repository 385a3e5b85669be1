"""The access list says what was taken back, and nobody but the workspace can say so, or say less."""

import json
from datetime import timedelta
from typing import Any

import pytest

from sealwright.kernel import FixedClock, VerificationFailed
from sealwright.trust import (
    ED25519,
    AccessListOlder,
    LocalSigner,
    SignerRefused,
    TokenRefused,
    issue_token,
    make_statement,
    sign_access_list,
    sign_statement,
    verify_access_list,
    verify_token,
)

AUDIENCE, ISSUER = "urn:sealwright:predict:ws_1", "urn:sealwright:workspace:ws_1"


def read(desk: Any, **more: Any) -> Any:
    keys = desk.keyring.trust_root.keys_of("tokens")
    return verify_access_list(desk.access_file.read_bytes(), keys, "ws_1", **more)


def claims(desk: Any) -> Any:
    raw = issue_token(
        desk.keyring.signer("tokens"),
        issuer=ISSUER,
        audience=AUDIENCE,
        subject="till",
        scopes=["predict:credit"],
        lifetime=timedelta(minutes=5),
        now=desk.clock(),
    )
    keys = desk.keyring.trust_root.keys_of("tokens")
    return verify_token(raw, keys, issuer=ISSUER, audience=AUDIENCE, now=desk.clock())


def test_one_revoked_token_is_refused_and_others_are_not(desk: Any) -> None:
    one, two = claims(desk), claims(desk)
    desk.machines.revoke_token(one, by="ada", reason="leaked")
    found = read(desk)
    with pytest.raises(TokenRefused, match="revoked"):
        found.check_token(one)
    found.check_token(two)


def test_all_tokens_of_a_client_up_to_now_are_refused_and_later_ones_are_not(desk: Any) -> None:
    before = claims(desk)
    desk.machines.revoke_tokens_of("till", by="ada", reason="secret leaked")
    with pytest.raises(TokenRefused, match="revoked"):
        read(desk).check_token(before)
    desk.clock.advance(timedelta(seconds=1))
    read(desk).check_token(claims(desk))


def test_each_change_has_a_higher_sequence_and_the_list_forgets_what_expired(desk: Any) -> None:
    one = claims(desk)
    desk.machines.revoke_token(one, by="ada", reason="")
    first = read(desk)
    desk.machines.revoke_tokens_of("till", by="ada", reason="")
    second = read(desk)
    assert (first.sequence, second.sequence) == (1, 2)
    desk.clock.advance(timedelta(minutes=6))
    assert not desk.machines.publish().tokens
    assert set(read(desk).clients) == {"till"}
    desk.clock.advance(timedelta(hours=25))
    assert not desk.machines.publish().clients


def test_a_client_cannot_fill_the_list_that_others_need(desk: Any) -> None:
    """It takes back hundreds of its own tokens; they end in one entry, and another's revocation still fits."""
    mine = [claims(desk) for _ in range(103)]
    for one in mine:
        desk.machines.revoke_token(one, by="till", reason="")
    found = read(desk)
    assert (len(found.tokens), set(found.clients)) == (100, {"till"})
    for one in mine:
        with pytest.raises(TokenRefused, match="revoked"):
            found.check_token(one)


def test_an_older_list_is_refused(desk: Any) -> None:
    desk.machines.revoke_tokens_of("till", by="ada", reason="")
    old = desk.access_file.read_bytes()
    desk.machines.revoke_tokens_of("other", by="ada", reason="")
    desk.access_file.write_bytes(old)
    assert read(desk, at_least=1).sequence == 1
    with pytest.raises(AccessListOlder, match="2 was seen before"):
        read(desk, at_least=2)


def test_a_list_by_another_branch_key_workspace_or_kind_is_refused(desk: Any) -> None:
    found = desk.machines.publish()
    keys = desk.keyring.trust_root.keys_of("tokens")
    for signer in (desk.stolen("releases"), LocalSigner(ED25519, b"\7" * 32)):
        with pytest.raises(VerificationFailed, match="does not verify"):
            verify_access_list(sign_access_list(found, "ws_1", signer), keys, "ws_1")
    good = sign_access_list(found, "ws_1", desk.keyring.signer("tokens"))
    with pytest.raises(SignerRefused):
        sign_access_list(found, "ws_1", desk.keyring.signer("releases"))
    with pytest.raises(VerificationFailed, match="another workspace"):
        verify_access_list(good, keys, "ws_2")
    other = make_statement([("ws_1", "sha256:" + "0" * 64)], "urn:other", {"format": 1})
    with pytest.raises(VerificationFailed):
        verify_access_list(sign_statement(other, desk.stolen("tokens")), keys, "ws_1")


def test_every_changed_byte_is_noticed(desk: Any) -> None:
    desk.machines.make_api_key("till", project="credit", scopes=["predict:credit"], owner="ada", days=1, by="ada")
    whole = desk.access_file.read_bytes()
    keys = desk.keyring.trust_root.keys_of("tokens")
    for at in range(0, len(whole), 7):
        changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        with pytest.raises(VerificationFailed):
            verify_access_list(changed, keys, "ws_1")


def test_a_list_from_the_future_is_refused_where_a_clock_is_given(desk: Any) -> None:
    desk.machines.publish()
    with pytest.raises(VerificationFailed, match="future"):
        read(desk, clock=FixedClock(desk.clock() - timedelta(minutes=5)))


def test_the_list_holds_no_key_only_its_digest(desk: Any) -> None:
    _, raw = desk.machines.make_api_key(
        "till", project="credit", scopes=["predict:credit"], owner="ada", days=1, by="ada"
    )
    assert raw.split("_")[2] not in desk.access_file.read_text()
    assert set(json.loads(desk.access_file.read_bytes())) == {"payload", "payloadType", "signatures"}


def test_two_who_write_at_once_never_leave_the_older_list(desk: Any) -> None:
    """While one signs what it has read, another takes something back: it waits, and its list is the last."""
    import threading

    signer, started = desk.machines.signer, []  # type: ignore[var-annotated]

    class Slow:
        """The real signer; its first signature takes until the other is done, or a second."""

        key_id, algorithm, public, beside = signer.key_id, signer.algorithm, signer.public, ()

        def sign_together(self, data: bytes) -> tuple[bytes, ...]:
            if not started:
                other = threading.Thread(
                    target=lambda: desk.machines.revoke_tokens_of("late", by="ada", reason=""), daemon=True
                )
                started.append(other)
                other.start()
                other.join(1.0)
            return signer.sign_together(data)  # type: ignore[no-any-return]

    slow = Slow()
    desk.machines._signer = lambda: slow
    desk.machines.publish()
    started[0].join(20)
    found = read(desk)
    assert (found.sequence, set(found.clients)) == (1, {"late"})


def test_a_listed_key_ends_at_its_second_wherever_the_list_is_read(desk: Any) -> None:
    """A prediction server keeps a list that nobody has written anew since the key ended."""
    from sealwright.trust.machines.api_keys import api_key_digest

    key, raw = desk.machines.make_api_key(
        "till", project="credit", scopes=["predict:credit"], owner="ada", days=1, by="ada"
    )
    found, digest = read(desk), bytes.fromhex(api_key_digest(raw))
    assert found.key(raw, digest, key.expires_at - timedelta(seconds=1))[0] == key.id
    with pytest.raises(TokenRefused) as refused:
        found.key(raw, digest, key.expires_at)
    assert refused.value.reason == "api_key.expired"


def test_what_cannot_be_recorded_does_not_happen(desk: Any) -> None:
    key, _ = desk.machines.make_api_key(
        "till", project="credit", scopes=["predict:credit"], owner="ada", days=1, by="ada"
    )
    before = desk.access_file.read_bytes()
    desk.ledger.close()
    for act in (
        lambda: desk.machines.revoke_api_key(key.id, by="ada", reason=""),
        lambda: desk.machines.revoke_tokens_of("till", by="ada", reason=""),
        lambda: desk.add("late"),
    ):
        with pytest.raises(Exception, match=r"ledger|closed"):
            act()
    assert desk.machines.clients() == []
    assert desk.machines.api_keys()[0].revoked_at is None
    assert desk.access_file.read_bytes() == before
