"""Many checks on one case: here, or spread over workers; what is finished already is not done again.

Answers: in which order, where, and until when? The outcomes are the same whatever the answer, except that a budget of seconds
ends earlier on a slower machine.
Does not answer: what a check finds.

With `assurance.budget.queries` all checks are carried out here, one after the other: a count that several processes keep is one
that can be exceeded.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from sealwright.assurance.case import Case
from sealwright.assurance.check import Check
from sealwright.assurance.done import Done
from sealwright.assurance.one_check import in_one_order, left_undone, run_check
from sealwright.assurance.portable import Portable, material_of
from sealwright.engines import Compute, Work
from sealwright.kernel import InvalidInput, Progress

__all__ = ["Errand", "Kept", "Spread", "carry_out"]

_LOOK_AFTER = 3.0  # seconds of work here before it is asked whether the rest is worth workers
_START = 5.0  # seconds it must save: workers import and rebuild the case for about two, on a busy machine more
_HEAVY, _LIGHT = 30.0, 1.0  # how a thorough check compares with another, for the order only


class Kept(Protocol):
    """Outcomes of an assessment that is not complete, kept until it is."""

    def get(self, key: str) -> bytes | None:
        """What was put under `key`, unchanged; None where nothing was, or it cannot be trusted."""

    def put(self, key: str, data: bytes) -> None:
        """Keep it, complete or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Workers that may be used besides this process."""

    compute: Compute
    work: Work  # of which the case is the material, and each check a job
    when: Literal["worth it", "always"] = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """How the checks of one case are to be carried out."""

    case: Case
    groups: Sequence[str]
    progress: Progress
    now: Callable[[], float]  # seconds since 1970
    model: Portable | None = None  # None: it cannot leave this process
    spread: Spread | None = None
    kept: Kept | None = None
    key_of: Callable[[str], str] = str  # name of a check -> digest of all its outcome depends on

    @property
    def portable(self) -> bool:
        told = self.case.teach is None or self.case.teach.told is not None
        return self.model is not None and told and self.case.spec.budget.queries is None


def carry_out(errand: Errand, checks: Sequence[Check]) -> list[Done]:
    """What came of each check, in their order.

    Raises
    ------
    InvalidInput
        The budget of rows to ask for does not even cover the unchanged ones.
    """
    case, budget, begun = errand.case, errand.case.spec.budget, errand.now()
    until = None if budget.seconds is None else begun + budget.seconds
    done = _found(errand, checks)
    before = len(done)

    def tell(check: Check) -> None:
        suite, _, rest = check.name.partition(".")
        again = f" ({before} were done before)" if before else ""
        errand.progress(f"{suite}: {rest.replace('_', ' ')}{again}", len(done) / len(checks))

    def finish(place: int, found: Done | None) -> None:
        done[place] = found if found is not None else _too_late(checks[place], case)
        if found is not None and errand.kept is not None and not _cut_short(found):
            errand.kept.put(errand.key_of(checks[place].name), found.to_bytes())

    todo = [place for place in range(len(checks)) if place not in done]
    here = _here(errand, [checks[place] for place in todo], until, tell, done, begun)
    for position, found in here:
        finish(todo[position], found)
    rest = sorted((place for place in todo if place not in done), key=lambda place: -_weight(checks[place]))
    if rest:
        for position, found in _elsewhere(errand, [checks[place] for place in rest], until, tell):
            finish(rest[position], found)
    return [done[place] for place in range(len(checks))]


def _found(errand: Errand, checks: Sequence[Check]) -> dict[int, Done]:
    """Places of checks whose outcomes were kept."""
    found: dict[int, Done] = {}
    for place, check in enumerate(checks):
        data = errand.kept.get(errand.key_of(check.name)) if errand.kept is not None else None
        if data is not None:
            found[place] = Done.from_bytes(data)
    return found


def _here(
    errand: Errand,
    checks: Sequence[Check],
    until: float | None,
    tell: Callable[[Check], None],
    done: dict[int, Done],
    begun: float,
) -> Iterator[tuple[int, Done | None]]:
    """Carry out checks in this process, all of them, or until workers are worth their start."""
    left = _queries_left(errand.case, done)
    carried = 0.0
    with in_one_order():
        for position, check in enumerate(checks):
            if _goes_elsewhere(errand, checks[position:], errand.now() - begun, carried):
                return
            if until is not None and errand.now() > until:
                yield position, None
                continue
            tell(check)
            found = run_check(check, errand.case, left)
            left = None if left is None else max(0, left - found.queries)
            carried += _weight(check)
            yield position, found


def _goes_elsewhere(errand: Errand, rest: Sequence[Check], spent: float, carried: float) -> bool:
    """Whether the checks in `rest` go to workers, after `spent` seconds for a weight of `carried` here."""
    spread = errand.spread
    if spread is None or not errand.portable:
        return False
    if spread.when == "always":
        return True
    workers = min(spread.compute.workers, len(rest))
    weight = sum(map(_weight, rest))
    if workers < 2:
        return False
    if errand.case.spec.depth == "full" and any(check.thorough for check in rest):
        return True
    return spent > _LOOK_AFTER and carried > 0 and spent / carried * weight * (1 - 1 / workers) > _START


def _elsewhere(
    errand: Errand, checks: Sequence[Check], until: float | None, tell: Callable[[Check], None]
) -> Iterator[tuple[int, Done | None]]:
    """Carry out checks on workers."""
    spread, model = errand.spread, errand.model
    assert spread is not None
    assert model is not None
    jobs = [json.dumps({"check": check.name, "until": until}).encode() for check in checks]
    material = material_of(errand.case, model, errand.groups)
    for position, answer in spread.compute.map(spread.work, material, jobs, lambda place: tell(checks[place])):
        yield position, Done.from_bytes(answer) if answer else None


def _queries_left(case: Case, done: dict[int, Done]) -> int | None:
    """Rows the model may still be asked for; None: any number."""
    most = case.spec.budget.queries
    if most is None:
        return None
    unchanged = len(case.test) + (len(case.train) if case.knows_training else 0)
    if most < unchanged:
        raise InvalidInput(
            f"assurance.budget.queries is {most:,}, but the {unchanged:,} unchanged rows are asked for first.\n"
            "Allow more, or judge fewer rows with assurance.budget.rows."
        )
    return max(0, most - unchanged - sum(one.queries for one in done.values()))


def _too_late(check: Check, case: Case) -> Done:
    why = (
        f"the {case.spec.budget.seconds:,} seconds of assurance.budget.seconds were used up before it began;"
        " a faster machine, or more workers, would have come to it"
    )
    if not check.applies(case.task):
        why = ""
    return Done(outcome=left_undone(check, case, why), queries=0)


def _cut_short(found: Done) -> bool:
    """Whether a budget, and not the check, made this outcome."""
    return any("assurance.budget." in one.why for one in found.outcome.not_performed)


def _weight(check: Check) -> float:
    return _HEAVY if check.thorough else _LIGHT
