"""Evidence that somebody tampered with, knowing the formats and holding one or several keys: both verifiers refuse it.

Each attack leaves everything right but one thing, so that it is that one check which must notice.
"""

import base64
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import auditor_house
import pytest
from auditor_bench import (
    Bench,
    Edit,
    Evidence,
    Files,
    enveloped,
    payload_of,
    resigned,
    restated,
    statement_digest,
    unchanged,
)

from sealwright.kernel import canonical_json, digest_of, rfc3339, system_clock
from sealwright.trust import LocalSigner, Signer, make_statement, person_statement, sign_statement

THIEF = LocalSigner("ed25519", b"\x07" * 32)
MODEL_THIEF = LocalSigner("ecdsa-p256-sha256", (7).to_bytes(32, "big"))
APPROVAL = "urn:sealwright:predicate:approval:v1"
CHARTER, GATE, ATTESTATION = "statements/charter.json", "statements/gate.json", "statements/attestation-1.json"
PERFORMANCE, PROVENANCE = "statements/performance.json", "statements/provenance.json"
APPROVALS = tuple(f"statements/approval-{place}.json" for place in (1, 2, 3))


# ---- packages ------------------------------------------------------------------------------------------------------


def approvals_for(evidence: Evidence, purpose: str) -> list[bytes]:
    envelopes = [evidence.package[name] for name in APPROVALS]
    return [one for one in envelopes if payload_of(one)["predicate"]["purpose"] == purpose]


def without(*names: str) -> Callable[[Evidence], Files]:
    return lambda e: resigned(e, {name: data for name, data in e.package.items() if name not in names})


def swapped(*names: str) -> Callable[[Evidence], Files]:
    return lambda e: resigned(e, e.package | {name: e.other[name] for name in names})


def with_gate(evidence: Evidence, edit: Edit, *approvals: bytes) -> Files:
    """The package with another verdict by the gate's own key, and other approvals: what a corrupt workspace could do."""
    gate = restated(evidence.package[GATE], evidence.key("statements"), edit)
    rest = {name: data for name, data in evidence.package.items() if name not in APPROVALS}
    given = {f"statements/approval-{place}.json": one for place, one in enumerate(approvals, start=1)}
    return resigned(evidence, rest | {GATE: gate} | given)


def with_verdict(edit: Edit) -> Callable[[Evidence], Files]:
    return lambda e: with_gate(e, edit, *(e.package[name] for name in APPROVALS))


def counting(*approvals: bytes) -> Edit:
    """A gate that counts these."""

    def edit(said: dict[str, Any]) -> None:
        said["sealwright"]["approvals"] = [{"statement": statement_digest(one)} for one in approvals]

    return edit


def ours(**fields: object) -> Edit:
    """A gate that says something else about what it found."""
    return lambda said: said["sealwright"].update(fields)


def first_fails(said: dict[str, Any]) -> None:
    said["sealwright"]["results"][0]["outcome"] = "fail"


def counted_twice(e: Evidence) -> Files:
    bela, change = approvals_for(e, "release")[0], approvals_for(e, "policy_change")[0]
    return with_gate(e, counting(bela, bela, change), bela, bela, change)


