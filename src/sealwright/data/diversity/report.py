"""What was found about the groups in the data: one line a group, one section a margin, and what can be done.

Answers: which numbers, exactly, and which of them may be shown?
Does not answer: how they are laid out. Doors do that.
The objects hold every number; `to_json` leaves out those that would tell about few people of a special group.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sealwright.data.diversity.proposals import Proposals

__all__ = ["DiversityReport", "Fit", "GroupLine", "Margin", "OutcomeGap", "State"]

State = Literal["absent", "under", "few", "unsure", "empty", "enough"]
"""absent: no row of a level that the reference or the contract names, or of a crossed group where that is no chance. under:
its share is below the limit, and chance does not explain it. few: fewer rows than wanted. unsure: below the limit, but so
it could be by chance. empty: a crossed group without rows and without a reference; it may be impossible. enough: none of
these."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLine:
    """One group of one margin. Shares are of the rows in which every attribute of the margin is known."""

    of: tuple[str, ...]  # its levels, one an attribute
    rows: int
    share: float
    interval: Interval
    state: State
    to_minimum: int  # rows to add until there are `at_least`
    reference: float | None = None
    ratio: float | None = None  # share / reference
    p: float | None = None  # of so few rows or fewer if the reference share were true
    adjusted: float | None = None  # for all groups of the report together (Benjamini-Hochberg)
    to_limit: int | None = None  # rows of this group to add until its share is `under` times the reference
    to_reference: int | None = None  # until it is the reference share; None also where no number is enough
    outcomes: Mapping[str, int] = field(default_factory=dict)  # class -> rows; empty for a number as target
    rate: float | None = None  # share of the positive class
    rate_interval: Interval | None = None
    hidden: bool = False  # too few people, or would tell about too few
    outcome_hidden: bool = False

    def to_json(self) -> dict[str, Any]:
        """Without what must not be shown: null there, and `hidden` says so."""
        if self.hidden:
            known = ("reference",)
            blank: dict[str, Any] = dict.fromkeys(_NUMBERS)
            return {"group": list(self.of), **blank, **{one: getattr(self, one) for one in known}, "hidden": True}
        shown = {name: getattr(self, name) for name in _NUMBERS}
        if self.outcome_hidden:
            shown |= {"outcomes": None, "rate": None, "rate_interval": None}
        return {"group": list(self.of), **{name: _plain(value) for name, value in shown.items()}, "hidden": False}


_NUMBERS = (
    "rows",
    "share",
    "interval",
    "state",
    "reference",
    "ratio",
    "p",
    "adjusted",
    "to_minimum",
    "to_limit",
    "to_reference",
    "outcomes",
    "rate",
    "rate_interval",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A whole margin against the reference."""

    statistic: float
    freedom: int
    p: float
    adjusted: float  # for all margins together (Holm)
    how: str
    psi: float
    psi_by_chance: float  # samples of the reference itself stay below it with the spec's confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeGap:
    """Does the outcome differ between the groups of a margin? Groups with fewer rows than `at_least` do not count."""

    lowest: str
    highest: str
    gap: float  # between their shares of the positive class
    p: float
    adjusted: float  # Holm, over all margins


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """The groups of one attribute, or of attributes crossed."""

    attributes: tuple[str, ...]
    known: int  # rows in which every attribute is there
    missing: int
    groups: tuple[GroupLine, ...]
    evenness: float  # Pielou's J: 1 for equal groups
    effective_groups: float  # exp of the entropy
    fit: Fit | None = None
    outcome: OutcomeGap | None = None
    outside: tuple[str, ...] = ()  # groups in the data that the reference does not have; they are not in the fit
    left_out: int = 0  # crossed groups without rows and reference, too many to list
    missing_hidden: bool = False

    @property
    def whole(self) -> bool:
        """Nothing of it is hidden, so that its summary numbers tell nothing that its lines do not."""
        return not self.missing_hidden and not any(group.hidden for group in self.groups)

    def to_json(self) -> dict[str, Any]:
        open_ = self.whole
        outcomes_open = open_ and not any(group.outcome_hidden for group in self.groups)
        return {
            "attributes": list(self.attributes),
            "known": None if self.missing_hidden else self.known,
            "missing": None if self.missing_hidden else self.missing,
            "groups": [group.to_json() for group in self.groups],
            "evenness": self.evenness if open_ else None,
            "effective_groups": self.effective_groups if open_ else None,
            "fit": {name: getattr(self.fit, name) for name in Fit.__slots__} if self.fit and open_ else None,
            "outcome": (
                {name: getattr(self.outcome, name) for name in OutcomeGap.__slots__}
                if self.outcome and outcomes_open
                else None
            ),
            "outside": list(self.outside) if open_ else None,
            "left_out": self.left_out,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DiversityReport:
    """The groups of one table, held against a reference and against the least number of rows."""

    rows: int  # real ones; everything below counts these only
    synthetic: int  # made up earlier; they stand for nobody
    attributes: tuple[str, ...]
    target: str
    positive: str | None
    source: str | None  # of the reference
    date: str | None
    limits: Mapping[str, Any]  # at_least, under, false_discovery, confidence, least_shown, why
    margins: tuple[Margin, ...]
    proposals: Proposals
    notes: tuple[str, ...] = ()

    def of_state(self, *states: State) -> Iterator[tuple[Margin, GroupLine]]:
        """The groups in these states, margin by margin."""
        for margin in self.margins:
            for group in margin.groups:
                if group.state in states:
                    yield margin, group

    def margin(self, *attributes: str) -> Margin:
        """The margin of these attributes.

        Raises
        ------
        KeyError
            It was not measured.
        """
        for margin in self.margins:
            if set(margin.attributes) == set(attributes):
                return margin
        raise KeyError(attributes)

    def with_note(self, note: str) -> "DiversityReport":
        """The same report with one more sentence."""
        return replace(self, notes=(*self.notes, note))

    def to_json(self) -> dict[str, Any]:
        """Everything that may be shown."""
        return {
            "rows": self.rows,
            "synthetic": self.synthetic,
            "attributes": list(self.attributes),
            "target": self.target,
            "positive": self.positive,
            "reference": {"source": self.source, "date": self.date} if self.source is not None else None,
            "limits": dict(self.limits),
            "margins": [margin.to_json() for margin in self.margins],
            "proposals": self.proposals.to_json(),
            "notes": list(self.notes),
        }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
