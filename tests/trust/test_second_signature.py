"""Statements and releases carry an ML-DSA-65 signature beside the first, and do not verify without it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sealwright.kernel import InvalidInput, VerificationFailed, canonical_json, strict_json
from sealwright.trust import (
    ML_DSA_65,
    SECOND_SIGNED,
    InsecurePassphraseForTests,
    LocalSigner,
    PublicKey,
    Secret,
    TrustRoot,
    create_keyring,
    make_statement,
    sign_statement,
    verify_statement,
)
from sealwright.trust.signing.vault import open_vault
from sealwright.trust.strict_base64 import decode_base64, encode_base64

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery"))
STATEMENT = make_statement([("m", "sha256:" + "1" * 64)], "urn:x", {"a": 1})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("w") / "keys"
    create_keyring(made, "ws_1", UNLOCK).close()
    return made


class Stolen:
    """The keys of a workspace as a thief has them, who asks no signer and signs what the signer never would."""

    def __init__(self, folder: Path) -> None:
        vault = open_vault(folder, UNLOCK)
        self.signers, self.trust_root = vault.signers, vault.trust_root

    def signer(self, branch: str) -> LocalSigner:
        return self.signers[branch]


@pytest.fixture(scope="module")
def ring(folder: Path) -> Stolen:
    return Stolen(folder)


def alone(ring: Stolen, branch: str) -> LocalSigner:
    """The key of a branch without the second."""
    return ring.signer(branch).with_beside()


def edited(data: bytes, **changes: Any) -> bytes:
    return canonical_json(strict_json(data) | changes)


def signatures(data: bytes) -> list[dict[str, str]]:
    found: list[dict[str, str]] = strict_json(data)["signatures"]
    return found


@pytest.mark.parametrize("branch", sorted(SECOND_SIGNED))
def test_both_signatures_are_made_and_asked_for_by_default(ring: Stolen, branch: str) -> None:
    data = sign_statement(STATEMENT, ring.signer(branch))
    assert [one["keyid"] for one in signatures(data)] == [
        ring.signer(branch).key_id,
        ring.signer(SECOND_SIGNED[branch]).key_id,
    ]
    assert len(decode_base64(signatures(data)[1]["sig"], what="sig")) == 3309
    assert verify_statement(data, ring.trust_root.keys_of(branch)) == STATEMENT
    assert verify_statement(data, TrustRoot.from_bytes(ring.trust_root.to_bytes()).keys_of(branch)) == STATEMENT


@pytest.mark.parametrize("branch", sorted(SECOND_SIGNED))
def test_a_stripped_second_signature_is_missed_t43(ring: Stolen, branch: str) -> None:
    data, keys = sign_statement(STATEMENT, ring.signer(branch)), ring.trust_root.keys_of(branch)
    for kept, words in (
        (slice(0, 1), "second signature"),
        (slice(1, 2), "first signatures"),
        (slice(0, 0), "Expected 1 to 2"),
    ):
        with pytest.raises(VerificationFailed, match=words):
            verify_statement(edited(data, signatures=signatures(data)[kept]), keys)
    with pytest.raises(VerificationFailed, match="second signature"):
        verify_statement(sign_statement(STATEMENT, alone(ring, branch)), keys)
    with pytest.raises(VerificationFailed, match="first signatures"):
        verify_statement(sign_statement(STATEMENT, alone(ring, SECOND_SIGNED[branch])), keys)


def test_no_flipped_byte_of_payload_or_signatures_verifies(ring: Stolen) -> None:
    data, keys = sign_statement(STATEMENT, ring.signer("releases")), ring.trust_root.keys_of("releases")
    for at in range(0, len(data), 7):
        for bit in (1, 0x20):
            with pytest.raises(VerificationFailed):
                verify_statement(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :], keys)
    second = decode_base64(signatures(data)[1]["sig"], what="sig")
    for at in range(0, len(second), 101):
        changed = second[:at] + bytes([second[at] ^ 1]) + second[at + 1 :]
        both = [signatures(data)[0], signatures(data)[1] | {"sig": encode_base64(changed)}]
        with pytest.raises(VerificationFailed, match="is not by key"):
            verify_statement(edited(data, signatures=both), keys)


def test_order_and_repetition_have_one_form(ring: Stolen) -> None:
    data, keys = sign_statement(STATEMENT, ring.signer("releases")), ring.trust_root.keys_of("releases")
    first, second = signatures(data)
    for wrong in ([second, first], [first, first, second], [first, second, second], [second, second], [first, first]):
        with pytest.raises(VerificationFailed):
            verify_statement(edited(data, signatures=wrong), keys)
    swapped = [first | {"sig": second["sig"]}, second | {"sig": first["sig"]}]
    with pytest.raises(VerificationFailed):
        verify_statement(edited(data, signatures=swapped), keys)


def test_the_second_key_of_somebody_else_does_not_count(ring: Stolen) -> None:
    mixed = ring.signer("releases").with_beside(LocalSigner(ML_DSA_65, b"\7" * 32))
    with pytest.raises(VerificationFailed, match="unknown key"):
        verify_statement(sign_statement(STATEMENT, mixed), ring.trust_root.keys_of("releases"))
    other = ring.signer("releases").with_beside(alone(ring, "authority-pq"))
    with pytest.raises(VerificationFailed, match="unknown key"):
        verify_statement(sign_statement(STATEMENT, other), ring.trust_root.keys_of("releases"))


@pytest.mark.parametrize(
    ("by", "as_branch"), [("statements", "releases"), ("releases", "statements"), ("authority", "releases")]
)
def test_what_one_branch_signed_is_not_of_another_though_they_share_the_second_key(
    ring: Stolen, by: str, as_branch: str
) -> None:
    with pytest.raises(VerificationFailed, match="unknown key"):
        verify_statement(sign_statement(STATEMENT, ring.signer(by)), ring.trust_root.keys_of(as_branch))


def test_a_second_signature_over_another_payload_does_not_fit(ring: Stolen) -> None:
    keys = ring.trust_root.keys_of("releases")
    one = sign_statement(STATEMENT, ring.signer("releases"))
    two = sign_statement(make_statement([("m", "sha256:" + "2" * 64)], "urn:x", {}), ring.signer("releases"))
    with pytest.raises(VerificationFailed, match="is not by key"):
        verify_statement(edited(one, signatures=[signatures(one)[0], signatures(two)[1]]), keys)


def test_where_every_second_key_was_revoked_the_first_does_not_stand_alone(ring: Stolen) -> None:
    """Fail closed: taking the second keys away must not take the demand for them away."""
    gone = frozenset({ring.signer("releases-pq").key_id})
    weaker = replace(ring.trust_root, revoked=gone)
    for branch in ("releases", "statements"):
        with pytest.raises(VerificationFailed, match="only revoked keys"):
            weaker.keys_of(branch)


def test_a_trust_root_from_before_there_were_second_keys_asks_for_one_signature(ring: Stolen) -> None:
    before = TrustRoot("ws_1", {"releases": (alone(ring, "releases").public(),)})
    assert verify_statement(sign_statement(STATEMENT, alone(ring, "releases")), before.keys_of("releases")) == STATEMENT
    with pytest.raises(VerificationFailed, match="Expected 1 to 1"):
        verify_statement(sign_statement(STATEMENT, ring.signer("releases")), before.keys_of("releases"))


def test_keys_go_through_pem_and_json_and_are_the_same_from_the_same_seed() -> None:
    signer = LocalSigner(ML_DSA_65, b"\1" * 32)
    public = signer.public()
    assert (len(public.raw()), public.algorithm) == (1952, "ml-dsa-65")
    assert PublicKey.from_pem(public.pem) == PublicKey.from_json(public.to_json()) == public
    assert LocalSigner(ML_DSA_65, b"\1" * 32).public() == public != LocalSigner(ML_DSA_65, b"\2" * 32).public()
    public.verify(signer.sign(b"data"), b"data")
    for data, signature in ((b"datA", signer.sign(b"data")), (b"data", signer.sign(b"data")[:-1]), (b"data", b"")):
        with pytest.raises(VerificationFailed):
            public.verify(signature, data)
    with pytest.raises(InvalidInput):
        LocalSigner(ML_DSA_65, b"\1" * 31)
