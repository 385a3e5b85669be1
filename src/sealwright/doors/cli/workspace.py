"""The workspace: make one, look at it, hand out its public keys."""

from pathlib import Path
from typing import Annotated

import typer

from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, PersonKey, acting_at, out, say, writable

__all__ = ["app"]

app = typer.Typer(help="Make a workspace, look at it, hand out its public keys.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Option("--name", help="Your organisation's name.")] = "My organisation",
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Open it by a typed passphrase instead of a key file.")
    ] = False,
    database: Annotated[
        str | None,
        typer.Option("--database", help="PostgreSQL URL without a password; else SQLite.", show_default=False),
    ] = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Make a new workspace with keys of its own.

    Exit status: 0 done, 2 there is one already, or the key file is unsafe.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.settings import read_settings
    from sealwright.pipeline import create_workspace

    settings = read_settings(home=home, key_file=key_file)
    unlock = settings.new_unlock(passphrase=passphrase)
    with create_workspace(settings.home, name=name, unlock=unlock, database=database) as made:
        facts = {
            "workspace": str(made.home),
            "id": made.id,
            "opened by": "a passphrase" if passphrase else str(settings.key_file),
            "fingerprint": made.trust_root.fingerprint,
        }

    def words() -> None:
        show.title("A workspace was made")
        show.facts(facts)
        if not passphrase:
            say("Back the key file up, apart from the workspace: without it nothing can be opened again.")
        show.next_step("sealwright init my-project --data my.csv --target my_column")

    out(as_json, facts, words)


@app.command()
def show(
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Say what is in the workspace."""
    from sealwright.doors.cli import show as display
    from sealwright.pipeline import overview

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        facts = overview(workspace, by=by)
    out(as_json, facts, lambda: display.facts({key.replace("_", " "): value for key, value in facts.items()}))


@app.command()
def trust(
    to: Annotated[Path | None, typer.Option("--to", help="Write it to this file.", show_default=False)] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Hand out the public keys that verifiers need, and their fingerprint. Needs no secret."""
    from sealwright.doors.cli import show as display
    from sealwright.doors.settings import read_settings
    from sealwright.kernel import write_atomically
    from sealwright.pipeline import read_trust_root

    to = writable(to)
    root = read_trust_root(read_settings(home=home).home)
    if to is not None:
        write_atomically(to, root.to_bytes(), mode=0o644)
    facts = {"workspace": root.workspace, "fingerprint": root.fingerprint, "file": str(to) if to else None}

    def words() -> None:
        if to is None:
            say(root.to_bytes().decode())
        else:
            display.facts(facts)
            say("Tell the fingerprint by another way than the file, so that nobody can swap both.")

    out(as_json, facts, words)
