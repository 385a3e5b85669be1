"""Browsers somebody signed in with before: their tries are counted apart, so that strangers cannot lock a person out.

Answers: did this browser hold a full login of this account within the last 90 days?
Does not answer: is it the person? It replaces no factor; a stolen cookie only brings five tries of its own.
"""

from sealwright.engines import Tx
from sealwright.kernel import rfc3339
from sealwright.trust.identity.keys import fingerprint
from sealwright.trust.identity.means import Means
from sealwright.trust.unlock import Secret

__all__ = ["Devices"]


class Devices:
    """Known browsers, by the SHA-256 of their cookie."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def knows(self, tx: Tx, device: str, name: str) -> bool:
        """Whether this cookie was given to this person. It is used up only by another login."""
        return bool(
            tx.run(
                "SELECT id FROM identity_devices WHERE id = :id AND name = :name AND expires_at > :now",
                id=fingerprint(device),
                name=name,
                now=self._means.now(),
            )
        )

    def remember(self, tx: Tx, name: str, before: str) -> Secret:
        """A new cookie for the browser, in place of the one it had."""
        tx.run(
            "DELETE FROM identity_devices WHERE id = :id OR expires_at <= :now",
            id=fingerprint(before),
            now=self._means.now(),
        )
        cookie = self._means.secret()
        tx.run(
            "INSERT INTO identity_devices (id, name, expires_at) VALUES (:id, :name, :expires)",
            id=fingerprint(cookie.reveal()),
            name=name,
            expires=rfc3339(self._means.after(self._means.rules.device_life)),
        )
        return cookie
