"""A receiver believes a delivery that is signed, recent and new, and no other."""

import hashlib
import hmac
import json
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.kernel import InvalidInput
from sealwright.trust import (
    SIGNATURE_HEADER,
    RecentDeliveries,
    Secret,
    WebhookDelivery,
    WebhookMessage,
    WebhookRefused,
    sign_webhook,
    verify_webhook,
)

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
OLD, NEW, OTHER = (Secret(f"whsec_{letter * 43}") for letter in "abc")
MESSAGE = WebhookMessage.about("model.promote", {"project": "credit", "version": 3}, at=NOW)
SIGNED = sign_webhook(MESSAGE.body, [OLD], now=NOW)


def verified(
    header: str = SIGNED, body: bytes = MESSAGE.body, *, secrets=(OLD,), now=NOW, seen=None, more=()
) -> WebhookDelivery:
    headers = [("Content-Type", "application/json"), (SIGNATURE_HEADER, header), *more]
    return verify_webhook(headers, body, secrets, now=now, seen=seen or RecentDeliveries())


def reason_of(**options) -> str:
    with pytest.raises(WebhookRefused) as error:
        verified(**options)
    assert (error.value.status, error.value.code) == (401, "webhook.refused")
    return error.value.reason


def test_a_delivery_says_what_was_sent() -> None:
    got = verified()
    assert (got.id, got.type, got.at, got.data) == (
        MESSAGE.id,
        "model.promote",
        NOW,
        {"project": "credit", "version": 3},
    )


def test_the_signature_is_what_the_documentation_says() -> None:
    """Written out with the standard library, as a receiver in another language would."""
    seconds = int(NOW.timestamp())
    mac = hmac.new(OLD.reveal().encode(), f"v1.{seconds}.".encode() + MESSAGE.body, hashlib.sha256).hexdigest()
    assert f"t={seconds},v1={mac}" == SIGNED


def test_while_a_secret_is_changed_either_verifies() -> None:
    both = sign_webhook(MESSAGE.body, [NEW, OLD], now=NOW)
    for secrets in ([OLD], [NEW], [OLD, NEW]):
        assert verified(both, secrets=secrets).id == MESSAGE.id
    assert reason_of(header=both, secrets=[OTHER]) == "webhook.signature"
    assert verified(SIGNED, secrets=[NEW, OLD]).id == MESSAGE.id


def test_a_wrong_hmac_is_refused_t34() -> None:
    assert reason_of(secrets=[OTHER]) == "webhook.signature"
    wrong = SIGNED[:-1] + ("0" if SIGNED[-1] != "0" else "1")
    assert reason_of(header=wrong) == "webhook.signature"


@given(st.integers(0, len(MESSAGE.body) - 1), st.integers(1, 255))
def test_any_changed_byte_of_the_body_is_refused_t34(at: int, by: int) -> None:
    changed = bytearray(MESSAGE.body)
    changed[at] ^= by
    assert reason_of(body=bytes(changed)) == "webhook.signature"


@pytest.mark.parametrize(
    "change", [lambda body: body + b" ", lambda body: body[:-1], lambda _: b"", lambda body: body * 2]
)
def test_a_longer_or_shorter_body_is_refused_t34(change) -> None:
    assert reason_of(body=change(MESSAGE.body)) == "webhook.signature"


def test_another_timestamp_needs_another_signature_t34() -> None:
    moved = SIGNED.replace(f"t={int(NOW.timestamp())}", f"t={int(NOW.timestamp()) + 1}")
    assert reason_of(header=moved) == "webhook.signature"


@pytest.mark.parametrize("by", [timedelta(minutes=5, seconds=1), timedelta(days=9), timedelta(minutes=-5, seconds=-1)])
def test_an_old_delivery_and_one_from_the_future_are_refused_t34(by: timedelta) -> None:
    assert reason_of(now=NOW + by) == "webhook.time"


def test_five_minutes_are_still_recent() -> None:
    for by in (timedelta(minutes=5), timedelta(minutes=-5)):
        assert verified(now=NOW + by)


def test_a_replay_is_refused_t34() -> None:
    seen = RecentDeliveries()
    verified(seen=seen)
    assert reason_of(seen=seen) == "webhook.replayed"
    again = sign_webhook(MESSAGE.body, [OLD], now=NOW + timedelta(hours=6))
    assert reason_of(header=again, now=NOW + timedelta(hours=6), seen=seen) == "webhook.replayed"


