"""A small real workspace and everything it leaves for an auditor: a package with every kind of statement in it,
both ledgers, a receipt, a pointer, a revocation list, and a bundle written by `export_bundle`.

Nothing is made up but the numbers: keys, statements, people, gate, seal, registry and ledgers are those of the rooms.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from acting import operator
from sealwright import registry
from sealwright.charter import CharterSpec, RiskClass
from sealwright.evidence import (
    ApprovalRule,
    Evidence,
    GateDecision,
    Policy,
    Subject,
    class_policy,
    fact,
    make_approval,
    make_attestation,
    measured,
)
from sealwright.kernel import FixedClock, canonical_json, digest_of, hex_of
from sealwright.pipeline import create_workspace, export_bundle
from sealwright.registry import Candidate, PackageParts, SealedPackage, build_bom, build_candidate, build_card
from sealwright.serving import decision_ledger_folder, decision_origin
from sealwright.trust import (
    KeyFile,
    Ledger,
    PersonSigner,
    create_key_file,
    create_person,
    make_receipts,
    make_statement,
    open_person,
    prepare_decision,
    proved_anew,
    seal,
    sign_statement,
    verify_statement,
)

PROJECT = "credit"
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ROLES = {"bela": "compliance_officer", "carl": "business_owner", "mia": "ml_engineer"}
DATA = digest_of(b"the snapshot")
REQUEST = b'{"row": {"age": 41, "purpose": "caf\xc3\xa9 \xe2\x82\xac"}}'
ANSWER = b'{"outcome":"good","probabilities":{"bad":0.19,"good":0.81}}'
TWO = ApprovalRule(
    people=2,
    distinct_roles=True,
    roles=("business_owner", "compliance_officer"),
    why="Two people look at it, in two different roles.",
)
INTERFACE: dict[str, Any] = {
    "format": 1,
    "project": PROJECT,
    "task": "binary",
    "target": "outcome",
    "classes": ["bad", "good"],
    "positive": "good",
    "numbers": [
        {"name": name, "type": "number", "nullable": False, "min": 0.0, "max": 1e6} for name in ("income", "age")
    ],
    "strings": [],
    "order": ["income", "age"],
    "outputs": {"probabilities": ["N", 2]},
}


def small_model(weight: float = 0.5) -> bytes:
    """Two numbers in, two probabilities out."""
    weights = numpy_helper.from_array(np.array([[weight, -0.5], [0.1, -0.1]], dtype=np.float32), "weights")
    nodes = [
        helper.make_node("MatMul", ["numbers", "weights"], ["scores"], "score"),
        helper.make_node("Softmax", ["scores"], ["probabilities"], "softmax", axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "credit",
        [helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])],
        [weights],
    )
    opsets = [helper.make_opsetid("", 18)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())


@dataclass(frozen=True, kw_only=True)
class Sealing:
    """What a gate was shown and what it said, on the way to a package."""

    candidate: Candidate
    gate: bytes
    approvals: list[bytes]


class AuditorHouse:
    """One organisation with one project."""

    def __init__(self, home: Path) -> None:
        key = home.with_name(f"{home.name}.key")
        create_key_file(key)
        self.unlock = KeyFile(key)
        self.clock = FixedClock(START)
        self.workspace = create_workspace(home, name="A small bank", unlock=self.unlock, clock=self.clock)
        self.home, self.trust_root = home, self.workspace.trust_root
        self.evidence = Evidence(
            db=self.workspace.db, ledger=self.workspace.ledger, trust_root=self.trust_root, clock=self.clock
        )
        self.people = {name: self._enrol(name) for name in ROLES}
        self.statements = self.workspace.keyring.signer("statements")

    def _enrol(self, name: str) -> PersonSigner:
        person = create_person(self.home / "people", name, [ROLES[name], "auditor"], self.unlock)
        self.evidence.people.enrol(person, self.workspace.keyring.signer("statements"))
        return open_person(self.home / "people", name, self.unlock)

    def file(self, subjects: list[tuple[str, str]], kind: str, said: Mapping[str, Any]) -> bytes:
        envelope = sign_statement(make_statement(subjects, kind, said), self.statements)
        self.evidence.file_statement(envelope, project=PROJECT)
        return envelope

    # ---- the way of a package

    def policy(self, roc_auc: float = 0.5) -> Policy:
        """Minimal risk, with two people who must approve, and a limit to tighten."""
        policy = class_policy(RiskClass.MINIMAL)
        requirements = tuple(
            one.model_copy(update={"at_least": roc_auc}) if one.check == "performance.roc_auc" else one
            for one in policy.requirements
        )
        return policy.model_copy(update={"approvals": TWO, "requirements": requirements})

    def candidate(self, weight: float = 0.5, *, frozen: float = 0.5, auc: float = 0.8) -> Candidate:
        """A package before its gate, with a charter frozen at the limit `frozen`, and an engineer's attestation."""
        model = small_model(weight)
        m = digest_of(model)
        spec = CharterSpec(
            purpose="Rank applications for a person to decide — Müller's desk.",
            owner="Credit desk",
            risk_class=RiskClass.MINIMAL,
        )
        envelopes = {
            "charter": self.evidence.freeze(
                spec, self.policy(frozen), project=PROJECT, groups=(), settings={}, signer=self.statements
            ).envelope,
            "snapshot": self.file([("snapshot", DATA)], "urn:sealwright:predicate:snapshot:v1", {"rows": 1000}),
            "provenance": self.file(
                [("model.onnx", m)],
                "https://slsa.dev/provenance/v1",
                {
                    "buildDefinition": {
                        "buildType": "urn:sealwright:recipe:logistic",
                        "externalParameters": {"seed": 1, "tolerance": 1e-7, "large": 1e20},
                        "resolvedDependencies": [{"name": "snapshot", "digest": {"sha256": hex_of(DATA)}}],
                    },
                    "runDetails": {"builder": {"id": "urn:sealwright:worker"}},
                },
            ),
        }
        suites = {
            "quality": [fact("quality.quarantine_share", 0.0, n=1000, definition="Rows set aside.", unit="share")],
            "performance": [
                fact(
                    "performance.roc_auc", auc, low=auc - 0.05, high=auc + 0.05, n=250, definition="Area.", unit="auc"
                ),
                fact("performance.distinct_predictions", 200, n=250, definition="Answers.", unit="count"),
            ],
            "training": [
                fact("parity.flips", 0, n=250, definition="Changed decisions.", unit="count"),
                fact("admission.accepted", True, n=1, definition="The gate for model files."),
            ],
        }
        for name, findings in suites.items():
            block = measured(name, model=m, data=DATA, performed_at=self.clock(), findings=findings)
            block["not_performed"] = [
                {"check": "parity.largest", "why": "no framework to compare with", "group": None}
                for _ in range(name == "training")
            ]
            kind = "https://in-toto.io/attestation/test-result/v0.1"
            envelopes[name] = self.file([("model.onnx", m)], kind, {"result": "PASSED", "sealwright": block})
        read = {
            name: verify_statement(envelope, self.trust_root.keys_of("statements"))
            for name, envelope in envelopes.items()
        }
        word = make_attestation(
            self.people["mia"],
            m,
            check="parity.largest",
            role="ml_engineer",
            reason="The recipe hands over the file that is served.",
            now=self.clock(),
            enrolment=self.evidence.people.enrolment("mia"),
        )
        self.evidence.approve(word, project=PROJECT, barred={})
        return build_candidate(
            PackageParts(
                model=model,
                interface=INTERFACE,
                card_md=build_card(m, INTERFACE, read),
                bom=build_bom(m, INTERFACE, read, packages={"python": "3.11"}, now=self.clock()),
                statements=envelopes | {"attestation-1": word},
                explainer=canonical_json({"format": 1, "model": m}),
            )
        )

    def judge(self, candidate: Candidate, *, asks: float = 0.5) -> GateDecision:
        """What the gate says about a candidate, by a policy that asks for `asks`."""
        subject = Subject(project=PROJECT, package=candidate.digest, model=candidate.model, data=DATA, task="binary")
        return self.evidence.judge(self.policy(asks), subject, barred={"ada": "trained this model"})

    def approve(self, name: str, candidate: Candidate, *, asks: float = 0.5, **more: Any) -> bytes:
        """A person's approval, on file."""
        envelope = make_approval(
            self.people[name],
            candidate.digest,
            policy=self.policy(asks).digest,
            role=ROLES[name],
            reason="Looked at all of it.",
            now=self.clock(),
            enrolment=self.evidence.people.enrolment(name),
            **more,
        )
        self.evidence.approve(envelope, project=PROJECT, barred={})
        return envelope

    def let_through(self, candidate: Candidate, *, asks: float = 0.5) -> Sealing:
        """Everything up to the seal: approvals, and the gate's word."""
        blocked = self.judge(candidate, asks=asks)
        envelopes = [self.approve(name, candidate, asks=asks) for name in ("bela", "carl")]
        if blocked.loosened:
            envelopes.append(
                self.approve("bela", candidate, asks=asks, purpose="policy_change", changes=blocked.loosened)
            )
        decision = self.judge(candidate, asks=asks)
        gate = self.evidence.record(decision, self.statements).envelope
        by_digest = {digest_of(verify_payload(one)): one for one in envelopes}
        return Sealing(
            candidate=candidate, gate=gate, approvals=[by_digest[one.statement] for one in decision.approvals]
        )

    def seal(self, sealing: Sealing) -> SealedPackage:
        return registry.seal(
            sealing.candidate,
            sealing.gate,
            sealing.approvals,
            self.workspace.keyring.signer("models"),
            self.home / "packages",
            trust_root=self.trust_root,
            now=self.clock(),
        )

    # ---- what happens after it

    def release(self, package: SealedPackage) -> int:
        """Registered, and in service on the channel "live"; its number."""
        number = self.workspace.registry.register(package, by="ada").number
        self.workspace.registry.promote(PROJECT, number, "live", "ada", "for the tests")
        return number

    def decide(self, package: str, count: int = 5) -> tuple[bytes, bytes]:
        """Decisions in the ledger of the channel "live", each with a sealed record; the receipt of the last but one.

        Two of it: as it was given out, with a promise, and as it was completed, with a proof.
        """
        folder = decision_ledger_folder(self.home, PROJECT, "live")
        folder.parent.mkdir(parents=True, exist_ok=True)
        receipts: list[bytes] = []
        with self._decisions(folder) as ledger:
            ledger.append("model.loaded", package, {"number": 1, "share": 0.5}, actor="predict")
        for at in range(count):
            self.clock.advance(timedelta(seconds=1))
            decision, salt = f"dec_{at}", digest_of(str(at).encode()).encode()[7:39]
            entry = prepare_decision(
                decision=decision,
                model=PROJECT,
                package=package,
                request=REQUEST,
                answer=ANSWER,
                salt=salt,
                sealed=seal(b"k" * 32, b'{"a record"}', aad=f"sealwright/decision/{decision}".encode()),
            )
            with self._decisions(folder) as ledger:  # closing it signs a checkpoint
                receipts += make_receipts(ledger.keep([entry]).result(), [(decision, salt, ANSWER)])
        with self._decisions(folder) as ledger:
            return receipts[-2], proved_anew(receipts[-2], ledger.proof(count - 1))

    def _decisions(self, folder: Path) -> Ledger:
        return Ledger.open(
            folder,
            origin=decision_origin(self.workspace.id, PROJECT, "live"),
            signer=self.workspace.keyring.signer("decision-checkpoints"),
            clock=self.clock,
            create=not folder.exists(),
        )

    def bundle(self, number: int, to: Path) -> Path:
        return export_bundle(self.workspace, PROJECT, number, to, by=operator("ops"), report=b"<html>a report</html>")

    def close(self) -> None:
        self.workspace.close()


def verify_payload(envelope: bytes) -> bytes:
    """The payload of an envelope made here."""
    import base64
    import json

    return base64.b64decode(json.loads(envelope)["payload"])
