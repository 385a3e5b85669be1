"""Which dataset is this? What links a snapshot to others that must draw on the same privacy budget.

Answers: is this the same people again: the same project, snapshot, source file or query, or one made from another?
Does not answer: do two tables with nothing of that in common hold the same rows? `fingerprint` looks at the rows.
"""

from collections.abc import Callable, Mapping

from sealwright.data.manifest import SNAPSHOT_TYPE, Manifest, read_manifest
from sealwright.kernel import VerificationFailed
from sealwright.trust import Statement

__all__ = ["lineage_of", "manifest_in", "marks_of"]


_WITH_A_FILE = {"append", "upsert"}


def lineage_of(snapshot: str, manifest_of: Callable[[str], Manifest]) -> dict[str, Manifest]:
    """A snapshot and everything it was made from, by digest.

    Parameters
    ----------
    manifest_of : callable
        From a digest to its verified manifest; raises where it cannot be had, so that a broken lineage releases nothing.
    """
    found: dict[str, Manifest] = {}
    waiting = [snapshot]
    while waiting:
        digest = waiting.pop()
        if digest not in found:
            found[digest] = manifest = manifest_of(digest)
            waiting += manifest.derivation.parents if manifest.derivation is not None else []
    return found


def marks_of(project: str, lineage: Mapping[str, Manifest]) -> tuple[str, ...]:
    """The marks of a snapshot: two snapshots that share one draw on one budget."""
    marks = {f"project/{project}"}
    for digest, manifest in lineage.items():
        marks |= {f"snapshot/{digest}", f"source/{manifest.source.digest}"}
        step = manifest.derivation
        if step is not None and step.kind in _WITH_A_FILE and step.recipe is not None:
            marks.add(f"source/{step.recipe}")  # the file that brought the rows
    return tuple(sorted(marks))


def manifest_in(statement: Statement, snapshot: str) -> Manifest:
    """The manifest in a verified statement about a snapshot.

    Raises
    ------
    VerificationFailed
        It is about something else.
    """
    if statement.predicate_type != SNAPSHOT_TYPE:
        raise VerificationFailed("This statement is not about a snapshot.", link="snapshot/statement")
    return read_manifest(statement.predicate, snapshot)
