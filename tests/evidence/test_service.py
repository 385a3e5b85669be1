"""From a frozen charter to a recorded decision, on real keys, ledger and database; and what attackers try."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sealwright.charter import CHARTER_TYPE, CharterSpec, RiskClass, charter_subjects, freeze_charter
from sealwright.engines import Database
from sealwright.evidence import (
    APPROVAL_TYPE,
    TEST_RESULT_TYPE,
    VSA_TYPE,
    Evidence,
    Filed,
    GateDecision,
    Outcome,
    Policy,
    PolicySpec,
    Subject,
    fact,
    make_approval,
    make_attestation,
    measured,
    resolve_policy,
    verify_any,
    verify_release,
)
from sealwright.kernel import (
    Conflict,
    FixedClock,
    InvalidInput,
    NotFound,
    Refused,
    VerificationFailed,
    canonical_json,
    digest_of,
)
from sealwright.trust import Keyring, Ledger, make_statement, sign_statement

CHARTER = CharterSpec(purpose="Support credit officers.", owner="Head of credit", risk_class=RiskClass.HIGH)
PROVENANCE = "https://slsa.dev/provenance/v1"
BARRED = {"tom": "trained this model"}


class Desk:
    """One project's way through the real service."""

    def __init__(self, make: Any, evidence: Evidence, keyring: Keyring, clock: FixedClock) -> None:
        self.make, self.evidence, self.keyring, self.clock = make, evidence, keyring, clock
        self.signer = keyring.signer("statements")
        self.subject: Subject = make.subject()

    def policy(self, **section: Any) -> Policy:
        return resolve_policy(PolicySpec.model_validate(section), CHARTER)

    def freeze(
        self, policy: Policy, groups: Sequence[str] = ("age", "sex"), *, assurance: dict[str, Any] | None = None
    ) -> Filed:
        held = {} if assurance is None else {"assurance": assurance}
        return self.evidence.freeze(
            CHARTER,
            policy,
            project="german-credit",
            groups=groups,
            settings={name: digest_of(canonical_json(one)) for name, one in held.items()},
            sections=held,
            signer=self.signer,
        )

    def freeze_as_before_sections(self, policy: Policy, assurance: dict[str, Any]) -> Filed:
        """A charter of a release that froze settings by digest alone."""
        said = freeze_charter(
            CHARTER,
            project="german-credit",
            policy=policy.to_json(),
            groups=("age", "sex"),
            settings={"assurance": digest_of(canonical_json(assurance))},
            now=self.clock(),
        )
        del said["sections"]
        return self.file(charter_subjects(said), CHARTER_TYPE, said)

    def measure(
        self,
        policy: Policy,
        subject: Subject | None = None,
        under: dict[str, Any] | None = None,
        **worse: dict[str, Any],
    ) -> list[Filed]:
        """File what `policy` asks for; `worse` changes findings by suite: performance={"value": 0.5}."""
        subject = subject or self.subject
        filed = []
        for record in self.make.records(policy, subject):
            findings = [
                {
                    "check": one.check,
                    "value": one.value,
                    "low": one.low,
                    "high": one.high,
                    "n": one.n,
                    "unit": one.unit,
                    "definition": "d",
                    "group": {"attribute": one.attribute, "level": None} if one.attribute else None,
                    "note": "",
                    **worse.get(record.suite, {}),
                }
                for one in record.measurements
            ]
            block = measured(
                record.suite, model=subject.model, data=subject.data, performed_at=self.clock(), findings=findings
            )
            block |= {} if under is None else {"settings": {"spec": under}}
            kind = TEST_RESULT_TYPE if record.suite in {s.suite for s in policy.suites} else PROVENANCE
            filed.append(self.file([("model.onnx", subject.model)], kind, {"sealwright": block}))
        return filed

    def file(self, subjects: list[tuple[str, str]], kind: str, predicate: dict[str, Any]) -> Filed:
        statement = make_statement(subjects, kind, predicate)
        return self.evidence.file_statement(sign_statement(statement, self.signer), project="german-credit")

    def enrol(self, *names: str) -> None:
        for name in names or ("cora", "bea", "sam", "tom"):
            self.evidence.people.enrol(self.make.signers[name].person, self.signer)

    def approval(self, name: str, policy: Policy, **changes: Any) -> bytes:
        person = self.make.signers[name]
        given: dict[str, Any] = {
            "policy": policy.digest,
            "role": person.person.roles[0],
            "reason": "Read the report.",
            "now": self.clock(),
            "enrolment": self.evidence.people.enrolment(name),
        }
        return make_approval(person, changes.pop("package", self.subject.package), **{**given, **changes})

    def approve(self, name: str, policy: Policy, **changes: Any) -> Filed:
        envelope = self.approval(name, policy, **changes)
        return self.evidence.approve(envelope, project="german-credit", barred=BARRED)

    def judge(self, policy: Policy, subject: Subject | None = None) -> GateDecision:
        return self.evidence.judge(policy, subject or self.subject, barred=BARRED)


