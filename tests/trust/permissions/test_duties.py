"""Separation of duties, case by case, from the facts a version carries (T-17)."""

from dataclasses import replace

import pytest

from acting import Kept, operator, person, service
from sealwright.kernel import InvalidInput
from sealwright.trust import Principal
from sealwright.trust.permissions.decision import Decision
from sealwright.trust.permissions.errors import PermissionDenied
from sealwright.trust.permissions.permissions import Permissions
from sealwright.trust.permissions.resources import (
    AccountResource,
    CaseResource,
    DatasetResource,
    LedgerResource,
    ProjectResource,
    Resource,
    VersionResource,
)
from sealwright.trust.permissions.roster import Roster

CANDIDATE = VersionResource(name="credit/candidate", project="credit", risk="high")
SIGNING = ("model.approve", "model.attest", "policy.loosen")


def decide(
    permissions: Permissions, who: Principal, action: str, what: Resource, role: str = "compliance_officer"
) -> Decision:
    return permissions.decide(who, action, what, role=role)


@pytest.mark.parametrize("action", SIGNING)
@pytest.mark.parametrize(
    ("fact", "policy"),
    [
        ("trained_by", "separation.trainer"),
        ("submitted_by", "separation.submitter"),
        ("config_author", "separation.config_author"),
        ("suite_editor", "separation.suite_editor"),
        ("role_admins", "separation.role_admin"),
    ],
)
def test_whoever_had_a_hand_in_it_does_not_sign_for_it_t17(
    permissions: Permissions, action: str, fact: str, policy: str
) -> None:
    cora = person("cora", "compliance_officer", "business_owner", "ml_engineer")
    assert decide(permissions, cora, action, CANDIDATE).allowed
    decision = decide(permissions, cora, action, replace(CANDIDATE, **{fact: frozenset({"ada", "cora"})}))
    assert (decision.allowed, decision.policies) == (False, (policy,))


def test_through_a_delegated_token_the_trainer_is_still_the_trainer_t17(permissions: Permissions) -> None:
    trained = replace(CANDIDATE, trained_by=frozenset({"ada"}))
    helper = person("eve", "business_owner", acting_for="ada")
    assert decide(permissions, helper, "model.approve", trained, "business_owner").policies == (
        "proof.in_person",
        "separation.trainer",
    )
    harmless = person("eve", "business_owner", acting_for="zoe")
    assert decide(permissions, harmless, "model.approve", trained, "business_owner").policies == ("proof.in_person",)


def test_a_program_never_signs_whatever_it_calls_itself_t17(permissions: Permissions) -> None:
    for who in (service("ci", "model.approve", "predict:credit"), service("ci", acting_for="ben", strong=True)):
        for action in SIGNING:
            decision = decide(permissions, who, action, CANDIDATE)
            assert not decision.allowed
            assert "only.people" in decision.policies


def test_whoever_opens_the_workspace_never_signs_even_where_nobody_is_enrolled_t17(kept: Kept) -> None:
    empty = Permissions(Roster(), kept)
    for action in (*SIGNING, "data.read_clear"):
        what = CANDIDATE if action in SIGNING else DatasetResource(name="credit", project="credit")
        assert not empty.decide(operator(), action, what).allowed
    assert empty.decide(operator(), "model.promote", replace(CANDIDATE, stage="registered", risk="minimal")).allowed


def test_whoever_administers_roles_does_not_sign(permissions: Permissions) -> None:
    both = person("zoe", "administrator", "business_owner")
    assert decide(permissions, both, "model.approve", CANDIDATE, "business_owner").policies == (
        "separation.administrator",
    )


def test_one_person_approves_once_and_in_one_role(permissions: Permissions) -> None:
    half = replace(CANDIDATE, approvals=frozenset({("ben", "business_owner")}))
    ben = person("ben", "business_owner", "compliance_officer")
    assert decide(permissions, ben, "model.approve", half, "business_owner").allowed  # the same again changes nothing
    again = decide(permissions, ben, "model.approve", half, "compliance_officer")
    assert (again.allowed, again.policies) == (False, ("separation.one_role_each",))
    cora = person("cora", "compliance_officer")
    assert decide(permissions, cora, "model.approve", half, "compliance_officer").allowed


@pytest.mark.parametrize(
    ("approvals", "allowed"),
    [
        ((), False),
        ((("ben", "business_owner"),), False),
        ((("ben", "business_owner"), ("bea", "business_owner")), False),
        ((("ben", "business_owner"), ("ben", "compliance_officer")), False),
        ((("ben", "business_owner"), ("cora", "compliance_officer")), True),
    ],
)
def test_high_risk_goes_live_on_two_people_in_two_roles(
    permissions: Permissions, approvals: tuple[tuple[str, str], ...], allowed: bool
) -> None:
    version = replace(CANDIDATE, stage="registered", approvals=frozenset(approvals))
    for action in ("model.promote", "model.rollback"):
        assert permissions.decide(person("mia", "ml_engineer"), action, version).allowed is allowed
    assert permissions.decide(person("mia", "ml_engineer"), "model.promote", replace(version, risk="minimal")).allowed


def test_whoever_alone_approved_does_not_release(permissions: Permissions) -> None:
    alone = VersionResource(
        name="credit/1",
        project="credit",
        risk="minimal",
        stage="registered",
        approvals=frozenset({("mia", "ml_engineer")}),
    )
    mia = person("mia", "ml_engineer")
    assert permissions.decide(mia, "model.promote", alone).policies == ("separation.sole_approver",)
    two = replace(alone, approvals=alone.approvals | {("ben", "business_owner")})
    assert permissions.decide(mia, "model.promote", two).allowed


