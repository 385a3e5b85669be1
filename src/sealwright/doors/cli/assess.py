"""`sealwright assess`: a project's model, with signed statements; or any ONNX file on any table, with none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sealwright.doors.cli.options import AsJson, Home, KeyFileOption, ProjectFolder, open_at, out, project_at

if TYPE_CHECKING:
    from sealwright.doors.assessment import Assessment
    from sealwright.evidence import Result
    from sealwright.kernel import Progress

__all__ = ["assess"]

_ELSEWHERE = "A model made elsewhere"


def assess(
    project: ProjectFolder = Path(),
    fail_on: Annotated[
        str | None,
        typer.Option(
            "--fail-on",
            help="Exit with 3 if a limit of this risk class is missed: minimal, limited or high.",
            show_default=False,
        ),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Also write the limits as JUnit XML, for CI.", show_default=False)
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model", help="An ONNX file, instead of a project.", rich_help_panel=_ELSEWHERE, show_default=False
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="Rows it did not learn from: CSV, JSON lines, Parquet or Arrow.",
            rich_help_panel=_ELSEWHERE,
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", help="The column with the outcome.", rich_help_panel=_ELSEWHERE, show_default=False),
    ] = None,
    learned_from: Annotated[
        Path | None,
        typer.Option(
            "--learned-from", help="The rows it learned from.", rich_help_panel=_ELSEWHERE, show_default=False
        ),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(
            "--features",
            help="Columns it takes, in its order, with commas between; left out: all but the target and identifiers.",
            rich_help_panel=_ELSEWHERE,
            show_default=False,
        ),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(
            "--groups", help="Columns whose groups are compared.", rich_help_panel=_ELSEWHERE, show_default=False
        ),
    ] = None,
    positive: Annotated[
        str | None,
        typer.Option(
            "--positive",
            help="The outcome that is wanted or hoped for.",
            rich_help_panel=_ELSEWHERE,
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="Write the page here.", rich_help_panel=_ELSEWHERE, show_default=False),
    ] = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Judge a model. Of a project: one signed statement per suite. With --model: any ONNX file, without a workspace.

    Exit status: 0 done, 2 nothing was trained yet or something cannot be used, 3 a limit of --fail-on is missed.
    """
    if model is None:
        strays = {"--data": data, "--target": target, "--learned-from": learned_from, "--features": features}
        _refuse_strays({**strays, "--groups": groups, "--positive": positive, "--to": to})
        title, limits = _of_project(project, fail_on or "limited", home, key_file, as_json=as_json)
    else:
        asked = _Elsewhere(model, data, target, learned_from, _names(features), _names(groups), positive)
        title, limits = _of_file(asked, fail_on or "limited", to, as_json=as_json)
    if junit is not None:
        _write_junit(junit, title, fail_on or "limited", limits)
    if fail_on is not None and any(not one.outcome.opens for one in limits):
        _tell_missed(limits, fail_on, quiet=as_json)
        raise typer.Exit(3)


@dataclass(frozen=True)
class _Elsewhere:
    """What was said about a model made elsewhere."""

    model: Path
    data: Path | None
    target: str | None
    learned_from: Path | None
    features: Sequence[str]
    groups: Sequence[str]
    positive: str | None


def _of_project(
    project: Path, policy: str, home: Path | None, key_file: Path | None, *, as_json: bool
) -> "tuple[str, Sequence[Result]]":
    """Assess the last run of a project; its name, and what came of the limits of `policy` by its findings alone."""
    from sealwright.doors.assessment import limits_of
    from sealwright.doors.cli import show
    from sealwright.doors.cli.words import tell_assessed
    from sealwright.pipeline import assess as do

    wanted = project_at(project)
    with open_at(home, key_file) as workspace, show.progress(quiet=as_json) as progress:
        done = do(workspace, wanted, progress=progress)
    out(as_json, done.to_json(), lambda: tell_assessed(done, project))
    return wanted.name, limits_of(policy, list(done.suites.values()))


