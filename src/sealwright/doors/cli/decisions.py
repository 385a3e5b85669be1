"""`sealwright decisions …`: seal finished hours, read what was decided, end what is past its days."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    say,
    served_at,
    writable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sealwright.pipeline import FoundDecision, SoughtDecisions, Workspace
    from sealwright.trust import Principal

__all__ = ["app"]

_MOST_LISTED = 1_000_000  # they are held to be sorted; `export` has no such bound

app = typer.Typer(help="Keep, read and end the records of what was decided.", no_args_is_help=True)

Project = Annotated[str, typer.Argument(help="Project name.")]
Reason = Annotated[str, typer.Option("--reason", help="What you read them for. Goes into the ledger, sealed.")]
Since = Annotated[
    str | None, typer.Option("--since", help="From this day or time on, e.g. 2026-03-01.", show_default=False)
]
Until = Annotated[str | None, typer.Option("--until", help="Before this day or time.", show_default=False)]
Channel = Annotated[str, typer.Option("--channel", help="Only this channel.", show_default=False)]
About = Annotated[
    str, typer.Option("--subject", help="Only about this person: identifier or pseudonym.", show_default=False)
]
Label = Annotated[str, typer.Option("--label", help="Only with this outcome.", show_default=False)]
Number = Annotated[int, typer.Option("--version", min=0, help="Only by this version; 0 means any.")]


@app.command()
def seal(
    project: Project,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Seal every finished hour into an encrypted file, and take its records out of the ledger's own. Servers may run.

    Run it every hour. Doing it twice does it once; what a crash cut off is finished by the next run.
    Exit status: 0 done, 2 there is no such project, 3 you may not, or another process is at it, 4 something is not what was signed.
    """
    from sealwright.doors.cli import show
    from sealwright.pipeline import refuse_unknown_project, seal_decisions

    with acting_at(home, key_file, actor, person_key) as (workspace, by), show.progress(quiet=as_json) as progress:
        refuse_unknown_project(workspace, project, asker=by)
        sealed = seal_decisions(workspace, project, by=by, progress=progress)
    value = {"project": project, "sealed": [one.to_json() for one in sealed]}
    lines = [f"{one.channel} {one.hour}: {one.rows:,} decisions, {one.size:,} bytes" for one in sealed]
    out(as_json, value, lambda: say("\n".join(lines) or "No hour is over that is not sealed."))


