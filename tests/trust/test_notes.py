"""Notes, checkpoints and proofs are those of C2SP, and one changed byte in them is noticed.

Vectors: the PeterNeumann key and note of golang.org/x/mod/sumdb/note (the reference implementation of
c2sp.org/signed-note), and a tree head as sum.golang.org signed it.
"""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from sealwright.kernel import InvalidInput, Refused, VerificationFailed
from sealwright.trust.merkle import EMPTY_ROOT, Frontier, inclusion_path, leaf_hash
from sealwright.trust.notes import (
    Checkpoint,
    NoteSigner,
    TlogProof,
    check_origin,
    note_key_id,
    open_checkpoint,
    open_note,
    verify_proof,
)
from sealwright.trust.public_keys import ECDSA_P256, ED25519, PublicKey
from sealwright.trust.signers import LocalSigner

ORIGIN = "example.org/ws_1/control"
SIGNER = LocalSigner(ED25519, b"\x01" * 32)
OTHER = LocalSigner(ED25519, b"\x02" * 32)

PETER_KEY = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SEED = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
SUMDB_KEY = "Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
SUMDB_NOTE = """go.sum database tree
63096908
8lHrQPRYe4KT4WQ9/Qk8/taKnD6IRHbFgfN7vQE2Y54=

— sum.golang.org Az3gri/oVBN1jAhNZ/iS+W31psFAWRT20/GyrhpU6taFwulQGetBkH5S7wpGXdS935jiIGiUUAXBVHzT/P6fYhqAmAk=
"""


