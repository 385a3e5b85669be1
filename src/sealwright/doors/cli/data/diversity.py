"""`sealwright data diversity` and `data augment`: who is in the data, who is missing, and what made-up rows would be like."""

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
    from sealwright.data.augment import Augmented
    from sealwright.data.diversity import GroupLine, Margin, Proposals
    from sealwright.pipeline.diversity import DiversityView
    from sealwright.pipeline.made_up import Augmentation

__all__ = ["add_to"]

_WORDS = {
    "absent": "ABSENT",
    "under": "low share",
    "few": "few rows",
    "unsure": "maybe low",
    "empty": "no rows",
    "enough": "enough",
}
_QUIET = {"enough", "empty"}
_MOST_PLANS = 12


def add_to(app: typer.Typer) -> None:
    app.command()(diversity)
    app.command()(augment)


def diversity(
    project: ProjectFolder,
    every: Annotated[bool, typer.Option("--all", help="Also list crossed groups that are large enough.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 3 if a group is absent or under-represented.")
    ] = False,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Count groups and their intersections in the newest data, hold them against the reference, and propose what to do.

    Counts that would tell about few people of a special group are left out.
    Exit status: 0 done, 2 nothing was ingested or named yet, 3 with --strict when somebody is missing.
    """
    from sealwright.pipeline.diversity import diversity_of

    wanted = project_at(project)
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        view = diversity_of(workspace, wanted, by=by)
    out(
        as_json,
        view.to_json(),
        lambda: _tell(view, every=every, planned=wanted.spec.data.augment is not None, at=project),
    )
    if strict and any(True for _ in view.report.of_state("absent", "under")):
        raise typer.Exit(3)


def augment(
    project: ProjectFolder,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Make the rows up, measure them, and keep none.")] = False,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Show what rows data.augment would make up, and how like, how useful and how close to persons they are.

    Exit status: 0 they could be used, 2 nothing to do or too few to learn from, 3 too close to real persons.
    """
    from sealwright.doors.cli import show
    from sealwright.kernel import InvalidInput
    from sealwright.pipeline.diversity import augmentation_of

    if not dry_run:
        raise InvalidInput(
            "This verb only looks. Rows are made up when data is taken in and data.augment asks for them.\n"
            f"Look first: sealwright data augment {project} --dry-run"
        )
    wanted = project_at(project)
    with acting_at(home, key_file, actor, person_key) as (workspace, by), show.progress(quiet=as_json) as progress:
        found = augmentation_of(workspace, wanted, by=by, progress=progress)
    out(as_json, found.to_json(), lambda: _tell_made(found))
    if found.found.too_close:
        raise typer.Exit(3)


def _tell(view: "DiversityView", *, every: bool, planned: bool, at: Any) -> None:
    from sealwright.doors.cli import show

    report = view.report
    show.facts(
        {
            "rows": f"{report.rows:,}"
            + (f", and {report.synthetic:,} made up, not counted" if report.synthetic else ""),
            "reference": f"{report.source} ({report.date})" if report.source else "none declared",
            "snapshot": view.snapshot,
        }
    )
    for margin in report.margins:
        lines = [
            group
            for group in margin.groups
            if every or len(margin.attributes) == 1 or group.state not in _QUIET or group.hidden
        ]
        if lines:
            show.title(_heading(margin))
            show.rows(
                ["group", "rows", "share", "interval", "reference", "state", "short by", "to full", _rate_of(view)],
                [_cells(group) for group in lines],
            )
    _tell_proposals(report.proposals)
    for note in report.notes:
        say(note)
    if planned and any(True for _ in report.of_state("under", "few")):
        show.next_step(f"sealwright data augment {at} --dry-run")


def _heading(margin: "Margin") -> str:
    name = " x ".join(margin.attributes)
    missing = "" if margin.missing_hidden or not margin.missing else f", {margin.missing:,} rows without a value"
    if margin.fit is None or not margin.whole:
        return f"{name}{missing}"
    differs = "differs from the reference" if margin.fit.adjusted <= 0.05 else "like the reference"
    return f"{name}: {differs} (PSI {margin.fit.psi:.3f}, by chance below {margin.fit.psi_by_chance:.3f}){missing}"


def _rate_of(view: "DiversityView") -> str:
    return view.report.positive if view.report.positive is not None else "outcome"


def _cells(group: "GroupLine") -> tuple[Any, ...]:
    name = " x ".join(group.of)
    reference = "" if group.reference is None else f"{group.reference:.1%}"
    if group.hidden:
        return name, "not shown", "", "", reference, "", "", "", ""
    return (
        name,
        f"{group.rows:,}",
        f"{group.share:.1%}",
        f"{group.interval[0]:.1%}–{group.interval[1]:.1%}",
        reference,
        _WORDS[group.state],
        _more(max(group.to_minimum, group.to_limit or 0)),
        "" if group.to_reference is None else _more(group.to_reference),
        "" if group.rate is None or group.outcome_hidden else f"{group.rate:.1%}",
    )


def _more(rows: int) -> str:
    return f"+{rows:,}" if rows else ""


def _tell_proposals(found: "Proposals") -> None:
    from sealwright.doors.cli import show

    lines = []
    for plan in found.collect:
        name = " x ".join(plan.attributes)
        if plan.hidden:
            lines.append(("collect", name, f"rows of {len(plan.rows)} groups; how many would tell how few there are"))
            continue
        words = [f"{more:,} {' x '.join(group)}" for group, more in list(plan.rows.items())[:_MOST_PLANS]]
        rest = f", and {len(plan.rows) - _MOST_PLANS} more groups" if len(plan.rows) > _MOST_PLANS else ""
        lines.append(("collect", name, f"{plan.in_all:,} rows: {', '.join(words)}{rest}"))
    weigh = found.reweigh
    if weigh is not None and weigh.hidden:
        part = f"about {round(weigh.effective_rows / weigh.rows, 1):.0%} of the rows left in effect"
        lines.append(("weigh", ", ".join(weigh.margins), part))
    elif weigh is not None:
        settled = "" if weigh.converged else "; no weights fit all of these at once"
        lost = f"; no weight brings back: {', '.join(weigh.unreachable)}" if weigh.unreachable else ""
        left = f"{weigh.effective_rows:,.0f} of {weigh.rows:,} rows left in effect, largest weight {weigh.largest:.1f}"
        lines.append(("weigh", ", ".join(weigh.margins), left + settled + lost))
    if found.augment is not None:
        for where, more in list(found.augment.rows.items())[:_MOST_PLANS]:
            lines.append(
                (
                    "make up",
                    " x ".join(name for name, _ in where),
                    f"{more:,} {' x '.join(level for _, level in where)}",
                )
            )
        if found.augment.too_few:
            few = f"too few rows to learn from (under {found.augment.fewest}) in groups: {len(found.augment.too_few)}"
            lines.append(("make up", "", few))
    if lines:
        show.title("What can be done")
        show.rows(["how", "by", "numbers"], lines)


def _tell_made(view: "Augmentation") -> None:
    from sealwright.doors.cli import show

    found = view.found
    show.title("Would be added" if not found.too_close else "Would be refused")
    show.rows(
        ["group", "learned from", "asked for", "made up", "drawn again"],
        [
            (
                ", ".join(f"{name} = {level}" for name, level in one.where.items()),
                one.real,
                one.asked,
                one.made,
                one.redrawn,
            )
            for one in found.made.groups
        ],
    )
    _tell_measures(found)
    for note in (*found.made.notes, *found.usefulness.notes):
        say(note)
    for reason in found.too_close:
        say(f"Too close to real persons: {reason}.")


def _tell_measures(found: "Augmented") -> None:
    from sealwright.doors.cli import show

    like, near = found.fidelity, found.closeness
    column = like.worst_column
    lines = [
        (
            "like",
            f"largest distance of a column ({column.column})",
            f"{column.distance:.3f}",
            f"{column.by_chance:.3f}",
        ),
        ("like", "mean difference of associations of two columns", f"{like.mean_pair_difference:.3f}", ""),
    ]
    if like.told_apart is not None:
        lines.append(("like", "told from real rows (0.5: not at all)", _area(like.told_apart), "0.500"))
    for one in found.usefulness.compared:
        change = f"{one.first.value:.3f} instead of {one.second.value:.3f}"
        lines.append(("useful", one.what, change, f"difference {one.interval[0]:+.3f} to {one.interval[1]:+.3f}"))
    lines.append(("close", "equal to a training row", f"{near.copies:.1%}", f"{near.copies_of_strangers:.1%}"))
    lines.append(("close", "nearer to one than 95 of 100 strangers", f"{near.near:.1%}", "5.0%"))
    if near.attack is not None:
        lines.append(("close", "training rows told from strangers by them", _area(near.attack), "0.500"))
    show.rows(["measure", "what", "found", "by chance"], lines)


def _area(one: Any) -> str:
    return f"{one.value:.3f} ({one.interval[0]:.3f} to {one.interval[1]:.3f})"
