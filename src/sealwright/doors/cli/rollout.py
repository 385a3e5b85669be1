"""The verbs of a rollout: start, status, watch, advance, promote, back, stop, run, outcomes."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealwright.doors.cli.options import (
    Actor,
    AsJson,
    Home,
    KeyFileOption,
    PersonKey,
    Served,
    acting_at,
    out,
    served_at,
)
from sealwright.doors.cli.release import Days, Number, Reason, Wanted, pointer_json

if TYPE_CHECKING:
    from sealwright.registry import PointerFacts

__all__ = ["app"]

app = typer.Typer(
    help="Let a new version take over step by step, watched and judged, and the old one come back at once.",
    no_args_is_help=True,
)


class Kind(StrEnum):
    """How a new version takes over."""

    canary = "canary"
    share = "split"
    shadow = "shadow"
    blue_green = "blue-green"


Every = Annotated[float, typer.Option("--every", min=0.2, max=3600, help="Seconds between looks.")]


@app.command()
def start(
    project: Served,
    number: Number,
    reason: Reason,
    kind: Annotated[
        Kind,
        typer.Option(
            "--kind",
            help="canary: in the steps of serving.rollout. split: one part of --share. shadow: copied, never answered. "
            "blue-green: loaded beside, then all at once.",
        ),
    ] = Kind.canary,
    share: Annotated[float, typer.Option("--share", min=0.01, max=99.99, help="Percent of a split.")] = 50.0,
    channel: Wanted = None,
    days: Days = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Begin: sign the plan with the limits that the version's charter froze, and the pointer of the first stage.

    Exit status: 0 begun, 2 it does not fit beside the version in service, 3 you may not, 4 a package does not verify.
    """
    from sealwright.doors.cli import show
    from sealwright.pipeline import start_rollout

    name, spec = served_at(project, channel)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        plan, pointer = start_rollout(
            workspace,
            name,
            number,
            kind=kind.value,
            channel=spec.channel,
            by=by,
            reason=reason,
            days=days or spec.pointer_days,
            share=share,
        )
    facts = {"rollout": plan.id, **pointer_json(pointer)}

    def words() -> None:
        show.title(f"{name} version {plan.challenger} begins beside version {plan.champion}: {plan.kind}")
        show.facts(
            {
                "rollout": plan.id,
                "stages": ", ".join(
                    " / ".join(f"{arm.name} {arm.share / 100:g} %" for arm in arms) for arms in plan.stages
                ),
                "limits": _limits(plan.spec.limits.model_dump(exclude_none=True)),
            }
        )
        show.next_step(f"sealwright rollout run {project}   (or watch, advance, back)")

    out(as_json, facts, words)


