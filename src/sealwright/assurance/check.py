"""What a check is: one idea, the findings it may file, and for which tasks.

A check never stays silent: each name in `files` comes back as a finding or as not performed, or the
service refuses the check itself.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.modality import TABLE
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed

__all__ = ["ALL", "BINARY", "CLASSES", "MULTICLASS", "REGRESSION", "Check", "Outcome", "collected", "skipped"]

BINARY = frozenset({"binary"})
MULTICLASS = frozenset({"multiclass"})
CLASSES = BINARY | MULTICLASS
REGRESSION = frozenset({"regression"})
ALL = CLASSES | REGRESSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one check found."""

    findings: tuple[Finding, ...] = ()
    figures: tuple[Figure, ...] = ()
    not_performed: tuple[NotPerformed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: `run` gets a case and its own random generator, and is asked only for tasks it knows."""

    name: str  # seeds the generator, so a new check never changes an old one's numbers
    files: Mapping[str, frozenset[str]]  # check name of a finding -> tasks it exists for
    run: Callable[[Case, np.random.Generator], Outcome]
    needs_training: bool = False  # compares with the rows the model learned from, which may not be given
    needs_teaching: bool = False  # trains models like it, which takes knowing how (and the rows it learned from)
    thorough: bool = False  # takes minutes: carried out only at `assurance.depth: full`
    modality: str = TABLE  # what it was made for; those that run on whatever a row is stand in `modality`

    def applies(self, task: str) -> bool:
        return any(task in tasks for tasks in self.files.values())


def collected(items: Iterable[Finding | NotPerformed | Figure]) -> Outcome:
    """An outcome from findings, reasons and figures in any order."""
    every = tuple(items)
    return Outcome(
        findings=tuple(item for item in every if isinstance(item, Finding)),
        figures=tuple(item for item in every if isinstance(item, Figure)),
        not_performed=tuple(item for item in every if isinstance(item, NotPerformed)),
    )


def skipped(
    names: tuple[str, ...] | list[str], why: str, group: Group | None = None, *, applicable: bool = True
) -> Outcome:
    """None of `names` was performed, all for one reason; `applicable` is False where the model has no such thing."""
    skips = (NotPerformed(check=name, why=why, group=group, applicable=applicable) for name in names)
    return Outcome(not_performed=tuple(skips))
