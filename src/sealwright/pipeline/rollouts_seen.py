"""What the arms of a rollout did, gathered from the records of the server and from what the organisation reported back.

Answers: how many answers, failures, times, scores, selections and outcomes has each arm, stage by stage?
Does not answer: whether that is good. It reads on from where it stopped, so that looking again costs what is new only.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np

from sealwright.kernel import VerificationFailed, rfc3339
from sealwright.pipeline.decision_records import channel_shadows, decision_records
from sealwright.pipeline.rollouts_judgement import Observed
from sealwright.pipeline.rollouts_plan import RolloutPlan
from sealwright.pipeline.rollouts_statistics import Sample
from sealwright.pipeline.workspace import Workspace
from sealwright.serving import (
    COUNTS,
    ArmCount,
    AskedReader,
    DecisionRecord,
    ShadowRecord,
    Told,
    contract_of,
    decision_ledger_folder,
    decision_origin,
    told_in,
)
from sealwright.trust import Ledger, LedgerEntry, PointerArm, open_sealed, wait_for_checkpoint

__all__ = ["OUTCOMES", "OUTCOMES_KEY_PURPOSE", "Seen", "outcomes_aad"]

OUTCOMES = "rollout.outcomes"
OUTCOMES_KEY_PURPOSE = "sealwright rollout outcomes v1"
_REFUSED = "serving.arm_refused"
_SKEW = timedelta(minutes=5)
_Where = tuple[int, str]  # sequence of the pointer, name of the arm


@dataclass(slots=True)
class _Gathered:
    count: ArmCount = field(default_factory=ArmCount)
    drawn: set[object] = field(default_factory=set)
    scores: "array[float]" = field(default_factory=lambda: array("d"))
    groups: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    compared: int = 0
    agreed: int = 0


class Seen:
    """One rollout, as far as it was read."""

    def __init__(self, plan: RolloutPlan, interface: Mapping[str, Any]) -> None:
        """`interface`: of the champion's package; requests are read by it."""
        contract = contract_of(interface)
        self._plan, self._asked, classes = plan, AskedReader(contract), contract.classes
        positive = str(interface.get("positive", ""))
        self._positive = classes.index(positive) if positive in classes else len(classes) - 1
        limits = plan.spec.limits
        self._fairness, self._metric = limits.fairness, limits.metric
        self._decisions_read = self._shadows_read = self._notes_read = self._ledger_read = -1
        self._arms: dict[_Where, _Gathered] = defaultdict(_Gathered)
        self._decided: dict[str, _Where] = {}  # kept only where outcomes are asked for
        self._groups_of: dict[str, list[str]] = {}  # kept only where a shadow's fairness is asked for
        self._outcomes: dict[str, float] = {}
        self.refused: dict[_Where, str] = {}

    def read_on(self, workspace: Workspace) -> None:
        """Take in what came since the last time.

        Raises
        ------
        VerificationFailed
            A record does not open, or its ledger is not what was signed.
        """
        with _decisions(workspace, self._plan) as ledger:
            if ledger is not None:
                self._read_server(workspace, ledger)
        if self._metric is not None:
            self._read_outcomes(workspace)

    def observed(self, sequence: int, arm: PointerArm) -> Observed:
        """What one arm did under one pointer."""
        where = (sequence, arm.name)
        found = self._arms[where]
        values = [value for one, value in self._outcomes.items() if self._decided.get(one) == where]
        return Observed(
            arm=arm.name,
            number=arm.number,
            share=arm.share,
            answered=found.count.answered,
            failed=found.count.failed,
            refused=found.count.refused,
            left_out=found.count.left_out,
            times=Counter(found.count.times),
            drawn=len(found.drawn),
            scores=np.array(found.scores, dtype=np.float64),
            groups={name: (chosen, n) for name, (chosen, n) in found.groups.items()},
            outcomes=Sample.of(values) if values else Sample(0, 0.0, 0.0),
            compared=found.compared,
            agreed=found.agreed,
        )

    def _read_server(self, workspace: Workspace, ledger: Ledger) -> None:
        """Decisions first: a shadow's rows belong to the groups of the decision it shadows."""
        plan = self._plan
        if self._decisions_read < 0:
            self._decisions_read = self._shadows_read = self._notes_read = _first_since(ledger, plan)
        start = {plan.channel: self._decisions_read}
        for _, entry, record in decision_records(workspace, plan.project, start=start, channel=plan.channel):
            self._take_decision(record)
            self._decisions_read = entry.index + 1
        self._decisions_read = max(
            self._decisions_read, ledger.size
        )  # no hour is opened again for what follows its last
        if plan.kind == "shadow":
            self._read_shadows(workspace, ledger.size)
        for one in ledger.entries(self._notes_read):
            self._take(one)
            self._notes_read = one.index + 1

    def _read_shadows(self, workspace: Workspace, end: int) -> None:
        """Those before entry `end`: what they shadow comes before them, and has been read."""
        if self._shadows_read >= end:
            return
        plan = self._plan
        for where, shadow in channel_shadows(workspace, plan.project, plan.channel, start=self._shadows_read):
            if where.index >= end:
                break
            self._take_shadow(shadow)
            self._shadows_read = where.index + 1
        self._shadows_read = end  # so that no file of an hour is opened twice for the entries after its last shadow

    def _take(self, entry: LedgerEntry) -> None:
        said = entry.detail
        if entry.action == COUNTS:
            self._arms[int(said["sequence"]), str(said["arm"])].count.add(ArmCount.from_json(said))
        elif entry.action == _REFUSED:
            self.refused[int(said["sequence"]), str(said["arm"])] = str(said["reason"])

    def _take_decision(self, record: DecisionRecord) -> None:
        if record.named or not record.arm:
            return  # the caller chose the version: it was not drawn
        where = (record.sequence, record.arm)
        gathered = self._arms[where]
        gathered.drawn.add(record.person or hash(record.request))
        groups = self._groups(record)
        self._take_rows(gathered, told_in(record.answer, record.kept), groups)
        if self._metric is not None:
            self._decided[record.decision] = where
        if groups and self._plan.kind == "shadow":
            self._groups_of[record.decision] = groups

    def _take_shadow(self, shadow: ShadowRecord) -> None:
        gathered = self._arms[shadow.sequence, shadow.arm]
        gathered.compared += len(shadow.shadow)
        gathered.agreed += shadow.agreed
        self._take_rows(gathered, shadow.shadow, self._groups_of.pop(shadow.decision, []))

    def _take_rows(self, where: _Gathered, rows: list[Told], groups: list[str]) -> None:
        for at, row in enumerate(rows):
            score = row.value if row.value is not None else row.scores[self._positive] if row.scores else None
            if score is not None:
                where.scores.append(score)
            if self._fairness is not None and at < len(groups):
                where.groups[groups[at]][0] += row.label == self._fairness.favourable
                where.groups[groups[at]][1] += 1

    def _groups(self, record: DecisionRecord) -> list[str]:
        """The group of each row, where fairness is asked for."""
        if self._fairness is None:
            return []
        try:
            return [str(row[self._fairness.column]) for row in self._asked.rows(record.protocol, record.request)]
        except VerificationFailed:
            return []  # a table or binary data, in which nobody's group can be told from here

    def _read_outcomes(self, workspace: Workspace) -> None:
        ledger = workspace.ledger_to_read()
        if self._ledger_read < 0:
            self._ledger_read = _first_since(ledger, self._plan)
        keys = workspace.keyring.keys("decisions", OUTCOMES_KEY_PURPOSE)
        for entry in ledger.entries(self._ledger_read):
            self._ledger_read = entry.index + 1
            said = entry.detail
            here = (said.get("project"), said.get("channel")) == (self._plan.project, self._plan.channel)
            if entry.action == OUTCOMES and here and entry.attachment is not None:
                self._outcomes |= _opened(keys, entry, outcomes_aad(self._plan.project, self._plan.channel))


