"""Decisions in a notebook: the verbs of `sealwright decisions`, on an object.

    decisions = ws.decisions("credit")
    decisions.list(since="2026-11-01", label="bad", reason="Weekly look at refusals")
    decisions.show("dec_...", reason="Complaint 71")

Who reads, and what for, is on record before the first decision is there, as in the terminal.
"""

import builtins
import sys
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, overload

from sealwright.doors.asked import moment_asked
from sealwright.kernel import InvalidInput, rfc3339, safe_html
from sealwright.pipeline import (
    FoundDecision,
    HoursChecked,
    HoursEnded,
    SoughtDecisions,
    Workspace,
    check_hours,
    end_old_decisions,
    find_decision,
    find_newest_decisions,
    keep_decisions,
    seal_decisions,
)
from sealwright.serving import ServingSpec
from sealwright.trust import Principal

__all__ = ["Decisions", "DecisionsFound"]

_COLUMNS = ("decision", "at", "channel", "version", "label", "score", "person")


class DecisionsFound(Sequence[FoundDecision]):
    """Decisions that were found. In a notebook: a table without what was asked and answered."""

    def __init__(self, found: Sequence[FoundDecision]) -> None:
        self._found = found

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, place: int) -> FoundDecision: ...
    @overload
    def __getitem__(self, place: slice) -> "DecisionsFound": ...
    def __getitem__(self, place: int | slice) -> "FoundDecision | DecisionsFound":
        return DecisionsFound(self._found[place]) if isinstance(place, slice) else self._found[place]

    def to_json(self, *, content: bool = False) -> builtins.list[dict[str, Any]]:
        """As `sealwright decisions list --json`; with `content`, as `export`."""
        return [one.to_json(content=content) for one in self._found]

    def __repr__(self) -> str:
        return f"<{len(self):,} decisions>"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
        rows = "".join(
            "<tr>" + "".join(f"<td>{safe_html(_cell(one[name]))}</td>" for name in _COLUMNS) + "</tr>"
            for one in self.to_json()
        )
        return f"<div><p>{len(self):,} decisions</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


class Decisions:
    """What was decided for one project."""

    def __init__(self, opened: Workspace, name: str, spec: ServingSpec, by: Callable[[], Principal]) -> None:
        self._opened, self._name, self._spec, self._by = opened, name, spec, by

    def list(
        self,
        *,
        reason: str,
        since: str | date | None = None,
        until: str | date | None = None,
        channel: str = "",
        person: str = "",
        label: str = "",
        version: int = 0,
        limit: int | None = 100,
    ) -> DecisionsFound:
        """Decisions that fit, the newest first.

        Parameters
        ----------
        since, until : str, date or datetime, optional
            From this time on, and before this one: a text as in the terminal, a day, which means its first moment in UTC,
            or a time that is aware of its zone.
        person : str
            Identifier or pseudonym.
        limit : int or None
            So many of the newest; None: all of them.

        Raises
        ------
        PermissionDenied
            You may not read the project's data: it takes a person who is enrolled.
        InvalidInput
            No reason was given, or a time or limit is none.
        """
        begin, end = moment_asked(since), moment_asked(until)
        if limit is not None and limit < 1:
            raise InvalidInput(f"A limit is at least 1, or None for all of them; got {limit}.")
        sought = SoughtDecisions(
            since=rfc3339(begin) if begin is not None else "",
            until=rfc3339(end) if end is not None else "",
            channel=channel,
            person=person,
            label=label,
            number=version,
        )
        most = sys.maxsize if limit is None else min(limit, sys.maxsize)
        return DecisionsFound(
            find_newest_decisions(self._opened, self._name, sought, most, by=self._by(), reason=reason)
        )

    def show(self, decision: str, *, reason: str) -> FoundDecision:
        """One decision by its id: who asked, what was asked, what was answered."""
        return find_decision(self._opened, self._name, decision, by=self._by(), reason=reason)

    def seal(self) -> builtins.list[dict[str, Any]]:
        """Seal every finished hour into an encrypted file; the control server does it by itself. Returns their manifests."""
        return [one.to_json() for one in seal_decisions(self._opened, self._name, by=self._by())]

    def keep(self, days: int | None = None) -> str:
        """Say for how many days records are kept; left out: as the project file says. Returns the statement's digest."""
        return keep_decisions(self._opened, self._name, self._days(days), by=self._by())

    def end(self, keep_days: int | None = None) -> HoursEnded:
        """Dispose of sealed hours that are older, unless a hold stands on them."""
        return end_old_decisions(self._opened, self._name, self._days(keep_days), by=self._by())

    def check(self, channel: str = "live") -> HoursChecked:
        """Compare the files of sealed hours with the ledger, decision by decision."""
        return check_hours(self._opened, self._name, channel, by=self._by())

    def _days(self, said: int | None) -> int:
        days = said or self._spec.keep_days
        if days is None:
            raise InvalidInput("Nobody said how long records are kept. Set serving.keep_days, or give the days.")
        return days

    def __repr__(self) -> str:
        return f"Decisions({self._name!r})"


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
