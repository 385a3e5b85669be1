"""What one process holds of one budget: drawn ahead, spent request by request, reported at the next draw."""

import itertools
import math

from sealwright.engines import NOTHING, Amount, Ask, Grant
from sealwright.serving.budgets.limits import Level, quota_of, slice_of
from sealwright.serving.budgets.reached import (
    DayReached,
    DifferentRowsReached,
    LevelName,
    LimitReached,
    RateReached,
    TooManyAtOnce,
)

__all__ = ["Purse"]

_REFUSALS: dict[str, tuple[type[LimitReached], int]] = {  # and which of the three amounts is short
    "slots": (TooManyAtOnce, 2),
    "day": (DayReached, 0),
    "rate": (RateReached, 0),
    "extras": (DifferentRowsReached, 1),
}
_ASKED_AGAIN = 0.25  # seconds a refusal is repeated without asking the counters
_NEVER = float("-inf")
_NUMBERS = itertools.count(1)  # of all asks of this process


class Purse:
    """One level of one caller, in one process. Times are of this process's steady clock."""

    __slots__ = (
        "_ends",
        "_short",
        "_shut_until",
        "_wait_until",
        "_wanted",
        "drawn",
        "extras",
        "form",
        "free",
        "held",
        "key",
        "level",
        "low",
        "policy",
        "quota",
        "rest",
        "slice",
        "units",
        "until",
        "used",
    )

    def __init__(self, key: str, name: LevelName, level: Level, ends: float) -> None:
        """`ends`: seconds since the epoch after which nobody asks for this key again, 0 if that is not known."""
        self.key, self.level, self.quota, self.slice, self._ends = key, name, quota_of(level), slice_of(level), ends
        self.low = self.slice.units // 4
        self.units = self.extras = self.free = self.held = 0  # held: slots, free ones and those under way
        self.drawn = _NEVER
        self.until = _NEVER  # then units, extras and free slots lapse
        self.used = False  # since the last draw
        self.rest, self.form = (
            0,
            b'"%b";r=%%d;t=1' % name.encode(),
        )  # rows nobody holds, and the RateLimit item to put the sum into
        self.policy = _policy(name, level)
        self._wanted = NOTHING
        self._short, self._shut_until, self._wait_until = "", _NEVER, _NEVER

    def has(self, need: Amount, now: float) -> bool:
        """Whether it can pay."""
        return self.units >= need.units and self.extras >= need.extras and self.free >= need.slots and now < self.until

    def pay(self, need: Amount) -> None:
        """Take it out; `has` was asked."""
        self.units, self.extras, self.free = self.units - need.units, self.extras - need.extras, self.free - need.slots
        self.used = True

    def refusal_known(self, need: Amount, now: float) -> LimitReached | None:
        """A refusal that the counters gave a moment ago to somebody who asked for no more."""
        if now < self._shut_until and self._short in _REFUSALS:
            short = _REFUSALS[self._short][1]
            if (self.units, self.extras, self.free)[short] < need[short] >= self._wanted[short]:
                return self._refusal(need, now)
        return None

    def ask(self, need: Amount, now: float) -> Ask:
        """Draw a slice and whatever `need` takes beyond it."""
        if now >= self.until:
            self.held -= self.free
            self.units = self.extras = self.free = 0
        self.used, self.drawn, self._wanted = False, now, need
        lacking = Amount(
            max(0, need.units - self.units), max(0, need.extras - self.extras), max(0, need.slots - self.free)
        )
        ahead = Amount(
            self.slice.units - self.units,
            (self.slice.extras if need.extras else 0) - self.extras,
            self.slice.slots - self.free,
        )
        most = Amount(*(max(least, wanted) for least, wanted in zip(lacking, ahead, strict=True)))
        return self._ask(NOTHING, lacking, most)

    def give_back(self, now: float) -> Ask:
        """Return everything but what is under way."""
        back = NOTHING if now >= self.until else Amount(self.units, self.extras)
        self.held -= self.free
        self.units = self.extras = self.free = 0
        self.until, self.drawn = _NEVER, now
        return self._ask(back, NOTHING, NOTHING)

    @property
    def empty(self) -> bool:
        """Whether it holds nothing."""
        return not (self.units or self.extras or self.held)

    def take(self, grant: Grant, sent: float) -> None:
        """Put in what was granted on a draw sent at `sent`. What was paid out of it in the meantime stays paid."""
        if not grant.kept:
            self.units = self.extras = 0
        more = grant.more
        self.units, self.extras = self.units + more.units, self.extras + more.extras
        self.free, self.held = self.free + more.slots, self.held + more.slots
        self.until = sent + grant.seconds
        self._tell(grant)
        self._short = grant.short
        self._shut_until = sent + min(grant.wait, _ASKED_AGAIN) if grant.short else _NEVER
        self._wait_until = sent + grant.wait

    def refusal(self, need: Amount, now: float) -> LimitReached | None:
        """What the last draw was short of."""
        return self._refusal(need, now) if self._short in _REFUSALS else None

    @property
    def full(self) -> bool:
        """Whether the counters have no room for it."""
        return self._short == "full"

    def _ask(self, back: Amount, least: Amount, most: Amount) -> Ask:
        left, number = Amount(self.units, self.extras, self.held), next(_NUMBERS)
        return Ask(
            key=self.key, quota=self.quota, left=left, back=back, least=least, most=most, number=number, ends=self._ends
        )

    def _refusal(self, need: Amount, now: float) -> LimitReached:
        wait = self._wait_until - now
        if self._short == "rate":
            wait += (need.units - self._wanted.units) / self.quota.per_second
        return _REFUSALS[self._short][0](self.level, wait)

    def _tell(self, grant: Grant) -> None:
        """Which of the two limits on rows is nearer."""
        if grant.units_today < grant.units:
            self.rest, self.form = grant.units_today, b'"%b-day";r=%%d;t=%d' % (self.level.encode(), grant.day_ends + 1)
        else:
            back = math.ceil((self.quota.burst - grant.units) / self.quota.per_second) or 1
            self.rest, self.form = grant.units, b'"%b";r=%%d;t=%d' % (self.level.encode(), back)


def _policy(name: LevelName, level: Level) -> bytes:
    """Its items of RateLimit-Policy."""
    window = max(1, math.ceil(level.burst_rows / level.rows_per_second))
    return f'"{name}";q={level.burst_rows};w={window};qu="rows", "{name}-day";q={level.rows_per_day};w=86400;qu="rows"'.encode()
