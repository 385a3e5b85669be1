"""A pointer is signed once for each number, for a bounded time, and only to what the gate let through."""

from datetime import timedelta
from typing import Any

import pytest

from sealwright.registry.pointer import POINTER_TYPE, REVOCATION_TYPE
from sealwright.trust import Keyring, SignerRefused, create_keyring
from sealwright.trust.signing import rules_releases

from .conftest import PACKAGE, Place, Samples

OTHER = "sha256:" + "2" * 64


def refused(ring: Keyring, reason: str, data: bytes, gate: bytes = b"") -> SignerRefused:
    with pytest.raises(SignerRefused) as error:
        ring.signer("releases").showing(gate).sign(data)
    assert error.value.reason == reason
    return error.value


@pytest.fixture
def gate(place: Place, samples: Samples) -> bytes:
    return samples.gate(place.stolen("statements"))


def test_the_registry_and_the_signer_speak_of_the_same_things() -> None:
    assert (rules_releases.POINTER_TYPE, rules_releases.REVOCATION_TYPE) == (POINTER_TYPE, REVOCATION_TYPE)


def test_sequences_rise_and_nothing_old_is_signed_t50(
    ring: Keyring, place: Place, samples: Samples, gate: bytes
) -> None:
    signer = ring.signer("releases").showing(gate)
    second = samples.pointer(2)
    assert signer.sign(samples.pointer(1))
    assert signer.sign(second)
    assert signer.sign(second), "the same pointer again, as after a crash"
    for older in (1, 2):
        assert refused(ring, "pointer.older", samples.pointer(older, reason="another"), gate).at == 2
    with place.open() as again:  # another signer process, the same memory
        refused(again, "pointer.older", samples.pointer(2, reason="another"), gate)
        assert again.signer("releases").showing(gate).sign(samples.pointer(9))
    refused(ring, "pointer.older", samples.pointer(8), gate)
    assert signer.sign(samples.pointer(1, channel="test")), "another channel has numbers of its own"


def test_a_pointer_needs_the_gates_decision_on_exactly_its_package(
    ring: Keyring, place: Place, samples: Samples, gate: bytes
) -> None:
    ours = place.stolen("statements")
    refused(ring, "pointer.gate_missing", samples.pointer())
    refused(ring, "pointer.gate_of_another", samples.pointer(package=OTHER), gate)
    for forged in (
        samples.gate(place.stolen("releases")),
        samples.gate(ours, kind="https://slsa.dev/provenance/v1"),
        gate[:-2] + b"}}",
        b"{}",
        b"\xff",
    ):
        refused(ring, "pointer.gate_not_ours", samples.pointer(), forged)
    for changes in (
        {"verificationResult": "FAILED"},
        {"verifiedLevels": ["FAILED"]},
        {"verifiedLevels": "x"},
        {"sealwright": {"passed": False, "package": PACKAGE}},
        {"sealwright": {"passed": 1, "package": PACKAGE}},
        {"sealwright": {"passed": True, "package": OTHER}},
        {"sealwright": None},
    ):
        refused(ring, "pointer.gate_failed", samples.pointer(), samples.gate(ours, **changes))
    assert ring.signer("releases").showing(gate).sign(samples.pointer(1)), "what was refused used up no number"


def test_a_decision_signed_by_another_workspace_opens_nothing(ring: Keyring, place: Place, samples: Samples) -> None:
    with create_keyring(place.home / "two" / "keys", "ws_1", place.unlock) as other:
        refused(ring, "pointer.gate_not_ours", samples.pointer(), samples.gate(other.signer("statements")))


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("pointer.too_long", {"holds": timedelta(days=91)}),
        ("pointer.too_long", {"holds": timedelta(seconds=-1)}),
        ("pointer.future", {"begins": Samples.now() + timedelta(hours=2)}),
        ("pointer.malformed", {"format": 2}),
        ("pointer.malformed", {"format": 3}),
        ("pointer.malformed", {"arms": [], "split": "0" * 32}),
        ("pointer.malformed", {"sequence": True}),
        ("pointer.malformed", {"sequence": 0}),
        ("pointer.malformed", {"sequence": 2**31}),
        ("pointer.malformed", {"channel": "../live"}),
        ("pointer.malformed", {"project": "another"}),
        ("pointer.malformed", {"expires": "never"}),
    ],
)
def test_a_pointer_out_of_form_or_time_is_not_signed(
    ring: Keyring, samples: Samples, gate: bytes, reason: str, changes: dict[str, Any]
) -> None:
    refused(ring, reason, samples.pointer(**changes), gate)


def test_other_statements_are_not_releases(ring: Keyring, samples: Samples, gate: bytes) -> None:
    refused(ring, "release.type", samples.payload("https://slsa.dev/verification_summary/v1", {}), gate)


def test_a_revoked_package_stays_on_the_list(ring: Keyring, place: Place, samples: Samples) -> None:
    signer = ring.signer("releases")
    assert signer.sign(samples.revocations())
    assert signer.sign(samples.revocations(PACKAGE))
    refused(ring, "revocation.dropped", samples.revocations())
    refused(ring, "revocation.dropped", samples.revocations(OTHER))
    with place.open() as again:
        refused(again, "revocation.dropped", samples.revocations())
    assert signer.sign(samples.revocations(PACKAGE, OTHER))
    for changes in ({"sequence": 5}, {"format": 2}, {"revoked": [{}]}, {"sequence": True}):
        refused(ring, "revocation.malformed", samples.revocations(PACKAGE, **changes))


def test_a_memory_that_was_changed_signs_no_release(ring: Keyring, place: Place, samples: Samples, gate: bytes) -> None:
    signer = ring.signer("releases").showing(gate)
    signer.sign(samples.pointer(3))
    memory = place.keys / "signed" / "releases.json"
    whole = memory.read_bytes()
    for spoiled in (b"", b"{}x", b'{"format":2}', whole.replace(b'"format"', b'"more":1,"format"')):
        memory.write_bytes(spoiled)
        refused(ring, "memory.broken", samples.pointer(4), gate)
    memory.write_bytes(whole)
    refused(ring, "pointer.older", samples.pointer(3, reason="another"), gate)
