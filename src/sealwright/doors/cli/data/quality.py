"""`sealwright data profile`: what a file or a project's data looks like, and what is wrong with it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sealwright.doors.cli.options import (
    Actor,
    AsJson,
    Home,
    KeyFileOption,
    PersonKey,
    acting_at,
    out,
    project_at,
    say,
)

if TYPE_CHECKING:
    from sealwright.data import DataSpec
    from sealwright.data.quality import ColumnFacts, QualityReport
    from sealwright.kernel import Progress

__all__ = ["add_to"]

_SHOWN = 40
_ROWS_SHOWN = 6


def add_to(app: typer.Typer) -> None:
    app.command()(profile)


def profile(
    what: Annotated[
        Path,
        typer.Argument(
            help="A file of CSV, JSON lines, Parquet or Arrow; or a project, whose newest snapshot is read."
        ),
    ],
    contract: Annotated[
        Path | None,
        typer.Option(
            "--contract",
            help="For a file: a contract file or a project that says what the columns are. Left out: guessed.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", help="For a file without a contract: the column to predict.", show_default=False),
    ] = None,
    columns: Annotated[bool, typer.Option("--columns", help="Also show every column in numbers.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which rows are drawn where a check fits a model.")] = 0,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Profile a table and list what is wrong with it, the most severe first. No cell about a person is shown.

    Exit status: 0 done, whatever was found; 2 the file, contract or project cannot be used.
    """
    from sealwright.doors.cli import show

    with show.progress(quiet=as_json) as progress:
        if _is_project(what):
            report, facts = _of_project(what, contract, target, seed, actor, person_key, home, key_file, progress)
        else:
            report, facts = _of_file(what, contract, target, seed, progress)
    out(as_json, {**facts, **report.to_json()}, lambda: _tell(report, facts, what, columns=columns))


def _is_project(what: Path) -> bool:
    return what.is_dir() or what.suffix in {".yaml", ".yml"}


def _of_project(
    what: Path,
    contract: Path | None,
    target: str | None,
    seed: int,
    actor: str | None,
    person_key: Path | None,
    home: Path | None,
    key_file: Path | None,
    progress: "Progress",
) -> "tuple[QualityReport, dict[str, Any]]":
    from sealwright.kernel import InvalidInput
    from sealwright.pipeline.data_quality import examine_newest

    if contract is not None or target is not None:
        raise InvalidInput("--contract and --target are for files; a project has both in sealwright.yaml.")
    project = project_at(what)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        found = examine_newest(workspace, project, by=by, seed=seed, progress=progress)
    return found.report, {"project": project.name, "snapshot": found.digest}


def _of_file(
    what: Path, contract: Path | None, target: str | None, seed: int, progress: "Progress"
) -> "tuple[QualityReport, dict[str, Any]]":
    from sealwright.data import DataSpec, open_source
    from sealwright.data.quality import examine, read_for_examination

    spec, said = _contract_for(what, contract, target, progress)
    chosen: Any = spec.columns if isinstance(spec, DataSpec) else spec
    readable = read_for_examination(open_source(str(what), Path()), chosen, progress=progress)
    report = examine(
        readable.table, spec, seed=seed, numbers=readable.numbers, outside=readable.outside, progress=progress
    )
    return report, {"file": what.name, "contract": said, "rows_in_file": readable.rows}


def _contract_for(
    what: Path, contract: Path | None, target: str | None, progress: "Progress"
) -> "tuple[DataSpec | Mapping[str, Any], str]":
    """What the columns are: said by a project or a contract, or guessed."""
    from sealwright.data import infer_contract
    from sealwright.data.contracts import draft_contract, read_contract
    from sealwright.kernel import InvalidInput

    if contract is not None and target is not None:
        raise InvalidInput("--target is for a file without --contract; a project names its target itself.")
    if contract is not None and (contract.is_dir() or contract.name == "sealwright.yaml"):
        return project_at(contract).spec.data, str(contract)
    if contract is not None:
        return read_contract(contract).columns, str(contract)
    if target is not None:
        return infer_contract(what, target, progress=progress).spec, "guessed from the file"
    return draft_contract(
        what, progress=progress
    ).contract.columns, "guessed from the file; name --target to look for leaks and wrong labels"


def _tell(report: "QualityReport", facts: Mapping[str, Any], what: Path, *, columns: bool) -> None:
    """The summary first, then the findings, then what was not looked at."""
    from sealwright.doors.cli import show

    counts = report.by_severity()
    found = len(report.faults)
    show.title(f"{found} finding{'s' if found != 1 else ''}" if found else "No findings")
    show.facts(
        {
            "data": f"{report.rows:,} rows, {len(report.profile.columns)} columns",
            "severity": ", ".join(f"{count} {name}" for name, count in counts.items()),
            **{name.replace("_", " "): value for name, value in facts.items() if name != "rows_in_file"},
        }
    )
    for fault in report.faults[:_SHOWN]:
        rows = ", ".join(str(row) for row in fault.rows[:_ROWS_SHOWN])
        more = ", …" if fault.count > _ROWS_SHOWN and rows else ""
        say()
        show.title(f"{fault.severity}: {fault.check.removeprefix('quality.').replace('_', ' ')}")
        show.facts(
            {
                **({"column": ", ".join(fault.columns)} if fault.columns else {}),
                "found": fault.found,
                **({"rows": rows + more} if rows else {}),
                "why": fault.why,
                "do": fault.todo,
            }
        )
    if len(report.faults) > _SHOWN:
        say(f"\nand {len(report.faults) - _SHOWN} more; --json lists all.")
    _tell_the_rest(report)
    if columns:
        show.rows(
            ["column", "type", "missing", "different", "least", "most", "mean", "most frequent"],
            [_line(column) for column in report.profile.columns],
        )
    else:
        show.next_step(f"every column in numbers: sealwright data profile {what} --columns")


def _tell_the_rest(report: "QualityReport") -> None:
    from sealwright.doors.cli import show

    skipped = {run.check: run.not_performed for run in report.checks if run.not_performed}
    sampled = {run.check: run.rows for run in report.checks if run.sampled}
    if skipped or sampled:
        say("\nNot, or not wholly, looked at:")
        show.facts(
            {
                **{check.removeprefix("quality.").replace("_", " "): why for check, why in skipped.items()},
                **{
                    check.removeprefix("quality.").replace("_", " "): f"a sample of {rows:,} rows"
                    for check, rows in sampled.items()
                },
            }
        )


def _line(column: "ColumnFacts") -> list[str]:
    def said(value: object) -> str:
        return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)

    top = f"{column.top[0][0]} ({column.top[0][1]:,})" if column.top else ""
    missing = f"{column.missing:,}" if column.missing else ""
    shown = "(not shown)" if column.hidden and column.least is None and not column.top else ""
    return [
        column.name,
        column.type,
        missing,
        f"{column.distinct:,}",
        said(column.least) or shown,
        said(column.most),
        said(column.mean),
        top,
    ]
