"""Who is at the keyboard: log in with one's own key, log out, ask who one is."""

from pathlib import Path
from typing import Annotated

import typer

from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, PersonKey, acting_at, open_at, out, say

__all__ = ["add_to"]

_PANEL = "Who may do what"


def add_to(app: typer.Typer) -> None:
    for verb in (login, logout, whoami):
        app.command(rich_help_panel=_PANEL)(verb)


def login(
    name: Annotated[str, typer.Argument(help="Your name, as you are enrolled.")],
    person_key: Annotated[
        Path | None,
        typer.Option(
            "--person-key", help="Key file that opens your own key; else your passphrase is asked.", show_default=False
        ),
    ] = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Prove who you are once: until you log out, for 8 hours at most, or 30 minutes without a command, commands are yours.

    What takes a second factor or your own key, such as promote, is yours for the first 15 minutes; then log in again.
    Exit status: 0 logged in, 2 wrong key or passphrase, 3 not enrolled.
    """
    from sealwright.doors.acting import log_in
    from sealwright.doors.cli import show
    from sealwright.doors.settings import read_settings
    from sealwright.kernel import rfc3339

    with open_at(home, key_file) as workspace:
        found = log_in(workspace, read_settings(home=home, key_file=key_file), name, person_key)
    facts = {"person": found.person, "until": rfc3339(found.ends_at)}
    out(as_json, facts, lambda: show.facts(facts))


def logout(home: Home = None, key_file: KeyFileOption = None, as_json: AsJson = False) -> None:
    """End your session."""
    from sealwright.doors.acting import log_out
    from sealwright.doors.settings import read_settings

    with open_at(home, key_file) as workspace:
        who = log_out(workspace, read_settings(home=home, key_file=key_file))
    out(
        as_json,
        {"person": who or None},
        lambda: say(f"{who} is logged out." if who else "Nobody was logged in."),
    )


def whoami(
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Say as whom a command would act here, how that is proven, and in which roles.

    Exit status: 0 said, 3 the name of somebody enrolled, and nothing proves it.
    """
    from sealwright.doors.cli import show

    with acting_at(home, key_file, actor, person_key) as (_, by):
        pass
    roles = sorted({grant.role for grant in by.grants})
    proof = {"machine_account": "nobody enrolled: whoever opens the workspace", "key": "their own key"}
    facts = {
        "name": by.name,
        "proof": by.proof,
        "roles": roles,
        "second_factor": by.strong,
    }

    def words() -> None:
        show.facts(
            {
                "name": by.name,
                "proven by": proof.get(by.proof, "a session"),
                "roles": ", ".join(roles) or "none",
                "second factor or own key": "recently" if by.strong else "no",
            }
        )

    out(as_json, facts, words)
