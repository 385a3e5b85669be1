"""Public keys and the trust root: one spelling, one purpose per key, standard signatures."""

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealwright.kernel import InvalidInput, VerificationFailed, canonical_json, strict_json
from sealwright.trust import ECDSA_P256, ED25519, LocalSigner, PublicKey, TrustRoot, create_key_file, create_keyring

ONE, TWO = (LocalSigner(ED25519, bytes([n]) * 32) for n in (1, 2))
CURVE = LocalSigner(ECDSA_P256, b"\1" * 32)


def pem_of(key: object) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined, no-any-return]


def test_ed25519_signs_as_rfc_8032_section_7_1_test_1() -> None:
    signer = LocalSigner(ED25519, bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    assert signer.public().raw().hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert signer.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )


def test_p256_verifies_the_signature_of_rfc_6979_appendix_a_2_5() -> None:
    signer = LocalSigner(ECDSA_P256, bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"))
    point = signer.public().raw()
    assert point[1:33].hex().upper() == "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
    assert point[33:].hex().upper() == "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
    r = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
    s = 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8
    signer.public().verify(encode_dss_signature(r, s), b"sample")
    with pytest.raises(VerificationFailed):
        signer.public().verify(encode_dss_signature(r, s), b"Sample")


@pytest.mark.parametrize("signer", [ONE, CURVE])
def test_every_byte_of_a_signature_counts(signer: LocalSigner) -> None:
    signature = signer.sign(b"data")
    signer.public().verify(signature, b"data")
    for at in range(len(signature)):
        with pytest.raises(VerificationFailed, match="not by key"):
            signer.public().verify(signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :], b"data")
    for other in (b"", signature[:-1], signature + b"\0", bytes(64), bytes.fromhex("3006020100020100")):
        with pytest.raises(VerificationFailed):
            signer.public().verify(other, b"data")


def test_a_key_id_is_the_digest_of_its_der_form() -> None:
    der = ec.derive_private_key(int.from_bytes(b"\1" * 32, "big"), ec.SECP256R1()).public_key()
    wanted = hashlib.sha256(der.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    assert CURVE.public().key_id == CURVE.key_id == wanted


def test_a_public_key_survives_its_json() -> None:
    for signer in (ONE, CURVE):
        assert PublicKey.from_json(signer.public().to_json()) == signer.public()


@pytest.mark.parametrize(
    "change",
    [
        {"key_id": TWO.key_id},
        {"algorithm": ECDSA_P256},
        {"pem": TWO.public().pem},
        {"pem": ONE.public().pem + "\n"},
        {"pem": ONE.public().pem.replace("\n", "\r\n")},
        {"pem": "x" + ONE.public().pem},
        {"pem": ""},
        {"pem": None},
        {"extra": "1"},
    ],
)
def test_a_public_key_whose_parts_do_not_fit_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        PublicKey.from_json({**ONE.public().to_json(), **change})


def test_other_kinds_of_keys_are_refused() -> None:
    for key in (
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
        Ed448PrivateKey.generate(),
    ):
        with pytest.raises(InvalidInput, match="Only Ed25519, P-256 and ML-DSA-65"):
            PublicKey.from_pem(pem_of(key))
    for data in (b"", b"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n", b"\xff" * 10):
        with pytest.raises(InvalidInput, match="not a PEM"):
            PublicKey.from_pem(data)
    with pytest.raises(InvalidInput, match="too long"):
        PublicKey.from_pem(b"x" * 5000)


@pytest.mark.parametrize(
    ("algorithm", "secret"), [(ED25519, b"x"), (ECDSA_P256, bytes(32)), (ECDSA_P256, b"\xff" * 32), ("rsa", b"x" * 32)]
)
def test_a_secret_that_is_no_private_key_is_refused(algorithm: str, secret: bytes) -> None:
    with pytest.raises(InvalidInput):
        LocalSigner(algorithm, secret)


# ---- the trust root


def test_a_trust_root_survives_its_bytes_and_has_one_fingerprint(tmp_path: Path) -> None:
    root = create_keyring(tmp_path / "keys", "ws_1", create_key_file(tmp_path / "k")).trust_root
    again = TrustRoot.from_bytes(root.to_bytes())
    assert again == root
    assert again.fingerprint == root.fingerprint == "sha256:" + hashlib.sha256(root.to_bytes()).hexdigest()


def test_every_byte_of_a_trust_root_counts() -> None:
    whole = TrustRoot("ws_1", {"statements": (ONE.public(),), "models": (CURVE.public(),)}).to_bytes()
    good = TrustRoot.from_bytes(whole)
    for at in range(len(whole)):
        changed = whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :]
        try:
            other = TrustRoot.from_bytes(changed)
        except VerificationFailed:
            continue
        assert other.fingerprint != good.fingerprint, "only the name may change, and it changes the fingerprint"
        assert other.keys == good.keys


def test_a_key_has_one_purpose() -> None:
    with pytest.raises(VerificationFailed, match="one purpose"):
        TrustRoot("ws_1", {"statements": (ONE.public(),), "releases": (ONE.public(),)})
    with pytest.raises(VerificationFailed, match="one purpose"):
        TrustRoot("ws_1", {"statements": (ONE.public(), ONE.public())})


def test_a_branch_takes_only_its_algorithm() -> None:
    with pytest.raises(VerificationFailed, match="expected ed25519"):
        TrustRoot("ws_1", {"statements": (CURVE.public(),)})
    with pytest.raises(VerificationFailed, match="no such branch"):
        TrustRoot("ws_1", {"data": (ONE.public(),)})


def test_an_older_key_still_verifies_and_the_newest_is_last() -> None:
    root = TrustRoot("ws_1", {"statements": (ONE.public(), TWO.public())})
    assert [key.key_id for key in TrustRoot.from_bytes(root.to_bytes()).keys_of("statements")] == [
        ONE.key_id,
        TWO.key_id,
    ]


@pytest.mark.parametrize("keys", [{}, {"models": ()}])
def test_a_branch_without_keys_verifies_nothing(keys: dict[str, tuple[PublicKey, ...]]) -> None:
    with pytest.raises(VerificationFailed, match="no key for 'models'"):
        TrustRoot("ws_1", keys).keys_of("models")


def test_another_spelling_of_a_trust_root_is_refused() -> None:
    whole = TrustRoot("ws_1", {"statements": (ONE.public(),)}).to_bytes()
    value = strict_json(whole)
    others = [
        whole + b"\n",
        whole.replace(b",", b", ", 1),
        canonical_json({**value, "extra": 1}),
        canonical_json({**value, "format": 2}),
        canonical_json({**value, "keys": []}),
        canonical_json({**value, "keys": {"statements": {}}}),
        canonical_json({**value, "workspace": 7}),
        canonical_json([]),
        b"null",
        b"\xff",
        b"",
    ]
    for other in others:
        with pytest.raises(VerificationFailed):
            TrustRoot.from_bytes(other)


def test_the_keys_of_a_trust_root_cannot_be_replaced_afterwards() -> None:
    root = TrustRoot("ws_1", {"statements": (ONE.public(),)})
    with pytest.raises(TypeError):
        root.keys["statements"] = (TWO.public(),)  # type: ignore[index]
