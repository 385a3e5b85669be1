"""Requests whose answer has to wait for somebody else, answered beside the others: those that wait for the same, in order.

Answers: how does one device that is slow or down keep no other request waiting?
Does not answer: which request belongs in which lane (`service.lane_of`), nor who is told (`server`).
"""

import contextlib
import os
import queue
import threading
from dataclasses import dataclass
from typing import Generic, TypeVar

from sealwright.trust.signing.messages import Reply
from sealwright.trust.signing.service import Asked, Door, SigningService

__all__ = ["Lanes"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[_T]):
    """A request, whose it is, and what it occupies."""

    whose: _T
    door: Door
    asked: Asked
    size: int


class Lanes(Generic[_T]):
    """A thread for each lane, begun when it is first needed. Everything but the threads' work is for one thread."""

    def __init__(self, service: SigningService) -> None:
        self._service = service
        self._lanes: dict[str, queue.SimpleQueue[_Waiting[_T]]] = {}
        self._done: queue.SimpleQueue[tuple[_Waiting[_T], Reply]] = queue.SimpleQueue()
        self.bell, self._rope = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.bytes = self.waiting = 0  # size and number of requests that wait

    def put(self, lane: str, whose: _T, door: Door, asked: Asked, size: int) -> None:
        """Have a request answered; `bell` becomes readable when it is."""
        if lane not in self._lanes:
            self._lanes[lane] = queue.SimpleQueue()
            own = self._service.beside()
            threading.Thread(target=self._work, args=(self._lanes[lane], own), name="lane", daemon=True).start()
        self.bytes, self.waiting = self.bytes + size, self.waiting + 1
        self._lanes[lane].put(_Waiting(whose, door, asked, size))

    def answered(self) -> list[tuple[_T, Reply]]:
        """Whose requests were answered since the last look, and how."""
        found: list[tuple[_T, Reply]] = []
        try:
            os.read(self.bell, 4096)
        except BlockingIOError:
            return found
        while not self._done.empty():
            one, reply = self._done.get()
            self.bytes, self.waiting = self.bytes - one.size, self.waiting - 1
            found.append((one.whose, reply))
        return found

    def _work(self, lane: "queue.SimpleQueue[_Waiting[_T]]", service: SigningService) -> None:
        while True:
            one = lane.get()
            self._done.put((one, service.answer(one.door, one.asked)))
            with contextlib.suppress(BlockingIOError):  # it rings already
                os.write(self._rope, b"\1")
