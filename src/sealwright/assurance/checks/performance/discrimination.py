"""How well the scores rank rows: areas under the ROC and the precision-recall curve."""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome, skipped
from sealwright.assurance.intervals import on_logit_scale
from sealwright.assurance.model import Figure, Finding, Series
from sealwright.assurance.ranking import Area, pr_curve, precision_area, roc_curve
from sealwright.assurance.scores import score_words, sentence

__all__ = ["CHECK"]

_ROC, _PR = "performance.roc_auc", "performance.pr_auc"
_ONE_CLASS = "the test rows hold one single outcome, so there is nothing to rank"
_MOST_CURVES = 10


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    score = case.test.score
    if score is None:
        return skipped([_ROC, _PR], _ONE_CLASS)
    low, high = score.interval(case.task, case.spec.confidence)
    absent = len(case.interface.classes) - len(np.unique(case.test.truth))
    area = Finding(
        check=_ROC,
        value=score.value,
        low=low,
        high=high,
        n=len(case.test),
        unit="auc",
        definition=f"{sentence(score_words(case.task)[1])}: the chance that a row of the class scores above"
        " one that is not (DeLong interval).",
        note=f"{absent} classes do not occur in the test rows" if absent else "",
    )
    figures = (_roc_figure(case), *([_pr_figure(case)] if case.task == "binary" else []))
    return Outcome(findings=(area, _precision(case)), figures=figures)


def _precision(case: Case) -> Finding:
    """Average precision of the positive class, or its mean over the classes that occur."""
    places = [case.positive] if case.task == "binary" else range(len(case.interface.classes))
    told = [(case.test.truth == place, case.test.outputs[:, place]) for place in places]
    areas = [area for truth, scores in told if (area := precision_area(truth, scores))]
    mean = Area(
        float(np.mean([area.value for area in areas])), np.asarray(np.mean([area.influence for area in areas], axis=0))
    )
    shares = [float(truth.mean()) for truth, _ in told if 0 < truth.mean() < 1]
    fewest = round(min(shares) * len(case.test))
    low, high = on_logit_scale(mean.value, mean.error, fewest, case.spec.confidence)
    over = "" if case.task == "binary" else ", one class against the rest, averaged over the classes"
    return Finding(
        check=_PR,
        value=mean.value,
        low=low,
        high=high,
        n=len(case.test),
        unit="auc",
        definition=f"Average precision: precision averaged over the recall gained at each threshold{over}"
        " (influence-function interval on the logit scale).",
        note=f"a model without skill has {np.mean(shares):.3g}",
    )


def _roc_figure(case: Case) -> Figure:
    places = [case.positive] if case.task == "binary" else range(len(case.interface.classes))
    series: list[Series] = []
    for place in places:
        truth = case.test.truth == place
        if 0 < truth.sum() < truth.size and len(series) < _MOST_CURVES:
            fpr, tpr = roc_curve(truth, case.test.outputs[:, place])
            series.append(Series(name=case.interface.classes[place], x=tuple(fpr), y=tuple(tpr)))
    return Figure(
        name="performance.roc",
        kind="lines",
        title="ROC curve",
        x="false positive rate",
        y="true positive rate",
        series=tuple(series),
    )


def _pr_figure(case: Case) -> Figure:
    recall, precision = pr_curve(case.test.truth == case.positive, case.test.outputs[:, case.positive])
    name = case.interface.classes[case.positive]
    return Figure(
        name="performance.precision_recall",
        kind="lines",
        title="Precision and recall",
        x="recall",
        y="precision",
        series=(Series(name=name, x=tuple(recall), y=tuple(precision)),),
    )


CHECK = Check(name="performance.discrimination", files={_ROC: CLASSES, _PR: CLASSES}, run=_run)
