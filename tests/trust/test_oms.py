"""Model signatures: the public tool and we read each other, and what it lets through we refuse.

The oracle is `model-signing` 1.1.1, the reference implementation of OpenSSF Model Signing v1.0. The
tests named t43 are attack T-43 of our threat list; where the reference accepts the attack, the test
shows that too, so we notice when a new release no longer does.
"""

import base64
import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.kernel import InvalidInput, VerificationFailed, canonical_json, digest_of
from sealwright.trust import (
    ECDSA_P256,
    ED25519,
    LocalSigner,
    oms,
    read_model_folder,
    sign_model_files,
    sign_model_folder,
    verify_model_folder,
)
from sealwright.trust.dsse import IN_TOTO_PAYLOAD, pae

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SECRET = b"\1" * 32
SIGNER, EVIL = LocalSigner(ECDSA_P256, SECRET), LocalSigner(ECDSA_P256, b"\2" * 32)
KEYS = (SIGNER.public(),)
FILES = {"model.onnx": b"weights", "card.md": b"# card\n", "statements/gate.json": b"{}", "statements-old": b""}
GIT = (".git", ".gitattributes", ".github", ".gitignore")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "credit"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def sealed(model: Path) -> Path:
    (model / "model.sig").write_bytes(sign_model_folder(model, SIGNER))
    return model


def private_pem(tmp_path: Path) -> Path:
    key = ec.derive_private_key(int.from_bytes(SECRET, "big"), ec.SECP256R1())
    path = tmp_path / "private.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def public_pem(tmp_path: Path) -> Path:
    path = tmp_path / "public.pem"
    path.write_text(SIGNER.public().pem)
    return path


def tool_signs(model: Path, tmp_path: Path, configure: Callable[[Any], Any] = lambda config: config) -> bytes:
    """The reference implementation signs `model` in place."""
    from model_signing import hashing, signing

    hashing_config = configure(hashing.Config().set_ignored_paths(paths=["model.sig"]))
    config = signing.Config().use_elliptic_key_signer(private_key=private_pem(tmp_path))
    config.set_hashing_config(hashing_config).sign(model, model / "model.sig")
    return (model / "model.sig").read_bytes()


def tool_verifies(model: Path, tmp_path: Path) -> None:
    """Raise if the reference implementation refuses."""
    from model_signing import verifying

    verifying.Config().use_elliptic_key_verifier(public_key=public_pem(tmp_path)).verify(model, model / "model.sig")


def we_verify(model: Path) -> oms.ModelManifest:
    return verify_model_folder(read_model_folder(model), (model / "model.sig").read_bytes(), KEYS)


def signed_statement(
    statement: object, signer: LocalSigner = SIGNER, message: Callable[[bytes], bytes] | None = None
) -> bytes:
    """A bundle honestly signed over whatever statement."""
    payload = statement if isinstance(statement, bytes) else canonical_json(statement)
    signature = signer.sign(message(payload) if message else pae(IN_TOTO_PAYLOAD, payload))
    bundle = json.loads(sign_model_files("credit", FILES, signer))
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    return canonical_json(bundle)


def statement_of(bundle: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(json.loads(bundle)["dsseEnvelope"]["payload"]))
    return found


BUNDLE = sign_model_files("credit", FILES, SIGNER)


def check(bundle: bytes, files: dict[str, bytes] | None = None) -> oms.ModelManifest:
    return verify_model_folder(files or FILES, bundle, KEYS)


# ---- both ways


def test_the_public_tool_accepts_what_we_sign(sealed: Path, tmp_path: Path) -> None:
    tool_verifies(sealed, tmp_path)


def test_the_public_command_accepts_what_we_sign(sealed: Path, tmp_path: Path) -> None:
    options = ["--public_key", str(public_pem(tmp_path)), "--signature", str(sealed / "model.sig"), str(sealed)]
    command = [sys.executable, "-m", "model_signing", "verify", "key", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "Verification succeeded" in done.stdout) == (0, True), done.stderr


