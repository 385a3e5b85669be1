"""How a serving process ends that cannot go on: in good order where that is possible, and in any case.

Answers: what if it does not come to an end? Everything that was answered is on disk by then, so to end hard loses no decision.
Does not answer: who starts it again. Its supervisor does; the exit status says that it is needed.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

__all__ = ["LOST", "end_at_once", "end_in_time", "ender"]

LOST = 1
"""The exit status of a process that ended because it could not go on."""
_MARGIN_SECONDS = 3.0  # for the last entries, after the time for answers under way


def ender(drain_seconds: float) -> Callable[[bool], None]:
    """What ends this process: by SIGTERM to itself, so that answers under way are finished; at once where its main thread is held."""

    def end(held: bool) -> None:
        if held:
            end_at_once(LOST)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(drain_seconds + _MARGIN_SECONDS)
        end_at_once(LOST)

    return end


def end_in_time(drain_seconds: float) -> None:
    """From now on this process ends, whatever holds it: a thread that does not return, a disk that does not answer."""
    timer = threading.Timer(drain_seconds + _MARGIN_SECONDS, end_at_once, (LOST,))
    timer.daemon = True
    timer.start()


def end_at_once(status: int) -> NoReturn:
    """Without waiting for threads, one of which may never end."""
    try:
        sys.stderr.flush()
    finally:
        os._exit(status)
