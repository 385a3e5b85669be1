"""Killing serving processes at random moments, and what they answered before."""

import random
import time
from collections.abc import Callable
from typing import Any

from fire import Answered, Callers, Nursery

from sealwright.serving import Counting

_COUNTING = Counting(where="memory")  # places of one process: those a killed one held in a file stay taken for a while


def kill_again_and_again(
    nursery: Nursery, callers_of: Callable[[int, int], Callers], kills: int, chance: random.Random, **settings: Any
) -> list[Answered]:
    """Start a process, let three callers ask, kill it at a random moment; one in ten while it starts. What was answered."""
    answered: list[Answered] = []
    for _ in range(kills):
        process = nursery.start(counting=_COUNTING, **settings)
        if chance.random() < 0.1:
            time.sleep(chance.uniform(0.0, 0.1))
            process.kill()
            continue
        callers = callers_of(process.port(), 3)
        callers.until_answered(chance.randrange(60))
        time.sleep(chance.uniform(0.0, 0.003))
        process.kill()
        callers.end()
        if callers.refused:
            raise AssertionError(f"refused before it was killed: {callers.refused[:3]}")
        answered += callers.answered
    return answered
