"""From a project and a word to a comparison, and from a comparison to its page."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sealwright.kernel import InvalidInput, Progress, silent, write_atomically
from sealwright.pipeline import Comparison, ComparisonKind, Project, Workspace, compare, comparison_kind
from sealwright.trust import Principal

__all__ = ["comparison_of", "write_comparison"]


def comparison_of(
    workspace: Workspace,
    project: Project,
    what: str,
    *,
    only: Sequence[str] | None = None,
    by: Principal,
    progress: Progress = silent,
) -> Comparison:
    """Compare the ways that `what` stands for, or those that `only` names, whole or by their first part.

    Raises
    ------
    InvalidInput
        Nothing of that name, no way to compare, or a name in `only` that is none of them.
    """
    kind = comparison_kind(what)
    variants = kind.variants(project)
    if not variants:
        raise InvalidInput(f"There is no other way to compare: {kind.absent}.")
    names = [one.name for one in variants]
    unknown = [wanted for wanted in only or () if not any(_means(wanted, name) for name in names)]
    if unknown:
        raise InvalidInput(f"There is no way called {', '.join(unknown)}. The ways are: {', '.join(names)}.")
    chosen = [one for one in variants if only is None or any(_means(wanted, one.name) for wanted in only)]
    return compare(workspace, project, chosen, suites=kind.suites, by=by, progress=progress)


def _means(wanted: str, name: str) -> bool:
    """A name, or its first part: reweighing means reweighing-sex and reweighing-age."""
    return name == wanted or name.startswith(f"{wanted}-")


def write_comparison(found: Comparison, kind: ComparisonKind, at: datetime, to: Path) -> Path:
    """Write the page of a comparison, complete or not at all; returns its path."""
    from sealwright.oversight import ComparisonFacts, render_comparison

    facts = ComparisonFacts(
        title=f"{found.project}: {kind.title[:1].lower()}{kind.title[1:]}",
        at=at,
        comparison=found.to_json(),
        trade=kind.trade,
    )
    write_atomically(to, render_comparison(facts).encode(), mode=0o644)
    return to