@pytest.fixture
def desk(make: Any, evidence: Evidence, keyring: Keyring, clock: FixedClock) -> Desk:
    return Desk(make, evidence, keyring, clock)


def blocking(decision: GateDecision) -> list[str]:
    return [one.check for one in decision.blocking]


def released(desk: Desk) -> tuple[Policy, GateDecision]:
    policy = desk.policy()
    desk.freeze(policy)
    desk.measure(policy)
    desk.enrol()
    desk.approve("cora", policy)
    desk.approve("bea", policy)
    return policy, desk.judge(policy)


def test_the_whole_way_of_a_model(desk: Desk, keyring: Keyring) -> None:
    policy = desk.policy()
    desk.freeze(policy)
    assert "charter.frozen_first" in blocking(desk.judge(policy))
    desk.measure(policy)
    assert blocking(desk.judge(policy)) == ["approval.release"]
    desk.enrol()
    desk.approve("cora", policy)
    assert blocking(desk.judge(policy)) == ["approval.release"]
    desk.approve("bea", policy)
    decision = desk.judge(policy)
    assert decision.passed
    filed = desk.evidence.record(decision, desk.signer)
    approvals = [one.envelope for one in desk.evidence.statements.about(desk.subject.package, APPROVAL_TYPE)]
    release = verify_release(filed.envelope, approvals, keyring.trust_root, package=desk.subject.package)
    assert {one.by for one in release.approvals} == {"cora", "bea"}
    latest = desk.evidence.statements.latest("german-credit", VSA_TYPE)
    assert latest == filed


def test_a_blocked_decision_can_be_recorded_too(desk: Desk) -> None:
    policy = desk.policy()
    desk.freeze(policy)
    filed = desk.evidence.record(desk.judge(policy), desk.signer)
    said = verify_any(filed.envelope, desk.keyring.trust_root).predicate
    assert said["verificationResult"] == "FAILED"
    assert desk.evidence.statements.latest("german-credit", VSA_TYPE) == filed


def test_freezing_the_same_terms_again_keeps_the_first_date(desk: Desk, clock: FixedClock) -> None:
    policy = desk.policy()
    first = desk.freeze(policy)
    clock.advance(timedelta(days=3))
    assert desk.freeze(policy) == first
    assert desk.freeze(policy, ["sex"]).ledger_index > first.ledger_index


def test_results_before_the_charter_do_not_count(desk: Desk) -> None:
    policy = desk.policy()
    desk.measure(policy)
    desk.freeze(policy)
    decision = desk.judge(policy)
    assert decision.results[0].check == "charter.frozen_first"
    assert decision.results[0].outcome is Outcome.FAIL


def test_loosening_after_results_needs_the_compliance_officer_until_the_next_release(desk: Desk) -> None:
    strict = desk.policy()
    desk.freeze(strict)
    desk.measure(strict)
    override = {"check": "performance.roc_auc", "at_least": 0.6, "why": "The old scorecard reaches no more."}
    loose = desk.policy(overrides=[override])
    desk.enrol()
    desk.freeze(loose)
    for name in ("cora", "bea"):
        desk.approve(name, loose)
    decision = desk.judge(loose)
    assert blocking(decision) == ["approval.policy_change"]
    assert [one.what for one in decision.loosened] == ["performance.roc_auc"]
    desk.approve("cora", loose, purpose="policy_change")
    decision = desk.judge(loose)
    assert decision.passed
    desk.evidence.record(decision, desk.signer)
    again = desk.judge(loose)
    assert again.passed
    assert again.loosened == ()
    assert [one.what for one in again.below_class] == ["performance.roc_auc"]


