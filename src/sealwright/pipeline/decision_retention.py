"""How long decision records stay: whole hours end when their days are over and nobody holds them.

Answers: which hours are past `serving.keep_days`, which of those does a hold keep, and what is left of what went?
Does not answer: how long the law asks for. The project file says, and its owner answers for it.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sealwright.data.retention import Hold
from sealwright.kernel import InvalidInput
from sealwright.pipeline.by_name import data_of_project
from sealwright.pipeline.data_retention import holds_of
from sealwright.pipeline.decision_erasure import end_hour
from sealwright.pipeline.decision_hour_rows import rows_of
from sealwright.pipeline.decision_hours import Hour, hold_hours, hours_folder, hours_of
from sealwright.pipeline.decision_sealing import finish_hours
from sealwright.pipeline.permission import allow
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

__all__ = ["HoursEnded", "end_hours_before", "end_old_decisions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursEnded:
    """What went, and what a hold kept although its time has come."""

    ended: tuple[Hour, ...]
    held: tuple[tuple[Hour, str], ...]  # with the id of the hold

    def to_json(self) -> dict[str, Any]:
        return {
            "ended": [one.to_json() for one in self.ended],
            "held": [{"hour": one.hour, "channel": one.channel, "hold": hold} for one, hold in self.held],
        }


def end_old_decisions(workspace: Workspace, project: str, keep_days: int, *, by: Principal) -> HoursEnded:
    """Dispose of the sealed hours of a project that are older than `keep_days` days, with their keys.

    Hours that are not sealed yet stay; seal first. What lies in backups is not reached.

    Raises
    ------
    PermissionDenied
        They may not dispose of data there.
    Conflict
        Another process changes the hours just now.
    """
    if keep_days < 1:
        raise InvalidInput("Decision records are kept for at least one day.")
    allow(workspace, by, "data.dispose", data_of_project(project))
    return end_hours_before(workspace, project, keep_days, actor=by.counts_as)


def end_hours_before(workspace: Workspace, project: str, keep_days: int, *, actor: str) -> HoursEnded:
    """`end_old_decisions`, for whoever asked already; `actor` is "" for the system, which does what somebody said before."""
    last = workspace.clock().date() - timedelta(days=keep_days)
    holds = [one for one in holds_of(workspace).standing() if one.project == project]
    ended: list[Hour] = []
    held: list[tuple[Hour, str]] = []
    folder = workspace.folder("serving") / project
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not hours_folder(workspace, project, place.name).is_dir():
            continue
        with hold_hours(hours_folder(workspace, project, place.name)):
            finish_hours(workspace, project, place.name, by=actor)
            for hour in hours_of(workspace, project, place.name):
                if not hour.file or date.fromisoformat(hour.hour[:10]) >= last:
                    continue
                holding = _held_by(workspace, hour, holds)
                if holding:
                    held.append((hour, holding))
                else:
                    end_hour(workspace, hour)
                    ended.append(hour)
            finish_hours(workspace, project, place.name, by=actor)
    return HoursEnded(ended=tuple(ended), held=tuple(held))


def _held_by(workspace: Workspace, hour: Hour, holds: list[Hold]) -> str:
    """The id of a hold on the project, or on a person in this hour; "" where none stands."""
    persons = {one.target: one.id for one in holds if one.scope == "subject"}
    for one in holds:
        if one.scope == "project":
            return one.id
    if persons:
        for row in rows_of(workspace, hour):
            if row.record is not None and row.record.person in persons:
                return persons[row.record.person]
    return ""
