"""A whole workspace in small: keys, ledger, registry and a sealed, released model, all real.

Used by the room's tests and by benchmarks/serving. The model is made with onnx.helper, so that
no training library is needed; every statement, gate and signature about it is made by the rooms themselves.
"""

import shutil
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from sealwright import charter, evidence, registry, trust
from sealwright.engines import open_database
from sealwright.kernel import Clock, canonical_json, digest_of, rfc3339, system_clock
from sealwright.serving import (
    Running,
    ServeConfig,
    ServingSpec,
    decision_ledger_folder,
    decision_origin,
    launch,
    predict_scope,
    prepare,
    token_audience,
    token_issuer,
)
from sealwright.trust.signing.vault import open_vault

PROJECT = "german-credit"
CATEGORIES = ("a11", "a12", "a13", "a14")
_DATA = digest_of(b"the snapshot")


def credit_interface(project: str = PROJECT) -> dict[str, Any]:
    """German credit in shape: 20 features, numbers of every kind, categories with and without null."""

    def number(name: str, kind: str, low: float | str, high: float | str, *, nullable: bool = False) -> dict[str, Any]:
        return {"name": name, "type": kind, "nullable": nullable, "min": low, "max": high}

    numbers = [
        number("age", "integer", 18, 100),
        number("amount", "number", 250, 20_000),
        number("rate", "number", 0.0, 1.0, nullable=True),
        number("foreign_worker", "boolean", 0, 1),
        number("opened", "date", "2000-01-01", "2025-12-31"),
        *(number(f"n{at}", "integer", 0, 10) for at in range(3)),
    ]
    strings = [
        {"name": f"c{at}", "type": "category", "nullable": at == 0, "categories": list(CATEGORIES)} for at in range(12)
    ]
    strings[1]["categories"] = [*CATEGORIES, "rent: city"]
    order = [name for pair in zip(strings, numbers, strict=False) for name in (pair[0]["name"], pair[1]["name"])]
    return {
        "format": 1,
        "project": project,
        "task": "binary",
        "target": "outcome",
        "classes": ["good", "bad"],
        "positive": "good",
        "numbers": numbers,
        "strings": strings,
        "outputs": {"probabilities": ["N", 2]},
        "order": [*order, *(part["name"] for part in strings[8:])],
    }


def credit_row() -> dict[str, Any]:
    """A row the contract accepts, in the order of the training file."""
    values: dict[str, Any] = {f"c{at}": CATEGORIES[at % 4] for at in range(12)} | {f"n{at}": at for at in range(3)}
    values |= {"age": 41, "amount": 1169.5, "rate": None, "foreign_worker": True, "opened": "2020-02-29"}
    return {name: values[name] for name in credit_interface()["order"]}


def credit_model(interface: dict[str, Any], *, middle: float = 3.0, wild: bool = False, slow: int = 0) -> bytes:
    """An ONNX graph with the interface's inputs: "bad" grows with age, and with the category a14 in c2.

    A wild one returns no probabilities, but 20.0, for that category. A slow one multiplies matrices of that size on the way.
    """
    width, texts = len(interface["numbers"]), len(interface["strings"])
    weights = np.zeros((width, 1), dtype=np.float32)
    weights[0] = 0.05
    place = next(at for at, part in enumerate(interface["strings"]) if part["name"] == "c2")
    labels = {"keys_strings": ["a14"], "values_floats": [2000.0 if wild else 2.0], "default_float": 0.0}
    nodes = [
        helper.make_node("IsNaN", ["numbers"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "numbers"], ["filled"]),
        helper.make_node("MatMul", ["filled", "weights"], ["score"]),
        helper.make_node("Gather", ["strings", "place"], ["word"], axis=1),
        helper.make_node("LabelEncoder", ["word"], ["known"], domain="ai.onnx.ml", **labels),
        helper.make_node("Add", ["score", "known"], ["raised"]),
        helper.make_node("Sub", ["raised", "middle"], ["centred"]),
        helper.make_node("Mul", ["centred", "hundredth"], ["bad"])
        if wild
        else helper.make_node("Sigmoid", ["centred"], ["bad"]),
        helper.make_node("Sub", ["one", "bad"], ["good"]),
        helper.make_node("Concat", ["good", "bad"], ["probabilities"], axis=1),
    ]
    if slow:
        nodes[2] = helper.make_node("MatMul", ["filled", "weights"], ["plain"])
        nodes[3:3] = [
            helper.make_node("ReduceMax", ["filled"], ["largest"], keepdims=0),
            helper.make_node("Mul", ["wide", "largest"], ["heavy"]),
            helper.make_node("MatMul", ["heavy", "heavy"], ["heavier"]),
            helper.make_node("ReduceMin", ["heavier"], ["nothing"], keepdims=0),
            helper.make_node("Add", ["plain", "nothing"], ["score"]),
        ]
    constants = {
        "zero": np.float32(0),
        "weights": weights,
        "place": np.array([place], dtype=np.int64),
        "middle": np.float32(0 if wild else middle),
        "one": np.float32(1),
    }
    if slow:
        constants["wide"] = np.zeros((slow, slow), dtype=np.float32)
    if wild:
        constants["hundredth"] = np.float32(0.01)
    graph = helper.make_graph(
        nodes,
        "credit",
        [
            helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [None, width]),
            helper.make_tensor_value_info("strings", TensorProto.STRING, [None, texts]),
        ],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())


