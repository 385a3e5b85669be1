"""Processes of this machine: started for one call, ended with it."""

import queue
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sealwright.engines.compute import Material, Started, Work, cores
from sealwright.engines.compute_child import Child, answer_of, in_memory
from sealwright.kernel import InvalidInput

__all__ = ["Processes"]


class Processes:
    """Workers that take the next job as soon as they are free.

    Parameters
    ----------
    workers : int, optional
        How many; left out: one for each core.
    """

    name = "processes"

    def __init__(self, workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise InvalidInput(f"There must be at least one worker; got {workers}.")
        self.workers = workers or cores()

    def map(
        self, work: Work, material: Material, jobs: Sequence[bytes], started: Started | None = None
    ) -> Iterator[tuple[int, bytes]]:
        if not jobs:
            return
        count = min(self.workers, len(jobs))
        with in_memory(material) as held:
            crew = _Crew(work.module, held, jobs, max(1, cores() // count))
            threads = [threading.Thread(target=crew.work, daemon=True) for _ in range(count)]
            for one in threads:
                one.start()
            try:
                yield from crew.answers(started)
            finally:
                crew.end()
                for one in threads:
                    one.join()


class _Crew:
    """Children, a thread for each, and what they say."""

    def __init__(self, module: str, held: Mapping[str, tuple[int, int]], jobs: Sequence[bytes], threads: int) -> None:
        self._module, self._held, self._threads = module, held, threads
        self._waiting = deque(enumerate(jobs))
        self._left = len(jobs)
        self._said: queue.SimpleQueue[tuple[str, int, Any]] = queue.SimpleQueue()
        self._children: list[Child] = []
        self._over = threading.Event()

    def work(self) -> None:
        """In a thread of its own: one child, job after job. The child lives no longer than the thread that started it."""
        try:
            child = Child(self._module, self._held, self._threads)
            self._children.append(child)  # before the look at `over`: `end` kills it, or it ends here
            try:
                while self._waiting and not self._over.is_set():
                    try:
                        position, job = self._waiting.popleft()
                    except IndexError:  # another was faster
                        break
                    self._said.put(("start", position, None))
                    self._said.put(("answer", position, child.ask(job)))
            finally:
                child.close()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self._said.put(("error", -1, error))

    def answers(self, started: Started | None) -> Iterator[tuple[int, bytes]]:
        while self._left:
            kind, position, value = self._said.get()
            if kind == "error":
                raise value
            if kind == "start":
                if started is not None:
                    started(position)
                continue
            self._left -= 1
            yield position, answer_of(*value)

    def end(self) -> None:
        self._over.set()
        self._waiting.clear()
        for child in list(self._children):
            child.kill()
