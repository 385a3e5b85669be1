"""The decision records of a project, from the files of finished hours and the ledgers its servers write, beside servers that run.

Answers: what was decided, channel by channel, as it was sealed?
Does not answer: about whom. `person_search` looks for one person, `person_signals` for those whose browser asked.
"""

from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sealwright.pipeline.decision_hour_rows import holds_decision, rows_of, shadow_rows_of
from sealwright.pipeline.decision_hours import Hour, count_hours, hour_gone, hours_backwards, hours_of
from sealwright.pipeline.decision_sealing import channels_served, open_channel
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import (
    DECISION_KEY_PURPOSE,
    SHADOW,
    DecisionRecord,
    ShadowRecord,
    read_decisions,
    read_shadow,
    scored_channel,
)
from sealwright.trust import DECISIONS, Ledger, batch_of

__all__ = [
    "RecordedAt",
    "channel_shadows",
    "decision_records",
    "newest_records",
    "record_of",
    "shadow_records",
    "shadows_of",
]

Record = tuple[str, "RecordedAt", DecisionRecord]
"""A channel, the place in its ledger, and what is recorded there."""


@dataclass(frozen=True, slots=True)
class RecordedAt:
    """Where in the ledger of its channel a decision is recorded, and when it was. The rows of a scored batch share an entry."""

    index: int
    at: str  # RFC 3339


def decision_records(
    workspace: Workspace,
    project: str,
    *,
    start: Mapping[str, int] = MappingProxyType({}),
    channel: str = "",
    since: str = "",
    until: str = "",
) -> Iterator[Record]:
    """Every decision record of a project that was not erased: channel, place in its ledger, record.

    Parameters
    ----------
    start : mapping of channel to int, optional
        How many entries of its ledger to pass over. A ledger that is shorter came from a backup and is read whole.
    channel : str
        Only this one; left out: all of them.
    since, until : str
        RFC 3339, or the beginning of it. The files of hours outside are not opened; what else lies outside is not left out.

    Raises
    ------
    VerificationFailed
        A record, or the file of an hour, is not what was signed.
    """
    for place in _channels(workspace, project, channel):
        for where, record in _of_channel(workspace, project, place, start.get(place, 0), since=since, until=until):
            yield place, where, record


def newest_records(
    workspace: Workspace,
    project: str,
    fits: Callable[[str, RecordedAt, DecisionRecord], bool],
    most: int,
    *,
    channel: str = "",
    since: str = "",
    until: str = "",
) -> list[Record]:
    """Of the records that fit, the newest, those first; read no further back than that takes. The rest as `decision_records`."""
    found: list[Record] = []
    for place in _channels(workspace, project, channel):
        found += _newest_of(workspace, project, place, fits, most, lambda hour: not _outside(hour, since, until))
    return sorted(found, key=lambda one: (one[1].at, one[1].index))[::-1][:most]


def record_of(workspace: Workspace, project: str, decision: str) -> Record | None:
    """The record of one decision, looked for from now backwards; of an hour that does not have it, only ids are read.
    The rest as `decision_records`."""
    of_a_file = batch_of(decision) is not None
    for channel in channels_served(workspace, project):
        if of_a_file is not channel.endswith(scored_channel("")):
            continue
        found = _newest_of(
            workspace,
            project,
            channel,
            lambda _channel, _where, record: record.decision == decision,
            1,
            lambda hour: holds_decision(workspace, hour, decision),
        )
        if found:
            return found[0]
    return None


def _channels(workspace: Workspace, project: str, channel: str) -> list[str]:
    """This one, if it was served; all that were for ""."""
    return [one for one in channels_served(workspace, project) if channel in {"", one}]


