"""The tree of commands. Each module adds its verbs; heavy imports wait inside the verbs."""

from typing import Annotated

import typer

from sealwright.doors.cli import data, evidence_verbs, keys, lifecycle, people, release, serve, start, workspace

__all__ = ["app"]

app = typer.Typer(
    name="sealwright",
    help="Make your own models securely, and prove it.",
    epilog="Start with: sealwright init my-project --data my.csv --target my_column",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        from sealwright import __version__

        typer.echo(f"sealwright {__version__}")
        raise typer.Exit


for module in (start, lifecycle, evidence_verbs, release, serve):
    module.add_to(app)
app.add_typer(data.app, name="data", rich_help_panel="Data")
app.add_typer(workspace.app, name="workspace", rich_help_panel="Set up")
app.add_typer(keys.app, name="keys", rich_help_panel="Set up")
app.add_typer(people.app, name="people", rich_help_panel="Set up")