def outcomes_aad(project: str, channel: str) -> bytes:
    """Where reported outcomes belong; they open nowhere else."""
    return f"rollout outcomes/{project}/{channel}".encode()


def _opened(keys: tuple[bytes, ...], entry: LedgerEntry, aad: bytes) -> dict[str, float]:
    assert entry.attachment is not None
    for at, key in enumerate(keys):
        try:
            return msgspec.json.decode(open_sealed(key, entry.attachment, aad=aad), type=dict[str, float])
        except VerificationFailed:
            if at == len(keys) - 1:
                raise
    raise VerificationFailed("There is no key that opens reported outcomes.", link=f"entry {entry.index}")


@contextmanager
def _decisions(workspace: Workspace, plan: RolloutPlan) -> Iterator[Ledger | None]:
    """The ledger that the server of this place writes, as of its newest checkpoint; None before there is one."""
    folder = decision_ledger_folder(workspace.home, plan.project, plan.channel)
    if not (folder / "checkpoints.log").is_file():
        yield None
        return
    origin, keys = (
        decision_origin(workspace.id, plan.project, plan.channel),
        workspace.trust_root.keys_of("decision-checkpoints"),
    )
    wait_for_checkpoint(folder, origin=origin, keys=keys)
    with Ledger.open(folder, origin=origin, signer=None, keys=keys) as ledger:
        yield ledger


def _first_since(ledger: Ledger, plan: RolloutPlan) -> int:
    """The first entry that may belong to the rollout, found by halving: a ledger may hold millions of older ones."""
    since, low, high = rfc3339(plan.made_at - _SKEW), 0, ledger.size
    while low < high:
        middle = (low + high) // 2
        if ledger.entry(middle).at < since:
            low = middle + 1
        else:
            high = middle
    return low
