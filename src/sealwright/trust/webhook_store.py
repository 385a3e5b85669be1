"""How webhook endpoints are kept: address and secrets sealed together, opened only for their name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sealwright.engines import Database, Tx
from sealwright.kernel import NotFound, canonical_json, rfc3339, strict_json
from sealwright.trust.identity.keys import IdentityKeys
from sealwright.trust.unlock import Secret

__all__ = ["Endpoint", "WebhookStore"]

_PURPOSE = "webhooks"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where deliveries go. The address is not shown: it often holds a secret."""

    name: str
    url: str = field(repr=False)
    secrets: tuple[Secret, ...]  # the newest first; two while the secret is being changed


class WebhookStore:
    """The table of endpoints."""

    def __init__(self, db: Database, keys: IdentityKeys) -> None:
        self._db = db
        self._keys = keys

    def get(self, name: str) -> Endpoint:
        """The endpoint of a name.

        Raises
        ------
        NotFound
            There is none.
        VerificationFailed
            Its row was changed, or moved here from another name.
        """
        with self._db.read() as tx:
            return _needed(self._find(tx, name), name)

    def names(self) -> list[str]:
        """All names, in order."""
        with self._db.read() as tx:
            return [str(row["name"]) for row in tx.run("SELECT name FROM webhook_endpoints ORDER BY name")]

    def add(self, endpoint: Endpoint, now: datetime, *, first: Callable[[Endpoint | None], None]) -> None:
        """Keep a new endpoint, after `first` was told which one of this name there is; it raises if there may be none."""
        with self._db.write() as tx:
            tx.hold_writers("webhook_endpoints")
            first(self._find(tx, endpoint.name))
            tx.run(
                "INSERT INTO webhook_endpoints (name, sealed, changed_at) VALUES (:name, :sealed, :at)",
                name=endpoint.name,
                sealed=self._sealed(endpoint),
                at=rfc3339(now),
            )

    def change(self, name: str, now: datetime, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        """Put what `change` makes of an endpoint in its place; nobody else writes in between."""
        with self._db.write() as tx:
            tx.hold_writers("webhook_endpoints")
            changed = change(_needed(self._find(tx, name), name))
            tx.run(
                "UPDATE webhook_endpoints SET sealed = :sealed, changed_at = :at WHERE name = :name",
                name=name,
                sealed=self._sealed(changed),
                at=rfc3339(now),
            )
        return changed

    def remove(self, name: str, *, first: Callable[[], None]) -> None:
        """Forget an endpoint, after `first`."""
        with self._db.write() as tx:
            tx.hold_writers("webhook_endpoints")
            _needed(self._find(tx, name), name)
            first()
            tx.run("DELETE FROM webhook_endpoints WHERE name = :name", name=name)

    def _find(self, tx: Tx, name: str) -> Endpoint | None:
        rows = tx.run("SELECT sealed FROM webhook_endpoints WHERE name = :name", name=name)
        if not rows:
            return None
        said = strict_json(self._keys.open(_PURPOSE, bytes(rows[0]["sealed"]), place=f"webhook/{name}"), what="webhook")
        return Endpoint(name, said["url"], tuple(map(Secret, said["secrets"])))

    def _sealed(self, endpoint: Endpoint) -> bytes:
        said = canonical_json({"url": endpoint.url, "secrets": [secret.reveal() for secret in endpoint.secrets]})
        return self._keys.seal(_PURPOSE, said, place=f"webhook/{endpoint.name}")


def _needed(found: Endpoint | None, name: str) -> Endpoint:
    if found is None:
        raise NotFound(f"There is no webhook {name}.")
    return found
