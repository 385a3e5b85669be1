"""Builders for cases before the gate: a passing one, from which each test takes or to which it adds."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sealwright.engines import Database
from sealwright.evidence import (
    Approval,
    Case,
    Evidence,
    Measurement,
    Policy,
    Record,
    Requirement,
    Standing,
    Subject,
    Terms,
    class_policy,
)
from sealwright.kernel import FixedClock, digest_of
from sealwright.trust import (
    ED25519,
    KeyFile,
    Keyring,
    Ledger,
    LocalSigner,
    Person,
    PersonSigner,
    create_key_file,
    create_keyring,
    open_keyring,
)
from sealwright.trust.signing.vault import open_vault

SETTINGS = {"confidence": 0.95, "reported_at": 0.1}  # what the records of a builder were measured under
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
PEOPLE = {
    "cora": ("compliance_officer",),
    "bea": ("business_owner",),
    "sam": ("security_officer", "reviewer"),
    "tom": ("data_scientist", "business_owner", "compliance_officer"),  # trained the model
    "rex": ("auditor",),
}


def digest(name: str) -> str:
    return digest_of(name.encode())


def _signer(name: str, roles: Sequence[str], seed: int | None = None) -> PersonSigner:
    secret = random.Random(f"{name}{seed}").randbytes(32)
    blank = PersonSigner(Person(name, tuple(roles), _public(secret)), secret)
    return PersonSigner(Person(name, tuple(roles), blank.public()), secret)


def _public(secret: bytes) -> Any:
    return LocalSigner(ED25519, secret).public()


@dataclass(frozen=True)
class Builder:
    """Everything a test needs to set a gate in front of a case."""

    now: datetime = NOW
    signers: Mapping[str, PersonSigner] = field(
        default_factory=lambda: {name: _signer(name, roles) for name, roles in PEOPLE.items()}
    )

    def digest(self, name: str) -> str:
        return digest(name)

    def signer(self, name: str, roles: Sequence[str], seed: int | None = None) -> PersonSigner:
        return _signer(name, roles, seed)

    def subject(self, **changes: Any) -> Subject:
        given: dict[str, Any] = {
            "project": "german-credit",
            "package": digest("package"),
            "model": digest("model"),
            "data": digest("data"),
            "task": "binary",
            "groups": ("age", "sex"),
        }
        return Subject(**{**given, **changes})

    def measurement(self, requirement: Requirement, attribute: str | None = None, **changes: Any) -> Measurement:
        """One that meets `requirement` on both ends of its interval."""
        step = 0.001 * abs(requirement.limit)
        value = requirement.limit + (step if requirement.at_least is not None else -step)
        given: dict[str, Any] = {
            "check": requirement.check,
            "value": value,
            "low": value,
            "high": value,
            "n": max(requirement.min_n, 250),
            "unit": "share",
            "attribute": attribute,
        }
        return Measurement(**{**given, **changes})

    def records(self, policy: Policy, subject: Subject, *, first_index: int = 10) -> list[Record]:
        """One record a suite, together meeting everything `policy` asks of `subject`."""
        by_suite: dict[str, list[Measurement]] = {suite.suite: [] for suite in policy.suites}
        seen = set()
        for requirement in policy.requirements:
            slots: Sequence[str | None] = subject.groups if requirement.per == "attribute" else (None,)
            if not requirement.applies_to(subject.task) or requirement.check in seen:
                continue
            seen.add(requirement.check)
            suite = by_suite.setdefault(requirement.check.partition(".")[0], [])
            suite += [self.measurement(requirement, slot) for slot in slots]
        return [
            Record(
                statement=digest(f"statement {suite}"),
                ledger_index=first_index + place,
                suite=suite,
                model=subject.model,
                data=subject.data,
                performed_at=NOW - timedelta(days=1),
                task=subject.task,
                settings=SETTINGS,
                measurements=tuple(measurements),
            )
            for place, (suite, measurements) in enumerate(sorted(by_suite.items()))
        ]

    def terms(self, policy: Policy, name: str = "charter", *, index: int = 3, **changes: Any) -> Terms:
        """A charter with `policy`, and the settings that records are measured under."""
        given: dict[str, Any] = {"statement": digest(name), "ledger_index": index, "settings": SETTINGS}
        return Terms(policy=policy, **{**given, **changes})

    def standing(self, name: str, **changes: Any) -> Standing:
        given: dict[str, Any] = {"person": self.signers[name].person, "enrolled_at": NOW - timedelta(days=30)}
        return Standing(**{**given, **changes})

    def approval(self, name: str, policy: Policy, **changes: Any) -> Approval:
        signer = self.signers[name]
        given: dict[str, Any] = {
            "statement": digest(f"approval {name} {sorted(changes.items(), key=str)}"),
            "purpose": "release",
            "package": digest("package"),
            "policy": policy.digest,
            "by": name,
            "key_id": signer.key_id,
            "role": signer.person.roles[0],
            "reason": "Looked at the report.",
            "at": NOW - timedelta(hours=1),
        }
        return Approval(**{**given, **changes})

    def case(self, policy: Policy | None = None, **changes: Any) -> Case:
        """A case that passes `policy` (by default that of high risk)."""
        policy = policy or class_policy("high")
        subject = changes.pop("subject", None) or self.subject()
        records = changes.pop("records", None)
        given: dict[str, Any] = {
            "subject": subject,
            "records": self.records(policy, subject) if records is None else records,
            "terms": [self.terms(policy, groups=subject.groups)],
            "approvals": [self.approval("cora", policy), self.approval("bea", policy)],
            "people": {name: self.standing(name) for name in PEOPLE},
            "barred": {"tom": "trained this model"},
            "now": NOW,
        }
        case = Case(**{**given, **changes})
        if "filed" not in changes:
            case = replace(case, filed=[one.statement for one in (*case.records, *case.terms)])
        return case

    def with_finding(self, case: Case, measurement: Measurement) -> Case:
        """The case with one more finding, in the record of its suite."""
        suite = measurement.check.partition(".")[0]
        return replace(
            case,
            records=[
                replace(one, measurements=(*one.measurements, measurement)) if one.suite == suite else one
                for one in case.records
            ],
        )

    def without_finding(self, case: Case, check: str, attribute: str | None = None) -> Case:
        return replace(
            case,
            records=[
                replace(
                    one,
                    measurements=tuple(
                        item for item in one.measurements if (item.check, item.attribute) != (check, attribute)
                    ),
                )
                for one in case.records
            ],
        )


@pytest.fixture(scope="session")
def make() -> Builder:
    return Builder()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a keyring in `ring`, and what opens it beside it."""
    folder = tmp_path_factory.mktemp("keys")
    folder.chmod(0o700)
    create_keyring(folder / "ring", "ws_test", create_key_file(folder / "workspace.key")).close()
    return folder


@pytest.fixture(scope="session")
def keyring(keys: Path) -> Iterator[Keyring]:
    with open_keyring(keys / "ring", KeyFile(keys / "workspace.key")) as ring:
        yield ring


@pytest.fixture(scope="session")
def stolen(keys: Path) -> Mapping[str, LocalSigner]:
    """The workspace's private keys as a thief has them, who asks no signer."""
    return open_vault(keys / "ring", KeyFile(keys / "workspace.key")).signers


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def ledger(tmp_path: Path, stolen: Mapping[str, LocalSigner], clock: FixedClock) -> Iterator[Ledger]:
    signer = stolen["checkpoints"]  # every test begins another ledger, which the signer would not sign for
    with Ledger.open(tmp_path / "ledger", origin="test/ledger", signer=signer, clock=clock, create=True) as opened:
        yield opened


@pytest.fixture
def evidence(db: Database, ledger: Ledger, keyring: Keyring, clock: FixedClock) -> Evidence:
    return Evidence(db=db, ledger=ledger, trust_root=keyring.trust_root, clock=clock)