@app.command()
def end(
    project: Served,
    keep_days: Annotated[
        int | None,
        typer.Option("--keep-days", min=1, help="Else serving.keep_days of the project file.", show_default=False),
    ] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Dispose of sealed hours that are older, with their keys, unless a hold stands on them.

    Exit status: 0 done, 2 there is no such project, or nobody said how long, 3 you may not.
    """
    from sealwright.kernel import InvalidInput
    from sealwright.pipeline import end_old_decisions, refuse_unknown_project

    name, spec = served_at(project, None)
    days = keep_days or spec.keep_days
    if days is None:
        raise InvalidInput("Nobody said how long records are kept. Set serving.keep_days, or pass --keep-days.")
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        refuse_unknown_project(workspace, name, asker=by)
        done = end_old_decisions(workspace, name, days, by=by)
    lines = [f"ended: {one.channel} {one.hour}" for one in done.ended]
    lines += [f"past its days, on hold {hold}: {one.channel} {one.hour}" for one, hold in done.held]
    out(as_json, done.to_json(), lambda: say("\n".join(lines) or "Nothing is past its days."))


@app.command()
def keep(
    project: Served,
    days: Annotated[
        int | None,
        typer.Option("--days", min=1, help="Else serving.keep_days of the project file.", show_default=False),
    ] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Say for how many days records are kept, signed and on record. The control server then ends older hours by itself.

    Exit status: 0 said, 2 there is no such project, or nobody said how long, 3 you may not.
    """
    from sealwright.kernel import InvalidInput
    from sealwright.pipeline import keep_decisions, refuse_unknown_project

    name, spec = served_at(project, None)
    wanted = days or spec.keep_days
    if wanted is None:
        raise InvalidInput("Nobody said how long records are kept. Set serving.keep_days, or pass --days.")
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        refuse_unknown_project(workspace, name, asker=by)
        digest = keep_decisions(workspace, name, wanted, by=by)
    value = {"project": name, "keep_days": wanted, "statement": digest}
    out(as_json, value, lambda: say(f"Decisions of {name} are kept for {wanted} days from now on."))


@app.command()
def check(
    project: Project,
    channel: Annotated[str, typer.Option("--channel", help="Which channel.")] = "live",
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Compare the files of sealed hours with the ledger, decision by decision.

    Exit status: 0 they agree, 2 there is no such project or channel, 4 they do not.
    """
    from dataclasses import asdict

    from sealwright.doors.cli import show
    from sealwright.pipeline import check_hours, refuse_unknown_channel

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        refuse_unknown_channel(workspace, project, channel, asker=by)
        found = asdict(check_hours(workspace, project, channel, by=by))
    out(as_json, found, lambda: show.facts(found))


@app.command(name="list")
def list_decisions(
    project: Project,
    reason: Reason,
    since: Since = None,
    until: Until = None,
    channel: Channel = "",
    subject: About = "",
    label: Label = "",
    version: Number = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=_MOST_LISTED, help="So many of the newest.")] = 100,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """List decisions, the newest first, without what was asked and answered. With --json, one object a line.

    Exit status: 0 done, 2 there is no such project or channel, 3 you may not read them, 4 a record is not what was signed.
    """
    from sealwright.pipeline import find_newest_decisions

    sought = _sought(since, until, channel, subject, label, version)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        _refuse_unknown(workspace, project, channel, by)
        found = find_newest_decisions(workspace, project, sought, limit, by=by, reason=reason)
        for one in found:
            value = one.to_json(content=False)
            say(
                json.dumps(value)
                if as_json
                else f"{one.at}  {value['decision']}  v{value['version']}  {one.label or one.score}"
            )
        if not found and not as_json:
            say("Nothing fits.")


@app.command()
def show(
    project: Project,
    decision: Annotated[str, typer.Argument(help="Its id, as in the answer.")],
    reason: Reason,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Show one decision: who asked, what was asked, what was answered.

    Exit status: 0 done, 2 there is no record of it, 3 you may not read it.
    """
    from sealwright.doors.cli import show as tell
    from sealwright.pipeline import find_decision

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        _refuse_unknown(workspace, project, "", by)
        value = find_decision(workspace, project, decision, by=by, reason=reason).to_json()
    out(as_json, value, lambda: tell.facts({name: part for name, part in value.items() if part not in (None, "")}))


@app.command()
def receipt(
    project: Project,
    output: Annotated[Path, typer.Argument(help="What sealwright score wrote.")],
    row: Annotated[int, typer.Argument(min=1, help="Number of the row, as its column `row` says.")],
    to: Annotated[Path | None, typer.Option("--to", help="File to write it to.", show_default=False)] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
) -> None:
    """Give the receipt of one row of a scored file, for sealwright verify. Only for a row that says what was recorded.

    Exit status: 0 done, 2 there is no such row or record, 3 you may not, 4 the row is not what was recorded.
    """
    from sealwright.kernel import write_atomically
    from sealwright.pipeline import receipt_of_row

    to = writable(to)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        found = receipt_of_row(workspace, project, output, row, by=by)
    if to is not None:
        write_atomically(to, found + b"\n")
        say(f"written to {to}; check it with: sealwright verify {to}")
    else:
        say(found.decode())


@app.command()
def export(
    project: Project,
    to: Annotated[Path, typer.Option("--to", help="File to write: JSON, one decision a line.")],
    reason: Reason,
    since: Since = None,
    until: Until = None,
    channel: Channel = "",
    subject: About = "",
    label: Label = "",
    version: Number = 0,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Write decisions with their content into a file that only you can read. It is no longer encrypted.

    Exit status: 0 written, 2 there is no such project or channel, 3 you may not read them, 4 a record is not what was signed.
    """
    from sealwright.pipeline import find_decisions

    sought = _sought(since, until, channel, subject, label, version)
    writable(to)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        _refuse_unknown(workspace, project, channel, by)
        count = _write(to, find_decisions(workspace, project, sought, by=by, reason=reason))
    out(as_json, {"file": str(to), "decisions": count}, lambda: say(f"{count:,} decisions written to {to}"))


def _refuse_unknown(workspace: "Workspace", project: str, channel: str, by: "Principal") -> None:
    from sealwright.pipeline import refuse_unknown_channel, refuse_unknown_project

    if channel:
        refuse_unknown_channel(workspace, project, channel, asker=by)
    else:
        refuse_unknown_project(workspace, project, asker=by)


def _write(to: Path, found: "Iterator[FoundDecision]") -> int:
    """A new file, or none where something does not hold."""
    import os

    from sealwright.kernel import Conflict

    count = 0
    try:
        handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise Conflict(f"{to} is there already. Name a new file.") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            for one in found:
                stream.write(json.dumps(one.to_json()) + "\n")
                count += 1
    except BaseException:
        to.unlink()
        raise
    return count


def _sought(
    since: str | None, until: str | None, channel: str, subject: str, label: str, version: int
) -> "SoughtDecisions":
    from sealwright.doors.cli.data.when import moment_of
    from sealwright.kernel import rfc3339
    from sealwright.pipeline import SoughtDecisions

    begin, end = moment_of(since), moment_of(until)
    return SoughtDecisions(
        since=rfc3339(begin) if begin is not None else "",
        until=rfc3339(end) if end is not None else "",
        channel=channel,
        person=subject,
        label=label,
        number=version,
    )
