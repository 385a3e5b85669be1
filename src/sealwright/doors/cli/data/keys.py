"""`sealwright data read | rotate`: who gets which columns, and new keys for all of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealwright.doors.cli.options import (
    Actor,
    AsJson,
    Home,
    KeyFileOption,
    PersonKey,
    ProjectFolder,
    acting_at,
    open_at,
    out,
    project_at,
    say,
)

if TYPE_CHECKING:
    from sealwright.pipeline.reading import Read

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    app.command()(read)
    app.command()(rotate)


def read(
    person: Annotated[str, typer.Option("--as", help="Who reads: an enrolled person.")],
    role: Annotated[str, typer.Option("--role", help="In which of their roles.")],
    reason: Annotated[str, typer.Option("--reason", help="What for. It goes on record before anything is read.")],
    project: ProjectFolder = Path(),
    columns: Annotated[
        str | None, typer.Option("--columns", help="Only these, with commas between.", show_default=False)
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=1, max=10_000, help="How many rows to show.")] = 10,
    person_key: Annotated[
        Path | None, typer.Option("--person-key", help="Key file that opens the person's key.", show_default=False)
    ] = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Read rows of the newest snapshot as a person in a role: only the columns whose keys that role has.

    Exit status: 0 read, 2 not enrolled, not in that role, or a column the role has no key for.
    """
    from sealwright.doors.settings import person_unlock
    from sealwright.pipeline.reading import read_rows

    wanted = project_at(project)
    unlock = person_unlock(person, person_key, new=False)
    names = [name.strip() for name in columns.split(",")] if columns is not None else None
    with open_at(home, key_file) as workspace:
        done = read_rows(workspace, wanted, person=person, role=role, unlock=unlock, reason=reason, columns=names)
    shown = [
        {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}
        for row in done.table.slice(0, rows).to_pylist()
    ]
    facts = {
        "snapshot": done.snapshot,
        "rows": done.table.num_rows,
        "classes": list(done.classes),
        "withheld": list(done.withheld),
        "shown": shown,
    }
    out(as_json, facts, lambda: _tell(done, shown))


def rotate(
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """New keys for all data: wrapped anew without rewriting a row, the old ones destroyed. Stop other programs first.

    Exit status: 0 done, 2 another program has the workspace open to write.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.settings import read_settings
    from sealwright.doors.wiring import unlock_of
    from sealwright.pipeline.key_rotation import rotate_data_keys

    settings = read_settings(home=home, key_file=key_file, actor=actor)
    with acting_at(home, key_file, actor, person_key) as (_, by):
        pass  # who it is has to be known before the workspace is closed again: its keys change under whoever has it open
    with show.progress(quiet=as_json) as progress:
        done = rotate_data_keys(settings.home, unlock_of(settings), by=by, progress=progress)
    facts = {
        "snapshots": f"{done.snapshots:,}, keys wrapped anew",
        "persons": f"{done.persons:,}, keys wrapped anew",
        "versions": ", ".join(f"{branch} {version}" for branch, version in done.versions.items()),
    }
    out(as_json, done.to_json(), lambda: _told(facts))


def _told(facts: dict[str, str]) -> None:
    from sealwright.doors.cli import show

    show.title("New keys are in use; the old ones are destroyed")
    show.facts(facts)
    say("Backups made before hold the old keys: make a new backup, then destroy those.")


def _tell(done: "Read", shown: list[dict[str, object]]) -> None:
    from sealwright.doors.cli import show

    show.rows(done.table.column_names, [[str(value) for value in row.values()] for row in shown])
    say(f"{len(shown):,} of {done.table.num_rows:,} rows; classes {', '.join(done.classes)}.")
    if done.withheld:
        say(f"Not read, since the role has no key for them: {', '.join(done.withheld)}.")