TAMPERED: dict[str, tuple[str, Callable[[Evidence], Files]]] = {
    "signed with another model key": ("model.sig", lambda e: resigned(e, e.package, MODEL_THIEF)),
    "model exchanged": ("model.sig", lambda e: e.package | {"model.onnx": e.other["model.onnx"]}),
    "model exchanged and signed": ("statements/", swapped("model.onnx")),
    "file added": ("extra.py", lambda e: resigned(e, e.package | {"extra.py": b"import os"})),
    "file added unsigned": ("model.sig", lambda e: e.package | {"statements/novel.json": e.package[PERFORMANCE]}),
    "git file added": (".gitignore", lambda e: e.package | {".gitignore": b"*"}),
    "approval with a strange number": (
        "statements/approval-01.json",
        lambda e: resigned(e, e.package | {"statements/approval-01.json": e.package[APPROVALS[0]]}),
    ),
    "charter removed": (CHARTER, without(CHARTER)),
    "gate removed": (GATE, without(GATE)),
    "signature removed": ("model.sig", lambda e: {n: d for n, d in e.package.items() if n != "model.sig"}),
    "statement removed": ("statements/", without(PERFORMANCE)),
    "statement by a thief": (
        PERFORMANCE,
        lambda e: resigned(e, e.package | {PERFORMANCE: restated(e.package[PERFORMANCE], THIEF)}),
    ),
    "statement by the key for releases": (
        PERFORMANCE,
        lambda e: resigned(e, e.package | {PERFORMANCE: restated(e.package[PERFORMANCE], e.key("releases"))}),
    ),
    "statement in the place of another": (
        CHARTER,
        lambda e: resigned(e, e.package | {CHARTER: e.package["statements/snapshot.json"]}),
    ),
    "approvals removed": (GATE, without(*APPROVALS)),
    "one approval removed": (GATE, without(APPROVALS[0])),
    "approvals of another package": (APPROVALS[0], swapped(*APPROVALS[:2])),
    "gate of another package": (GATE, swapped(GATE)),
    "gate said FAILED": (GATE, lambda e: resigned(e, e.package | {GATE: e.blocked_gate})),
    "PASSED over a failed check": (GATE, with_verdict(first_fails)),
    "PASSED over nothing": (GATE, with_verdict(ours(results=[]))),
    "FAILED in the result": (GATE, with_verdict(lambda said: said.update(verificationResult="FAILED"))),
    "FAILED in the levels": (GATE, with_verdict(lambda said: said.update(verifiedLevels=["FAILED"]))),
    "FAILED in our part": (GATE, with_verdict(ours(passed=False))),
    "about another model": (GATE, with_verdict(ours(model=digest_of(b"another")))),
    "about another project": (GATE, with_verdict(ours(project="loans"))),
    "about another package inside": (GATE, with_verdict(ours(package=digest_of(b"another")))),
    "by another kind of gate": (GATE, with_verdict(lambda said: said.update(verifier={"id": "urn:somebody:else"}))),
    "of another format": (GATE, with_verdict(ours(format=2))),
    "from the future": (GATE, with_verdict(ours(decided_at=rfc3339(system_clock() + timedelta(days=2))))),
    "without having looked": (GATE, with_verdict(lambda said: said.update(inputAttestations=[]))),
    "an approval that the gate did not count": (
        GATE,
        lambda e: resigned(e, e.package | {"statements/approval-4.json": an_approval(e, saying(reason="And again."))}),
    ),
    "no people at all": (GATE, lambda e: with_gate(e, counting())),
    "one person too few": (
        GATE,
        lambda e: with_gate(
            e,
            counting(*approvals_for(e, "release")[:1], *approvals_for(e, "policy_change")),
            *approvals_for(e, "release")[:1],
            *approvals_for(e, "policy_change"),
        ),
    ),
    "no officer allowed less": (
        GATE,
        lambda e: with_gate(e, counting(*approvals_for(e, "release")), *approvals_for(e, "release")),
    ),
    "one person twice": (GATE, counted_twice),
}


@pytest.mark.parametrize("attack", sorted(TAMPERED))
def test_a_package_that_was_tampered_with_is_refused_by_both(bench: Bench, evidence: Evidence, attack: str) -> None:
    link, change = TAMPERED[attack]
    bench.refuse(change(evidence), f"package/{link}")


def in_envelope(edit: Callable[[dict[str, Any]], object]) -> Callable[[Evidence], bytes]:
    """The verdict with something changed around it, which its signature does not cover."""

    def change(evidence: Evidence) -> bytes:
        envelope = json.loads(evidence.package[GATE])
        edit(envelope)
        return canonical_json(envelope)

    return change


def in_payload(**fields: object) -> Callable[[Evidence], bytes]:
    """The verdict with something else in the statement around it, well signed."""
    return lambda e: enveloped(canonical_json(payload_of(e.package[GATE]) | fields), e.key("statements"))


def subjects(*digests: str) -> list[dict[str, Any]]:
    return [{"name": "package", "digest": {"sha256": digest[7:]}} for digest in digests]


def package_in(evidence: Evidence) -> str:
    package: str = payload_of(evidence.package[GATE])["predicate"]["sealwright"]["package"]
    return package


