"""API keys: for services that cannot ask for tokens."""

from pathlib import Path
from typing import Annotated

import typer

from sealwright.doors.cli.clients import hand_over
from sealwright.doors.cli.options import (
    Actor,
    AsJson,
    Home,
    KeyFileOption,
    PersonKey,
    Served,
    ToldChoice,
    ToldOption,
    acting_at,
    out,
    served_at,
    writable,
)

__all__ = ["app"]

app = typer.Typer(help="API keys for services that cannot ask for tokens.", no_args_is_help=True)


@app.command()
def make(
    project: Served,
    subject: Annotated[str, typer.Option("--for", help="Which service will call with it.")],
    days: Annotated[float, typer.Option("--days", min=0.01, max=366, help="How long it is good.")] = 90.0,
    owner: Annotated[
        str | None, typer.Option("--owner", help="Who answers for it; else you.", show_default=False)
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="Write it to this file (0600).", show_default=False)] = None,
    told: ToldOption = ToldChoice.USUAL,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key that may ask one project's model. It is shown once and kept as a hash only.

    Exit status: 0 done, 2 there is no such project, 3 you may not.
    """
    from sealwright.doors import access
    from sealwright.pipeline import refuse_unknown_project

    (name, _), to = served_at(project, None), writable(to)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        refuse_unknown_project(workspace, name, asker=by)
        found, raw = access.make_api_key(
            workspace, subject, project=name, owner=owner or "", days=days, by=by, told=told.value
        )
    facts = {"id": found.id, "for": subject, "may": " ".join(found.scopes), "until": f"{found.expires_at:%Y-%m-%d}"}
    hand_over(raw, to, facts, "api_key", as_json=as_json)


@app.command(name="list")
def list_keys(
    project: Annotated[
        str | None, typer.Option("--project", help="Only this project; else all.", show_default=False)
    ] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """List API keys: whose, for what, until when. Never the keys themselves."""
    from sealwright.doors import access_views
    from sealwright.doors.cli import show

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        found, now = access_views.list_api_keys(workspace, by=by, project=project), workspace.clock()
    table = [
        {
            "id": one.id,
            "for": one.subject,
            "owner": one.owner,
            "project": one.project,
            "scopes": list(one.scopes),
            "until": one.expires_at.isoformat(),
            "state": one.state(now),
        }
        for one in found
    ]
    rows = [
        (one.id, one.subject, one.owner, ", ".join(one.scopes), f"{one.expires_at:%Y-%m-%d}", one.state(now))
        for one in found
    ]
    out(as_json, table, lambda: show.rows(["id", "for", "owner", "may", "until", "state"], rows))


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The key's id: the part between the two underscores.")],
    reason: Annotated[str, typer.Option("--reason", help="Why. Goes into the ledger.")],
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Revoke an API key: running servers refuse it within a second."""
    from sealwright.doors import access
    from sealwright.doors.cli import show

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        access.revoke_api_key(workspace, name, reason=reason, by=by)
    facts = {"id": name, "state": "revoked"}
    out(as_json, facts, lambda: show.facts(facts))
