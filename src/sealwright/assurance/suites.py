"""The table of suites: which checks there are, in the order they are reported.

Adding a check means one file under checks/, one line here, and a test.
"""

from collections.abc import Mapping

from sealwright.assurance.check import Check
from sealwright.assurance.checks.explanation import dependence, importance
from sealwright.assurance.checks.fairness import (
    accuracy_gap,
    class_rates,
    conditional,
    consistency,
    coverage,
    equal_opportunity,
    equalised_odds,
    error_rates,
    flip_test,
    gap_sources,
    group_calibration,
    group_rates,
    impact_ratio,
    intersections,
    label_gap,
    means,
    predictive_parity,
    proxies,
    ranking,
    representation,
    residuals,
    score_distributions,
    selection_gap,
)
from sealwright.assurance.checks.performance import (
    baseline,
    calibration,
    classes,
    correlation,
    costs,
    decisions,
    discrimination,
    lift,
    overfitting,
    previous,
    quantile,
    regression,
    simple_model,
    variety,
)
from sealwright.assurance.checks.privacy import (
    attribute_inference,
    canaries,
    epsilon,
    inversion,
    membership,
    shadow_models,
)
from sealwright.assurance.checks.quality import (
    balance,
    constants,
    duplicates,
    missing,
    outliers,
    overlap,
    quarantine,
    single_feature,
)
from sealwright.assurance.checks.robustness import category_swap, noise, unseen_category
from sealwright.assurance.checks.robustness import missing as emptied
from sealwright.assurance.checks.slices import declared, found
from sealwright.assurance.checks.stress import (
    batches,
    direction,
    drift,
    invariance,
    out_of_range,
    priors,
    rounding,
    swapped_columns,
    unit_mistake,
)
from sealwright.kernel import InvalidInput

__all__ = ["SUITES", "check_names", "checks_of"]

SUITES: Mapping[str, tuple[Check, ...]] = {
    "quality": (
        missing.CHECK,
        duplicates.CHECK,
        constants.CHECK,
        balance.CHECK,
        outliers.CHECK,
        overlap.CHECK,
        quarantine.CHECK,
        single_feature.CHECK,
    ),
    "performance": (
        discrimination.CHECK,
        decisions.CHECK,
        correlation.CHECK,
        classes.CHECK,
        lift.CHECK,
        calibration.CHECK,
        costs.CHECK,
        regression.CHECK,
        quantile.CHECK,
        baseline.CHECK,
        variety.CHECK,
        simple_model.CHECK,
        previous.CHECK,
        overfitting.CHECK,
    ),
    "fairness": (
        coverage.CHECK,
        group_rates.CHECK,
        selection_gap.CHECK,
        impact_ratio.CHECK,
        equal_opportunity.CHECK,
        equalised_odds.CHECK,
        error_rates.CHECK,
        predictive_parity.CHECK,
        accuracy_gap.CHECK,
        group_calibration.CHECK,
        score_distributions.CHECK,
        ranking.CHECK,
        class_rates.CHECK,
        means.CHECK,
        residuals.CHECK,
        conditional.CHECK,
        intersections.CHECK,
        consistency.CHECK,
        flip_test.CHECK,
        representation.CHECK,
        label_gap.CHECK,
        proxies.CHECK,
        gap_sources.CHECK,
    ),
    "robustness": (noise.CHECK, emptied.CHECK, category_swap.CHECK, unseen_category.CHECK),
    "stress": (
        unit_mistake.CHECK,
        swapped_columns.CHECK,
        out_of_range.CHECK,
        rounding.CHECK,
        batches.CHECK,
        priors.CHECK,
        drift.CHECK,
        invariance.CHECK,
        direction.CHECK,
    ),
    "slices": (declared.CHECK, found.CHECK),
    "privacy": (
        membership.CHECK,
        epsilon.CHECK,
        attribute_inference.CHECK,
        inversion.CHECK,
        canaries.CHECK,
        shadow_models.CHECK,
    ),
    "explanation": (importance.CHECK, dependence.CHECK),
}


def checks_of(suite: str) -> tuple[Check, ...]:
    """The checks of one suite.

    Raises
    ------
    InvalidInput
        There is no suite of that name.
    """
    if suite not in SUITES:
        raise InvalidInput(f"There is no suite {suite!r}. The suites are: {', '.join(SUITES)}.")
    return SUITES[suite]


def check_names(task: str) -> tuple[str, ...]:
    """Every check name that a finding for this task can carry, in reporting order."""
    return tuple(
        name for suite in SUITES.values() for check in suite for name, tasks in check.files.items() if task in tasks
    )
