"""The desk: one project in one workspace, with what every step needs at hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sealwright.evidence import Evidence, Policy, resolve_policy
from sealwright.kernel import NotFound, canonical_json, digest_of
from sealwright.pipeline.project import Project
from sealwright.pipeline.runs import Run, RunStore
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Ledger, make_statement, sign_statement

__all__ = ["Desk", "digest_of_json"]


@dataclass(frozen=True, slots=True)
class Desk:
    """A project being worked on, or only looked at while another program may be working on it."""

    workspace: Workspace
    project: Project
    look: bool = False

    @property
    def evidence(self) -> Evidence:
        return evidence_of(self.workspace, look=self.look)

    @property
    def ledger(self) -> Ledger:
        """The control ledger; to read, where this desk only looks."""
        return self.workspace.ledger_to_read() if self.look else self.workspace.ledger

    @property
    def runs(self) -> RunStore:
        """The runs. Whoever works on them holds the ledger, so that two programs never mix their steps."""
        if not self.look:
            self.workspace.hold_ledger()
        return RunStore(self.workspace.db, self.workspace.folder("runs"), self.workspace.clock)

    @property
    def policy(self) -> Policy:
        return resolve_policy(self.project.spec.policy, self.project.spec.charter)

    @property
    def groups(self) -> tuple[str, ...]:
        """Attributes that must be compared: the sensitive columns, and those the assurance settings name besides."""
        declared = self.project.spec.assurance.cut_points() or {}
        return tuple(dict.fromkeys([*self.project.spec.data.sensitive, *declared]))

    def begin(self, by: str, *, fresh: bool = False) -> Run:
        """The run to go on with: the last one of this project, or a new one."""
        latest = None if fresh else self.runs.latest(self.project.name)
        return latest or self.runs.start(self.project.name, self.project.digest, by)

    def last(self) -> Run:
        """The last run.

        Raises
        ------
        NotFound
            Nothing was done yet.
        """
        latest = self.runs.latest(self.project.name)
        if latest is None:
            raise NotFound(
                f"Nothing was done yet for {self.project.name}.\nBegin with: sealwright run {self.project.folder}"
            )
        return latest

    def state(
        self, subjects: Sequence[tuple[str, str]], predicate_type: str, predicate: Mapping[str, Any], *, by: str
    ) -> str:
        """Sign a statement with the workspace's key, put it on file and into the ledger; returns its digest."""
        statement = make_statement(subjects, predicate_type, predicate)
        envelope = sign_statement(statement, self.workspace.keyring.signer("statements"))
        return self.evidence.file_statement(envelope, project=self.project.name, actor=by).digest


def evidence_of(workspace: Workspace, *, look: bool = False) -> Evidence:
    """The evidence of a workspace; with `look`, nothing can be filed and nobody is held up."""
    return Evidence(
        db=workspace.db,
        ledger=workspace.ledger_to_read() if look else workspace.ledger,
        trust_root=workspace.trust_root,
        standing_root=workspace.standing_root,
        clock=workspace.clock,
    )


def digest_of_json(value: object) -> str:
    """Digest of a value's canonical JSON: the same settings, however written, have the same one."""
    return digest_of(canonical_json(value))
