"""`sealwright assess`: a project's model, with signed statements; or any ONNX file on any table, with none."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
)

if TYPE_CHECKING:
    from sealwright.assurance import Spread
    from sealwright.doors.assessment import Assessment
    from sealwright.evidence import Result
    from sealwright.kernel import Progress
    from sealwright.pipeline import Workspace
    from sealwright.trust import Principal

__all__ = ["assess"]


def _elsewhere(name: str, words: str) -> Any:
    """An option about a model made elsewhere; they stand together in the help."""
    return typer.Option(name, help=words, rich_help_panel="A model made elsewhere", show_default=False)


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
    full: Annotated[
        bool, typer.Option("--full", help="Also the checks that take minutes: as assurance.depth: full in the project.")
    ] = False,
    engine: Annotated[
        str,
        typer.Option("--engine", help="Where checks are carried out: auto, local, processes, ray or ray://HOST:PORT."),
    ] = "auto",
    workers: Annotated[
        int | None, typer.Option("--workers", help="How many workers; left out: one for each core.", show_default=False)
    ] = None,
    model: Annotated[Path | None, _elsewhere("--model", "An ONNX file, instead of a project.")] = None,
    data: Annotated[
        Path | None, _elsewhere("--data", "Rows it did not learn from: CSV, JSON lines, Parquet or Arrow.")
    ] = None,
    target: Annotated[str | None, _elsewhere("--target", "The column with the outcome.")] = None,
    learned_from: Annotated[Path | None, _elsewhere("--learned-from", "The rows it learned from.")] = None,
    features: Annotated[
        str | None,
        _elsewhere(
            "--features",
            "Columns it takes, in its order, with commas between; left out: all but the target and identifiers.",
        ),
    ] = None,
    text: Annotated[str | None, _elsewhere("--text", "The column with documents, for a model of text.")] = None,
    groups: Annotated[str | None, _elsewhere("--groups", "Columns whose groups are compared.")] = None,
    positive: Annotated[str | None, _elsewhere("--positive", "The outcome that is wanted or hoped for.")] = None,
    to: Annotated[Path | None, _elsewhere("--to", "Write the page here.")] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Judge a model. Of a project: one signed statement per suite. With --model: any ONNX file, without a workspace.

    Exit status: 0 done, 2 nothing was trained yet or something cannot be used, 3 a limit of --fail-on is missed.
    """
    from sealwright.doors.asked import risk_class_named
    from sealwright.doors.wiring import spread_of

    policy = fail_on or "limited"
    risk_class_named(policy)  # a slip is said before minutes of work
    how = _How(full, spread_of(engine, workers))
    if model is None:
        strays = {"--data": data, "--target": target, "--learned-from": learned_from, "--features": features}
        _refuse_strays({**strays, "--text": text, "--groups": groups, "--positive": positive, "--to": to})
        acts = acting_at(home, key_file, actor, person_key)
        title, limits = _of_project(project, policy, how, acts, as_json=as_json)
    else:
        asked = _Elsewhere(model, data, target, learned_from, _names(features), text, _names(groups), positive)
        title, limits = _of_file(asked, policy, how, to, as_json=as_json)
    if junit is not None:
        _write_junit(junit, title, policy, limits)
    if fail_on is not None and any(not one.outcome.opens for one in limits):
        _tell_missed(limits, fail_on, quiet=as_json)
        raise typer.Exit(3)


@dataclass(frozen=True)
class _How:
    """How deep, and where."""

    full: bool
    spread: "Spread | None"


@dataclass(frozen=True)
class _Elsewhere:
    """What was said about a model made elsewhere."""

    model: Path
    data: Path | None
    target: str | None
    learned_from: Path | None
    features: Sequence[str]
    text: str | None
    groups: Sequence[str]
    positive: str | None


