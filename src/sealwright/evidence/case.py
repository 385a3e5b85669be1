"""What a gate is shown, and what it answers.

Answers: which facts enter a decision, and what does the decision hold?
Does not answer: how one follows from the other. That is `rules`.
Frozen, no I/O.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sealwright.evidence.approvals import Approval, Attestation
from sealwright.evidence.model import Change, Measuring, Outcome, Record, Result, Subject
from sealwright.evidence.people import Standing
from sealwright.evidence.policy import Policy
from sealwright.kernel import rfc3339

__all__ = ["Case", "GateDecision", "Terms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """One frozen charter: the policy that was promised, and its place in the ledger."""

    statement: str  # digest
    ledger_index: int
    policy: Policy
    groups: tuple[str, ...] = ()
    settings: Mapping[str, Any] | None = None  # how hard was promised to be measured; None: nobody can tell any more
    settled: bool = False  # no result was seen under it, or a release has settled it: nothing is held against it


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything a gate is shown. All of it was verified; nothing here is believed on its own word."""

    subject: Subject
    records: Sequence[Record]
    terms: Sequence[Terms]  # every charter frozen for this project
    approvals: Sequence[Approval] = ()
    attestations: Sequence[Attestation] = ()
    people: Mapping[str, Standing] = field(default_factory=dict)
    barred: Mapping[str, str] = field(default_factory=dict)  # name -> "trained this model"
    filed: Collection[str] = ()  # digests the ledger knows and the gate must therefore have been shown
    others: Collection[str] = ()  # digests of statements that were looked at and hold nothing to judge
    measuring: Measuring = field(default_factory=Measuring)
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecision:
    """What a gate says about one package under one policy. It passed if nothing stands in the way."""

    subject: Subject
    policy: Policy
    results: tuple[Result, ...]
    loosened: tuple[Change, ...]  # less than was frozen before results
    approvals: tuple[Approval, ...]  # those that count
    decided_at: datetime
    evidence: tuple[str, ...]  # digests of every statement that was looked at

    @property
    def passed(self) -> bool:
        return bool(self.results) and all(result.outcome.opens for result in self.results)

    @property
    def blocking(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if not result.outcome.opens)

    @property
    def attested(self) -> tuple[str, ...]:
        """Digests of the attestations it rests on; they belong into the package beside the approvals."""
        words = (one for result in self.results for one in result.instances if one.outcome is Outcome.ATTESTED)
        return tuple(dict.fromkeys(one.statement for one in words))

    @property
    def below_class(self) -> tuple[Change, ...]:
        """Where the project asks for less than its risk class."""
        return self.policy.changes_below_class

    def to_json(self) -> dict[str, Any]:
        """For `--json`, the report, and the "sealwright" part of the verification summary."""
        return {
            "format": 1,
            "project": self.subject.project,
            "package": self.subject.package,
            "model": self.subject.model,
            "data": self.subject.data,
            "task": self.subject.task,
            "groups": list(self.subject.groups),
            "passed": self.passed,
            "decided_at": rfc3339(self.decided_at),
            "risk_class": self.policy.risk_class.value,
            "policy": self.policy.digest,
            "approvals_required": self.policy.approvals.to_json(),
            "approvals": [
                {"purpose": a.purpose, "by": a.by, "role": a.role, "key": a.key_id, "statement": a.statement}
                for a in self.approvals
            ],
            "below_class": [_change(change) for change in self.below_class],
            "loosened": [_change(change) for change in self.loosened],
            "results": [result.to_json() for result in self.results],
        }


def _change(change: Change) -> dict[str, str]:
    return {"what": change.what, "before": change.before, "after": change.after, "why": change.why}
