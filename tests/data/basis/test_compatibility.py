"""A compatibility record counts for the data and purpose that were weighed, from who may sign, and for nothing else."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sealwright.data import DataSpec
from sealwright.data.basis import FACTORS, Weighed, dataset_digest, make_compatibility, verify_compatibility
from sealwright.evidence import verify_any
from sealwright.kernel import InvalidInput, Refused, VerificationFailed
from sealwright.trust import (
    InsecurePassphraseForTests,
    Keyring,
    PersonSigner,
    Secret,
    create_person,
    open_person,
    person_statement,
    sign_statement,
)

Made = Callable[..., DataSpec]
UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(days=365)
WORDS = dict.fromkeys(FACTORS, "Both serve to judge the same loans.")
WEIGHED = Weighed(**WORDS, compatible=True)


@pytest.fixture
def dora(tmp_path: Path) -> PersonSigner:
    create_person(tmp_path / "people", "dora", ["compliance_officer", "auditor"], UNLOCK)
    return open_person(tmp_path / "people", "dora", UNLOCK)


def signed(keyring: Keyring, person: PersonSigner, spec: DataSpec, **changes: Any) -> bytes:
    enrolment = sign_statement(person_statement(person.person, enrolled_at=NOW), keyring.signer("statements"))
    given = {
        "weighed": WEIGHED, "project": "credit", "basis": spec.basis, "columns": spec.columns, "purpose": "collection",
        "purpose_words": "Find who will be late.", "role": "compliance_officer", "until": UNTIL, "now": NOW,
        "enrolment": enrolment,
    }  # fmt: skip
    return make_compatibility(person, **{**given, **changes})


def test_a_record_is_read_back_as_it_was_signed(keyring: Keyring, dora: PersonSigner, data: Made) -> None:
    spec = data()
    envelope = signed(keyring, dora, spec)
    record = verify_compatibility(envelope, keyring.trust_root)
    assert (record.by, record.role, record.weighed, record.until) == ("dora", "compliance_officer", WEIGHED, UNTIL)
    assert spec.basis is not None
    about = dataset_digest("credit", spec.basis, spec.columns)
    asked = {"about": about, "purpose": "collection", "purpose_words": "Find who will be late."}
    assert record.problem_at(NOW, **asked) == ""
    assert verify_any(envelope, keyring.trust_root).digest == record.statement


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"purpose": "marketing"}, "for another purpose"),
        ({"purpose_words": "Sell addresses."}, "worded otherwise"),
        ({"about": "sha256:" + "0" * 64}, "before data.basis changed"),
    ],
)
def test_it_counts_for_nothing_else(
    keyring: Keyring, dora: PersonSigner, data: Made, asked: dict[str, str], why: str
) -> None:
    spec = data()
    record = verify_compatibility(signed(keyring, dora, spec), keyring.trust_root)
    good = {"about": record.about, "purpose": "collection", "purpose_words": "Find who will be late."}
    assert why in record.problem_at(NOW, **{**good, **asked})
    assert "ran to" in record.problem_at(UNTIL, **good)


def test_whatever_changes_in_the_description_changes_what_was_weighed(data: Made) -> None:
    spec = data()
    assert spec.basis is not None
    seen = {dataset_digest("credit", spec.basis, spec.columns), dataset_digest("other", spec.basis, spec.columns)}
    for change in ({"recipients": ["a broker"]}, {"lawful_basis": "public_task"}, {"dataset": "b"}, {"columns": {}}):
        changed = data(**change).basis
        assert changed is not None
        seen.add(dataset_digest("credit", changed, spec.columns))
    fewer = {name: one for name, one in spec.columns.items() if name != "income"}
    seen.add(dataset_digest("credit", spec.basis, fewer))
    assert len(seen) == 7


def test_not_compatible_is_an_answer_too(keyring: Keyring, dora: PersonSigner, data: Made) -> None:
    refusal = signed(keyring, dora, data(), weighed=Weighed(**WORDS, compatible=False))
    record = verify_compatibility(refusal, keyring.trust_root)
    good = {"about": record.about, "purpose": "collection", "purpose_words": "Find who will be late."}
    assert "found the purposes not compatible" in record.problem_at(NOW, **good)


@pytest.mark.parametrize("factor", FACTORS)
def test_every_question_wants_an_answer(factor: str) -> None:
    with pytest.raises(InvalidInput, match=f"--{factor}"):
        Weighed(**{**WORDS, factor: "yes"}, compatible=True)


def test_only_an_officer_signs_and_not_for_ever(keyring: Keyring, dora: PersonSigner, data: Made) -> None:
    with pytest.raises(InvalidInput, match="signed by a compliance_officer"):
        signed(keyring, dora, data(), role="auditor")
    for until in (NOW, NOW + timedelta(days=4000)):
        with pytest.raises(InvalidInput, match="next three years"):
            signed(keyring, dora, data(), until=until)


def test_who_is_not_enrolled_as_officer_cannot_sign(keyring: Keyring, tmp_path: Path, data: Made) -> None:
    create_person(tmp_path / "people", "eve", ["data_scientist"], UNLOCK)
    eve = open_person(tmp_path / "people", "eve", UNLOCK)
    with pytest.raises(Refused, match="not enrolled as compliance_officer"):
        signed(keyring, eve, data())


def test_no_other_workspace_and_no_changed_byte(
    keyring: Keyring, other_keyring: Keyring, dora: PersonSigner, data: Made
) -> None:
    envelope = signed(keyring, dora, data())
    with pytest.raises(VerificationFailed):
        verify_compatibility(envelope, other_keyring.trust_root)
    outer = json.loads(envelope)
    payload = base64.b64decode(outer["payload"]).replace(b'"compatible":true', b'"compatible":false')
    outer["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(VerificationFailed):
        verify_compatibility(json.dumps(outer, sort_keys=True, separators=(",", ":")).encode(), keyring.trust_root)
