"""The control server: start it, and let a program in."""

from pathlib import Path
from typing import Annotated

import typer

from sealwright.doors.cli.options import (
    Actor,
    AsJson,
    Home,
    KeyFileOption,
    PersonKey,
    acting_at,
    open_at,
    out,
    say,
    writable,
)

__all__ = ["add_to"]

_PANEL = "Serve"


def add_to(app: typer.Typer) -> None:
    app.command(rich_help_panel=_PANEL)(control)
    app.command(name="control-token", rich_help_panel=_PANEL)(control_token)


def control(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65_535, help="Port; 0 picks a free one.", show_default="8444")
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="A further host name it answers to. May be given again.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="Your own TLS certificate (PEM).", show_default=False)
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="Its key (PEM, 0600).", show_default=False)] = None,
    first: Annotated[
        str | None,
        typer.Option(
            "--first",
            help="Where nobody is enrolled: the name of the first person. Else that of the system user.",
            show_default=False,
        ),
    ] = None,
    settings: Annotated[
        Path | None, typer.Option("--settings", help="A YAML file with more: limits, client CA.", show_default=False)
    ] = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Start the control server of the workspace: its console and API, over TLS, until Ctrl-C.

    Without --certificate, a certificate of the workspace's local CA is made for this machine. While nobody has an account,
    it prints a link for the first one, good for 15 minutes on this machine.
    Exit status: 0 stopped in good order, 2 unsafe settings, 4 the workspace does not verify.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.control.people_wiring import people_parts
    from sealwright.doors.control.process import door_ledger, serve_control
    from sealwright.doors.control.settings import control_settings
    from sealwright.doors.settings import read_settings
    from sealwright.kernel import check_name
    from sealwright.pipeline import certificates_of

    options = {
        "host": host,
        "port": port,
        "hosts": name or None,
        "tls_certificate": certificate,
        "tls_key": key,
    }
    someone = check_name(first, what="person") if first else read_settings().actor
    with open_at(home, key_file) as workspace:
        certificates_of(workspace).publish()  # what the transport checks is as it is now
        chosen = control_settings(workspace, settings, options)
        with door_ledger(workspace) as audit, people_parts(workspace, audit, chosen) as people:

            def ready(at: int) -> None:
                link = people.first.link(someone)
                facts = {
                    "url": f"{chosen.origin}/",
                    "port": at,
                    "ca": str(chosen.ca) if chosen.ca else None,
                    "first account": f"{chosen.origin}/enrol/{link.token.reveal()}" if link else None,
                }
                shown = {"control": facts["url"], "trust for curl": f"--cacert {chosen.ca}"}
                if link:
                    shown |= {
                        "first account": f"{facts['first account']}   ({link.name}, for 15 minutes, on this machine)"
                    }
                out(as_json, facts, lambda: show.facts(shown))

            serve_control(workspace, chosen, people.parts, ready=ready, beside=people.going_on)


def control_token(
    subject: Annotated[str, typer.Option("--for", help="Which program: a client's name.")],
    may: Annotated[list[str], typer.Option("--may", help="What it may do, e.g. ledger.read. May be given again.")],
    hours: Annotated[float, typer.Option("--hours", min=0.01, max=720, help="How long it is good.")] = 1.0,
    to: Annotated[Path | None, typer.Option("--to", help="Write it to this file (0600).", show_default=False)] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Issue a bearer token for a program that asks the control server. Shown once; the ledger keeps who and for how long.

    With --to, the file is written in the form `curl --config FILE` reads, so the token is in no process list.
    """
    from sealwright.doors.access import hand_out_control_token
    from sealwright.doors.cli import show
    from sealwright.kernel import check_name, write_atomically

    to, subject = writable(to), check_name(subject, what="client")
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        raw = hand_out_control_token(workspace, subject, may, hours=hours, by=by)
    facts = {"written to": str(to) if to else None, "for": subject, "may": ", ".join(may), "hours": hours}
    if to is not None:
        write_atomically(to, f'header = "Authorization: Bearer {raw}"\n'.encode())
        out(as_json, facts, lambda: show.facts(facts))
    else:
        out(as_json, {"token": raw, "for": subject}, lambda: say(raw))
