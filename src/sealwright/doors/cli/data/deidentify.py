"""`sealwright data deidentify`, `reidentify` and `risk`: rows that may leave, the way back, and the risk that stays."""

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
    from sealwright.pipeline.data_risk import Looked
    from sealwright.pipeline.extracts import Written

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    for verb in (deidentify, reidentify, risk):
        app.command()(verb)


def deidentify(
    project: ProjectFolder = Path(),
    to: Annotated[
        Path | None, typer.Option("--to", help="The file to write: .parquet or .csv. Without it: only look.")
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option("--recipe", help="A file with a deidentify: block, instead of the one in the project file."),
    ] = None,
    recipient: Annotated[str, typer.Option("--for", help="Who gets it, for the record.", show_default=False)] = "",
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Make rows of the newest snapshot that may be given away, and say what risk stays.

    Written only if every limit of the recipe holds; the ledger knows first. An extract is still personal data.
    Exit status: 0 done, 2 the recipe does not fit, 3 its limits cannot be reached.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.cli.options import writable
    from sealwright.pipeline.deidentified import deidentify as do
    from sealwright.pipeline.extracts import check_target, write_extract
    from sealwright.pipeline.recipes import read_recipe

    wanted = project_at(project)
    said = None if recipe is None else read_recipe(recipe)
    target = None if to is None else check_target(to)
    writable(target)
    with acting_at(home, key_file, actor, person_key) as (workspace, by), show.progress(quiet=as_json) as progress:
        extract = do(workspace, wanted, by=by, recipe=said, progress=progress)
        written = (
            None if target is None else write_extract(workspace, wanted, extract, target, by=by, recipient=recipient)
        )
    value = extract.to_json() if written is None else written.to_json()
    out(as_json, value, lambda: _tell_extract(value["report"], written, project))


def reidentify(
    project: Annotated[str, typer.Argument(help="Project name or folder.")],
    pseudonym: Annotated[str, typer.Argument(help="The pseudonym, as it stands in the extract.")],
    reason: Annotated[str, typer.Option("--reason", help="Why. At least 8 characters; no names; kept for ever.")],
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Tell the value behind a pseudonym, after the ledger has who asked and why.

    Exit status: 0 told, 2 no reason, or no way back is kept, 4 what is kept does not open.
    """
    from sealwright.pipeline.deidentified import reidentify as do

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        value = do(workspace, _name_of(project), pseudonym, reason=reason, by=by)
    answer = {"project": _name_of(project), "pseudonym": pseudonym, "value": value}
    out(as_json, answer, lambda: say(value))


def risk(
    what: Annotated[str, typer.Argument(metavar="FILE|PROJECT", help="A data file, or a project's name or folder.")],
    quasi: Annotated[str, typer.Option("--quasi", help="Columns an attacker may know: age,postcode,sex")],
    sensitive: Annotated[
        str, typer.Option("--sensitive", help="Columns an attacker must not learn.", show_default=False)
    ] = "",
    population: Annotated[
        int | None,
        typer.Option("--population", min=1, help="How many persons the rows were drawn from.", show_default=False),
    ] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Measure k, l, t and the risk that persons are found in a table. Changes nothing.

    Exit status: 0 measured, 2 a column or the file is not there.
    """
    from sealwright.pipeline.data_risk import risk_of_file, risk_of_project

    known, hidden = _names(quasi), _names(sensitive)
    if Path(what).is_file() and Path(what).suffix not in {".yaml", ".yml"}:
        looked = risk_of_file(Path(what), known, hidden, population=population)
    else:
        with acting_at(home, key_file, actor, person_key) as (workspace, by):
            looked = risk_of_project(workspace, _name_of(what), known, hidden, by=by, population=population)
    out(as_json, looked.to_json(), lambda: _tell_risk(looked))


def _names(listed: str) -> list[str]:
    return [name for part in listed.split(",") if (name := part.strip())]


def _name_of(project: str) -> str:
    """The name of a project, given as such or as its folder."""
    from sealwright.kernel import check_name

    if "/" in project or Path(project, "sealwright.yaml").is_file():
        return project_at(Path(project)).name
    return check_name(project, what="project")


def _tell_extract(report: dict[str, Any], written: "Written | None", folder: Path) -> None:
    from sealwright.doors.cli import show

    show.title("De-identified" if written is None else "De-identified and written")
    facts: dict[str, Any] = {
        "rows": f"{report['released']:,} of {report['rows']:,}; {report['suppressed']['share']:.2%} left out"
    }
    for name, words in (report["levels"] or {}).items():
        facts[f"level of {name}"] = words
    before, after = report["before"], report["after"]
    if after is not None:
        facts["k"] = f"{after['k']:,}" + (f" (before: {before['k']:,})" if before is not None else "")
        if report["fewest_persons"] is not None:
            facts["persons"] = f"at least {report['fewest_persons']:,} in a class"
        for name, one in after["sensitive"].items():
            facts[name] = (
                f"at least {one['distinct']:,} values in a class, t {one['closeness']:.3f} ({one['distance']} distance)"
            )
    facts |= _risk_facts(report["risk"]) if report["risk"] is not None else {}
    if written is not None:
        facts |= {"file": written.path, "digest": written.digest, "statement": written.statement}
    show.facts(facts)
    if report["safe_harbor"] is not None:
        _tell_harbor(report["safe_harbor"])
    say(report["note"])
    if written is None:
        show.next_step(f"sealwright data deidentify {folder} --to extract.parquet")


def _tell_harbor(harbor: dict[str, Any]) -> None:
    from sealwright.doors.cli import show

    lines = [
        (line["letter"], line["identifier"], line["outcome"].replace("_", " "), ", ".join(line["columns"]))
        for line in harbor["identifiers"]
    ]
    show.rows(("", "identifier", "outcome", "columns"), lines)
    say(f"Taken to hold no identifier: {', '.join(harbor['remaining']) or 'none'}. Read this list.")
    say(harbor["no_actual_knowledge"]["note"])


def _tell_risk(looked: "Looked") -> None:
    from sealwright.doors.cli import show

    measured = looked.measured
    show.title(f"Risk of re-identification of {looked.of}")
    facts: dict[str, Any] = {
        "rows": f"{measured.rows:,} in {measured.classes:,} classes; {measured.unique_rows:,} alone in theirs",
        "k": f"{measured.k:,}",
    }
    for name, one in measured.sensitive.items():
        facts[name] = (
            f"distinct l {one.distinct:,}, entropy l {one.entropy:.2f}, t {one.closeness:.3f} ({one.distance} distance)"
        )
    value = looked.risk.to_json()
    show.facts(facts | _risk_facts(value))
    lines = [(name, f"{one['k']:,}", f"{one['unique_rows']:,}") for name, one in value["contributions"].items()]
    show.rows(("if the attacker did not know", "k", "rows alone"), lines)
    for line in (*value["assumed"], value["note"]):
        say(f"- {line}")


def _risk_facts(found: dict[str, Any]) -> dict[str, str]:
    facts = {
        "prosecutor": f"{found['prosecutor_highest']:.3f} at most, {found['prosecutor_average']:.4f} on average;"
        f" {found['rows_at_high_risk']:.2%} of rows above 0.2"
    }
    if found["population"] is not None:
        facts["journalist"] = f"{found['journalist_highest']:.4f} at most, of {found['population']:,} persons"
        facts["marketer"] = f"{found['marketer']:.4%} of rows matched rightly"
        unique = found["unique_in_population"]
        facts["unique"] = f"{found['unique_in_sample']:.2%} of rows in the sample, {unique:.2%} in the population"
    return facts
