"""Questions that are answered once: random, short-lived, and only by whom they were put to.

Answers: is this the answer to a question we asked, of this kind, to this person, and for the first time?
Kept as the SHA-256 of the challenge, so that reading the table answers nothing. A payload stands beside it, sealed.
"""

from datetime import timedelta
from typing import Any

from sealwright.engines import Tx
from sealwright.kernel import canonical_json, rfc3339, strict_json
from sealwright.trust.identity.keys import fingerprint
from sealwright.trust.identity.means import Means

__all__ = ["Challenges"]


class Challenges:
    """The table of open questions."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def ask(self, tx: Tx, secret: str, *, purpose: str, bound: str, life: timedelta, payload: object = None) -> None:
        """Keep a question. `bound` names who may answer: a session, a login, a link. Asked again, it begins anew.

        Raises
        ------
        Conflict
            The same question was put to somebody else, or for something else, and is open.
        """
        key = fingerprint(secret)
        tx.run(
            "DELETE FROM identity_challenges WHERE expires_at <= :now"
            " OR (id = :id AND purpose = :purpose AND bound = :bound)",
            now=self._means.now(),
            id=key,
            purpose=purpose,
            bound=bound,
        )
        sealed = self._means.keys.seal("challenges", canonical_json(payload), place=f"{purpose}/{bound}/{key}")
        tx.run(
            "INSERT INTO identity_challenges (id, purpose, bound, payload, tries, expires_at)"
            " VALUES (:id, :purpose, :bound, :payload, 0, :expires)",
            id=key,
            purpose=purpose,
            bound=bound,
            payload=sealed,
            expires=rfc3339(self._means.after(life)),
        )

    def answer(self, tx: Tx, secret: str, *, purpose: str, bound: str) -> tuple[bool, Any]:
        """Whether the question was open, and its payload; it is closed from now on, whatever comes of the answer."""
        rows = tx.run(
            "DELETE FROM identity_challenges WHERE id = :id AND purpose = :purpose AND bound = :bound"
            " AND expires_at > :now RETURNING payload",
            id=fingerprint(secret),
            purpose=purpose,
            bound=bound,
            now=self._means.now(),
        )
        return (True, self._payload(rows[0]["payload"], purpose, bound, secret)) if rows else (False, None)

    def attempt(self, tx: Tx, secret: str, *, purpose: str, bound: str, tries: int) -> tuple[bool, Any]:
        """As `answer`, but the question stays open for as many tries; this one is counted."""
        rows = tx.run(
            "UPDATE identity_challenges SET tries = tries + 1 WHERE id = :id AND purpose = :purpose AND bound = :bound"
            " AND expires_at > :now AND tries < :most RETURNING payload",
            id=fingerprint(secret),
            purpose=purpose,
            bound=bound,
            now=self._means.now(),
            most=tries,
        )
        return (True, self._payload(rows[0]["payload"], purpose, bound, secret)) if rows else (False, None)

    def look(self, tx: Tx, secret: str, *, purpose: str, bound: str) -> tuple[bool, Any]:
        """As `answer`, without closing or counting anything."""
        rows = tx.run(
            "SELECT payload FROM identity_challenges WHERE id = :id AND purpose = :purpose AND bound = :bound"
            " AND expires_at > :now",
            id=fingerprint(secret),
            purpose=purpose,
            bound=bound,
            now=self._means.now(),
        )
        return (True, self._payload(rows[0]["payload"], purpose, bound, secret)) if rows else (False, None)

    def _payload(self, sealed: bytes, purpose: str, bound: str, secret: str) -> Any:
        place = f"{purpose}/{bound}/{fingerprint(secret)}"
        return strict_json(self._means.keys.open("challenges", bytes(sealed), place=place), what="the challenge")
