"""How the rows of a query travel: what is asked of the connection before it is made, and what it turned out to be.

Answers: would rows, or the password, cross a network where others could read or change them?
Does not answer: whether the machine at the other end is trustworthy.
Nothing is guessed: hosts and sslmode are those the driver will use (the address, then the PG… variables and the service
file, as libpq resolves them); afterwards both ends of the connection are asked whether TLS is in use. For databases
other than PostgreSQL this release cannot tell, so across a network they need the project's word.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sealwright.data.errors import TransportRefused
from sealwright.data.names import safe
from sealwright.data.source_spec import SqlSource
from sealwright.data.sources.model import LOCAL_FILE, Transport

__all__ = ["IsLocal", "Plan", "found_transport", "planned_transport"]

_PROMISES: Mapping[str, str] = {
    "require": "the server is not verified: whoever can reroute the connection can pose as it",
    "verify-ca": "the server's certificate is verified, not that it is this host's",
    "verify-full": "server verified",
}
_FILES = {"sqlite"}
_ELSEWHERE = {"host", "hostaddr", "odbc_connect", "dsn", "read_default_file", "service", "unix_socket"}

IsLocal = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is known before anything is sent."""

    backend: str
    local: bool  # the address names this machine only
    sslmode: str = ""  # PostgreSQL: as libpq will use it
    reason: str | None = None  # the project's, where it is needed


def planned_transport(url: sa.URL, spec: SqlSource, is_local: IsLocal) -> Plan:
    """Look at an address before it is used.

    Raises
    ------
    TransportRefused
        It leads to another machine, TLS is not required, and the project file does not say why that may be.
    """
    backend, driver = url.get_backend_name(), url.get_driver_name()
    if backend in _FILES:
        return Plan(backend=backend, local=True)
    reason = spec.transport.unencrypted if spec.transport is not None else None
    if backend != "postgresql" or driver != "psycopg":
        local = bool(url.host) and is_local(url.host or "") and not _ELSEWHERE & set(url.query)
        if local or reason is not None:
            return Plan(backend=backend, local=local, reason=None if local else reason)
        raise TransportRefused(
            f"The data would come over a network from a {backend} database, and this release can require and check TLS"
            " with PostgreSQL (postgresql+psycopg) only.\n" + _way_out("Use a tunnel that ends on this machine")
        )
    hosts, sslmode = _as_libpq_will(url)
    local = all(map(is_local, hosts))
    if local or sslmode in _PROMISES:
        return Plan(backend=backend, local=local, sslmode=sslmode)
    if reason is not None:
        return Plan(backend=backend, local=False, sslmode=sslmode, reason=reason)
    raise TransportRefused(
        f"The data would come over a network from {safe(', '.join(hosts))[:200]}, and TLS is not required"
        f" (sslmode={sslmode}), so the password and the rows could be read or changed on the way.\n"
        + _way_out(f"Add ?sslmode=verify-full to the address in {spec.url_env} or set PGSSLMODE=verify-full")
    )


def found_transport(connection: sa.Connection, plan: Plan, is_local: IsLocal) -> Transport:
    """Ask an open connection how it travels.

    Raises
    ------
    TransportRefused
        It is not what was planned: another machine answers, or no TLS is in use.
    """
    if plan.backend in _FILES:
        return LOCAL_FILE
    if plan.backend != "postgresql" or not plan.sslmode:
        how = "this machine" if plan.local else "network; encryption not established"
        return Transport(encrypted=False, how=f"{plan.backend}, {how}", override_reason=plan.reason)
    at: Any = connection.connection.driver_connection
    client, server = bool(at.pgconn.ssl_in_use), _as_server_says(connection)
    here = is_local(at.info.hostaddr) if at.info.hostaddr else is_local(at.info.host)
    if here and plan.local:
        return Transport(encrypted=client, how="this machine")
    if client and server is not None and (plan.sslmode in _PROMISES or plan.reason is not None):
        promise = _PROMISES.get(plan.sslmode, "neither required nor verified")
        how = f"{server}, {promise} (sslmode={plan.sslmode})"
        return Transport(encrypted=True, how=how, override_reason=plan.reason)
    if plan.reason is not None:
        return Transport(encrypted=False, how="network, unencrypted", override_reason=plan.reason)
    raise TransportRefused(
        f"The {'server' if client else 'driver'} says that the connection to the database uses no TLS, or TLS that nobody"
        f" required (sslmode={plan.sslmode}).\n"
        "Perhaps a pooler or proxy stands in between and speaks to the database unencrypted.\n"
        + _way_out("Connect to the database itself, with sslmode=verify-full")
    )


def _as_libpq_will(url: sa.URL) -> tuple[list[str], str]:
    """Hosts and sslmode as the driver will use them: what the address says, else libpq's own defaults."""
    from psycopg import pq

    _, given = url.get_dialect()().create_connect_args(url)
    defaults = {one.keyword.decode(): one.val.decode() for one in pq.Conninfo.get_defaults() if one.val is not None}
    if "service" in given:  # it may name host and sslmode in a file of its own
        return ["(the host of a service file)"], str(given.get("sslmode", "left to the service file"))
    effective = {**defaults, **{name: str(value) for name, value in given.items()}}
    hosts = effective.get("hostaddr") or effective.get("host") or ""
    return hosts.split(","), effective.get("sslmode", "prefer")


def _as_server_says(connection: sa.Connection) -> str | None:
    """The version of TLS the server sees on this connection; None: none. A server without that view is not asked."""
    try:
        row = connection.exec_driver_sql("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").first()
    except sa.exc.ProgrammingError:
        connection.rollback()
        return "TLS"
    return str(row[1]) if row is not None and row[0] else None


def _way_out(first: str) -> str:
    return (
        f"{first}. If the way is protected otherwise, say how in the project file:"
        ' data.source: {..., transport: {unencrypted: "why"}}; it goes into the ledger.'
    )
