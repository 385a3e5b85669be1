"""Copying the model by asking it: how many answers does a copy take?

Questions are rows like those learned from, or made up within the contract's ranges; answers are probabilities, or decisions
only. A copy (extremely randomised trees) learns from the answers; agreement is measured on test rows. The distance of the
two kinds of answers is what hiding the probabilities buys.
"""

from collections.abc import Callable, Iterator

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, CLASSES, Check, Outcome, collected
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.features import Features
from sealwright.assurance.intervals import Interval
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series
from sealwright.assurance.predictor import no_answer

__all__ = ["CHECK", "like_training", "within_contract"]

_AGREEMENT, _LABELS = "robustness.extraction_agreement", "robustness.extraction_label_agreement"
_BELOW = {0.9: "robustness.extraction_below_90_up_to", 0.95: "robustness.extraction_below_95_up_to"}
_AT_STANDARD = 1_000
_MIXED = 1 / 3  # of the columns of a question come from another row, once every row was asked
_MOST_TEST_ROWS = 2_000

Curve = list[tuple[int, float, Interval]]  # queries, agreement, its interval


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return collected(_measured(case, rng))


def _measured(case: Case, rng: np.random.Generator) -> Iterator[Finding | NotPerformed | Figure]:
    names = [_AGREEMENT, *_BELOW.values(), *([] if case.task == "regression" else [_LABELS])]
    wanted = [one for one in case.spec.extraction.queries if case.spec.depth == "full" or one <= _AT_STANDARD]
    known, judged = _apart(case, rng)
    if not wanted or len(judged) < case.spec.smallest_group:
        why = f"{len(judged)} rows are left to compare on, {case.spec.smallest_group} needed"
        why = why if wanted else f"all declared queries are beyond {_AT_STANDARD:,}, which is the full assessment's"
        yield from (NotPerformed(check=name, why=why) for name in names)
        return
    truth = case.predict(judged)
    if no_answer(truth).any() or (case.task == "regression" and truth.std() == 0):
        yield from (NotPerformed(check=name, why="the model's answers for the test rows do not vary") for name in names)
        return
    sources: dict[str, Callable[[int], Features]] = {
        "rows like those learned from": lambda n: like_training(known, n, rng),
        "made-up rows": lambda n: within_contract(case, known, n, rng),
    }
    curves: dict[str, Curve] = {}
    for source, draw in sources.items():
        questions = draw(wanted[-1])
        said = case.predict(questions)
        heard = np.flatnonzero(~no_answer(said))
        questions, said = questions.take(heard), said[heard]
        for labels in (False,) if case.task == "regression" else (False, True):
            kind = "decisions" if labels else "probabilities"
            name = source if case.task == "regression" else f"{source}, {kind}"
            curves[name] = [
                (n, *_agreement(case, questions.take(slice(0, n)), said[:n], labels, judged, truth, rng))
                for n in wanted
            ]
    yield from _findings(case, curves, truth)
    yield _figure(case, curves)


def _apart(case: Case, rng: np.random.Generator) -> tuple[Features, Features]:
    """Rows to ask with and rows to compare on; where training rows are not known, test rows serve as both halves."""
    rows = rng.permutation(len(case.test))
    if case.knows_training:
        return case.train.features, case.test.features.take(np.sort(rows[:_MOST_TEST_ROWS]))
    half = len(rows) // 2
    return case.test.features.take(rows[:half]), case.test.features.take(np.sort(rows[half:][:_MOST_TEST_ROWS]))


def like_training(known: Features, n: int, rng: np.random.Generator) -> Features:
    """The known rows by lot, and once all are used, mixtures: a third of the columns from another row."""
    order = rng.permutation(len(known))[:n]
    first = known.take(order)
    if n <= len(known):
        return first
    base, other = (rng.integers(0, len(known), n - len(known)) for _ in range(2))
    mixed, donor = known.take(base), known.take(other)
    swap = rng.random((len(base), known.numbers.shape[1] + known.strings.shape[1])) < _MIXED
    width = known.numbers.shape[1]
    numbers = np.where(swap[:, :width], donor.numbers, mixed.numbers)
    strings = np.where(swap[:, width:], donor.strings, mixed.strings)
    return Features(numbers=np.concatenate([first.numbers, numbers]), strings=np.concatenate([first.strings, strings]))