def test_of_many_at_once_one_is_accepted_t34() -> None:
    """Threads change places as often as they can, so that a memory without a lock accepts two."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(40):
            seen, said, barrier = RecentDeliveries(), [], threading.Barrier(8)

            def receive(seen=seen, said=said, barrier=barrier) -> None:
                barrier.wait()
                said.extend(seen.first_time(f"whd_{n}", NOW) for n in range(200))

            threads = [threading.Thread(target=receive) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert said.count(True) == 200
    finally:
        sys.setswitchinterval(before)


def test_what_was_refused_is_not_remembered_t34() -> None:
    seen = RecentDeliveries()
    reason_of(secrets=[OTHER], seen=seen)
    reason_of(now=NOW + timedelta(hours=1), seen=seen)
    assert verified(seen=seen)


def test_a_header_sent_twice_is_refused_t34() -> None:
    for name in (SIGNATURE_HEADER, SIGNATURE_HEADER.lower()):
        assert reason_of(more=[(name, SIGNED)]) == "webhook.header"


def test_a_missing_header_is_refused_t34() -> None:
    with pytest.raises(WebhookRefused) as error:
        verify_webhook([("Content-Type", "application/json")], MESSAGE.body, [OLD], now=NOW, seen=RecentDeliveries())
    assert error.value.reason == "webhook.header"


_T, _V = SIGNED.split(",")


@pytest.mark.parametrize(
    "header",
    ["", _T, _V, f"{_V},{_T}", f"{_T},{_T},{_V}", f"{_T},{_V},{_V},{_V}", f"{_T},v0={_V[3:]}", f"{_T},v2={_V[3:]}",
     f"{_T},{_V},", f" {SIGNED}", f"{SIGNED}\n", f"{_T}, {_V}", f"{_T},{_V.upper()}", f"{_T},v1=", f"{_T},v1={_V[3:-2]}",
     f"t=-1,{_V}", f"t=1e9,{_V}", f"t=9999999999999,{_V}", f"t=١,{_V}", f"{_T};{_V}", f"{_T},{_V},v0=x"],
    ids=len,  # the id of the message is drawn anew in each process
)  # fmt: skip
def test_a_header_in_another_form_is_refused_t34(header: str) -> None:
    assert reason_of(header=header) == "webhook.header"


@pytest.mark.parametrize("seconds", [0, 1, 999_999_999_999])
def test_no_timestamp_makes_a_receiver_fall_over_t34(seconds: int) -> None:
    header = (
        f"t={seconds},v1={hmac.digest(OLD.reveal().encode(), b'v1.%d.%b' % (seconds, MESSAGE.body), 'sha256').hex()}"
    )
    assert reason_of(header=header) == "webhook.time"


@pytest.mark.parametrize(
    "change",
    [{"id": "x"}, {"id": None}, {"type": "X Y"}, {"at": "yesterday"}, {"data": []}, {"more": 1}, {"id": 7}, {"at": 7}],
)
def test_a_signed_body_in_another_form_is_refused(change) -> None:
    body = json.dumps({**json.loads(MESSAGE.body), **change}).encode()
    assert reason_of(header=sign_webhook(body, [OLD], now=NOW), body=body) == "webhook.body"
    for odd in (b"[]", b"7", b"{", b'"x"', b"null", b"\xff", b'{"id":1,"id":2}'):
        assert reason_of(header=sign_webhook(odd, [OLD], now=NOW), body=odd) == "webhook.body"


def test_a_full_memory_refuses_rather_than_forgets_t34() -> None:
    seen = RecentDeliveries(most=3)
    assert [seen.first_time(f"d{n}", NOW) for n in range(4)] == [True, True, True, False]
    assert not seen.first_time("d0", NOW)
    later = NOW + timedelta(minutes=11)  # beyond what a signature lasts, so forgetting one is safe
    assert seen.first_time("d9", later)


@pytest.mark.parametrize("secrets", [[], [OLD, NEW, OTHER], [Secret("short")], [OLD, Secret("")]])
def test_weak_or_many_secrets_are_refused(secrets) -> None:
    with pytest.raises(InvalidInput, match="secret"):
        sign_webhook(b"{}", secrets, now=NOW)
    with pytest.raises(InvalidInput, match="secret"):
        verified(secrets=secrets)


def test_a_message_is_small_and_has_a_plain_type() -> None:
    with pytest.raises(InvalidInput, match="262,144"):
        WebhookMessage.about("x", {"data": "y" * 300_000}, at=NOW)
    with pytest.raises(InvalidInput, match="type"):
        WebhookMessage.about("Model Promoted", {}, at=NOW)
