"""What a row is, and which checks exist for it: cells of a table, one document, or one image.

Answers: may this check look at such rows?
Does not answer: may it look at this task; a check says so itself.

A check is made for one kind of rows. Those that look only at outcomes, answers and groups run whatever a row is, and are
named here. A new check is for tables until somebody adds its line.
"""

__all__ = ["IMAGE", "TABLE", "TEXT", "why_not_for"]

TABLE, TEXT, IMAGE = "table", "text", "image"

_KINDS = {TABLE: "rows of a table", TEXT: "documents", IMAGE: "images"}
_WHATEVER = frozenset(
    {
        "quality.missing",
        "quality.duplicates",
        "quality.balance",
        "quality.overlap",
        "performance.discrimination",
        "performance.decisions",
        "performance.correlation",
        "performance.classes",
        "performance.lift",
        "performance.calibration",
        "performance.costs",
        "performance.regression",
        "performance.quantile",
        "performance.baseline",
        "performance.variety",
        "performance.previous",
        "performance.overfitting",
        "fairness.coverage",
        "fairness.group_rates",
        "fairness.selection_gap",
        "fairness.impact_ratio",
        "fairness.equal_opportunity_gap",
        "fairness.equalised_odds_gap",
        "fairness.error_rates",
        "fairness.predictive_parity",
        "fairness.accuracy_gap",
        "fairness.group_calibration",
        "fairness.score_distributions",
        "fairness.ranking",
        "fairness.class_rate_gap",
        "fairness.means",
        "fairness.residuals",
        "fairness.intersections",
        "fairness.representation",
        "fairness.label_gap",
        "fairness.gap_sources",
        "stress.batches",
        "stress.prior_shift",
        "slices.declared",
        "slices.found",
        "slices.before",
        "uncertainty.conformal",
        "uncertainty.abstention",
        "privacy.membership",
        "privacy.epsilon",
        "privacy.canaries",
    }
)


def why_not_for(check: str, made_for: str, rows: str) -> str:
    """Why a check made for one kind of rows is not run on rows of kind `rows`; "" where it is."""
    if made_for == rows or check in _WHATEVER:
        return ""
    return f"it is about {_KINDS[made_for]}; here are {_KINDS[rows]}"
