"""`sealwright data requests` and `data request …`: what persons asked for, and who must act by when."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, PersonKey, acting_at, out, say

if TYPE_CHECKING:
    from sealwright.data.requests import SubjectRequest

__all__ = ["add_to"]

group = typer.Typer(help="One request of a person: open, confirm, identify, extend, close, show.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="Id of the request, from: sealwright data requests")]


def add_to(app: typer.Typer) -> None:
    app.command()(requests)
    for verb, name in (
        (open_request, "open"),
        (confirm, "confirm"),
        (identify, "identify"),
        (extend, "extend"),
        (close, "close"),
        (show_request, "show"),
    ):
        group.command(name=name)(verb)
    app.add_typer(group, name="request")


def requests(
    due: Annotated[
        bool, typer.Option("--due", help="Only those whose deadline is within a week, or has passed.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 when something is overdue.")] = False,
    project: Annotated[
        str | None, typer.Option("--project", help="Only this project; else all.", show_default=False)
    ] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """List the requests of persons: who must act, on what, by which day. The most urgent stands first.

    Exit status: 0 listed, 3 with --strict when something is overdue, or you may not see them.
    """
    from sealwright.pipeline import list_requests

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        found, now = list_requests(workspace, by=by, project=project, everything=everything), workspace.clock()
    if due:
        found = [one for one in found if one.is_open and one.days_left(now) <= 7]
    late = sum(one.is_overdue(now) for one in found)
    lines = [_line(one, now) for one in found]
    out(as_json, {"requests": lines, "overdue": late}, lambda: _tell(lines, late))
    if strict and late:
        raise typer.Exit(3)


def open_request(
    kind: Annotated[
        Literal["access", "correct", "erase", "restrict", "object", "export", "opt_out"],
        typer.Argument(help="What the person asks for."),
    ],
    person: Annotated[str, typer.Argument(help="Their identifier as it stands in the data, or their pseudonym.")],
    project: Annotated[str, typer.Option("--project", help="The project the identifier belongs to.")],
    law: Annotated[Literal["gdpr", "ccpa"], typer.Option("--law", help="Under which law.")] = "gdpr",
    received: Annotated[
        str | None,
        typer.Option("--received", help="When it arrived, if not now: a time, or a day.", show_default=False),
    ] = None,
    zone: Annotated[str, typer.Option("--zone", help="Where the controller sits: whose days count.")] = "UTC",
    holidays: Annotated[
        Path | None,
        typer.Option("--holidays", help="File with one public holiday a line: 2026-12-25.", show_default=False),
    ] = None,
    identity: Annotated[str, typer.Option("--identity", help="Reference to the identity check: a ticket.")] = "",
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Put a request on the list. Its clock starts on the day it arrived, whether or not the person is identified yet.

    Exit status: 0 on the list, 2 there is no such project, an option is not usable, or the law has no such right.
    """
    from sealwright.doors.cli.data.when import moment_of
    from sealwright.pipeline import name_in, refuse_unknown_project, requests_for

    free_days = _holidays(holidays)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        refuse_unknown_project(workspace, project, asker=by)
        taken = requests_for(workspace, by, project=project).receive(
            kind,
            name_in(workspace, project, person),
            projects=[project],
            law=law,
            by=by.counts_as,
            identity=identity,
            received_at=moment_of(received),
            zone=zone,
            holidays=free_days,
        )
        _tell_one(taken, workspace.clock(), as_json)


