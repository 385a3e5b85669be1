"""`sealwright data budget`: what releases and private trainings may still say about a person, who spent it, and changes."""

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
    ProjectFolder,
    acting_at,
    out,
    project_at,
)

if TYPE_CHECKING:
    from sealwright.data.dp import Spend
    from sealwright.pipeline.privacy_budget import PrivacyBudget

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    app.command()(budget)


def budget(
    project: ProjectFolder = Path(),
    set_epsilon: Annotated[
        str | None,
        typer.Option(
            "--set-epsilon", help="The budget that counts from now on. More needs a reason.", show_default=False
        ),
    ] = None,
    set_delta: Annotated[
        float | None, typer.Option("--set-delta", help="The delta for adding up releases.", show_default=False)
    ] = None,
    set_training_delta: Annotated[
        float | None,
        typer.Option(
            "--set-training-delta", help="What deltas of private trainings may add up to.", show_default=False
        ),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why more. Goes into the ledger.", show_default=False)] = "",
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """What is left of the dataset's privacy budget, who spent it on what; or change it, on record.

    Exit status: 0 shown or changed, 2 something cannot be used, 3 it asks for more without a reason.
    """
    from sealwright.kernel import InvalidInput
    from sealwright.pipeline.privacy_budget import budget_of, set_budget

    wanted = project_at(project)
    change = any(one is not None for one in (set_epsilon, set_delta, set_training_delta))
    if reason and not change:
        raise InvalidInput("A reason belongs to a change: --set-epsilon, --set-delta or --set-training-delta.")
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        if not change:
            found = budget_of(workspace, wanted, by=by)
        else:
            found = set_budget(
                workspace,
                wanted,
                epsilon=set_epsilon,
                delta=set_delta,
                training_delta=set_training_delta,
                reason=reason,
                by=by,
            )
    out(as_json, found.to_json(), lambda: _tell_budget(found, project))


def _tell_budget(found: "PrivacyBudget", project: Path) -> None:
    from sealwright.data.dp import counted
    from sealwright.doors.cli import show

    said = found.to_json()
    show.title(f"Privacy budget of {found.project}")
    facts = {
        "counts": f"epsilon {said['epsilon']}" + (f" at delta {said['delta']:g}" if said["delta"] else ""),
        "spent": f"{said['spent']} in {counted(found.account)}",
        "left": f"{said['left']} for one more release",
        "trainings": _trainings(said),
        "adds up by": said["composition"],
        "protects": found.protection.words,
    }
    if said["fixed"] is None:
        facts["not fixed yet"] = "the first release or private training fixes what the project file says"
    elif said["fixed"] != said["declared"]:
        facts["note"] = f"the project file says {said['declared']}, the ledger {said['fixed']}; the smaller counts"
    if said["fixed"] is not None and said["fixed_training_delta"] != said["declared_training_delta"]:
        facts["deltas of trainings"] = (
            f"the project file says {said['declared_training_delta']:g}, the ledger {said['fixed_training_delta']:g}; the"
            " smaller counts"
        )
    if said["shared_with"]:
        facts["shared with"] = f"{', '.join(said['shared_with'])}: the same data, so one budget"
    show.facts(facts)
    if said["spends"]:
        headings = ["when", "who", "project", "what", "of", "epsilon"]
        lines = [
            (one.at[:19], one.actor, one.project, one.kind, _of(one), row["epsilon"])
            for one, row in zip(found.account.spends, said["spends"], strict=True)
        ]
        show.rows(headings, lines)
    for step in _to_the_larger(said, project):
        show.next_step(step)


def _trainings(said: Mapping[str, Any]) -> str:
    """What private trainings may still cost besides epsilon."""
    if not said["training_delta"] and not said["training_delta_spent"]:
        return "none allowed: training_delta is 0"
    return f"deltas add up to {said['training_delta_spent']:g} of at most {said['training_delta']:g}"


def _of(spend: "Spend") -> str:
    """The columns of a release; the recipe of a training, which model it was for, and its delta."""
    return f"{spend.purpose}, delta {spend.delta:g}" if spend.training else ", ".join(spend.columns)


def _to_the_larger(said: Mapping[str, Any], project: Path) -> list[str]:
    """How the larger of two budgets would come to count."""
    steps = []
    for name, key in (("epsilon", ""), ("training_delta", "_training_delta")):
        declared, fixed = said[f"declared{key}"], said[f"fixed{key}"]
        if fixed is None or declared == fixed:
            continue
        if float(declared) < float(fixed):
            steps.append(f"to let the larger count, say {name}: {fixed} in data.privacy_budget of {project}")
        else:
            option = f"--set-{name.replace('_', '-')}"
            steps.append(f'to let the larger count: sealwright data budget {project} {option} {declared} --reason "…"')
    return steps
