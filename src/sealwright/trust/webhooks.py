"""Webhooks: telling another system what happened, signed, at an address that is checked each time.

Answers: where does a delivery go, under which secrets, and did it arrive?
Does not answer: what is worth telling, and when is it tried again? Callers decide; `pause_before` says how long to wait.
Every attempt is in the ledger before it leaves.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sealwright.engines import Database, Outbound, OutboundFailed, OutboundRefused, Pinned
from sealwright.kernel import Clock, Conflict, InvalidInput, canonical_json, check_name, new_id, rfc3339
from sealwright.trust.audit import Audit, Event
from sealwright.trust.identity.keys import IdentityKeys
from sealwright.trust.keyring import Keyring
from sealwright.trust.principal import Principal
from sealwright.trust.unlock import Secret
from sealwright.trust.webhook_signature import SIGNATURE_HEADER, sign_webhook
from sealwright.trust.webhook_store import Endpoint, WebhookStore

__all__ = ["Sent", "WebhookMessage", "Webhooks", "pause_before"]

Outcome = Literal["done", "refused", "failed"]

_PAUSES = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
_TYPE = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_MOST_BODY = 256 * 1024
_MOST_ANSWER = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMessage:
    """One thing to tell. Tried again, it keeps its id."""

    id: str
    type: str  # such as "model.promote"
    body: bytes  # canonical JSON: id, type, at, data

    @classmethod
    def about(cls, kind: str, data: Mapping[str, object], *, at: datetime) -> "WebhookMessage":
        """A new message.

        Raises
        ------
        InvalidInput
            A type that is no plain word, data without a JSON form, or more than 256 KiB.
        """
        if not _TYPE.fullmatch(kind):
            raise InvalidInput("The type of a webhook message is a word such as model.promote.")
        delivery = new_id("whd")
        body = canonical_json({"id": delivery, "type": kind, "at": rfc3339(at), "data": data})
        if len(body) > _MOST_BODY:
            raise InvalidInput(f"A webhook message holds at most {_MOST_BODY:,} bytes. Send an id to look it up by.")
        return cls(id=delivery, type=kind, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of one attempt."""

    status: int  # what the receiver answered; 0 if it did not
    reason: str = ""  # why it did not arrive, such as "outbound.timeout" or "webhook.status"

    @property
    def arrived(self) -> bool:
        return not self.reason


def pause_before(attempt: int) -> timedelta | None:
    """How long to wait before attempt number 2, 3, …; None: give up."""
    return _PAUSES[attempt - 2] if 2 <= attempt < len(_PAUSES) + 2 else None


