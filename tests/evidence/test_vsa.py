"""A verification summary opens exactly one package, and only together with the approvals it counted."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sealwright.charter import CharterSpec, RiskClass
from sealwright.evidence import (
    VSA_TYPE,
    GateDecision,
    Policy,
    PolicySpec,
    class_policy,
    decide,
    make_approval,
    resolve_policy,
    verify_approval,
    verify_release,
    vsa,
)
from sealwright.kernel import InvalidInput, VerificationFailed
from sealwright.trust import Keyring, Signer, make_statement, person_statement, sign_statement

HIGH = class_policy(RiskClass.HIGH)


def released(
    make: Any,
    keyring: Keyring,
    policy: Policy = HIGH,
    *,
    officers: tuple[tuple[str, str], ...] = (("cora", "release"), ("bea", "release")),
) -> tuple[GateDecision, list[bytes]]:
    """A decision on real, signed approvals."""
    signer = keyring.signer("statements")
    approvals = []
    for name, purpose in officers:
        person = make.signers[name]
        enrolment = sign_statement(person_statement(person.person, enrolled_at=make.now - timedelta(days=9)), signer)
        approvals.append(
            make_approval(
                person,
                make.digest("package"),
                policy=policy.digest,
                role=person.person.roles[0],
                reason="Read the report.",
                now=make.now - timedelta(hours=1),
                enrolment=enrolment,
                purpose=purpose,  # type: ignore[arg-type]
            )
        )
    read = [verify_approval(one, keyring.trust_root) for one in approvals]
    return decide(policy, make.case(policy, approvals=read)), approvals


def signed(make: Any, keyring: Keyring, predicate: Any, *, package: str = "", signer: Signer | None = None) -> bytes:
    statement = make_statement([("package", package or make.digest("package"))], VSA_TYPE, predicate)
    return sign_statement(statement, signer or keyring.signer("statements"))


def test_a_passed_gate_is_a_slsa_verification_summary(make: Any, keyring: Keyring) -> None:
    """Fields as https://slsa.dev/spec/v1.0/verification_summary wants them."""
    decision, _ = released(make, keyring)
    predicate = vsa(decision, make.digest("package"), levels=["SLSA_BUILD_LEVEL_1"])
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["verifiedLevels"] == ["SLSA_BUILD_LEVEL_1", "SEALWRIGHT_HIGH_RISK_POLICY"]
    assert predicate["timeVerified"] == "2026-03-02T10:00:00.000Z"
    assert predicate["resourceUri"] == f"urn:sealwright:package:{make.digest('package')}"
    assert predicate["policy"]["digest"]["sha256"] == HIGH.digest.removeprefix("sha256:")
    inputs = {one["digest"]["sha256"] for one in predicate["inputAttestations"]}
    assert make.digest("charter").removeprefix("sha256:") in inputs
    assert make.digest("statement fairness").removeprefix("sha256:") in inputs
    assert len(predicate["sealwright"]["results"]) == len(decision.results)


def test_a_failed_gate_claims_no_level(make: Any, keyring: Keyring) -> None:
    decision = decide(HIGH, make.case(approvals=[]))
    predicate = vsa(decision, make.digest("package"), levels=["SLSA_BUILD_LEVEL_3"])
    assert (predicate["verificationResult"], predicate["verifiedLevels"]) == ("FAILED", ["FAILED"])
    with pytest.raises(VerificationFailed, match="did not pass"):
        verify_release(signed(make, keyring, predicate), [], keyring.trust_root, package=make.digest("package"))


def test_a_summary_about_another_package_is_not_made(make: Any) -> None:
    with pytest.raises(InvalidInput, match="not on"):
        vsa(decide(HIGH, make.case()), make.digest("another"))


def test_a_release_is_verified_with_public_keys_alone(make: Any, keyring: Keyring) -> None:
    decision, approvals = released(make, keyring)
    envelope = signed(make, keyring, vsa(decision, make.digest("package")))
    release = verify_release(envelope, approvals, keyring.trust_root, package=make.digest("package"))
    assert {one.by for one in release.approvals} == {"cora", "bea"}
    assert (release.model, release.policy, release.risk_class) == (make.digest("model"), HIGH.digest, "high")
    assert (release.below_class, release.loosened, release.attested) == ((), (), ())


