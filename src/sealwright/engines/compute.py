"""Independent jobs, carried out by whatever there is: this process, processes of this machine, a Ray cluster.

Answers: how do many jobs over the same material become answers, on more cores than one?
Does not answer: what a job is. Only bytes cross to another process; there, `python -m MODULE` makes sense of them. No
engine remembers anything: a lost worker is an error, and whoever asked decides what to ask again.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Compute", "Do", "Material", "Serial", "Started", "Work", "cores"]

Material = Mapping[str, bytes | memoryview]
"""What every job may look at, by name. It is brought to a machine once, and never changed."""

Do = Callable[[bytes], bytes]
"""One job in, its answer out."""

Started = Callable[[int], None]
"""Told the position of a job when it begins, in the caller's thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How jobs are done: by a function here, by a program of the same meaning elsewhere."""

    module: str  # `python -m module` calls `serve(prepare)` of engines.compute_child
    prepare: Callable[[Material], Do]  # called once for each worker, before its first job


class Compute(Protocol):
    """An engine. The same work, material and jobs give the same answers on every one."""

    @property
    def name(self) -> str:
        """serial, processes or ray."""

    @property
    def workers(self) -> int:
        """How many jobs are under way at once, at most."""

    def map(
        self, work: Work, material: Material, jobs: Sequence[bytes], started: Started | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """Positions and answers, each as soon as it is there; jobs begin in their order.

        Leaving the iteration early ends all workers. So does the first job that fails.

        Raises
        ------
        SealwrightError
            What a job refused, in the same words.
        OperationFailed
            A worker was lost, or a job failed in a way nobody foresaw.
        """


class Serial:
    """One job after the other, in this process."""

    name = "serial"
    workers = 1

    def map(
        self, work: Work, material: Material, jobs: Sequence[bytes], started: Started | None = None
    ) -> Iterator[tuple[int, bytes]]:
        if not jobs:
            return
        do = work.prepare(material)
        for position, job in enumerate(jobs):
            if started is not None:
                started(position)
            yield position, do(job)


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))
