"""An approval is one person's signature under exactly one package and one policy, and counts once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.charter import RiskClass
from sealwright.evidence import (
    ApprovalRule,
    Attestation,
    class_policy,
    count_approvals,
    make_approval,
    make_attestation,
    verify_any,
    verify_approval,
    verify_attestation,
)
from sealwright.evidence.approval_rule import approval_rule_in
from sealwright.evidence.approvals import APPROVAL_TYPE
from sealwright.kernel import InvalidInput, Refused, VerificationFailed, canonical_json, strict_json
from sealwright.trust import Keyring, TrustRoot, make_statement, person_statement, sign_statement

HIGH = class_policy(RiskClass.HIGH)
RULE = HIGH.approvals


@pytest.fixture(scope="session")
def enrolments(make: Any, keyring: Keyring) -> dict[str, bytes]:
    signer = keyring.signer("statements")
    return {
        name: sign_statement(person_statement(one.person, enrolled_at=make.now - timedelta(days=30)), signer)
        for name, one in make.signers.items()
    }


@pytest.fixture(scope="session")
def root(keyring: Keyring) -> TrustRoot:
    return keyring.trust_root


def signed(make: Any, enrolments: dict[str, bytes], name: str = "cora", **changes: Any) -> bytes:
    person = changes.pop("person", make.signers[name])
    given: dict[str, Any] = {
        "policy": HIGH.digest,
        "role": person.person.roles[0],
        "reason": "Read the report, gap is fine.",
        "now": make.now,
        "enrolment": enrolments[name],
    }
    return make_approval(person, changes.pop("package", make.digest("package")), **{**given, **changes})


def test_what_a_person_signed_is_read_back(make: Any, enrolments: dict[str, bytes], root: TrustRoot) -> None:
    read = verify_approval(signed(make, enrolments), root, package=make.digest("package"))
    assert (read.by, read.role, read.purpose) == ("cora", "compliance_officer", "release")
    assert (read.package, read.policy) == (make.digest("package"), HIGH.digest)
    assert read.reason == "Read the report, gap is fine."


def test_an_approval_of_another_package_is_refused(make: Any, enrolments: dict[str, bytes], root: TrustRoot) -> None:
    """T-18: a signed approval is replayed onto another digest."""
    with pytest.raises(VerificationFailed, match="is for package"):
        verify_approval(signed(make, enrolments), root, package=make.digest("another package"))


def test_signing_in_a_role_one_does_not_hold_is_refused(make: Any, enrolments: dict[str, bytes]) -> None:
    with pytest.raises(Refused, match="not enrolled as security_officer"):
        signed(make, enrolments, role="security_officer")


def test_signing_with_somebody_elses_enrolment_is_refused(make: Any, enrolments: dict[str, bytes]) -> None:
    with pytest.raises(Refused, match="not that of rex"):
        signed(make, enrolments, "cora", person=make.signers["rex"], role="auditor")


def test_signing_after_the_enrolment_ended_is_refused(make: Any, enrolments: dict[str, bytes]) -> None:
    with pytest.raises(Refused, match="more than a year old"):
        signed(make, enrolments, now=make.now + timedelta(days=400))


@pytest.mark.parametrize(
    "changes", [{"package": "model 1"}, {"policy": "sha256:12"}, {"reason": "ok"}, {"purpose": "party"}]
)
def test_an_approval_of_nothing_in_particular_is_refused(
    make: Any, enrolments: dict[str, bytes], changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput):
        signed(make, enrolments, **changes)


def forged(make: Any, enrolment: bytes, signer: Any, subjects: Sequence[tuple[str, str]] = (), **changes: Any) -> bytes:
    """An approval written without our function, as an attacker would."""
    said = {
        "format": 1,
        "purpose": "release",
        "package": make.digest("package"),
        "policy": HIGH.digest,
        "reason": "A reason that is long enough",
        "changes": [],
        "by": "cora",
        "role": "compliance_officer",
        "at": "2026-03-02T10:00:00.000Z",
        "enrolment": enrolment.decode(),
        **changes,
    }
    about = subjects or [("package", make.digest("package")), ("policy", HIGH.digest)]
    return sign_statement(make_statement(about, APPROVAL_TYPE, said), signer)


def forgeries(make: Any, enrolments: dict[str, bytes], stolen: Any) -> Iterator[tuple[str, bytes]]:
    cora, tom = make.signers["cora"], make.signers["tom"]
    self_made = sign_statement(person_statement(tom.person, enrolled_at=make.now), tom)
    yield "another key", forged(make, enrolments["cora"], tom)
    yield "the workspace's key", forged(make, enrolments["cora"], stolen["statements"])
    yield "an enrolment signed by oneself", forged(make, self_made, tom, by="tom")
    yield (
        "an enrolment signed by another branch",
        forged(make, sign_statement(person_statement(cora.person, enrolled_at=make.now), stolen["releases"]), cora),
    )
    yield "another name", forged(make, enrolments["cora"], cora, by="bea")
    yield "another role", forged(make, enrolments["cora"], cora, role="security_officer")
    yield "before the enrolment", forged(make, enrolments["cora"], cora, at="2025-03-02T10:00:00.000Z")
    yield "after the enrolment", forged(make, enrolments["cora"], cora, at="2029-03-02T10:00:00.000Z")
    yield "no time zone", forged(make, enrolments["cora"], cora, at="2026-03-02T10:00:00")
    yield (
        "another subject",
        forged(make, enrolments["cora"], cora, [("package", make.digest("x")), ("policy", HIGH.digest)]),
    )
    yield "one subject", forged(make, enrolments["cora"], cora, [("package", make.digest("package"))])
    yield "an unknown purpose", forged(make, enrolments["cora"], cora, purpose="everything")
    yield "an unknown field", forged(make, enrolments["cora"], cora, extra=1)
    yield "no enrolment", forged(make, b"", cora)
    yield "an enrolment that is none", forged(make, b"{}", cora)
    yield "nothing", b"{}"
    yield "no JSON", b"\x00\xff"


def test_no_forged_approval_is_accepted(make: Any, enrolments: dict[str, bytes], keyring: Keyring, stolen: Any) -> None:
    assert verify_approval(forged(make, enrolments["cora"], make.signers["cora"]), keyring.trust_root).by == "cora"
    for how, envelope in forgeries(make, enrolments, stolen):
        for check in (verify_approval, verify_any):
            if check is verify_any and how in {
                "another subject",
                "one subject",
                "an unknown purpose",
                "an unknown field",
            }:
                continue  # the signature holds; only reading it as an approval refuses
            with pytest.raises(VerificationFailed):
                check(envelope, keyring.trust_root)


def test_any_changed_byte_is_noticed(make: Any, enrolments: dict[str, bytes], root: TrustRoot) -> None:
    envelope = signed(make, enrolments)
    for place in range(0, len(envelope), 23):
        changed = bytearray(envelope)
        changed[place] ^= 1
        with pytest.raises(VerificationFailed):
            verify_approval(bytes(changed), root)


def test_an_attestation_is_no_approval_and_the_other_way_round(
    make: Any, enrolments: dict[str, bytes], root: TrustRoot
) -> None:
    word = make_attestation(
        make.signers["sam"],
        make.digest("model"),
        check="robustness.noise_flip_share",
        role="security_officer",
        reason="All inputs are categories.",
        now=make.now,
        enrolment=enrolments["sam"],
    )
    read = verify_attestation(word, root)
    assert isinstance(read, Attestation)
    assert (read.check, read.model, read.by) == ("robustness.noise_flip_share", make.digest("model"), "sam")
    with pytest.raises(VerificationFailed):
        verify_approval(word, root)
    with pytest.raises(VerificationFailed):
        verify_attestation(signed(make, enrolments), root)


def counted(make: Any, approvals: Any, rule: ApprovalRule = RULE, **changes: Any) -> Any:
    given: dict[str, Any] = {
        "project": "credit",
        "package": make.digest("package"),
        "policy": HIGH.digest,
        "purpose": "release",
        "barred": {"tom": "trained this model"},
        "people": {name: make.standing(name) for name in make.signers},
        "now": make.now,
    }
    return count_approvals(rule, approvals, **{**given, **changes})


def test_a_role_in_one_project_carries_no_release_of_another_t14(make: Any) -> None:
    cora, bea = make.approval("cora", HIGH), make.approval("bea", HIGH)
    for project, counts in (("credit", True), ("loans", False)):
        dealt = make.signers["cora"].person
        people = {
            "bea": make.standing("bea"),
            "cora": make.standing("cora", person=replace(dealt, roles=(f"compliance_officer@{project}",))),
        }
        assert counted(make, [cora, bea], people=people).enough is counts


def test_high_risk_takes_two_people_in_two_roles(make: Any) -> None:
    cora, bea = make.approval("cora", HIGH), make.approval("bea", HIGH)
    assert counted(make, [cora, bea]).enough
    assert not counted(make, [cora]).enough
    assert not counted(make, []).enough


def test_one_person_counts_once_however_often_and_in_whatever_role(make: Any) -> None:
    sam = make.signer("sam", ("security_officer", "business_owner"))
    people = {"sam": replace(make.standing("sam"), person=sam.person)}
    twice = [
        make.approval("sam", HIGH, role=role, key_id=sam.key_id) for role in ("security_officer", "business_owner")
    ]
    assert not counted(make, twice, people=people).enough
    assert not counted(
        make, [make.approval("cora", HIGH), make.approval("cora", HIGH, reason="Once more, really.")]
    ).enough


def test_one_role_counts_once(make: Any) -> None:
    mia = make.signer("mia", ("compliance_officer",))
    people = {"cora": make.standing("cora"), "mia": replace(make.standing("cora"), person=mia.person)}
    both = [make.approval("cora", HIGH), make.approval("cora", HIGH, by="mia", key_id=mia.key_id)]
    assert not counted(make, both, people=people).enough


def test_two_names_with_one_key_are_one_person(make: Any) -> None:
    """T-17: approving one's own model through a second account."""
    cora = make.signers["cora"]
    alias = make.standing("cora", person=replace(cora.person, name="bea", roles=("business_owner",)))
    people = {"cora": make.standing("cora"), "bea": alias}
    second = make.approval("cora", HIGH, by="bea", role="business_owner", key_id=cora.key_id)
    found = counted(make, [make.approval("cora", HIGH), second], people=people)
    assert found.refused == ()
    assert not found.enough


