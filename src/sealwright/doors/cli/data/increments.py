"""`sealwright data append | upsert | delete`: more data for a project that has some."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
)

if TYPE_CHECKING:
    from sealwright.pipeline.incremental import Increment

__all__ = ["add_to"]

File = Annotated[Path, typer.Argument(help="A data file with the columns of the contract.")]
Keys = Annotated[Path, typer.Argument(help="A data file with the key columns; others are not looked at.")]


def add_to(app: typer.Typer) -> None:
    for verb in (append, upsert, delete):
        app.command()(verb)


def append(
    project: ProjectFolder,
    file: File,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Add the rows of FILE to the newest data; files that do not change are shared, not copied.

    Exit status: 0 done, 2 nothing was ingested yet or the file cannot be used, 3 too many rows break the contract,
    or (high risk) cells look personal and the contract does not say so.
    """
    _change("append", project, file, actor, person_key, home, key_file, as_json=as_json)


def upsert(
    project: ProjectFolder,
    file: File,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Put the rows of FILE in the place of rows with the same key (data.key), and add the others.

    Exit status: 0 done, 2 the project names no key or the file repeats one, 3 too many rows break the contract,
    or (high risk) cells look personal and the contract does not say so.
    """
    _change("upsert", project, file, actor, person_key, home, key_file, as_json=as_json)


def delete(
    project: ProjectFolder,
    file: Keys,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Take out the rows whose keys (data.key) FILE lists. The earlier snapshot stays; for erasing a person, see subject.

    Exit status: 0 done, 2 the project names no key or the file cannot be used.
    """
    _change("delete", project, file, actor, person_key, home, key_file, as_json=as_json)


def _change(
    verb: Literal["append", "upsert", "delete"],
    project: Path,
    file: Path,
    actor: str | None,
    person_key: Path | None,
    home: Path | None,
    key_file: Path | None,
    *,
    as_json: bool,
) -> None:
    from sealwright.doors.cli import show
    from sealwright.pipeline.incremental import change_data

    wanted = project_at(project)
    with acting_at(home, key_file, actor, person_key) as (workspace, by), show.progress(quiet=as_json) as progress:
        done = change_data(workspace, wanted, verb, file, by=by, progress=progress)
    out(as_json, done.to_json(), lambda: _tell(done, project))


def _tell(done: "Increment", project: Path) -> None:
    from sealwright.doors.cli import show

    show.title("A new snapshot")
    show.facts(
        {
            "rows": f"{done.snapshot.rows:,}: {done.added:,} added, {done.removed:,} taken out",
            "quarantine": f"{done.set_aside:,} of the new rows set aside",
            "shared": f"{done.shared} files with the snapshot before, not copied",
            "snapshot": done.snapshot.digest,
        }
    )
    show.next_step(f"sealwright train {project}")
