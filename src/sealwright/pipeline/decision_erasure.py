"""Take decision records out of where they lie: the files of their hours, and the ledger for hours that are not sealed yet.

Answers: how are the records of one person erased, and how does a whole hour end, so that what was signed can still be checked?
Does not answer: whose records, and may they go? `person_erasure` and `decision_retention` say so.

An hour is written anew as its next generation: the row of an erased decision keeps its entry and its id, and nothing else.
Then the keys of the generation before are destroyed.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace

from sealwright.kernel import digest_of
from sealwright.pipeline.decision_hour_writing import Decided, put_in_place, write_hour
from sealwright.pipeline.decision_hours import Hour, every_row_of, hold_hours, hours_folder
from sealwright.pipeline.decision_sealing import finish_hours
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import decision_ledger_folder
from sealwright.trust import erase_attachments

__all__ = ["end_hour", "erase_decisions"]


def erase_decisions(workspace: Workspace, project: str, channel: str, indexes: Collection[int], *, by: str) -> int:
    """Erase the records of these entries, wherever they lie; returns how many there still were.

    Raises
    ------
    Conflict
        Another process changes the hours of this channel just now.
    NotFound, LedgerUnavailable
        As `erase_attachments`.
    """
    wanted, done = set(indexes), 0
    with hold_hours(hours_folder(workspace, project, channel)):
        for hour in finish_hours(workspace, project, channel, by=by):
            inside = {index for index in wanted if hour.first <= index < hour.after}
            wanted -= inside
            if inside and hour.file:
                done += _rewrite(workspace, hour, inside)
        finish_hours(workspace, project, channel, by=by)
        if wanted:
            done += erase_attachments(decision_ledger_folder(workspace.home, project, channel), wanted)
    return done


def end_hour(workspace: Workspace, hour: Hour) -> None:
    """Leave of an hour only a manifest that says it was disposed of. Under `hold_hours`; `finish_hours` does the rest."""
    ended = replace(_next(hour), file="", size=0, disposed=True)
    draft = hour.folder.parent / f".draft-{ended.name}"
    draft.mkdir(mode=0o700)
    put_in_place(workspace, draft, ended)


def _rewrite(workspace: Workspace, hour: Hour, erased: Collection[int]) -> int:
    """The hour without these records; how many of them there still were."""
    gone = sum(row.index in erased and row.record is not None for row in every_row_of(workspace, hour))
    if not gone:
        return 0

    def decided() -> Iterator[Decided]:
        for row in every_row_of(workspace, hour):
            record = None if row.index in erased else row.record
            yield Decided(row.index, row.at, row.decision, row.package, record, row.shadow)

    write_hour(workspace, hour.folder.parent, _next(hour), decided())
    return gone


def _next(hour: Hour) -> Hour:
    return replace(hour, generation=hour.generation + 1, replaces=digest_of(hour.envelope))
