"""Services that get their own short tokens: register, list, take tokens back, remove."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealwright.doors.cli.options import (
    Actor,
    AsJson,
    Home,
    KeyFileOption,
    PersonKey,
    ToldChoice,
    ToldOption,
    acting_at,
    out,
    say,
    writable,
)

if TYPE_CHECKING:
    from sealwright.trust import PublicKey

__all__ = ["app", "hand_over"]

app = typer.Typer(help="Services that get tokens at the token endpoint (OAuth 2.0).", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="The client's name.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why. Goes into the ledger.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Short name: a-z, 0-9, dot, dash, underscore.")],
    project: Annotated[
        list[str] | None, typer.Option("--project", help="A project whose model it may ask; repeat for more.")
    ] = None,
    scope: Annotated[list[str] | None, typer.Option("--scope", help="Another scope; repeat for more.")] = None,
    told: ToldOption = ToldChoice.USUAL,
    audience: Annotated[
        list[str] | None, typer.Option("--audience", help="Another audience (URI); repeat for more.")
    ] = None,
    public_key: Annotated[
        Path | None,
        typer.Option(
            "--public-key", help="It proves itself by private_key_jwt with this key (PEM).", show_default=False
        ),
    ] = None,
    certificate: Annotated[
        bool, typer.Option("--certificate", help="It proves itself by its service certificate (mutual TLS).")
    ] = False,
    owner: Annotated[
        str | None, typer.Option("--owner", help="Who answers for it; else you.", show_default=False)
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="Write the secret to this file (0600).", show_default=False)
    ] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Register a client. Its secret is shown once, or written with --to, and kept as a hash only.

    Exit status: 0 done, 2 there is no such project, or an option is not usable, 3 you may not.
    """
    from sealwright.doors import access
    from sealwright.kernel import InvalidInput
    from sealwright.pipeline import refuse_unknown_project

    if public_key is not None and certificate:
        raise InvalidInput("A client proves itself in one way: by --public-key or by --certificate.")
    to, key = writable(to), _read_key(public_key)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        for one in project or ():
            refuse_unknown_project(workspace, one, asker=by)
        secret = access.add_client(
            workspace,
            name,
            owner=owner or "",
            projects=project or [],
            audiences=audience or [],
            scopes=scope or [],
            by=by,
            proof="private_key_jwt" if key else "tls_client_auth" if certificate else "secret",
            public_key=key,
            told=told.value,
        )
    hand_over(secret, to, {"client": name}, "secret", as_json=as_json)


@app.command(name="list")
def list_clients(
    project: Annotated[
        str | None, typer.Option("--project", help="Only this project; else all.", show_default=False)
    ] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """List clients: what each may ask for, how it proves itself, when it last did (to the hour)."""
    from sealwright.doors import access_views
    from sealwright.doors.cli import show

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        found = access_views.list_clients(workspace, by=by, project=project)
    table = [
        {
            "client": one.id,
            "owner": one.owner,
            "proof": one.proof,
            "scopes": list(one.scopes),
            "audiences": list(one.audiences),
            "state": one.state,
            "last used": one.last_used.isoformat() if one.last_used else None,
        }
        for one in found
    ]
    rows = [
        (one.id, one.owner, one.proof, ", ".join(one.scopes), one.state, f"{one.last_used:%Y-%m-%d %H:00}" if one.last_used else "")
        for one in found
    ]  # fmt: skip
    out(as_json, table, lambda: show.rows(["client", "owner", "proof", "may", "state", "last used"], rows))


@app.command(name="revoke-tokens")
def revoke_tokens(
    name: _Name,
    reason: _Reason,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Take back every token issued in this name up to now, those of `sealwright token` too. The client stays."""
    from sealwright.doors import access
    from sealwright.doors.cli import show

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        access.revoke_tokens(workspace, name, reason=reason, by=by)
    facts = {"client": name, "tokens": "revoked"}
    out(as_json, facts, lambda: show.facts(facts))


@app.command()
def remove(
    name: _Name,
    reason: _Reason,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """End a client: it gets no token any more, and those it holds stop working within a second."""
    from sealwright.doors import access
    from sealwright.doors.cli import show

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        access.remove_client(workspace, name, reason=reason, by=by)
    facts = {"client": name, "state": "removed"}
    out(as_json, facts, lambda: show.facts(facts))


def hand_over(secret: str | None, to: Path | None, facts: dict[str, str], what: str, *, as_json: bool) -> None:
    """A secret, once: alone on standard output, as JSON, or in a file only its owner can read."""
    from sealwright.doors.cli import show
    from sealwright.kernel import write_atomically

    if secret is None:
        out(as_json, facts, lambda: show.facts(facts))
    elif to is not None:
        write_atomically(to, f"{secret}\n".encode())
        told = {**facts, "written to": str(to)}
        out(as_json, told, lambda: show.facts(told))
    else:
        out(as_json, {**facts, what: secret}, lambda: say(secret))


def _read_key(path: Path | None) -> "PublicKey | None":
    from sealwright.kernel import read_limited
    from sealwright.trust import PublicKey

    return None if path is None else PublicKey.from_pem(read_limited(path, 4096))
