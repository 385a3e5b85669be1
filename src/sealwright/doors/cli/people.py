"""People who may approve: each holds a key of their own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealwright.doors.cli import accounts
from sealwright.doors.cli.accounts import OwnKey
from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, acting_at, out, say

if TYPE_CHECKING:
    from sealwright.pipeline import Workspace
    from sealwright.pipeline.people import Enrolled
    from sealwright.trust import Principal

__all__ = ["app"]

app = typer.Typer(help="Enrol people with keys and roles; end an enrolment.", no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Short name: a-z, 0-9, dot, dash, underscore.")],
    role: Annotated[
        list[str], typer.Option("--role", help="One role, in every project or as ROLE@PROJECT in one; repeat for more.")
    ],
    person_key: Annotated[
        Path | None,
        typer.Option(
            "--person-key",
            help="Key file that opens this person's key; else a passphrase is asked.",
            show_default=False,
        ),
    ] = None,
    actor: Actor = None,
    own_key: OwnKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Enrol a person: makes their key, and a signed statement of their roles.

    Roles: data_scientist, ml_engineer, security_officer, compliance_officer, business_owner, reviewer, auditor,
    administrator. The first people are enrolled by whoever opens the workspace; later ones by an administrator, if there is one.
    """
    from sealwright.doors.settings import person_unlock
    from sealwright.pipeline import enrol

    with acting_at(home, key_file, actor, own_key, create=True) as (workspace, by):
        enrolled = enrol(workspace, name, role, person_unlock(name, person_key, new=True), by=by)
        _tell_of_unknown(workspace, enrolled, by)
    _tell(enrolled, as_json=as_json)


@app.command()
def renew(
    name: Annotated[str, typer.Argument(help="Who is enrolled, or was until their year was over.")],
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--role", help="Their roles from now on, as for add; left out: those they have.", show_default=False
        ),
    ] = None,
    actor: Actor = None,
    own_key: OwnKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Enrol a person for another year with the key they have, and change their roles where some are given.

    Exit status: 0 done, 2 nobody of that name was enrolled, or the enrolment was ended, 3 you may not.
    """
    from sealwright.pipeline import renew_enrolment

    with acting_at(home, key_file, actor, own_key) as (workspace, by):
        enrolled = renew_enrolment(workspace, name, role or (), by=by)
        _tell_of_unknown(workspace, enrolled, by)
    _tell(enrolled, as_json=as_json)


@app.command(name="list")
def list_people(
    actor: Actor = None,
    own_key: OwnKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """List enrolled people and their roles."""
    from sealwright.doors.cli import show
    from sealwright.pipeline import people_of

    with acting_at(home, key_file, actor, own_key) as (workspace, by):
        found = people_of(workspace, by=by)
    table = [{"name": p.name, "roles": list(p.roles), "until": p.until, "state": p.state} for p in found]
    out(
        as_json,
        table,
        lambda: show.rows(
            ["name", "roles", "until", "state"], [(p.name, ", ".join(p.roles), p.until[:10], p.state) for p in found]
        ),
    )


@app.command()
def end(
    name: Annotated[str, typer.Argument(help="Whose enrolment ends.")],
    reason: Annotated[str, typer.Option("--reason", help="Why. Goes into the ledger.")],
    actor: Actor = None,
    own_key: OwnKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """End a person's enrolment: what they sign from now on counts for nothing."""
    from sealwright.doors.cli import show
    from sealwright.pipeline import end_enrolment

    with acting_at(home, key_file, actor, own_key) as (workspace, by):
        end_enrolment(workspace, name, reason=reason, by=by)
    out(as_json, {"name": name, "state": "ended"}, lambda: show.facts({"name": name, "state": "ended"}))


def _tell_of_unknown(workspace: "Workspace", enrolled: "Enrolled", by: "Principal") -> None:
    """A role may be given before its project has begun; a mistyped one would give nothing, silently."""
    from sealwright.pipeline import is_project, projects_seen_by

    named = dict.fromkeys(role.partition("@")[2] for role in enrolled.roles if "@" in role)
    for project in (one for one in named if not is_project(workspace, one)):
        there = ", ".join(projects_seen_by(workspace, by)) or "none yet, or none that you may see"
        say(
            f"Note: there is no project {project} here yet. The role counts once there is one. There are: {there}.",
            err=True,
        )
        say(f"If it is a mistake: sealwright people renew {enrolled.name} --role ROLE@PROJECT", err=True)


def _tell(enrolled: "Enrolled", *, as_json: bool) -> None:
    from sealwright.doors.cli import show

    facts = {"name": enrolled.name, "roles": list(enrolled.roles), "until": enrolled.until, "key": enrolled.key_id}
    out(as_json, facts, lambda: show.facts({**facts, "roles": ", ".join(enrolled.roles)}))


accounts.add_to(app)
