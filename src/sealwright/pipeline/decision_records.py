"""The decision records of a project, from the files of finished hours and the ledgers its servers write, beside servers that run.

Answers: what was decided, channel by channel, as it was sealed?
Does not answer: about whom. `person_search` looks for one person, `person_signals` for those whose browser asked.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sealwright.pipeline.decision_hours import count_hours, hour_gone, hours_of, rows_of, shadow_rows_of
from sealwright.pipeline.decision_sealing import channels_served, open_channel
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import (
    DECISION_KEY_PURPOSE,
    SHADOW,
    DecisionRecord,
    ShadowRecord,
    read_decisions,
    read_shadow,
)
from sealwright.trust import DECISIONS

__all__ = ["RecordedAt", "decision_records", "shadow_records", "shadows_of"]


@dataclass(frozen=True, slots=True)
class RecordedAt:
    """Where in the ledger of its channel a decision is recorded, and when it was. The rows of a scored batch share an entry."""

    index: int
    at: str  # RFC 3339


def decision_records(
    workspace: Workspace, project: str, *, start: Mapping[str, int] = MappingProxyType({}), channel: str = ""
) -> Iterator[tuple[str, RecordedAt, DecisionRecord]]:
    """Every decision record of a project that was not erased: channel, place in its ledger, record.

    Parameters
    ----------
    start : mapping of channel to int, optional
        How many entries of its ledger to pass over. A ledger that is shorter came from a backup and is read whole.
    channel : str
        Only this one; left out: all of them.

    Raises
    ------
    VerificationFailed
        A record, or the file of an hour, is not what was signed.
    """
    for place in channels_served(workspace, project):
        if channel in {"", place}:
            for where, record in _of_channel(workspace, project, place, start.get(place, 0)):
                yield place, where, record


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


def _shadows(
    workspace: Workspace, project: str, decisions: Container[str]
) -> Iterator[tuple[str, RecordedAt, ShadowRecord]]:
    for channel in channels_served(workspace, project):
        for where, record in _of_channel(workspace, project, channel, 0, shadows=True):
            if record.decision in decisions:
                yield channel, where, record


def _of_channel(
    workspace: Workspace, project: str, channel: str, passed: int, *, shadows: bool = False
) -> Iterator[tuple[RecordedAt, Any]]:
    """The records of decisions, or of their shadows, from entry `passed` on."""
    keys = workspace.keyring.keys("decisions", DECISION_KEY_PURPOSE)
    rows, actions = (shadow_rows_of, {SHADOW}) if shadows else (rows_of, DECISIONS)
    with open_channel(workspace, project, channel) as opened:
        at = passed if passed <= opened.size else 0
        while True:
            hours = hours_of(workspace, project, channel)
            for hour in hours:
                for row in rows(workspace, hour) if hour.after > at else ():
                    if row.record is not None and row.index >= at:
                        yield RecordedAt(row.index, row.at), row.record
                at = max(at, hour.after)
            for entry in opened.entries(at):
                if entry.action in actions and entry.attachment is not None:
                    for record in [read_shadow(entry, *keys)] if shadows else read_decisions(entry, *keys):
                        yield RecordedAt(entry.index, entry.at), record
                elif entry.moved_to:
                    if count_hours(workspace, project, channel) == len(hours):
                        raise hour_gone(entry)
                    break  # its hour was sealed meanwhile
                at = entry.index + 1
            else:
                return
