"""The table of suites: which checks there are, in the order they are reported.

Adding a check means one file under checks/, one line here, and a test.
"""

from collections.abc import Mapping

from sealwright.assurance.check import Check
from sealwright.assurance.checks.explanation import (
    counterfactuals,
    dependence,
    effects,
    glassbox,
    image_gradients,
    image_occlusion,
    importance,
    prototypes,
    shapley,
    surrogate,
    usefulness,
    word_shapley,
    words,
)
from sealwright.assurance.checks.fairness import (
    accuracy_gap,
    class_rates,
    conditional,
    conditional_means,
    consistency,
    coverage,
    crossed_means,
    equal_opportunity,
    equalised_odds,
    error_rates,
    flip_test,
    gap_sources,
    group_calibration,
    group_rates,
    identity_terms,
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
    resampling,
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
from sealwright.assurance.checks.robustness import (
    backdoor_carriers,
    backdoor_planted,
    backdoor_search,
    backdoor_taught,
    boundary,
    carlini,
    category_swap,
    evasion,
    extraction,
    fgsm,
    hop_skip_jump,
    image_changes,
    image_gradient_attack,
    image_patch_attack,
    leaf_hops,
    noise,
    pgd,
    poisoning_labels,
    poisoning_removal,
    poisoning_rows,
    text_attack,
    text_edits,
    transfer,
    unseen_category,
    zoo,
)
from sealwright.assurance.checks.robustness import missing as emptied
from sealwright.assurance.checks.slices import before, declared, found
from sealwright.assurance.checks.stress import (
    batches,
    casts,
    direction,
    drift,
    invariance,
    out_of_range,
    priors,
    rounding,
    swapped_columns,
    unit_mistake,
)
from sealwright.assurance.checks.uncertainty import abstention, conformal
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
        resampling.CHECK,
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
        conditional_means.CHECK,
        intersections.CHECK,
        crossed_means.CHECK,
        consistency.CHECK,
        flip_test.CHECK,
        identity_terms.CHECK,
        representation.CHECK,
        label_gap.CHECK,
        proxies.CHECK,
        gap_sources.CHECK,
    ),
    "robustness": (
        evasion.CHECK,
        noise.CHECK,
        emptied.CHECK,
        category_swap.CHECK,
        unseen_category.CHECK,
        transfer.CHECK,
        fgsm.CHECK,
        pgd.CHECK,
        carlini.CHECK,
        hop_skip_jump.CHECK,
        boundary.CHECK,
        zoo.CHECK,
        leaf_hops.CHECK,
        backdoor_search.CHECK,
        extraction.CHECK,
        poisoning_labels.RANDOM,
        poisoning_labels.TARGETED,
        poisoning_labels.GROUPS,
        poisoning_rows.CHECK,
        poisoning_removal.CHECK,
        backdoor_planted.CHECK,
        backdoor_taught.CHECK,
        backdoor_carriers.CHECK,
        text_edits.CHECK,
        text_attack.CHECK,
        image_changes.CHECK,
        image_gradient_attack.CHECK,
        image_patch_attack.CHECK,
    ),
    "stress": (
        unit_mistake.CHECK,
        swapped_columns.CHECK,
        out_of_range.CHECK,
        rounding.CHECK,
        batches.CHECK,
        casts.CHECK,
        priors.CHECK,
        drift.CHECK,
        invariance.CHECK,
        direction.CHECK,
    ),
    "slices": (declared.CHECK, found.CHECK, before.CHECK),
    "uncertainty": (conformal.CHECK, abstention.CHECK),
    "privacy": (
        membership.CHECK,
        epsilon.CHECK,
        attribute_inference.CHECK,
        inversion.CHECK,
        canaries.CHECK,
        shadow_models.CHECK,
    ),
    "explanation": (
        importance.CHECK,
        shapley.CHECK,
        usefulness.CHECK,
        words.CHECK,
        word_shapley.CHECK,
        image_occlusion.CHECK,
        image_gradients.CHECK,
        dependence.CHECK,
        effects.CHECK,
        surrogate.CHECK,
        counterfactuals.CHECK,
        prototypes.CHECK,
        glassbox.CHECK,
    ),
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