def test_another_seed_does_not_wash_off_a_promise(desk: Desk, make: Any) -> None:
    """Results of one model, a looser charter, then a new model: the first promise still binds."""
    strict = desk.policy(overrides=[{"check": "performance.roc_auc", "at_least": 0.9, "why": "Promised to the board."}])
    desk.freeze(strict)
    desk.measure(desk.policy(), make.subject(model=make.digest("first seed")))
    plain = desk.policy()
    desk.freeze(plain)
    desk.measure(plain)
    decision = desk.judge(plain)
    assert [one.what for one in decision.loosened] == ["performance.roc_auc"]
    assert "approval.policy_change" in blocking(decision)


def test_measuring_more_gently_needs_the_compliance_officer_until_the_next_release(desk: Desk, make: Any) -> None:
    """Results of one model, a smaller attack budget, then a new model: the first promise still binds."""
    policy, hard, gentle = desk.policy(), {"attacks": {"rows": 200}}, {"attacks": {"rows": 20}}
    desk.freeze(policy, assurance=hard)
    desk.measure(policy, make.subject(model=make.digest("first seed")), under=hard)
    desk.freeze(policy, assurance=gentle)
    desk.measure(policy, under=gentle)
    desk.enrol()
    for name in ("cora", "bea"):
        desk.approve(name, policy)
    decision = desk.judge(policy)
    assert blocking(decision) == ["approval.policy_change"]
    assert [(one.what, one.before, one.after) for one in decision.loosened] == [("assurance.attacks.rows", "200", "20")]
    desk.approve("cora", policy, purpose="policy_change", changes=decision.loosened)
    decision = desk.judge(policy)
    assert decision.passed
    released = desk.evidence.record(decision, desk.signer)
    approvals = [one.envelope for one in desk.evidence.statements.about(desk.subject.package, APPROVAL_TYPE)]
    found = verify_release(released.envelope, approvals, desk.keyring.trust_root, package=desk.subject.package)
    assert [one["what"] for one in found.loosened] == ["assurance.attacks.rows"]
    assert desk.judge(policy).loosened == ()


def test_an_older_charter_without_its_settings_is_known_by_their_digest_or_waits(desk: Desk, make: Any) -> None:
    policy, same, other = desk.policy(), {"attacks": {"rows": 200}}, {"attacks": {"rows": 500}}
    desk.freeze_as_before_sections(policy, same)
    desk.measure(policy, make.subject(model=make.digest("first seed")), under=same)
    desk.freeze(policy, assurance=same)
    desk.measure(policy, under=same)
    assert blocking(desk.judge(policy)) == ["approval.release"]
    desk.freeze_as_before_sections(policy, other)
    decision = desk.judge(policy)
    assert [one.what for one in decision.loosened] == ["assurance"]
    assert "approval.policy_change" in blocking(decision)


def test_a_charter_corrected_before_any_result_binds_nobody(desk: Desk) -> None:
    desk.freeze(desk.policy(overrides=[{"check": "performance.roc_auc", "at_least": 0.9, "why": "Typed in haste."}]))
    policy = desk.policy()
    desk.freeze(policy)
    desk.measure(policy)
    assert blocking(desk.judge(policy)) == ["approval.release"]


def test_results_of_an_earlier_model_are_stale_for_this_one(desk: Desk, make: Any) -> None:
    policy = desk.policy()
    desk.freeze(policy)
    desk.measure(policy, make.subject(model=make.digest("earlier model")))
    decision = desk.judge(policy)
    assert {one.outcome for one in decision.results if one.check.startswith("suite.")} == {Outcome.STALE}


@pytest.mark.parametrize("role", ["data_scientist", "business_owner", "compliance_officer"])
def test_the_trainer_is_refused_and_the_attempt_is_in_the_ledger(desk: Desk, ledger: Ledger, role: str) -> None:
    """T-17: trainer approves own model."""
    policy = desk.policy()
    desk.enrol()
    with pytest.raises(Refused, match="tom trained this model"):
        desk.approve("tom", policy, role=role)
    refused = list(ledger.entries())[-1]
    assert (refused.action, refused.detail) == ("approval.refused", {"role": role, "reason": "barred"})


def test_an_approval_filed_past_the_service_still_does_not_count(desk: Desk) -> None:
    policy = desk.policy()
    desk.freeze(policy)
    desk.measure(policy)
    desk.enrol()
    desk.approve("cora", policy)
    desk.evidence.file_statement(desk.approval("tom", policy, role="business_owner"), project="german-credit")
    decision = desk.judge(policy)
    assert blocking(decision) == ["approval.release"]
    assert "tom trained this model" in decision.blocking[0].found


