"""The `assurance:` section of a project file: what to judge, by which groups, within which budget.

Every field has a default that suits most projects; `assurance: {}` is complete.
"""

import math
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sealwright.assurance.attack_spec import AttackSpec
from sealwright.assurance.constraint_spec import ChangeSpec
from sealwright.assurance.explanation_spec import ExplanationSpec
from sealwright.assurance.leakage_spec import Canaries, ClaimedPrivacy, LeakageSpec
from sealwright.assurance.media_spec import ImageSpec, TextSpec
from sealwright.assurance.poisoning_spec import ExtractionSpec, PoisoningSpec
from sealwright.assurance.slice_spec import DeclaredSlice, SliceSearch
from sealwright.assurance.stress_spec import Expectation, StressSpec
from sealwright.assurance.uncertainty_spec import UncertaintySpec

__all__ = ["AssuranceSpec", "Budget", "SuiteName"]

SuiteName = Literal[
    "quality", "performance", "fairness", "robustness", "stress", "slices", "uncertainty", "privacy", "explanation"
]

_Share = Annotated[float, Field(gt=0, le=1)]
_ROUNDED = 0.01  # declared shares are rounded; their sum may be off by this much
_ALL: tuple[SuiteName, ...] = (
    *("quality", "performance", "fairness", "robustness", "stress", "slices", "uncertainty", "privacy", "explanation"),
)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Budget(_Section):
    """How much work a judgement may take. Larger tables are sampled, and every finding says its n."""

    rows: int = Field(
        100_000, ge=100, le=10_000_000, description="Most rows of the test and of the training table to predict."
    )
    robustness_rows: int = Field(2_000, ge=100, le=1_000_000, description="Most rows to disturb, per disturbance.")
    explanation_rows: int = Field(2_000, ge=100, le=1_000_000, description="Most rows to permute, per feature.")
    fairness_rows: int = Field(
        4_000, ge=100, le=100_000, description="Most rows to compare with each other, to flip, and to seek proxies in."
    )
    baseline_rows: int = Field(
        10_000, ge=100, le=1_000_000, description="Most training rows the simple model to compare with learns from."
    )
    repeats: int = Field(10, ge=2, le=200, description="Times each disturbance and each permutation is drawn anew.")
    seconds: int | None = Field(
        None,
        ge=1,
        le=604_800,
        description="Checks that have not begun after so many seconds are not performed, and a gate that asks for them"
        " stays shut. Which they are depends on the machine. Left out: every check is carried out.",
    )
    queries: int | None = Field(
        None,
        ge=1,
        le=1_000_000_000_000,
        description="Most rows the model is asked for, all checks together; a check that would pass it is not performed."
        " All checks then run one after the other in one process. Left out: as many as the checks need.",
    )