def test_we_accept_what_the_public_tool_signs(model: Path, tmp_path: Path) -> None:
    bundle = tool_signs(model, tmp_path)
    manifest = we_verify(model)
    assert manifest.files == {name: digest_of(data) for name, data in FILES.items()}
    assert (manifest.name, manifest.key_id) == ("credit", SIGNER.key_id)
    assert manifest.statement == digest_of(base64.b64decode(json.loads(bundle)["dsseEnvelope"]["payload"]))


def test_we_say_the_same_about_a_model_as_the_public_tool(model: Path, tmp_path: Path) -> None:
    theirs, ours = statement_of(tool_signs(model, tmp_path)), statement_of(sign_model_folder(model, SIGNER))
    for statement in (theirs, ours):
        statement["predicate"]["serialization"]["ignore_paths"].sort()
        statement["predicate"]["resources"].sort(key=lambda item: item["name"])
    assert theirs["predicate"] == ours["predicate"]


def test_a_bundle_follows_the_published_shape() -> None:
    """Fields and values of schemas/v1.0 in ossf/model-signing-spec."""
    bundle = json.loads(BUNDLE)
    assert set(bundle) == {"mediaType", "verificationMaterial", "dsseEnvelope"}
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    hint = hashlib.sha256(SIGNER.public().pem.encode()).hexdigest()
    assert bundle["verificationMaterial"]["publicKey"] == {"hint": hint}
    statement = statement_of(BUNDLE)
    names = [item["name"] for item in statement["predicate"]["resources"]]
    assert names == sorted(names) == sorted(FILES)
    raw = b"".join(hashlib.sha256(FILES[name]).digest() for name in names)
    assert statement["subject"] == [{"name": "credit", "digest": {"sha256": hashlib.sha256(raw).hexdigest()}}]


def test_the_payload_of_the_specifications_vector_is_understood() -> None:
    """github.com/ossf/model-signing-spec, conformance key-multi-file (model "multi-file"; signed there with P-384)."""
    payload = json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [
                {
                    "name": "model",
                    "digest": {"sha256": "f80be2143728d736125937042ab2e36657a156208e98982b99ba13b869c51310"},
                }
            ],
            "predicateType": "https://model_signing/signature/v1.0",
            "predicate": {
                "resources": [
                    {
                        "digest": "5e472403951781d18d5f790aa5b3316a5f535fc37a1052f6659c9c6af82e3643",
                        "algorithm": "sha256",
                        "name": "config.json",
                    },
                    {
                        "digest": "58b991c23d339f9d25eccb315cf8ba9edb608bb60be3be6c73b03a4481dc7682",
                        "algorithm": "sha256",
                        "name": "subdir/adapter.bin",
                    },
                    {
                        "digest": "4555555dc68d872c2270ba89ecc5f6f094812f65372b37e50071fe5168031c49",
                        "algorithm": "sha256",
                        "name": "weights.bin",
                    },
                ],
                "serialization": {
                    "method": "files",
                    "ignore_paths": [".gitignore", ".gitattributes", ".git", ".github"],
                    "hash_type": "sha256",
                    "allow_symlinks": False,
                },
            },
        },
        indent=2,
    ).encode()
    files = {
        "config.json": b'{"model": "test", "version": "1.0"}',
        "weights.bin": b"\xab" * 1024,
        "subdir/adapter.bin": b"\xcd" * 512,
    }
    assert check(signed_statement(payload), files).name == "model"


def test_a_bundle_of_another_implementation_with_spaces_and_fewer_fields_is_read() -> None:
    """The Go implementation indents, leaves out keyid and tlogEntries (specification, section 11.1)."""
    bundle = json.loads(BUNDLE)
    del bundle["verificationMaterial"]["tlogEntries"], bundle["dsseEnvelope"]["signatures"][0]["keyid"]
    assert check(json.dumps(bundle, indent=2).encode()).name == "credit"
    bundle["dsseEnvelope"]["signatures"][0]["keyid"] = None
    assert check(json.dumps(bundle).encode()).name == "credit"


