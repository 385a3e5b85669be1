"""Everything of one machine with one command."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from sealwright.doors.cli.options import AsJson, Home, KeyFileOption, out, served_at

if TYPE_CHECKING:
    from sealwright.doors.settings import Settings
    from sealwright.trust import Unlock

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    app.command(rich_help_panel="Serve")(up)


def up(
    project: Annotated[
        str | None,
        typer.Argument(help="A released project, or its folder, whose model is served, too.", show_default=False),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(
            "--also", help="Serve this project, too, in the same process. Can be given many times.", show_default=False
        ),
    ] = None,
    all_released: Annotated[
        bool, typer.Option("--all-released", help="With a project: serve every other one that has a release, too.")
    ] = False,
    control_port: Annotated[int, typer.Option("--control-port", min=0, max=65_535, help="Port of the console.")] = 8444,
    predict_port: Annotated[int, typer.Option("--predict-port", min=0, max=65_535, help="Port of the model.")] = 8443,
    first: Annotated[
        str | None, typer.Option("--first", help="Where nobody is enrolled: the first person.", show_default=False)
    ] = None,
    no_signer: Annotated[bool, typer.Option("--no-signer", help="A signer of this workspace runs already.")] = False,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Start the workspace's processes on this machine: signer, control server and, if a project is named, its predictions.

    They end together, on Ctrl-C or when one of them ends.
    Exit status: 0 stopped in good order, 1 one of them did not start or ended by itself, 2 nothing is released for a project.
    """
    import os

    from sealwright.doors.cli import show
    from sealwright.doors.settings import read_settings
    from sealwright.doors.together import Plan, run_together
    from sealwright.doors.wiring import unlock_of
    from sealwright.kernel import InvalidInput
    from sealwright.trust import Passphrase

    settings = read_settings(home=home, key_file=key_file)
    unlock = unlock_of(settings)
    named = ("--home", str(settings.home), "--key-file", str(settings.key_file))
    plans = [] if no_signer else [Plan(name="signer", arguments=("signer", *named))]
    more = ("--first", first) if first else ()
    plans.append(Plan(name="control", arguments=("control", "--port", str(control_port), *more, *named)))
    if project is None and (also or all_released):
        raise InvalidInput("Name the first project to serve: sealwright up PROJECT --also OTHER.")
    if project is not None:
        _refuse_unreleased(settings, unlock, [project, *(also or ())])
        others = [word for one in also or () for word in ("--also", one)]
        others += ["--all-released"] if all_released else []
        plans.append(Plan(name="predict", arguments=("serve", project, *others, "--port", str(predict_port), *named)))

    def ready(facts: dict[str, dict[str, object]]) -> None:
        shown = {"control": facts["control"]["url"], "trust for curl": f"--cacert {facts['control']['ca']}"}
        if "predict" in facts:
            shown |= {"predict": facts["predict"]["url"]}
        if facts["control"]["first account"]:
            shown |= {"first account": f"{facts['control']['first account']}   (for 15 minutes, on this machine)"}
        out(as_json, facts, lambda: show.facts(shown))

    passphrase = unlock.text.reveal() if isinstance(unlock, Passphrase) else None
    run_together(plans, environment=os.environ, passphrase=passphrase, ready=ready)


def _refuse_unreleased(settings: "Settings", unlock: "Unlock", projects: Sequence[str]) -> None:
    """Say it before two servers are started for nothing. The workspace is opened only where a pointer is missing."""
    from sealwright.pipeline import is_workspace, open_workspace, refuse_unreleased

    named = [(name, spec.channel) for name, spec in (served_at(one, None) for one in projects)]
    missing = [
        (name, channel)
        for name, channel in named
        if not (settings.home / "pointers" / name / f"{channel}.json").is_file()
    ]
    if missing and is_workspace(settings.home):
        with open_workspace(settings.home, unlock) as workspace:
            for name, channel in missing:
                refuse_unreleased(workspace, name, channel)
