"""Outcomes as somebody holds them: which task it is, which the classes are, and the truth as the suites read it.

Answers: what does the model say about itself, what do the outcomes look like, and do the two fit?
Does not answer: whether an outcome is right.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sealwright.assurance.elsewhere.given_model import classes_of, is_regressor
from sealwright.assurance.elsewhere.given_rows import arrow_column
from sealwright.assurance.interface import TASKS
from sealwright.assurance.spec import class_text
from sealwright.kernel import InvalidInput

__all__ = ["classes_named", "known_outcomes", "outcomes_of", "task_of"]

_MOST_CLASSES = 100
_FEW = 20  # a column of whole numbers with more values than this is a quantity, not a class


def outcomes_of(truth: Any, rows: int, what: str) -> pa.ChunkedArray:
    """The truth as one column, an outcome for each of `rows`."""
    column = arrow_column(truth, "The truth")
    if len(column) != rows:
        raise InvalidInput(f"There are {rows:,} {what} and {len(column):,} outcomes; there must be one for each row.")
    return column


def task_of(task: str | None, model: Any, outcomes: pa.ChunkedArray | None, named: Sequence[Any] | None) -> str:
    """The task: as said, as the model says, else what the outcomes look like. Without outcomes, classes tell it."""
    if task is not None:
        if task not in TASKS:
            raise InvalidInput(f"A task is one of {', '.join(TASKS)}; got {task!r}.")
        return task
    said = is_regressor(model)
    if outcomes is None:
        if said is True:
            return "regression"
        return "binary" if len(_own_names(model, named) or ()) == 2 else "multiclass"
    values = pc.unique(pc.drop_null(outcomes))
    fractions = pa.types.is_floating(values.type) and not pc.all(pc.equal(pc.floor(values), values)).as_py()
    many = len(values) > _FEW and (pa.types.is_floating(values.type) or pa.types.is_integer(values.type))
    if said is True or (said is None and (fractions or many)):
        return "regression"
    return "binary" if len(values) <= 2 else "multiclass"


def classes_named(
    task: str, model: Any, outcomes: pa.ChunkedArray | None, named: Sequence[Any] | None
) -> tuple[str, ...]:
    """The classes in the order of the model's answers; none for a regression."""
    if task == "regression":
        return ()
    own = _own_names(model, named)
    if own is None and outcomes is None:
        raise InvalidInput(
            "This model does not name its outcomes. Give them in the order of its answers, classes=[...], or rows with"
            " their outcomes, learned_from=(rows, truth), or task='regression' if it answers with a number."
        )
    if own is None:
        values = [one for one in pc.unique(pc.drop_null(outcomes)).to_pylist() if one is not None]
        own = [class_text(one) for one in sorted(values, key=lambda one: (str(type(one)), one))]
    if not 2 <= len(own) <= _MOST_CLASSES:
        raise InvalidInput(
            f"The truth has {len(own)} different outcomes; a {task} model is judged on 2 to {_MOST_CLASSES}.\n"
            "Give classes=[...] if some are not among these rows, or task='regression' if it is a number."
        )
    return tuple(own)


def known_outcomes(outcomes: pa.ChunkedArray, classes: tuple[str, ...]) -> pa.ChunkedArray | pa.Array:
    """Outcomes as they are judged: numbers, or texts that are classes."""
    missing = outcomes.null_count
    if missing:
        raise InvalidInput(f"{missing:,} of {len(outcomes):,} rows have no outcome; leave them out.")
    if not classes:
        return outcomes
    named = _named(outcomes)
    unknown = sorted(set(pc.unique(named).to_pylist()) - set(classes))
    if unknown:
        raise InvalidInput(
            f"The rows have the outcomes {', '.join(unknown[:20])}; the model knows {', '.join(classes[:20])}.\n"
            "They must be the same. If it names none, give them in the order of its answers: classes=[...]."
        )
    return named


def _own_names(model: Any, named: Sequence[Any] | None) -> list[str] | None:
    return [class_text(one) for one in named] if named is not None else classes_of(model)


def _named(outcomes: pa.ChunkedArray) -> pa.Array:
    """Outcomes as the texts classes have: 1.0 and 1 are one class."""
    encoded = outcomes.combine_chunks().dictionary_encode() if outcomes.num_chunks != 1 else outcomes.chunk(0)
    encoded = encoded if pa.types.is_dictionary(encoded.type) else encoded.dictionary_encode()
    names = [None if one is None else class_text(one) for one in encoded.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(encoded.indices)