def test_one_name_with_two_keys_is_one_person(make: Any) -> None:
    """Offline, where nobody knows which of the keys is current."""
    second = make.approval("cora", HIGH, role="business_owner", key_id="0" * 64)
    assert not counted(make, [make.approval("cora", HIGH), second], people=None).enough


def test_the_trainer_does_not_count_under_any_name_t17(make: Any) -> None:
    """T-17: trainer approves own model."""
    tom = make.signers["tom"]
    own = make.approval("tom", HIGH, role="business_owner")
    alias = make.approval("tom", HIGH, by="timo", role="business_owner")
    people = {name: make.standing(name) for name in make.signers} | {"timo": replace(make.standing("tom"))}
    for one, why in ((own, "trained this model"), (alias, "somebody who trained this model")):
        found = counted(make, [make.approval("cora", HIGH), one], people=people)
        assert not found.enough
        assert why in found.refused[0][1]
    assert tom.key_id == alias.key_id


def test_the_trainer_does_not_count_where_only_the_signed_bytes_are_at_hand_t17(make: Any) -> None:
    """As in a package on its way: nobody says whose key it is, so the name alone has to do."""
    own = make.approval("tom", HIGH, role="business_owner")
    found = counted(make, [make.approval("cora", HIGH), own], people=None)
    assert not found.enough
    assert "trained this model" in found.refused[0][1]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"package": "sha256:" + "2" * 64}, "another package"),
        ({"policy": "sha256:" + "2" * 64}, "another policy"),
        ({"role": "auditor"}, "does not count here"),
        ({"at": timedelta(days=2)}, "in the future"),
        ({"at": timedelta(days=-91)}, "older than 90 days"),
        ({"by": "nobody"}, "nobody called nobody"),
        ({"key_id": "0" * 64}, "another key now"),
        ({"role": "security_officer"}, "does not hold the role security_officer in credit"),
    ],
)
def test_what_does_not_count_says_why(make: Any, changes: dict[str, Any], why: str) -> None:
    made = {name: make.now + value if isinstance(value, timedelta) else value for name, value in changes.items()}
    wrong = replace(make.approval("cora", HIGH), **made)
    found = counted(make, [wrong, make.approval("bea", HIGH)])
    assert not found.enough
    assert why in found.refused[0][1]


