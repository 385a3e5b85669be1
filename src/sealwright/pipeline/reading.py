"""A person reads rows in one of their roles: they get the columns whose keys that role has, and it is on record.

Answers: which columns may this person see, and what for?
Does not answer: who wrote down what they saw. That the keys were unwrapped for them is in the ledger, before they were.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sealwright.data import READERS, DataClass
from sealwright.kernel import InvalidInput
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.permission import allow, proven_by_key
from sealwright.pipeline.project import Project
from sealwright.pipeline.snapshots import SnapshotIndex, opened
from sealwright.pipeline.version_facts import data_of
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Unlock, open_person

__all__ = ["Read", "read_rows"]

_SHORTEST_REASON = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read. `withheld` are the columns whose class the role has no key for."""

    snapshot: str
    table: Any  # pa.Table
    classes: tuple[DataClass, ...]
    withheld: tuple[str, ...]


def read_rows(
    workspace: Workspace,
    project: Project,
    *,
    person: str,
    role: str,
    unlock: Unlock,
    reason: str,
    columns: Sequence[str] | None = None,
) -> Read:
    """Read the newest snapshot of a project as a person in a role.

    Parameters
    ----------
    unlock : Unlock
        Opens the person's own key: a name alone reads nothing.
    columns : sequence of str, optional
        Left out: all columns the role may read.

    Raises
    ------
    NotFound
        No such person, or nothing was ingested.
    Refused
        Not in standing, not in that role, or a column is asked for whose class the role has no key for.
    InvalidInput
        No reason, or an unknown column.
    """
    words = " ".join(reason.split())
    if len(words) < _SHORTEST_REASON:
        raise InvalidInput("Say in a few words what you read it for. It goes on record.")
    desk = Desk(workspace, project)
    signer = open_person(workspace.folder("people"), person, unlock)
    allow(workspace, proven_by_key(workspace, signer), "data.read_clear", data_of(project), role=role)
    desk.evidence.people.refuse_unless_in_standing(person, signer.person.public.key_id, role, {}, project=project.name)
    classes = tuple((project.spec.data.readers or {}).get(role, READERS.get(role, ("public",))))
    known = SnapshotIndex(workspace.db).of_project(project.name)
    digest = known[-1].digest if known else desk.last().product("ingest")["snapshot"]
    snapshot = opened(workspace, digest, project.name, by=person, purpose=role, words=words, classes=classes)
    kept = snapshot.signed.kept
    layout = snapshot.signed.layout
    readable = [name for name in kept if (layout.sealed_class(name) or kept[name].data_class) in classes]
    wanted = list(columns) if columns is not None else readable
    if not wanted:
        raise InvalidInput(f"The role {role} has no key for any column of this data.")
    return Read(
        snapshot=digest,
        table=snapshot.read(wanted),
        classes=classes,
        withheld=tuple(name for name in kept if name not in readable),
    )