def test_both_orders_in_use_are_read(model: Path, tmp_path: Path) -> None:
    """The specification sorts by text, the reference by path parts: "a-b" and "a/c" differ."""
    (model / "a").mkdir()
    (model / "a" / "c").write_bytes(b"1")
    (model / "a-b").write_bytes(b"2")
    tool_signs(model, tmp_path)
    we_verify(model)
    (model / "model.sig").write_bytes(sign_model_folder(model, SIGNER))
    tool_verifies(model, tmp_path)
    we_verify(model)


def test_files_hashed_before_need_not_be_read_again() -> None:
    hashed = {name: (digest_of(data), len(data)) for name, data in FILES.items()}
    assert verify_model_folder(hashed, sign_model_files("credit", hashed, SIGNER), KEYS).files == {
        name: digest_of(data) for name, data in FILES.items()
    }


_NAME = st.text("abcXYZ019-_ é模.", min_size=1, max_size=8)


@given(
    st.dictionaries(
        st.lists(_NAME, min_size=1, max_size=3).map("/".join), st.binary(max_size=10), min_size=1, max_size=6
    )
)
@settings(max_examples=100, deadline=None)
def test_what_can_be_signed_verifies_and_nothing_else(files: dict[str, bytes]) -> None:
    try:
        bundle = sign_model_files("m", files, SIGNER)
    except VerificationFailed:
        return
    assert verify_model_folder(files, bundle, KEYS).files == {name: digest_of(data) for name, data in files.items()}
    for name in files:
        for other in (
            {**files, name: files[name] + b"x"},
            {k: v for k, v in files.items() if k != name},
            {**files, name + "x": b""},
            {k if k != name else k + "x": v for k, v in files.items()},
        ):
            with pytest.raises(VerificationFailed):
                verify_model_folder(other, bundle, KEYS)


# ---- every byte


def test_every_byte_of_a_package_counts(sealed: Path) -> None:
    for path in sorted(p for p in sealed.rglob("*") if p.is_file()):
        whole = path.read_bytes()
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :])
            with pytest.raises(VerificationFailed):
                we_verify(sealed)
        path.write_bytes(whole)
    we_verify(sealed)


def test_the_first_file_that_differs_is_named() -> None:
    cases = [
        ({**FILES, "card.md": b"# other"}, "card.md", "was changed"),
        ({**FILES, "extra.txt": b""}, "extra.txt", "was not signed"),
        ({name: data for name, data in FILES.items() if name != "card.md"}, "card.md", "is missing"),
    ]
    for files, link, why in cases:
        with pytest.raises(VerificationFailed, match=why) as error:
            check(BUNDLE, files)
        assert error.value.link == link


def test_a_signature_file_among_the_files_must_be_the_one_given() -> None:
    assert check(BUNDLE, {**FILES, "model.sig": BUNDLE}).name == "credit"
    with pytest.raises(VerificationFailed, match="another signature"):
        check(BUNDLE, {**FILES, "model.sig": BUNDLE + b" "})


# ---- T-43: what the reference verifier lets through, and we do not


def test_t43_files_under_git_names_added_after_signing(sealed: Path, tmp_path: Path) -> None:
    for name in (".git/hooks/post-checkout", ".github/workflows/x.yml", ".gitignore", ".gitattributes"):
        (sealed / name).parent.mkdir(parents=True, exist_ok=True)
        (sealed / name).write_bytes(b"unsigned")
        tool_verifies(sealed, tmp_path)
        with pytest.raises(VerificationFailed, match="git files stay unsigned"):
            we_verify(sealed)
        with pytest.raises(VerificationFailed, match="git files stay unsigned"):
            check(BUNDLE, {**FILES, name: b"unsigned"})
        (sealed / name).unlink()
        for folder in (
            sealed / ".git" / "hooks",
            sealed / ".git",
            sealed / ".github" / "workflows",
            sealed / ".github",
        ):
            if folder.is_dir():
                folder.rmdir()