@pytest.mark.parametrize(
    ("standing", "why"),
    [
        ({"revoked": "left the company"}, "was revoked: left the company"),
        ({"enrolled_at": timedelta(days=-367)}, "ran to"),
        ({"enrolled_at": timedelta(days=5)}, "only on"),
    ],
)
def test_revoked_and_expired_people_do_not_count(make: Any, standing: dict[str, Any], why: str) -> None:
    made = {name: make.now + value if isinstance(value, timedelta) else value for name, value in standing.items()}
    people = {**{name: make.standing(name) for name in make.signers}, "cora": make.standing("cora", **made)}
    found = counted(make, [make.approval("cora", HIGH), make.approval("bea", HIGH)], people=people)
    assert not found.enough
    assert why in found.refused[0][1]


def test_minimal_risk_needs_nobody(make: Any) -> None:
    assert counted(make, [], class_policy(RiskClass.MINIMAL).approvals).enough


NAMES = ["a", "b", "c", "d"]
ROLES = ["business_owner", "compliance_officer", "security_officer"]


@given(st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(ROLES))), st.integers(1, 3), st.booleans())
def test_the_largest_assignment_of_people_to_roles_is_found(
    make: Any, given_by: set[tuple[str, str]], people: int, distinct: bool
) -> None:
    """Against an oracle that tries every combination."""
    from itertools import combinations

    rule = ApprovalRule(people=people, distinct_roles=distinct, roles=tuple(ROLES), why="A reason that is long enough.")  # type: ignore[arg-type]
    approvals = [
        replace(
            make.approval("cora", HIGH),
            by=name,
            role=role,
            key_id=f"{name:0>64}",
            statement=make.digest(f"{name}{role}"),
        )
        for name, role in given_by
    ]
    possible = any(
        len({name for name, _ in some}) == people and (not distinct or len({role for _, role in some}) == people)
        for some in combinations(given_by, people)
    )
    assert counted(make, approvals, rule, people=None, barred={}).enough == possible