def _of_file(asked: _Elsewhere, policy: str, to: Path | None, *, as_json: bool) -> "tuple[str, Sequence[Result]]":
    """Judge an ONNX file on a table, and write the page; its name, and what came of the limits of `policy`."""
    from sealwright.doors.cli import show

    with show.progress(quiet=as_json) as progress:
        found = _judged(asked, policy, progress)
        if to is not None:
            progress("drawing the page", 1.0)
            found.save(to)
    out(as_json, found.to_json(), lambda: _tell(found, to))
    return found.title, found.limits()


def _judged(asked: _Elsewhere, policy: str, progress: "Progress") -> "Assessment":
    """Read the rows, with types as they are guessed from the file, and judge the model on them."""
    from sealwright.data import infer_contract
    from sealwright.doors.notebook import assess as judge_any
    from sealwright.kernel import InvalidInput

    if asked.data is None or asked.target is None:
        raise InvalidInput("--model needs the rows to judge it on and their outcome: --data FILE --target COLUMN.")
    spec = infer_contract(asked.data, asked.target, progress=progress).spec
    kept = [name for name, one in spec.columns.items() if one.role not in {"identifier", "ignore", "target"}]
    taken = list(asked.features) or kept
    absent = [name for name in (*taken, *asked.groups) if name not in spec.columns]
    if absent:
        there = ", ".join(list(spec.columns)[:40])
        raise InvalidInput(f"{asked.data} has no column {', '.join(absent)}; it has {there}.")
    table = _rows(asked.data, spec.columns, progress)
    learned = _rows(asked.learned_from, spec.columns, progress) if asked.learned_from is not None else None
    return judge_any(
        asked.model,
        table.select(taken),
        table.column(asked.target),
        groups=table.select(list(asked.groups)) if asked.groups else None,
        learned_from=(learned.select(taken), learned.column(asked.target)) if learned is not None else None,
        task=spec.task,
        positive=asked.positive if asked.positive is not None else spec.positive,
        policy=policy,
        title=asked.model.name,
        progress=progress,
    )


def _rows(path: Path, columns: Any, progress: "Progress") -> Any:
    from sealwright.data import open_source
    from sealwright.data.quality import read_for_examination

    return read_for_examination(open_source(str(path), Path()), columns, progress=progress).table


def _names(said: str | None) -> list[str]:
    return [one.strip() for one in (said or "").split(",") if one.strip()]


def _refuse_strays(options: Mapping[str, object]) -> None:
    from sealwright.kernel import InvalidInput

    given = [name for name, value in options.items() if value is not None]
    if given:
        raise InvalidInput(f"{', '.join(given)}: for a model made elsewhere, named with --model FILE.")


def _tell(found: "Assessment", to: Path | None) -> None:
    """The limits first, then where the page is."""
    from sealwright.doors.cli import show

    show.title(f"Assessed {found.title}; nothing was signed")
    limits = [one for one in found.limits() if one.outcome.value != "not_applicable"]
    show.rows(
        ["", "measure", "found", f"limit of {found.policy} risk"],
        [[one.outcome.value.replace("_", " "), one.check, one.found, one.limit] for one in limits],
    )
    typer.echo(f"{len(found.findings)} measurements.")
    if to is not None:
        show.next_step(f"open {to}")


def _tell_missed(limits: "Sequence[Result]", policy: str, *, quiet: bool) -> None:
    missed = [one.check for one in limits if not one.outcome.opens]
    if not quiet:
        typer.echo(f"Misses {len(missed)} of the limits of {policy} risk: {', '.join(missed)}", err=True)


def _write_junit(path: Path, title: str, policy: str, limits: "Sequence[Result]") -> None:
    from sealwright.kernel import write_atomically
    from sealwright.oversight import junit_xml

    text = junit_xml(f"{title}, limits of {policy} risk", [one.to_json() for one in limits])
    write_atomically(path, text.encode(), mode=0o644)
