"""Verbs to begin with: init, schema, policy."""

from pathlib import Path
from typing import Annotated

import typer

from sealwright.doors.cli.options import AsJson, out, say
from sealwright.kernel import json_text

__all__ = ["add_to"]

_PANEL = "Begin"


def add_to(app: typer.Typer) -> None:
    app.command(rich_help_panel=_PANEL)(init)
    app.command(rich_help_panel=_PANEL)(schema)
    app.command(rich_help_panel=_PANEL)(policy)


def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the new project.")],
    data: Annotated[Path, typer.Option("--data", help="A CSV, JSON lines, Parquet or Arrow file to learn from.")],
    target: Annotated[str, typer.Option("--target", help="The column to predict.")],
    risk: Annotated[str, typer.Option("--risk", help="Risk class: minimal, limited or high.")] = "minimal",
    positive: Annotated[
        str | None, typer.Option("--positive", help="Two classes: the good outcome.", show_default=False)
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Project name, if not the folder's.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look at a data file and write a commented sealwright.yaml.

    Exit status: 0 done, 2 the file or the target cannot be used.
    """
    from dataclasses import asdict

    from sealwright.doors.asked import risk_class_named
    from sealwright.doors.cli import show
    from sealwright.pipeline import begin_project

    wanted = risk_class_named(risk)
    with show.progress(quiet=as_json) as progress:
        begun = begin_project(
            folder, data=data, target=target, risk=wanted, name=name, positive=positive, progress=progress
        )

    def words() -> None:
        show.title(f"Wrote {begun.path}")
        show.facts(
            {
                "project": begun.name,
                "task": f"{begun.task}: predict {target}",
                "data": f"{begun.rows:,} rows, {begun.columns} columns",
                "not given to the model": ", ".join(begun.set_aside) or "none",
                "kept to compare groups": ", ".join(begun.sensitive) or "none found",
            }
        )
        for warning in begun.warnings:
            show.facts({"look here": warning})
        show.next_step(f"read {begun.path}, then: sealwright run {folder}")

    out(as_json, {**asdict(begun), "path": str(begun.path)}, words)


def schema() -> None:
    """Print the JSON Schema of sealwright.yaml, for editors."""

    from sealwright.pipeline import project_schema

    say(json_text(project_schema()))


def policy(
    risk: Annotated[str, typer.Argument(help="minimal, limited or high; or a use: credit, hiring, medical")],
    as_json: AsJson = False,
) -> None:
    """Print the default policy of a risk class, or what a use adds to it, with the reason for every number."""
    from typing import get_args

    from sealwright.doors.asked import risk_class_named
    from sealwright.evidence import UseCaseName, class_policy, policy_text, use_case, use_case_text

    use = next((one for one in get_args(UseCaseName) if one == risk), None)
    if use is not None:
        out(as_json, use_case(use).model_dump(mode="json"), lambda: say(use_case_text(use), nl=False))
        return
    out(as_json, class_policy(risk_class_named(risk)).to_json(), lambda: say(policy_text(risk), nl=False))
