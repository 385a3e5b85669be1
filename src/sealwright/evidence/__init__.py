"""Statements on file, policies, the gate, and the approvals of people.

Answers: what is known about this model, what does its use ask for, and may it be released?
Does not answer: is the policy right for the use. People sign for that, by name and role.
Names load on first use, so importing the room costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.evidence.approval_rule import ApprovalRule
    from sealwright.evidence.approvals import (
        APPROVAL_TYPE,
        ATTESTATION_TYPE,
        Approval,
        Attestation,
        make_approval,
        make_attestation,
        verify_approval,
        verify_attestation,
    )
    from sealwright.evidence.case import Case, GateDecision, Terms
    from sealwright.evidence.counting import Counted, count_approvals
    from sealwright.evidence.gate import GateBlocked, render_gate
    from sealwright.evidence.ledger_view import LedgerView, view_of
    from sealwright.evidence.model import (
        Change,
        Direction,
        Instance,
        Measurement,
        Measuring,
        NotPerformed,
        Outcome,
        Record,
        Result,
        Subject,
    )
    from sealwright.evidence.people import REVOKED_PERSON_TYPE, Standing, sign_as_person, verify_signed_by_person
    from sealwright.evidence.policy import (
        Freshness,
        Override,
        Policy,
        PolicySpec,
        RequiredSuite,
        Requirement,
        SettingLimit,
        UseCase,
        UseCaseName,
    )
    from sealwright.evidence.promises import gentler
    from sealwright.evidence.records import TEST_RESULT_TYPE, fact, measured, read_record
    from sealwright.evidence.register import PeopleRegister
    from sealwright.evidence.resolve import (
        class_policy,
        in_words,
        looser,
        policy_text,
        read_policy,
        resolve_policy,
        use_case,
        use_case_text,
    )
    from sealwright.evidence.rules import decide, settle_terms, thresholds_first
    from sealwright.evidence.service import Evidence
    from sealwright.evidence.store import Filed, StatementStore
    from sealwright.evidence.summary import VSA_TYPE, Release, verify_release, vsa
    from sealwright.evidence.unsigned import hold_against
    from sealwright.evidence.verify import COMPATIBILITY_TYPE, verify_any

__all__ = [
    "APPROVAL_TYPE",
    "ATTESTATION_TYPE",
    "Approval",
    "ApprovalRule",
    "Attestation",
    "COMPATIBILITY_TYPE",
    "Case",
    "Change",
    "Counted",
    "Direction",
    "Evidence",
    "Filed",
    "Freshness",
    "GateBlocked",
    "GateDecision",
    "Instance",
    "LedgerView",
    "Measurement",
    "Measuring",
    "NotPerformed",
    "Outcome",
    "Override",
    "PeopleRegister",
    "Policy",
    "PolicySpec",
    "REVOKED_PERSON_TYPE",
    "Record",
    "Release",
    "RequiredSuite",
    "Requirement",
    "Result",
    "SettingLimit",
    "Standing",
    "StatementStore",
    "Subject",
    "TEST_RESULT_TYPE",
    "Terms",
    "UseCase",
    "UseCaseName",
    "VSA_TYPE",
    "class_policy",
    "count_approvals",
    "decide",
    "fact",
    "gentler",
    "hold_against",
    "in_words",
    "looser",
    "make_approval",
    "make_attestation",
    "measured",
    "policy_text",
    "read_policy",
    "read_record",
    "render_gate",
    "resolve_policy",
    "settle_terms",
    "sign_as_person",
    "thresholds_first",
    "use_case",
    "use_case_text",
    "verify_any",
    "verify_approval",
    "verify_attestation",
    "verify_release",
    "verify_signed_by_person",
    "view_of",
    "vsa",
]

_HOME = {
    "approval_rule": ("ApprovalRule",),
    "approvals": (
        "APPROVAL_TYPE",
        "ATTESTATION_TYPE",
        "Approval",
        "Attestation",
        "make_approval",
        "make_attestation",
        "verify_approval",
        "verify_attestation",
    ),
    "case": ("Case", "GateDecision", "Terms"),
    "counting": ("Counted", "count_approvals"),
    "gate": ("GateBlocked", "render_gate"),
    "model": (
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
    ),
    "ledger_view": ("LedgerView", "view_of"),
    "people": ("REVOKED_PERSON_TYPE", "Standing", "sign_as_person", "verify_signed_by_person"),
    "policy": (
        "Freshness",
        "Override",
        "Policy",
        "PolicySpec",
        "RequiredSuite",
        "Requirement",
        "SettingLimit",
        "UseCase",
        "UseCaseName",
    ),
    "promises": ("gentler",),
    "records": ("TEST_RESULT_TYPE", "fact", "measured", "read_record"),
    "unsigned": ("hold_against",),
    "register": ("PeopleRegister",),
    "resolve": (
        "class_policy",
        "in_words",
        "looser",
        "policy_text",
        "read_policy",
        "resolve_policy",
        "use_case",
        "use_case_text",
    ),
    "rules": ("decide", "settle_terms", "thresholds_first"),
    "service": ("Evidence",),
    "store": ("Filed", "StatementStore"),
    "verify": ("COMPATIBILITY_TYPE", "verify_any"),
    "summary": ("VSA_TYPE", "Release", "verify_release", "vsa"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.evidence has no {name!r}")
    value = getattr(importlib.import_module(f"sealwright.evidence.{module}"), name)  # noqa: TID251
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
