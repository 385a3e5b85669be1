"""`sealwright data basis`, `compatibility` and `ropa`: why data may be held, what for, and the record of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sealwright.doors.cli.options import (
    Actor,
    AsJson,
    Home,
    KeyFileOption,
    PersonKey,
    ProjectFolder,
    acting_at,
    open_at,
    out,
    project_at,
    say,
    writable,
)
from sealwright.kernel import json_text

if TYPE_CHECKING:
    from sealwright.data.basis import RopaRecord
    from sealwright.pipeline import BasisView

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    app.command()(basis)
    app.command()(compatibility)
    app.command()(ropa)


def basis(
    project: ProjectFolder = Path(),
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Show on what basis a project holds its data, for which purposes, and what is missing.

    A project that is not high-risk may begin without a basis; what is missing is shown all the same.
    Exit status: 0 nothing stands in the way, 2 the project file cannot be used, 3 data may not be held or used as it
    stands, or you may not see the project.
    """
    from sealwright.pipeline import Desk, basis_view, require_basis

    loaded = project_at(project)
    with acting_at(home, key_file, actor, person_key, create=True) as (workspace, by):
        desk = Desk(workspace, loaded, look=True)
        view = basis_view(desk, by=by)
        out(as_json, view.to_json(), lambda: _tell(view))
        require_basis(desk)  # says what stops it, in its own words


