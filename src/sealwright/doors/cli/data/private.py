"""`sealwright data release …`: numbers about people that say nearly nothing about any of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, PersonKey, acting_at, out, project_at

if TYPE_CHECKING:
    from sealwright.pipeline.private_release import PrivateRelease

__all__ = ["add_to"]

release = typer.Typer(
    help="Release one noisy number about the newest snapshot, at a cost in epsilon that the ledger keeps.",
    no_args_is_help=True,
)

Project = Annotated[Path, typer.Argument(help="Folder with sealwright.yaml, or that file.")]
Column = Annotated[str, typer.Option("--column", help="The column.")]
Epsilon = Annotated[
    str, typer.Option("--epsilon", help="What it may cost, e.g. 0.1. Half the epsilon is twice the noise.")
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        help="COLUMN=VALUE: count only rows with this category, or true or false. May be repeated.",
        show_default=False,
    ),
]
Lower = Annotated[
    str | None,
    typer.Option("--lower", help="Values below count as this. Else the contract's min.", show_default=False),
]
Upper = Annotated[
    str | None,
    typer.Option("--upper", help="Values above count as this. Else the contract's max.", show_default=False),
]
OfSnapshot = Annotated[
    str | None, typer.Option("--snapshot", help="An earlier snapshot, by digest.", show_default=False)
]


def add_to(app: typer.Typer) -> None:
    for verb in (count, mean, histogram, quantile):
        release.command()(verb)
    app.add_typer(release, name="release")


def count(
    project: Project,
    epsilon: Epsilon,
    where: Where = None,
    snapshot: OfSnapshot = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """How many rows there are, or how many with certain values.

    Exit status: 0 released, 2 it cannot be asked so, 3 the privacy budget does not allow it.
    """
    _release(project, "count", epsilon, where, snapshot, actor, person_key, home, key_file, as_json)


def mean(
    project: Project,
    column: Column,
    epsilon: Epsilon,
    lower: Lower = None,
    upper: Upper = None,
    where: Where = None,
    snapshot: OfSnapshot = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """The average of a number between declared bounds; of true and false, the share of true.

    Exit status: 0 released, 2 it cannot be asked so, 3 the privacy budget does not allow it.
    """
    more = {"column": column, "lower": lower, "upper": upper}
    _release(project, "mean", epsilon, where, snapshot, actor, person_key, home, key_file, as_json, **more)


def histogram(
    project: Project,
    column: Column,
    epsilon: Epsilon,
    edges: Annotated[
        str | None, typer.Option("--edges", help="Edges of the cells: 0,20,40,60.", show_default=False)
    ] = None,
    bins: Annotated[
        int | None, typer.Option("--bins", help="So many cells of equal width between the bounds.", show_default=False)
    ] = None,
    lower: Lower = None,
    upper: Upper = None,
    where: Where = None,
    snapshot: OfSnapshot = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Rows per category of the contract, or per cell between declared edges. All cells together cost one epsilon.

    Exit status: 0 released, 2 it cannot be asked so, 3 the privacy budget does not allow it.
    """
    cut = tuple(edge.strip() for edge in edges.split(",")) if edges else ()
    more = {"column": column, "edges": cut, "bins": bins, "lower": lower, "upper": upper}
    _release(project, "histogram", epsilon, where, snapshot, actor, person_key, home, key_file, as_json, **more)


def quantile(
    project: Project,
    column: Column,
    epsilon: Epsilon,
    at: Annotated[float, typer.Option("--at", help="Which one, above 0 and below 1. 0.5 is the median.")] = 0.5,
    lower: Lower = None,
    upper: Upper = None,
    where: Where = None,
    snapshot: OfSnapshot = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """The value below which a share of the rows lies: the median, or another.

    Exit status: 0 released, 2 it cannot be asked so, 3 the privacy budget does not allow it.
    """
    more = {"column": column, "at": at, "lower": lower, "upper": upper}
    _release(project, "quantile", epsilon, where, snapshot, actor, person_key, home, key_file, as_json, **more)


def _release(
    project: Path,
    kind: Any,
    epsilon: str,
    where: list[str] | None,
    snapshot: str | None,
    actor: str | None,
    person_key: Path | None,
    home: Path | None,
    key_file: Path | None,
    as_json: bool,
    **more: Any,
) -> None:
    from sealwright.data.dp import Query
    from sealwright.data.privacy_budget import millionths
    from sealwright.doors.cli import show
    from sealwright.kernel import InvalidInput
    from sealwright.pipeline.private_release import release_private

    wanted = project_at(project)
    try:
        amount = millionths(epsilon)
    except ValueError as error:
        raise InvalidInput(f"--epsilon: {error}.") from None
    query = Query(kind=kind, epsilon=amount, where=tuple(_condition(one) for one in where or ()), **more)
    with acting_at(home, key_file, actor, person_key) as (workspace, by), show.progress(quiet=as_json) as progress:
        done = release_private(workspace, wanted, query, by=by, snapshot=snapshot, progress=progress)
    out(as_json, done.to_json(), lambda: _tell(done))


def _condition(text: str) -> tuple[str, str]:
    from sealwright.kernel import InvalidInput

    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidInput(f"--where is written COLUMN=VALUE; got {text[:60]!r}.")
    return name, value


def _tell(done: "PrivateRelease") -> None:
    from sealwright.doors.cli import show

    said = done.said
    show.title(done.asked)
    if done.released.cells:
        lines = [(cell.label, f"{max(0, cell.count):,}") for cell in done.released.cells]
        show.rows(["cell", "about"], lines)
    left = said["budget"]
    show.facts(
        {
            "result": done.words,
            "cost": f"epsilon {said['privacy']['epsilon']}",
            "budget": f"{left['spent']} of {left['epsilon']} spent, {left['left']} left ({left['composition']})",
            "protects": done.protection.words,
            "statement": done.statement,
        }
    )
