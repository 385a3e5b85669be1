"""Judging one model with Sealwright, and getting the same numbers by hand from the libraries people use.

    python benchmarks/assurance_by_hand.py [--rounds 3]

German credit, 700 rows to learn from and 300 to judge, histogram boosting of scikit-learn, groups by sex. By hand means
a script that calls scikit-learn (scores, with 1,000 bootstrap resamples for their intervals, permutation importance,
partial dependence), fairlearn (MetricFrame with 1,000 bootstrap resamples), shap and ART (HopSkipJump on 200 rows, as many
as ours attacks). Sealwright runs its suites at standard depth, which say more than the script does. Both run in one
process in turns, libraries loaded before; the best of the rounds counts. Where definitions coincide, both give the same
value; that is checked.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

import sealwright as sw

_TABLE = "examples/german-credit/german_credit.csv"
_RESAMPLES = 1_000
_ATTACKED = 200


class Credit:
    """The rows, the model, and its answers."""

    def __init__(self) -> None:
        table = pd.read_csv(_TABLE)
        rows = table.drop(columns=["applicant_id", "sex", "outcome"])
        self.rows = rows.astype(dict.fromkeys(rows.select_dtypes("number"), float))  # partial dependence wants it
        self.outcome = (table["outcome"] == "good").astype(int)
        self.sex = table["sex"]
        words = [name for name in self.rows if self.rows[name].dtype == object]
        encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        self.model = make_pipeline(
            make_column_transformer((encode, words), remainder="passthrough"),
            HistGradientBoostingClassifier(max_iter=60, random_state=0),
        ).fit(self.rows[:700], self.outcome[:700])

    @property
    def test(self) -> tuple[Any, Any, Any]:
        return self.rows[700:], self.outcome[700:].to_numpy(), self.sex[700:]


def performance_by_hand(credit: Credit) -> dict[str, float]:
    rows, truth, _ = credit.test
    chance = credit.model.predict_proba(rows)[:, 1]
    scores: dict[str, Callable[[Any, Any], float]] = {
        "roc_auc": roc_auc_score,
        "pr_auc": average_precision_score,
        "log_loss": log_loss,
        "brier": brier_score_loss,
        "accuracy": lambda y, p: accuracy_score(y, p >= 0.5),
        "balanced_accuracy": lambda y, p: balanced_accuracy_score(y, p >= 0.5),
        "precision": lambda y, p: precision_score(y, p >= 0.5),
        "recall": lambda y, p: recall_score(y, p >= 0.5),
        "f1": lambda y, p: f1_score(y, p >= 0.5),
        "mcc": lambda y, p: matthews_corrcoef(y, p >= 0.5),
    }
    draws = np.random.default_rng(0).integers(0, truth.size, (_RESAMPLES, truth.size))
    for score in scores.values():
        np.quantile([score(truth[draw], chance[draw]) for draw in draws], [0.025, 0.975])
    return {name: float(score(truth, chance)) for name, score in scores.items()}


def fairness_by_hand(credit: Credit) -> dict[str, float]:
    from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate

    rows, truth, sex = credit.test
    frame = MetricFrame(
        metrics={
            "selection": selection_rate,
            "tpr": true_positive_rate,
            "fpr": false_positive_rate,
            "accuracy": accuracy_score,
        },
        y_true=truth,
        y_pred=(credit.model.predict_proba(rows)[:, 1] >= 0.5).astype(int),
        sensitive_features=sex,
        n_boot=_RESAMPLES,
        ci_quantiles=[0.025, 0.5, 0.975],
        random_state=0,
    )
    gaps = frame.difference()
    return {
        "selection_gap": float(gaps["selection"]),
        "impact_ratio": float(frame.ratio()["selection"]),
        "equal_opportunity_gap": float(gaps["tpr"]),
    }


def explanation_by_hand(credit: Credit) -> dict[str, float]:
    import shap

    rows, truth, _ = credit.test
    found = permutation_importance(credit.model, rows, truth, scoring="roc_auc", n_repeats=10, random_state=0)
    for name in rows.columns:
        partial_dependence(credit.model, rows, [name], categorical_features=list(rows.select_dtypes(object)))
    prepared = credit.model[:-1]
    learned = np.asarray(prepared.transform(credit.rows[:700]), dtype=float)
    explainer = shap.TreeExplainer(credit.model[-1], learned[:100])
    explainer.shap_values(np.asarray(prepared.transform(rows), dtype=float), check_additivity=False)
    return {"features": float((found.importances_mean > 0).sum())}


def robustness_by_hand(credit: Credit) -> dict[str, float]:
    from art.attacks.evasion import HopSkipJump
    from art.estimators.classification import BlackBoxClassifier

    rows, _, _ = credit.test
    matrix = np.asarray(credit.model[:-1].transform(rows), dtype=np.float32)[:_ATTACKED]
    wrapped = BlackBoxClassifier(credit.model[-1].predict_proba, matrix.shape[1:], 2)
    made = HopSkipJump(wrapped, max_iter=10, max_eval=500, init_eval=20, verbose=False).generate(matrix)
    flipped = credit.model[-1].predict(made) != credit.model[-1].predict(matrix)
    return {"flipped": float(flipped.mean())}


def ours(credit: Credit, suite: str) -> dict[str, float]:
    rows, truth, sex = credit.test
    found = sw.assess(
        credit.model,
        rows,
        truth,
        groups={"sex": sex},
        learned_from=(credit.rows[:700], credit.outcome[:700]),
        settings={"suites": [suite], "bootstrap": _RESAMPLES},
    )
    return {
        one.check.partition(".")[2]: one.value for one in found.findings if one.group is None or one.group.level is None
    }


def best(rounds: int, work: Callable[[], dict[str, float]]) -> tuple[float, dict[str, float]]:
    taken, values = [], {}
    for _ in range(rounds):
        began = time.perf_counter()
        values = work()
        taken.append(time.perf_counter() - began)
    return min(taken), values


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore")
    credit = Credit()
    parts = {
        "performance": performance_by_hand,
        "fairness": fairness_by_hand,
        "explanation": explanation_by_hand,
        "robustness": robustness_by_hand,
    }
    for suite, by_hand in parts.items():  # load every library before a clock runs
        ours(credit, suite)
        by_hand(credit)
    print("300 rows judged; seconds, best of rounds")
    print(f"  {'':14}{'by hand':>10}{'Sealwright':>12}{'ratio':>8}   largest difference of the same values")
    totals = [0.0, 0.0]
    for suite, by_hand in parts.items():
        other, theirs = best(rounds, lambda by_hand=by_hand: by_hand(credit))
        own, mine = best(rounds, lambda suite=suite: ours(credit, suite))
        same = sorted(set(theirs) & set(mine))
        off = max((abs(theirs[name] - mine[name]) for name in same), default=float("nan"))
        said = f"{off:.1e} over {', '.join(same)}" if same else "no measure defined alike"
        print(f"  {suite:14}{other:10.2f}{own:12.2f}{own / other:8.2f}   {said}")
        totals = [totals[0] + other, totals[1] + own]
        if same and off > 1e-6:
            raise SystemExit(f"{suite}: the same definition gave two values")
    print(f"  {'all four':14}{totals[0]:10.2f}{totals[1]:12.2f}{totals[1] / totals[0]:8.2f}")


if __name__ == "__main__":
    main()
