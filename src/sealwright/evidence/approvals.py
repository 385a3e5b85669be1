"""Approvals: a person's signature under exactly this package and exactly this policy.

Answers: who said yes to what, and do the yeses that count suffice?
Does not answer: should they have said yes? Their reason is on record for those who ask.

An approval binds two digests. The package digest makes a replay onto another model worthless; the policy
digest makes it worthless once the policy is loosened. It never counts from whoever trained or submitted
the model, under any name, and one person counts once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sealwright.evidence.model import Change
from sealwright.evidence.people import sign_as_person, verify_signed_by_person
from sealwright.kernel import InvalidInput, VerificationFailed, from_rfc3339, hex_of
from sealwright.trust import PersonSigner, TrustRoot

__all__ = [
    "APPROVAL_TYPE",
    "ATTESTATION_TYPE",
    "Approval",
    "Attestation",
    "make_approval",
    "make_attestation",
    "verify_approval",
    "verify_attestation",
]

APPROVAL_TYPE = "urn:sealwright:predicate:approval:v1"
ATTESTATION_TYPE = "urn:sealwright:predicate:attestation:v1"

Purpose = Literal["release", "policy_change"]
_PURPOSES = ("release", "policy_change")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A verified approval. Whether it counts depends on the gate it is brought to."""

    statement: str  # digest
    purpose: str  # "release" or "policy_change"
    package: str
    policy: str
    by: str
    key_id: str
    role: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """A person's verified word in place of a measurement that was not possible."""

    statement: str  # digest
    check: str
    model: str
    by: str
    key_id: str
    role: str
    reason: str
    at: datetime


def make_approval(
    person: PersonSigner,
    package: str,
    *,
    policy: str,
    role: str,
    reason: str,
    now: datetime,
    enrolment: bytes,
    purpose: Purpose = "release",
    changes: Sequence[Change] = (),
) -> bytes:
    """Sign for `package` under `policy`.

    Parameters
    ----------
    person : PersonSigner
        The person's opened key.
    package, policy : digest
        What is approved: the candidate's digest, and `GateDecision.policy.digest` as the person saw it.
    role : str
        The role the person signs in; it must be one they are enrolled for.
    enrolment : bytes
        Their current enrolment statement, carried inside.
    purpose : str
        "release", or "policy_change" for letting the policy ask for less than before.
    changes : sequence of Change
        For a policy change: what asks for less, so that it stands in the text that is signed.

    Raises
    ------
    InvalidInput
        A digest or the purpose is not usable, or the reason is empty.
    Refused
        The person may not sign in this role.
    """
    if purpose not in _PURPOSES:
        raise InvalidInput(f"An approval is for {' or '.join(_PURPOSES)}; got {str(purpose)[:40]!r}.")
    said = {
        "purpose": purpose,
        "package": _digest(package),
        "policy": _digest(policy),
        "reason": _reason(reason),
        "changes": [{"what": c.what, "before": c.before, "after": c.after, "why": c.why} for c in changes],
    }
    subjects = [("package", package), ("policy", policy)]
    return sign_as_person(person, subjects, APPROVAL_TYPE, said, role=role, enrolment=enrolment, now=now)


def verify_approval(
    envelope: bytes, trust_root: TrustRoot, *, package: str | None = None, project: str | None = None
) -> Approval:
    """The approval in `envelope`, checked with the trust root alone.

    With `package`, that it is for that package; with `project`, that the role counts there, else in any.

    Raises
    ------
    VerificationFailed
        A signature, enrolment, role, date or digest does not hold.
    """
    statement, person = verify_signed_by_person(envelope, trust_root, predicate_type=APPROVAL_TYPE, project=project)
    said = statement.predicate
    _exact(said, {"purpose", "package", "policy", "reason", "changes"}, "approval")
    if (
        statement.subjects != (("package", said["package"]), ("policy", said["policy"]))
        or said["purpose"] not in _PURPOSES
    ):
        raise VerificationFailed(
            "The approval says another package, policy or purpose than it is about.", link="approval"
        )
    if package is not None and said["package"] != package:
        raise VerificationFailed(
            f"The approval by {person.name} is for package {said['package'][:19]}…, not for {package[:19]}….",
            link="approval",
        )
    return Approval(
        statement=statement.digest,
        purpose=said["purpose"],
        package=said["package"],
        policy=said["policy"],
        by=person.name,
        key_id=person.public.key_id,
        role=said["role"],
        reason=str(said["reason"]),
        at=from_rfc3339(said["at"]),
    )


def make_attestation(
    person: PersonSigner, model: str, *, check: str, role: str, reason: str, now: datetime, enrolment: bytes
) -> bytes:
    """Sign that `check` need not be measured for `model`, and why. Counts only where the policy lets this role do so."""
    said = {"check": check, "reason": _reason(reason)}
    subjects = [("model.onnx", _digest(model))]
    return sign_as_person(person, subjects, ATTESTATION_TYPE, said, role=role, enrolment=enrolment, now=now)


def verify_attestation(envelope: bytes, trust_root: TrustRoot, *, project: str | None = None) -> Attestation:
    """The attestation in `envelope`, checked with the trust root alone; with `project`, that the role counts there.

    Raises
    ------
    VerificationFailed
        A signature, enrolment, role or date does not hold.
    """
    statement, person = verify_signed_by_person(envelope, trust_root, predicate_type=ATTESTATION_TYPE, project=project)
    said = statement.predicate
    _exact(said, {"check", "reason"}, "attestation")
    return Attestation(
        statement=statement.digest,
        check=str(said["check"]),
        model=statement.subject_digests[0],
        by=person.name,
        key_id=person.public.key_id,
        role=said["role"],
        reason=str(said["reason"]),
        at=from_rfc3339(said["at"]),
    )


def _digest(digest: str) -> str:
    hex_of(digest)
    return digest


def _reason(reason: str) -> str:
    words = " ".join(reason.split())
    if not 8 <= len(words) <= 2000:
        raise InvalidInput("Give a reason of 8 to 2,000 characters. It is what a later reader has to go by.")
    return words


def _exact(said: Mapping[str, Any], names: set[str], what: str) -> None:
    if set(said) != names | {"format", "by", "role", "at", "enrolment"} or said["format"] != 1:
        raise VerificationFailed(f"The {what} does not have the fields of format 1.", link=what)
