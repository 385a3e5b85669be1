"""What a draw on a shared counter does: the one place where amounts are reckoned, as `counters.lua` does it in Redis.

Pure but for the tally it is given. In force after every draw, whatever processes do:
tokens + units held <= burst; units drawn today, held ones included, <= units_a_day; slots held <= slots.
"""

from typing import NamedTuple

import msgspec

from sealwright.engines.counters import NOTHING, Amount, Ask, Grant, Quota, Short

__all__ = ["LEASE", "MARGIN", "UNDER_WAY", "Hold", "Moment", "Tally", "as_new", "draw"]

LEASE = 4.0  # seconds a process may spend what it drew
MARGIN = 1.0  # later it lapses here: a process stops before its share can be given to others
UNDER_WAY = 60.0  # later slots come back from a process that is silent: longer than a request takes
_SOON = 1.0  # seconds until slots are asked for again


class Moment(NamedTuple):
    """The time of whoever keeps the counters."""

    now: float  # seconds; goes on steadily
    day: int  # days since the epoch, UTC
    day_ends: float  # seconds until the next


class Hold(msgspec.Struct, array_like=True):
    """What one process drew."""

    holder: str
    units: int
    extras: int
    slots: int
    ends: float  # units and extras lapse: they count as spent
    slots_end: float
    number: int = 0  # of its last ask


class Tally(msgspec.Struct, array_like=True):
    """One counter."""

    tokens: float
    at: float  # when they were reckoned
    day: int
    units: int = 0  # drawn on that day
    extras: int = 0
    ends: float = 0.0  # as `Ask.ends`
    full_at: float = 0.0  # when the bucket is full again
    holds: list[Hold] = []


def draw(tally: Tally, ask: Ask, holder: str, moment: Moment, lease: float = LEASE) -> Grant:
    """Settle what `holder` had, and grant what there is, at most `ask.most`, for `lease` seconds."""
    _go_on(tally, ask.quota, moment)
    if any(one.holder == holder and one.number > ask.number for one in tally.holds):
        return _told(tally, ask.quota, moment, lease)  # it was overtaken, and nobody waits for an answer
    hold, kept = _settled(tally, ask, holder)
    quota, least, most = ask.quota, ask.least, ask.most
    there = Amount(
        max(0, min(int(tally.tokens), quota.units_a_day - tally.units)),
        max(0, quota.extras_a_day - tally.extras),
        max(0, quota.slots - sum(one.slots for one in tally.holds)),
    )
    short, wait = _short(tally, quota, least, there, moment)
    more = Amount(*(min(wanted, found) for wanted, found in zip(most, there, strict=True)))
    tally.tokens -= more.units
    tally.units += more.units
    tally.extras += more.extras
    hold.units, hold.extras, hold.slots = hold.units + more.units, hold.extras + more.extras, hold.slots + more.slots
    hold.ends, hold.slots_end, hold.number = moment.now + lease + MARGIN, moment.now + lease + UNDER_WAY, ask.number
    tally.holds = [one for one in tally.holds if one.units or one.extras or one.slots]
    tally.ends = ask.ends
    tally.full_at = moment.now + (quota.burst - tally.tokens) / quota.per_second
    grant = _told(tally, quota, moment, lease)
    return msgspec.structs.replace(grant, more=more, kept=kept, short=short, wait=wait)


def as_new(tally: Tally, moment: Moment, wall: float) -> bool:
    """Whether forgetting it gives nobody anything: unused today, full, nothing held; or nobody can ask for it again."""
    if tally.ends and wall > tally.ends:
        return True
    used = tally.day >= moment.day and (tally.units or tally.extras)
    held = any(one.slots_end > moment.now for one in tally.holds)
    return not used and not held and tally.full_at <= moment.now


def _go_on(tally: Tally, quota: Quota, moment: Moment) -> None:
    """To this moment. A clock that was set back adds nothing and gives no day again."""
    if moment.day > tally.day:
        tally.day, tally.units, tally.extras = moment.day, 0, 0
        for one in tally.holds:  # yesterday's: their holders have stopped at midnight
            one.units = one.extras = 0
    held = sum(one.units for one in tally.holds)
    came = max(0.0, moment.now - tally.at) * quota.per_second
    tally.tokens = max(0.0, min(quota.burst - held, tally.tokens + came))
    tally.at = moment.now
    for one in tally.holds:
        if one.ends <= moment.now:
            one.units = one.extras = 0
    tally.holds = [one for one in tally.holds if one.slots_end > moment.now and (one.units or one.extras or one.slots)]


def _settled(tally: Tally, ask: Ask, holder: str) -> tuple[Hold, bool]:
    """The hold of `holder`, with what it keeps, and whether that was still in force."""
    hold = next((one for one in tally.holds if one.holder == holder), None)
    if hold is None:
        hold = Hold(holder, 0, 0, 0, 0.0, 0.0)
        tally.holds.append(hold)
    kept = hold.units >= ask.left.units + ask.back.units and hold.extras >= ask.left.extras + ask.back.extras
    if kept:
        tally.tokens += ask.back.units
        tally.units -= ask.back.units
        tally.extras -= ask.back.extras
    hold.units, hold.extras = (ask.left.units, ask.left.extras) if kept else (0, 0)
    hold.slots = ask.left.slots
    return hold, kept


def _told(tally: Tally, quota: Quota, moment: Moment, lease: float) -> Grant:
    """What is left; nothing granted."""
    return Grant(
        more=NOTHING,
        kept=False,
        seconds=min(lease, moment.day_ends),
        units=int(tally.tokens),
        units_today=max(0, quota.units_a_day - tally.units),
        extras_today=max(0, quota.extras_a_day - tally.extras),
        day_ends=moment.day_ends,
    )


def _short(tally: Tally, quota: Quota, least: Amount, there: Amount, moment: Moment) -> tuple[Short, float]:
    """What there is too little of, and for how many seconds."""
    if least.slots > there.slots:
        return "slots", _SOON
    if least.units > quota.units_a_day - tally.units:
        return "day", moment.day_ends
    if least.extras > there.extras:
        return "extras", moment.day_ends
    if least.units > there.units:
        return "rate", max(0.001, (least.units - tally.tokens) / quota.per_second)
    return "", 0.0
