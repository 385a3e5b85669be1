"""One check, carried out on a case: every name it files comes back, as a finding or with a reason."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sealwright.assurance.asked import QueriesSpent
from sealwright.assurance.case import Case
from sealwright.assurance.case_making import generator_for
from sealwright.assurance.check import Check, Outcome, skipped
from sealwright.assurance.done import Done
from sealwright.assurance.modality import why_not_for
from sealwright.assurance.model import NotPerformed, names_of
from sealwright.kernel import MissingExtra

__all__ = ["in_one_order", "left_undone", "run_check"]


def run_check(check: Check, case: Case, left: int | None = None) -> Done:
    """Carry out `check`; `left` rows may be asked for, None: any number.

    Raises
    ------
    AssertionError
        The check left one of its names without an answer.
    """
    if why := why_not_for(check.name, check.modality, case.interface.modality):
        return Done(outcome=left_undone(check, case, why, applicable=False), queries=0)
    if why := _left_out(check, case):
        return Done(outcome=left_undone(check, case, why), queries=0)
    if not check.applies(case.task):
        return Done(outcome=left_undone(check, case, ""), queries=0)
    asked = case.asked
    if asked is not None:
        asked.begin(left)
    try:
        outcome = check.run(case, generator_for(case.seed, check.name))
    except QueriesSpent:
        outcome = Outcome()
    except MissingExtra as missing:
        return Done(outcome=left_undone(check, case, str(missing).replace("\n", " ")), queries=0)
    queries = asked.rows if asked is not None else 0
    if asked is not None and asked.refused:
        why = (
            f"it would have asked the model for more rows than the {left:,} that were left of the"
            f" {case.spec.budget.queries:,} of assurance.budget.queries"
        )
        return Done(outcome=left_undone(check, case, why), queries=queries)
    other = _no_such_thing(check, case)
    filed = {*names_of(outcome.findings), *names_of(outcome.not_performed), *names_of(other)}
    if filed != set(check.files):
        raise AssertionError(f"{check.name} must account for {sorted(check.files)}; it filed {sorted(filed)}")
    return Done(outcome=replace(outcome, not_performed=(*outcome.not_performed, *other)), queries=queries)


def left_undone(check: Check, case: Case, why: str, *, applicable: bool = True) -> Outcome:
    """Every name of a check that is not carried out, each with its reason."""
    names = [name for name, tasks in check.files.items() if case.task in tasks]
    return Outcome(
        not_performed=((*skipped(names, why, applicable=applicable).not_performed,) if names else ())
        + tuple(_no_such_thing(check, case))
    )


@contextmanager
def in_one_order() -> Iterator[None]:
    """Sums of linear algebra in one order, however many cores there are: its threads would divide them differently."""
    import scipy.linalg  # noqa: F401 - brings a library of its own, which the limit must find loaded
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(limits=1, user_api="blas"):
        yield


def _no_such_thing(check: Check, case: Case) -> tuple[NotPerformed, ...]:
    return tuple(
        NotPerformed(check=name, why=f"there is no such thing for a {case.task} model", applicable=False)
        for name, tasks in check.files.items()
        if case.task not in tasks
    )


def _left_out(check: Check, case: Case) -> str:
    """Why a check is not carried out on this case; "" where it is."""
    if check.thorough and case.spec.depth != "full":
        return "it belongs to the full assessment (assurance.depth: full)"
    if (check.needs_training or check.needs_teaching) and not case.knows_training:
        return "it compares with the rows the model learned from, which were not given"
    if check.needs_teaching and case.teach is None:
        return "it trains models like this one, and how this one is trained is not known here"
    return ""
