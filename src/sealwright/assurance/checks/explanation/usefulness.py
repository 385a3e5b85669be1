"""Can the contributions be relied on: do they move with what the model does, and stay when nothing much changes?

Fidelity: replacing the features named most important moves the answer farther than replacing others by lot. Stability: the
order of contributions under small noise within the constraints, and against other background rows.
"""

from collections.abc import Iterator

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.explaining.attribution import Explained, background_of, explained
from sealwright.assurance.explaining.coded import coded_by
from sealwright.assurance.explaining.scale import explained_outcomes
from sealwright.assurance.explaining.usefulness import Deletion, agreement, deletion
from sealwright.assurance.features import Features
from sealwright.assurance.intervals import mean_interval
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series
from sealwright.assurance.unexplained import CannotExplain

__all__ = ["CHECK"]

_FIDELITY, _STABILITY, _AGREEMENT = (
    "explanation.deletion_fidelity",
    "explanation.attribution_stability",
    "explanation.attribution_agreement",
)
_ROWS = 60  # explained again, twice
_NOISE = 0.05  # standard deviations
_FEWEST = 10


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    found = explained(case)
    if isinstance(found, str):
        return skipped([_FIDELITY, _STABILITY, _AGREEMENT], f"there are no attributions to test: {found}")
    if len(found.rows) < _FEWEST:
        why = f"{len(found.rows)} rows are explained; needed are {_FEWEST}"
        return skipped([_FIDELITY, _STABILITY, _AGREEMENT], why)
    return collected([*_fidelity(case, found, rng), *_again(case, found, rng)])


def _fidelity(case: Case, found: Explained, rng: np.random.Generator) -> Iterator[Finding | Figure | NotPerformed]:
    outcomes = list(explained_outcomes(case))

    def ask(features: Features) -> Floats:
        outputs = case.predict(features)
        return outputs[:, None] if outputs.ndim == 1 else outputs[:, outcomes]

    background = background_of(case, "explaining/deletion")
    measured = deletion(ask, coded_by(background, found.rows), found.rows, background, found.found.importance(), rng)
    if not measured.ordered[:, -1].any():
        yield NotPerformed(check=_FIDELITY, why="no answer changes even if every feature is replaced")
        return
    value, (low, high) = mean_interval(measured.gains, case.spec.confidence)
    yield Finding(
        check=_FIDELITY,
        value=value,
        low=low,
        high=high,
        n=len(found.rows),
        unit="share",
        definition="Area between how far answers move when each row's most important features are replaced first and when"
        " features are replaced by lot, as a share of the move when all are.",
        note="attributions that say nothing score 0",
    )
    yield _figure(measured)


def _figure(measured: Deletion) -> Figure:
    shares = tuple(float(share) for share in measured.shares)
    return Figure(
        name=_FIDELITY,
        kind="lines",
        title="Answers move as features are replaced",
        x="share of features replaced",
        y="mean move of the answer",
        series=(
            Series(name="most important first", x=shares, y=tuple(measured.ordered.mean(axis=0))),
            Series(name="by lot", x=shares, y=tuple(measured.random.mean(axis=0))),
        ),
        note=f"{len(measured.ordered)} test rows, values taken from rows learned from",
    )


def _again(case: Case, found: Explained, rng: np.random.Generator) -> Iterator[Finding | NotPerformed]:
    some = np.unique(np.linspace(0, len(found.rows) - 1, min(_ROWS, len(found.rows))).astype(np.intp))
    rows, before = found.rows.take(some), found.found.phi[some]
    constraints = constraints_of(case)
    numbers = rows.numbers.astype(np.float64)
    noised = (numbers + rng.normal(0, _NOISE, numbers.shape) * constraints.scale).astype(rows.numbers.dtype)
    moved = constraints.project(rows, rows.with_numbers(noised))
    same, other = (background_of(case, f"explaining/{purpose}") for purpose in ("background", "other background"))
    for check, explained_rows, against, words in (
        (
            _STABILITY,
            moved,
            same,
            f"the same rows with noise of {_NOISE:g} sd on every number, within the constraints",
        ),
        (_AGREEMENT, rows, other, "the same rows against other background rows and with another seed"),
    ):
        yield _agreed(case, found, check, before, explained_rows, against, words, rng)


def _agreed(
    case: Case,
    found: Explained,
    check: str,
    before: Floats,
    rows: Features,
    background: Features,
    words: str,
    rng: np.random.Generator,
) -> Finding | NotPerformed:
    try:
        again = found.method(case, rows, background, case.predict(rows), rng).only(found.found.outcomes)
    except CannotExplain as error:
        return NotPerformed(check=check, why=f"explaining again failed: {error}")
    value, (low, high) = mean_interval(agreement(before, again.phi), case.spec.confidence)
    return Finding(
        check=check,
        value=value,
        low=low,
        high=min(1.0, high),
        n=len(before),
        unit="rank correlation",
        definition=f"Mean rank correlation of a row's contributions with those for {words}.",
        note=f"a tenth of the rows have {np.quantile(agreement(before, again.phi), 0.1):.2f} or less",
    )


CHECK = Check(name="explanation.usefulness", files={_FIDELITY: ALL, _STABILITY: ALL, _AGREEMENT: ALL}, run=_run)
