"""What can be compared: for each word, the other ways to make the model and the suites that tell them apart.

Adding one is one line here, and a function that lists the ways.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sealwright.kernel import InvalidInput
from sealwright.pipeline.project import Project
from sealwright.pipeline.variants import Variant
from sealwright.pipeline.variants_fairness import mitigation_variants
from sealwright.pipeline.variants_hardening import hardening_variants
from sealwright.pipeline.variants_privacy import privacy_variants

__all__ = ["COMPARISONS", "ComparisonKind", "comparison_kind"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonKind:
    """One question asked of several ways."""

    title: str
    variants: Callable[[Project], tuple[Variant, ...]]
    suites: tuple[str, ...]  # besides performance
    trade: tuple[str, ...]  # checks drawn against accuracy, smaller is better; the first one filed is drawn first
    absent: str  # why there may be no way to compare, and what to do


COMPARISONS: Mapping[str, ComparisonKind] = {
    "fairness": ComparisonKind(
        title="Ways to make groups fare more alike",
        variants=mitigation_variants,
        suites=("fairness",),
        trade=("fairness.selection_gap", "fairness.mean_prediction_gap", "fairness.class_rate_gap"),
        absent="no column forms groups (role `sensitive`, or assurance.groups; a number needs cut points), or the recipe"
        " is your own code",
    ),
    "robustness": ComparisonKind(
        title="Ways to make the model harder to fool",
        variants=hardening_variants,
        suites=("robustness",),
        trade=("robustness.evasion_flip_share", "robustness.noise_flip_share", "robustness.noise_shift"),
        absent="the recipe is your own code, which hardens itself",
    ),
    "privacy": ComparisonKind(
        title="Ways to learn without remembering anybody",
        variants=privacy_variants,
        suites=("privacy",),
        trade=("privacy.membership_auc",),
        absent="no private recipe learns a number",
    ),
}


def comparison_kind(name: str) -> ComparisonKind:
    """The kind of this name.

    Raises
    ------
    InvalidInput
        There is none; names those there are.
    """
    if name not in COMPARISONS:
        raise InvalidInput(f"There is nothing to compare under {name!r}. Use one of: {', '.join(COMPARISONS)}.")
    return COMPARISONS[name]
