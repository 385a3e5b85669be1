"""Small real models and packages for the tests of this room."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sealwright.charter import CharterSpec, RiskClass
from sealwright.engines import Database, open_database
from sealwright.evidence import ApprovalRule, Evidence, Subject, class_policy, fact, make_approval, measured
from sealwright.kernel import FixedClock, digest_of, hex_of, private_folder
from sealwright.registry import (
    Candidate,
    PackageParts,
    Registry,
    SealedPackage,
    Version,
    build_bom,
    build_candidate,
    build_card,
    open_trusted_files,
    seal,
)
from sealwright.trust import (
    InsecurePassphraseForTests,
    Ledger,
    LocalSigner,
    PersonSigner,
    Secret,
    create_keyring,
    create_person,
    make_statement,
    open_keyring,
    open_person,
    sign_statement,
    verify_statement,
)
from sealwright.trust.signing.vault import open_vault

Interface = dict[str, Any]


def number(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "number", "nullable": True, "min": None, "max": None, **more}


def category(name: str, *words: str) -> dict[str, Any]:
    return {"name": name, "type": "category", "nullable": True, "categories": list(words)}


def interface_of(
    numbers: Sequence[dict[str, Any]], strings: Sequence[dict[str, Any]] = (), project: str = "credit"
) -> Interface:
    """A binary interface over these columns."""
    return {
        "format": 1,
        "project": project,
        "task": "binary",
        "target": "outcome",
        "classes": ["bad", "good"],
        "positive": "good",
        "numbers": list(numbers),
        "strings": list(strings),
        "order": [column["name"] for column in (*numbers, *strings)],
        "outputs": {"probabilities": ["N", 2]},
    }


INTERFACE = interface_of(
    [number("income", min=0.0, max=1e6), number("age", type="integer", nullable=False, min=18.0, max=100.0)],
    [category("city", "bonn", "mainz")],
)


def tensor(values: Any, name: str, kind: type = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, dtype=kind), name)


def value(name: str, kind: int, shape: Sequence[Any] | None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def graph_of(
    nodes: Sequence[onnx.NodeProto],
    constants: Sequence[onnx.TensorProto] = (),
    inputs: Sequence[onnx.ValueInfoProto] | None = None,
    outputs: Sequence[onnx.ValueInfoProto] | None = None,
) -> onnx.ModelProto:
    """A model over INTERFACE with these nodes."""
    if inputs is None:
        inputs = [value("numbers", TensorProto.FLOAT, [None, 2]), value("strings", TensorProto.STRING, [None, 1])]
    if outputs is None:
        outputs = [value("probabilities", TensorProto.FLOAT, [None, 2])]
    return helper.make_model(
        helper.make_graph(list(nodes), "sealwright", list(inputs), list(outputs), list(constants)),
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)],
        ir_version=9,
    )


def scoring_nodes(weights: str = "weights") -> list[onnx.NodeProto]:
    """Impute, scale, add a term for the city, then a two-class softmax."""
    return [
        helper.make_node(
            "Imputer",
            ["numbers"],
            ["filled"],
            "impute",
            domain="ai.onnx.ml",
            imputed_value_floats=[30_000.0, 40.0],
            replaced_value_float=float("nan"),
        ),
        helper.make_node("Mul", ["filled", "scale"], ["scaled"], "scale"),
        helper.make_node(
            "OneHotEncoder",
            ["strings"],
            ["hot"],
            "onehot",
            domain="ai.onnx.ml",
            cats_strings=["bonn", "mainz"],
            zeros=1,
        ),
        helper.make_node("Reshape", ["hot", "flat"], ["cities"], "flatten"),
        helper.make_node("Concat", ["scaled", "cities"], ["all"], "concat", axis=1),
        helper.make_node("MatMul", ["all", weights], ["scores"], "score"),
        helper.make_node("Softmax", ["scores"], ["probabilities"], "softmax", axis=1),
    ]


def scoring_constants() -> list[onnx.TensorProto]:
    return [
        tensor([[1e-6, 0.01]], "scale"),
        tensor([-1, 2], "flat", np.int64),
        tensor([[0.3, -0.3], [-0.4, 0.4], [0.1, -0.1], [-0.2, 0.2]], "weights"),
    ]


def good_model() -> bytes:
    """A small sound model over INTERFACE."""
    return bytes(graph_of(scoring_nodes(), scoring_constants()).SerializeToString())


@pytest.fixture(scope="session")
def interface() -> Interface:
    return INTERFACE


@pytest.fixture(scope="session")
def model() -> bytes:
    return good_model()


class Build:
    """The builders above, for test modules (which cannot import a conftest)."""

    number = staticmethod(number)
    category = staticmethod(category)
    interface_of = staticmethod(interface_of)
    tensor = staticmethod(tensor)
    value = staticmethod(value)
    graph_of = staticmethod(graph_of)
    scoring_nodes = staticmethod(scoring_nodes)
    scoring_constants = staticmethod(scoring_constants)
    good_model: Callable[[], bytes] = staticmethod(good_model)


@pytest.fixture(scope="session")
def build() -> type[Build]:
    return Build


# ---- a whole workspace, with everything a package needs ----------------------------------------------------------

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery"))
ORIGIN = "sealwright/ws_test/ledger"
ROLES = {"bela": "compliance_officer", "carl": "business_owner"}


class House:
    """One workspace in a folder: real keys, ledger, database and evidence."""

    made: ClassVar[dict[tuple[str, float], tuple[SealedPackage, Any]]] = {}

    def __init__(self, home: Path, db: Database, keys: Path) -> None:
        """A workspace with the keys of `keys`, copied where there are none: a signer of its own, and its memory."""
        self.home, self.db = private_folder(home), db
        if not (home / "keys").exists():
            shutil.copytree(keys, home / "keys")
        self.keyring = open_keyring(home / "keys", UNLOCK)
        self.clock = FixedClock(NOW)
        self.trust_root = self.keyring.trust_root
        signer = self.keyring.signer("checkpoints")
        self.ledger = Ledger.open(home / "ledger", origin=ORIGIN, signer=signer, clock=self.clock, create=True)
        self.evidence = Evidence(db=db, ledger=self.ledger, trust_root=self.trust_root, clock=self.clock)
        self.people: dict[str, PersonSigner] = {}
        self.enrolments: dict[str, bytes] = {}

    @property
    def registry(self) -> Registry:
        return Registry(self.db, self.home, self.keyring, self.ledger, self.clock)

    def close(self) -> None:
        self.ledger.close()
        self.keyring.close()

    def stolen(self, branch: str) -> LocalSigner:
        """A private key as a thief has it, who asks no signer."""
        return open_vault(self.home / "keys", UNLOCK).signers[branch]

    def reader(self) -> Registry:
        return Registry(self.db, self.home, None, None, self.clock, trust_root=self.trust_root)

    def person(self, name: str) -> PersonSigner:
        if name not in self.people:
            person = create_person(self.home / "people", name, [ROLES[name]], UNLOCK)
            self.enrolments[name] = self.evidence.people.enrol(person, self.keyring.signer("statements"))
            self.people[name] = open_person(self.home / "people", name, UNLOCK)
        return self.people[name]

    def file(self, subjects: Sequence[tuple[str, str]], kind: str, said: dict[str, Any], project: str) -> bytes:
        envelope = sign_statement(make_statement(subjects, kind, said), self.keyring.signer("statements"))
        self.evidence.file_statement(envelope, project=project)
        return envelope

    def parts(self, project: str = "credit", bias: float = 0.0, people: int = 2) -> PackageParts:
        """Parts of a package; another `bias` gives another model."""
        constants = scoring_constants()
        bias += sum(project.encode()) / 1e4
        constants[2] = tensor([[0.3 + bias, -0.3], [-0.4, 0.4], [0.1, -0.1], [-0.2, 0.2]], "weights")
        model = bytes(graph_of(scoring_nodes(), constants).SerializeToString())
        m, data = digest_of(model), digest_of(f"snapshot of {project}".encode())
        interface = INTERFACE | {"project": project}
        spec = CharterSpec(
            purpose="Rank <b>applications</b> for a person to decide.",
            owner="Credit desk",
            risk_class=RiskClass.MINIMAL,
            out_of_scope=("Deciding alone",),
        )
        rule = ApprovalRule(
            people=people, roles=tuple(sorted(ROLES.values())), why="Two people look at it, in two different roles."
        )
        self.policy = class_policy(RiskClass.MINIMAL).model_copy(update={"approvals": rule})
        charter = self.evidence.freeze(
            spec, self.policy, project=project, groups=(), settings={}, signer=self.keyring.signer("statements")
        ).envelope
        snapshot = self.file([("snapshot", data)], "urn:sealwright:predicate:snapshot:v1", {"rows": 1000}, project)
        said = {
            "buildDefinition": {
                "buildType": "urn:sealwright:recipe:logistic",
                "externalParameters": {"seed": 1},
                "resolvedDependencies": [{"name": "snapshot", "digest": {"sha256": hex_of(data)}}],
            },
            "runDetails": {"builder": {"id": "urn:sealwright:worker"}},
        }
        provenance = self.file([("model.onnx", m)], "https://slsa.dev/provenance/v1", said, project)
        suites = {
            "quality": [fact("quality.quarantine_share", 0.0, n=1000, definition="Rows set aside.", unit="share")],
            "performance": [
                fact("performance.roc_auc", 0.8, low=0.75, high=0.85, n=250, definition="Area.", unit="auc"),
                fact("performance.distinct_predictions", 200, n=250, definition="Answers.", unit="count"),
            ],
            "training": [
                fact("parity.largest", 1e-7, n=250, definition="Largest difference.", unit="probability"),
                fact("parity.flips", 0, n=250, definition="Changed decisions.", unit="count"),
                fact("admission.accepted", True, n=1, definition="The gate for model files."),
            ],
        }
        envelopes = {"charter": charter, "snapshot": snapshot, "provenance": provenance}
        for name, findings in suites.items():
            block = measured(name, model=m, data=data, performed_at=self.clock(), findings=findings)
            block["not_performed"] = [
                {"check": f"{name}.stress", "why": "too few rows", "group": None} for _ in range(name == "quality")
            ]
            kind = "https://in-toto.io/attestation/test-result/v0.1"
            envelopes[name] = self.file([("model.onnx", m)], kind, {"result": "PASSED", "sealwright": block}, project)
        keys = self.trust_root.keys_of("statements")
        read = {name: verify_statement(envelope, keys) for name, envelope in envelopes.items()}
        return PackageParts(
            model=model,
            interface=interface,
            card_md=build_card(m, interface, read),
            bom=build_bom(m, interface, read, packages={"python": "3.11", "scikit-learn": "1.9.1"}, now=self.clock()),
            statements=envelopes,
        )

    def judged(self, candidate: Candidate, approvers: Sequence[str] = ("bela", "carl")) -> tuple[bytes, list[bytes]]:
        """Gate result and approvals for a candidate."""
        approvals = [
            make_approval(
                self.person(name),
                candidate.digest,
                policy=self.policy.digest,
                role=ROLES[name],
                reason="Looked at all of it.",
                now=self.clock(),
                enrolment=(self.person(name), self.enrolments[name])[1],
            )
            for name in approvers
        ]
        for envelope in approvals:
            self.evidence.approve(envelope, project=candidate.project, barred={})
        subject = Subject(
            project=candidate.project,
            package=candidate.digest,
            model=candidate.model,
            data=digest_of(f"snapshot of {candidate.project}".encode()),
            task="binary",
        )
        decision = self.evidence.judge(self.policy, subject, barred={})
        return self.evidence.record(decision, self.keyring.signer("statements")).envelope, approvals

    def seal(self, candidate: Candidate, gate: bytes, approvals: Sequence[bytes]) -> SealedPackage:
        return seal(
            candidate,
            gate,
            approvals,
            self.keyring.signer("models"),
            self.home / "packages",
            trust_root=self.trust_root,
            now=self.clock(),
        )

    def package(self, project: str = "credit", bias: float = 0.0) -> SealedPackage:
        """A sealed package: made once with these keys, then copied, as a package may be."""
        if (project, bias) not in self.made:
            candidate = build_candidate(self.parts(project, bias))
            sealed = self.seal(candidate, *self.judged(candidate))
            self.made[project, bias] = (sealed, open_trusted_files(sealed.folder))
        sealed, files = self.made[project, bias]
        folder = private_folder(self.home / "packages") / sealed.folder.name
        if not folder.exists():
            (folder / "statements").mkdir(parents=True)
            for name, data in files.items():
                (folder / name).write_bytes(data)
                (folder / name).chmod(0o644)
        return replace(sealed, folder=folder)

    def version(self, project: str = "credit", bias: float = 0.0) -> Version:
        """A sealed and registered package."""
        return self.registry.register(self.package(project, bias))

    def reopen(self, db: Database | None = None) -> "House":
        """Stop, and start again, perhaps with another database."""
        self.ledger.close()
        self.keyring.close()
        clock, again = self.clock, House(self.home, db or self.db, self.home / "keys")
        again.clock = clock
        again.ledger.close()
        signer = again.keyring.signer("checkpoints")
        again.ledger = Ledger.open(self.home / "ledger", origin=ORIGIN, signer=signer, clock=clock)
        again.evidence = Evidence(db=again.db, ledger=again.ledger, trust_root=self.trust_root, clock=clock)
        return again


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A keys folder to copy."""
    folder = tmp_path_factory.mktemp("ws") / "keys"
    create_keyring(folder, "ws_test", UNLOCK).close()
    return folder


@pytest.fixture
def house(tmp_path: Path, db: Database, keys: Path) -> Iterator[House]:
    """A workspace on every engine."""
    made = House(tmp_path / "home", db, keys)
    yield made
    made.close()


@pytest.fixture
def make_house(keys: Path) -> Iterator[Callable[[Path, str], House]]:
    """Workspaces on a database of one's own choice."""
    made: list[House] = []

    def make(home: Path, url: str) -> House:
        made.append(House(home, open_database(url), keys))
        return made[-1]

    yield make
    for house in made:
        house.close()
        house.db.close()


@pytest.fixture(scope="session")
def sealed_once(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> Iterator[tuple[House, SealedPackage]]:
    """One sealed package for tests that only read it."""
    home = tmp_path_factory.mktemp("house")
    db = open_database(f"sqlite:///{home / 'db.sqlite'}")
    made = House(home / "home", db, keys)
    yield made, made.package()
    made.close()
    db.close()