@pytest.mark.parametrize("name", ["sub/.git/config", ".GIT/x", ".gitmodules", "a/.GitHub/x"])
def test_t43_git_names_anywhere_in_any_case(name: str) -> None:
    with pytest.raises(VerificationFailed, match="git files stay unsigned"):
        sign_model_files("m", {**FILES, name: b""}, SIGNER)


def test_t43_an_ignore_list_chosen_by_the_signer(model: Path, tmp_path: Path) -> None:
    tool_signs(model, tmp_path, lambda config: config.set_ignored_paths(paths=["model.sig", "card.md", "plugins"]))
    (model / "card.md").write_bytes(b"changed after signing")
    (model / "plugins").mkdir()
    (model / "plugins" / "x.py").write_bytes(b"added after signing")
    tool_verifies(model, tmp_path)
    with pytest.raises(VerificationFailed, match="chose files to leave unsigned"):
        we_verify(model)


def test_t43_an_empty_folder_is_covered_by_no_signature(sealed: Path, tmp_path: Path) -> None:
    (sealed / "empty").mkdir()
    tool_verifies(sealed, tmp_path)
    with pytest.raises(VerificationFailed, match="empty folder"):
        we_verify(sealed)


@pytest.mark.parametrize("mode", [0o4644, 0o2644, 0o1644, 0o755, 0o654, 0o646])
def test_t43_a_file_mode_is_covered_by_no_signature(sealed: Path, tmp_path: Path, mode: int) -> None:
    (sealed / "model.onnx").chmod(mode)
    tool_verifies(sealed, tmp_path)
    with pytest.raises(VerificationFailed, match="set it to 644"):
        we_verify(sealed)


def test_t43_another_name_for_the_folder_changes_nothing_so_the_name_is_not_an_identity(
    sealed: Path, tmp_path: Path
) -> None:
    other = sealed.rename(tmp_path / "fraud-detector")
    tool_verifies(other, tmp_path)
    assert we_verify(other).name == "credit", "the signed name, which a statement of ours must bind"


def test_t43_files_renamed_with_their_order_kept_share_the_root_digest_but_not_our_identity() -> None:
    renamed = {{"model.onnx": "model.onny"}.get(name, name): data for name, data in FILES.items()}
    bundle = sign_model_files("credit", renamed, SIGNER)
    assert statement_of(bundle)["subject"] == statement_of(BUNDLE)["subject"]
    assert check(bundle, renamed).statement != check(BUNDLE).statement
    with pytest.raises(VerificationFailed):
        check(BUNDLE, renamed)


