"""How clients, API keys and certificates are kept. SQL and rows, no decisions."""

import json
from datetime import datetime
from typing import Any

from sealwright.engines import Row, Tx
from sealwright.kernel import Conflict, from_rfc3339, rfc3339
from sealwright.trust.machines.model import ApiKey, Certificate, Client
from sealwright.trust.public_keys import PublicKey

__all__ = [
    "add_api_key",
    "add_certificate",
    "add_client",
    "api_key",
    "api_keys",
    "certificates",
    "client",
    "clients",
    "end_certificate",
    "remove_client",
    "revoke_api_key",
    "touch_api_key",
    "touch_client",
    "use_assertion",
]


# ---- clients


def add_client(tx: Tx, found: Client, secret: str | None) -> None:
    """Keep a client; `secret` is the SHA-256 of its secret, hex. A removed one of that name is replaced."""
    old = client(tx, found.id)
    if old is not None and old[0].state == "active":
        raise Conflict(f"There is a client {found.id} already. Choose another name, or remove that one first.")
    tx.run("DELETE FROM machine_clients WHERE id = :id", id=found.id)
    tx.run(
        "INSERT INTO machine_clients (id, owner, proof, secret, public_key, audiences, scopes, state, created_at)"
        " VALUES (:id, :owner, :proof, :secret, :key, :audiences, :scopes, 'active', :at)",
        id=found.id,
        owner=found.owner,
        proof=found.proof,
        secret=secret,
        key=found.public_key.pem if found.public_key else None,
        audiences=json.dumps(found.audiences),
        scopes=json.dumps(found.scopes),
        at=rfc3339(found.created_at),
    )


def client(tx: Tx, name: str) -> tuple[Client, str | None] | None:
    """A client and the hash of its secret; removed ones too."""
    rows = tx.run("SELECT * FROM machine_clients WHERE id = :id", id=name)
    return (_client(rows[0]), rows[0]["secret"]) if rows else None


def clients(tx: Tx) -> list[Client]:
    return [_client(row) for row in tx.run("SELECT * FROM machine_clients ORDER BY created_at, id")]


def remove_client(tx: Tx, name: str) -> None:
    """It stays on the list, without the hash of its secret."""
    tx.run("UPDATE machine_clients SET state = 'removed', secret = NULL WHERE id = :id", id=name)


def touch_client(tx: Tx, name: str, hour: datetime) -> None:
    tx.run("UPDATE machine_clients SET last_used = :hour WHERE id = :id", hour=rfc3339(hour), id=name)


def _client(row: Row) -> Client:
    return Client(
        id=row["id"],
        owner=row["owner"],
        proof=row["proof"],
        audiences=tuple(json.loads(row["audiences"])),
        scopes=tuple(json.loads(row["scopes"])),
        public_key=PublicKey.from_pem(row["public_key"]) if row["public_key"] else None,
        state=row["state"],
        created_at=from_rfc3339(row["created_at"]),
        last_used=_moment(row["last_used"]),
    )


def use_assertion(tx: Tx, name: str, jti: str, until: int) -> bool:
    """Mark an assertion as used; False if it was before."""
    if tx.run("SELECT 1 FROM machine_assertions WHERE client = :client AND jti = :jti", client=name, jti=jti):
        return False
    tx.run(
        "INSERT INTO machine_assertions (client, jti, until) VALUES (:client, :jti, :until)",
        client=name,
        jti=jti,
        until=until,
    )
    return True


# ---- API keys


def add_api_key(tx: Tx, found: ApiKey) -> None:
    tx.run(
        "INSERT INTO machine_api_keys (id, subject, owner, project, scopes, digest, created_at, expires_at)"
        " VALUES (:id, :subject, :owner, :project, :scopes, :digest, :created, :expires)",
        id=found.id,
        subject=found.subject,
        owner=found.owner,
        project=found.project,
        scopes=json.dumps(found.scopes),
        digest=found.digest,
        created=rfc3339(found.created_at),
        expires=rfc3339(found.expires_at),
    )


def api_key(tx: Tx, name: str) -> ApiKey | None:
    rows = tx.run("SELECT * FROM machine_api_keys WHERE id = :id", id=name)
    return _api_key(rows[0]) if rows else None


def api_keys(tx: Tx) -> list[ApiKey]:
    return [_api_key(row) for row in tx.run("SELECT * FROM machine_api_keys ORDER BY created_at, id")]


def revoke_api_key(tx: Tx, name: str, at: datetime) -> None:
    tx.run("UPDATE machine_api_keys SET revoked_at = :at WHERE id = :id", at=rfc3339(at), id=name)


def touch_api_key(tx: Tx, name: str, hour: datetime) -> None:
    tx.run("UPDATE machine_api_keys SET last_used = :hour WHERE id = :id", hour=rfc3339(hour), id=name)


def _api_key(row: Row) -> ApiKey:
    return ApiKey(
        id=row["id"],
        subject=row["subject"],
        owner=row["owner"],
        project=row["project"],
        scopes=tuple(json.loads(row["scopes"])),
        digest=row["digest"],
        created_at=from_rfc3339(row["created_at"]),
        expires_at=from_rfc3339(row["expires_at"]),
        last_used=_moment(row["last_used"]),
        revoked_at=_moment(row["revoked_at"]),
    )


# ---- certificates


def add_certificate(tx: Tx, found: Certificate) -> None:
    tx.run(
        "INSERT INTO machine_certificates (serial, service, uri, use, issued_at, expires_at)"
        " VALUES (:serial, :service, :uri, :use, :issued, :expires)",
        serial=found.serial,
        service=found.service,
        uri=found.uri,
        use=found.use,
        issued=rfc3339(found.issued_at),
        expires=rfc3339(found.expires_at),
    )


def certificates(tx: Tx) -> list[Certificate]:
    return [
        Certificate(
            serial=row["serial"],
            service=row["service"],
            uri=row["uri"],
            use=row["use"],
            issued_at=from_rfc3339(row["issued_at"]),
            expires_at=from_rfc3339(row["expires_at"]),
            revoked_at=_moment(row["revoked_at"]),
        )
        for row in tx.run("SELECT * FROM machine_certificates ORDER BY issued_at, serial")
    ]


def end_certificate(tx: Tx, serial: str, at: datetime) -> None:
    tx.run("UPDATE machine_certificates SET revoked_at = :at WHERE serial = :serial", at=rfc3339(at), serial=serial)


def _moment(text: Any) -> datetime | None:
    return from_rfc3339(text) if text else None
