"""The gate's decision as a SLSA verification summary (VSA v1): all a server has to evaluate besides the package.

Answers: did a gate pass exactly this package, by which policy, on what evidence, and with whose approvals?
Does not answer: would it pass today. The summary is dated; revocation and expiry are other statements.
https://slsa.dev/spec/v1.0/verification_summary
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sealwright.evidence.approval_rule import POLICY_CHANGE_RULE, ApprovalRule, approval_rule_in
from sealwright.evidence.approvals import Approval, Purpose, verify_approval
from sealwright.evidence.counting import count_approvals
from sealwright.evidence.model import Outcome
from sealwright.kernel import InvalidInput, VerificationFailed, from_rfc3339, hex_of, rfc3339
from sealwright.trust import Statement, TrustRoot, verify_statement

if TYPE_CHECKING:
    from sealwright.evidence.case import GateDecision  # whoever verifies a decision does not load what makes one

__all__ = ["VSA_TYPE", "Release", "verify_release", "vsa"]

VSA_TYPE = "https://slsa.dev/verification_summary/v1"

_VERIFIER = "urn:sealwright:gate:v1"
_LINK = "statements/gate.json"
_OPEN = frozenset(one.value for one in Outcome if one.opens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A verified gate decision that passed, with the approvals it rests on."""

    package: str
    model: str
    policy: str
    risk_class: str
    decided_at: datetime
    approvals: tuple[Approval, ...]
    below_class: tuple[Mapping[str, str], ...]  # where the project asked for less than its class
    loosened: tuple[Mapping[str, str], ...]  # where it asked for less than was signed before results
    attested: tuple[str, ...]  # checks for which a person's word stands in
    statement: Statement


def vsa(decision: "GateDecision", package: str, *, levels: Sequence[str] = ()) -> dict[str, Any]:
    """The predicate of the verification summary about `package`.

    Parameters
    ----------
    package : digest
        Must be the package that was decided on.
    levels : sequence of str
        SLSA levels the build track was shown to reach, e.g. ["SLSA_BUILD_LEVEL_2"]. None is claimed unasked.

    Raises
    ------
    InvalidInput
        The decision is about another package.
    """
    if package != decision.subject.package:
        raise InvalidInput(
            f"The gate decided on package {decision.subject.package[:19]}…, not on {package[:19]}….\n"
            "Ask the gate about the package itself: sealwright gate"
        )
    reached = [*levels, f"SEALWRIGHT_{decision.policy.risk_class.value.upper()}_RISK_POLICY"]
    return {
        "verifier": {"id": _VERIFIER},
        "timeVerified": rfc3339(decision.decided_at),
        "resourceUri": f"urn:sealwright:package:{package}",
        "policy": {
            "uri": f"urn:sealwright:policy:{decision.policy.risk_class.value}",
            "digest": {"sha256": hex_of(decision.policy.digest)},
        },
        "inputAttestations": [
            {"uri": f"urn:sealwright:statement:{digest}", "digest": {"sha256": hex_of(digest)}}
            for digest in decision.evidence
        ],
        "verificationResult": "PASSED" if decision.passed else "FAILED",
        "verifiedLevels": reached if decision.passed else ["FAILED"],
        "slsaVersion": "1.0",
        "sealwright": decision.to_json(),
    }


def verify_release(envelope: bytes, approvals: Sequence[bytes], trust_root: TrustRoot, *, package: str) -> Release:
    """The decision that released `package`, if it passed and its approvals are all here, genuine and enough.

    Checks (1) the workspace's signature; (2) that it is about this package and passed, in every place that
    says so; (3) each approval's signature, enrolment, role and digests; (4) that they are exactly those the
    decision counted; (5) that they are people and roles enough. Needs no workspace and no network.

    Raises
    ------
    VerificationFailed
        Any of that does not hold; `link` names the file.
    """
    statement = verify_statement(envelope, trust_root.keys_of("statements"), predicate_type=VSA_TYPE)
    if statement.subject_digests != (package,):
        raise VerificationFailed("The gate's decision is about another package.", link=_LINK)
    try:
        release = _read(statement, package)
        rule = approval_rule_in(statement.predicate["sealwright"]["approvals_required"])
        counted = {item["statement"] for item in statement.predicate["sealwright"]["approvals"]}
        project = str(statement.predicate["sealwright"]["project"])
    except (KeyError, TypeError, AttributeError, InvalidInput) as error:
        raise VerificationFailed(f"The gate's decision cannot be read: {type(error).__name__}.", link=_LINK) from None
    given = [verify_approval(one, trust_root, package=package, project=project) for one in approvals]
    if {one.statement for one in given} != counted or len(given) != len(counted):
        raise VerificationFailed("The approvals beside the gate's decision are not those it counted.", link=_LINK)
    _enough(given, release, "release", rule)
    if release.below_class or release.loosened:
        _enough(given, release, "policy_change", POLICY_CHANGE_RULE)
    return replace(release, approvals=tuple(given))


def _read(statement: Statement, package: str) -> Release:
    said = statement.predicate
    ours = said["sealwright"]
    blocking = [item for item in ours["results"] if item["outcome"] not in _OPEN]
    passed = (
        said["verificationResult"] == "PASSED"
        and "FAILED" not in said["verifiedLevels"]
        and ours["passed"] is True
        and ours["package"] == package
        and bool(ours["results"])
        and not blocking
    )
    if said["verifier"] != {"id": _VERIFIER} or ours["format"] != 1:
        raise VerificationFailed("The decision was made by another kind of gate.", link=_LINK)
    if not passed:
        names = ", ".join(str(item["check"]) for item in blocking[:5]) or "it does not say that it passed"
        raise VerificationFailed(f"The gate did not pass this package: {names}.", link=_LINK)
    return Release(
        package=package,
        model=str(ours["model"]),
        policy=str(ours["policy"]),
        risk_class=str(ours["risk_class"]),
        decided_at=from_rfc3339(ours["decided_at"]),
        approvals=(),
        below_class=tuple(ours["below_class"]),
        loosened=tuple(ours["loosened"]),
        attested=tuple(str(item["check"]) for item in ours["results"] if item["outcome"] == "attested"),
        statement=statement,
    )


def _enough(given: Sequence[Approval], release: Release, purpose: Purpose, needed: ApprovalRule) -> None:
    counted = count_approvals(
        needed,
        given,
        project="",  # the enrolments inside were held against it when they were read
        package=release.package,
        policy=release.policy,
        purpose=purpose,
        barred={},
        people=None,
        now=release.decided_at,
    )
    if not counted.enough or counted.refused:
        why = counted.refused[0][1] if counted.refused else f"{len(counted.by)} of {needed.people} are here"
        raise VerificationFailed(f"The approvals ({purpose}) do not carry the decision: {why}.", link=_LINK)
