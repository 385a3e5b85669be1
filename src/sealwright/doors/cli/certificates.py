"""Certificates of services, for mutual TLS."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, PersonKey, acting_at, out

__all__ = ["app"]

app = typer.Typer(help="Certificates that name a service, for mutual TLS.", no_args_is_help=True)


class Use(StrEnum):
    """What a certificate is for."""

    client = "client"
    server = "server"


@app.command()
def issue(
    service: Annotated[str, typer.Argument(help="The service's name.")],
    to: Annotated[Path, typer.Option("--to", help="Folder for key and certificate; made private.")],
    use: Annotated[Use, typer.Option("--use", help="Whether it calls or is called.")] = Use.client,
    host: Annotated[
        list[str] | None, typer.Option("--host", help="Host name or address of a server; repeat for more.")
    ] = None,
    days: Annotated[float, typer.Option("--days", min=0.01, max=90, help="How long it is good.")] = 90.0,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Issue a certificate with a fresh key: client.key and client.pem, or server.key and server.pem."""
    from sealwright.doors import access
    from sealwright.doors.cli import show

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        found, ca = access.issue_certificate(workspace, service, use.value, to, names=host or (), days=days, by=by)
    facts = {
        "service": found.uri,
        "serial": found.serial,
        "until": f"{found.expires_at:%Y-%m-%d}",
        "certificate": str(to / f"{use.value}.pem"),
        "trusts": str(ca),
    }
    out(as_json, facts, lambda: show.facts(facts))


@app.command(name="list")
def list_certificates(
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """List certificates of services."""
    from sealwright.doors import access_views
    from sealwright.doors.cli import show

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        found, now = access_views.list_certificates(workspace, by=by), workspace.clock()
    rows = [
        (
            one.serial,
            one.service,
            one.use,
            f"{one.expires_at:%Y-%m-%d}",
            "revoked" if one.revoked_at else "expired" if one.expires_at <= now else "active",
        )
        for one in found
    ]
    heads = ["serial", "service", "use", "until", "state"]
    out(as_json, [dict(zip(heads, row, strict=True)) for row in rows], lambda: show.rows(heads, rows))


@app.command()
def revoke(
    serial: Annotated[str, typer.Argument(help="Serial number, as `list` prints it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why. Goes into the ledger.")],
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a certificate and write the list of revoked ones anew."""
    from sealwright.doors import access
    from sealwright.doors.cli import show

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        access.revoke_certificate(workspace, serial, reason=reason, by=by)
    facts = {"serial": serial, "state": "revoked"}
    out(as_json, facts, lambda: show.facts(facts))


@app.command()
def publish(
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Write the CAs that count and their lists of revoked certificates anew, and renew certificates of servers that end soon.

    A list ends after 30 days: run this in time, e.g. each week.
    """
    from sealwright.doors import access
    from sealwright.doors.cli import show

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        facts = {"written": str(access.publish_revocations(workspace, by=by))}
    out(as_json, facts, lambda: show.facts(facts))
