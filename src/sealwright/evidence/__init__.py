"""Statements on file, policies, the gate, and the approvals of people.

Answers: what is known about this model, what does its use ask for, and may it be released?
Does not answer: is the policy right for the use. People sign for that, by name and role.
Names load on first use, so importing the room costs nothing.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import front_door

if TYPE_CHECKING:
    from sealwright.evidence.approval_rule import ApprovalRule as ApprovalRule
    from sealwright.evidence.approvals import APPROVAL_TYPE as APPROVAL_TYPE
    from sealwright.evidence.approvals import ATTESTATION_TYPE as ATTESTATION_TYPE
    from sealwright.evidence.approvals import Approval as Approval
    from sealwright.evidence.approvals import Attestation as Attestation
    from sealwright.evidence.approvals import make_approval as make_approval
    from sealwright.evidence.approvals import make_attestation as make_attestation
    from sealwright.evidence.approvals import verify_approval as verify_approval
    from sealwright.evidence.approvals import verify_attestation as verify_attestation
    from sealwright.evidence.case import Case as Case
    from sealwright.evidence.case import GateDecision as GateDecision
    from sealwright.evidence.case import Terms as Terms
    from sealwright.evidence.counting import Counted as Counted
    from sealwright.evidence.counting import count_approvals as count_approvals
    from sealwright.evidence.gate import GateBlocked as GateBlocked
    from sealwright.evidence.gate import render_gate as render_gate
    from sealwright.evidence.ledger_view import LedgerView as LedgerView
    from sealwright.evidence.ledger_view import view_of as view_of
    from sealwright.evidence.model import Change as Change
    from sealwright.evidence.model import Direction as Direction
    from sealwright.evidence.model import Instance as Instance
    from sealwright.evidence.model import Measurement as Measurement
    from sealwright.evidence.model import Measuring as Measuring
    from sealwright.evidence.model import NotPerformed as NotPerformed
    from sealwright.evidence.model import Outcome as Outcome
    from sealwright.evidence.model import Record as Record
    from sealwright.evidence.model import Result as Result
    from sealwright.evidence.model import Subject as Subject
    from sealwright.evidence.people import REVOKED_PERSON_TYPE as REVOKED_PERSON_TYPE
    from sealwright.evidence.people import Standing as Standing
    from sealwright.evidence.people import sign_as_person as sign_as_person
    from sealwright.evidence.people import verify_signed_by_person as verify_signed_by_person
    from sealwright.evidence.policy import Freshness as Freshness
    from sealwright.evidence.policy import Override as Override
    from sealwright.evidence.policy import Policy as Policy
    from sealwright.evidence.policy import PolicySpec as PolicySpec
    from sealwright.evidence.policy import RequiredSuite as RequiredSuite
    from sealwright.evidence.policy import Requirement as Requirement
    from sealwright.evidence.policy import SettingLimit as SettingLimit
    from sealwright.evidence.policy import UseCase as UseCase
    from sealwright.evidence.policy import UseCaseName as UseCaseName
    from sealwright.evidence.promises import gentler as gentler
    from sealwright.evidence.records import TEST_RESULT_TYPE as TEST_RESULT_TYPE
    from sealwright.evidence.records import fact as fact
    from sealwright.evidence.records import measured as measured
    from sealwright.evidence.records import read_record as read_record
    from sealwright.evidence.register import PeopleRegister as PeopleRegister
    from sealwright.evidence.resolve import class_policy as class_policy
    from sealwright.evidence.resolve import in_words as in_words
    from sealwright.evidence.resolve import looser as looser
    from sealwright.evidence.resolve import policy_text as policy_text
    from sealwright.evidence.resolve import read_policy as read_policy
    from sealwright.evidence.resolve import resolve_policy as resolve_policy
    from sealwright.evidence.resolve import use_case as use_case
    from sealwright.evidence.resolve import use_case_text as use_case_text
    from sealwright.evidence.rules import decide as decide
    from sealwright.evidence.rules import settle_terms as settle_terms
    from sealwright.evidence.rules import thresholds_first as thresholds_first
    from sealwright.evidence.service import Evidence as Evidence
    from sealwright.evidence.store import Filed as Filed
    from sealwright.evidence.store import StatementStore as StatementStore
    from sealwright.evidence.summary import VSA_TYPE as VSA_TYPE
    from sealwright.evidence.summary import Release as Release
    from sealwright.evidence.summary import verify_release as verify_release
    from sealwright.evidence.summary import vsa as vsa
    from sealwright.evidence.unsigned import hold_against as hold_against
    from sealwright.evidence.verify import COMPATIBILITY_TYPE as COMPATIBILITY_TYPE
    from sealwright.evidence.verify import verify_any as verify_any
else:
    __getattr__, __dir__, __all__ = front_door(__name__)
