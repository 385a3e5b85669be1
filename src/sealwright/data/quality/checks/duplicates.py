"""Rows that repeat an earlier row, keys that occur twice, and equal rows with different outcomes."""

import numpy as np
from numpy.typing import NDArray

from sealwright.data.quality.check import Asked, Check, Checked
from sealwright.data.quality.collisions import collision_bits
from sealwright.data.quality.frame import Frame
from sealwright.data.quality.keys import Keys, mixed, repeats_of, value_keys
from sealwright.data.quality.model import Fault

__all__ = ["CHECK", "keys_of"]

_NAME = "quality.exact_duplicates"
_HIGH = 0.01
_ALMOST_KEY = 0.9


def _run(asked: Asked) -> Checked:
    frame = asked.frame
    of_features = keys_of(frame, [name for name in frame.compared if name != frame.target])
    keys = of_features if frame.target is None else mixed(of_features ^ value_keys(frame.table.column(frame.target)))
    again = repeats_of(keys)
    found = []
    if again.any():
        found.append(_copies(asked, again))
    if frame.target is not None and frame.task != "regression":
        found += _contradictions(asked, of_features, keys)
    found += _repeated_keys(asked)
    return Checked(faults=tuple(found))


def keys_of(frame: Frame, names: list[str]) -> Keys:
    """A key per row over some columns."""
    keys = np.zeros(frame.rows, dtype=np.uint64)
    for name in sorted(names):
        keys = mixed(keys ^ value_keys(frame.table.column(name)))
    return keys


def _copies(asked: Asked, again: NDArray[np.bool_]) -> Fault:
    count, rows = int(again.sum()), asked.frame.rows
    pairs = rows * (rows - 1) / 2 * 2.0 ** -collision_bits(asked.frame, list(asked.frame.compared))
    by_chance = pairs >= count  # so few different values that equal rows are no surprise
    return Fault(
        check=_NAME,
        severity="low" if by_chance else "high" if count / rows >= _HIGH else "medium",
        columns=(),
        rows=asked.frame.named(again, asked.settings.rows_named),
        count=count,
        of=rows,
        unit="rows",
        found=f"{count:,} of {rows:,} rows repeat an earlier row in every column but the identifiers"
        + ("; the columns hold so little that as many may be equal by chance." if by_chance else "."),
        why="A repeated row counts twice in training, and if one copy lands in the test rows, the test is too kind.",
        todo="Find out whether rows were loaded twice; drop copies by a declared step (drop_duplicates).",
    )


def _contradictions(asked: Asked, of_features: Keys, keys: Keys) -> list[Fault]:
    """Rows equal in all features, in different classes."""
    frame = asked.frame
    order = np.argsort(of_features, kind="stable")
    same = of_features[order[1:]] == of_features[order[:-1]]
    other = same & (keys[order[1:]] != keys[order[:-1]])
    if not other.any():
        return []
    rows = np.unique(np.concatenate([order[1:][other], order[:-1][other]]))
    bits = collision_bits(frame, [name for name in frame.compared if name != frame.target])
    by_chance = frame.rows**2 / 2 * 2.0**-bits >= other.sum()
    return [
        Fault(
            check="quality.contradictions",
            severity="low" if by_chance else "medium",
            columns=() if frame.target is None else (frame.target,),
            rows=frame.named(rows, asked.settings.rows_named),
            count=int(rows.size),
            of=frame.rows,
            unit="rows",
            found=f"{rows.size:,} rows are equal to another row in every feature but have another outcome.",
            why="No model can get both right; often one of the outcomes was recorded wrongly.",
            todo="Compare the outcomes of these rows with their source, or add the feature that tells them apart.",
        )
    ]


def _repeated_keys(asked: Asked) -> list[Fault]:
    """Identifiers that are different in almost every row, but not in all."""
    frame, found = asked.frame, []
    for name, column in frame.columns.items():
        if column.role != "identifier" or (frame.spec is not None and name == frame.spec.subject):
            continue
        present = frame.rows - frame.missing(name)
        copies = present - frame.distinct(name)
        if copies and copies <= (1 - _ALMOST_KEY) * present:
            found.append(_repeated_key(asked, name, _again(frame, name), present))
    return found


def _again(frame: Frame, name: str) -> NDArray[np.int64]:
    """Places of identifiers that an earlier row has, too."""
    codes = frame.table.column(name).combine_chunks().dictionary_encode().indices
    present = np.flatnonzero(~frame.is_missing(name))
    keys = codes.drop_null().to_numpy(zero_copy_only=False).astype(np.uint64)
    return np.asarray(present[repeats_of(keys)])


def _repeated_key(asked: Asked, name: str, again: NDArray[np.int64], present: int) -> Fault:
    return Fault(
        check="quality.repeated_identifiers",
        severity="medium",
        columns=(name,),
        rows=asked.frame.named(again, asked.settings.rows_named),
        count=int(again.size),
        of=present,
        unit="cells",
        found=f"{again.size:,} identifiers occur in an earlier row, though almost all occur once.",
        why="Two rows with one key are one case recorded twice, or two cases mixed up.",
        todo="Compare these rows with their source; if one person has several rows, name the column as data.subject.",
    )


CHECK = Check(name="exact_duplicates", run=_run)