def _of_project(
    project: Path,
    policy: str,
    how: _How,
    acts: "AbstractContextManager[tuple[Workspace, Principal]]",
    *,
    as_json: bool,
) -> "tuple[str, Sequence[Result]]":
    """Assess the last run of a project; its name, and what came of the limits of `policy` by its findings alone."""
    from sealwright.doors.assessment import limits_of
    from sealwright.doors.cli import show
    from sealwright.doors.cli.words import tell_assessed
    from sealwright.pipeline import assess as do

    wanted = project_at(project)
    wanted = wanted.at_full_depth() if how.full else wanted
    with acts as (workspace, by), show.progress(quiet=as_json) as progress:
        done = do(workspace, wanted, by=by, progress=progress, spread=how.spread)
    out(as_json, done.to_json(), lambda: tell_assessed(done, project))
    return wanted.name, limits_of(policy, list(done.suites.values()))


def _of_file(
    asked: _Elsewhere, policy: str, how: _How, to: Path | None, *, as_json: bool
) -> "tuple[str, Sequence[Result]]":
    """Judge an ONNX file on a table, and write the page; its name, and what came of the limits of `policy`."""
    from sealwright.doors.cli import show

    with show.progress(quiet=as_json) as progress:
        found = _judged(asked, policy, how, progress)
        if to is not None:
            progress("drawing the page", 1.0)
            found.save(to)
    out(as_json, found.to_json(), lambda: _tell(found, to))
    return found.title, found.limits()


def _judged(asked: _Elsewhere, policy: str, how: _How, progress: "Progress") -> "Assessment":
    """Read the rows, with types as they are guessed from the file, and judge the model on them."""
    from sealwright.data import infer_contract
    from sealwright.doors.without_workspace import judged_anywhere
    from sealwright.kernel import InvalidInput

    if asked.data is None or asked.target is None:
        raise InvalidInput("--model needs the rows to judge it on and their outcome: --data FILE --target COLUMN.")
    if asked.text is not None and asked.features:
        raise InvalidInput(
            "--text names the one column the model reads, so --features has nothing to add. Give one of them."
        )
    spec = infer_contract(asked.data, asked.target, progress=progress).spec
    kept = [name for name, one in spec.columns.items() if one.role not in {"identifier", "ignore", "target"}]
    taken = [asked.text] if asked.text is not None else list(asked.features) or kept
    absent = [name for name in (*taken, *asked.groups) if name not in spec.columns]
    if absent:
        there = ", ".join(list(spec.columns)[:40])
        raise InvalidInput(f"{asked.data} has no column {', '.join(absent)}; it has {there}.")
    table = _rows(asked.data, spec.columns, progress)
    learned = _rows(asked.learned_from, spec.columns, progress) if asked.learned_from is not None else None
    return judged_anywhere(
        asked.model,
        _taken(table, asked, taken),
        table.column(asked.target),
        groups=table.select(list(asked.groups)) if asked.groups else None,
        learned_from=None if learned is None else (_taken(learned, asked, taken), learned.column(asked.target)),
        task=spec.task,
        positive=asked.positive if asked.positive is not None else spec.positive,
        policy=policy,
        title=asked.model.name,
        settings={"depth": "full"} if how.full else None,
        progress=progress,
        spread=how.spread,
    )


def _taken(table: Any, asked: _Elsewhere, names: Sequence[str]) -> Any:
    """What the model is given: some columns, or the one with documents."""
    return table.select(list(names)) if asked.text is None else table.column(asked.text)


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
    say(f"{len(found.findings)} measurements.")
    if to is not None:
        show.next_step(f"open {to}")


def _tell_missed(limits: "Sequence[Result]", policy: str, *, quiet: bool) -> None:
    missed = [one.check for one in limits if not one.outcome.opens]
    if not quiet:
        say(f"Misses {len(missed)} of the limits of {policy} risk: {', '.join(missed)}", err=True)


def _write_junit(path: Path, title: str, policy: str, limits: "Sequence[Result]") -> None:
    from sealwright.kernel import write_atomically
    from sealwright.oversight import junit_xml

    text = junit_xml(f"{title}, limits of {policy} risk", [one.to_json() for one in limits])
    write_atomically(path, text.encode(), mode=0o644)
