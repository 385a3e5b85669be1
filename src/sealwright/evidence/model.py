"""What a gate looks at, and what it says.

Answers: which facts are on file about a model, and what came of each requirement?
Does not answer: is the evidence genuine? It was verified before it took these shapes.
Frozen, no I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from sealwright.kernel import InvalidInput, hex_of, rfc3339

__all__ = [
    "Change",
    "Direction",
    "Instance",
    "Measurement",
    "Measuring",
    "NotPerformed",
    "Outcome",
    "Record",
    "Result",
    "Subject",
]

TASKS = ("binary", "multiclass", "regression")


class Outcome(StrEnum):
    """The closed set of what can come of a requirement. Only the three of `opens` let a model through."""

    PASS = "pass"  # noqa: S105 - measured, recent, about this model, within the limit
    FAIL = "fail"  # measured and outside the limit
    MISSING = "missing"  # nothing on file
    STALE = "stale"  # on file, but about another model or dataset, or too old
    NOT_PERFORMED = (
        "not_performed"  # tried and not possible as the policy asks: reason given, too few rows, no interval
    )
    ATTESTED = "attested"  # a person's signed word instead of a measurement, where the policy allows it
    NOT_APPLICABLE = "not_applicable"  # the policy does not ask this of such a task, or the model has no such thing
    NOT_YET = "not_yet"  # waits for something that can only come later, such as an approval

    @property
    def opens(self) -> bool:
        """True where this outcome does not stand in the way."""
        return self in {Outcome.PASS, Outcome.ATTESTED, Outcome.NOT_APPLICABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is to be released. Everything in it comes from verified statements, nothing from a form."""

    project: str
    package: str  # digest P of the candidate
    model: str  # digest M of model.onnx
    data: str  # digest D of the snapshot it was made and judged on
    task: str  # one of TASKS
    groups: tuple[str, ...] = ()  # attributes the data contract calls sensitive, or the assurance settings name

    def __post_init__(self) -> None:
        for digest in (self.package, self.model, self.data):
            hex_of(digest)
        if self.task not in TASKS:
            raise InvalidInput(f"The task is {self.task!r}; expected one of {', '.join(TASKS)}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One finding of a signed statement."""

    check: str
    value: float
    low: float | None
    high: float | None
    n: int  # rows the value rests on
    unit: str
    attribute: str | None = None  # the column whose groups it compares; None: about the whole model
    level: str | None = None  # one group of that column; None: the column as a whole


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPerformed:
    """A check a suite did not carry out, and why it says so. `applicable` is False where there is no such thing
    to measure: noise on a model that takes no numbers.
    """

    check: str
    why: str
    attribute: str | None = None
    applicable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One place where a policy asks for less than another, or a model was measured more gently than promised."""

    what: str  # "fairness.selection_gap", "suite fairness", "approvals", "assurance.smallest_group"
    before: str
    after: str
    why: str = ""  # the reason the project gave, if it gave one


Direction = Literal["more", "less", "kept", "parted", "free", "fixed"] | tuple[str, ...]
"""Which way a setting makes the checks try harder: a larger number (none: no limit), a smaller one; items may join and
none may go; columns may join and the groups of the others stay; whatever it is; never, so that every change counts. A tuple
lists what it may be, from gentle to hard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """What is known of the settings models are measured under. Knowing nothing is safe: then every change counts."""

    harder: Mapping[str, Direction] = field(default_factory=dict)  # dotted name; "fixed" where it is absent
    defaults: Mapping[str, Any] = field(default_factory=dict)  # what holds where a promise does not name a setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The measurements of one verified statement, with its place in the ledger."""

    statement: str  # digest of the statement
    ledger_index: int
    suite: str
    model: str | None  # None: about the data alone
    data: str
    performed_at: datetime
    task: str = ""  # empty where it does not matter
    settings: Mapping[str, Any] = field(default_factory=dict)
    measurements: tuple[Measurement, ...] = ()
    not_performed: tuple[NotPerformed, ...] = ()
    gentler: tuple[Change, ...] = ()  # settings that tried less hard than promised; the gate fills it in


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One measurement as it was judged: a requirement may match one for each attribute."""

    outcome: Outcome
    found: str
    attribute: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    unit: str = ""
    statement: str = ""  # digest, empty where nothing is on file
    gentler: tuple[Change, ...] = ()  # as in the record it rests on

    def to_json(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome.value,
            "found": self.found,
            "attribute": self.attribute,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "unit": self.unit,
            "statement": self.statement,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one requirement, and what to do about it."""

    check: str
    outcome: Outcome
    found: str  # in words, the worst first
    limit: str  # in words
    why: str  # why the policy asks
    who: str  # role that must act
    next_step: str  # empty where nothing stands in the way
    source: str  # "class", "use_case", "project", "objective" or "gate"
    instances: tuple[Instance, ...] = ()

    @property
    def evidence(self) -> tuple[str, ...]:
        """Digests of the statements it rests on."""
        return tuple(dict.fromkeys(one.statement for one in self.instances if one.statement))

    def to_json(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "outcome": self.outcome.value,
            "found": self.found,
            "limit": self.limit,
            "why": self.why,
            "who": self.who,
            "next_step": self.next_step,
            "source": self.source,
            "instances": [one.to_json() for one in self.instances],
        }


def as_of(moment: datetime) -> str:
    """A moment as it stands in texts for people: the day is enough."""
    return rfc3339(moment)[:10]
