"""How numbers and names are written for people, the same in the page and in the terminal."""

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["OUTCOME_WORDS", "interval_words", "number_words", "plain_check", "training_words"]

OUTCOME_WORDS = {
    "pass": "passed",
    "fail": "failed",
    "missing": "missing",
    "stale": "out of date",
    "not_performed": "not performed",
    "attested": "attested",
    "not_applicable": "does not apply",
    "not_yet": "not yet",
}
_NEED_THEIR_SUITE = {"parity", "admission", "confinement", "suite", "approval", "charter", "evidence"}
_CONFINED = "no network, no keys, no other files; limits on memory and time"
_SPELLED = {
    "roc": "ROC",
    "auc": "AUC",
    "pr": "PR",
    "r2": "R²",
    "mae": "MAE",
    "rmse": "RMSE",
    "ks": "KS",
    "f1": "F1",
    "f": "F",
    "tpr": "TPR",
    "fpr": "FPR",
    "ece": "ECE",
    "onnx": "ONNX",
}


_PERCENT = re.compile(r"(?<![0-9])(?:0_)?[0-9]+_pct(?![a-z])")


def number_words(value: float) -> str:
    """Three digits that mean something; counts whole; very small numbers in powers of ten."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if 0 < abs(value) < 0.0005:
        return f"{value:.1e}"
    return f"{value:,.3f}" if abs(value) < 100 else f"{value:,.0f}"


def interval_words(finding: Mapping[str, Any]) -> str:
    """Write a spread like 0.716 to 0.829, n 250; without an interval only the n."""
    n = f"n {finding['n']:,}"
    if finding.get("low") is None:
        return n
    return f"{number_words(finding['low'])} to {number_words(finding['high'])}, {n}"


def plain_check(check: str) -> str:
    """Write performance.roc_auc as ROC AUC, and parity.flips, which says little alone, as Parity: flips."""
    suite, _, name = check.rpartition(".")
    words = " ".join(_SPELLED.get(word, word) for word in _PERCENT.sub(_percent, name).split("_"))
    text = f"{suite}: {words}" if suite.split(".")[0] in _NEED_THEIR_SUITE else words
    return text[:1].upper() + text[1:]


def _percent(found: re.Match[str]) -> str:
    """Write 0_1_pct, as names of checks have it, as 0.1 %."""
    return found[0].removesuffix("_pct").replace("_", ".") + " %"


def training_words(record: Mapping[str, Any]) -> dict[str, str]:
    """A training's record as names and sentences: recipe, score, confinement, parity."""
    cv, parity, missing = record["cv"], record["parity"], record["confinement"]["not_enforced"]
    score = "not performed"
    if cv:
        main = cv["scores"][cv["metric"]]
        score = f"{plain_check(cv['metric'])} {number_words(main['mean'])} ± {number_words(main['sd'])} over {cv['folds']} folds"
    words = {
        "recipe": record["recipe"],
        "cross-validation": score,
        "settings tried": str(len(record["search"])),
        "confined": f"this kernel could not enforce: {', '.join(missing)}" if missing else _CONFINED,
        "ONNX parity": "not measured: your own code handed over ONNX"
        if parity is None
        else f"largest difference {number_words(parity['largest'])} on {parity['rows']:,} hold-out rows; {parity['flips']} decisions differ",
    }
    return words | ({"notes": "; ".join(record["notes"])} if record["notes"] else {})
