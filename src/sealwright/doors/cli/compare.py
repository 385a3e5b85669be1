"""`sealwright compare`: other ways to make a project's model, trained and judged beside the present one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealwright.doors.cli.options import (
    Actor,
    AsJson,
    Home,
    KeyFileOption,
    PersonKey,
    ProjectFolder,
    acting_at,
    out,
    project_at,
    say,
    writable,
)

if TYPE_CHECKING:
    from sealwright.pipeline import Comparison, ComparisonKind, TriedWay

__all__ = ["compare"]


def compare(
    project: ProjectFolder = Path(),
    what: Annotated[
        str, typer.Option("--what", help="What shall get better: fairness, robustness or privacy.")
    ] = "fairness",
    only: Annotated[
        str | None,
        typer.Option("--only", help="Some of the ways, with commas between; left out: all.", show_default=False),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="Also write a page with plots here.", show_default=False)
    ] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Train other ways to make the model, judge each on the same rows, and show what each gains and costs.

    No statement is filed and nothing changes: to choose one, write its lines into sealwright.yaml and run. Ways that train
    with differential privacy draw on the dataset's privacy budget, all of them or none.
    Exit status: 0 done, 2 nothing was ingested yet or there is nothing to compare, 3 the privacy budget does not allow it.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.comparing import comparison_of, write_comparison
    from sealwright.pipeline import comparison_kind

    wanted, kind, to = project_at(project), comparison_kind(what), writable(to)
    names = [one.strip() for one in only.split(",") if one.strip()] if only is not None else None
    with acting_at(home, key_file, actor, person_key) as (workspace, by), show.progress(quiet=as_json) as progress:
        found = comparison_of(workspace, wanted, what, only=names, by=by, progress=progress)
        if to is not None:
            progress("drawing the page", 1.0)
            write_comparison(found, kind, workspace.clock(), to)
    out(as_json, found.to_json(), lambda: _tell(found, kind, to))


def _tell(found: "Comparison", kind: "ComparisonKind", to: Path | None) -> None:
    from sealwright.doors.cli import show
    from sealwright.oversight import plain_check

    done = [way for way in found.ways if not way.failed]
    keys = list(dict.fromkeys(key for way in done for key in way.findings if key[2] is None))
    shown = [key for key in keys if key[0] in {"performance.accuracy", "performance.roc_auc", "performance.r2"}]
    shown += [key for key in keys if key[0] == "performance.gain_over_previous"]
    shown += [key for key in keys if key[0] in kind.trade]
    heads = [
        "paired gain"
        if key[0].endswith("gain_over_previous")
        else plain_check(key[0]) + (f" {key[1]}" if key[1] else "")
        for key in shown
    ]
    show.title(f"{kind.title}: {found.project}")
    say(f"{len(done)} ways, trained on {found.trained_on:,} rows, judged on the same {found.rows:,} others.")
    show.rows(["way", *heads], [[way.name, *(_cell(way, key) for key in shown)] for way in done])
    _tell_groups(found, done)
    for way in found.ways:
        if way.failed:
            say(f"{way.name} gave no model: {way.failed}")
    if found.spent is not None:
        say(
            f"The private trainings are in the ledger; with them, {found.spent['spent']} of {found.spent['epsilon']} of the"
            " dataset's privacy budget are spent."
        )
    if to is not None:
        show.next_step(f"open {to}")
    example = next((way for way in done if way.training), None)
    if example is not None:
        say("To choose a way, write its lines into sealwright.yaml (--json and the page have those of every way):")
        say("".join(f"  {line}\n" for line in example.lines.splitlines()).rstrip())
        show.next_step("sealwright run")


def _tell_groups(found: "Comparison", done: "list[TriedWay]") -> None:
    """The rates of each group, before and under each way."""
    from sealwright.doors.cli import show

    present = found.ways[0].findings
    rates = (
        "fairness.selection_rate",
        "fairness.true_positive_rate",
        "fairness.false_positive_rate",
        "fairness.accuracy",
    )
    groups = dict.fromkeys((key[1], key[2]) for key in present if key[0] in rates and key[2] is not None)
    lines = []
    for attribute, level in groups:
        for way in done:
            cells = [way.findings.get((check, attribute, level)) for check in rates]
            if any(cells):
                numbers = [f"{one['value']:.3f}" if one else "" for one in cells]
                error = f"{1 - cells[3]['value']:.3f}" if cells[3] else ""
                lines.append([f"{attribute}: {level}", way.name, *numbers[:3], error])
    if lines:
        show.rows(["group", "way", "chosen", "true positives", "false positives", "wrong"], lines)


def _cell(way: "TriedWay", key: tuple[str, str | None, str | None]) -> str:
    one = way.findings.get(key)
    if one is None:
        return ""
    spread = "" if one["low"] is None else f"\n{one['low']:.3f} to {one['high']:.3f}"
    return f"{one['value']:.3f}{spread}"