@app.command()
def status(
    project: Served,
    channel: Wanted = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Where the rollout is: arms, requests, errors, times, scores, fairness, metric, and what follows.

    Exit status: 0 shown, 2 none is under way, 3 you may not see the project.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.cli.rollout_view import page_of
    from sealwright.pipeline import rollout_status

    name, spec = served_at(project, channel)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        found = rollout_status(workspace, name, channel=spec.channel, by=by)
    out(as_json, found.to_json(), lambda: show.console().print(page_of(found)))


@app.command()
def watch(
    project: Served,
    every: Every = 2.0,
    channel: Wanted = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Look again and again until it ends or Ctrl-C; nothing is changed. With --json, one line a look."""
    import contextlib

    from sealwright.doors.cli.rollout_view import Screen
    from sealwright.pipeline import NoRollout, RolloutWatch

    name, spec = served_at(project, channel)
    watching = RolloutWatch(name, spec.channel)
    with contextlib.suppress(KeyboardInterrupt), Screen(as_json=as_json) as screen:
        while True:
            try:
                with acting_at(home, key_file, actor, person_key) as (workspace, by):
                    screen.show(watching.look(workspace, by))
            except NoRollout:
                if not screen.shown:
                    raise
                screen.end("It has ended.")
                return
            screen.wait(every)


@app.command()
def run(
    project: Served,
    every: Every = 5.0,
    once: Annotated[bool, typer.Option("--once", help="Judge and move once, for a scheduler.")] = False,
    channel: Wanted = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Move by itself along the signed plan, or back, until it ends. It may be stopped and started at any time.

    Exit status: 0 the plan ended (or, with --once, went on or waits), 2 none is under way, 3 it went back, or you may not.
    """
    from sealwright.doors.cli.rollout_view import Screen
    from sealwright.kernel import Conflict
    from sealwright.pipeline import NoRollout, RolloutWatch, move_by_plan

    name, spec = served_at(project, channel)
    watching, went_back = RolloutWatch(name, spec.channel), False
    with Screen(as_json=as_json) as screen:
        while True:
            try:
                with acting_at(home, key_file, actor, person_key) as (workspace, by):
                    found = watching.look(workspace, by)
                    screen.show(found)
                    moved = move_by_plan(workspace, found, by=by)
            except NoRollout:
                if not screen.shown:
                    raise
                screen.end("It has ended.")
                break
            except Conflict:
                moved = None  # somebody moved it at the same moment; look again
            if moved is not None:
                screen.tell(moved)
                went_back = moved.what == "went_back"
            if once or (moved is not None and moved.what != "advanced"):
                break
            screen.wait(every)
    raise typer.Exit(3 if went_back else 0)


@app.command()
def advance(
    project: Served,
    reason: Reason,
    channel: Wanted = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Go to the next stage of the plan now, unless a limit is broken. Exit status: 0 done, 2 it is the last, 3 held."""
    from sealwright.pipeline import advance_rollout

    name, spec = served_at(project, channel)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        pointer = advance_rollout(workspace, name, channel=spec.channel, by=by, reason=reason)
    _tell(pointer, as_json, f"sealwright rollout watch {project}")


@app.command()
def promote(
    project: Served,
    reason: Reason,
    channel: Wanted = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """The new version answers everything from now on, unless a limit is broken. Exit status: 0 done, 3 held."""
    from sealwright.pipeline import promote_rollout

    name, spec = served_at(project, channel)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        pointer = promote_rollout(workspace, name, channel=spec.channel, by=by, reason=reason)
    _tell(pointer, as_json, f"sealwright history {name}")


@app.command()
def back(
    project: Served,
    reason: Reason,
    channel: Wanted = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """The old version answers everything from now on: one signed pointer, whatever was measured."""
    from sealwright.pipeline import go_back

    name, spec = served_at(project, channel)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        pointer = go_back(workspace, name, channel=spec.channel, by=by, reason=reason)
    _tell(pointer, as_json, f"sealwright history {name}")


@app.command()
def stop(
    project: Served,
    reason: Reason,
    channel: Wanted = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Whichever version is champion now answers everything: ends a shadow, or lets the waiting colour go."""
    from sealwright.pipeline import stop_rollout

    name, spec = served_at(project, channel)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        pointer = stop_rollout(workspace, name, channel=spec.channel, by=by, reason=reason)
    _tell(pointer, as_json, f"sealwright history {name}")


@app.command()
def outcomes(
    project: Served,
    file: Annotated[Path, typer.Argument(help="CSV with the columns decision and value.")],
    channel: Wanted = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Report what became of decisions, for the business metric of a rollout. Sealed; a later report replaces an earlier.

    Ids are joined with decisions when the rollout is judged, so one that no decision has is taken in and never counts:
    sealwright rollout status says how many belong to each arm.
    Exit status: 0 taken in, 2 the file cannot be used, 3 you may not judge this project's model.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.cli.rollout_view import outcomes_in
    from sealwright.pipeline import report_outcomes

    (name, spec), found = served_at(project, channel), outcomes_in(file)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        count = report_outcomes(workspace, name, found, channel=spec.channel, by=by)
    facts = {"project": name, "channel": spec.channel, "outcomes": count, "joined": "when the rollout is judged"}

    def words() -> None:
        show.facts({**facts, "outcomes": f"{count:,} taken in", "joined": f"{facts['joined']}; other ids never count"})
        show.next_step(f"sealwright rollout status {project}   (how many belong to each arm)")

    out(as_json, facts, words)


def _limits(said: dict[str, object]) -> str:
    return ", ".join(
        f"{name} {value['name'] if isinstance(value, dict) and 'name' in value else value}"
        for name, value in said.items()
    )


def _tell(pointer: "PointerFacts", as_json: bool, then: str) -> None:
    from sealwright.doors.cli import show

    arms = [f"version {arm.number} as {arm.name} {arm.share / 100:g} %" for arm in pointer.arms]
    facts = pointer_json(pointer)

    def words() -> None:
        show.title(
            ", ".join(arms)
            if arms
            else f"{pointer.project} version {pointer.number} answers everything on channel {pointer.channel}"
        )
        show.facts({"sequence": pointer.sequence, "until": str(facts["expires"])[:16].replace("T", " ") + " UTC"})
        show.next_step(then)

    out(as_json, facts, words)