ENVELOPES: dict[str, Callable[[Evidence], bytes]] = {
    "another payload type": in_envelope(lambda one: one.update(payloadType="application/json")),
    "a field more": in_envelope(lambda one: one.update(note="all good")),
    "no signature": in_envelope(lambda one: one.update(signatures=[])),
    "no second signature": in_envelope(lambda one: one["signatures"].pop(1)),
    "no first signature": in_envelope(lambda one: one["signatures"].pop(0)),
    "the two signatures the wrong way round": in_envelope(lambda one: one["signatures"].reverse()),
    "the second signature twice": in_envelope(lambda one: one["signatures"].append(one["signatures"][1])),
    "the second signature flipped": in_envelope(
        lambda one: (
            one["signatures"][1].update(sig="A" + one["signatures"][1]["sig"][1:])
            if one["signatures"][1]["sig"][0] != "A"
            else one["signatures"][1].update(sig="B" + one["signatures"][1]["sig"][1:])
        )
    ),
    "the same signature twice": in_envelope(lambda one: one["signatures"].append(one["signatures"][0])),
    "a second signature by nobody": in_envelope(lambda one: one["signatures"].append({"keyid": "0" * 64, "sig": ""})),
    "a field more at the signature": in_envelope(lambda one: one["signatures"][0].update(cert="x")),
    "another key named": in_envelope(lambda one: one["signatures"][0].update(keyid="0" * 64)),
    "another statement type": in_payload(_type="https://in-toto.io/Statement/v0.1"),
    "a field more in the statement": in_payload(note="all good"),
    "no subject": in_payload(subject=[]),
    "a subject twice": lambda e: in_payload(subject=subjects(digest_of(b"another"), package_in(e)))(e),
    "a subject without a digest": in_payload(subject=[{"name": "package", "digest": {"sha512": "0" * 128}}]),
    "no predicate": in_payload(predicate=[]),
    "another spelling inside": lambda e: enveloped(
        json.dumps(payload_of(e.package[GATE])).encode(), e.key("statements")
    ),
}


@pytest.mark.parametrize("attack", sorted(ENVELOPES))
def test_a_statement_of_another_form_is_refused_by_both_even_if_it_is_signed(
    bench: Bench, evidence: Evidence, attack: str
) -> None:
    bench.refuse(resigned(evidence, evidence.package | {GATE: ENVELOPES[attack](evidence)}), f"package/{GATE}")


def model_signature(evidence: Evidence, edit: Edit, *, payload: Edit = unchanged) -> Files:
    """The package with its model signature changed around the signature, or in what it signs (and signed again)."""
    bundle = json.loads(evidence.package["model.sig"])
    said = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    payload(said)
    envelope = json.loads(enveloped(canonical_json(said), evidence.key("models")))
    envelope["signatures"][0]["keyid"] = ""
    bundle["dsseEnvelope"] = envelope
    edit(bundle)
    return evidence.package | {"model.sig": canonical_json(bundle)}


SIGNATURES: dict[str, Callable[[Evidence], Files]] = {
    "another media type": lambda e: model_signature(e, lambda one: one.update(mediaType="application/json")),
    "a field more": lambda e: model_signature(e, lambda one: one.update(note="all good")),
    "log entries nobody checks": lambda e: model_signature(
        e, lambda one: one["verificationMaterial"].update(tlogEntries=[{"logIndex": "1"}])
    ),
    "a certificate": lambda e: model_signature(e, lambda one: one["verificationMaterial"].update(certificate="x")),
    "no hint": lambda e: model_signature(e, lambda one: one["verificationMaterial"]["publicKey"].pop("hint")),
    "the hint of another": lambda e: model_signature(
        e, lambda one: one["verificationMaterial"]["publicKey"].update(hint="0" * 64)
    ),
    "a key id": lambda e: model_signature(e, lambda one: one["dsseEnvelope"]["signatures"][0].update(keyid="x")),
    "two signatures": lambda e: model_signature(
        e, lambda one: one["dsseEnvelope"]["signatures"].append(one["dsseEnvelope"]["signatures"][0])
    ),
    "no signature": lambda e: model_signature(e, lambda one: one["dsseEnvelope"].update(signatures=[])),
    "another payload type": lambda e: model_signature(e, lambda one: one["dsseEnvelope"].update(payloadType="x")),
    "another predicate": lambda e: model_signature(e, unchanged, payload=lambda said: said.update(predicateType="x")),
    "a file left out": lambda e: model_signature(
        e, unchanged, payload=lambda said: said["predicate"]["resources"].pop(0)
    ),
    "a weaker digest": lambda e: model_signature(
        e, unchanged, payload=lambda said: said["predicate"]["resources"][0].update(algorithm="md5")
    ),
}


