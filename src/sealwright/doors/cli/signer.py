"""The signer: the one process that holds the private signing keys."""

from pathlib import Path
from typing import Annotated

import typer

from sealwright.doors.cli.options import AsJson, Home, KeyFileOption, out

__all__ = ["app"]

app = typer.Typer(help="Run the signer: the one process that holds the private signing keys.")


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Hold the signing keys and sign for the commands and servers of this machine, until Ctrl-C.

    While it runs, every command asks it at <home>/run/signer.sock, and none starts a signer of its own. It reads what it
    signs, and signs no head of a ledger that contradicts an earlier one, and no release that the gate did not let through.
    Exit status: 0 stopped in good order, 2 another one runs or its folder is not safe, 4 the keys do not verify.
    """
    if context.invoked_subcommand is not None:
        return
    from sealwright.doors.cli import show
    from sealwright.doors.settings import read_settings
    from sealwright.doors.wiring import unlock_of
    from sealwright.trust import stand_signer

    settings = read_settings(home=home, key_file=key_file)
    stand_signer(
        settings.home / "keys",
        lambda: unlock_of(settings),
        ready=lambda at: out(as_json, {"socket": str(at)}, lambda: show.facts({"signing at": str(at)})),
    )


@app.command()
def part(
    to: Annotated[Path, typer.Option("--to", help="The signer's own folder, to be made.")],
    signer_key: Annotated[Path, typer.Option("--signer-key", help="Its key file (0600); made if there is none.")],
    user: Annotated[str, typer.Option("--user", help="The user the signer will run as: a name or a number.")],
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Move the signing keys out of the workspace into a folder that only the signer's user can open.

    From then on nothing that runs as the workspace's user can sign by itself, and that signer has to run. Run this as
    root, while nothing else of the workspace runs. Backups from before still hold the old files: destroy those, too.
    Exit status: 0 done, 2 there is something at the folder already, or the user does not exist.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.settings import read_settings
    from sealwright.doors.wiring import unlock_of
    from sealwright.trust import KeyFile, create_key_file, part_signing_keys

    settings = read_settings(home=home, key_file=key_file)
    number, unlock = _number_of(user), unlock_of(settings)
    opener = KeyFile(signer_key) if signer_key.exists() else create_key_file(signer_key)
    part_signing_keys(settings.home / "keys", unlock, to, opener, number)
    facts = {"signing keys": str(to / "keys"), "opened by": str(signer_key), "user": number}

    def words() -> None:
        show.facts(facts)
        show.next_step(f"sealwright signer --home {to} --key-file {signer_key}   (as that user)")

    out(as_json, facts, words)


def _number_of(user: str) -> int:
    import pwd

    from sealwright.kernel import InvalidInput

    try:
        return int(user) if user.isdecimal() else pwd.getpwnam(user).pw_uid
    except KeyError:
        raise InvalidInput(f"There is no user {user[:40]!r} on this machine. Make one first.") from None
