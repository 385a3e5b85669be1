"""What can be done about a group that is too small, each with its numbers: collect, weigh, augment.

Answers: how many rows of whom; what would weights cost; how many rows would have to be made up?
Does not answer: which one to choose. Collecting is the only one that adds knowledge; the others say so here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["AugmentProposal", "CollectPlan", "Proposals", "ReweighProposal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectPlan:
    """Rows to collect so that every group of one margin has its least share and its least number of rows, at once.

    Plans of different margins overlap: a young woman counts for the plan by sex and for the plan by age.
    """

    attributes: tuple[str, ...]
    rows: Mapping[tuple[str, ...], int]  # group -> rows to add; only groups that need some
    in_all: int
    hidden: bool  # a group of the margin is hidden, so the numbers would tell how small it is

    def to_json(self) -> dict[str, Any]:
        return {
            "attributes": list(self.attributes),
            "rows": [
                {"group": list(group), "rows": None if self.hidden else more} for group, more in self.rows.items()
            ],
            "in_all": None if self.hidden else self.in_all,
            "hidden": self.hidden,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ReweighProposal:
    """What weights towards the reference cost. The weights themselves are personal data and not in a report."""

    margins: tuple[str, ...]
    effective_rows: float
    rows: int
    largest: float
    smallest: float
    rounds: int
    converged: bool
    gap: float
    unreachable: tuple[str, ...]
    unknown: tuple[str, ...]
    hidden: bool

    def to_json(self) -> dict[str, Any]:
        """With a hidden group, how large the weights are would tell how small it is; a coarse share stays."""
        part = self.effective_rows / max(self.rows, 1)
        return {
            "margins": list(self.margins),
            "effective_rows": None if self.hidden else self.effective_rows,
            "effective_share": round(part, 1) if self.hidden else part,
            "largest": None if self.hidden else self.largest,
            "smallest": None if self.hidden else self.smallest,
            "rounds": None if self.hidden else self.rounds,
            "converged": self.converged,
            "unreachable": None if self.hidden else list(self.unreachable),
            "unknown": None if self.hidden else list(self.unknown),
            "hidden": self.hidden,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentProposal:
    """Rows to make up for groups that have enough rows to learn from. They repeat what the group's rows know."""

    rows: Mapping[tuple[tuple[str, str], ...], int]  # ((attribute, level), …) -> rows
    too_few: tuple[tuple[tuple[str, str], ...], ...]  # groups that need rows and have too few to learn from
    fewest: int

    def to_json(self) -> dict[str, Any]:
        return {
            "groups": [{"where": dict(where), "rows": more} for where, more in self.rows.items()],
            "too_few_to_learn_from": [dict(where) for where in self.too_few],
            "fewest": self.fewest,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """All of them. None: it does not apply."""

    collect: Sequence[CollectPlan]
    reweigh: ReweighProposal | None
    augment: AugmentProposal | None

    def to_json(self) -> dict[str, Any]:
        return {
            "collect": [plan.to_json() for plan in self.collect],
            "reweigh": self.reweigh.to_json() if self.reweigh is not None else None,
            "augment": self.augment.to_json() if self.augment is not None else None,
        }
