"""`sealwright siem …`: security events to a SIEM; `sealwright alerts`: attacks seen in them.

Sending needs no key of the workspace: ledgers are read with the public keys, and only TLS files of its own are opened.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, PersonKey, acting_at, out, say

if TYPE_CHECKING:
    from sealwright.trust import Ledger
    from sealwright.watch import Alert, Exporter, Seen, TlsSender

__all__ = ["add_to", "app"]

app = typer.Typer(help="Send security events to a SIEM; nothing is lost when it is away.", no_args_is_help=True)

_PANEL = "Keep it in order"
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0  # seconds between attempts

Which = Annotated[
    str, typer.Option("--ledger", help="control; door: what the control server refused; or PROJECT/CHANNEL: decisions.")
]
Name = Annotated[str, typer.Option("--name", help="Name of the receiver here; its cursor is kept under it.")]
Format = Annotated[str, typer.Option("--format", help="ocsf (OCSF 1.8 JSON) or cef.")]


def add_to(root: typer.Typer) -> None:
    root.command(rich_help_panel=_PANEL)(alerts)


@app.command()
def send(
    host: Annotated[str, typer.Option("--to", help="Host name of the receiver, as its certificate has it.")],
    ca: Annotated[Path, typer.Option("--ca", help="CA that proves the receiver (PEM).")],
    certificate: Annotated[Path, typer.Option("--certificate", help="Our certificate (PEM).")],
    key: Annotated[Path, typer.Option("--key", help="Its key (PEM, without a passphrase).")],
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="Port.")] = 6514,
    name: Name = "siem",
    ledger: Which = "control",
    how: Format = "ocsf",
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C; an outage is waited for.")] = False,
    oldest_tls: Annotated[
        str, typer.Option("--oldest-tls", help="1.3, or 1.2 for receivers that know no better.")
    ] = "1.3",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Send every event the receiver does not have yet, as syslog (RFC 5424) over TLS with a client certificate.

    Exit status: 0 all of it arrived, 1 the receiver was lost (run it again), 2 wrong usage, 4 the ledger is another than before.
    """
    from sealwright.watch import Receiver, TlsSender

    where = Receiver(host=host, port=port, ca=ca, certificate=certificate, key=key, oldest_tls=oldest_tls)
    where.context()  # files that do not fit are told before anything is read
    folder = _home(home)
    exporter = _exporter(folder, ledger, name, how, connect=lambda: TlsSender(where))
    sent, lag = _send(exporter, folder, ledger), None
    while follow:
        sent += _send_patiently(exporter, folder, ledger)
    with _opened(folder, ledger) as book:
        lag = exporter.lag(book)
    facts = {"sent": sent, "arrived": lag.arrived, "waiting": lag.waiting}
    out(as_json, facts, lambda: say(f"{sent:,} events sent; {lag.waiting:,} wait."))


@app.command()
def status(name: Name = "siem", ledger: Which = "control", home: Home = None, as_json: AsJson = False) -> None:
    """How far a receiver is behind: events that arrived, events that wait, and since when."""
    folder = _home(home)
    with _opened(folder, ledger) as book:
        lag = _exporter(folder, ledger, name, "ocsf").lag(book)
    facts = {"arrived": lag.arrived, "waiting": lag.waiting, "oldest": lag.oldest}
    since = f", the oldest since {lag.oldest}" if lag.waiting else ""
    out(as_json, facts, lambda: say(f"{lag.arrived:,} events have arrived, {lag.waiting:,} wait{since}."))


@app.command(name="print")
def print_events(
    ledger: Which = "control",
    how: Format = "ocsf",
    start: Annotated[int, typer.Option("--from", min=0, help="Index of the first event.")] = 0,
    home: Home = None,
) -> None:
    """Print events as a receiver would get them, one a line: to look at, or to hand to a collector of your own."""
    from sealwright.watch import seen_in

    folder, encode = _home(home), _encoder(how)
    with _opened(folder, ledger) as book:
        for entry in book.entries(start):
            say(encode(seen_in(entry, _origin(folder, ledger))))


def alerts(
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Look for attacks in the events of the last day, in every ledger; what is found is recorded once, and told.

    Exit status: 0 nothing new, 3 there are new alerts, or you may not read the ledger.
    """
    from dataclasses import asdict

    from sealwright.kernel import rfc3339
    from sealwright.pipeline import reading_ledgers
    from sealwright.pipeline.permission import WorkspaceAudit
    from sealwright.watch import raise_alerts

    with acting_at(home, key_file, actor, person_key) as (workspace, by), reading_ledgers(workspace, by) as books:
        found = raise_alerts(books, WorkspaceAudit(workspace), now=workspace.clock())
    told = [asdict(alert) | {"since": rfc3339(alert.since), "at": rfc3339(alert.at)} for alert in found]
    out(as_json, told, lambda: _tell(found))
    if found:
        raise typer.Exit(3)


def _tell(found: "list[Alert]") -> None:
    if not found:
        say("Nothing new in the events of the last day.")
    for alert in found:
        say(f"{alert.severity:<9} {alert.rule:<28} {alert.says}")
        say(f"{'':<9} {alert.count} events from {alert.first}\n{'':<9} to {alert.last}")


def _send(exporter: "Exporter", folder: Path, ledger: str) -> int:
    with _opened(folder, ledger) as book:
        return exporter.send_what_waits(book)


def _send_patiently(exporter: "Exporter", folder: Path, ledger: str) -> int:
    """Send what came meanwhile; a receiver that is away is tried again, ever more slowly."""
    from sealwright.watch import SendFailed

    wait = _FIRST_WAIT
    while True:
        time.sleep(wait)
        try:
            return _send(exporter, folder, ledger)
        except SendFailed as lost:
            wait = min(2 * wait, _LONGEST_WAIT)
            say(f"{lost} Trying again in {wait:.0f} s.", err=True)


def _exporter(
    folder: Path, ledger: str, name: str, how: str, connect: "Callable[[], TlsSender] | None" = None
) -> "Exporter":
    import socket

    from sealwright.kernel import check_name, private_folder
    from sealwright.watch import CursorFile, Exporter

    cursors = private_folder(folder / "siem")
    cursor = CursorFile(
        cursors / f"{check_name(name, what='receiver')}.{ledger.replace('/', '.')}.json", _origin(folder, ledger)
    )
    return Exporter(
        cursor, connect or _nowhere, origin=_origin(folder, ledger), host=socket.gethostname(), encode=_encoder(how)
    )


def _nowhere() -> "TlsSender":
    raise AssertionError("this exporter only looks how far a receiver is")


def _encoder(how: str) -> "Callable[[Seen], str]":
    from sealwright.kernel import InvalidInput
    from sealwright.watch import ENCODERS

    if how not in ENCODERS:
        raise InvalidInput(f"There is no format {how[:20]!r}. Formats are: {', '.join(ENCODERS)}.")
    return ENCODERS[how]


def _home(home: Path | None) -> Path:
    from sealwright.doors.settings import read_settings

    return read_settings(home=home).home


def _origin(folder: Path, ledger: str) -> str:
    from sealwright.pipeline import ledger_named, read_trust_root

    return ledger_named(folder, read_trust_root(folder), ledger).origin


@contextmanager
def _opened(folder: Path, ledger: str) -> "Iterator[Ledger]":
    from sealwright.pipeline import ledger_named, read_trust_root
    from sealwright.trust import Ledger

    root = read_trust_root(folder)
    place = ledger_named(folder, root, ledger)
    with Ledger.open(place.folder, origin=place.origin, signer=None, keys=root.keys_of(place.branch)) as book:
        yield book
