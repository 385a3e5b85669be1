"""`sealwright doctor`: is what Sealwright runs on in order, and is it what was accepted?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, PersonKey, acting_at, open_at, out, say

if TYPE_CHECKING:
    from sealwright.pipeline import Finding, Workspace

__all__ = ["add_to", "doctor"]

_SIGNS = {"good": "ok", "look": "look", "bad": "BAD", "unknown": "?"}


def add_to(app: typer.Typer) -> None:
    app.command(rich_help_panel="Keep it in order")(doctor)


def doctor(
    advisories: Annotated[
        Path | None,
        typer.Option(
            "--advisories",
            help="List of known faults: a JSON file of ours, or a folder of OSV files.",
            show_default=False,
        ),
    ] = None,
    files: Annotated[bool, typer.Option("--files", help="Compare every installed file with its hash, too.")] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Accept what is installed now, signed and on record.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="With --accept: why.", show_default=False)] = "",
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Look over the installation: Python's release, code that runs at every start, licences, known faults, changed packages,
    and whether tokens and services that hold signing keys answer.

    Exit status: 0 in order or only to look at, 2 wrong usage, 4 something must not stay as it is.
    """
    from sealwright.doors.settings import read_settings
    from sealwright.kernel import system_clock
    from sealwright.pipeline import accept_environment, is_workspace, look_over
    from sealwright.trust import read_advisories

    settings = read_settings(home=home, key_file=key_file, actor=actor)
    listed = None if advisories is None else read_advisories(advisories)
    found = look_over(system_clock(), advisories=listed, files=files)
    if accept:
        with acting_at(home, key_file, actor, person_key) as (workspace, by):
            digest = accept_environment(workspace, by=by, reason=reason)
        say(f"Accepted what is installed now: {digest}", err=True)
    if is_workspace(settings.home):
        with open_at(home, key_file) as workspace:
            found += [_accepted(workspace), *_elsewhere(workspace), *_decisions(workspace)]
    out(as_json, [{"what": f.what, "state": f.state, "says": list(f.says)} for f in found], lambda: _tell(found))
    if any(one.state == "bad" for one in found):
        raise typer.Exit(4)


def _accepted(workspace: "Workspace") -> "Finding":
    from sealwright.kernel import NotFound
    from sealwright.pipeline import Finding, compare_environment

    try:
        changed = compare_environment(workspace)
    except NotFound as missing:
        return Finding(what="accepted packages", state="unknown", says=(str(missing).splitlines()[0],))
    return Finding(what="accepted packages", state="bad" if changed else "good", says=tuple(map(str, changed)))


def _elsewhere(workspace: "Workspace") -> "list[Finding]":
    """Keys that sign in a device or service, each asked for; nothing where all are files."""
    from sealwright.kernel import SealwrightError
    from sealwright.pipeline import Finding, keys_elsewhere

    try:
        keys = keys_elsewhere(workspace)
    except SealwrightError as error:
        return [Finding(what="the signer", state="bad", says=tuple(str(error).splitlines()[:1]))]
    return [
        Finding(
            what=f"key of {one.branch}",
            state="bad" if one.wrong else "good",
            says=(one.place, *one.wrong.splitlines()[:1]),
        )
        for one in keys
    ]


def _decisions(workspace: "Workspace") -> "list[Finding]":
    """Whether decision records are sealed by the hour, and for how long they are kept."""
    from sealwright.kernel import SealwrightError
    from sealwright.pipeline import Finding, channels_served, kept_days, served_projects, waiting_since

    found = []
    for project in served_projects(workspace):
        what = f"decision records of {project}"
        try:
            waiting = {
                channel: waiting_since(workspace, project, channel) for channel in channels_served(workspace, project)
            }
            days = kept_days(workspace, project)
        except SealwrightError as error:
            found.append(Finding(what=what, state="bad", says=tuple(str(error).splitlines()[:1])))
            continue
        late = [
            f"{channel}: not sealed since {since}. The control server does it by the hour; or: sealwright decisions seal {project}"
            for channel, since in waiting.items()
            if since
        ]
        kept = (
            f"kept for {days} days"
            if days
            else f"nobody said for how long: sealwright decisions keep {project} --days N"
        )
        found.append(Finding(what=what, state="look" if late else "good", says=(*late, kept)))
    return found


def _tell(found: "list[Finding]") -> None:
    for one in found:
        say(f"{_SIGNS[one.state]:<5} {one.what}")
        for line in one.says:
            say(f"      {line}")