@pytest.mark.parametrize("material", [{"publicKey": {}}, {"publicKey": {"hint": ""}}, {"publicKey": {"hint": None}}])
def test_t43_a_removed_hint(
    sealed: Path, tmp_path: Path, material: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = {
        **json.loads((sealed / "model.sig").read_bytes()),
        "verificationMaterial": {**material, "tlogEntries": []},
    }
    (sealed / "model.sig").write_bytes(canonical_json(bundle))
    tool_verifies(sealed, tmp_path)
    assert "WARNING" in capsys.readouterr().out
    with pytest.raises(VerificationFailed):
        we_verify(sealed)


def test_t43_the_hint_of_another_key(sealed: Path) -> None:
    bundle = json.loads((sealed / "model.sig").read_bytes())
    bundle["verificationMaterial"]["publicKey"]["hint"] = hashlib.sha256(EVIL.public().pem.encode()).hexdigest()
    with pytest.raises(VerificationFailed, match="unknown key"):
        check(canonical_json(bundle))


def test_t43_an_older_key_reference_is_not_taken_for_a_hint() -> None:
    bundle = json.loads(BUNDLE)
    bundle["verificationMaterial"]["publicKey"] = {"rawBytes": "AA==", "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
    with pytest.raises(VerificationFailed, match="exactly the fields hint"):
        check(canonical_json(bundle))


def test_t43_an_extra_signature_beside_the_good_one(sealed: Path, tmp_path: Path) -> None:
    bundle = json.loads((sealed / "model.sig").read_bytes())
    signatures = bundle["dsseEnvelope"]["signatures"]
    for extra in (signatures[0], {"keyid": "", "sig": "AAAA"}):
        bundle["dsseEnvelope"]["signatures"] = [signatures[0], extra]
        (sealed / "model.sig").write_bytes(canonical_json(bundle))
        tool_verifies(sealed, tmp_path)
        with pytest.raises(VerificationFailed, match="exactly one signature"):
            we_verify(sealed)


def test_t43_a_stripped_signature_or_an_empty_bundle_is_a_refusal_not_a_crash(sealed: Path, tmp_path: Path) -> None:
    bundle = json.loads(BUNDLE)
    bundle["dsseEnvelope"]["signatures"] = []
    for data in (
        canonical_json(bundle),
        b"{}",
        b"",
        b"null",
        b"[]",
        b"7",
        b"\xff",
        b'{"dsseEnvelope":{}}',
        b"[" * 9999,
    ):
        (sealed / "model.sig").write_bytes(data)
        with pytest.raises(Exception):  # noqa: B017 - the reference raises IndexError, KeyError, AttributeError, …
            tool_verifies(sealed, tmp_path)
        with pytest.raises(VerificationFailed):
            we_verify(sealed)


def test_t43_the_signed_text_of_before_version_1_is_not_tried(sealed: Path, tmp_path: Path) -> None:
    """The reference falls back to a faulty encoding of its version 0.2."""

    def faulty(payload: bytes) -> bytes:
        return f"DSSEV1 {len(IN_TOTO_PAYLOAD)} {IN_TOTO_PAYLOAD} {len(payload)} {payload!r}".encode()

    statement = statement_of((sealed / "model.sig").read_bytes())
    (sealed / "model.sig").write_bytes(signed_statement(statement, message=faulty))
    tool_verifies(sealed, tmp_path)
    with pytest.raises(VerificationFailed, match="not by key"):
        we_verify(sealed)


def test_t43_the_predicate_of_before_version_1_is_not_tried() -> None:
    old = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": n, "digest": {"sha256": digest_of(d)[7:]}} for n, d in sorted(FILES.items())],
        "predicateType": "https://model_signing/Digests/v0.1",
        "predicate": {"unused": "Unused"},
    }
    with pytest.raises(VerificationFailed, match="not a model signature of version"):
        check(signed_statement(old))


def test_t43_a_sharded_signature_is_refused_with_the_reason(model: Path, tmp_path: Path) -> None:
    tool_signs(model, tmp_path, lambda config: config.use_shard_serialization(shard_size=4))
    with pytest.raises(VerificationFailed, match="Only whole files"):
        we_verify(model)


@pytest.mark.parametrize("algorithm", ["blake2", "blake3"])
def test_t43_another_hash_is_refused_with_the_reason(model: Path, tmp_path: Path, algorithm: str) -> None:
    tool_signs(model, tmp_path, lambda config: config.use_file_serialization(hashing_algorithm=algorithm))
    with pytest.raises(VerificationFailed, match="hashed with SHA-256"):
        we_verify(model)


def test_t43_links_followed_by_the_signer(model: Path, tmp_path: Path) -> None:
    (model / "alias.onnx").symlink_to(model / "model.onnx")
    tool_signs(model, tmp_path, lambda config: config.set_allow_symlinks(True))
    with pytest.raises(VerificationFailed, match="link or a device"):
        we_verify(model)
    (model / "alias.onnx").unlink()
    (model / "alias.onnx").write_bytes(FILES["model.onnx"])
    with pytest.raises(VerificationFailed, match="followed symbolic links"):
        we_verify(model)


@pytest.mark.parametrize("kind", ["link", "folder link", "pipe", "socket-less device"])
def test_t43_anything_but_a_plain_file(sealed: Path, kind: str) -> None:
    target = sealed / "model.onnx"
    if kind == "link":
        target.rename(sealed.parent / "elsewhere")
        target.symlink_to(sealed.parent / "elsewhere")
    elif kind == "folder link":
        (sealed / "statements").rename(sealed.parent / "elsewhere")
        (sealed / "statements").symlink_to(sealed.parent / "elsewhere")
    elif kind == "pipe":
        target.unlink()
        os.mkfifo(target)
    else:
        target.unlink()
        target.symlink_to("/dev/zero")
    with pytest.raises(VerificationFailed, match="link or a device"):
        we_verify(sealed)


def expired_certificate(
    key: ec.EllipticCurvePrivateKey, usage: x509.ObjectIdentifier
) -> tuple[x509.Certificate, x509.Certificate]:
    """A leaf that expired 300 days ago for `usage`, and its CA."""
    now = dt.datetime.now(dt.UTC)
    root_key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)]) for n in ("root", "leaf")]

    def build(subject: int, public: Any, *, ca: bool, end: dt.datetime) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(names[subject]).issuer_name(names[0]).public_key(public)
        builder = builder.serial_number(subject + 1).not_valid_before(now - dt.timedelta(days=400)).not_valid_after(end)
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        bits = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "crl_sign",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        builder = builder.add_extension(
            x509.KeyUsage(digital_signature=not ca, key_cert_sign=ca, **bits), critical=True
        )
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
        )
        if not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        return builder.sign(root_key, SHA256())

    root = build(0, root_key.public_key(), ca=True, end=now + dt.timedelta(days=400))
    return build(1, key.public_key(), ca=False, end=now - dt.timedelta(days=300)), root


