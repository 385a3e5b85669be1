"""Membership inference, the quick way: is the model surer of rows it learned from than of rows it has never seen?

One threshold for all rows (Yeom et al. 2018, arXiv:1709.01604). What matters is not whether the attack is right on average but
whether it is sure of a few (Carlini et al. 2022, arXiv:2112.03570): hence the share of members found at few false alarms.
The attack cannot tell memory from other differences between the two sets of rows, such as their age.
"""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.intervals import Interval, difference
from sealwright.assurance.leakage.membership import (
    Scores,
    area,
    fewest_others,
    found_at,
    roc_points,
    threshold_accuracy,
)
from sealwright.assurance.leakage.sampling import Drawn, drawn, scores_of, too_few_rows
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series

__all__ = ["CHECK", "RATES", "found_findings", "leakage_roc"]

_AUC, _ACCURACY, _RULE, _GAP = (
    "privacy.membership_auc",
    "privacy.membership_accuracy",
    "privacy.membership_rule_accuracy",
    "privacy.generalisation_gap",
)
_FOUND = "privacy.membership_tpr_at_{}_fpr"
RATES = {"1_pct": 0.01, "0_1_pct": 0.001}
"""False alarm rates at which the share of members found is stated, by their place in the names of findings."""


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    if why := too_few_rows(case):
        return skipped([name for name in _FILES if case.task in _FILES[name]], why)
    rows = drawn(case, case.spec.leakage.rows, rng)
    scores = scores_of(case, rows)
    how = "the error" if case.task == "regression" else "the confidence in the true outcome"
    auc, of_auc = area(scores, case.spec.confidence)
    right, of_right = threshold_accuracy(scores, case.spec.confidence, rng)
    n = rows.members.size + rows.others.size
    items = [
        _finding(_AUC, auc, of_auc, n, "auc", f"Area under the ROC curve of telling training from test rows by {how}."),
        _finding(
            _ACCURACY,
            right,
            of_right,
            n,
            "share",
            f"Share of training and test rows told apart rightly by one threshold on {how}; 0.5 is guessing.",
        ),
        *found_findings(_FOUND, scores, case.spec.confidence, f"by one threshold on {how}"),
        leakage_roc("privacy.membership_roc", "Who was among the training rows?", {"one threshold": scores}),
    ]
    return collected([*items, *(_rule(case, rows) if case.task != "regression" else ())])


def found_findings(name: str, scores: Scores, confidence: float, how: str) -> list[Finding | NotPerformed]:
    """Share of members found at each false alarm rate, or how many rows that would take. `name` has a place for the rate."""
    items: list[Finding | NotPerformed] = []
    for place, rate in RATES.items():
        found = found_at(scores, rate, confidence)
        if found is None:
            needed = fewest_others(rate, confidence)
            why = (
                f"{scores.others.size:,} test rows cannot show a false alarm rate of {rate:.1%}; that takes {needed:,}"
            )
            items.append(NotPerformed(check=name.format(place), why=why))
            continue
        words = f"Share of training rows recognised {how} while {rate:.1%} of test rows are taken for training rows."
        n = scores.members.size + scores.others.size
        items.append(_finding(name.format(place), found[0], found[1], n, "share", words, f"chance: {rate:g}"))
    return items


def leakage_roc(name: str, title: str, attacks: dict[str, Scores]) -> Figure:
    """ROC curves with both rates as logarithms, since what matters lies at few false alarms."""
    series = []
    for attack, scores in attacks.items():
        fpr, tpr = roc_points(scores)
        x, y = (tuple(np.log10(one).tolist()) for one in (fpr, tpr))
        series.append(Series(name=attack, x=x, y=y))
    ends = (float(np.log10(1 / next(iter(attacks.values())).others.size)), 0.0)
    return Figure(
        name=name,
        kind="lines",
        title=title,
        x="log10 of the false alarm rate (test rows accused)",
        y="log10 of the share of training rows found",
        series=(*series, Series(name="guessing", x=ends, y=ends)),
    )


def _rule(case: Case, rows: Drawn) -> list[Finding]:
    """The attack that calls a row a member if the model decides it rightly, and the gap it lives on."""
    decided = case.decide(case.train.outputs)
    seen = np.asarray(decided == case.train.truth)[rows.members]
    fresh = np.asarray(case.decisions == case.test.truth)[rows.others]
    size = seen.size
    ends = [case.share_interval(float(one.sum()), size) for one in (seen, fresh)]
    gap = float(seen.mean()) - float(fresh.mean())
    low, high = difference(float(seen.mean()), ends[0], float(fresh.mean()), ends[1])
    return [
        _finding(
            _GAP, gap, (low, high), 2 * size, "share", "Share decided rightly: of training rows minus of test rows."
        ),
        _finding(
            _RULE,
            (1 + gap) / 2,
            ((1 + low) / 2, (1 + high) / 2),
            2 * size,
            "share",
            "Share of training and test rows told apart rightly by calling a row a training row if the model decides it"
            " rightly; 0.5 is guessing.",
        ),
    ]


def _finding(
    check: str, value: float, interval: Interval, n: int, unit: str, definition: str, note: str = ""
) -> Finding:
    low, high = min(interval[0], value), max(interval[1], value)
    return Finding(check=check, value=value, low=low, high=high, n=n, unit=unit, definition=definition, note=note)


_FILES = {
    _AUC: ALL,
    _ACCURACY: ALL,
    **{_FOUND.format(place): ALL for place in RATES},
    _RULE: CLASSES,
    _GAP: CLASSES,
}
CHECK = Check(name="privacy.membership", files=_FILES, run=_run, needs_training=True)