def test_a_replayed_approval_opens_nothing(desk: Desk, make: Any) -> None:
    """T-18: approvals for one package filed for another."""
    policy = desk.policy()
    desk.freeze(policy)
    desk.measure(policy)
    desk.enrol()
    for name in ("cora", "bea"):
        desk.approve(name, policy, package=make.digest("another package"))
    assert blocking(desk.judge(policy)) == ["approval.release"]


def test_people_who_left_no_longer_count(desk: Desk, clock: FixedClock) -> None:
    policy, decision = released(desk)
    assert decision.passed
    desk.evidence.people.end("bea", desk.signer, reason="left the company")
    after = desk.judge(policy)
    assert blocking(after) == ["approval.release"]
    assert "revoked: left the company" in after.blocking[0].found
    with pytest.raises(Refused, match="left the company"):
        desk.approve("bea", policy, reason="Once more with feeling.")
    with pytest.raises(Refused, match="was revoked"):
        desk.enrol("bea")


def test_an_enrolment_lasts_a_year_and_can_be_renewed(desk: Desk, clock: FixedClock) -> None:
    policy = desk.policy()
    desk.enrol()
    clock.advance(timedelta(days=367))
    with pytest.raises(Refused, match="more than a year old"):
        desk.approval("cora", policy)
    desk.enrol("cora")
    desk.approve("cora", policy)


def test_one_key_is_one_person_and_one_name_one_key(desk: Desk, make: Any) -> None:
    desk.enrol()
    cora = make.signers["cora"].person
    with pytest.raises(Conflict, match="enrolled as cora"):
        desk.evidence.people.enrol(replace(cora, name="cora2"), desk.signer)
    other = make.signer("cora", ("compliance_officer",), seed=7)
    with pytest.raises(Conflict, match="another key"):
        desk.evidence.people.enrol(other.person, desk.signer)


def test_a_role_is_changed_by_enrolling_again(desk: Desk, make: Any) -> None:
    desk.enrol()
    desk.evidence.people.enrol(replace(make.signers["cora"].person, roles=("auditor",)), desk.signer)
    with pytest.raises(Refused, match="not enrolled as compliance_officer"):
        desk.approval("cora", desk.policy(), role="compliance_officer")
    assert desk.evidence.people.standing()["cora"].person.roles == ("auditor",)


def test_an_older_enrolment_put_back_is_noticed(desk: Desk, db: Database, make: Any) -> None:
    desk.enrol()
    old = desk.evidence.people.enrolment("cora").decode()
    desk.clock.advance(timedelta(days=1))
    desk.evidence.people.enrol(replace(make.signers["cora"].person, roles=("auditor",)), desk.signer)
    with db.write() as tx:
        tx.run("UPDATE people SET envelope = :old WHERE name = 'cora'", old=old)
    with pytest.raises(VerificationFailed, match="not the latest"):
        desk.evidence.people.standing()


def test_a_deleted_revocation_still_counts(desk: Desk, db: Database) -> None:
    policy, _ = released(desk)
    filed = desk.evidence.people.end("bea", desk.signer, reason="left the company")
    with db.write() as tx:
        tx.run("DELETE FROM statements WHERE digest = :digest", digest=filed.digest)
    assert blocking(desk.judge(policy)) == ["approval.release"]


def test_deleting_a_bad_result_from_the_database_does_not_help(desk: Desk, db: Database) -> None:
    policy = desk.policy()
    desk.freeze(policy)
    desk.measure(policy, performance={"value": 0.5, "low": 0.4, "high": 0.6})
    bad = desk.evidence.statements.of_project("german-credit", TEST_RESULT_TYPE)
    desk.clock.advance(timedelta(minutes=1))
    desk.measure(policy)
    assert "performance.roc_auc" in blocking(desk.judge(policy))
    with db.write() as tx:
        for one in bad:
            tx.run("DELETE FROM statements WHERE digest = :digest", digest=one.digest)
    decision = desk.judge(policy)
    assert "evidence.complete" in blocking(decision)
    assert not decision.passed


def _gate_on_data(desk: Desk) -> Policy:
    """Everything is on file and good, and the policy also asks about the data."""
    policy = desk.policy(overrides=[{"check": "data.faults_error", "at_most": 0, "why": "No faulty rows."}])
    desk.freeze(policy)
    desk.measure(policy)
    return policy