def compatibility(
    project: ProjectFolder,
    person: Annotated[str, typer.Option("--as", help="Who signs: an enrolled person.")],
    purpose: Annotated[str, typer.Option("--purpose", help="The purpose_id of the charter.")],
    link: Annotated[str, typer.Option("--link", help="What links this purpose with those of collection.")],
    context: Annotated[str, typer.Option("--context", help="How it was collected, and what persons may expect.")],
    nature: Annotated[str, typer.Option("--nature", help="What kind of data it is; special data above all.")],
    consequences: Annotated[str, typer.Option("--consequences", help="What it may mean for the persons.")],
    safeguards: Annotated[str, typer.Option("--safeguards", help="What protects them, e.g. pseudonyms.")],
    until: Annotated[str, typer.Option("--until", help="Last day it holds, at most three years ahead: 2027-12-31.")],
    role: Annotated[str, typer.Option("--role", help="The role the person signs in.")] = "compliance_officer",
    incompatible: Annotated[
        bool, typer.Option("--not-compatible", help="Conclude that the data may not be used so. Ends earlier records.")
    ] = False,
    person_key: Annotated[
        Path | None,
        typer.Option(
            "--person-key",
            help="Key file that opens this person's key; else a passphrase is asked.",
            show_default=False,
        ),
    ] = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Sign that data may serve a purpose it was not collected for: Article 6(4) of the GDPR, question by question.

    It holds for exactly this data as data.basis describes it and this purpose as the charter words it; when either
    changes, it must be weighed again. It never covers columns held on consent.
    Exit status: 0 on file, 2 the answers are too short, or the person may not sign.
    """
    from datetime import UTC, date, datetime, time, timedelta

    from sealwright.data.basis import Weighed
    from sealwright.doors.cli import show
    from sealwright.doors.cli.data.when import day_of
    from sealwright.doors.settings import person_unlock
    from sealwright.pipeline import file_compatibility

    loaded = project_at(project)
    last = day_of(until)
    assert last is not None
    after = min(last, date.max - timedelta(days=1)) + timedelta(days=1)  # the end of the calendar is refused below
    weighed = Weighed(
        link=link,
        context=context,
        nature=nature,
        consequences=consequences,
        safeguards=safeguards,
        compatible=not incompatible,
    )
    with open_at(home, key_file) as workspace:
        filed = file_compatibility(
            workspace,
            loaded,
            person=person,
            role=role,
            unlock=person_unlock(person, person_key, new=False),
            purpose=purpose,
            weighed=weighed,
            until=datetime.combine(after, time(), UTC),
        )

    def words() -> None:
        show.title("Compatible, on file" if filed.compatible else "Not compatible, on file")
        show.facts({"dataset": filed.dataset, "purpose": filed.purpose, "until": until, "statement": filed.statement})
        show.next_step(f"sealwright data basis {project}")

    out(as_json, filed.to_json(), words)


def ropa(
    format_: Annotated[
        Literal["table", "csv", "json", "html"] | None,
        typer.Option("--format", help="How to write it; else a table, or with --json JSON.", show_default=False),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="File to write instead of printing.", show_default=False)
    ] = None,
    project: Annotated[
        str | None, typer.Option("--project", help="Only this project; else all.", show_default=False)
    ] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Put together the record of processing activities over all projects of the workspace: Article 30(1) of the GDPR.

    It holds what was stated and signed when data was taken in. What nobody stated stands in it as missing.
    Exit status: 0 written, 3 you may not see the project, or not all of them.
    """
    from sealwright.kernel import InvalidInput, write_atomically
    from sealwright.pipeline import record_of_processing

    if as_json and to is None and format_ not in (None, "json"):
        raise InvalidInput(f"--json prints JSON and nothing else. Leave it out, or write the {format_} with --to FILE.")
    target, wanted = writable(to), format_ or ("json" if as_json else "table")
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        records = record_of_processing(workspace, by=by, project=project)
        body = _ropa_text(records, wanted, workspace.name, workspace.clock)
    if target is None and body is not None:
        say(body, nl=not body.endswith("\n"))  # escaped where it was made
    elif target is None:
        _tell_ropa(records)
    else:
        write_atomically(target, (body or _plain_table(records)).encode(), mode=0o644)
        out(as_json, {"written": str(target)}, lambda: say(f"Wrote {target}"))


def _ropa_text(records: "list[RopaRecord]", format_: str, name: str, clock: "object") -> str | None:

    from sealwright.data.basis import DISCLAIMER, ropa_csv, ropa_html
    from sealwright.kernel import rfc3339

    at = rfc3339(clock())  # type: ignore[operator]
    if format_ == "csv":
        return ropa_csv(records)
    if format_ == "html":
        return ropa_html(records, organisation=name, at=at)
    if format_ == "json":
        value = {
            "organisation": name,
            "at": at,
            "note": DISCLAIMER,
            "records": [one.to_json() for one in records],
            "missing": sum(len(one.missing) for one in records),
        }
        return json_text(value)
    return None


def _tell_ropa(records: "list[RopaRecord]") -> None:
    from sealwright.data.basis import DISCLAIMER
    from sealwright.doors.cli import show

    for one in records:
        show.title(f"{one.project}: {one.dataset or 'no basis was stated'}")
        show.rows(["field", "article", "what was stated"], [(f.name, f.article, f.text) for f in one.fields])
    missing = [f"{one.project}: {name}" for one in records for name in one.missing]
    say(f"Missing: {len(missing)}" + "".join(f"\n  {show.safe(line)}" for line in missing))
    say(DISCLAIMER)


def _plain_table(records: "list[RopaRecord]") -> str:
    lines: list[str] = []
    for one in records:
        lines += [f"{one.project}: {one.dataset or 'no basis was stated'}"]
        lines += [f"  {field.name} {field.article}: {field.text}".replace("  :", ":") for field in one.fields]
    return "\n".join(lines) + "\n"


def _tell(view: "BasisView") -> None:
    from sealwright.doors.cli import show

    show.title(f"Basis of the data of {view.project}")
    show.facts({"dataset": view.dataset or "not stated", "purpose of the model": view.purpose or "not set"})
    show.rows(
        ["columns", "classes", "basis", "collected for", "kept"],
        [
            (
                ", ".join(one.columns),
                ", ".join(one.classes),
                " + ".join(filter(None, [one.ground.lawful_basis, one.ground.article_9])) or "not stated",
                ", ".join(one.ground.purposes or ()) or "not stated",
                one.ground.retention.keep if one.ground.retention else "not stated",
            )
            for one in view.groups
        ],
    )
    for columns, what in view.gaps:
        say(show.safe(f"Missing for {', '.join(columns)}: {what}."))
    if view.uncovered and view.compatibility.startswith("sha256:"):
        show.facts({"used for another purpose": "allowed by a signed record", "record": view.compatibility})