def _newest_of(
    workspace: Workspace,
    project: str,
    channel: str,
    fits: Callable[[str, RecordedAt, DecisionRecord], bool],
    most: int,
    opens: Callable[[Hour], bool],
) -> Sequence[Record]:
    """The newest of one channel, in their order: what no hour's file has, and back through the hours worth opening."""

    def chosen(records: Iterator[tuple[RecordedAt, Any]], room: int) -> "deque[Record]":
        fitting = ((channel, where, record) for where, record in records if fits(channel, where, record))
        return deque(fitting, maxlen=room)

    with open_channel(workspace, project, channel) as opened:
        while True:
            count, hours = count_hours(workspace, project, channel), hours_backwards(workspace, project, channel)
            hour = next(hours, None)
            tail = _unsealed(workspace, project, channel, opened, hour.after if hour else 0, count)
            with suppress(_SealedMeanwhile):
                found = chosen(tail, most)
                while hour is not None and len(found) < most:
                    if opens(hour):
                        kept = (row for row in rows_of(workspace, hour) if row.record is not None)
                        older = ((RecordedAt(row.index, row.at), row.record) for row in kept)
                        found = deque([*chosen(older, most - len(found)), *found])
                    hour = next(hours, None) if len(found) < most else None
                return found


def shadows_of(workspace: Workspace, project: str, decisions: Container[str]) -> dict[str, list[tuple[int, str]]]:
    """Where shadows of these decisions are kept: by channel, entries of its ledger, and of which decision each is. They go when the
    decisions go."""
    found: dict[str, list[tuple[int, str]]] = {}
    for channel, where, record in _shadows(workspace, project, decisions):
        found.setdefault(channel, []).append((where.index, record.decision))
    return found


def shadow_records(workspace: Workspace, project: str, decisions: Container[str]) -> Iterator[ShadowRecord]:
    """What shadows would have said to these decisions."""
    for _, _, record in _shadows(workspace, project, decisions):
        yield record


def channel_shadows(
    workspace: Workspace, project: str, channel: str, *, start: int
) -> Iterator[tuple[RecordedAt, ShadowRecord]]:
    """What shadows would have said on one channel, in order, from entry `start` of its ledger on. Raises as `decision_records`."""
    return _of_channel(workspace, project, channel, start, shadows=True)


def _shadows(
    workspace: Workspace, project: str, decisions: Container[str]
) -> Iterator[tuple[str, RecordedAt, ShadowRecord]]:
    for channel in channels_served(workspace, project):
        for where, record in _of_channel(workspace, project, channel, 0, shadows=True):
            if record.decision in decisions:
                yield channel, where, record


def _of_channel(
    workspace: Workspace,
    project: str,
    channel: str,
    passed: int,
    *,
    shadows: bool = False,
    since: str = "",
    until: str = "",
) -> Iterator[tuple[RecordedAt, Any]]:
    """The records of decisions, or of their shadows, from entry `passed` on."""
    rows = shadow_rows_of if shadows else rows_of
    with open_channel(workspace, project, channel) as opened:
        at = passed if passed <= opened.size else 0
        while True:
            count = count_hours(workspace, project, channel)
            for hour in hours_of(workspace, project, channel, beyond=at):
                for row in rows(workspace, hour) if hour.after > at and not _outside(hour, since, until) else ():
                    if row.record is not None and row.index >= at:
                        yield RecordedAt(row.index, row.at), row.record
                at = max(at, hour.after)
            try:
                for where, record in _unsealed(workspace, project, channel, opened, at, count, shadows=shadows):
                    yield where, record
                    at = where.index + 1  # when the next one comes, all of its entry were told
            except _SealedMeanwhile:
                continue
            return


class _SealedMeanwhile(Exception):
    """What was about to be read lies in the file of an hour now."""


def _unsealed(
    workspace: Workspace,
    project: str,
    channel: str,
    opened: Ledger,
    at: int,
    hours: int,
    *,
    shadows: bool = False,
) -> Iterator[tuple[RecordedAt, Any]]:
    """The records that the ledger itself still has, from entry `at` on; `hours`: how many files of hours there were."""
    keys = workspace.keyring.keys("decisions", DECISION_KEY_PURPOSE)
    actions = {SHADOW} if shadows else DECISIONS
    for entry in opened.entries(at):
        if entry.action in actions and entry.attachment is not None:
            for record in [read_shadow(entry, *keys)] if shadows else read_decisions(entry, *keys):
                yield RecordedAt(entry.index, entry.at), record
        elif entry.moved_to:
            if count_hours(workspace, project, channel) == hours:
                raise hour_gone(entry)
            raise _SealedMeanwhile


def _outside(hour: Hour, since: str, until: str) -> bool:
    """Whether nothing of an hour lies between these times."""
    return f"{hour.hour}:59:59.999Z" < since or bool(until and f"{hour.hour}:00:00.000Z" >= until)
