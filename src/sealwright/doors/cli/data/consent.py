"""`sealwright data consent …`: who agreed to what. Taking it back is one command, like giving it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, PersonKey, acting_at, out, say

if TYPE_CHECKING:
    from sealwright.pipeline import WithdrawnConsent

__all__ = ["add_to"]

group = typer.Typer(help="Record consent: give, withdraw, take over a file, show, check.", no_args_is_help=True)

Person = Annotated[
    str, typer.Argument(help="The person: their identifier as it stands in the data, or their pseudonym.")
]
ProjectName = Annotated[str, typer.Option("--project", help="Project name.")]
Purpose = Annotated[str, typer.Option("--purpose", help="Id of the purpose, as in data.basis.")]
Channel = Annotated[str, typer.Option("--channel", help="How it was said, e.g. web form, letter.")]
At = Annotated[
    str | None,
    typer.Option("--at", help="When, if not now: 2026-03-01T09:30:00Z, or a day.", show_default=False),
]


def add_to(app: typer.Typer) -> None:
    for verb in (give, withdraw, show_person, import_file, check):
        group.command(name=_NAMES.get(verb.__name__, verb.__name__))(verb)
    app.add_typer(group, name="consent")


_NAMES = {"show_person": "show", "import_file": "import"}


def give(
    person: Person,
    project: ProjectName,
    purpose: Purpose,
    text: Annotated[
        Path, typer.Option("--text", help="File with the words the person agreed to. Only its digest is kept.")
    ],
    text_version: Annotated[str, typer.Option("--text-version", help="What these words are called, e.g. 2026-01.")],
    channel: Channel = "not said",
    at: At = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Record that PERSON agreed to a purpose.

    Exit status: 0 recorded, 2 an option is not usable, or the version was used with other words.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.cli.data.when import moment_of
    from sealwright.kernel import read_limited
    from sealwright.pipeline import consents_for, name_in

    words_agreed_to = read_limited(text, 1 << 20)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        subject = name_in(workspace, project, person)
        change = consents_for(workspace, by, project).give(
            project,
            subject,
            purpose,
            text_version=text_version,
            text=words_agreed_to,
            channel=channel,
            by=by.counts_as,
            at=moment_of(at),
        )
    facts = {
        "subject": subject,
        "purpose": purpose,
        "text_version": text_version,
        "text": change.text_digest,
        "at": change.at,
    }
    out(as_json, facts, lambda: show.facts(facts))


def withdraw(
    person: Person,
    project: ProjectName,
    purpose: Annotated[
        str | None, typer.Option("--purpose", help="Only this purpose; else all of them.", show_default=False)
    ] = None,
    channel: Channel = "not said",
    at: At = None,
    only_record: Annotated[
        bool,
        typer.Option("--only-record", help="Do not rewrite snapshots now; name those that hold the person's rows."),
    ] = False,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Record that PERSON took their consent back, and take their rows out of what was held on it.

    Exit status: 0 recorded, 2 nothing is known that could be taken back and no purpose is named.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.cli.data.when import moment_of
    from sealwright.pipeline import withdraw_consent

    with acting_at(home, key_file, actor, person_key) as (workspace, by), show.progress(quiet=as_json) as progress:
        done = withdraw_consent(
            workspace,
            project,
            person,
            purpose,
            channel=channel,
            by=by,
            at=moment_of(at),
            rewrite=not only_record,
            progress=progress,
        )
    out(as_json, done.to_json(), lambda: _tell(done, project))


def show_person(
    person: Person,
    project: ProjectName,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Show what PERSON agreed to and took back, oldest first.

    Exit status: 0 shown, 3 you may not see what persons agreed to there.
    """
    from sealwright.doors.cli import show
    from sealwright.pipeline import consent_history, name_in

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        subject = name_in(workspace, project, person)
        history = consent_history(workspace, project, subject, by=by)
    changes = [
        {
            "at": one.at,
            "purpose": one.purpose,
            "change": one.change,
            "text_version": one.text_version,
            "text": one.text_digest,
            "channel": one.channel,
        }
        for one in history
    ]

    def words() -> None:
        show.facts({"subject": subject})
        show.rows(
            ["when", "purpose", "change", "text", "channel"],
            [
                (str(c["at"])[:16].replace("T", " "), c["purpose"], c["change"], c["text_version"], c["channel"])
                for c in changes
            ],
        )

    out(as_json, {"subject": subject, "project": project, "changes": changes}, words)


def import_file(
    file: Annotated[
        Path, typer.Argument(help="CSV: subject, purpose, at; optional: change, text_version, text_digest, channel.")
    ],
    project: ProjectName,
    text: Annotated[
        Path | None, typer.Option("--text", help="File with the words all of them agreed to.", show_default=False)
    ] = None,
    text_version: Annotated[
        str | None, typer.Option("--text-version", help="What these words are called.", show_default=False)
    ] = None,
    channel: Channel = "import",
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Take over consents from another system: the whole file or nothing. Taking it over twice adds nothing.

    Exit status: 0 recorded, 2 the file cannot be taken; its first faults are named.
    """
    from sealwright.doors.cli import show
    from sealwright.kernel import InvalidInput, digest_of_file
    from sealwright.pipeline import import_consents

    if (text is None) != (text_version is None):
        raise InvalidInput("Give --text and --text-version together: a version is called so by somebody.")
    if text is not None and not text.is_file():
        raise InvalidInput(f"There is no file {text}.")
    words_agreed_to = (text_version, digest_of_file(text)) if text is not None and text_version is not None else None
    with acting_at(home, key_file, actor, person_key) as (workspace, by), show.progress(quiet=as_json) as progress:
        progress(f"reading {file.name}", 0.0)
        rows, new = import_consents(workspace, file, project=project, text=words_agreed_to, channel=channel, by=by)
    facts = {"rows": rows, "recorded": new, "known before": rows - new}
    out(as_json, {"rows": rows, "recorded": new}, lambda: show.facts({name: f"{n:,}" for name, n in facts.items()}))


def check(
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Compare the tables of consents and suppressions with the ledger: nothing may have been taken out.

    Exit status: 0 they agree, 3 you may not read the ledger, 4 they do not agree.
    """
    from sealwright.doors.cli import show
    from sealwright.pipeline import compare_persons

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        facts = compare_persons(workspace, by=by)
    out(as_json, facts, lambda: show.facts({f"{name} that agree": f"{n:,}" for name, n in facts.items()}))


def _tell(done: "WithdrawnConsent", project: str) -> None:
    from sealwright.doors.cli import show

    show.title("Withdrawn")
    facts = done.to_json()
    before = ", ".join(facts["had_agreed_to"]) or "nothing that stood"
    show.facts({"subject": facts["subject"], "purposes": ", ".join(facts["purposes"]), "had agreed to": before})
    for one in done.rewritten:
        show.facts({"rewritten": one.before, "now": one.after or "nothing is left of it", "rows taken out": one.rows})
    if done.left:
        say(f"Not rewritten ({show.safe(done.why_left)}):")
        for digest in done.left:
            say(f"  {digest}")
    if done.models:
        show.facts({"models made before": ", ".join(done.models)})
        show.next_step(f"sealwright run PROJECT_FOLDER   (a new version of {project}, without the person)")
