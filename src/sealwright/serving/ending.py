"""How a serving process ends that cannot go on: in good order where that is possible, and in any case.

Answers: what if it does not come to an end? Everything that was answered is on disk by then, so to end hard loses no decision.
Does not answer: who starts it again. Its supervisor does; the exit status says that it is needed.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

from sealwright.serving.transport.events import EventLog

__all__ = ["LOST", "Ending", "end_at_once", "end_in_time", "ender"]

LOST = 1
"""The exit status of a process that ended because it could not go on."""
_MARGIN_SECONDS = 3.0  # for the last entries, after the time for answers under way


class Ending:
    """The end of a process that cannot go on: told, in good order, and with a status by which it is started again."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.lost = False
        self.begun = False  # it stops already, for whatever reason

    def begin(self, event: str) -> None:
        """Stop as by SIGTERM. From whatever thread; once."""
        if not self.lost:
            self.lost = True
            self._log.tell(event)
            if not self.begun:
                os.kill(os.getpid(), signal.SIGTERM)

    async def unless_it_fails(self, work: Callable[..., Awaitable[None]], *given: object) -> None:
        """What runs as long as the server does. A fault in it that nobody foresaw ends the process: without it, nothing here is true for long."""
        try:
            await work(*given)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end unseen
            self._log.fault("beside", error)
            self.begin("task_ended")


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
