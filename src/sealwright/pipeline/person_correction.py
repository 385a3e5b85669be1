"""Put right what is wrong about a person, in every snapshot that holds it (GDPR Article 16).

Answers: how are a person's cells changed everywhere, under the same contract as every other cell?
Does not answer: is the new value true. Whoever takes the request checks that.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from sealwright.data import Snapshot, Step, cast_cell, open_snapshot
from sealwright.kernel import InvalidInput, NotFound, Progress, silent
from sealwright.pipeline.data_retention import remove_left_behind
from sealwright.pipeline.person_search import FoundPerson, find_person
from sealwright.pipeline.rewriting import point_runs, refuse_held, replace_snapshot
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import raw_pseudonym

__all__ = ["check_correction", "correct_person"]

_NO_VALUE = "Say what is right: --set column=value, once for each column."


def check_correction(workspace: Workspace, found: FoundPerson, values: Mapping[str, str]) -> None:
    """Go on only if these values may stand in every snapshot that has rows of the person. Changes nothing, reads no row.

    Raises
    ------
    InvalidInput
        As `correct_person`.
    NotFound
        No snapshot has a row of theirs.
    """
    if not values:
        raise InvalidInput(_NO_VALUE)
    inside = [one for one in found.snapshots if one.rows]
    if not inside:
        raise NotFound(f"No snapshot of {found.project} has a row of this person, so there is nothing to correct.")
    for one in inside:
        _cells(
            open_snapshot(one.known.digest, snapshots=workspace.folder("snapshots"), trust_root=workspace.trust_root),
            values,
        )


def correct_person(
    workspace: Workspace,
    project: str,
    person: str,
    values: Mapping[str, str],
    *,
    by: str,
    found: FoundPerson | None = None,
    progress: Progress = silent,
) -> tuple[FoundPerson, dict[str, str]]:
    """Write new values into a person's rows of every snapshot; returns where they were, and old digest -> new digest.

    Parameters
    ----------
    values : mapping of column to text
        The right value as a data file would have it; the contract decides whether it may stand there.
    found : FoundPerson, optional
        What `find_person` gave a moment ago; left out: it is asked now.

    Raises
    ------
    InvalidInput
        No value, the identifier itself, an unknown column, or a value the contract refuses.
    Refused
        A legal hold stands. Nothing was changed.
    """
    if not values:
        raise InvalidInput(_NO_VALUE)
    found = found or find_person(workspace, project, person, by=by, purpose="correction")
    moved: dict[str, str] = {}
    inside = [one for one in found.snapshots if one.rows]
    refuse_held(workspace, project, found.subject, [one.known.digest for one in inside], undone="corrected")
    for place, one in enumerate(inside):
        progress(f"correcting snapshot {one.known.sequence}", place / len(inside))
        after = replace_snapshot(
            workspace,
            project,
            one.known.digest,
            lambda snapshot: _corrected(snapshot, raw_pseudonym(found.subject), values),
            subject=found.subject,
            action="data.corrected",
            purpose="correction",
            by=by,
        )
        if after is not None:
            moved[one.known.digest] = after
    point_runs(workspace, project, by=by)
    remove_left_behind(workspace, project, by=by, subject=found.subject)
    return found, moved


def _cells(snapshot: Snapshot, values: Mapping[str, str]) -> dict[str, Any]:
    """The values as cells of a snapshot's columns, where its contract lets them stand there."""
    columns = snapshot.signed.kept
    for column in values:
        if column not in columns:
            raise InvalidInput(f"The snapshot has no column {column!r}. It has: {', '.join(columns)}.")
        if column == snapshot.subject:
            raise InvalidInput(
                f"{column} names the person. To change it, erase this person and take in the right rows."
            )
    return {column: cast_cell(text, columns[column], column) for column, text in values.items()}


def _corrected(snapshot: Snapshot, name: bytes, values: Mapping[str, str]) -> Step:
    cells = _cells(snapshot, values)
    changed = dict.fromkeys(cells, 0)

    def change(table: Any, _before: int) -> Any:
        persons = np.array(snapshot.names_in(table)) == name
        for column, cell in cells.items():
            place = table.column_names.index(column)
            old = table.column(column).to_pylist()
            new = [cell if theirs else value for value, theirs in zip(old, persons, strict=True)]
            changed[column] += sum(one != other for one, other in zip(old, new, strict=True))
            field = table.schema.field(column)
            table = table.set_column(place, field, pa.array(new, field.type))
        return table

    return Step(
        kind="correct",
        change=change,
        changed=lambda parent, entry: bool(parent.persons_in(entry, [name]).any()),
        changes=changed,
        why="correction at the request of a person",
        withheld=dict(snapshot.signed.withheld),
    )
