"""Which key must have signed which kind of statement.

Answers: is this statement signed by the key that signs its kind?
Does not answer: what it says. Each reader checks the fields of its own kind.
"""

from sealwright.evidence.approvals import APPROVAL_TYPE, ATTESTATION_TYPE
from sealwright.evidence.people import kind_in, verify_signed_by_person
from sealwright.trust import Statement, TrustRoot, verify_statement

__all__ = ["COMPATIBILITY_TYPE", "verify_any"]

COMPATIBILITY_TYPE = "urn:sealwright:predicate:compatibility:v1"
"""A person's word that data may serve a purpose it was not collected for; `data.basis` writes and reads it."""

_BY_PERSON = frozenset({APPROVAL_TYPE, ATTESTATION_TYPE, COMPATIBILITY_TYPE})
_BY_BRANCH = {
    "urn:sealwright:predicate:pointer:v1": "releases",
    "urn:sealwright:predicate:revocation:v1": "releases",
}  # every other kind is signed by "statements"


def verify_any(envelope: bytes, trust_root: TrustRoot) -> Statement:
    """The statement in `envelope`, signed as its kind asks: by a person, or by a branch of the workspace.

    Raises
    ------
    VerificationFailed
        It is not.
    """
    kind = kind_in(envelope)  # only chooses the key; the type is verified with the rest
    if kind in _BY_PERSON:
        return verify_signed_by_person(envelope, trust_root, predicate_type=kind)[0]
    keys = trust_root.keys_of(_BY_BRANCH.get(kind, "statements"))
    return verify_statement(envelope, keys, predicate_type=kind)