def test_a_signed_approval_is_canonical_json(make: Any, enrolments: dict[str, bytes]) -> None:
    envelope = signed(make, enrolments)
    assert canonical_json(strict_json(envelope)) == envelope


_RULE = {
    "people": 2,
    "distinct_roles": True,
    "roles": ["auditor", "reviewer"],
    "max_age_days": 30,
    "why": "Two look at it.",
}


def test_a_rule_reads_back_as_a_decision_states_it() -> None:
    assert approval_rule_in(_RULE).to_json() == _RULE


@pytest.mark.parametrize(
    "change",
    [
        {"people": -1},
        {"people": 11},
        {"people": True},
        {"people": "2"},
        {"people": 3},
        {"distinct_roles": 1},
        {"roles": "auditor"},
        {"roles": ["king", "reviewer"]},
        {"roles": [{}]},
        {"roles": []},
        {"max_age_days": 0},
        {"max_age_days": 30.0},
        {"why": "so"},
        {"why": "x" * 2001},
        {"more": 1},
    ],
)
def test_a_rule_with_anything_odd_about_it_is_none(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="rule about approvals"):
        approval_rule_in(_RULE | change)


def test_a_rule_without_its_people_or_its_reason_is_none() -> None:
    for missing in ("people", "why"):
        with pytest.raises(InvalidInput, match="fields"):
            approval_rule_in({name: value for name, value in _RULE.items() if name != missing})
