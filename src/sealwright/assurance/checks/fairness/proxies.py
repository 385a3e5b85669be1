"""Source of bias, proxies: how well can the attribute be told from the features the model takes?

A small model is asked to predict the attribute from all features together, and from each alone, on rows it
has not seen (five folds of the training rows; of the test rows where those are not known). 0.5 is guessing. A feature that gives the attribute away is not thereby unfair,
but leaving the attribute out does then not blind the model to it.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome
from sealwright.assurance.comparison import each_attribute, large_enough, too_few
from sealwright.assurance.intervals import on_logit_scale
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series
from sealwright.assurance.recognition import Recognised, alone, dealt, recognised, together

__all__ = ["CHECK"]

_ALL_FEATURES, _ONE = "fairness.proxy_auc", "fairness.strongest_proxy_auc"
_NAMED, _SHOWN = 5, 20


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return each_attribute(case, [_ALL_FEATURES, _ONE], partial(_judge, case, rng))


def _judge(case: Case, rng: np.random.Generator, attribute: Attribute) -> Iterator[Finding | NotPerformed | Figure]:
    sample, trained = case.train, next(one for one in case.train_attributes if one.name == attribute.name)
    if trained.problem:  # whose rows were learned from is not known: those judged have proxies, too
        sample, trained = case.test, attribute
    attribute = trained
    judged = large_enough(case, attribute)
    if judged.size < 2:
        yield from (too_few(case, name, attribute, judged, "enough rows") for name in (_ALL_FEATURES, _ONE))
        return
    names = tuple(name for name in case.interface.names if name != attribute.name)
    if not names:
        why = "the model takes no feature besides the attribute"
        about = Group(attribute=attribute.name)
        yield from (NotPerformed(check=name, why=why, group=about, applicable=False) for name in (_ALL_FEATURES, _ONE))
        return
    rows = np.flatnonzero(np.isin(attribute.codes, judged))
    if rows.size > case.spec.budget.fairness_rows:
        rows = np.sort(rng.choice(rows, case.spec.budget.fairness_rows, replace=False))
    codes = np.searchsorted(judged, attribute.codes[rows])
    columns = [sample.features.column(case.interface.names.index(name))[rows] for name in names]
    levels = [attribute.levels[place] for place in judged]
    folds = dealt(codes, rng)
    every = recognised(codes, together(columns, codes, folds, int(rng.integers(2**31))))
    single = {name: recognised(codes, alone(column, codes, folds)) for name, column in zip(names, columns, strict=True)}
    ranked = sorted(single, key=lambda name: (-single[name].value, name))
    yield _finding(case, attribute, _ALL_FEATURES, every, f"told apart best: {levels[every.clearest]}")
    named = (f"{name} {_words(case, single[name], len(ranked))}" for name in ranked[:_NAMED])
    yield _finding(case, attribute, _ONE, single[ranked[0]], "strongest: " + "; ".join(named), tried=len(ranked))
    yield _figure(case, attribute, ranked, single)


def _finding(case: Case, attribute: Attribute, check: str, found: Recognised, note: str, tried: int = 1) -> Finding:
    low, high = _ends(case, found, tried)
    what = "all features the model takes" if check == _ALL_FEATURES else "the one feature that gives it away most"
    return Finding(
        check=check,
        value=found.value,
        low=low,
        high=high,
        n=found.n,
        unit="auc",
        definition=f"How well the attribute is predicted from {what}: area under the ROC curve on rows not learned"
        " from, mean over groups of one against the others; 0.5 is guessing.",
        group=Group(attribute=attribute.name),
        note=note,
    )


def _ends(case: Case, found: Recognised, tried: int) -> tuple[float, float]:
    sure = 1 - (1 - case.spec.confidence) / tried  # it was picked as the strongest of so many
    return on_logit_scale(found.value, found.error, found.scarcest, sure)


def _words(case: Case, found: Recognised, tried: int) -> str:
    low, high = _ends(case, found, tried)
    return f"{found.value:.2f} ({low:.2f} to {high:.2f})"


def _figure(case: Case, attribute: Attribute, ranked: list[str], single: dict[str, Recognised]) -> Figure:
    shown = ranked[:_SHOWN]
    ends = [_ends(case, single[name], len(ranked)) for name in shown]
    bars = Series(
        name="alone",
        x=tuple(shown),
        y=tuple(single[name].value for name in shown),
        low=tuple(low for low, _ in ends),
        high=tuple(high for _, high in ends),
    )
    return Figure(
        name=f"fairness.proxies.{attribute.name}",
        kind="bars",
        title=f"What gives {attribute.name} away",
        x="feature",
        y="area under the ROC curve; 0.5 is guessing",
        series=(bars,),
    )


CHECK = Check(name="fairness.proxies", files={_ALL_FEATURES: ALL, _ONE: ALL}, run=_run)
