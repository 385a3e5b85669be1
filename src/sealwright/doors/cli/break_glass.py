"""Break-glass: roles for one person for an hour, because two others say so."""

from typing import TYPE_CHECKING, Annotated

import typer

from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, PersonKey, acting_at, out, say

if TYPE_CHECKING:
    from sealwright.trust import Emergency

__all__ = ["app"]

app = typer.Typer(
    help="An emergency: give somebody roles in one project for a short time. Takes two people, and raises an alarm.",
    no_args_is_help=True,
)
Id = Annotated[str, typer.Argument(help="Id, from: sealwright break-glass list")]


@app.command()
def request(
    project: Annotated[str, typer.Argument(help="Project name.")],
    beneficiary: Annotated[str, typer.Option("--for", help="Who gets the roles: somebody enrolled.")],
    role: Annotated[list[str], typer.Option("--role", help="One role; repeat for more.")],
    reason: Annotated[str, typer.Option("--reason", help="What the emergency is, in 20 characters or more.")],
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=240, help="How long.")] = 60,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Ask for it. Nothing is open before somebody else confirms it, within an hour.

    Exit status: 0 asked, 2 an option is not usable, 3 you may not.
    """
    from sealwright.doors.cli import show
    from sealwright.pipeline import break_glass_of, permissions_of

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        asked = break_glass_of(workspace).request(
            permissions_of(workspace),
            by,
            project=project,
            beneficiary=beneficiary,
            roles=role,
            reason=reason,
            minutes=minutes,
        )

    def words() -> None:
        show.facts({"asked for": asked.id, "for": asked.beneficiary, "roles": ", ".join(asked.roles)})
        show.next_step(f"somebody else: sealwright break-glass confirm {asked.id} --as NAME --person-key FILE")

    out(as_json, asked.to_json(), words)


@app.command()
def confirm(
    glass: Id,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Agree as the second person. From then on the roles count, and an alarm is on record.

    Exit status: 0 open, 2 it was opened or ended before, or is too old, 3 you may not.
    """
    from sealwright.pipeline import break_glass_of, permissions_of

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        opened = break_glass_of(workspace).confirm(permissions_of(workspace), by, glass)
    _tell(opened, as_json)


@app.command()
def end(
    glass: Id,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """End it before its time. Whoever has a part in it may always do so.

    Exit status: 0 ended, 2 there is none, 3 you may not.
    """
    from sealwright.pipeline import break_glass_of, permissions_of

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        ended = break_glass_of(workspace).end(permissions_of(workspace), by, glass)
    _tell(ended, as_json)


@app.command(name="list")
def list_all(
    project: Annotated[
        str | None, typer.Option("--project", help="Only this project; else all.", show_default=False)
    ] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """List them, the newest first.

    Exit status: 0 listed, 3 you may not see the project, or not all of them.
    """
    from sealwright.doors.cli import show
    from sealwright.pipeline import list_emergencies

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        found = list_emergencies(workspace, by=by, project=project)

    def words() -> None:
        if not found:
            say("There was no emergency.")
            return
        show.rows(
            ["id", "project", "for", "roles", "state", "asked, confirmed", "until"],
            [
                (
                    one.id,
                    one.project,
                    one.beneficiary,
                    ", ".join(one.roles),
                    one.state,
                    f"{one.requested_by}, {one.confirmed_by or 'nobody yet'}",
                    one.until[:16].replace("T", " "),
                )
                for one in found
            ],
        )

    out(as_json, [one.to_json() for one in found], words)


def _tell(one: "Emergency", as_json: bool) -> None:
    from sealwright.doors.cli import show

    facts = {
        "emergency": one.id,
        "state": one.state,
        "for": one.beneficiary,
        "roles": ", ".join(one.roles),
        "project": one.project,
        "until": one.until,
    }
    out(as_json, one.to_json(), lambda: show.facts(facts))
