"""Options that many verbs share, and how a verb opens the workspace and prints what came out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sealwright.doors.asked import writable
from sealwright.doors.served import served_at
from sealwright.kernel import json_text, safe

if TYPE_CHECKING:
    from sealwright.pipeline import Project, Workspace
    from sealwright.trust import Principal

__all__ = [
    "Actor",
    "AsJson",
    "Home",
    "PersonKey",
    "acting_at",
    "KeyFileOption",
    "ProjectFolder",
    "Served",
    "ToldChoice",
    "ToldOption",
    "open_at",
    "out",
    "project_at",
    "say",
    "served_at",
    "writable",
]


class ToldChoice(StrEnum):
    """How much a program is told of an answer."""

    LABELS = "labels"
    USUAL = "usual"
    FULL = "full"


ToldOption = Annotated[
    ToldChoice,
    typer.Option(
        "--told",
        help="How much of an answer it is told: labels only, the usual (what serving.output says), or full.",
    ),
]
Home = Annotated[
    Path | None,
    typer.Option("--home", help="The workspace folder. Also SEALWRIGHT_HOME; else ~/.sealwright.", show_default=False),
]
KeyFileOption = Annotated[
    Path | None,
    typer.Option(
        "--key-file", help="What opens the workspace unattended. Also SEALWRIGHT_KEY_FILE.", show_default=False
    ),
]
Actor = Annotated[
    str | None,
    typer.Option(
        "--as",
        help="Who acts. Also whoever is logged in, SEALWRIGHT_ACTOR, or the system user. Somebody enrolled must prove it.",
        show_default=False,
    ),
]
PersonKey = Annotated[
    Path | None,
    typer.Option("--person-key", help="Key file that opens the own key of whom --as names.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
ProjectFolder = Annotated[Path, typer.Argument(help="Folder with sealwright.yaml, or that file.", show_default=".")]

Served = Annotated[str, typer.Argument(help="Project name, or a project folder whose serving settings apply.")]


def open_at(home: Path | None, key_file: Path | None, *, create: bool = False) -> "Workspace":
    """The workspace to work in; with `create`, one is made on first use and the person told."""
    from sealwright.doors.settings import read_settings
    from sealwright.doors.wiring import open_or_create, open_workspace_at

    settings = read_settings(home=home, key_file=key_file)
    if create:
        return open_or_create(settings, tell=lambda line: say(line, err=True))
    return open_workspace_at(settings)


@contextmanager
def acting_at(
    home: Path | None,
    key_file: Path | None,
    actor: str | None,
    person_key: Path | None = None,
    *,
    create: bool = False,
) -> "Iterator[tuple[Workspace, Principal]]":
    """The workspace to work in, and who acts there."""
    from sealwright.doors.acting import acting
    from sealwright.doors.settings import read_settings

    settings = read_settings(home=home, key_file=key_file, actor=actor)
    with open_at(home, key_file, create=create) as workspace:
        yield workspace, acting(workspace, settings, person_key)


def project_at(folder: Path) -> "Project":
    from sealwright.pipeline import load_project

    return load_project(folder)


def out(as_json: bool, value: Any, words: Callable[[], None]) -> None:
    """Print the answer: one JSON object for programs, or what `words` prints for people."""
    if as_json:
        typer.echo(json_text(value))
    else:
        words()


def say(text: str = "", *, nl: bool = True, err: bool = False) -> None:
    """Print words that hold something from outside: a name, a value, a path. They cannot steer a terminal."""
    typer.echo(safe(text), nl=nl, err=err)
