"""The signer signs what each branch is for, and nothing that only looks like it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID

import sealwright
from sealwright.kernel import InvalidInput, canonical_json, digest_of, rfc3339
from sealwright.trust import (
    SIGNING_BRANCHES,
    Keyring,
    SignerRefused,
    create_server_certificate,
    issue_token,
    make_statement,
    sign_model_files,
    verify_model_folder,
    verify_token,
)
from sealwright.trust.certificate_form import (
    ca_name,
    ca_public_key,
    key_usage,
    sign_certificate,
    sign_revocation_list,
)
from sealwright.trust.dsse import IN_TOTO_PAYLOAD, pae
from sealwright.trust.key_revocation import KEY_REVOCATION_TYPE
from sealwright.trust.signing.rules_statements import STATEMENT_TYPES
from sealwright.trust.strict_base64 import encode_base64url
from sealwright.trust.trust_root import SECOND_SIGNED

from .conftest import PACKAGE, WS, Place, Samples, Tree

NOW = datetime.now(UTC)


def refuse(ring: Keyring, branch: str, data: bytes, reason: str, beside: bytes = b"") -> None:
    with pytest.raises(SignerRefused) as error:
        ring.signer(branch).showing(beside).sign(data)
    assert error.value.reason == reason


# ---- every branch


def test_no_branch_signs_bytes_that_say_nothing(ring: Keyring) -> None:
    for branch in SIGNING_BRANCHES:
        for data in (b"", b"\0" * 64, b"sign me", b"\xff" * 100_000):
            with pytest.raises(SignerRefused) as error:
                ring.signer(branch).sign(data)
            reason = error.value.reason
            assert reason == "branch.other" if branch in SECOND_SIGNED.values() else reason.endswith("malformed")


def test_no_branch_signs_what_another_is_for(ring: Keyring, place: Place, samples: Samples) -> None:
    taken: list[tuple[str, bytes]] = []

    class Taking:
        """A signer that keeps what it is given, to be tried elsewhere."""

        def __init__(self, branch: str) -> None:
            self.real, self.branch = place.stolen(branch), branch
            self.key_id, self.algorithm, self.public = self.real.key_id, self.real.algorithm, self.real.public
            self.beside = ()

        def sign(self, data: bytes) -> bytes:
            taken.append((self.branch, data))
            return self.real.sign(data)

    sign_model_files("credit", {"model.onnx": b"m"}, Taking("models"))
    issue_token(
        Taking("tokens"), issuer=f"urn:sealwright:workspace:{WS}", audience=f"urn:sealwright:predict:{WS}",
        subject="bank", scopes=["predict:credit"], lifetime=timedelta(hours=1), now=NOW,
    )  # fmt: skip
    create_server_certificate(Taking("tls"), place.home / "tls", ["localhost"], NOW)
    taken.append(("statements", samples.payload("https://slsa.dev/provenance/v1", {})))
    taken.append(("releases", samples.pointer()))
    taken.append(("checkpoints", Tree("a", 0).head(0).text().encode()))
    revoked = [{
        "key": ring.trust_root.keys["tokens"][0].key_id, "branch": "tokens", "reason": "destroyed", "since": 0,
        "at": rfc3339(NOW), "by": "ada",
    }]  # fmt: skip
    said = {"format": 1, "sequence": 1, "issued_at": rfc3339(NOW), "revoked": revoked}
    listed = make_statement([("key-revocations", digest_of(canonical_json(revoked)))], KEY_REVOCATION_TYPE, said)
    taken.append(("authority", pae(IN_TOTO_PAYLOAD, listed.payload)))
    assert {branch for branch, _ in taken} == set(SIGNING_BRANCHES) - {"decision-checkpoints", *SECOND_SIGNED.values()}
    gate = samples.gate(place.stolen("statements"))
    for home, data in taken:
        assert ring.signer(home).showing(gate).sign(data)
        for other in set(SIGNING_BRANCHES) - {home}:
            with pytest.raises(SignerRefused):
                ring.signer(other).showing(gate).sign(data)


# ---- statements and models


def test_the_workspace_states_only_what_is_its_to_state(ring: Keyring, samples: Samples) -> None:
    assert ring.signer("statements").sign(samples.payload("https://slsa.dev/provenance/v1", {"a": 1}))
    for kind in (
        "urn:sealwright:predicate:approval:v1",  # a person's
        "urn:sealwright:predicate:attestation:v1",
        "urn:sealwright:predicate:pointer:v1",  # another branch's
        "https://model_signing/signature/v1.0",
        "urn:example:fact",
        "https://slsa.dev/provenance/v1 ",
    ):
        refuse(ring, "statements", samples.payload(kind, {}), "statement.type")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data + b" ",
        lambda data: b" " + data,
        lambda data: data.replace(b"DSSEv1", b"DSSEv2"),
        lambda data: data.replace(b":", b": ", 1),
        lambda data: re.sub(rb"json (\d+) ", rb"json 0\1 ", data),
        lambda data: pae("application/json", data.split(b" ", 4)[4]),
        lambda data: pae(IN_TOTO_PAYLOAD, data.split(b" ", 4)[4].replace(b'{"_type"', b'{ "_type"')),
    ],
)
def test_a_statement_has_one_spelling(ring: Keyring, samples: Samples, spoil: Callable[[bytes], bytes]) -> None:
    data = samples.payload("https://slsa.dev/provenance/v1", {"a": 1})
    assert spoil(data) != data
    refuse(ring, "statements", spoil(data), "statement.malformed")


def test_the_closed_list_holds_every_kind_the_product_states_and_no_other() -> None:
    """A new kind of statement is added to the list on purpose, or it is not signed."""
    root = Path(sealwright.__file__).parent
    text = "\n".join(path.read_text() for path in root.rglob("*.py") if "signing" not in path.parts)
    urns = set(re.findall(r'"(urn:sealwright:predicate:[a-z0-9:-]+)"', text))
    others = {f"urn:sealwright:predicate:{name}:v1" for name in ("approval", "attestation", "compatibility")}
    others |= {f"urn:sealwright:predicate:{name}:v1" for name in ("pointer", "revocation", "access-list")}
    others |= {f"urn:sealwright:predicate:{name}:v1" for name in ("key-revocation", "trust-root")}
    assert {kind for kind in STATEMENT_TYPES if kind.startswith("urn:")} == urns - others
    for kind in STATEMENT_TYPES:
        assert f'"{kind}"' in text


def test_a_model_is_signed_as_the_public_format_says(ring: Keyring) -> None:
    files = {"model.onnx": b"weights", "card.md": b"# card"}
    bundle = sign_model_files("credit", files, ring.signer("models"))
    verify_model_folder(files, bundle, ring.trust_root.keys_of("models"))


def test_a_file_list_that_leaves_something_unsigned_is_not_signed(ring: Keyring, samples: Samples) -> None:
    said = {
        "resources": [{"name": "m", "algorithm": "sha256", "digest": "1" * 64}],
        "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": ["evil"]},
    }
    refuse(ring, "models", samples.payload("https://model_signing/signature/v1.0", said), "model.malformed")


# ---- tokens


def _token(ring: Keyring, claims: dict[str, Any], header: dict[str, Any] | None = None) -> bytes:
    head = header or {"alg": "Ed25519", "typ": "at+jwt", "kid": ring.signer("tokens").key_id}
    return f"{encode_base64url(canonical_json(head))}.{encode_base64url(canonical_json(claims))}".encode()


def _claims(**changes: Any) -> dict[str, Any]:
    issued = int(NOW.timestamp())
    return {
        "iss": f"urn:sealwright:workspace:{WS}", "aud": f"urn:sealwright:predict:{WS}", "sub": "bank",
        "client_id": "bank", "scope": "predict:credit", "iat": issued, "exp": issued + 3600, "jti": "tok_1",
    } | changes  # fmt: skip


def test_a_token_in_form_is_signed_and_verifies(ring: Keyring) -> None:
    names = {"issuer": f"urn:sealwright:workspace:{WS}", "audience": f"urn:sealwright:predict:{WS}"}
    raw = issue_token(
        ring.signer("tokens"), **names, subject="bank", scopes=["predict:credit"], lifetime=timedelta(hours=12), now=NOW
    )
    assert verify_token(raw, ring.trust_root.keys_of("tokens"), **names, now=NOW).subject == "bank"


def test_a_token_outside_its_bounds_is_not_signed(ring: Keyring) -> None:
    issued = int(NOW.timestamp())
    assert ring.signer("tokens").sign(_token(ring, _claims()))
    for claims in (
        _claims(exp=issued + 31 * 86_400),
        _claims(exp=issued),
        _claims(iat=issued + 86_400, exp=issued + 90_000),
        _claims(iat=True),
        _claims(exp=2**52),
        _claims(scope="predict:credit predict:credit"),
        _claims(scope=""),
        _claims(admin=True),
        {name: value for name, value in _claims().items() if name != "jti"},
    ):
        refuse(ring, "tokens", _token(ring, claims), "token.malformed")
    for changes in ({"iss": "urn:sealwright:workspace:ws_2"}, {"aud": "urn:sealwright:predict:ws_2"}, {"aud": "x"}):
        refuse(ring, "tokens", _token(ring, _claims(**changes)), "token.issuer")


def test_a_token_header_is_the_one_header(ring: Keyring) -> None:
    good = {"alg": "Ed25519", "typ": "at+jwt", "kid": ring.signer("tokens").key_id}
    for change in ({"alg": "none"}, {"typ": "JWT"}, {"kid": "0" * 64}, {"jku": "https://evil.example"}):
        refuse(ring, "tokens", _token(ring, _claims(), good | change), "token.malformed")


# ---- certificates


def _leaf(ring: Keyring, **changes: Any) -> x509.CertificateBuilder:
    """A certificate that our CA issues, but for the changes."""
    public, key = ring.signer("tls").public(), generate_private_key(SECP256R1()).public_key()
    begins = changes.get("begins", NOW)
    builder = (
        x509.CertificateBuilder()
        .subject_name(changes.get("subject", ca_name("of-a-server")))
        .issuer_name(changes.get("issuer", ca_name(public.key_id)))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + changes.get("holds", timedelta(days=90)))
        .add_extension(x509.BasicConstraints(ca=changes.get("ca", False), path_length=None), critical=True)
        .add_extension(changes.get("usage", key_usage(digital_signature=True)), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(changes.get("purposes", [ExtendedKeyUsageOID.SERVER_AUTH])), critical=False
        )
        .add_extension(x509.SubjectAlternativeName(changes.get("names", [x509.DNSName("localhost")])), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(changes.get("authority", ca_public_key(public))),
            critical=False,
        )
    )
    return changes["more"](builder) if "more" in changes else builder


def test_certificates_of_servers_and_clients_are_signed_through_the_signer(ring: Keyring) -> None:
    signer = ring.signer("tls")
    for purposes in (
        [ExtendedKeyUsageOID.SERVER_AUTH],
        [ExtendedKeyUsageOID.CLIENT_AUTH],
        [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
    ):
        made = sign_certificate(
            _leaf(ring, purposes=purposes, names=[x509.UniformResourceIdentifier("spiffe://ws_1/predict")]), signer
        )
        made.verify_directly_issued_by(_ca(ring))


def _ca_builder(name: x509.Name, key: Any) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key).serial_number(1)
        .not_valid_before(NOW).not_valid_after(NOW + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )  # fmt: skip


def _ca(ring: Keyring) -> x509.Certificate:
    signer = ring.signer("tls")
    return sign_certificate(_ca_builder(ca_name(signer.key_id), ca_public_key(signer.public())), signer)


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("certificate.form", {"ca": True}),
        ("certificate.form", {"usage": key_usage(digital_signature=True, key_cert_sign=True)}),
        ("certificate.form", {"purposes": [ExtendedKeyUsageOID.CODE_SIGNING]}),
        ("certificate.form", {"purposes": [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]}),
        ("certificate.form", {"names": [x509.RFC822Name("a@b.example")]}),
        ("certificate.form", {"names": [x509.DNSName(f"h{at}.example") for at in range(101)]}),
        ("certificate.form", {"more": lambda one: one.add_extension(x509.OCSPNoCheck(), critical=False)}),
        ("certificate.time", {"holds": timedelta(days=900)}),
        ("certificate.time", {"begins": NOW + timedelta(days=30)}),
        ("certificate.issuer", {"issuer": ca_name("another")}),
        ("certificate.issuer", {"authority": generate_private_key(SECP256R1()).public_key()}),
    ],
)
def test_our_ca_issues_nothing_beyond_its_bounds(ring: Keyring, reason: str, changes: dict[str, Any]) -> None:
    with pytest.raises(SignerRefused) as error:
        sign_certificate(_leaf(ring, **changes), ring.signer("tls"))
    assert error.value.reason == reason


def test_our_ca_makes_no_other_ca(ring: Keyring) -> None:
    """Not under its own name with another key, and not under another name with its own key."""
    own = ca_name(ring.signer("tls").key_id)
    with pytest.raises(SignerRefused) as error:
        sign_certificate(_ca_builder(own, generate_private_key(SECP256R1()).public_key()), ring.signer("tls"))
    assert error.value.reason == "certificate.form"
    for changes in ({"subject": own}, {"subject": own, "ca": True}):
        with pytest.raises(SignerRefused) as error:
            sign_certificate(_leaf(ring, **changes), ring.signer("tls"))
        assert error.value.reason == "certificate.form"


def test_a_certificate_cut_or_lengthened_is_not_signed(ring: Keyring) -> None:
    body = _leaf(ring).sign(generate_private_key(SECP256R1()), SHA256()).tbs_certificate_bytes
    for data in (body[:-1], body + b"\0", body[1:], body + body):
        refuse(ring, "tls", data, "certificate.malformed")
    assert ring.signer("tls").sign(body)


def test_a_revocation_list_is_signed_within_its_bounds(ring: Keyring) -> None:
    signer = ring.signer("tls")
    key = ca_public_key(signer.public())

    def builder(name: x509.Name, days: int) -> x509.CertificateRevocationListBuilder:
        return (
            x509.CertificateRevocationListBuilder().issuer_name(name).last_update(NOW)
            .next_update(NOW + timedelta(days=days))
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key), critical=False)
            .add_extension(x509.CRLNumber(1), critical=False)
        )  # fmt: skip

    assert sign_revocation_list(builder(ca_name(signer.key_id), 30), signer).is_signature_valid(key)
    for name, days in ((ca_name(signer.key_id), 400), (ca_name("other"), 30)):
        with pytest.raises(SignerRefused, match=r"more than|another CA"):
            sign_revocation_list(builder(name, days), signer)


def test_a_ca_that_is_not_p256_is_refused_before_anything_is_asked(ring: Keyring, place: Place) -> None:
    with pytest.raises(InvalidInput, match="P-256"):
        create_server_certificate(ring.signer("statements"), place.home / "t", ["localhost"], NOW)
    assert PACKAGE
