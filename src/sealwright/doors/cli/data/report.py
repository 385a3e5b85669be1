"""`sealwright data report`: the page of a dataset, for the scientist and for the officer."""

from pathlib import Path
from typing import Annotated

import typer

from sealwright.doors.cli.options import (
    Actor,
    AsJson,
    Home,
    KeyFileOption,
    PersonKey,
    ProjectFolder,
    acting_at,
    out,
    project_at,
    writable,
)

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    app.command()(report)


def report(
    project: ProjectFolder = Path(),
    snapshot: Annotated[
        str | None, typer.Option("--snapshot", help="Its digest; else the newest.", show_default=False)
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="Write it here instead of into the workspace.", show_default=False)
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Examine again, although it was done before.")] = False,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Examine the newest snapshot, sign what was found, and write its page: one HTML file that opens anywhere.

    Exit status: 0 written, 2 nothing was ingested yet.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.data_reports import write_data_page

    wanted, to = project_at(project), writable(to)
    with acting_at(home, key_file, actor, person_key) as (workspace, by), show.progress(quiet=as_json) as progress:
        path, findings = write_data_page(
            workspace, wanted, by=by, snapshot=snapshot, to=to, fresh=fresh, progress=progress
        )
    facts = {
        "findings": ", ".join(f"{number} {severity}" for severity, number in findings.items()),
        "page": path.resolve().as_uri(),
    }
    out(as_json, {"page": str(path), "findings": findings}, lambda: show.facts(facts))
