"""The signature of a webhook: who sent this, when, and is it the first time?

Answers: does this delivery come from whoever shares the secret, was it sent within the last minutes, is it new?
Does not answer: is what it says still true? A delivery can be overtaken by a later one.

    Sealwright-Signature: t=<seconds since 1970>,v1=<hex HMAC-SHA256 of "v1.<t>.<body>">

While a secret is being changed there are two `v1=`, one under each secret. The body names the delivery, so that its id is
under the signature, too.
"""

import hmac
import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sealwright.kernel import InvalidInput, SealwrightError, VerificationFailed, from_rfc3339, strict_json
from sealwright.trust.unlock import Secret

__all__ = [
    "SIGNATURE_HEADER",
    "RecentDeliveries",
    "SeenDeliveries",
    "WebhookDelivery",
    "WebhookRefused",
    "sign_webhook",
    "verify_webhook",
]

SIGNATURE_HEADER = "Sealwright-Signature"

_MOST_SECRETS = 2
_FEWEST_CHARACTERS = 32
_SIGNATURE = re.compile(r"t=([0-9]{1,12})((?:,v1=[0-9a-f]{64}){1,2})")
_ID = re.compile(r"whd_[0-9a-f]{24}")
_TYPE = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_FIELDS = {"id", "type", "at", "data"}
_MOST_BODY = 1 << 20
_TOLERANCE = timedelta(minutes=5)


class WebhookRefused(VerificationFailed):
    """A delivery that the receiver does not accept. HTTP clients see 401."""

    code = "webhook.refused"
    status = 401

    def __init__(self, reason: str, message: str) -> None:
        self.reason = f"webhook.{reason}"
        super().__init__(f"The webhook was refused: {message}.", link="webhook")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """What a good delivery says."""

    id: str  # the same whenever this delivery is tried again
    type: str  # what happened, such as "model.promote"
    at: datetime  # when it happened
    data: dict[str, Any]


class SeenDeliveries(Protocol):
    """What a receiver remembers."""

    def first_time(self, delivery: str, now: datetime) -> bool:
        """Remember an id; False if it was remembered already."""


class RecentDeliveries:
    """The ids of the last day, in memory. When it is full of ids younger than the tolerance, it says no to all others."""

    def __init__(self, *, keep: timedelta = timedelta(days=1), most: int = 100_000) -> None:
        self._keep, self._most = keep, most
        self._seen: dict[str, datetime] = {}  # in the order they came
        self._lock = threading.Lock()

    def first_time(self, delivery: str, now: datetime) -> bool:
        """As `SeenDeliveries.first_time`; False also when no more ids can be remembered safely."""
        with self._lock:
            while self._seen and (oldest := next(iter(self._seen))):
                age = now - self._seen[oldest]
                if age <= self._keep and not (len(self._seen) >= self._most and age > 2 * _TOLERANCE):
                    break
                del self._seen[oldest]
            if delivery in self._seen or len(self._seen) >= self._most:
                return False
            self._seen[delivery] = now
            return True


def sign_webhook(body: bytes, secrets: Sequence[Secret], *, now: datetime) -> str:
    """The value of the header `Sealwright-Signature`.

    Parameters
    ----------
    secrets : sequence of Secret
        One, or two while the secret is being changed; at least 32 characters each.

    Raises
    ------
    InvalidInput
        No secret, more than two, or one that is too short.
    """
    seconds = int(now.timestamp())
    keys = _keys(secrets)
    return f"t={seconds}" + "".join(f",v1={_mac(key, seconds, body)}" for key in keys)


def verify_webhook(
    headers: Iterable[tuple[str, str]],
    body: bytes,
    secrets: Sequence[Secret],
    *,
    now: datetime,
    seen: SeenDeliveries,
    tolerance: timedelta = _TOLERANCE,
) -> WebhookDelivery:
    """What a delivery says, if it is signed with one of the secrets, recent, and new.

    Parameters
    ----------
    headers : pairs of name and value
        All of the request's headers as they came, so that a header sent twice is seen.
    body : bytes
        Exactly as it came.
    seen : SeenDeliveries
        What this receiver remembers, such as `RecentDeliveries()`.

    Raises
    ------
    WebhookRefused
        `reason` says which: "webhook.header", "webhook.signature", "webhook.time", "webhook.body", or "webhook.replayed":
        then it was accepted before, and a receiver answers 200 without acting, so that it is not sent again.
    """
    values = [value for name, value in headers if name.lower() == SIGNATURE_HEADER.lower()]
    parts = _SIGNATURE.fullmatch(values[0]) if len(values) == 1 else None
    if parts is None or len(body) > _MOST_BODY:
        raise WebhookRefused("header", f"it needs one {SIGNATURE_HEADER}, as documented, and a body of at most 1 MiB")
    seconds, given = int(parts[1]), parts[2].removeprefix(",v1=").split(",v1=")
    matches = [hmac.compare_digest(_mac(key, seconds, body), one) for key in _keys(secrets) for one in given]
    if not any(matches):
        raise WebhookRefused("signature", "it is not signed with our secret, or its body was changed")
    if abs(now.timestamp() - seconds) > tolerance.total_seconds():
        raise WebhookRefused("time", "it was signed too long ago, or a clock is wrong")
    delivery = _delivery(body)
    if not seen.first_time(delivery.id, now):
        raise WebhookRefused("replayed", "it was accepted before")
    return delivery


def _mac(key: bytes, seconds: int, body: bytes) -> str:
    return hmac.digest(key, b"v1.%d.%b" % (seconds, body), "sha256").hex()


def _keys(secrets: Sequence[Secret]) -> list[bytes]:
    keys = [secret.reveal().encode() for secret in secrets]
    if not 1 <= len(keys) <= _MOST_SECRETS or any(len(key) < _FEWEST_CHARACTERS for key in keys):
        raise InvalidInput(
            f"A webhook has one secret, or two while it is changed, of {_FEWEST_CHARACTERS} characters or more."
        )
    return keys


def _delivery(body: bytes) -> WebhookDelivery:
    try:
        said = strict_json(body, what="webhook")
        if set(said) != _FIELDS or not _ID.fullmatch(said["id"]) or not _TYPE.fullmatch(said["type"]):
            raise InvalidInput("fields")
        if not isinstance(said["data"], dict):
            raise InvalidInput("data")
        return WebhookDelivery(id=said["id"], type=said["type"], at=from_rfc3339(said["at"]), data=said["data"])
    except (SealwrightError, TypeError):
        raise WebhookRefused("body", "its body is not a delivery as documented") from None
