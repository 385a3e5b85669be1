"""The verbs of evidence: file a statement, enrol people, take approvals, ask the gate, record what it said.

Answers: what is on file, and what does the gate say about it today?
Does not answer: what to do next; the decision itself names the next step and who takes it.

Nothing read from the database is believed: every statement is verified again with the trust root, its place
is taken from the ledger and not from the table, and what the ledger knows and the table lacks is missed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sealwright.charter import (
    CHARTER_TYPE,
    CharterSpec,
    FrozenCharter,
    charter_subjects,
    freeze_charter,
    read_charter,
)
from sealwright.engines import Database
from sealwright.evidence.approvals import (
    APPROVAL_TYPE,
    ATTESTATION_TYPE,
    Approval,
    Attestation,
    verify_approval,
    verify_attestation,
)
from sealwright.evidence.case import Case, GateDecision, Terms
from sealwright.evidence.ledger_view import LedgerView, Place, view_of
from sealwright.evidence.model import Measuring, Subject
from sealwright.evidence.policy import Policy
from sealwright.evidence.records import TEST_RESULT_TYPE, read_record
from sealwright.evidence.register import NotInStanding, PeopleRegister
from sealwright.evidence.resolve import read_policy
from sealwright.evidence.rules import decide, settle_terms
from sealwright.evidence.store import Filed, StatementStore
from sealwright.evidence.summary import VSA_TYPE, vsa
from sealwright.evidence.verify import verify_any
from sealwright.kernel import Clock, Refused, VerificationFailed
from sealwright.trust import Ledger, Signer, Statement, TrustRoot, make_statement, sign_statement

__all__ = ["Evidence"]

_RESULTS_SHOWN = 20  # results of earlier models that are looked at, to say "stale" instead of "missing"
_GATES_SHOWN = 50  # decisions that are looked at to find the last release; not finding it only makes us stricter
_SECTION = "assurance"  # the settings under which a model is measured


class Evidence:
    """The evidence of one workspace."""

    def __init__(
        self,
        *,
        db: Database,
        ledger: Ledger,
        trust_root: TrustRoot,
        clock: Clock,
        standing_root: TrustRoot | None = None,
    ) -> None:
        """Take what it stands on.

        Parameters
        ----------
        trust_root : TrustRoot
            Every key there ever was: what is on file has its place in the ledger.
        standing_root : TrustRoot, optional
            Without the keys that were withdrawn (`trust.heed`): what is filed now must be signed by one of these.
        """
        standing_root = standing_root or trust_root
        self.statements = StatementStore(db)
        self.people = PeopleRegister(db, self.statements, ledger, trust_root, clock, standing_root)
        self._standing_root = standing_root
        self._ledger = ledger
        self._trust_root = trust_root
        self._clock = clock

    def file_statement(self, envelope: bytes, *, project: str, actor: str = "") -> Filed:
        """Verify a signed statement and put it on file and into the ledger. Filing it twice files it once.

        Raises
        ------
        VerificationFailed
            It is not signed by the key that signs its kind: the workspace's, or for an approval a person's.
        """
        statement = verify_any(envelope, self._standing_root)
        return self.statements.file(
            statement, envelope, project=project, ledger=self._ledger, now=self._clock(), actor=actor
        )

    def freeze(
        self,
        spec: CharterSpec,
        policy: Policy,
        *,
        project: str,
        groups: Sequence[str],
        settings: Mapping[str, str],
        signer: Signer,
        sections: Mapping[str, Mapping[str, Any]] | None = None,
        actor: str = "",
    ) -> Filed:
        """Sign and file the charter, unless the latest one on file says exactly the same.

        Parameters
        ----------
        signer : Signer
            The workspace's "statements" key.
        groups, settings, sections
            See `charter.freeze_charter`.
        """
        predicate = freeze_charter(
            spec,
            project=project,
            policy=policy.to_json(),
            groups=groups,
            settings=settings,
            sections=sections,
            now=self._clock(),
        )
        latest = self.statements.latest(project, CHARTER_TYPE)
        if latest is not None:
            statement = verify_any(latest.envelope, self._trust_root)
            if read_charter(statement.predicate).same_terms(predicate):
                return latest
        statement = make_statement(charter_subjects(predicate), CHARTER_TYPE, predicate)
        return self.file_statement(sign_statement(statement, signer), project=project, actor=actor)

    def approve(self, envelope: bytes, *, project: str, barred: Mapping[str, str], actor: str = "") -> Filed:
        """Take a person's approval, or attestation, if the person may give one.

        Parameters
        ----------
        barred : mapping of name to reason
            Whose word does not count for this model, e.g. {"ada": "trained it"}.

        Raises
        ------
        Refused
            The person is barred, not enrolled, revoked, or no longer holds the role.
        VerificationFailed
            The signature or enrolment does not hold.
        """
        kind = verify_any(envelope, self._trust_root).predicate_type
        said: Approval | Attestation
        if kind == APPROVAL_TYPE:
            said = verify_approval(envelope, self._trust_root)
        elif kind == ATTESTATION_TYPE:
            said = verify_attestation(envelope, self._trust_root)
        else:
            raise Refused(f"This is a statement of type {kind[:80]}, not a person's approval or attestation.")
        try:
            self.people.refuse_unless_in_standing(said.by, said.key_id, said.role, barred, project=project)
        except NotInStanding as error:
            about = said.package if isinstance(said, Approval) else said.model
            self._ledger.append("approval.refused", about, {"role": said.role, "reason": error.why}, actor=actor)
            raise
        return self.file_statement(envelope, project=project, actor=actor)

    def judge(
        self, policy: Policy, subject: Subject, *, barred: Mapping[str, str], measuring: Measuring | None = None
    ) -> GateDecision:
        """Ask the gate about a package, on everything that is on file today.

        Parameters
        ----------
        policy : Policy
            From `resolve_policy` of the project as it is now.
        barred : mapping of name to reason
            Who trained or submitted the model, and so cannot approve it.
        measuring : Measuring, optional
            Which way each setting makes checks try harder; left out: every change counts as trying less.

        Raises
        ------
        VerificationFailed
            Something on file was changed since it was signed.
        """
        self.settle()
        view = view_of(self._ledger)
        files = [one for one in self._of_interest(subject) if one.digest in view.places]
        read = {one.digest: self._read(one) for one in files}
        records = [
            read_record(one, ledger_index=view.places[digest].index)
            for digest, one in read.items()
            if view.places[digest].project == subject.project  # the same model judged for another use is another matter
        ]
        case = Case(
            subject=subject,
            records=[record for record in records if record is not None],
            terms=_terms(subject.project, read, view),
            approvals=[verify_approval(one.envelope, self._trust_root) for one in _of_kind(files, APPROVAL_TYPE)],
            attestations=[
                verify_attestation(one.envelope, self._trust_root)
                for one in _of_kind(files, ATTESTATION_TYPE)
                if view.places[one.digest].project == subject.project
            ],
            people=self.people.standing(),
            barred=barred,
            filed=_concerning(view, subject),
            others=list(read),
            measuring=measuring or Measuring(),
            now=self._clock(),
        )
        return decide(policy, case)

    def settle(self) -> None:
        """Enter into the ledger what a crash kept from it. Whoever only looks leaves that to the next who writes."""
        if self._ledger.writable:
            self.statements.settle(self._ledger)

    def record(self, decision: GateDecision, signer: Signer, *, levels: Sequence[str] = (), actor: str = "") -> Filed:
        """Sign and file what the gate said, passed or not, as a verification summary about the package.

        Raises
        ------
        InvalidInput
            See `vsa`.
        """
        package = decision.subject.package
        predicate = vsa(decision, package, levels=levels)
        statement = make_statement([("package", package)], VSA_TYPE, predicate)
        return self.file_statement(sign_statement(statement, signer), project=decision.subject.project, actor=actor)

    def _read(self, filed: Filed) -> Statement:
        """A statement from the database, verified again."""
        try:
            statement = verify_any(filed.envelope, self._trust_root)
        except VerificationFailed as error:
            raise VerificationFailed(
                f"A statement on file was changed: {error}\nRestore the database from a backup.", link=filed.digest
            ) from None
        if statement.digest != filed.digest:
            raise VerificationFailed("A statement on file was exchanged for another.", link=filed.digest)
        return statement

    def _of_interest(self, subject: Subject) -> list[Filed]:
        """Statements about this package, model and data; the project's charters; its latest decisions and results."""
        store, project = self.statements, subject.project
        files = [
            *(one for digest in (subject.package, subject.model, subject.data) for one in store.about(digest)),
            *store.of_project(project, CHARTER_TYPE),
            *store.of_project(project, VSA_TYPE, newest=_GATES_SHOWN),
            *store.of_project(project, TEST_RESULT_TYPE, newest=_RESULTS_SHOWN),
        ]
        return list({one.digest: one for one in files}.values())


