"""`sealwright data subject`: one verb for each right of a person, and what becomes of the models they were in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sealwright.doors.cli.options import (
    Actor,
    AsJson,
    Home,
    KeyFileOption,
    PersonKey,
    acting_at,
    out,
    say,
    writable,
)
from sealwright.kernel import json_text

if TYPE_CHECKING:
    from sealwright.pipeline.model_decisions import ModelDecision
    from sealwright.pipeline.person_rights import Answered

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    app.command()(subject)
    app.command()(models)
    app.command()(decide)


def subject(
    person: Annotated[
        str,
        typer.Argument(
            help="The person: their identifier exactly as the data has it, or their pseudonym; - reads it from standard input."
        ),
    ],
    right: Annotated[
        Literal["access", "correct", "erase", "restrict", "object", "export", "opt-out"],
        typer.Argument(help="What they ask for."),
    ],
    project: Annotated[
        str | None,
        typer.Option("--project", help="Project name; not needed where there is one.", show_default=False),
    ] = None,
    request: Annotated[
        str,
        typer.Option("--request", help="The request that is on file; else one is taken in now.", show_default=False),
    ] = "",
    law: Annotated[Literal["gdpr", "ccpa"], typer.Option("--law", help="Under which law, for its clocks.")] = "gdpr",
    identity: Annotated[
        str, typer.Option("--identity", help="How they were identified: a ticket, never the proof.", show_default=False)
    ] = "",
    values: Annotated[
        list[str] | None, typer.Option("--set", help="correct: column=value, once for each column.", show_default=False)
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="access, export: write the copy here (0600).", show_default=False)
    ] = None,
    signal: Annotated[
        Literal["request", "gpc"], typer.Option("--signal", help="opt-out: how it was said. gpc: by the browser.")
    ] = "request",
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Answer a person: find them in every snapshot, quarantine and decision record, and do what they ask for.

    erase destroys their key first: from then on nothing of them can be read; then everything retained is rewritten.
    Exit status: 0 answered, 2 nobody can be found so, a legal hold stands, or something is missing.
    """
    from sealwright.doors.cli import show
    from sealwright.pipeline.person_rights import Asked, answer_person
    from sealwright.pipeline.snapshots import SnapshotIndex

    to = writable(to)
    asked = Asked(
        right=right, request=request, law=law, identity=identity, values=_pairs(values or []), to=to, signal=signal
    )
    name = typer.get_text_stream("stdin").readline().rstrip("\n") if person == "-" else person
    with acting_at(home, key_file, actor, person_key) as (workspace, by), show.progress(quiet=as_json) as progress:
        chosen = project or SnapshotIndex(workspace.db).only_project()
        answered = answer_person(workspace, chosen, name, asked, by=by, progress=progress)
    out(as_json, answered.to_json(), lambda: _tell(answered))


def models(
    project: Annotated[str | None, typer.Option("--project", help="Only this project.", show_default=False)] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 while one is undecided.")] = False,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """List versions that were trained on a person who was erased since, and what was decided about each.

    Exit status: 0 listed, 3 with --strict while somebody must decide, or you may not see them.
    """
    from sealwright.pipeline.model_decisions import model_decisions

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        found = model_decisions(workspace, project, by=by)
    waiting = sum(one.is_open for one in found)
    out(as_json, {"models": [one.to_json() for one in found], "undecided": waiting}, lambda: _tell_models(found))
    if strict and waiting:
        raise typer.Exit(3)


def decide(
    decision: Annotated[str, typer.Argument(help="Id of the question, from: sealwright data models")],
    choice: Annotated[
        Literal["retrain", "unlearn", "keep"],
        typer.Argument(help="keep: with a documented interest that outweighs."),
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why, in 20 characters or more. It goes on record.")],
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Decide what becomes of a version that was trained on a person who was erased.

    Exit status: 0 recorded, 2 no such question, it was answered, or the reason is too short.
    """
    from sealwright.doors.cli import show
    from sealwright.pipeline.model_decisions import decide_about_model

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        done = decide_about_model(workspace, decision, choice, reason=reason, by=by)

    def words() -> None:
        show.facts({"version": f"{done.project} {done.version}", "decided": done.choice, "why": done.reason})
        if done.choice == "retrain":
            show.next_step("sealwright run PROJECT   (the person's rows are out of its data already)")

    out(as_json, done.to_json(), words)


def _pairs(values: list[str]) -> dict[str, str]:
    from sealwright.kernel import InvalidInput

    pairs = [text.partition("=") for text in values]
    if any(not name or not equals for name, equals, _ in pairs):
        raise InvalidInput("Write a correction as column=value, e.g. --set income=42000.")
    return {name: value for name, _, value in pairs}


def _tell(answered: "Answered") -> None:

    from sealwright.doors.cli import show

    if answered.copy is not None:
        say(json_text(answered.copy))
        return
    show.title(answered.done)
    found = answered.found
    show.facts(
        {
            "person": found.subject,
            "snapshots": f"{len(found.snapshots)} held something of them",
            "decisions": len(found.decisions),
            "request": f"{answered.request.id}, {answered.request.state}",
            **{key: answered.detail[key] for key in ("file", "proof", "suppression") if key in answered.detail},
        }
    )
    if found.extracts and answered.request.kind in {"erase", "correct", "restrict"}:
        recipients = ", ".join(sorted({one.recipient for one in found.extracts}))
        say(f"Extracts with this person left earlier. Tell who has them (GDPR Article 19): {recipients}.")
    waiting = [one for one in answered.models if one.is_open]
    if waiting:
        _tell_models(waiting)


def _tell_models(found: "list[ModelDecision]") -> None:
    from sealwright.doors.cli import show

    if not found:
        say("No version was trained on a person who was erased since.")
        return
    show.rows(
        ["question", "version", "since", "decided"],
        [(one.id, f"{one.project} {one.version}", one.opened_at[:10], one.choice or "not yet") for one in found],
    )
    waiting = [one for one in found if one.is_open]
    if waiting:
        show.next_step(f'sealwright data decide {waiting[0].id} retrain|unlearn|keep --reason "…"')
