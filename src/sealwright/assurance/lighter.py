"""A case with less work for a check whose rows cost more than cells of a table: documents and images."""

from dataclasses import replace

from sealwright.assurance.case import Case

__all__ = ["lighter"]

_REPEATS = 2


def lighter(case: Case, rows: int) -> Case:
    """The same case with at most `rows` rows to disturb, each strength drawn twice."""
    budget = case.spec.budget
    less = budget.model_copy(
        update={"robustness_rows": min(rows, budget.robustness_rows), "repeats": min(_REPEATS, budget.repeats)}
    )
    return replace(case, spec=case.spec.model_copy(update={"budget": less}))
