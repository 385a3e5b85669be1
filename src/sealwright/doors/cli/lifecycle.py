"""The verbs of a model's way: run, and each of its steps alone."""

from pathlib import Path
from typing import Annotated

import typer

from sealwright.doors.cli.assess import assess
from sealwright.doors.cli.compare import compare
from sealwright.doors.cli.options import (
    Actor,
    AsJson,
    Home,
    KeyFileOption,
    ProjectFolder,
    acting_at,
    open_at,
    out,
    project_at,
    say,
    writable,
)

__all__ = ["add_to"]

_PANEL = "Make and judge"
Fresh = Annotated[bool, typer.Option("--fresh", help="Start a new run instead of going on with the last one.")]
PersonKey = Annotated[
    Path | None, typer.Option("--person-key", help="Key file that opens the person's key.", show_default=False)
]


def add_to(app: typer.Typer) -> None:
    for verb in (run, ingest, train, assess, compare, gate, attest, approve, seal, report):
        app.command(rich_help_panel=_PANEL)(verb)


def run(
    project: ProjectFolder = Path(),
    fresh: Fresh = False,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Do every step that is still to do, up to the registered version, or say what stands in the way.

    A run that was interrupted goes on where it stopped.
    Exit status: 0 registered, 2 something cannot be used, 3 stopped by its policy.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.cli.words import tell_way
    from sealwright.doors.wiring import spread_of
    from sealwright.pipeline import run_way

    wanted = project_at(project)
    with (
        acting_at(home, key_file, actor, person_key, create=True) as (workspace, by),
        show.progress(quiet=as_json) as progress,
    ):
        way = run_way(workspace, wanted, by=by, fresh=fresh, progress=progress, spread=spread_of())
    out(as_json, way.to_json(), lambda: tell_way(way, project))
    raise typer.Exit(0 if way.decision.passed else 3)


def ingest(
    project: ProjectFolder = Path(),
    fresh: Fresh = False,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Take the data into an encrypted snapshot; rows that break the contract go to quarantine.

    Exit status: 0 done, 2 the source cannot be used, 3 too many rows break the contract, no basis covers the use, a
    column looks personal unsaid (high risk), or rows would travel unencrypted.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.cli.words import tell_ingested
    from sealwright.pipeline import ingest as do

    wanted = project_at(project)
    with (
        acting_at(home, key_file, actor, person_key, create=True) as (workspace, by),
        show.progress(quiet=as_json) as progress,
    ):
        done = do(workspace, wanted, by=by, fresh=fresh, progress=progress)
    out(as_json, done.to_json(), lambda: tell_ingested(done, project))


def train(
    project: ProjectFolder = Path(),
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Train in a confined child process and turn the result into ONNX with measured parity.

    With training.privacy it draws on the dataset's privacy budget before it begins; a training that is kept costs nothing.
    Exit status: 0 done, 2 nothing was ingested yet or the recipe cannot be used, 3 the privacy budget does not allow it.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.cli.words import tell_trained
    from sealwright.pipeline import train as do

    wanted = project_at(project)
    with acting_at(home, key_file, actor, person_key) as (workspace, by), show.progress(quiet=as_json) as progress:
        done = do(workspace, wanted, by=by, progress=progress)
    out(as_json, done.to_json(), lambda: tell_trained(done, project))


def gate(
    project: ProjectFolder = Path(),
    every: Annotated[bool, typer.Option("--all", help="Also list what passed.")] = False,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Ask the policy: every reason, the evidence behind it, and the next step.

    Exit status: 0 passed, 3 something stands in the way, or you may not see the project.
    """
    from sealwright.doors.cli.words import tell_decision
    from sealwright.pipeline import decide

    wanted = project_at(project)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        decision = decide(workspace, wanted, by=by).decision
    out(as_json, decision.to_json(), lambda: tell_decision(decision, every=every, folder=project))
    raise typer.Exit(0 if decision.passed else 3)


def attest(
    person: Annotated[str, typer.Option("--as", help="Who states it: an enrolled person.")],
    role: Annotated[str, typer.Option("--role", help="In which of their roles.")],
    check: Annotated[str, typer.Option("--check", help="The check that could not be measured.")],
    reason: Annotated[str, typer.Option("--reason", help="Why that is no harm. It is signed and read by auditors.")],
    project: ProjectFolder = Path(),
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Sign, as a person, why a check could not be measured; it goes into the package. Do it before approving.

    Counts only where measuring was tried and not possible, and the policy lets this role speak.
    Exit status: 0 filed, 2 the check waits for nobody's word, not in that role, or the trainer.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.settings import person_unlock
    from sealwright.pipeline import attest as do

    wanted = project_at(project)
    unlock = person_unlock(person, person_key, new=False)
    with open_at(home, key_file) as workspace:
        filed = do(workspace, wanted, person=person, unlock=unlock, check=check, role=role, reason=reason)
    facts = {
        "stated by": person,
        "as": role.replace("_", " "),
        "check": filed.check,
        "package": filed.package,
        "statement": filed.statement,
    }

    def words() -> None:
        show.facts(facts)
        say("The package is another one with this in it: approvals given before have to be given again.")
        show.next_step(f"sealwright gate {project}")

    out(as_json, facts, words)


def approve(
    person: Annotated[str, typer.Option("--as", help="Who approves: an enrolled person.")],
    role: Annotated[str, typer.Option("--role", help="In which of their roles.")],
    reason: Annotated[str, typer.Option("--reason", help="Why. It is signed and read by auditors.")],
    project: ProjectFolder = Path(),
    policy_change: Annotated[
        bool,
        typer.Option("--policy-change", help="Sign that less may be asked for, or tried, instead of for the release."),
    ] = False,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Sign, as a person, for exactly this package. Never the person who trained it.

    Exit status: 0 filed, 2 not enrolled, not in that role, or the trainer.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.settings import person_unlock
    from sealwright.pipeline import approve as do

    wanted = project_at(project)
    unlock = person_unlock(person, person_key, new=False)
    with open_at(home, key_file) as workspace:
        filed = do(
            workspace, wanted, person=person, unlock=unlock, role=role, reason=reason, policy_change=policy_change
        )
    facts = {
        "approved by": person,
        "what": "less is asked for, or tried" if policy_change else "the release",
        "as": role.replace("_", " "),
        "package": filed.package,
        "statement": filed.statement,
    }

    def words() -> None:
        show.facts(facts)
        show.next_step(f"sealwright gate {project}")

    out(as_json, facts, words)


def seal(
    project: ProjectFolder = Path(),
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Seal the package and register it as the next version, if the gate lets it through.

    Exit status: 0 registered, 3 the gate says no.
    """
    from sealwright.doors.cli import show
    from sealwright.pipeline import seal as do

    wanted = project_at(project)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        sealed = do(workspace, wanted, by=by)
    facts = {"project": wanted.name, "version": sealed.version, "package": sealed.package, "folder": str(sealed.folder)}

    def words() -> None:
        show.title("Sealed and registered")
        show.facts(facts)
        show.next_step(f'sealwright promote {wanted.name} {sealed.version} --reason "…"')

    out(as_json, facts, words)


def report(
    project: ProjectFolder = Path(),
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", help="Write it here instead of into the workspace; a name in .pdf prints it.", show_default=False
        ),
    ] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Write the report of the newest run: one HTML page that opens anywhere, or a PDF.

    Exit status: 0 written, 2 nothing was assessed yet, 3 you may not see the project.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.reports import write_report

    wanted, to = project_at(project), writable(to)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        path = write_report(workspace, wanted, to, by=by)
    out(as_json, {"report": str(path)}, lambda: show.facts({"report": path.resolve().as_uri()}))