@pytest.mark.parametrize("attack", sorted(SIGNATURES))
def test_a_model_signature_of_another_form_is_refused_by_both(bench: Bench, evidence: Evidence, attack: str) -> None:
    bench.refuse(SIGNATURES[attack](evidence), "package/model.sig")


def test_the_same_model_signature_made_again_is_accepted_by_both(bench: Bench, evidence: Evidence) -> None:
    bench.accept(model_signature(evidence, unchanged))


def all_signed_again(evidence: Evidence, changes: dict[str, bytes | None], gate: Edit = unchanged) -> Files:
    """The package with other contents, approved, judged and sealed by everybody as if it were right.

    The package digest, every approval, the gate and the model signature are made again with the real keys; what is
    wrong can only be seen in what the changed files say.
    """
    late = {GATE, "model.sig", *APPROVALS}
    before = evidence.package | {}
    files = {name: data for name, data in (before | changes).items() if name not in late and data is not None}
    package = digest_of(canonical_json([[name, digest_of(files[name])] for name in sorted(files)]))
    new = {
        statement_digest(before[name]): statement_digest(data)
        for name, data in files.items()
        if name in before and name.startswith("statements/")
    }
    approvals = []
    for name in APPROVALS:
        person = evidence.house.people[payload_of(before[name])["predicate"]["by"]]
        approvals.append(restated(before[name], person, lambda said: said.update(package=package), package=package))

    def judge(said: dict[str, Any]) -> None:
        said["inputAttestations"] = [
            {"digest": {"sha256": statement_digest(data)[7:]}} for name, data in files.items() if "statements/" in name
        ]
        said["sealwright"] |= {"package": package, "model": digest_of(files["model.onnx"])}
        for result in said["sealwright"]["results"]:
            for one in result["instances"]:
                one["statement"] = new.get(one["statement"], one["statement"])
        counting(*approvals)(said)
        gate(said)

    files[GATE] = restated(before[GATE], evidence.key("statements"), judge, package=package)
    files |= dict(zip(APPROVALS, approvals, strict=True))
    return resigned(evidence, files)


def edited(evidence: Evidence, name: str, edit: Edit = unchanged, **subjects: str) -> dict[str, bytes | None]:
    return {name: restated(evidence.package[name], evidence.key("statements"), edit, **subjects)}


def other_data(said: dict[str, Any]) -> None:
    said["buildDefinition"]["resolvedDependencies"] = [{"name": "snapshot", "digest": {"sha256": "a" * 64}}]


def unseen_fairness(e: Evidence) -> Files:
    fairness = restated(e.package[PERFORMANCE], e.key("statements"), lambda said: said.update(result="FAILED"))

    def blind(said: dict[str, Any]) -> None:
        digest = statement_digest(fairness)[7:]
        said["inputAttestations"] = [one for one in said["inputAttestations"] if one["digest"]["sha256"] != digest]

    return all_signed_again(e, {"statements/fairness.json": fairness}, blind)