def _terms(project: str, read: Mapping[str, Statement], view: LedgerView) -> list[Terms]:
    """The project's frozen charters, with those marked against which nothing is held any more."""
    frozen: dict[str, FrozenCharter] = {}
    released_at = -1
    for digest, statement in read.items():
        index = view.places[digest].index
        if statement.predicate_type == CHARTER_TYPE and view.places[digest].project == project:
            frozen[digest] = read_charter(statement.predicate)
        elif (statement.predicate_type, view.places[digest].project) == (VSA_TYPE, project):
            passed = statement.predicate["verificationResult"] == "PASSED"
            released_at = max(released_at, index) if passed else released_at
    held = {one.settings[_SECTION]: one.sections[_SECTION] for one in frozen.values() if _SECTION in one.sections}
    charters = [
        Terms(
            statement=digest,
            ledger_index=view.places[digest].index,
            policy=read_policy(one.policy),
            groups=one.groups,
            settings=held.get(one.settings.get(_SECTION, "")),  # older charters hold a digest alone
        )
        for digest, one in frozen.items()
    ]
    results = [place.index for place in view.of_kind(TEST_RESULT_TYPE).values() if place.project == project]
    return settle_terms(charters, results, released_at=released_at)


def _concerning(view: LedgerView, subject: Subject) -> list[str]:
    """What a gate on `subject` must have been shown.

    Every result of this model; every charter of this project; and whatever this project filed about the model or
    its data, since statements of any kind may carry findings (`read_record`).
    """
    return [
        digest
        for digest, place in view.places.items()
        if (place.kind == TEST_RESULT_TYPE and place.about == subject.model)
        or (place.project == subject.project and _in_question(place, subject))
    ]


def _in_question(place: Place, subject: Subject) -> bool:
    return place.kind == CHARTER_TYPE or place.about in {subject.model, subject.data}


def _of_kind(files: Sequence[Filed], kind: str) -> list[Filed]:
    return [one for one in files if one.predicate_type == kind]
