"""Check the files of hours against the ledger they came from.

Answers: is every decision of the ledger in the file of its hour, as it was recorded, and nothing else?
Does not answer: is the ledger itself whole? `verify_ledger` says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from sealwright.evidence import verify_any
from sealwright.kernel import VerificationFailed
from sealwright.pipeline.by_name import project_named
from sealwright.pipeline.decision_hour_rows import HourRow, rows_of
from sealwright.pipeline.decision_hour_writing import Leaves
from sealwright.pipeline.decision_hours import HOUR_TYPE, Hour, hour_gone, hours_of
from sealwright.pipeline.desk import evidence_of
from sealwright.pipeline.permission import allow
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import decision_origin, leaf_of
from sealwright.trust import DECISIONS, SCORED, Ledger, LedgerEntry, Principal, RowTree, decision_detail, leaf_hash

__all__ = ["HoursChecked", "check_hour", "check_hours"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursChecked:
    """What was compared."""

    hours: int
    decisions: int
    erased: int  # whose content is gone, so that only their digests were compared
    disposed: int  # hours that were


def check_hours(workspace: Workspace, project: str, channel: str, *, by: Principal) -> HoursChecked:
    """Compare every hour of a channel with its ledger, entry by entry. Shows nobody what is in them.

    Raises
    ------
    PermissionDenied
        They may not see the project.
    VerificationFailed
        A manifest, a file or a row is not what the ledger says; `link` names the hour.
    """
    allow(workspace, by, "project.view", project_named(project))
    hours = hours_of(workspace, project, channel)
    ledger = workspace.folder("serving") / project / channel / "ledger"
    origin, keys = decision_origin(workspace.id, project, channel), workspace.trust_root.keys_of("decision-checkpoints")
    decisions = erased = 0
    _refuse_older(workspace, project, channel, hours)
    if not (ledger / "checkpoints.log").is_file():
        return HoursChecked(hours=0, decisions=0, erased=0, disposed=0)
    with Ledger.open(ledger, origin=origin, signer=None, keys=keys) as opened:
        entries = opened.entries(0)
        for hour in hours:
            seen, gone = check_hour(workspace, hour, entries)
            decisions, erased = decisions + seen, erased + gone
        for entry in entries:
            if entry.moved_to:
                raise hour_gone(entry)
    disposed = sum(hour.disposed for hour in hours)
    return HoursChecked(hours=len(hours), decisions=decisions, erased=erased, disposed=disposed)


def _refuse_older(workspace: Workspace, project: str, channel: str, hours: Sequence[Hour]) -> None:
    """Refuse hours that are not the newest that were put on file: what was erased since would be readable again."""
    newest: dict[int, tuple[int, str]] = {}
    for filed in evidence_of(workspace, look=True).statements.of_project(project, HOUR_TYPE):
        said = verify_any(filed.envelope, workspace.trust_root).predicate
        if said["channel"] == channel:
            newest[said["first"]] = max(newest.get(said["first"], (0, "")), (said["generation"], said["hour"]))
    there = {hour.first: hour.generation for hour in hours}
    for first, (generation, hour) in newest.items():
        if there.get(first, 0) < generation:
            raise VerificationFailed(
                f"The folder of the hour {hour} of {project}/{channel} is gone, or one from before something was erased "
                "was put back. Restore its newest one from a backup.",
                link=f"hours/{first:012}-{hour}-{generation:04}",
            )


def check_hour(workspace: Workspace, hour: Hour, entries: Iterator[LedgerEntry]) -> tuple[int, int]:
    """Read every decision of an hour's file, and compare it with the entries from `hour.first` on.

    Returns
    -------
    (int, int)
        Decisions, and how many of them were erased.

    Raises
    ------
    VerificationFailed
        The file does not open, or is not about what the ledger has there.
    """
    rows, leaves, seen, gone = rows_of(workspace, hour), Leaves(), 0, 0
    for _ in range(hour.first, hour.after):
        entry = next(entries, None)
        if entry is None:
            raise _differs(hour, "is about entries that the ledger does not have")
        if entry.action not in DECISIONS:
            continue
        leaves.add(entry.leaf)
        count = int(entry.detail["rows"]) if entry.action == SCORED else 1
        seen += count
        theirs = list(islice(rows, count))
        if not theirs and hour.disposed:
            continue
        agrees = _batch_agrees if entry.action == SCORED else _agrees
        if len(theirs) != count or not agrees(theirs, entry):
            raise _differs(hour, f"has something else for entry {entry.index}")
        gone += sum(row.record is None for row in theirs)
    if next(rows, None) is not None or seen != hour.rows or leaves.digest() != hour.leaves:
        raise _differs(hour, "has other decisions than the ledger")
    return seen, gone


def _batch_agrees(rows: Sequence[HourRow], entry: LedgerEntry) -> bool:
    """Whether these are all rows of a batch, those with content as they were recorded."""
    batch = entry.detail["batch"]
    for place, row in enumerate(rows):
        if (row.index, row.at, row.decision, row.package) != (entry.index, entry.at, f"{batch}_{place}", entry.subject):
            return False
        if row.record is not None and row.leaf != leaf_hash(leaf_of(row.record)):
            return False
    hashes = [row.leaf for row in rows if row.leaf is not None]
    if not hashes:  # the batch was erased as a whole
        return True
    return len(hashes) == len(rows) and RowTree(hashes).root == str(entry.detail["root"])


def _agrees(rows: Sequence[HourRow], entry: LedgerEntry) -> bool:
    (row,) = rows
    record = row.record
    if (row.index, row.at, row.decision, row.package) != (
        entry.index,
        entry.at,
        entry.detail["decision"],
        entry.subject,
    ):
        return False
    return record is None or entry.detail == decision_detail(
        decision=record.decision,
        model=record.project,
        request=record.request,
        answer=record.answer,
        salt=record.salt,
    )


def _differs(hour: Hour, how: str) -> VerificationFailed:
    return VerificationFailed(f"The file of the hour {hour.hour} {how}.", link=f"hours/{hour.name}")