def test_t43_a_certificate_that_expired_and_is_for_web_servers(model: Path, tmp_path: Path) -> None:
    """The reference sets the checking time to the certificate's own; we accept no certificate mode at all."""
    from model_signing import hashing, signing, verifying

    key = ec.derive_private_key(int.from_bytes(SECRET, "big"), ec.SECP256R1())
    leaf, root = expired_certificate(key, ExtendedKeyUsageOID.SERVER_AUTH)
    paths = {name: tmp_path / f"{name}.pem" for name in ("leaf", "root")}
    for name, certificate in (("leaf", leaf), ("root", root)):
        paths[name].write_bytes(certificate.public_bytes(Encoding.PEM))
    config = signing.Config().use_certificate_signer(
        private_key=private_pem(tmp_path), signing_certificate=paths["leaf"], certificate_chain=[paths["root"]]
    )
    config.set_hashing_config(hashing.Config().set_ignored_paths(paths=["model.sig"])).sign(model, model / "model.sig")
    verifying.Config().use_certificate_verifier(certificate_chain=[paths["root"]]).verify(model, model / "model.sig")
    with pytest.raises(VerificationFailed, match="publicKey"):
        we_verify(model)


def test_t43_no_trusted_key_means_refused_never_a_default(sealed: Path) -> None:
    """The reference falls back to the public web roots when no chain is given."""
    with pytest.raises(VerificationFailed, match="unknown key"):
        verify_model_folder(read_model_folder(sealed), (sealed / "model.sig").read_bytes(), [])


def test_t43_signed_again_by_an_attacker() -> None:
    files = {**FILES, "model.onnx": b"backdoor"}
    with pytest.raises(VerificationFailed, match="unknown key"):
        check(sign_model_files("credit", files, EVIL), files)
    bundle = json.loads(sign_model_files("credit", files, EVIL))
    bundle["verificationMaterial"] = json.loads(BUNDLE)["verificationMaterial"]
    with pytest.raises(VerificationFailed, match="not by key"):
        check(canonical_json(bundle), files)


def test_t43_an_ed25519_key_is_no_model_key() -> None:
    signer = LocalSigner(ED25519, b"\1" * 32)
    with pytest.raises(InvalidInput, match="P-256"):
        sign_model_files("m", FILES, signer)
    bundle = json.loads(signed_statement(statement_of(BUNDLE)))
    bundle["verificationMaterial"]["publicKey"]["hint"] = hashlib.sha256(signer.public().pem.encode()).hexdigest()
    with pytest.raises(VerificationFailed, match="unknown key"):
        verify_model_folder(FILES, canonical_json(bundle), [signer.public()])