def confirm(
    request: Id,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Note that the person was told their request arrived.

    Exit status: 0 noted, 2 there is no such open request.
    """
    from sealwright.pipeline import requests_for

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        _tell_one(
            requests_for(workspace, by, request=request).confirm(request, by=by.counts_as), workspace.clock(), as_json
        )


def identify(
    request: Id,
    identity: Annotated[str, typer.Option("--identity", help="Reference to the check: a ticket, never the document.")],
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Note how the person was identified.

    Exit status: 0 noted, 2 there is no such open request.
    """
    from sealwright.pipeline import requests_for

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        _tell_one(
            requests_for(workspace, by, request=request).identified(request, identity, by=by.counts_as),
            workspace.clock(),
            as_json,
        )


def extend(
    request: Id,
    reason: Annotated[str, typer.Option("--reason", help="Why it takes longer. The person is told this.")],
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Take the longer time the law allows, once, within the first term.

    Exit status: 0 noted, 2 it was extended before, cannot be, or it is too late for that.
    """
    from sealwright.pipeline import requests_for

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        _tell_one(
            requests_for(workspace, by, request=request).extend(request, reason=reason, by=by.counts_as),
            workspace.clock(),
            as_json,
        )


def close(
    request: Id,
    outcome: Annotated[str, typer.Option("--outcome", help="What was done, or why it was not.")],
    as_: Annotated[
        Literal["answered", "refused", "withdrawn"], typer.Option("--state", help="How it ended.")
    ] = "answered",
    proof: Annotated[str, typer.Option("--proof", help="Digest of the statement or file that shows it.")] = "",
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Record the answer. The record stays 24 months.

    Exit status: 0 recorded, 2 there is no such open request.
    """
    from sealwright.pipeline import requests_for

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        ended = requests_for(workspace, by, request=request).end(
            request, as_, outcome=outcome, proof=proof, by=by.counts_as
        )
        _tell_one(ended, workspace.clock(), as_json)


def show_request(
    request: Id,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Show one request with its clocks.

    Exit status: 0 shown, 2 there is no such request, 3 you may not see what persons ask for in its project.
    """
    from sealwright.pipeline import request_named

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        _tell_one(request_named(workspace, request, by=by), workspace.clock(), as_json)


def _holidays(file: Path | None) -> "frozenset[Any]":
    from sealwright.doors.cli.data.when import day_of
    from sealwright.kernel import read_limited

    if file is None:
        return frozenset()
    lines = read_limited(file, 1 << 16).decode("utf-8", "replace").splitlines()
    return frozenset(day_of(line.split("#")[0].strip()) for line in lines if line.split("#")[0].strip())


def _line(request: "SubjectRequest", now: datetime) -> dict[str, Any]:
    following = request.next_due()
    return {
        **request.to_json(),
        "next": following[0] if following else None,
        "next_due": following[1].isoformat() if following else None,
        "days_left": request.days_left(now) if following else None,
        "overdue": request.is_overdue(now),
        "kept_until": request.kept_until().isoformat() if request.ended_at else None,  # type: ignore[union-attr]
    }


def _tell(lines: list[dict[str, Any]], late: int) -> None:
    from sealwright.doors.cli import show

    if not lines:
        say("Nothing is waiting.")
        return
    show.rows(
        ["request", "what", "law", "person", "do", "by", "days left"],
        [
            (
                one["id"],
                one["kind"],
                one["law"],
                f"{one['subject'][:12]}…",
                one["next"] or one["state"],
                one["next_due"] or (one["ended_at"] or "")[:10],
                "" if one["days_left"] is None else f"{-one['days_left']} late" if one["overdue"] else one["days_left"],
            )
            for one in lines
        ],
    )
    if late:
        say(f"{late} overdue. Answer now, and say in the outcome why it is late.")


def _tell_one(request: "SubjectRequest", now: datetime, as_json: bool) -> None:
    from sealwright.doors.cli import show

    line = _line(request, now)

    def words() -> None:
        show.facts(
            {
                "request": line["id"],
                "what": f"{line['kind']} under {line['law']}",
                "person": line["subject"],
                "received": str(line["received_at"])[:10],
                "state": line["state"],
                "do next": f"{line['next']} by {line['next_due']}, {line['days_left']} days left"
                if line["next"]
                else "nothing",
                **({"identity": line["identity"]} if line["identity"] else {}),
                **({"extended": line["extended_because"]} if line["extended_because"] else {}),
                **({"outcome": line["outcome"], "kept until": line["kept_until"]} if line["outcome"] else {}),
            }
        )

    out(as_json, line, words)