COLLUDED: dict[str, tuple[str, Callable[[Evidence], Files]]] = {
    "a result of another model": (PERFORMANCE, lambda e: all_signed_again(e, {PERFORMANCE: e.other[PERFORMANCE]})),
    "the origin of another model": (PROVENANCE, lambda e: all_signed_again(e, {PROVENANCE: e.other[PROVENANCE]})),
    "an origin in other data": (PROVENANCE, lambda e: all_signed_again(e, edited(e, PROVENANCE, other_data))),
    "a person's word for another model": (
        ATTESTATION,
        lambda e: all_signed_again(e, {ATTESTATION: e.other[ATTESTATION]}),
    ),
    "the charter of another project": (
        "interface.json",
        lambda e: all_signed_again(
            e, edited(e, CHARTER, lambda said: said.update(project="loans")), ours(project="loans")
        ),
    ),
    "the interface of another project": (
        "interface.json",
        lambda e: all_signed_again(
            e, {"interface.json": canonical_json(auditor_house.INTERFACE | {"project": "loans"})}
        ),
    ),
    "an interface in another spelling": (
        "interface.json",
        lambda e: all_signed_again(e, {"interface.json": json.dumps(auditor_house.INTERFACE).encode()}),
    ),
    "a result that the gate rests on is not here": (GATE, lambda e: all_signed_again(e, {PERFORMANCE: None})),
    "a result that the gate did not look at": (GATE, unseen_fairness),
}


@pytest.mark.parametrize("attack", sorted(COLLUDED))
def test_what_everybody_signed_is_still_refused_by_both_if_it_does_not_fit(
    bench: Bench, evidence: Evidence, attack: str
) -> None:
    link, change = COLLUDED[attack]
    bench.refuse(change(evidence), f"package/{link}")


def test_what_everybody_signed_again_holds_where_it_fits(bench: Bench, evidence: Evidence) -> None:
    """The way the attacks above are made is not what is refused."""
    bench.accept(all_signed_again(evidence, {}))
    bench.accept(all_signed_again(evidence, edited(evidence, PERFORMANCE, lambda said: said.update(result="x"))))


# ---- people --------------------------------------------------------------------------------------------------------


def an_approval(
    evidence: Evidence,
    edit: Edit = unchanged,
    *,
    signer: Signer | None = None,
    enrolled_by: Signer | None = None,
) -> bytes:
    """Carl's approval of this package, with one thing wrong."""
    carl = evidence.house.people["carl"]
    said = dict(payload_of(approvals_for(evidence, "release")[0])["predicate"])
    said |= {
        "by": "carl",
        "role": "business_owner",
        "enrolment": carl_enrolment(evidence).decode(),
    }
    if enrolled_by is not None:
        stranger = type(carl.person)("carl", ("business_owner",), (signer or carl).public())
        statement = person_statement(stranger, enrolled_at=evidence.house.clock() - timedelta(days=1))
        said["enrolment"] = sign_statement(statement, enrolled_by).decode()
    edit(said)
    subjects = [("package", said["package"]), ("policy", said["policy"])]
    return sign_statement(make_statement(subjects, APPROVAL, said), signer or carl)


def enrolled_for_another_key(e: Evidence) -> bytes:
    """An enrolment that names a thief's key in its text, and is about carl's."""
    enrolment = payload_of(carl_enrolment(e))
    enrolment["predicate"]["public_key"] = THIEF.public().to_json()
    forged = enveloped(canonical_json(enrolment), e.key("statements")).decode()
    return an_approval(e, saying(enrolment=forged), signer=THIEF)


def carl_enrolment(evidence: Evidence) -> bytes:
    envelope: bytes = evidence.house.evidence.people.enrolment("carl")
    return envelope


def saying(**fields: object) -> Edit:
    return lambda said: said.update(fields)


def with_roles(evidence: Evidence, *roles: str) -> Edit:
    """Carl, enrolled by the workspace for these."""
    carl = evidence.house.people["carl"]
    statement = person_statement(
        type(carl.person)("carl", roles, carl.public()), enrolled_at=evidence.house.clock() - timedelta(days=1)
    )
    return saying(enrolment=sign_statement(statement, evidence.key("statements")).decode())


def at(days: float) -> Edit:
    return saying(at=rfc3339(auditor_house.START + timedelta(days=days)))


def contradiction(e: Evidence) -> bytes:
    """An approval about this package whose text names another."""
    return restated(an_approval(e), e.house.people["carl"], saying(package=digest_of(b"another")))