@pytest.mark.parametrize("kind", [TEST_RESULT_TYPE, "urn:sealwright:predicate:data-examination:v1"])
def test_deleting_a_bad_result_about_the_data_alone_does_not_help(desk: Desk, db: Database, kind: str) -> None:
    """One examination of the snapshot fails and one passes; the failing row is gone from the database."""
    policy = _gate_on_data(desk)
    filed = []
    for faults in (3, 0):
        finding = fact("data.faults_error", faults, n=250, unit="count", definition="d")
        block = measured("data", model=None, data=desk.subject.data, performed_at=desk.clock(), findings=[finding])
        filed.append(desk.file([("snapshot", desk.subject.data)], kind, {"sealwright": block}))
    assert "data.faults_error" in blocking(desk.judge(policy))
    with db.write() as tx:
        tx.run("DELETE FROM statements WHERE digest = :digest", digest=filed[0].digest)
    decision = desk.judge(policy)
    assert "data.faults_error" not in blocking(decision)
    assert "evidence.complete" in blocking(decision)


def test_deleting_a_bad_finding_of_the_training_does_not_help(desk: Desk, db: Database) -> None:
    """Findings count from statements of any kind, so those of any kind are missed."""
    policy = _gate_on_data(desk)
    finding = fact("parity.flips", 99, n=250, unit="rows", definition="d")
    subject = desk.subject
    block = measured("training", model=subject.model, data=subject.data, performed_at=desk.clock(), findings=[finding])
    bad = desk.file([("model.onnx", subject.model)], PROVENANCE, {"sealwright": block})
    assert "parity.flips" in blocking(desk.judge(policy))
    with db.write() as tx:
        tx.run("DELETE FROM statements WHERE digest = :digest", digest=bad.digest)
    assert "evidence.complete" in blocking(desk.judge(policy))


def test_what_another_project_filed_about_the_same_data_is_not_missed(desk: Desk, db: Database) -> None:
    policy = _gate_on_data(desk)
    statement = make_statement([("snapshot", desk.subject.data)], PROVENANCE, {"rows": 3})
    envelope = sign_statement(statement, desk.signer)
    other = desk.evidence.file_statement(envelope, project="another-project")
    with db.write() as tx:
        tx.run("DELETE FROM statements WHERE digest = :digest", digest=other.digest)
    assert "evidence.complete" not in blocking(desk.judge(policy))


def test_deleting_an_inconvenient_charter_does_not_help(desk: Desk, db: Database) -> None:
    strict = desk.policy(overrides=[{"check": "performance.roc_auc", "at_least": 0.9, "why": "Promised to the board."}])
    charter = desk.freeze(strict)
    desk.measure(strict)
    desk.freeze(desk.policy())
    with db.write() as tx:
        tx.run("DELETE FROM statements WHERE digest = :digest", digest=charter.digest)
    assert "evidence.complete" in blocking(desk.judge(desk.policy()))


def test_a_place_in_the_table_does_not_overrule_the_ledger(desk: Desk, db: Database) -> None:
    policy = desk.policy()
    desk.measure(policy)
    late = desk.freeze(policy)
    with db.write() as tx:
        tx.run("UPDATE statements SET ledger_index = 0 WHERE digest = :digest", digest=late.digest)
    assert desk.judge(policy).results[0].outcome is Outcome.FAIL


@pytest.mark.parametrize("column", ["envelope", "digest"])
def test_a_statement_changed_in_the_database_stops_the_gate(desk: Desk, db: Database, column: str) -> None:
    policy = desk.policy()
    desk.freeze(policy)
    first, second, *_ = desk.measure(policy)
    with db.write() as tx:
        if column == "envelope":
            forged = first.envelope.decode().replace('"sig":"', '"sig":"AA', 1)
        else:
            forged = second.envelope.decode()
        tx.run("UPDATE statements SET envelope = :forged WHERE digest = :digest", forged=forged, digest=first.digest)
    with pytest.raises(VerificationFailed, match=r"changed|exchanged"):
        desk.judge(policy)


