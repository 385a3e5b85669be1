"""Serving: start the prediction server, hand out tokens."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sealwright.doors.cli.options import (
    Actor,
    AsJson,
    Home,
    KeyFileOption,
    PersonKey,
    Served,
    ToldChoice,
    ToldOption,
    acting_at,
    out,
    say,
    served_at,
    writable,
)

__all__ = ["add_to"]

_PANEL = "Serve"
_SCOPES = {ToldChoice.LABELS: "label:{0}", ToldChoice.USUAL: "predict:{0}", ToldChoice.FULL: "predict:{0} full:{0}"}


class ClientCertificates(StrEnum):
    """What a server asks of its callers' TLS."""

    none = "none"
    optional = "optional"
    required = "required"


class PlatformContract(StrEnum):
    """Platforms whose container this can be."""

    sagemaker = "sagemaker"
    azureml = "azureml"


def add_to(app: typer.Typer) -> None:
    app.command(rich_help_panel=_PANEL)(serve)
    app.command(rich_help_panel=_PANEL)(token)


def serve(
    project: Served,
    also: Annotated[
        list[str] | None,
        typer.Option(
            "--also", help="Serve this project, too, in the same process. Can be given many times.", show_default=False
        ),
    ] = None,
    all_released: Annotated[
        bool, typer.Option("--all-released", help="Serve every project that has a release in the channel, too.")
    ] = False,
    channel: Annotated[str | None, typer.Option("--channel", help="Release channel.", show_default=False)] = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host", help="Address to listen on [default: 127.0.0.1; 0.0.0.0 with --contract].", show_default=False
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=0,
            max=65_535,
            help="Port; 0 picks a free one [default: 8443; the platform's with --contract].",
            show_default=False,
        ),
    ] = None,
    grpc_port: Annotated[
        int | None,
        typer.Option(
            "--grpc-port",
            min=0,
            max=65_535,
            help="Speak the Open Inference Protocol over gRPC, too, here.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            max=256,
            help="Processes that answer, one for each core [default: serving.workers of the project].",
            show_default=False,
        ),
    ] = None,
    contract: Annotated[
        PlatformContract | None,
        typer.Option(
            "--contract", help="Answer as this platform's container has to, and nothing else.", show_default=False
        ),
    ] = None,
    behind_platform: Annotated[
        bool,
        typer.Option("--behind-platform", help="With --contract: the platform in front checks callers; we check none."),
    ] = False,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="Your own TLS certificate (PEM).", show_default=False)
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="Its key (PEM, 0600).", show_default=False)] = None,
    client_certificates: Annotated[
        ClientCertificates,
        typer.Option("--client-certificates", help="Whether callers show certificates issued by this workspace."),
    ] = ClientCertificates.none,
    redis: Annotated[
        Path | None,
        typer.Option(
            "--redis",
            help="Count callers' budgets in Redis: a private file that says where it is. Else in a file of the channel.",
            show_default=False,
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace-process", help="Become the server process: for service managers.")
    ] = False,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Serve what the channel's signed pointer names, over TLS, until Ctrl-C.

    The server process gets the keys of decision records over a pipe and no other; what it has to sign, the signer signs.
    Without --certificate, a certificate of the workspace's local CA is made for this machine.
    With --also or --all-released, one process serves many projects: each is opened when it is first asked for, keeps its own
    ledger and budgets, and is put away when others need its memory. A token reaches only the projects it names.
    With --contract and --behind-platform, plain HTTP is spoken inside a platform's container, and whoever the
    platform lets in may ask.
    Exit status: 0 stopped in good order, 2 nothing is released there, or unsafe settings, 4 pointer or package does not verify.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.serving import released_in, server_config
    from sealwright.pipeline import note_differences
    from sealwright.serving import become, launch, signer_line

    models = [served_at(one, channel) for one in (project, *(also or ()))]
    name = models[0][0]
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        if changed := note_differences(workspace):
            say(f"Warning: {len(changed)} packages are not as accepted, among them {changed[0]}.", err=True)
            say("Look at all of them with: sealwright doctor", err=True)
        if all_released:
            known = {one for one, _ in models}
            found = released_in(workspace, models[0][1].channel)
            models += [served_at(one, models[0][1].channel) for one in found if one not in known]
        config, ca = server_config(
            workspace,
            models,
            host=host,
            port=port,
            by=by,
            certificate=certificate,
            key=key,
            client_certificates=client_certificates.value,
            redis=redis,
            grpc_port=grpc_port,
            workers=workers,
            contract=None if contract is None else contract.value,
            behind_platform=behind_platform,
        )
        signer = signer_line(workspace.keyring, config)
    if replace:
        become(config, signer)
    with launch(config, signer) as running:
        facts = {"url": running.url, "model": name, "pid": running.pid, "ca": str(ca) if ca else None}
        told: dict[str, object] = {"serving": running.url, "model": name}
        if len(models) > 1:
            facts["models"] = [one for one, _ in models]
            told["models"] = f"{len(models)}, opened when they are asked for"
        if contract is not None:
            told["callers"] = f"whoever {contract.value} lets in"
        elif ca is not None:
            told["trust for curl"] = f"--cacert {ca}"
        if config.workers > 1:
            facts["workers"] = told["workers"] = config.workers
        if running.grpc_port is not None:
            facts["grpc_port"] = told["gRPC port"] = running.grpc_port
        out(
            as_json,
            facts,
            lambda: show.facts(told),
        )
        try:
            status = running.wait()
        except KeyboardInterrupt:
            status = running.stop()
    if status not in {0, None}:
        raise typer.Exit(1)


def token(
    project: Served,
    subject: Annotated[str, typer.Option("--for", help="Who will call: a client's name.")],
    hours: Annotated[float, typer.Option("--hours", min=0.01, max=24, help="How long it is good.")] = 1.0,
    to: Annotated[Path | None, typer.Option("--to", help="Write it to this file (0600).", show_default=False)] = None,
    told: ToldOption = ToldChoice.USUAL,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Issue a bearer token that may ask one project's model. Shown once; the ledger keeps who and for how long.

    For longer than a day, make an API key: sealwright api-key make. With --to, the file is written in the form `curl --config FILE` reads, so the token is in no process list.
    Exit status: 0 done, 2 there is no such project, 3 you may not.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.serving import issue
    from sealwright.kernel import write_atomically
    from sealwright.pipeline import refuse_unknown_project

    (name, _), to = served_at(project, None), writable(to)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        refuse_unknown_project(workspace, name, asker=by)
        raw = issue(workspace, name, subject=subject, hours=hours, by=by, told=told.value)
    if to is not None:
        write_atomically(to, f'header = "Authorization: Bearer {raw}"\n'.encode())
        facts = {"written to": str(to), "for": subject, "may": _SCOPES[told].format(name), "hours": hours}
        out(as_json, facts, lambda: show.facts(facts))
    else:
        out(as_json, {"token": raw, "for": subject}, lambda: say(raw))
