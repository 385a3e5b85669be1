"""How each arm does: answers, failures, refusals and times, counted as they come, written to the ledger every few seconds.

A decision record exists only where there was an answer. That a model fails, or is slow, is seen here.
Times are counted in steps of a ninth, so that counts of many writings add up to percentiles.
"""

import math
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["COUNTS", "ArmCount", "ArmCounts", "milliseconds_of", "time_step"]

COUNTS = "rollout.counts"
"""The action of their entries in the decision ledger."""

_STEPS = 8  # to double a time
_Note = Callable[[str, str, Mapping[str, object]], None]


class _Arm(Protocol):
    """What is counted about: a model in service."""

    @property
    def arm(self) -> str: ...
    @property
    def package(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def sequence(self) -> int: ...


@dataclass(slots=True)
class ArmCount:
    """What one arm did under one pointer since the last writing."""

    answered: int = 0
    failed: int = 0  # the model failed
    refused: int = 0  # the request was outside this arm's contract
    left_out: int = 0  # of a shadow: what could not be copied to it
    times: Counter[int] = field(default_factory=Counter)  # answers by `time_step`

    def add(self, other: "ArmCount") -> None:
        self.answered += other.answered
        self.failed += other.failed
        self.refused += other.refused
        self.left_out += other.left_out
        self.times.update(other.times)

    def to_json(self) -> dict[str, Any]:
        counts = {name: getattr(self, name) for name in ("answered", "failed", "refused", "left_out")}
        return {**counts, "times": {str(step): count for step, count in sorted(self.times.items())}}

    @staticmethod
    def from_json(said: Mapping[str, Any]) -> "ArmCount":
        times = Counter({int(step): int(count) for step, count in said["times"].items()})
        return ArmCount(
            answered=int(said["answered"]),
            failed=int(said["failed"]),
            refused=int(said["refused"]),
            left_out=int(said["left_out"]),
            times=times,
        )


class ArmCounts:
    """Counts of one server. Safe to use from the event loop and from the thread of shadows."""

    def __init__(self, note: _Note) -> None:
        self._note, self._lock = note, threading.Lock()
        self._counts: dict[tuple[str, str, int, int], ArmCount] = {}

    def answered(self, arm: _Arm, seconds: float) -> None:
        with self._lock:
            count = self._of(arm)
            count.answered += 1
            count.times[time_step(seconds)] += 1

    def failed(self, arm: _Arm) -> None:
        with self._lock:
            self._of(arm).failed += 1

    def refused(self, arm: _Arm) -> None:
        with self._lock:
            self._of(arm).refused += 1

    def left_out(self, arm: _Arm, count: int = 1) -> None:
        with self._lock:
            self._of(arm).left_out += count

    def write(self) -> None:
        """One entry an arm. What could not be written is counted again for the next time.

        Raises
        ------
        NotRecorded
            The ledger could not take it.
        """
        with self._lock:
            found, self._counts = self._counts, {}
        try:
            for key, count in tuple(found.items()):
                arm, package, number, sequence = key
                detail = {"arm": arm, "number": number, "sequence": sequence, **count.to_json()}
                self._note(COUNTS, package, detail)
                del found[key]
        finally:
            with self._lock:
                for key, count in found.items():
                    self._counts.setdefault(key, ArmCount()).add(count)

    def _of(self, arm: _Arm) -> ArmCount:
        key = (arm.arm, arm.package, arm.number, arm.sequence)
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = ArmCount()
        return count


def time_step(seconds: float) -> int:
    """The step a time falls into: each is a ninth longer than the one before, from a microsecond on."""
    return int(_STEPS * math.log2(max(seconds * 1e6, 1.0)))


def milliseconds_of(step: int) -> float:
    """The longest time of a step."""
    return float(2 ** ((step + 1) / _STEPS) / 1e3)
