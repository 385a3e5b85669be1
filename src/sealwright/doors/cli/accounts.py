"""Accounts at the control server: a link for one, and the identity provider people may log in with."""

from pathlib import Path
from typing import Annotated

import typer

from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, acting_at, out

__all__ = ["OwnKey", "add_to"]

OwnKey = Annotated[
    Path | None,
    typer.Option("--own-key", help="Key file that opens the own key of whom --as names.", show_default=False),
]


def add_to(app: typer.Typer) -> None:
    app.command()(link)
    app.command()(provider)


def link(
    name: Annotated[str, typer.Argument(help="Who is enrolled and shall get an account.")],
    address: Annotated[
        str, typer.Option("--address", help="Where browsers find the control server.")
    ] = "https://localhost:8444",
    anywhere: Annotated[
        bool, typer.Option("--anywhere", help="Good from other machines, too. Send it so that nobody else sees it.")
    ] = False,
    actor: Actor = None,
    own_key: OwnKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Make a link by which somebody sets their password and second factor, once, within 15 minutes.

    If they have an account, using the link replaces everything they sign in with.
    Exit status: 0 done, 2 nobody of that name is enrolled, 3 you may not.
    """
    from contextlib import closing

    from sealwright.doors.cli import show
    from sealwright.doors.control.people_now import PeopleNow
    from sealwright.doors.control.people_wiring import identity_of
    from sealwright.kernel import check_name, rfc3339
    from sealwright.pipeline import allow
    from sealwright.pipeline.permission import WorkspaceAudit
    from sealwright.trust import AccountResource, IdentityRules

    rules = IdentityRules(origin=address)
    with acting_at(home, key_file, actor, own_key) as (workspace, by), closing(PeopleNow(workspace)) as people:
        allow(workspace, by, "people.enrol", AccountResource(name=check_name(name, what="person")))
        identity = identity_of(workspace, WorkspaceAudit(workspace), rules, people)
        made = identity.links.make(name, by=by.counts_as, anywhere=anywhere)
    facts = {"for": name, "link": f"{address}/enrol/{made.token.reveal()}", "until": rfc3339(made.expires_at)}
    out(as_json, facts, lambda: show.facts(facts))


def provider(
    file: Annotated[Path, typer.Argument(help="YAML with issuer, client_id, redirect_uri, roles; secret_file.")],
    actor: Actor = None,
    own_key: OwnKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Say which identity provider (OpenID Connect) people may log in with, and which groups there are which roles here.

    Counts from the next start of the control server.
    Exit status: 0 done, 2 settings that cannot be used, 3 you may not.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.control.provider_settings import set_provider
    from sealwright.kernel import read_limited, strict_yaml
    from sealwright.pipeline.permission import WorkspaceAudit

    value = strict_yaml(read_limited(file, 64 * 1024), what=str(file)).value
    with acting_at(home, key_file, actor, own_key) as (workspace, by):
        found = set_provider(workspace, value, by=by, audit=WorkspaceAudit(workspace))
    facts = {"provider": found.issuer, "groups": len(found.roles), "comes back to": found.redirect_uri}
    out(as_json, facts, lambda: show.facts(facts))