class AssuranceSpec(_Section):
    """How a model of this project is judged."""

    suites: tuple[SuiteName, ...] = Field(_ALL, min_length=1, description="Suites to run.")
    depth: Literal["standard", "full"] = Field(
        "standard",
        description="full: also the checks that train many models or search long; minutes instead of seconds.",
    )
    groups: tuple[str | dict[str, tuple[float, ...]], ...] | None = Field(
        None,
        description="Columns whose groups are compared: a name, or a name with ascending cut points such as"
        " {age: [25, 40, 60]}. Left out: every column the contract calls sensitive.",
    )
    favourable: str | None = Field(
        None,
        description="The outcome people hope for; left out: the positive class. Needed with more than two classes.",
    )
    threshold: float = Field(0.5, gt=0, lt=1, description="Binary: probability of the positive class that decides.")
    beta: float = Field(
        2.0, gt=0, le=100, description="F-beta: how many times as much as precision recall counts; 2 is usual."
    )
    costs: dict[str, dict[str, float]] | None = Field(
        None,
        description="What a decision costs, by true and by decided outcome; a benefit is negative, what is left out"
        " costs nothing. If bad credit taken for good costs five times a refusal of good credit:"
        " {bad: {good: 5}, good: {bad: 1}}. Left out: decisions are not weighed by cost.",
    )
    top_share: _Share = Field(
        0.1, description="Binary: the share of rows with the highest scores for which lift and gain are stated."
    )
    quantile: float = Field(
        0.5, gt=0, lt=1, description="Regression: the quantile of the target the model is to predict; 0.5 the median."
    )
    confidence: float = Field(0.95, ge=0.8, le=0.999, description="Confidence of every interval.")
    interval: Literal["wilson", "exact"] = Field(
        "wilson",
        description="Interval of a share of rows. wilson (1927) covers as often as it says on average over shares; exact"
        " (Clopper and Pearson 1934) at least as often for every share, and is wider.",
    )
    bootstrap: int = Field(1_000, ge=200, le=20_000, description="Resamples where an interval is bootstrapped.")
    smallest_group: int = Field(30, ge=2, description="Groups with fewer rows are listed as not judged.")
    smallest_part: int = Field(
        10, ge=1, description="Fewest rows of one true outcome inside a group for its true and false positive rates."
    )
    crossed: int = Field(2, ge=1, le=3, description="Most attributes crossed into one group; 1: none are.")
    legitimate: str | None = Field(
        None,
        description="Feature within whose values groups are compared again, such as a qualification the work needs."
        " Left out: the feature that changes the difference most.",
    )
    reference: dict[str, dict[str, _Share]] = Field(
        {},
        description="Shares of the groups among the people the model is for, such as {sex: {female: 0.5, male: 0.5}}."
        " Left out: the shares among the test rows.",
    )
    neighbours: int = Field(5, ge=1, le=100, description="Most similar rows that should be decided alike.")
    top: _Share = Field(0.1, description="Share of the ranking that counts as its top.")
    noise: tuple[_Share, ...] = Field(
        (0.05, 0.1, 0.25, 0.5), min_length=1, max_length=20, description="Noise on numbers, in standard deviations."
    )
    missing: tuple[_Share, ...] = Field(
        (0.05, 0.1, 0.25, 0.5), min_length=1, max_length=20, description="Share of cells emptied or swapped."
    )
    reported_at: _Share = Field(0.1, description="The strength of disturbance whose effect becomes a finding.")
    slices: tuple[DeclaredSlice, ...] = Field(
        (), max_length=50, description="Parts of the test rows that get measures of their own."
    )
    slice_search: SliceSearch = Field(SliceSearch(), description="How parts nobody declared are searched for.")
    stress: StressSpec = Field(StressSpec(), description="How hard the model is pressed, and when it counts as broken.")
    expectations: tuple[Expectation, ...] = Field(
        (), max_length=100, description="Changes of a row that must leave its answer alone, or move it one way only."
    )
    uncertainty: UncertaintySpec = Field(
        UncertaintySpec(), description="How often sets and intervals must hold the truth, and which error is accepted."
    )
    constraints: dict[str, ChangeSpec] = Field(
        {},
        description="What could be changed about a row, by feature, such as {income: {direction: up, cost: 2}}. Attacks"
        " and counterfactuals stay within it. Left out: every feature within what contract and training rows show,"
        " except columns whose groups are compared.",
    )
    exclusive: tuple[Annotated[tuple[str, ...], Field(min_length=2, max_length=100)], ...] = Field(
        (), max_length=100, description="Number columns of which exactly one is 1, for one-hot columns: [[red, green]]."
    )
    attacks: AttackSpec = Field(
        AttackSpec(), description="How hard single rows are attacked, and what a change may cost."
    )
    poisoning: PoisoningSpec = Field(
        PoisoningSpec(), description="What an attacker who writes training rows may spend."
    )
    extraction: ExtractionSpec = Field(ExtractionSpec(), description="What somebody who copies the model may spend.")
    text: TextSpec = Field(TextSpec(), description="How documents are pressed and explained.")
    images: ImageSpec = Field(ImageSpec(), description="How images are pressed and explained.")
    explanation: ExplanationSpec = Field(
        ExplanationSpec(), description="How many rows are explained, at which expense, and what is refused."
    )
    leakage: LeakageSpec = Field(LeakageSpec(), description="How hard membership and inputs are attacked.")
    claimed_privacy: ClaimedPrivacy | None = Field(
        None,
        description="The guarantee of differential privacy the model is said to have. Attacks are held against it. Left"
        " out: the one the model was trained with here, if any.",
    )
    canaries: Canaries = Field(
        (), description="Made-up texts planted in training rows, to see whether they are remembered."
    )
    budget: Budget = Budget()

    @field_validator("suites")
    @classmethod
    def _each_suite_once(cls, suites: tuple[SuiteName, ...]) -> tuple[SuiteName, ...]:
        return tuple(name for name in _ALL if name in suites)

    @field_validator("slices")
    @classmethod
    def _titles_differ(cls, slices: tuple[DeclaredSlice, ...]) -> tuple[DeclaredSlice, ...]:
        titles = [one.title for one in slices]
        if len(set(titles)) != len(titles):
            raise ValueError("two slices have the same name: give each a name of its own")
        return slices

    @field_validator("favourable", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return _as_class(value)

    @field_validator("costs", mode="before")
    @classmethod
    def _classes_as_text(cls, costs: Any) -> Any:
        if not isinstance(costs, dict):
            return costs
        rows = {_as_class(true): row for true, row in costs.items()}
        return {
            true: {_as_class(decided): cost for decided, cost in row.items()} if isinstance(row, dict) else row
            for true, row in rows.items()
        }

    @field_validator("costs")
    @classmethod
    def _costs_are_numbers_that_differ(cls, costs: Any) -> Any:
        cells = [cost for row in (costs or {}).values() for cost in row.values()]
        if costs is not None and (not all(map(math.isfinite, cells)) or not any(cells)):
            raise ValueError(
                "costs are finite numbers, at least one of them not zero: {bad: {good: 5}, good: {bad: 1}}"
            )
        return costs

    @field_validator("groups")
    @classmethod
    def _cut_points_ascend(cls, groups: Any) -> Any:
        seen: set[str] = set()
        for entry in groups or ():
            named = {entry: None} if isinstance(entry, str) else entry
            if len(named) != 1:
                raise ValueError("one entry names one column: write - age: [25, 40, 60]")
            ((column, cuts),) = named.items()
            if column in seen:
                raise ValueError(f"{column} is named twice")
            seen.add(column)
            if cuts is not None and (
                not cuts
                or len(cuts) > 20
                or not all(map(math.isfinite, cuts))
                or any(a >= b for a, b in pairwise(cuts))
            ):
                raise ValueError(f"the cut points of {column} must be 1 to 20 ascending numbers")
        return groups

    @field_validator("reference")
    @classmethod
    def _shares_add_up(cls, reference: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        for column, shares in reference.items():
            if abs(sum(shares.values()) - 1) > _ROUNDED:
                raise ValueError(f"the shares of {column} add up to {sum(shares.values()):g}, not to 1")
        return reference

    @field_validator("noise", "missing")
    @classmethod
    def _shares_ascend(cls, shares: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(set(shares)))

    def cut_points(self) -> dict[str, tuple[float, ...] | None] | None:
        """Declared columns with their cut points; None where nothing was declared."""
        if self.groups is None:
            return None
        result: dict[str, tuple[float, ...] | None] = {}
        for entry in self.groups:
            result.update({entry: None} if isinstance(entry, str) else dict(entry))
        return result


def _as_class(value: object) -> object:
    return class_text(value) if isinstance(value, (bool, int, float)) else value


def class_text(value: object) -> str:
    """How a class is written everywhere: true and false for booleans, whole numbers without a point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
