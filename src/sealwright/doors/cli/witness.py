"""A witness: a program of its own, best on a machine of somebody else, that cosigns checkpoints of ledgers."""

from pathlib import Path
from typing import Annotated

import typer

from sealwright.doors.cli.options import AsJson, out, say

__all__ = ["app"]

app = typer.Typer(
    help="Run a witness: it cosigns a ledger's checkpoints while they only ever add.", invoke_without_command=True
)

State = Annotated[Path, typer.Option("--state", help="The witness's own folder: its key and what it saw.")]


@app.callback()
def run(
    context: typer.Context,
    listen: Annotated[
        str | None,
        typer.Option("--listen", help="Address and port to listen on, e.g. 127.0.0.1:7475.", show_default=False),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option("--state", help="The witness's own folder; made at the first start.", show_default=False),
    ] = None,
    name: Annotated[
        str,
        typer.Option(
            "--name", help="Its name in cosignatures, given once, e.g. witness.example/w1.", show_default=False
        ),
    ] = "",
) -> None:
    """Run a witness until it is stopped. Prints its key, which those who trust it need.

    Tell it whose ledgers it may cosign with: sealwright witness add TRUST.json --state FOLDER
    """
    if context.invoked_subcommand is not None:
        return
    if listen is None or state is None:
        say(context.get_help())
        raise typer.Exit
    import signal
    import threading

    from sealwright.doors.witness_app import WitnessServer, listen_address
    from sealwright.trust import Witness

    host, port = listen_address(listen)
    with Witness(state, name=name) as witness, WitnessServer(witness, host, port) as server:
        for stop in (signal.SIGTERM, signal.SIGINT):
            signal.signal(stop, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start())
        shown = f"[{host}]" if ":" in host else host
        say(f"Witness {witness.key.name} listens on http://{shown}:{server.server_address[1]}")
        say(f"Its key: {witness.key.vkey()}")
        server.serve_forever(poll_interval=0.2)


@app.command()
def add(
    trust: Annotated[Path, typer.Argument(help="The organisation's trust.json.")],
    state: State,
    fingerprint: Annotated[
        str | None, typer.Option("--fingerprint", help="Fingerprint trust.json must have.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let this witness cosign for the ledgers of one workspace. It may be running."""
    from sealwright.doors.cli import show
    from sealwright.kernel import VerificationFailed, read_limited
    from sealwright.trust import TrustRoot, WitnessState

    data = read_limited(trust, 256 * 1024)
    found = TrustRoot.from_bytes(data).fingerprint
    if fingerprint is not None and fingerprint != found:
        raise VerificationFailed(f"{trust} has the fingerprint {found}. Do not use it.", link="trust.json")
    root = WitnessState(state).add(data)
    facts = {"workspace": root.workspace, "fingerprint": root.fingerprint}
    out(as_json, facts, lambda: show.facts(facts))


@app.command(name="show")
def show_seen(
    state: State,
    origin: Annotated[
        str | None,
        typer.Option("--origin", help="Print the cosigned checkpoint of this log, to be compared.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what this witness cosigned last, per log; with --origin, the checkpoint itself.

    Compare it on the other side with: sealwright ledger verify --against FILE
    """
    from sealwright.doors.cli import show
    from sealwright.kernel import rfc3339
    from sealwright.trust import Checkpoint, WitnessState, cosignatures_of

    kept = WitnessState(state)
    key = kept.cosigner().key
    if origin is not None:
        newest = kept.newest(origin).decode()
        out(as_json, {"log": origin, "checkpoint": newest}, lambda: say(newest, nl=False))
        return
    table = []
    for note in kept.all_seen():
        head, mine = Checkpoint.parse_note(note), cosignatures_of(note, [key])[key.name]
        table.append({"log": head.origin, "entries": head.size, "root": head.root.hex(), "at": rfc3339(mine.at)})

    def words() -> None:
        show.facts({"witness": key.name, "key": key.vkey()})
        show.rows(["log", "entries", "root", "cosigned at"], [tuple(row.values()) for row in table])

    out(as_json, {"witness": key.name, "key": key.vkey(), "logs": table}, words)
