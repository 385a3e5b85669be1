"""`sealwright data lineage | card`: where data came from and went, and the card that tells others."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, PersonKey, acting_at, out, say, writable
from sealwright.kernel import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sealwright.pipeline.lineage import Lineage

__all__ = ["add_to"]

Name = Annotated[str, typer.Argument(help="Project name.")]
To = Annotated[Path | None, typer.Option("--to", help="Write it to this file.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    app.command()(lineage)
    app.command()(card)


def lineage(
    project: Name,
    of: Annotated[
        str | None,
        typer.Option("--of", help="Only what belongs to this digest (its first digits will do).", show_default=False),
    ] = None,
    form: Annotated[
        Literal["text", "json", "svg"] | None,
        typer.Option(
            "--format", help="How to show it; else text, in a file JSON, or as its name ends.", show_default=False
        ),
    ] = None,
    to: To = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Show what was made from what: source, snapshots, models, versions, decisions; from signed statements only.

    Exit status: 0 shown, 2 nothing was ingested, 3 you may not see the project, 4 a statement was changed.
    """

    from sealwright.kernel import InvalidInput, write_atomically
    from sealwright.oversight import lineage_svg
    from sealwright.pipeline.lineage import lineage_of

    if as_json and to is None and form not in (None, "json"):
        raise InvalidInput(f"--json prints JSON and nothing else. Leave it out, or write the {form} with --to FILE.")
    to = writable(to)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        found = lineage_of(workspace, project, by=by)
        found = found.around(of) if of is not None else found
    value = found.to_json()
    wanted = form or _usual(to, as_json=as_json)
    if wanted == "svg":
        text = lineage_svg(value["nodes"], value["edges"], title=f"Lineage of {project}")
    elif wanted == "json":
        text = json_text(value) + "\n"
    elif to is not None:
        text = "\n".join(_lines(found)) + "\n"
    else:
        _tell(found)
        return
    if to is None:
        say(text, nl=False)  # escaped where it was made
    else:
        write_atomically(to, text.encode(), mode=0o644)
        out(as_json, {"written": str(to)}, lambda: say(f"Written to {to}"))


def card(
    project: Name,
    snapshot: Annotated[
        str | None, typer.Option("--snapshot", help="Its digest; else the newest.", show_default=False)
    ] = None,
    to: To = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Write the data card of a snapshot: Croissant 1.0 with the responsible-AI fields, from what is signed.

    Exit status: 0 written, 2 there is no such snapshot, 3 you may not see the project.
    """

    from sealwright.kernel import write_atomically
    from sealwright.pipeline.data_card import data_card

    to = writable(to)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        made = data_card(workspace, project, snapshot, by=by)
    text = json_text(made) + "\n"
    if to is None:
        say(text, nl=False)  # escaped where it was made
    else:
        write_atomically(to, text.encode(), mode=0o644)
        out(as_json, {"written": str(to)}, lambda: say(f"Written to {to}"))


def _usual(to: Path | None, *, as_json: bool) -> str:
    """How it is shown where nobody said so."""
    if to is None:
        return "json" if as_json else "text"
    return {".svg": "svg", ".txt": "text"}.get(to.suffix, "json")


def _lines(found: "Lineage") -> "Iterator[str]":
    from sealwright.kernel import safe
    from sealwright.pipeline.lineage import outline

    for depth, how, node in outline(found):
        short = node.id.rsplit("/", 1)[-1].removeprefix("sha256:")[:12]
        state = f" ({node.facts['state']})" if node.facts.get("state") in {"replaced", "disposed"} else ""
        arrow = f"{'   ' * (depth - 1)}└─ {how}: " if depth else ""
        yield safe(f"{arrow}{node.kind} {short}  {node.label}{state}")
    yield f"{len(found.nodes)} things, {len(found.edges)} steps, each from a signed statement or the ledger."


def _tell(found: "Lineage") -> None:
    from sealwright.doors.cli import show

    for line in _lines(found):
        say(line)
    show.next_step(f"sealwright data lineage {found.project} --to lineage.svg   (the same as a picture)")
