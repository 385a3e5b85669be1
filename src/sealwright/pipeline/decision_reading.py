"""Decisions for whoever analyses them: found by time, person, label and version, one after the other.

Answers: what was decided between these times, about this person, with this outcome?
Does not answer: is each one in the ledger? Its receipt, and `sealwright ledger verify`, say so.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sealwright.kernel import InvalidInput, NotFound
from sealwright.pipeline.by_name import data_of_project
from sealwright.pipeline.data_consent import name_in
from sealwright.pipeline.decision_hour_writing import outcome_of
from sealwright.pipeline.decision_records import (
    Record,
    RecordedAt,
    decision_records,
    newest_records,
    record_of,
)
from sealwright.pipeline.permission import allow
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import DecisionRecord
from sealwright.trust import Principal

__all__ = ["FoundDecision", "SoughtDecisions", "find_decision", "find_decisions", "find_newest_decisions"]

READ = "decisions.read"
_SHORTEST_REASON = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SoughtDecisions:
    """Which decisions are meant. What is left empty does not matter."""

    since: str = ""  # RFC 3339, from this time on; a beginning of one, such as "2026-11-27T06", does
    until: str = ""  # before this time
    channel: str = ""
    person: str = ""  # pseudonym
    label: str = ""
    number: int = 0  # of the version

    def fits(self, channel: str, where: RecordedAt, record: DecisionRecord) -> bool:
        if (self.channel and channel != self.channel) or (self.number and record.number != self.number):
            return False
        if where.at < self.since or (self.until and where.at >= self.until):
            return False
        if self.person and record.person != self.person:
            return False
        return not self.label or outcome_of(record.answer)[0] == self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDecision:
    """One decision with its content."""

    channel: str
    index: int
    at: str
    label: str | None
    score: float | None
    record: DecisionRecord

    def to_json(self, *, content: bool = True) -> dict[str, Any]:
        """`content`: with request and answer; bytes that are no text come as base64."""
        record = self.record
        value: dict[str, Any] = {
            "decision": record.decision,
            "at": self.at,
            "channel": self.channel,
            "entry": self.index,
            "version": record.number,
            "package": record.package,
            "protocol": record.protocol,
            "subject": record.subject,
            "person": record.person,
            "label": self.label,
            "score": self.score,
        }
        return {**value, "request": _text(record.request), "answer": _text(record.answer)} if content else value


def find_decisions(
    workspace: Workspace, project: str, sought: SoughtDecisions, *, by: Principal, reason: str
) -> Iterator[FoundDecision]:
    """The decisions that fit, channel by channel in their order, streamed. That somebody reads them is on record first.

    Parameters
    ----------
    sought : SoughtDecisions
        `person` may be an identifier, too; it is looked up as the pseudonym it is kept under.
    reason : str
        What for; goes into the ledger.

    Raises
    ------
    PermissionDenied
        They may not read the project's data in the clear.
    InvalidInput
        No reason was given.
    """
    allow(workspace, by, "data.read_clear", data_of_project(project))
    return _found(workspace, project, _on_record(workspace, project, sought, by, reason))


def find_newest_decisions(
    workspace: Workspace, project: str, sought: SoughtDecisions, most: int, *, by: Principal, reason: str
) -> list[FoundDecision]:
    """The newest of the decisions that fit, those first, at most so many. The rest as `find_decisions`."""
    allow(workspace, by, "data.read_clear", data_of_project(project))
    wanted = _on_record(workspace, project, sought, by, reason)
    records = newest_records(
        workspace, project, wanted.fits, most, channel=wanted.channel, since=wanted.since, until=wanted.until
    )
    return [_as_found(one) for one in records]


def _on_record(
    workspace: Workspace, project: str, sought: SoughtDecisions, reader: Principal, reason: str
) -> SoughtDecisions:
    """Put on record that somebody reads them; what is sought, with the person as they are kept."""
    words = " ".join(reason.split())
    if len(words) < _SHORTEST_REASON:
        raise InvalidInput("Say in a few words what you read the decisions for. It goes on record.")
    person = name_in(workspace, project, sought.person) if sought.person else ""
    detail = {"since": sought.since, "until": sought.until, "channel": sought.channel, "person": person}
    workspace.ledger.append(READ, project, detail, actor=reader.counts_as, words=words)
    return replace(sought, person=person)


def find_decision(workspace: Workspace, project: str, decision: str, *, by: Principal, reason: str) -> FoundDecision:
    """One decision by its id.

    Raises
    ------
    NotFound
        There is none with that id, or its record was erased or disposed of.
    PermissionDenied, InvalidInput
        As `find_decisions`.
    """
    allow(workspace, by, "data.read_clear", data_of_project(project))
    _on_record(workspace, project, SoughtDecisions(), by, reason)
    found = record_of(workspace, project, decision)
    if found is None:
        raise NotFound(
            f"There is no record of the decision {decision[:80]!r} in {project}. It may have been erased, or its time was over."
        )
    return _as_found(found)


def _found(workspace: Workspace, project: str, sought: SoughtDecisions) -> Iterator[FoundDecision]:
    for one in decision_records(workspace, project, channel=sought.channel, since=sought.since, until=sought.until):
        if sought.fits(*one):
            yield _as_found(one)


def _as_found(one: Record) -> FoundDecision:
    channel, where, record = one
    label, score = outcome_of(record.answer)
    return FoundDecision(channel=channel, index=where.index, at=where.at, label=label, score=score, record=record)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()
