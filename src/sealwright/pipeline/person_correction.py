"""Put right what is wrong about a person, in every snapshot that holds it (GDPR Article 16).

Answers: how are a person's cells changed everywhere, under the same contract as every other cell?
Does not answer: is the new value true. Whoever takes the request checks that.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from sealwright.data import Snapshot, Step, cast_cell
from sealwright.kernel import InvalidInput, Progress, silent
from sealwright.pipeline.person_search import FoundPerson, find_person
from sealwright.pipeline.rewriting import point_runs, replace_snapshot
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import raw_pseudonym

__all__ = ["correct_person"]


def correct_person(
    workspace: Workspace,
    project: str,
    person: str,
    values: Mapping[str, str],
    *,
    by: str,
    progress: Progress = silent,
) -> tuple[FoundPerson, dict[str, str]]:
    """Write new values into a person's rows of every snapshot; returns where they were, and old digest -> new digest.

    Parameters
    ----------
    values : mapping of column to text
        The right value as a data file would have it; the contract decides whether it may stand there.

    Raises
    ------
    InvalidInput
        No value, the identifier itself, an unknown column, or a value the contract refuses.
    """
    if not values:
        raise InvalidInput("Say what is right: --set column=value, once for each column.")
    found = find_person(workspace, project, person, by=by, purpose="correction")
    moved: dict[str, str] = {}
    inside = [one for one in found.snapshots if one.rows]
    for place, one in enumerate(inside):
        progress(f"correcting snapshot {one.known.sequence}", place / len(inside))
        after = replace_snapshot(
            workspace,
            project,
            one.known.digest,
            lambda snapshot: _corrected(snapshot, raw_pseudonym(found.subject), values),
            action="data.corrected",
            purpose="correction",
            by=by,
        )
        if after is not None:
            moved[one.known.digest] = after
    point_runs(workspace, project, moved, by=by)
    return found, moved


def _corrected(snapshot: Snapshot, name: bytes, values: Mapping[str, str]) -> Step:
    columns = snapshot.signed.kept
    for column in values:
        if column not in columns:
            raise InvalidInput(f"The snapshot has no column {column!r}. It has: {', '.join(columns)}.")
        if column == snapshot.subject:
            raise InvalidInput(
                f"{column} names the person. To change it, erase this person and take in the right rows."
            )
    cells = {column: cast_cell(text, columns[column], column) for column, text in values.items()}
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