def test_t43_a_payload_encoded_again() -> None:
    bundle = json.loads(BUNDLE)
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"])
    for other in (json.dumps(json.loads(payload)).encode(), payload + b" ", payload.replace(b",", b", ", 1)):
        bundle["dsseEnvelope"]["payload"] = base64.b64encode(other).decode()
        with pytest.raises(VerificationFailed, match="not by key"):
            check(canonical_json(bundle))


def test_t43_another_spelling_of_the_same_base64() -> None:
    bundle = json.loads(BUNDLE)
    text = bundle["dsseEnvelope"]["signatures"][0]["sig"]
    for twin in (text.rstrip("="), text + "=", text + "\n", text.replace("+", "-").replace("/", "_") + " "):
        if twin != text:
            bundle["dsseEnvelope"]["signatures"][0]["sig"] = twin
            with pytest.raises(VerificationFailed):
                check(canonical_json(bundle))


@pytest.mark.parametrize(
    "change",
    [
        {"mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.2"},
        {"mediaType": None},
        {"extra": 1},
        {"verificationMaterial": {"publicKey": {"hint": "x"}, "tlogEntries": []}},
        {"verificationMaterial": {}},
        {"verificationMaterial": None},
        {"dsseEnvelope": None},
    ],
)
def test_t43_other_fields_of_a_bundle(change: dict[str, object]) -> None:
    with pytest.raises(VerificationFailed):
        check(canonical_json({**json.loads(BUNDLE), **change}))


def test_t43_evidence_we_cannot_check_is_not_passed_over() -> None:
    good = json.loads(BUNDLE)
    for extra in ({"tlogEntries": [{}]}, {"tlogEntries": None}, {"timestampVerificationData": {}}):
        with pytest.raises(VerificationFailed):
            check(canonical_json({**good, "verificationMaterial": {**good["verificationMaterial"], **extra}}))
    for change in ({"payloadType": "application/json"}, {"extra": 1}):
        with pytest.raises(VerificationFailed):
            check(canonical_json({**good, "dsseEnvelope": {**good["dsseEnvelope"], **change}}))
    for signature in ({"keyid": "somebody"}, {"cert": "x"}):
        envelope = {**good["dsseEnvelope"], "signatures": [{**good["dsseEnvelope"]["signatures"][0], **signature}]}
        with pytest.raises(VerificationFailed):
            check(canonical_json({**good, "dsseEnvelope": envelope}))


def test_t43_a_signed_list_that_breaks_the_format() -> None:
    """Honestly signed by the right key, and still refused."""
    good = statement_of(BUNDLE)
    resources, serialization = good["predicate"]["resources"], good["predicate"]["serialization"]
    predicates: list[dict[str, Any]] = [
        {"resources": []},
        {"resources": None},
        {"resources": list(reversed(resources))},
        {"resources": [*resources, resources[0]]},
        {"resources": [{**resources[0], "algorithm": "blake2b"}, *resources[1:]]},
        {"resources": [{**resources[0], "digest": resources[0]["digest"].upper()}, *resources[1:]]},
        {"resources": [{**resources[0], "digest": 7}, *resources[1:]]},
        {"resources": [{**resources[0], "name": 7}, *resources[1:]]},
        {"resources": [{**resources[0], "name": "../card.md"}, *resources[1:]]},
        {"resources": [{**resources[0], "uri": "https://x"}, *resources[1:]]},
        {"serialization": None},
        {"serialization": {}},
        {"serialization": {**serialization, "extra": 1}},
        {"serialization": {**serialization, "method": "shards"}},
        {"serialization": {**serialization, "hash_type": "md5"}},
        {"serialization": {**serialization, "allow_symlinks": True}},
        {"serialization": {**serialization, "allow_symlinks": 0}},
        {"serialization": {**serialization, "ignore_paths": [*GIT, "card.md"]}},
        {"serialization": {**serialization, "ignore_paths": [".git", ".git"]}},
        {"serialization": {**serialization, "ignore_paths": "x"}},
        {"serialization": {**serialization, "ignore_paths": [[]]}},
        {"extra": 1},
    ]
    subject = good["subject"][0]
    statements: list[dict[str, Any]] = [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"predicateType": "https://example.com/wrong-predicate/v1.0"},
        {"subject": []},
        {"subject": [subject, subject]},
        {"subject": [{**subject, "name": ""}]},
        {"subject": [{**subject, "digest": {"sha256": "0" * 64}}]},
        {"subject": [{**subject, "digest": {}}]},
        {"extra": 1},
        *({"predicate": {**good["predicate"], **change}} for change in predicates),
    ]
    for change in statements:
        with pytest.raises(VerificationFailed):
            check(signed_statement({**good, **change}))
    without = {key: value for key, value in good["predicate"].items() if key != "serialization"}
    with pytest.raises(VerificationFailed, match="serialization"):
        check(signed_statement({**good, "predicate": without}))
    assert check(signed_statement(good)).name == "credit"


