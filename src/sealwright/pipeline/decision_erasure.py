"""Take decision records out of where they lie: the files of their hours, and the ledger for hours that are not sealed yet.

Answers: how are the records of one person erased, and how does a whole hour end, so that what was signed can still be checked?
Does not answer: whose records, and may they go? `person_erasure` and `decision_retention` say so.

An hour is written anew as its next generation: the row of an erased decision keeps its entry and its id, and nothing else but
the hash by which other rows of its batch are proved.
Then the keys of the generation before are destroyed.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace

from sealwright.kernel import digest_of
from sealwright.pipeline.decision_hour_rows import every_row_of
from sealwright.pipeline.decision_hour_writing import Decided, put_in_place, write_hour
from sealwright.pipeline.decision_hours import Hour, hold_hours, hours_folder
from sealwright.pipeline.decision_sealing import channels_served, finish_hours, seal_so_far
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import decision_ledger_folder
from sealwright.trust import batch_of, erase_attachments

__all__ = ["end_hour", "erase_decisions", "finish_erasure"]


def erase_decisions(
    workspace: Workspace, project: str, channel: str, records: Collection[tuple[int, str]], *, by: str
) -> int:
    """Erase these records, wherever they lie; returns how many there still were.

    Parameters
    ----------
    records : collection of (int, str)
        The entry of each, and the id of its decision: the rows of a scored batch share an entry.

    Raises
    ------
    Conflict
        Another process changes the hours of this channel just now.
    NotFound, LedgerUnavailable
        As `erase_attachments`.
    """
    with hold_hours(hours_folder(workspace, project, channel)):
        hours = finish_hours(workspace, project, channel, by=by)
        sealed = hours[-1].after if hours else 0
        if any(index >= sealed and batch_of(name) for index, name in records):
            hours += seal_so_far(workspace, project, channel, by=by)
            sealed = hours[-1].after
        done = 0
        for hour in hours:
            inside = {one for one in records if hour.first <= one[0] < hour.after}
            if inside and hour.file:
                done += _rewrite(workspace, hour, inside)
        finish_hours(workspace, project, channel, by=by)
        left = {index for index, _ in records if index >= sealed}
        if left:
            done += erase_attachments(decision_ledger_folder(workspace.home, project, channel), left)
    return done


def finish_erasure(workspace: Workspace, project: str, *, by: str) -> None:
    """Destroy what an erasure that was cut off left in any channel: generations that were replaced, with their keys.

    Raises
    ------
    Conflict
        Another process changes the hours of a channel just now.
    """
    for channel in channels_served(workspace, project):
        place = hours_folder(workspace, project, channel)
        if place.is_dir():
            with hold_hours(place):
                finish_hours(workspace, project, channel, by=by)


def end_hour(workspace: Workspace, hour: Hour) -> None:
    """Leave of an hour only a manifest that says it was disposed of. Under `hold_hours`; `finish_hours` does the rest."""
    ended = replace(_next(hour), file="", size=0, disposed=True)
    draft = hour.folder.parent / f".draft-{ended.name}"
    draft.mkdir(mode=0o700)
    put_in_place(workspace, draft, ended)


def _rewrite(workspace: Workspace, hour: Hour, erased: Collection[tuple[int, str]]) -> int:
    """The hour without these records; how many of them there still were."""
    gone = sum((row.index, row.decision) in erased and row.record is not None for row in every_row_of(workspace, hour))
    if not gone:
        return 0

    def decided() -> Iterator[Decided]:
        for row in every_row_of(workspace, hour):
            record = None if (row.index, row.decision) in erased else row.record
            yield Decided(row.index, row.at, row.decision, row.package, record, row.shadow, row.leaf)

    write_hour(workspace, hour.folder.parent, _next(hour), decided())
    return gone


def _next(hour: Hour) -> Hour:
    return replace(hour, generation=hour.generation + 1, replaces=digest_of(hour.envelope))