def key(encoded: str) -> PublicKey:
    raw = base64.b64decode(encoded)
    assert raw[0] == 1
    loaded = Ed25519PublicKey.from_public_bytes(raw[1:])
    return PublicKey.from_pem(loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def proof_for(leaves: list[bytes], index: int) -> bytes:
    growth = Frontier().extend([leaf_hash(leaf) for leaf in leaves])
    head = Checkpoint(ORIGIN, len(leaves), growth.frontier().root())
    path = inclusion_path(index, len(leaves), growth.node)
    return TlogProof(index, tuple(path), NoteSigner(ORIGIN, SIGNER).sign(head.text())).to_bytes()


def test_the_reference_key_has_the_reference_id() -> None:
    assert note_key_id("PeterNeumann", key(PETER_KEY)).hex() == "c74f20a3"
    assert note_key_id("sum.golang.org", key(SUMDB_KEY)).hex() == "033de0ae"


def test_signing_the_reference_text_gives_the_reference_note_byte_for_byte() -> None:
    peter = LocalSigner(ED25519, base64.b64decode(PETER_SEED)[1:])
    assert NoteSigner("PeterNeumann", peter).sign(PETER_TEXT) == f"{PETER_TEXT}\n{PETER_LINE}".encode()


def test_the_reference_note_opens_and_a_foreign_signature_beside_it_is_ignored() -> None:
    assert open_note(f"{PETER_TEXT}\n{PETER_LINE}".encode(), "PeterNeumann", [key(PETER_KEY)]) == PETER_TEXT
    assert open_note(f"{PETER_TEXT}\n{ENOCH_LINE}{PETER_LINE}".encode(), "PeterNeumann", [key(PETER_KEY)]) == PETER_TEXT


@pytest.mark.parametrize(
    "note",
    [
        PETER_TEXT,
        PETER_TEXT + "\n",
        f"{PETER_TEXT}\n{PETER_LINE[:-1]}",
        f"\x01{PETER_TEXT}\n{PETER_LINE}",
        f"{PETER_TEXT}\n{PETER_LINE.replace('PeterNeumann', 'Bad Name')}",
        f"{PETER_TEXT}\n{PETER_LINE}Unexpected line.\n",
        f"{PETER_TEXT}\n{PETER_LINE}{PETER_LINE}",
        f"{PETER_TEXT}\n{PETER_LINE * 65}",
        f"{PETER_TEXT}\n{PETER_LINE[:60]}ABCD{PETER_LINE[60:]}",
        f"{PETER_TEXT}\n{PETER_LINE.replace('AM=', 'AN=')}",  # same bytes, another spelling
        f"{PETER_TEXT}\n{PETER_LINE.replace('—', '-')}",
        f"{PETER_TEXT}{PETER_LINE}",
        f"\n\n{PETER_LINE}",
        f"{PETER_TEXT}\n— PeterNeumann x08goA==\n",
        f"{PETER_TEXT}\n{PETER_LINE}".replace("\n", "\r\n"),
        f"{PETER_TEXT}{'x' * 300_000}\n\n{PETER_LINE}",
    ],
)
def test_a_malformed_or_ambiguous_note_is_refused(note: str) -> None:
    with pytest.raises(VerificationFailed):
        open_note(note.encode(), "PeterNeumann", [key(PETER_KEY)])


def test_bytes_that_are_not_text_are_no_note() -> None:
    with pytest.raises(VerificationFailed, match="not a signed note"):
        open_note(b"\xff" + f"{PETER_TEXT}\n{PETER_LINE}".encode(), "PeterNeumann", [key(PETER_KEY)])


def test_a_note_by_nobody_we_know_is_refused_and_says_who_signed() -> None:
    note = f"{PETER_TEXT}\n{PETER_LINE}".encode()
    for name, keys in (("PeterNeumann", []), ("PeterNeumann", [SIGNER.public()]), ("Peter", [key(PETER_KEY)])):
        with pytest.raises(VerificationFailed, match=r"PeterNeumann\+c74f20a3"):
            open_note(note, name, keys)


def test_a_known_key_whose_signature_fails_spoils_the_note_even_beside_a_good_one() -> None:
    note = NoteSigner(ORIGIN, SIGNER).sign("a\n").decode()
    forged = NoteSigner(ORIGIN, OTHER).sign("b\n").decode().splitlines()[-1]
    with pytest.raises(VerificationFailed, match="signature"):
        open_note(f"{note}{forged}\n".encode(), ORIGIN, [SIGNER.public(), OTHER.public()])


def test_the_tree_head_of_a_public_log_verifies() -> None:
    head = open_checkpoint(SUMDB_NOTE.encode(), [key(SUMDB_KEY)], "go.sum database tree", name="sum.golang.org")
    assert (head.size, len(head.root)) == (63096908, 32)
    changed = SUMDB_NOTE.replace("63096908", "63096909")
    with pytest.raises(VerificationFailed, match="signature"):
        open_checkpoint(changed.encode(), [key(SUMDB_KEY)], "go.sum database tree", name="sum.golang.org")
    with pytest.raises(VerificationFailed, match="cannot be a key name"):
        open_checkpoint(SUMDB_NOTE.encode(), [key(SUMDB_KEY)], None)


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n01\n{base64.b64encode(EMPTY_ROOT).decode()}\n",
        f"{ORIGIN}\n-1\n{base64.b64encode(EMPTY_ROOT).decode()}\n",
        f"{ORIGIN}\n٣\n{base64.b64encode(EMPTY_ROOT).decode()}\n",
        f"{ORIGIN}\n{10**18}\n{base64.b64encode(EMPTY_ROOT).decode()}\n",
        f"{ORIGIN}\n1\n{base64.b64encode(EMPTY_ROOT[:31]).decode()}\n",
        f"{ORIGIN}\n1\n{base64.b64encode(EMPTY_ROOT).decode()}\nextension\n",
        f"\n1\n{base64.b64encode(EMPTY_ROOT).decode()}\n",
        f"{ORIGIN}\n1\n",
    ],
)
def test_a_signed_text_that_is_not_a_strict_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(VerificationFailed):
        open_checkpoint(NoteSigner(ORIGIN, SIGNER).sign(text), [SIGNER.public()], ORIGIN)