def test_a_statement_put_into_the_database_alone_is_not_evidence(desk: Desk, db: Database) -> None:
    policy = desk.policy()
    desk.freeze(policy)
    filed = desk.measure(policy)
    with db.write() as tx:
        for one in filed:
            tx.run("DELETE FROM statements WHERE digest = :digest", digest=one.digest)
    statement = verify_any(filed[0].envelope, desk.keyring.trust_root)
    copied = make_statement(list(statement.subjects), TEST_RESULT_TYPE, {**statement.predicate, "note": "later"})
    envelope = sign_statement(copied, desk.signer).decode()
    with db.write() as tx:
        tx.run(
            "INSERT INTO statements (digest, subject, predicate_type, project, envelope, filed_at, ledger_index)"
            " VALUES (:digest, :subject, :kind, 'german-credit', :envelope, '2026-01-01T00:00:00.000Z', 5)",
            digest=copied.digest,
            subject=desk.subject.model,
            kind=TEST_RESULT_TYPE,
            envelope=envelope,
        )
    assert copied.digest not in desk.judge(policy).evidence


@pytest.mark.parametrize("branch", ["releases", "checkpoints", "models"])
def test_a_result_signed_by_another_branch_is_not_filed(desk: Desk, stolen: Any, branch: str) -> None:
    statement = make_statement([("model.onnx", desk.subject.model)], TEST_RESULT_TYPE, {"sealwright": {}})
    with pytest.raises(VerificationFailed):
        desk.evidence.file_statement(sign_statement(statement, stolen[branch]), project="german-credit")


def test_findings_about_another_model_than_the_statement_are_refused(desk: Desk, make: Any) -> None:
    policy = desk.policy()
    desk.freeze(policy)
    block = measured(
        "performance", model=make.digest("other"), data=desk.subject.data, performed_at=desk.clock(), findings=[]
    )
    desk.file([("model.onnx", desk.subject.model)], TEST_RESULT_TYPE, {"sealwright": block})
    with pytest.raises(VerificationFailed, match="something else"):
        desk.judge(policy)


@pytest.mark.parametrize(
    "change", [{"value": "0.9"}, {"value": None}, {"n": -1}, {"n": 1.5}, {"value": True}, {"group": 5}]
)
def test_malformed_findings_are_refused_not_guessed(desk: Desk, change: dict[str, Any]) -> None:
    policy = desk.policy()
    finding = {**fact("performance.roc_auc", 0.9, n=250, unit="auc", definition="d"), **change}
    block = measured(
        "performance", model=desk.subject.model, data=desk.subject.data, performed_at=desk.clock(), findings=[finding]
    )
    desk.file([("model.onnx", desk.subject.model)], TEST_RESULT_TYPE, {"sealwright": block})
    with pytest.raises(VerificationFailed, match="cannot be read"):
        desk.judge(policy)


def test_a_fact_is_a_finite_number_or_yes_or_no() -> None:
    assert fact("parity.flips", 0, n=250, unit="rows", definition="d")["value"] == 0.0
    assert fact("admission.accepted", True, n=1, definition="d")["unit"] == "yes/no"
    with pytest.raises(InvalidInput, match="finite"):
        fact("parity.largest", float("nan"), n=250, unit="share", definition="d")


def test_an_attestation_goes_the_same_way_as_an_approval(desk: Desk, make: Any) -> None:
    policy = desk.policy()
    desk.freeze(policy)
    desk.enrol()
    word = make_attestation(
        make.signers["sam"],
        desk.subject.model,
        check="confinement.network",
        role="security_officer",
        reason="The machine has no network at all.",
        now=desk.clock(),
        enrolment=desk.evidence.people.enrolment("sam"),
    )
    desk.evidence.approve(word, project="german-credit", barred=BARRED)
    block = measured(
        "confinement",
        model=desk.subject.model,
        data=desk.subject.data,
        performed_at=desk.clock(),
        findings=[],
        not_performed=[("confinement.network", "the kernel allows no network namespace")],
    )
    desk.file([("model.onnx", desk.subject.model)], PROVENANCE, {"sealwright": block})
    found = next(one for one in desk.judge(policy).results if one.check == "confinement.network")
    assert found.outcome is Outcome.ATTESTED


def test_only_what_people_sign_can_be_an_approval(desk: Desk) -> None:
    charter = desk.freeze(desk.policy())
    with pytest.raises(Refused, match="not a person's approval"):
        desk.evidence.approve(charter.envelope, project="german-credit", barred={})
    with pytest.raises(NotFound):
        desk.evidence.people.enrolment("nobody")
    assert desk.evidence.statements.latest("german-credit", CHARTER_TYPE) == charter
