"""Recovery codes: for the day the phone is gone.

Answers: is this one of the ten codes, and was it not used yet?
80 random bits each, kept as a keyed tag: who reads the table has no code, and who writes to it cannot make one.
"""

import re
from base64 import b32encode
from collections.abc import Sequence

from sealwright.engines import Tx
from sealwright.trust.audit import Event
from sealwright.trust.identity.accounts import Accounts
from sealwright.trust.identity.means import Means
from sealwright.trust.identity.sessions import Sessions
from sealwright.trust.unlock import Secret

__all__ = ["RecoveryCodes"]

_HOW_MANY = 10
_BYTES = 10  # 80 bits
_SHAPE = re.compile(r"[a-z2-7]{16}")


class RecoveryCodes:
    """Ten codes for each person, shown once."""

    def __init__(self, means: Means, accounts: Accounts, sessions: Sessions) -> None:
        self._means, self._accounts, self._sessions = means, accounts, sessions

    def make(self, cookie: str) -> Sequence[Secret]:
        """Ten new codes in place of all before; every other session of the person ends.

        Raises
        ------
        SessionOver, FreshProofNeeded
            As `Sessions.fresh`.
        """
        session = self._sessions.fresh(cookie)
        with self._means.db.write() as tx:
            self._record("recovery_codes.make", session.name)
            codes = self.replace(tx, session.name)
            self._accounts.changed(tx, session.name, keep=session.handle, reason="identity.factor_changed")
        return codes

    def left(self, cookie: str) -> int:
        """How many codes the person has not used.

        Raises
        ------
        SessionOver
            As `Sessions.look_up`.
        """
        with self._means.db.read() as tx:
            rows = tx.run(
                "SELECT COUNT(*) AS n FROM identity_recovery_codes WHERE name = :name AND used_at = ''",
                name=self._sessions.look_up(cookie).name,
            )
        return int(rows[0]["n"])

    def use(self, name: str, code: str) -> bool:
        """Whether `code` is one of the person's unused codes; it is used from now on, and that is on record."""
        plain = re.sub(r"[\s-]", "", code[:64]).casefold()
        if not _SHAPE.fullmatch(plain):
            return False
        with self._means.db.write() as tx:
            for tag in self._means.keys.tags("recovery", f"{name}|{plain}".encode()):
                used = tx.run(
                    "UPDATE identity_recovery_codes SET used_at = :now WHERE name = :name AND code = :tag"
                    " AND used_at = '' RETURNING name",
                    now=self._means.now(),
                    name=name,
                    tag=tag,
                )
                if used:
                    self._record("recovery_code.use", name)
                    return True
        return False

    def replace(self, tx: Tx, name: str) -> Sequence[Secret]:
        """New codes within a transaction of another verb."""
        plain = [b32encode(self._means.random(_BYTES)).decode().lower() for _ in range(_HOW_MANY)]
        tx.run("DELETE FROM identity_recovery_codes WHERE name = :name", name=name)
        tx.run_many(
            "INSERT INTO identity_recovery_codes (name, code, used_at) VALUES (:name, :code, '')",
            [{"name": name, "code": self._means.keys.tag("recovery", f"{name}|{one}".encode())} for one in plain],
        )
        return [Secret("-".join(one[at : at + 4] for at in range(0, 16, 4))) for one in plain]

    def _record(self, action: str, name: str) -> None:
        self._means.audit.record(Event(action=action, outcome="done", actor=name, resource=f"person:{name}"))
