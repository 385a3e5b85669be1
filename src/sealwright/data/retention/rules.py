"""Until when may something stay, and what is to happen to it today? Pure decisions.

Answers: is this past its limit, is it on hold, or does nobody know its limit? Nothing is ever silently fine.
Does not answer: how it is removed. That is `data.dispose_snapshot`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sealwright.data.basis import ColumnGroup
from sealwright.data.retention.holds import Hold
from sealwright.data.terms import add_span

__all__ = ["Judged", "Kind", "Stored", "Verdict", "judge", "limit_of", "past_limit"]

Kind = Literal["snapshot", "quarantine", "extract"]
Verdict = Literal["keep", "dispose", "held", "no_limit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Something that lies in the workspace and holds data about persons, or may."""

    kind: Kind
    digest: str  # "sha256:<hex>"; of a quarantine, that of its snapshot
    project: str
    stored_on: date  # the day it was made
    limit: date | None  # the last day it may stay; None: nobody said
    note: str = ""  # why there is no limit, where there is none
    models: tuple[str, ...] = ()  # registered versions made from it, as "project 3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is to happen to it. `held_by` are the ids of the holds that stand."""

    item: Stored
    verdict: Verdict
    days_left: int | None  # until its limit; negative past it
    held_by: tuple[str, ...] = ()

    @property
    def is_past(self) -> bool:
        """Past its limit, whether it is on hold or not."""
        return self.days_left is not None and self.days_left < 0


def limit_of(groups: Sequence[ColumnGroup], stored_on: date) -> tuple[date | None, str]:
    """The last day data may stay, and why there is none where there is none.

    Of several limits in one snapshot the earliest holds, since its columns lie in the same files.

    Parameters
    ----------
    groups : sequence of ColumnGroup
        From the basis statement of the snapshot.
    stored_on : date
        The day the snapshot was made.
    """
    limits: list[date] = []
    unknown: list[str] = []
    for group in groups:
        retention, source = group.ground.retention, group.ground.source
        if retention is None:
            unknown += group.columns
        elif retention.counts_from == "ingested":
            limits.append(add_span(stored_on, retention.keep))
        elif source is not None and source.collected_from is not None:
            limits.append(add_span(source.collected_from, retention.keep))
        else:
            unknown += group.columns
    if limits:
        return min(limits), ""
    more = f" and {len(unknown) - 3} more columns" if len(unknown) > 3 else ""
    return None, f"data.basis states no retention for {', '.join(unknown[:3])}{more}" if unknown else "no basis on file"


def judge(items: Iterable[Stored], holds: Sequence[Hold], today: date) -> list[Judged]:
    """What is to happen to each today, the most overdue first.

    Parameters
    ----------
    holds : sequence of Hold
        Those that stand; a hold on a project holds everything in it.
    """
    judged = [_judge(item, holds, today) for item in items]
    return sorted(judged, key=lambda one: (one.days_left is None, one.days_left or 0, one.item.digest))


def past_limit(judged: Iterable[Judged]) -> list[Judged]:
    """What control DG-08 finds: past its limit and not on hold, or without any limit. It must be nothing."""
    return [one for one in judged if one.verdict in {"dispose", "no_limit"}]


def _judge(item: Stored, holds: Sequence[Hold], today: date) -> Judged:
    held_by = tuple(hold.id for hold in holds if hold.covers(item.project, item.digest, today))
    if item.limit is None:
        return Judged(item=item, verdict="no_limit", days_left=None, held_by=held_by)
    days_left = (item.limit - today).days
    verdict: Verdict = "keep" if days_left >= 0 else "held" if held_by else "dispose"
    return Judged(item=item, verdict=verdict, days_left=days_left, held_by=held_by)
