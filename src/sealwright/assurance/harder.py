"""Which way each setting of the `assurance` section makes the checks try harder.

Answers: which settings may change after results were seen without anybody's leave, because findings only become harder to
pass? The gate asks, with what was frozen in one hand and what a statement was measured under in the other.
Does not answer: may the others change? A compliance officer signs for that, or does not.

Every setting stands here once, with its reason. To be anything but "fixed", the code of the checks must show that no finding
becomes easier to pass; what helps one check and hurts another is "fixed". The words are those of `evidence.Direction`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sealwright.evidence import Direction

__all__ = ["HARDER", "RULED"]

RULED: "tuple[tuple[Direction, str, str], ...]" = (
    ("free", "What a policy asks for and no suite was run on is missing, whatever stands here.", "suites"),
    ("free", "No check looks at it; it is about explanations somebody asks for.", "text.explained"),
    (("standard", "full"), "At full depth all of the standard one is carried out, and more.", "depth"),
    (
        "more",
        "More rows are looked at: a finding says more about the model, and less about which rows were drawn.",
        """
        attacks.rows attacks.long_rows budget.rows budget.robustness_rows budget.explanation_rows budget.fairness_rows
        budget.baseline_rows explanation.rows explanation.background explanation.local_rows explanation.counterfactual_rows
        images.images images.attacked images.explained leakage.rows leakage.shadow_rows poisoning.rows poisoning.chosen
        slice_search.rows stress.huge_batch text.documents text.attacked
        """,
    ),
    (
        "more",
        "It is drawn anew more often: a finding hangs less on the lot.",
        "bootstrap budget.repeats poisoning.repeats uncertainty.splits",
    ),
    (
        "more",
        "Whoever attacks, or explains, may ask and try more for each row, input or model, and finds no less.",
        """
        attacks.queries attacks.long_queries explanation.queries images.queries images.steps leakage.shadows
        leakage.starts leakage.rounds text.queries
        """,
    ),
    (
        "more",
        "The finding is about a larger disturbance, attack or poison. Policies limit reported_at from below for the same reason.",
        """
        reported_at attacks.reported_budget images.reported_at poisoning.labels_at poisoning.planted_at
        poisoning.removed_at text.reported_at
        """,
    ),
    (
        "more",
        "With less time, or fewer questions in all, checks are left out, and their suite counts as run. None: no limit.",
        "budget.seconds budget.queries",
    ),
    ("more", "More of the parts with more errors that the search proposes count as found.", "slice_search.false_discoveries"),
    (
        "less",
        "The model counts as broken, moved or exposed from a smaller effect on.",
        """
        attacks.moved_by leakage.exposed_at stress.breaks_at.score_drop stress.breaks_at.flip_share
        stress.breaks_at.shift stress.breaks_at.no_answer_share stress.breaks_at.error_rise
        stress.breaks_at.calibration_gap
        """,
    ),
    (
        "less",
        "A smaller epsilon or delta claims more, and attacks are held against the claim.",
        "claimed_privacy.epsilon claimed_privacy.delta",
    ),
    (
        "kept",
        "What was tried is still tried. The strength a finding is about stands elsewhere, or is the largest of these.",
        """
        noise missing extraction.queries images.epsilons poisoning.labels poisoning.copies poisoning.planted
        poisoning.removed stress.shares text.shares
        """,
    ),
    (
        "kept",
        "Each is judged by itself and the worst counts. One that cannot be judged is not performed, which does not pass.",
        "canaries expectations slices",
    ),
    ("kept", "As long as none was given, nothing was measured against it.", "claimed_privacy costs"),
    (
        "parted",
        "One more column is compared besides. Other groups of a column that was compared could hide a gap that was seen.",
        "groups",
    ),
    (
        "fixed",
        "Wider intervals make most limits harder to keep, but findings of what is certain, such as privacy.epsilon_exceeded, smaller.",
        "confidence interval",
    ),
    (
        "fixed",
        "More groups are more comparisons, and the more there are, the more the correction for their number forgives each.",
        "smallest_group smallest_part crossed slice_search.smallest slice_search.candidates",
    ),
    (
        "fixed",
        "It says what is measured, not how hard.",
        """
        favourable threshold beta top_share quantile legitimate reference neighbours top uncertainty.coverage
        uncertainty.target_error explanation.together explanation.local_fidelity explanation.counterfactual_budget
        explanation.prototypes
        """,
    ),
    ("fixed", "It says what an attacker cannot change, and at what price; to rule out more is to find less.", "constraints exclusive"),
    (
        "fixed",
        "A finding is about the strength nearest to a usual one, or the middle one, so one more can move it.",
        """
        stress.beyond stress.rounding stress.odds stress.drift images.noise images.blur images.brightness
        images.contrast images.occlusion images.rotation images.shift images.compression
        """,
    ),
    ("fixed", "The budgets share the questions for a row, so one more leaves the reported one fewer.", "attacks.budgets"),
    ("fixed", "Which mistaken unit hurts most depends on the model, not on the size of the mistake.", "stress.unit_factor"),
    (
        "fixed",
        "Other words mean other documents, and a share of more of them can be smaller.",
        "text.synonyms text.english text.identity_pairs text.smallest_count",
    ),
    ("fixed", "A rank among more models is finer, not higher.", "poisoning.models"),
)  # fmt: skip

HARDER: "Mapping[str, Direction]" = {name: way for way, _, names in RULED for name in names.split()}
"""By dotted name, such as "attacks.rows"."""