def within_contract(case: Case, known: Features, n: int, rng: np.random.Generator) -> Features:
    """Rows made up: every number even between its ends, every text even among its levels, columns independent."""
    limits = constraints_of(case)
    numbers = rng.uniform(limits.least, limits.most, (n, len(limits.least)))
    numbers = np.where(limits.whole, np.round(numbers), numbers).astype(known.numbers.dtype)
    strings = np.empty((n, len(limits.levels)), dtype=object)
    for place, levels in enumerate(limits.levels):
        strings[:, place] = np.array(levels or ("",), dtype=object)[rng.integers(0, max(1, len(levels)), n)]
    return Features(numbers=numbers, strings=strings)


def _agreement(
    case: Case, asked: Features, said: Floats, labels: bool, judged: Features, truth: Floats, rng: np.random.Generator
) -> tuple[float, Interval]:
    """Share of decisions of the copy that are the model's; for numbers, the share of variance the copy explains."""
    from sealwright.assurance.adapters.surrogate import copied  # scikit-learn loads only where it is used

    copy = copied(asked, case.decide(said) if labels else said, labels, int(rng.integers(2**31)))(judged)
    if case.task == "regression":
        value = 1 - float(((copy - truth) ** 2).mean() / truth.var())
        return value, (value, value)
    decided = copy.astype(np.int64) if labels else case.decide(copy)
    same = int((decided == case.decide(truth)).sum())
    return same / len(judged), case.share_interval(same, len(judged))


def _findings(case: Case, curves: dict[str, Curve], truth: Floats) -> Iterator[Finding]:
    regression = case.task == "regression"
    what = (
        "Share of the variance of the model's answers that a copy explains"
        if regression
        else ("Share of test rows a copy decides as the model does")
    )
    by_kind = {
        _AGREEMENT: [name for name in curves if not name.endswith(", decisions")],
        **({} if regression else {_LABELS: [name for name in curves if name.endswith(", decisions")]}),
    }
    for check, names in by_kind.items():
        best = max(names, key=lambda name: curves[name][-1][1])
        n, value, (low, high) = curves[best][-1]
        answers = "decisions" if check == _LABELS else "values" if regression else "probabilities"
        yield Finding(
            check=check,
            value=value,
            low=None if regression else low,
            high=None if regression else high,
            n=len(truth),
            unit="R2" if regression else "share",
            definition=f"{what}, when it was learnt from {n:,} answers given as {answers}.",
            note=f"best of two kinds of questions: {best.partition(',')[0]}{_by_chance(case, truth)}",
        )
    for level, check in _BELOW.items():
        yield _below(check, level, {name: curves[name] for name in by_kind[_AGREEMENT]}, len(truth))


def _by_chance(case: Case, truth: Floats) -> str:
    if case.task == "regression":
        return ""
    most = np.bincount(case.decide(truth)).max() / len(truth)
    return f"; always the most frequent decision agrees on {most:.1%}"


def _below(check: str, level: float, curves: dict[str, Curve], n: int) -> Finding:
    """The most questions after which every copy still agrees on less than `level`."""

    def held(end: int | None) -> float:
        last = 0
        for step in range(len(next(iter(curves.values())))):
            points = [curve[step] for curve in curves.values()]
            if max(point[1] if end is None else point[2][end] for point in points) >= level:
                break
            last = points[0][0]
        return float(last)

    value = held(None)
    tried = [point[0] for point in next(iter(curves.values()))]
    passed = next((one for one in tried if one > value), None)
    where = f"passed at {passed:,}" if passed else f"not passed at {tried[-1]:,}, the most tried"
    return Finding(
        check=check,
        value=value,
        low=min(value, held(1)),
        high=max(value, held(0)),
        n=n,
        unit="queries",
        definition=f"Largest tried number of answers from which no copy reaches {level:.0%} agreement with the model; 0"
        " if the smallest suffices.",
        note=where,
    )


def _figure(case: Case, curves: dict[str, Curve]) -> Figure:
    series = (
        Series(
            name=name,
            x=tuple(float(np.log10(point[0])) for point in curve),
            y=tuple(point[1] for point in curve),
            low=tuple(point[2][0] for point in curve),
            high=tuple(point[2][1] for point in curve),
        )
        for name, curve in curves.items()
    )
    return Figure(
        name="robustness.extraction",
        kind="lines",
        title="Copying the model by asking it",
        x="questions asked, log10",
        y="R squared of the copy" if case.task == "regression" else "agreement of the copy",
        series=tuple(series),
        note="measured on test rows the copy has not asked about",
    )


CHECK = Check(
    name="robustness.extraction",
    files={_AGREEMENT: ALL, _LABELS: CLASSES, **dict.fromkeys(_BELOW.values(), ALL)},
    run=_run,
)