def test_nobody_gives_themselves_roles(permissions: Permissions) -> None:
    zoe = person("zoe", "administrator")
    assert permissions.decide(zoe, "people.enrol", AccountResource(name="another")).allowed
    assert permissions.decide(zoe, "people.enrol", AccountResource(name="zoe")).policies == ("separation.own_roles",)


def test_nobody_removes_records_of_their_own_doing(permissions: Permissions) -> None:
    cora = person("cora", "compliance_officer")
    assert permissions.decide(cora, "ledger.erase", LedgerResource(written_by=frozenset({"dan"}))).allowed
    own = LedgerResource(written_by=frozenset({"dan", "cora"}))
    assert permissions.decide(cora, "ledger.erase", own).policies == ("separation.own_records",)


def test_break_glass_takes_a_second_person_who_gains_nothing(permissions: Permissions) -> None:
    case = CaseResource(
        name="bg_1", project="credit", about="break_glass", opened_by=frozenset({"sofia"}), beneficiary="mia"
    )
    assert permissions.decide(person("cora", "compliance_officer"), "break_glass.open", case).allowed
    for name in ("sofia", "mia"):
        decision = permissions.decide(person(name, "security_officer"), "break_glass.open", case)
        assert decision.policies == ("separation.break_glass",)


def test_the_stage_counts(permissions: Permissions) -> None:
    mia = person("mia", "ml_engineer")
    version = VersionResource(name="credit/1", project="credit", risk="minimal", stage="registered")
    assert permissions.decide(mia, "model.promote", version).allowed
    assert permissions.decide(mia, "model.promote", replace(version, stage="revoked")).policies == ("stage.revoked",)
    assert permissions.decide(mia, "model.promote", replace(version, stage="candidate")).policies == (
        "stage.candidate",
    )


def test_an_enrolled_name_from_whoever_opens_the_workspace_is_no_proof(permissions: Permissions) -> None:
    decision = permissions.decide(operator("mia"), "project.view", ProjectResource(name="credit"))
    assert [one.code for one in decision.reasons] == ["proof.not_proven"]
    assert not decision.allowed


def test_a_refusal_is_recorded_and_names_conditions_and_others(permissions: Permissions, kept: Kept) -> None:
    version = VersionResource(name="credit/3", project="credit", risk="minimal", stage="registered")
    with pytest.raises(PermissionDenied, match="takes the role ml_engineer in project credit") as refused:
        permissions.need(person("ben", "business_owner"), "model.promote", version)
    assert "Who may: mia." in str(refused.value)
    assert (refused.value.code, refused.value.status, refused.value.exit_code) == ("permission.denied", 403, 3)
    (event,) = kept.events
    assert (event.action, event.outcome, event.actor) == ("model.promote", "refused", "ben")
    assert (event.resource, event.reason) == ("version:credit/3", "permission.denied")


def test_a_breach_of_separation_raises_an_alarm_t17(permissions: Permissions, kept: Kept) -> None:
    with pytest.raises(PermissionDenied, match="whoever trained the model does not sign for it"):
        permissions.need(
            person("ben", "business_owner"),
            "model.approve",
            replace(CANDIDATE, trained_by=frozenset({"ben"})),
            role="business_owner",
        )
    assert kept.said() == [("model.approve", "refused"), ("alert.raise", "done")]
    assert kept.events[0].policies == ("separation.trainer",)
    assert kept.events[1].reason == "permission.separation"


def test_what_may_be_done_leaves_no_entry_of_its_own(permissions: Permissions, kept: Kept) -> None:
    version = VersionResource(name="credit/3", project="credit", risk="minimal", stage="registered")
    assert permissions.need(person("mia", "ml_engineer"), "model.promote", version).policies == ("role.ml_engineer",)
    assert kept.events == []


def test_a_refusal_that_cannot_be_recorded_is_still_a_refusal(permissions: Permissions, kept: Kept) -> None:
    class Full(Exception):
        pass

    def record(_: object) -> None:
        raise Full

    kept.record = record  # type: ignore[method-assign]
    version = VersionResource(name="credit/3", project="credit", stage="registered")
    with pytest.raises(Full):
        permissions.need(person("ben", "business_owner"), "model.promote", version)


def test_a_decision_is_not_a_truth_value(permissions: Permissions) -> None:
    decision = permissions.decide(person("ben", "business_owner"), "project.view", ProjectResource(name="credit"))
    with pytest.raises(TypeError, match=r"decision\.allowed"):
        bool(decision)


def test_a_question_about_the_wrong_kind_of_thing_is_an_error_of_the_caller(permissions: Permissions) -> None:
    with pytest.raises(InvalidInput, match="is done to a version, not to a project"):
        permissions.decide(person("mia", "ml_engineer"), "model.promote", ProjectResource(name="credit"))
    with pytest.raises(InvalidInput, match="There is no action"):
        permissions.decide(person("mia", "ml_engineer"), "model.sell", ProjectResource(name="credit"))


def test_resources_cannot_be_in_a_wrong_state() -> None:
    for wrong in (
        lambda: VersionResource(name="x", stage="done"),  # type: ignore[arg-type]
        lambda: VersionResource(name="x", risk="low"),  # type: ignore[arg-type]
        lambda: VersionResource(name=""),
        lambda: VersionResource(name="x", project="Not A Name"),
        lambda: VersionResource(name="x", trained_by=frozenset({""})),
        lambda: CaseResource(name="x", about="else"),  # type: ignore[arg-type]
    ):
        with pytest.raises(InvalidInput):
            wrong()