def test_a_checkpoint_of_another_log_or_by_another_key_is_refused() -> None:
    note = NoteSigner(ORIGIN, SIGNER).sign(Checkpoint(ORIGIN, 0, EMPTY_ROOT).text())
    assert open_checkpoint(note, [SIGNER.public()], None) == Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    with pytest.raises(VerificationFailed, match="belongs to the log"):
        open_checkpoint(note, [SIGNER.public()], "example.org/ws_2/control")
    with pytest.raises(VerificationFailed, match="No trusted key"):
        open_checkpoint(note, [OTHER.public()], ORIGIN)


def test_only_ed25519_keys_and_plain_names_sign_notes() -> None:
    with pytest.raises(InvalidInput, match="Ed25519"):
        NoteSigner(ORIGIN, LocalSigner(ECDSA_P256, b"\x01" * 32))
    for name in ("", "a b", "a+b", "a\u2003b"):
        with pytest.raises(InvalidInput, match="space or a plus"):
            NoteSigner(name, SIGNER)
    for text in ("no newline", "tab\t\n", ""):
        with pytest.raises(InvalidInput, match="newline"):
            NoteSigner(ORIGIN, SIGNER).sign(text)
    for origin in ("", "a b", "a+b", "é", "a\n", "x" * 201):
        with pytest.raises(InvalidInput, match="origin"):
            check_origin(origin)


def test_a_proof_has_the_published_form() -> None:
    text = proof_for([b"a", b"b"], 0).decode().split("\n")
    assert text[:2] == ["c2sp.org/tlog-proof@v1", "index 0"]
    assert base64.b64decode(text[2]) == leaf_hash(b"b")
    assert text[3:6] == ["", ORIGIN, "2"]
    assert text[7] == ""
    assert text[8].startswith(f"— {ORIGIN} ")
    assert text[9:] == [""]


def test_a_proof_verifies_for_its_leaf_only() -> None:
    leaves = [b"a", b"b", b"c"]
    for index, leaf in enumerate(leaves):
        assert verify_proof(leaf, proof_for(leaves, index), [SIGNER.public()], ORIGIN) == index
    proof = proof_for(leaves, 1)
    with pytest.raises(VerificationFailed, match="not in the tree"):
        verify_proof(b"a", proof, [SIGNER.public()], ORIGIN)
    with pytest.raises(VerificationFailed, match="No trusted key"):
        verify_proof(b"b", proof, [OTHER.public()], ORIGIN)
    with pytest.raises(VerificationFailed, match="belongs to the log"):
        verify_proof(b"b", proof, [SIGNER.public()], "elsewhere")
    with pytest.raises(Refused, match="nothing can be verified"):
        verify_proof(b"b", proof, [], ORIGIN)


def test_unsigned_extra_data_in_a_proof_is_refused() -> None:
    proof = proof_for([b"a"], 0).replace(b"\nindex", b"\nextra aGVsbG8=\nindex")
    with pytest.raises(VerificationFailed, match="extra"):
        verify_proof(b"a", proof, [SIGNER.public()], ORIGIN)


def test_any_flipped_bit_of_a_proof_is_noticed() -> None:
    proof = proof_for([b"a", b"b", b"c"], 2)
    for bit in range(8 * len(proof)):
        changed = bytearray(proof)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VerificationFailed):
            verify_proof(b"c", bytes(changed), [SIGNER.public()], ORIGIN)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_note_or_refused_never_a_crash(data: bytes) -> None:
    for attempt in (data, b"c2sp.org/tlog-proof@v1\nindex 0\n\n" + data):
        with pytest.raises(VerificationFailed):
            verify_proof(b"a", attempt, [SIGNER.public()], ORIGIN)
        with pytest.raises(VerificationFailed):
            open_note(attempt, ORIGIN, [SIGNER.public()])