NOT_APPROVALS: dict[str, tuple[str, Callable[[Evidence], bytes]]] = {
    "by a stranger with carl's enrolment": (APPROVALS[1], lambda e: an_approval(e, signer=THIEF)),
    "by a stranger whom a stranger enrolled": (
        APPROVALS[1],
        lambda e: an_approval(e, signer=THIEF, enrolled_by=THIEF),
    ),
    "by a stranger whom the key for releases enrolled": (
        APPROVALS[1],
        lambda e: an_approval(e, signer=THIEF, enrolled_by=e.key("releases")),
    ),
    "by a thief whose key stands in carl's enrolment": (APPROVALS[1], enrolled_for_another_key),
    "in the name of another": (APPROVALS[1], lambda e: an_approval(e, saying(by="dora"))),
    "in a role that carl does not have": (APPROVALS[1], lambda e: an_approval(e, saying(role="compliance_officer"))),
    "in a role of another project": (APPROVALS[1], lambda e: an_approval(e, with_roles(e, "business_owner@loans"))),
    "in a role that does not count": (GATE, lambda e: an_approval(e, saying(role="auditor"))),
    "under another policy": (GATE, lambda e: an_approval(e, saying(policy=digest_of(b"looser")))),
    "for another package": (APPROVALS[1], lambda e: an_approval(e, saying(package=digest_of(b"another")))),
    "for another package in its text": (GATE, contradiction),
    "for another purpose": (GATE, lambda e: an_approval(e, saying(purpose="policy_change"))),
    "after the decision": (GATE, lambda e: an_approval(e, at(1))),
    "before carl was enrolled": (APPROVALS[1], lambda e: an_approval(e, at(-2))),
    "after carl's year": (APPROVALS[1], lambda e: an_approval(e, at(367))),
    "without an enrolment": (APPROVALS[1], lambda e: an_approval(e, lambda said: said.pop("enrolment"))),
}


def with_carl(evidence: Evidence, carl: bytes) -> Files:
    """The package with `carl` as his approval, which the gate counts."""
    bela = next(one for one in approvals_for(evidence, "release") if payload_of(one)["predicate"]["by"] == "bela")
    change = approvals_for(evidence, "policy_change")[0]
    return with_gate(evidence, counting(bela, carl, change), bela, carl, change)


@pytest.mark.parametrize("attack", sorted(NOT_APPROVALS))
def test_an_approval_that_is_none_is_refused_by_both_even_if_the_gate_counts_it(
    bench: Bench, evidence: Evidence, attack: str
) -> None:
    link, make = NOT_APPROVALS[attack]
    bench.refuse(with_carl(evidence, make(evidence)), f"package/{link}")


def test_the_same_approval_with_nothing_wrong_is_accepted_by_both(bench: Bench, evidence: Evidence) -> None:
    bench.accept(with_carl(evidence, an_approval(evidence)))


def test_an_approval_in_a_role_of_this_project_alone_is_accepted_by_both(bench: Bench, evidence: Evidence) -> None:
    bench.accept(
        with_carl(evidence, an_approval(evidence, with_roles(evidence, f"business_owner@{auditor_house.PROJECT}")))
    )


def test_an_approval_too_old_for_its_policy_is_refused_by_both(bench: Bench, evidence: Evidence) -> None:
    decided = auditor_house.START + timedelta(days=91)
    carl = an_approval(evidence)
    bela = next(one for one in approvals_for(evidence, "release") if payload_of(one)["predicate"]["by"] == "bela")
    change = approvals_for(evidence, "policy_change")[0]

    def late(said: dict[str, Any]) -> None:
        counting(bela, carl, change)(said)
        said["sealwright"]["decided_at"] = rfc3339(min(decided, system_clock()))
        said["sealwright"]["approvals_required"]["max_age_days"] = 1

    bench.refuse(with_gate(evidence, late, bela, carl, change), f"package/{GATE}")


def test_links_and_empty_folders_in_a_package_are_refused_by_both(bench: Bench, evidence: Evidence) -> None:
    for change in ("file", "folder", "empty"):
        folder = bench.put(evidence.package)
        if change == "file":
            (folder / "model.onnx").rename(bench.folder / "elsewhere.onnx")
            (folder / "model.onnx").symlink_to(bench.folder / "elsewhere.onnx")
        elif change == "folder":
            shutil.move(folder / "statements", bench.folder / "statements")
            (folder / "statements").symlink_to(bench.folder / "statements", target_is_directory=True)
        else:
            (folder / "notes").mkdir()
        bench.refuse(folder, "package")