def test_approvals_that_are_missing_added_or_exchanged_are_noticed(make: Any, keyring: Keyring) -> None:
    decision, approvals = released(make, keyring)
    envelope = signed(make, keyring, vsa(decision, make.digest("package")))
    _, more = released(make, keyring, officers=(("sam", "release"),))
    for wrong in ([], approvals[:1], [*approvals, *more], [approvals[0], *more], [*approvals, approvals[0]]):
        with pytest.raises(VerificationFailed, match="not those it counted"):
            verify_release(envelope, wrong, keyring.trust_root, package=make.digest("package"))


def lie(change: Callable[[Any], None]) -> Callable[[Any], Any]:
    def changed(predicate: Any) -> Any:
        copy = json.loads(json.dumps(predicate))
        change(copy)
        return copy

    return changed


def set_outcome(predicate: Any) -> None:
    predicate["sealwright"]["results"][3]["outcome"] = "missing"


LIES: dict[str, Callable[[Any], None]] = {
    "result failed": lambda p: p.update(verificationResult="FAILED"),
    "levels failed": lambda p: p.update(verifiedLevels=["FAILED"]),
    "not passed": lambda p: p["sealwright"].update(passed=False),
    "a blocking result": set_outcome,
    "no results": lambda p: p["sealwright"].update(results=[]),
    "an unknown outcome": lambda p: p["sealwright"]["results"][0].update(outcome="fine"),
    "another package": lambda p: p["sealwright"].update(package="sha256:" + "3" * 64),
    "another gate": lambda p: p.update(verifier={"id": "https://example.com/gate"}),
    "no approvals": lambda p: p["sealwright"].update(approvals=[]),
    "another policy": lambda p: p["sealwright"].update(policy="sha256:" + "3" * 64),
    "more people needed": lambda p: p["sealwright"]["approvals_required"].update(people=3),
    "no rule": lambda p: p["sealwright"].pop("approvals_required"),
    "a loosened policy": lambda p: p["sealwright"].update(
        loosened=[{"what": "fairness.selection_gap", "before": "a", "after": "b", "why": ""}]
    ),
    "no decision": lambda p: p.pop("sealwright"),
    "another format": lambda p: p["sealwright"].update(format=2),
}


@pytest.mark.parametrize("name", LIES)
def test_a_summary_that_contradicts_itself_is_refused_even_if_signed(make: Any, keyring: Keyring, name: str) -> None:
    decision, approvals = released(make, keyring)
    predicate = lie(LIES[name])(vsa(decision, make.digest("package")))
    with pytest.raises(VerificationFailed):
        verify_release(signed(make, keyring, predicate), approvals, keyring.trust_root, package=make.digest("package"))


def test_a_summary_by_another_key_or_about_another_package_is_refused(make: Any, keyring: Keyring, stolen: Any) -> None:
    decision, approvals = released(make, keyring)
    predicate = vsa(decision, make.digest("package"))
    other = make.digest("other")
    for envelope in (
        signed(make, keyring, predicate, signer=stolen["releases"]),
        signed(make, keyring, predicate, package=other),
    ):
        for package in (make.digest("package"), other):
            with pytest.raises(VerificationFailed):
                verify_release(envelope, approvals, keyring.trust_root, package=package)


def test_a_loosened_policy_takes_the_officers_signature_in_the_package(make: Any, keyring: Keyring) -> None:
    spec = PolicySpec.model_validate(
        {"overrides": [{"check": "parity.flips", "at_most": 1, "why": "One tie of probabilities is known."}]}
    )
    policy = resolve_policy(spec, CharterSpec(purpose="p", owner="o", risk_class=RiskClass.HIGH))
    three = (("cora", "release"), ("bea", "release"), ("cora", "policy_change"))
    decision, approvals = released(make, keyring, policy, officers=three)
    assert decision.passed
    predicate = vsa(decision, make.digest("package"))
    release = verify_release(
        signed(make, keyring, predicate), approvals, keyring.trust_root, package=make.digest("package")
    )
    assert [one["what"] for one in release.below_class] == ["parity.flips"]
    without = lie(
        lambda p: p["sealwright"].update(
            approvals=[a for a in p["sealwright"]["approvals"] if a["purpose"] == "release"]
        )
    )
    with pytest.raises(VerificationFailed, match="policy_change"):
        verify_release(
            signed(make, keyring, without(predicate)), approvals[:2], keyring.trust_root, package=make.digest("package")
        )


def test_the_decision_is_never_passed_by_its_text(make: Any) -> None:
    decision = decide(HIGH, make.case(approvals=[]))
    assert not decision.passed
    assert not replace(decision, results=decision.blocking).passed
