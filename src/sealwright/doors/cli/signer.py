"""The signer: the one process that holds the private signing keys."""

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
    unlock = unlock_of(settings)
    stand_signer(
        settings.home / "keys",
        unlock,
        ready=lambda at: out(as_json, {"socket": str(at)}, lambda: show.facts({"signing at": str(at)})),
    )
