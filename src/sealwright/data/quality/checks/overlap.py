"""Test rows that the model has seen in training: the same row, almost the same row, or the same person."""

import numpy as np
from numpy.typing import NDArray

from sealwright.data.quality.check import Asked, Check, Checked, not_performed
from sealwright.data.quality.checks.duplicates import keys_of
from sealwright.data.quality.collisions import collision_bits
from sealwright.data.quality.keys import Keys, value_keys
from sealwright.data.quality.model import Fault
from sealwright.data.quality.nearness import near_pairs

__all__ = ["CHECK", "seen_in"]

_HIGH = 0.01


def seen_in(test: Keys, training: Keys) -> NDArray[np.bool_]:
    """Which test rows also occur in the training rows: bool array, shape (test rows,)."""
    return np.isin(test, training)


def _run(asked: Asked) -> Checked:
    frame, test = asked.frame, asked.test_rows
    if test is None:
        return not_performed("the rows were not divided into training and test rows yet")
    if not test.any() or test.all():
        return not_performed("all rows are on one side")
    keys = keys_of(frame, list(frame.compared))
    places = np.flatnonzero(test)
    same = places[seen_in(keys[test], keys[~test])]
    pairs = near_pairs(frame, similar=asked.settings.similar_cells)
    across = test[pairs.one] != test[pairs.other]
    near = np.where(test[pairs.one], pairs.one, pairs.other)[across]
    near = np.setdiff1d(near, same)
    found = [_same_rows(asked, same, places.size)] if same.size else []
    if near.size:
        found.append(_near_rows(asked, near, places.size))
    found += _same_person(asked, test)
    return Checked(faults=tuple(found), note=f"near copies not looked for: {pairs.why_not}" if pairs.why_not else "")


def _same_rows(asked: Asked, rows: NDArray[np.int64], of: int) -> Fault:
    frame = asked.frame
    chance = of * (frame.rows - of) * 2.0 ** -collision_bits(frame, list(frame.compared)) >= rows.size
    return Fault(
        check="quality.train_test_overlap",
        severity="low" if chance else "high" if rows.size / of >= _HIGH else "medium",
        columns=(),
        rows=frame.named(rows, asked.settings.rows_named),
        count=int(rows.size),
        of=of,
        unit="rows",
        found=f"{rows.size:,} of {of:,} test rows also occur among the training rows, equal in every column but identifiers"
        + ("; the columns hold so little that as many may be equal by chance." if chance else "."),
        why="The model has seen the answer to these rows, so the test overstates how good it is.",
        todo="Drop copies before the split by a declared step (drop_duplicates).",
    )


def _near_rows(asked: Asked, rows: NDArray[np.int64], of: int) -> Fault:
    return Fault(
        check="quality.train_test_near_overlap",
        severity="high" if rows.size / of >= _HIGH else "medium",
        columns=(),
        rows=asked.frame.named(rows, asked.settings.rows_named),
        count=int(rows.size),
        of=of,
        unit="rows",
        found=f"{rows.size:,} of {of:,} test rows are almost equal to a training row, which chance does not explain.",
        why="The model has as good as seen these rows, so the test overstates how good it is.",
        todo="Drop near copies before the split by a declared step (drop_near_duplicates).",
    )


def _same_person(asked: Asked, test: NDArray[np.bool_]) -> list[Fault]:
    """Persons with rows on both sides."""
    frame = asked.frame
    subject = None if frame.spec is None else frame.spec.subject
    if subject is None:
        return []
    keys = value_keys(frame.table.column(subject))
    rows = np.flatnonzero(test)[seen_in(keys[test], keys[~test])]
    if not rows.size:
        return []
    return [
        Fault(
            check="quality.subject_overlap",
            severity="medium",
            columns=(subject,),
            rows=frame.named(rows, asked.settings.rows_named),
            count=int(rows.size),
            of=int(test.sum()),
            unit="rows",
            found=f"{rows.size:,} of {int(test.sum()):,} test rows are about persons who also have training rows.",
            why="The model may recognise the person instead of learning what holds for new ones.",
            todo="Keep all rows of one person on one side, or state that only known persons will be scored.",
        )
    ]


CHECK = Check(name="train_test_overlap", run=_run)
