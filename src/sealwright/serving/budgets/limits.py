"""What a caller may use, as numbers. Nothing here counts.

A limit holds for each credential (one token, one API key) and for each principal, whoever its credentials speak for: many
keys, one budget. Both must allow a request.
"""

import math
from typing import Annotated

import msgspec
from msgspec import Meta

from sealwright.engines import Amount, Quota

__all__ = ["PER_CLIENT", "PER_PRINCIPAL", "BudgetLimits", "CallerLimits", "Level", "quota_of", "slice_of"]

_SLICES = 32  # of a burst; what a process holds ahead is at most what a caller cannot have elsewhere
_SLOT_SLICES = 8
_DAY_SLICES = 1000

_Rows = Annotated[int, Meta(ge=1, le=1_000_000_000_000)]


class Level(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One level's limits. Rows are what is paid: a request of 1000 rows costs 1000, and more with costly options."""

    rows_per_second: Annotated[float, Meta(ge=0.001, le=1_000_000_000)]  # that come back
    burst_rows: Annotated[int, Meta(ge=1, le=1_000_000_000)]  # at once, after a pause
    concurrent: Annotated[int, Meta(ge=1, le=1_000_000)]  # requests under way
    rows_per_day: _Rows  # from midnight to midnight, UTC
    different_rows_per_day: _Rows  # that this caller had not asked before


PER_CLIENT = Level(
    rows_per_second=10_000.0,
    burst_rows=20_000,
    concurrent=128,
    rows_per_day=50_000_000,
    different_rows_per_day=100_000,
)
PER_PRINCIPAL = Level(
    rows_per_second=10_000.0,
    burst_rows=20_000,
    concurrent=256,
    rows_per_day=50_000_000,
    different_rows_per_day=100_000,
)


class CallerLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Both levels of one caller."""

    per_client: Level = PER_CLIENT
    per_principal: Level = PER_PRINCIPAL


class BudgetLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everybody's limits, and those of callers with limits of their own, by subject."""

    everybody: CallerLimits = CallerLimits()
    callers: dict[str, CallerLimits] = {}

    def of(self, subject: str) -> CallerLimits:
        """The limits of one subject."""
        return self.callers.get(subject, self.everybody)


def quota_of(level: Level) -> Quota:
    """A level as the counters know it: rows are units, different rows are extras, requests under way are slots."""
    return Quota(
        per_second=level.rows_per_second,
        burst=level.burst_rows,
        units_a_day=level.rows_per_day,
        extras_a_day=level.different_rows_per_day,
        slots=level.concurrent,
    )


def slice_of(level: Level) -> Amount:
    """What a process draws ahead. The smaller, the less is kept from a caller who comes to another process."""
    return Amount(
        max(1, min(level.burst_rows // _SLICES, level.rows_per_day // _DAY_SLICES)),
        max(1, level.different_rows_per_day // _DAY_SLICES),
        max(1, math.ceil(level.concurrent / _SLOT_SLICES)),
    )
