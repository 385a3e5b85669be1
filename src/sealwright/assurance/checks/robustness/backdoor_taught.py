"""A search for a trigger by comparison: what does this model do that models trained like it do not?

A number of models is trained on nine tenths of the training rows each. For each stamp, the judged model's log-odds are
held against theirs, in their own spread. The largest distance is then ranked among those of the trained models, each held
against the others: a model without a backdoor is the strangest of m with a chance of at most 1 / (m + 1), about.

Finds a backdoor that the training rows do not contain: a model tampered with, or trained on rows nobody shows.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Outcome, collected
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series
from sealwright.assurance.poisoning.lab import Lab, lab_check
from sealwright.assurance.poisoning.stamps import Stamp, profile, stamp_words, stamped, stamps_of
from sealwright.assurance.poisoning.suspects import Suspect, farthest, halves, reach_finding, suspects_of
from sealwright.assurance.predictor import Predictor

__all__ = ["CHECK", "strangeness"]

_P, _REACH = "robustness.backdoor_p_value", "robustness.backdoor_trigger_reach"
_STAMPS = 1_000
_ROWS = 12
_SHARE = 0.9
_FLOOR = 0.1  # nats: a spread below it is no spread a decision would feel
_SHOWN = 10


def _run(case: Case, lab: Lab, rng: np.random.Generator) -> Outcome:
    return collected(_searched(case, lab, rng))


def _searched(case: Case, lab: Lab, rng: np.random.Generator) -> Iterator[Finding | NotPerformed | Figure]:
    if len(lab.rows) < case.train_table.num_rows:
        why = (
            f"models trained on {len(lab.rows):,} of {case.train_table.num_rows:,} rows would differ from this one for"
            " that alone: raise assurance.poisoning.rows and budget.rows"
        )
        for check in (_P, _REACH):
            yield NotPerformed(check=check, why=why)
        return
    searched, confirmed = halves(len(lab.test), _ROWS, rng)
    stamps = stamps_of(case, _STAMPS, rng)
    rows, others = lab.test.take(searched), lab.test.take(confirmed)
    models = [_part(lab, rng) for _ in range(case.spec.poisoning.models)]
    known = np.array([profile(case, model, rows, stamps) for model in models])
    found = strangeness(profile(case, case.predictor, rows, stamps), known)
    null = [
        float(np.abs(strangeness(known[place], np.delete(known, place, axis=0))).max()) for place in range(len(models))
    ]
    strongest = float(np.abs(found).max())
    yield _ranked(strongest, null)
    yield _shown(case, stamps, found, null)
    before = case.decide(case.predict(others))

    def told(suspect: Suspect) -> Finding | str:
        marked = stamped(others, suspect.stamp)
        expected = np.mean([lab.ask(model, marked) for model in models], axis=0)
        decided, foreseen = case.decide(case.predict(marked)), case.decide(expected)
        return reach_finding(
            case, _REACH, suspect, before, decided, foreseen, "the mean of models trained like it", lab.rows
        )

    reach = farthest([told(suspect) for suspect in suspects_of(found, stamps, before)])
    yield NotPerformed(check=_REACH, why=reach) if isinstance(reach, str) else reach


def _part(lab: Lab, rng: np.random.Generator) -> Predictor:
    kept = np.sort(rng.choice(len(lab.rows), round(_SHARE * len(lab.rows)), replace=False))
    return lab.learn(lab.rows.take(kept), lab.truth[kept], seed=int(rng.integers(2**31)))


def strangeness(profile_: Floats, known: Floats) -> Floats:
    """Distance of one profile, shape (stamps, classes), from others, (models, stamps, classes), in their spread."""
    distance: Floats = (profile_ - known.mean(axis=0)) / (known.std(axis=0, ddof=1) + _FLOOR)
    return distance


def _ranked(strongest: float, null: Sequence[float]) -> Finding:
    as_strange = sum(one >= strongest for one in null)
    return Finding(
        check=_P,
        value=(1 + as_strange) / (1 + len(null)),
        n=len(null),
        unit="probability",
        definition="Chance that a model trained like this one, without a backdoor, has values that push as far; the"
        " smallest possible is one in the number of models plus one.",
        note=f"farthest push {strongest:.3g} spreads; of models like it at most {max(null):.3g}, median"
        f" {float(np.median(null)):.3g}",
    )


def _shown(case: Case, stamps: Sequence[Stamp], found: Floats, null: Sequence[float]) -> Figure:
    push = np.abs(found).max(axis=1)
    top = np.argsort(-push, kind="stable")[:_SHOWN]
    return Figure(
        name="robustness.backdoor_search",
        kind="bars",
        title="Values that push farther than in models trained like it",
        x="values written over every row",
        y="spreads",
        series=(
            Series(
                name="push",
                x=tuple(stamp_words(case.interface, stamps[int(place)]) for place in top),
                y=tuple(float(push[int(place)]) for place in top),
            ),
        ),
        note=f"the farthest push of models trained like it is at most {max(null):.3g}",
    )


CHECK = lab_check("robustness.backdoor_taught", {_P: CLASSES, _REACH: CLASSES}, _run)
