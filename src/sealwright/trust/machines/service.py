"""The verbs about clients, API keys and tokens: make, list, take back; and the file that says so elsewhere.

Answers: who may log in as a service, and what was taken back? Each change is one event before it is an effect.
Does not answer: may this person do that? Whoever calls has asked `permissions`.

What a process without a database needs to know goes into one signed file, written after each change. Dying between the
change and the file leaves the file older than the change, and nobody was told that it is done: `publish` mends it.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sealwright.engines import Database, Tx
from sealwright.kernel import Clock, Conflict, InvalidInput, NotFound, check_name, write_atomically
from sealwright.trust.audit import Audit, Event
from sealwright.trust.machines import store, taken_back
from sealwright.trust.machines.access_list import AccessList, sign_access_list
from sealwright.trust.machines.api_keys import api_key_digest, make_api_key
from sealwright.trust.machines.model import ApiKey, Client, Proof
from sealwright.trust.public_keys import PublicKey, Signer
from sealwright.trust.strict_base64 import encode_base64url
from sealwright.trust.tokens import LONGEST_TOKEN, Claims

__all__ = ["Machines", "secret_digest"]

_MOST_LISTED = 10_000  # read and verified in half a second, so that a revocation holds within one
_MOST_OF_ONE_CLIENT = 100
_SKEW = timedelta(minutes=2)  # of the clocks of those who verify


class Machines:
    """Services that log in to one workspace. Safe to share between threads."""

    def __init__(
        self,
        db: Database,
        audit: Audit,
        *,
        signer: Signer | Callable[[], Signer],
        workspace: str,
        access_file: Path,
        clock: Clock,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """`signer` is the workspace's "tokens", or gives it as it is at each moment; `access_file` is what prediction
        servers read."""
        self.db, self.audit, self.clock = db, audit, clock
        self.workspace = workspace
        self._signer = signer if callable(signer) else lambda: signer
        self._file, self._random = access_file, random

    @property
    def signer(self) -> Signer:
        """Who signs tokens at this moment."""
        return self._signer()

    # ---- clients

    def add_client(
        self,
        name: str,
        *,
        owner: str,
        audiences: Sequence[str],
        scopes: Sequence[str],
        by: str,
        proof: Proof = "secret",
        public_key: PublicKey | None = None,
    ) -> str | None:
        """Register a client; returns its secret if that is how it proves itself. It is never shown again.

        Raises
        ------
        Conflict
            There is an active client of that name.
        InvalidInput
            A name, audience, scope or key that cannot be used.
        """
        found = Client(
            id=name,
            owner=owner,
            proof=proof,
            audiences=tuple(audiences),
            scopes=tuple(scopes),
            public_key=public_key,
            created_at=self.clock(),
        )
        secret = encode_base64url(self._random(32)) if proof == "secret" else None
        with self.db.write() as tx:
            old = store.client(tx, name)
            if old is not None and old[0].state == "active":
                raise Conflict(f"There is a client {name} already. Choose another name, or remove that one first.")
            detail = {"proof": proof, "scopes": sorted(found.scopes), "audiences": sorted(found.audiences)}
            self.audit.record(
                Event(action="client.register", outcome="done", actor=by, resource=f"client:{name}", detail=detail)
            )
            store.add_client(tx, found, None if secret is None else secret_digest(secret))
        return secret

    def remove_client(self, name: str, *, by: str, reason: str) -> None:
        """Nobody gets a token as this client any more, and what it holds stops working.

        Raises
        ------
        NotFound
            There is no active client of that name.
        """
        now = self.clock()
        with self.db.write() as tx:
            found = store.client(tx, name)
            if found is None or found[0].state != "active":
                raise NotFound(f"There is no active client {name[:64]}. See: sealwright client list")
            self.audit.record(_told("client.remove", f"client:{name}", by, reason))
            store.remove_client(tx, name)
            _revoke_all(tx, name, now)
        self.publish()

    def clients(self) -> list[Client]:
        """All clients, removed ones too, oldest first."""
        with self.db.read() as tx:
            return store.clients(tx)

    # ---- API keys

    def make_api_key(
        self, subject: str, *, project: str, scopes: Sequence[str], owner: str, days: float, by: str
    ) -> tuple[ApiKey, str]:
        """A new key for a service in a project, and its text, which is never shown again.

        Raises
        ------
        InvalidInput
            A name, scope or lifetime that cannot be used.
        """
        now = self.clock()
        identity, raw = make_api_key(self._random)
        found = ApiKey(
            id=identity,
            subject=subject,
            owner=owner,
            project=project,
            scopes=tuple(scopes),
            digest=api_key_digest(raw),
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
        detail = {"project": project, "scopes": sorted(found.scopes), "days": f"{days:g}"}
        with self.db.write() as tx:
            self.audit.record(
                Event(action="api_key.make", outcome="done", actor=by, resource=f"api_key:{identity}", detail=detail)
            )
            store.add_api_key(tx, found)
            taken_back.next_sequence(tx, "access")
        self.publish()
        return found, raw

    def revoke_api_key(self, name: str, *, by: str, reason: str) -> None:
        """The key is refused everywhere as soon as servers have read the new list, within a second.

        Raises
        ------
        NotFound
            There is no such key, or it was revoked before.
        """
        now = self.clock()
        with self.db.write() as tx:
            found = store.api_key(tx, name)
            if found is None or found.revoked_at is not None:
                raise NotFound(f"There is no API key {name[:32]} to revoke. See: sealwright api-key list")
            self.audit.record(_told("api_key.revoke", f"api_key:{name}", by, reason))
            store.revoke_api_key(tx, name, now)
            taken_back.next_sequence(tx, "access")
        self.publish()

    def api_keys(self) -> list[ApiKey]:
        """All keys, ended ones too, oldest first."""
        with self.db.read() as tx:
            return store.api_keys(tx)

    # ---- tokens

    def revoke_token(self, claims: Claims, *, by: str, reason: str) -> None:
        """Take one token back before it expires.

        Beyond 100 single tokens of one client, all of its tokens up to now are taken back in one entry, so that nobody
        can fill the list that others' revocations need.
        """
        with self.db.write() as tx:
            self.audit.record(_told("token.revoke", f"token:{claims.token_id}", by, reason))
            if taken_back.revoked_tokens_of(tx, claims.subject) >= _MOST_OF_ONE_CLIENT:
                _revoke_all(
                    tx, claims.subject, max(self.clock(), claims.issued_at)
                )  # another host's clock may be ahead
            else:
                taken_back.revoke_token(tx, claims.token_id, claims.subject, int(claims.expires_at.timestamp()) + 1)
                taken_back.next_sequence(tx, "access")
        self.publish()

    def revoke_tokens_of(self, name: str, *, by: str, reason: str) -> None:
        """Take back every token issued in this name up to now; the client stays, and may ask for new ones.

        Raises
        ------
        InvalidInput
            Not a name.
        """
        check_name(name, what="client")
        with self.db.write() as tx:
            self.audit.record(_told("token.revoke", f"client:{name}", by, reason))
            _revoke_all(tx, name, self.clock())
        self.publish()

    # ---- the file

    def publish(self) -> AccessList:
        """Write the signed list as it is now; returns it. Writing it again does no harm.

        Raises
        ------
        OSError
            It could not be written: the old list stands, and what it lacks does not hold elsewhere yet.
        InvalidInput
            More entries than one list may hold.
        """
        now = self.clock()
        with self.db.write() as tx:
            tx.hold_writers("machine_sequences")  # so that an older list never replaces a newer one
            taken_back.prune(tx, int(now.timestamp()))
            found = taken_back.access_content(tx, now)
            if len(found.tokens) + len(found.clients) + len(found.keys) > _MOST_LISTED:
                raise InvalidInput(f"There are more than {_MOST_LISTED:,} API keys and revocations. Revoke old keys.")
            write_atomically(self._file, sign_access_list(found, self.workspace, self.signer))
        return found


def secret_digest(secret: str) -> str:
    """SHA-256 of a client secret, hex: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _revoke_all(tx: Tx, name: str, now: datetime) -> None:
    """Everything issued in this name up to now, until the last of it would have expired."""
    until = now + LONGEST_TOKEN + _SKEW
    taken_back.revoke_all(tx, name, before=int(now.timestamp()), until=int(until.timestamp()))
    taken_back.next_sequence(tx, "access")


def _told(action: str, resource: str, by: str, reason: str) -> Event:
    return Event(action=action, outcome="done", actor=by, resource=resource, words=reason)