class Webhooks:
    """The endpoints of a workspace. Permission is checked by whoever calls."""

    def __init__(self, db: Database, keyring: Keyring, outbound: Outbound, audit: Audit, clock: Clock) -> None:
        self._store = WebhookStore(db, IdentityKeys(keyring))
        self._outbound = outbound
        self._audit = audit
        self._clock = clock

    def add(self, name: str, url: str, *, by: Principal) -> Secret:
        """Register an endpoint and give its secret, which is shown this once.

        Raises
        ------
        OutboundRefused, OutboundFailed
            Its address may not be asked, or cannot be looked up now.
        Conflict
            There is one of this name.
        """
        check_name(name, what="webhook")
        self._checked("webhook.add", name, url, actor=by.name)
        endpoint = Endpoint(name, url, (_new_secret(),))

        def first(found: Endpoint | None) -> None:
            if found is not None:
                raise Conflict(f"There is a webhook {name} already. Remove it first, or choose another name.")
            self._record("webhook.add", "done", name, actor=by.name)

        self._store.add(endpoint, self._clock(), first=first)
        return endpoint.secrets[0]

    def rotate(self, name: str, *, by: Principal) -> Secret:
        """A second secret, shown this once: deliveries are signed with both until `end_rotation`.

        Raises
        ------
        NotFound
            There is no such endpoint.
        Conflict
            A change is under way already.
        """

        def change(found: Endpoint) -> Endpoint:
            if len(found.secrets) > 1:
                raise Conflict(f"The secret of {name} is being changed already. End that first.")
            self._record("webhook.rotate", "done", name, actor=by.name)
            return Endpoint(name, found.url, (_new_secret(), *found.secrets))

        return self._store.change(name, self._clock(), change).secrets[0]

    def end_rotation(self, name: str, *, by: Principal) -> None:
        """Forget the old secret; from now on only the new one signs.

        Raises
        ------
        NotFound
            There is no such endpoint.
        """

        def change(found: Endpoint) -> Endpoint:
            self._record("webhook.rotate_end", "done", name, actor=by.name)
            return Endpoint(name, found.url, found.secrets[:1])

        self._store.change(name, self._clock(), change)

    def remove(self, name: str, *, by: Principal) -> None:
        """Forget an endpoint and its secrets.

        Raises
        ------
        NotFound
            There is none of this name.
        """
        self._store.remove(name, first=lambda: self._record("webhook.remove", "done", name, actor=by.name))

    def names(self) -> list[str]:
        """The names of all endpoints."""
        return self._store.names()

    def send(self, name: str, message: WebhookMessage) -> Sent:
        """One attempt. Its address is looked up and checked anew; the ledger has it before it leaves.

        Raises
        ------
        NotFound
            There is no such endpoint.
        OutboundRefused
            Its address may not be asked any more.
        """
        endpoint = self._store.get(name)
        try:
            pinned = self._checked("webhook.send", name, endpoint.url, message=message)
        except OutboundFailed as error:
            return Sent(status=0, reason=error.reason)
        self._record("webhook.send", "done", name, detail=_facts(message))
        sent = self._deliver(pinned, endpoint, message)
        if not sent.arrived:
            detail = {**_facts(message), "status": sent.status}
            self._record("webhook.send", "failed", name, reason=sent.reason, detail=detail)
        return sent

    def _deliver(self, pinned: Pinned, endpoint: Endpoint, message: WebhookMessage) -> Sent:
        signature = sign_webhook(message.body, endpoint.secrets, now=self._clock())
        headers = {"Content-Type": "application/json", "User-Agent": "Sealwright", SIGNATURE_HEADER: signature}
        try:
            answer = self._outbound.send(pinned, "POST", headers=headers, body=message.body, most_bytes=_MOST_ANSWER)
        except (OutboundRefused, OutboundFailed) as error:
            return Sent(status=0, reason=error.reason)
        return Sent(status=answer.status, reason="" if 200 <= answer.status < 300 else "webhook.status")

    def _checked(
        self, action: str, name: str, url: str, *, actor: str = "", message: WebhookMessage | None = None
    ) -> Pinned:
        """The checked address of an endpoint; a refusal is recorded before it is raised."""
        try:
            return self._outbound.check(url)
        except (OutboundRefused, OutboundFailed) as error:
            outcome: Outcome = "refused" if isinstance(error, OutboundRefused) else "failed"
            detail = _facts(message) if message else {}
            self._record(action, outcome, name, actor=actor, reason=error.reason, detail=detail)
            raise

    def _record(
        self,
        action: str,
        outcome: Outcome,
        name: str,
        *,
        actor: str = "",
        reason: str = "",
        detail: Mapping[str, object] | None = None,
    ) -> None:
        self._audit.record(
            Event(
                action=action,
                outcome=outcome,
                actor=actor,
                resource=f"webhook:{name}",
                reason=reason,
                detail=detail or {},
            )
        )


def _facts(message: WebhookMessage) -> dict[str, object]:
    digest = f"sha256:{hashlib.sha256(message.body).hexdigest()}"
    return {"delivery": message.id, "type": message.type, "body": digest}


def _new_secret() -> Secret:
    return Secret(f"whsec_{secrets.token_urlsafe(32)}")
