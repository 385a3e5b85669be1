"""The verbs of the registry: versions, promote, rollback, revoke, history."""

from typing import Annotated

import typer

from sealwright.doors.cli.options import (
    Actor,
    AsJson,
    Home,
    KeyFileOption,
    PersonKey,
    Served,
    acting_at,
    out,
    served_at,
)

__all__ = ["add_to"]

_PANEL = "Release"
Name = Annotated[str, typer.Argument(help="Project name.")]
Number = Annotated[int, typer.Argument(min=1, help="Version number.")]
Reason = Annotated[str, typer.Option("--reason", help="Why now. Goes into the ledger.")]
Wanted = Annotated[
    str | None, typer.Option("--channel", help="Release channel; else serving.channel, else live.", show_default=False)
]
Days = Annotated[
    int | None,
    typer.Option(
        "--days",
        min=1,
        max=90,
        help="Days until it must be confirmed again; else serving.pointer_days, else 7.",
        show_default=False,
    ),
]
Channel = Annotated[str, typer.Option("--channel", help="Release channel.")]


def add_to(app: typer.Typer) -> None:
    for verb in (versions, promote, rollback, revoke, history):
        app.command(rich_help_panel=_PANEL)(verb)


def versions(
    project: Name,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """List the registered versions of a project.

    Exit status: 0 listed, 2 there is no such project, 3 you may not see the project.
    """
    from sealwright.doors.cli import show
    from sealwright.kernel import rfc3339
    from sealwright.pipeline import list_versions, refuse_unknown_project

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        refuse_unknown_project(workspace, project, asker=by)
        found = list_versions(workspace, project, by=by)
    table = [
        {
            "number": one.version.number,
            "package": one.version.package,
            "created_at": rfc3339(one.version.created_at),
            "state": "revoked" if one.revoked else "registered",
        }
        for one in found
    ]
    out(
        as_json,
        table,
        lambda: show.rows(
            ["version", "package", "registered", "state"],
            [
                (t["number"], str(t["package"])[:26] + "…", str(t["created_at"])[:16].replace("T", " "), t["state"])
                for t in table
            ],
        ),
    )


def promote(
    project: Served,
    number: Number,
    reason: Reason,
    channel: Wanted = None,
    days: Days = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Put a version into service: a signed pointer with the next sequence and an expiry.

    Exit status: 0 done, 2 no such version or it is revoked, 3 you may not, 4 its package does not verify.
    """
    from sealwright.pipeline import promote as do

    name, spec = served_at(project, channel)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        pointer = do(
            workspace, name, number, channel=spec.channel, by=by, reason=reason, days=days or spec.pointer_days
        )
    _tell(pointer, as_json, f"sealwright serve {project}" + (f" --channel {channel}" if channel else ""))


def rollback(
    project: Served,
    to: Annotated[int, typer.Option("--to", min=1, help="The version to go back to.")],
    reason: Reason,
    channel: Wanted = None,
    days: Days = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Go back to an earlier version: a new pointer with a higher sequence. Servers switch by themselves."""
    from sealwright.pipeline import rollback as do

    name, spec = served_at(project, channel)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        pointer = do(workspace, name, to, channel=spec.channel, by=by, reason=reason, days=days or spec.pointer_days)
    _tell(pointer, as_json, "")


def revoke(
    project: Name,
    number: Number,
    reason: Reason,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw a version for good: no server answers with it any more. This cannot be undone."""
    from sealwright.doors.cli import show
    from sealwright.pipeline import revoke as do

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        done = do(workspace, project, number, by=by, reason=reason)
    facts = {"project": project, "version": number, "package": done.package, "state": "revoked"}
    out(as_json, facts, lambda: show.facts(facts))


def history(
    project: Name,
    at: Annotated[
        str | None,
        typer.Option("--at", help="What served at this moment, e.g. 2026-11-22T15:00:00Z.", show_default=False),
    ] = None,
    channel: Channel = "live",
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """What served when: every pointer of a channel, or the one at a moment.

    Exit status: 0 shown, 2 there is no such project or channel, or nothing served then, 3 you may not see the project.
    """
    from sealwright.doors.cli import show
    from sealwright.kernel import from_rfc3339
    from sealwright.pipeline import pointer_history, refuse_unknown_channel

    moment = from_rfc3339(at) if at is not None else None
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        refuse_unknown_channel(workspace, project, channel, asker=by)
        pointers = pointer_history(workspace, project, channel=channel, by=by, at=moment)
    table = [pointer_json(pointer) for pointer in pointers]

    def words() -> None:
        if not table:
            show.facts({"served": "nothing then" if at else "nothing yet"})
            return
        show.rows(
            ["sequence", "version", "from", "until", "by", "reason"],
            [
                (
                    t["sequence"],
                    t["number"],
                    str(t["not_before"])[:16].replace("T", " "),
                    str(t["expires"])[:16].replace("T", " "),
                    t["by"],
                    t["reason"],
                )
                for t in table
            ],
        )

    out(as_json, table, words)


def pointer_json(pointer: object) -> dict[str, object]:
    """The facts of a pointer as JSON; with its arms, where it has some."""
    from datetime import datetime

    from sealwright.kernel import rfc3339

    names = ("project", "channel", "sequence", "number", "package", "not_before", "expires", "reason", "by")
    values = {name: getattr(pointer, name) for name in names}
    said = {name: rfc3339(value) if isinstance(value, datetime) else value for name, value in values.items()}
    arms = [arm.to_json() for arm in getattr(pointer, "arms", ())]
    return {**said, "arms": arms} if arms else said


def _tell(pointer: object, as_json: bool, then: str) -> None:
    from sealwright.doors.cli import show

    facts = pointer_json(pointer)

    def words() -> None:
        show.title(f"{facts['project']} version {facts['number']} is in service on channel {facts['channel']}")
        show.facts(
            {
                "sequence": facts["sequence"],
                "until": str(facts["expires"])[:16].replace("T", " ") + " UTC",
                "package": facts["package"],
            }
        )
        if then:
            show.next_step(then)

    out(as_json, facts, words)
