"""Guessing is slowed down: a few tries are free, then each further one waits twice as long.

Answers: may this be tried now, and if not, when?
Does not answer: by whom? Callers choose the bucket: an address, an account, a known browser, a session.
Buckets are rows, so several processes share them. A try is counted before it is made, so that tries in parallel do not
slip through; what turns out right is given back.
"""

from dataclasses import dataclass

from sealwright.engines import Tx

__all__ = ["Limit", "give_back", "reset", "take", "waiting_ms"]

_MOST_LEVEL = 64.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`free` tries at once; one more for each `leak_ms`. Beyond: `first_ms`, doubled for each, up to `most_ms`."""

    free: int
    leak_ms: int
    first_ms: int
    most_ms: int

    def delay_ms(self, level: float) -> int:
        """How long after the last try the next may come, when `level` tries are in the bucket."""
        if level < self.free:
            return 0
        return min(self.most_ms, self.first_ms << int(level - self.free))


def take(tx: Tx, bucket: str, limit: Limit, now_ms: int) -> int:
    """Count one try; 0 if it may be made, else the milliseconds to wait, and nothing is counted.

    Parameters
    ----------
    bucket : str
        A keyed name, from `IdentityKeys.name`.
    """
    tx.hold_writers("identity_throttles")
    level, wait = _state(tx, bucket, limit, now_ms)
    if wait > 0:
        return wait
    _put(tx, bucket, min(level + 1, _MOST_LEVEL), now_ms)
    return 0


def waiting_ms(tx: Tx, bucket: str, limit: Limit, now_ms: int) -> int:
    """As `take`, without counting."""
    return _state(tx, bucket, limit, now_ms)[1]


def give_back(tx: Tx, bucket: str) -> None:
    """The try was right after all: it does not count."""
    tx.run("UPDATE identity_throttles SET level = level - 1 WHERE id = :id AND level >= 1", id=bucket)


def reset(tx: Tx, bucket: str) -> None:
    """Somebody proved themselves: what came before is forgiven."""
    tx.run("DELETE FROM identity_throttles WHERE id = :id", id=bucket)


def _state(tx: Tx, bucket: str, limit: Limit, now_ms: int) -> tuple[float, int]:
    """The level now, and how long until a try is allowed."""
    rows = tx.run("SELECT level, at_ms FROM identity_throttles WHERE id = :id", id=bucket)
    if not rows:
        return 0.0, 0
    passed = max(0, now_ms - int(rows[0]["at_ms"]))  # a clock set back frees nobody
    before = float(rows[0]["level"])
    level = max(0.0, before - passed / limit.leak_ms)
    return level, max(0, limit.delay_ms(before) - passed)


def _put(tx: Tx, bucket: str, level: float, now_ms: int) -> None:
    tx.run(
        "INSERT INTO identity_throttles (id, level, at_ms) VALUES (:id, :level, :at)"
        " ON CONFLICT (id) DO UPDATE SET level = :level, at_ms = :at",
        id=bucket,
        level=level,
        at=now_ms,
    )