def test_t43_an_unsorted_list_though_its_digest_fits() -> None:
    statement = statement_of(BUNDLE)
    resources = list(reversed(statement["predicate"]["resources"]))
    raw = b"".join(bytes.fromhex(item["digest"]) for item in resources)
    statement["predicate"]["resources"] = resources
    statement["subject"][0]["digest"]["sha256"] = hashlib.sha256(raw).hexdigest()
    with pytest.raises(VerificationFailed, match="not sorted"):
        check(signed_statement(statement))


def test_t43_a_duplicate_key_in_bundle_or_payload() -> None:
    with pytest.raises(VerificationFailed, match="twice"):
        check(BUNDLE.replace(b'{"dsseEnvelope"', b'{"mediaType":"x","dsseEnvelope"', 1))
    payload = canonical_json(statement_of(BUNDLE)).replace(b'{"_type"', b'{"predicateType":"x","_type"', 1)
    with pytest.raises(VerificationFailed, match="twice"):
        check(signed_statement(payload))


# ---- names


@pytest.mark.parametrize(
    "name",
    ["", "/abs", "a//b", "./a", "a/.", "../a", "a/../b", "a\\b", "a\x00b", "a\nb", "a\u202eb", "a/", "e\u0301", "C:/x", "c:x", " a", "a ", "a.", "dir /x", "dir./x", "x" * 600],
)  # fmt: skip
def test_a_name_other_systems_read_differently_is_refused(name: str) -> None:
    with pytest.raises(VerificationFailed, match="cannot be in a package"):
        sign_model_files("m", {**FILES, name: b""}, SIGNER)


def test_names_that_collide_are_refused() -> None:
    for files, why in (
        ({"A": b"", "a": b""}, "only in case"),
        ({"straße": b"", "STRASSE": b""}, "only in case"),
        ({"a": b"", "a/b": b""}, "both a file and a folder"),
        ({"A": b"", "a/b": b""}, "only in case"),
    ):
        with pytest.raises(VerificationFailed, match=why):
            sign_model_files("m", files, SIGNER)


def test_folders_that_collide_are_refused() -> None:
    with pytest.raises(VerificationFailed, match="only in case"):
        sign_model_files("m", {"Data/x": b"", "data/y": b""}, SIGNER)


def test_a_package_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VerificationFailed, match="at least one file"):
        sign_model_files("m", {}, SIGNER)
    with pytest.raises(VerificationFailed, match="at least one file"):
        sign_model_files("m", {"model.sig": b""}, SIGNER)
    (tmp_path / "m").mkdir()
    with pytest.raises(VerificationFailed, match="empty folder"):
        sign_model_folder(tmp_path / "m", SIGNER)
    with pytest.raises(InvalidInput, match="name for the model"):
        sign_model_files("", FILES, SIGNER)