class House:
    """One workspace with one project."""

    project = PROJECT  # whose version is registered and released next
    answering: bytes | None = None  # of the next package
    rollout: dict[str, Any] | None = None  # serving.rollout, frozen with the charter of what is registered next

    def __init__(self, home: Path, clock: Clock = system_clock, *, like: Path | None = None) -> None:
        """A new workspace at `home`, or one copied from another that was closed."""
        if like is None:
            home.mkdir(mode=0o700)
            trust.create_key_file(home / "key")
            trust.create_keyring(home / "keys", "ws_1", trust.KeyFile(home / "key")).close()
            for name in ("packages", "pointers", "serving"):
                (home / name).mkdir(mode=0o700)
        else:
            shutil.copytree(like, home)
        self.home, self.clock = home, clock
        self.keyring = trust.open_keyring(home / "keys", trust.KeyFile(home / "key"))
        self.db = open_database(f"sqlite:///{home / 'db.sqlite'}")
        self.ledger = trust.Ledger.open(
            home / "ledger",
            origin="sealwright/ws_1/ledger",
            signer=self.keyring.signer("checkpoints"),
            clock=clock,
            create=like is None,
        )
        self.registry = registry.Registry(self.db, home, self.keyring, self.ledger, clock)
        self.tls = trust.create_server_certificate(
            self.keyring, home / "serving" / "tls", ["localhost", "127.0.0.1"], clock()
        )

    def close(self) -> None:
        self.ledger.close()
        self.db.close()
        self.keyring.close()

    @property
    def pointer(self) -> Path:
        return self.home / "pointers" / self.project / "live.json"

    @property
    def revocations(self) -> Path:
        return self.home / "revocations.json"

    def register(self, model: bytes | None = None, interface: dict[str, Any] | None = None) -> registry.Version:
        """Seal a model under the policy of minimal risk, and give it its number."""
        interface = interface or credit_interface(self.project)
        return self.registry.register(self._sealed(model or credit_model(interface), interface))

    def version(self, number: int) -> registry.Version:
        return self.registry.versions(self.project)[number - 1]

    def promote(self, number: int, days: int = 7) -> registry.PointerFacts:
        return self.registry.promote(self.project, number, "live", "ada", "for the tests", days)

    def release(
        self, model: bytes | None = None, interface: dict[str, Any] | None = None, *, days: int = 7
    ) -> registry.Version:
        """A new version, in service."""
        version = self.register(model, interface)
        self.promote(version.number, days)
        return version

    def config(self, *, tls: bool = True, spec: ServingSpec | None = None, port: int = 0, **more: Any) -> ServeConfig:
        """Settings for a serving process of this workspace."""
        pair = {"certificate": self.tls.certificate, "key": self.tls.key} if tls else {}
        return prepare(
            self.keyring, home=self.home, models=[(self.project, spec or ServingSpec())], port=port, **pair, **more
        )

    def launch(self, *, stderr: Any = None, **settings: Any) -> Running:
        """A serving process of this workspace, with its line to the signer."""
        return launch(self.config(**settings), self.signer_line(), stderr=stderr)

    def signer_line(self) -> socket.socket:
        return self.keyring.lend_signer(decision_origin("ws_1", self.project, "live"))

    def settle(self) -> None:
        """Wait until the published checkpoint covers every decision: what was promised is proved."""
        folder = decision_ledger_folder(self.home, self.project, "live")
        until = time.monotonic() + 20.0
        while time.monotonic() < until:
            lines = (folder / "entries.log").read_bytes().count(b"\n")
            covered = (folder / "checkpoint").read_text().split("\n")[1] if (folder / "checkpoint").exists() else "0"
            if int(covered) >= lines:
                return
            time.sleep(0.02)
        raise TimeoutError("no checkpoint came")

    def stolen(self, branch: str) -> trust.LocalSigner:
        """A private key as a thief has it, who asks no signer."""
        return open_vault(self.home / "keys", trust.KeyFile(self.home / "key")).signers[branch]

    def token(self, *, now: datetime | None = None, **changes: Any) -> str:
        values: dict[str, Any] = {
            "issuer": token_issuer("ws_1"),
            "audience": token_audience("ws_1"),
            "subject": "bank-frontend",
            "scopes": [predict_scope(self.project)],
            "lifetime": timedelta(hours=1),
        }
        signer = changes.pop("signer", None) or self.keyring.signer("tokens")
        return trust.issue_token(signer, now=now or datetime.now(UTC), **(values | changes))

    def _sealed(self, model: bytes, interface: dict[str, Any]) -> registry.SealedPackage:
        now, digest = self.clock(), digest_of(model)
        spec = charter.CharterSpec(
            purpose="Shows that serving works.", owner="The tests", risk_class=charter.RiskClass("minimal")
        )
        policy = evidence.resolve_policy(evidence.PolicySpec(), spec)
        sections = {"serving": {"rollout": self.rollout}} if self.rollout else {}
        frozen = charter.freeze_charter(
            spec,
            project=self.project,
            policy=policy.to_json(),
            groups=[],
            settings={name: digest_of(canonical_json(one)) for name, one in sections.items()},
            sections=sections,
            now=now,
        )
        found = {
            "provenance": {
                "parity.largest": (1e-7, 300), "parity.flips": (0.0, 300), "admission.accepted": (1.0, 1),
            },
            "quality": {"quality.quarantine_share": (0.0, 1000)},
            "performance": {"performance.roc_auc": (0.8, 300), "performance.distinct_predictions": (200.0, 300)},
        }  # fmt: skip
        made = {
            "charter": trust.make_statement(charter.charter_subjects(frozen), charter.CHARTER_TYPE, frozen),
            "snapshot": trust.make_statement(
                [("snapshot", _DATA)], "urn:sealwright:predicate:snapshot:v1", {"rows": 1000, "made_at": rfc3339(now)}
            ),
        }
        for name, checks in found.items():
            facts = [
                evidence.fact(
                    check, value, n=n, definition="as made up by the tests", low=value - 0.01, high=value + 0.01
                )
                for check, (value, n) in checks.items()
            ]
            block = evidence.measured(name, model=digest, data=_DATA, performed_at=now, findings=facts)
            made[name] = self._about(name, digest, block)
        signed = {name: trust.sign_statement(one, self.keyring.signer("statements")) for name, one in made.items()}
        parts = registry.PackageParts(
            model=model,
            interface=interface,
            card_md=registry.build_card(digest, interface, made),
            bom=registry.build_bom(digest, interface, made, packages={"python": "3.11"}, now=now),
            statements=signed,
            answering=self.answering,
        )
        candidate = registry.build_candidate(parts)
        return registry.seal(
            candidate,
            self._gate(candidate, made, policy, now),
            [],
            self.keyring.signer("models"),
            self.home / "packages",
            trust_root=self.keyring.trust_root,
            now=now,
        )

    def _about(self, name: str, model: str, block: dict[str, Any]) -> trust.Statement:
        if name != "provenance":
            predicate = {"result": "PASSED", "configuration": [], "passedTests": [], "sealwright": block}
            return trust.make_statement([("model.onnx", model)], evidence.TEST_RESULT_TYPE, predicate)
        predicate = {
            "buildDefinition": {
                "buildType": "urn:sealwright:build:by-hand:v1",
                "externalParameters": {},
                "resolvedDependencies": [{"name": "snapshot", "digest": {"sha256": _DATA[7:]}}],
            },
            "runDetails": {"builder": {"id": "urn:sealwright:tests"}},
            "sealwright": block,
        }
        return trust.make_statement([("model.onnx", model)], "https://slsa.dev/provenance/v1", predicate)

    def _gate(
        self, candidate: registry.Candidate, made: dict[str, trust.Statement], policy: evidence.Policy, now: datetime
    ) -> bytes:
        records = [evidence.read_record(one, ledger_index=at) for at, one in enumerate(made.values())]
        case = evidence.Case(
            subject=evidence.Subject(
                project=self.project, package=candidate.digest, model=candidate.model, data=_DATA, task="binary"
            ),
            records=[record for record in records if record is not None],
            terms=[evidence.Terms(statement=made["charter"].digest, ledger_index=0, policy=policy)],
            now=now,
        )
        decision = evidence.decide(policy, case)
        if not decision.passed:
            raise evidence.GateBlocked(decision)
        summary = trust.make_statement(
            [("package", candidate.digest)], evidence.VSA_TYPE, evidence.vsa(decision, candidate.digest)
        )
        return trust.sign_statement(summary, self.keyring.signer("statements"))
