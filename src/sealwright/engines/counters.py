"""Budgets that many processes share: each leases a little ahead of time, so that a request asks nobody.

Answers: how much of a budget may this process spend on its own in the next seconds?
Does not answer: whose budget it is, and what is paid with it.

A counter has a bucket of units that fills again with time, the units and extras drawn today (UTC), and slots for what is under
way. A process draws an amount, spends it, and reports what is left when it draws again. What stands in `counters_rules` keeps
two promises on every engine: together the processes never spend more than the quota, and a caller is kept from at most what
others hold ahead. A process that dies loses what it held: its units and extras count as spent, its slots come back later.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import msgspec

from sealwright.kernel import SealwrightError

__all__ = [
    "NOTHING",
    "SILENT_AFTER",
    "Amount",
    "Ask",
    "Counters",
    "CountersSilent",
    "Grant",
    "Quota",
    "Short",
]

SILENT_AFTER = 0.25  # seconds an engine waits for a file or a server

Short = Literal["", "slots", "day", "rate", "extras", "full"]
"""What there is too little of. "full": the engine keeps as many counters as it may, and this would be one more."""


class CountersSilent(SealwrightError):
    """The counters did not answer in time, or cannot be relied on. Nothing more may be spent than is held."""

    code = "counters.silent"
    status = 503


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """What a counter allows."""

    per_second: float  # units that come back
    burst: int  # units at once
    units_a_day: int
    extras_a_day: int
    slots: int  # under way at once


class Amount(NamedTuple):
    """Something drawn, held or left."""

    units: int = 0
    extras: int = 0
    slots: int = 0


NOTHING = Amount()


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A draw. What was held before is spent, unless it is `left` or comes `back`."""

    key: str
    quota: Quota
    left: Amount = NOTHING  # of what is held: kept. Slots: under way and free ones
    back: Amount = NOTHING  # of what is held: returned. Slots are returned by not being kept
    least: Amount = NOTHING  # on top of `left`, without which it is short
    most: Amount = NOTHING  # on top of `left`; less may be granted, also less than `least`
    number: int = 0  # grows with each ask of a holder: one that comes late, after a later one, changes nothing
    ends: float = 0.0  # seconds since the epoch after which nobody asks for this key again; 0: never


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What may be spent on top of what is left, and for how long."""

    more: Amount
    kept: bool  # False: what was left had lapsed and is void
    seconds: float  # from the moment it was asked for; units, extras and free slots lapse then
    units: int  # that nobody holds: in the bucket
    units_today: int
    extras_today: int
    day_ends: float  # seconds until midnight UTC
    short: Short = ""
    wait: float = 0.0  # seconds until it is worth asking again; 0 unless short


class Counters(Protocol):
    """Where counters are kept. Safe to use from many threads."""

    threads: int  # calls worth having under way at once; 0: it answers from memory and is called as it is

    def draw(self, asks: Sequence[Ask]) -> list[Grant]:
        """Draw on each counter, each draw as one indivisible step, in this order.

        Raises
        ------
        CountersSilent
            No answer in time. What was asked may have been drawn; whoever goes on with what it held before never spends too much.
        """

    def close(self) -> None:
        """Give files and connections back."""
