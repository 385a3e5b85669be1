"""A server starts with a certificate that clients of the workspace trust, or with none."""

import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sealwright.kernel import InvalidInput, Refused
from sealwright.trust import (
    ECDSA_P256,
    ED25519,
    KeyFileUnsafe,
    LocalSigner,
    TlsFiles,
    create_key_file,
    create_keyring,
    create_server_certificate,
    load_server_certificate,
)

NOW = datetime.now(UTC)
CA = LocalSigner(ECDSA_P256, b"\1" * 32)
NAMES = ["localhost", "127.0.0.1", "::1", "models.example.org"]


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    return create_server_certificate(CA, tmp_path / "tls", NAMES, NOW)


def shake_hands(server: TlsFiles, ca: Path, name: str) -> str:
    """A whole TLS handshake in memory, checked by OpenSSL as strictly as it can; the protocol spoken."""
    inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inside.load_cert_chain(server.certificate, server.key)
    outside = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    outside.minimum_version = ssl.TLSVersion.TLSv1_3
    outside.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    outside.load_verify_locations(ca)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = outside.wrap_bio(back, there, server_hostname=name)
    served = inside.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for side in (client, served):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    client.write(b"hello")
    assert served.read() == b"hello"
    return str(client.version())


def made(
    folder: Path,
    *,
    key: Any = None,
    signed_by: Any = None,
    start: datetime = NOW - timedelta(days=1),
    end: datetime = NOW + timedelta(days=30),
    names: tuple[str, ...] = ("models.example.org",),
    usage: Any = ExtendedKeyUsageOID.SERVER_AUTH,
    ca: bool = False,
) -> tuple[Path, Path]:
    """A real certificate and its key, as somebody else's CA would make them."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(end)
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    certificate = builder.sign(signed_by or key, SHA256())
    (folder / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "key.pem").chmod(0o600)
    return folder / "cert.pem", folder / "key.pem"


# ---- our own CA


@pytest.mark.parametrize("name", NAMES)
def test_a_client_with_the_ca_trusts_the_server_under_each_name(files: TlsFiles, name: str) -> None:
    assert files.ca is not None
    assert shake_hands(files, files.ca, name) == "TLSv1.3"


def test_a_client_refuses_another_name_and_another_ca(files: TlsFiles, tmp_path: Path) -> None:
    assert files.ca is not None
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(files, files.ca, "evil.example.org")
    other = create_server_certificate(LocalSigner(ECDSA_P256, b"\2" * 32), tmp_path / "other", NAMES, NOW)
    assert other.ca is not None
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(files, other.ca, "localhost")


def test_the_keyring_is_a_ca_too(tmp_path: Path) -> None:
    ring = create_keyring(tmp_path / "keys", "ws_1", create_key_file(tmp_path / "k"))
    files = create_server_certificate(ring, tmp_path / "tls", ["localhost"], NOW)
    assert files.ca is not None
    assert shake_hands(files, files.ca, "localhost") == "TLSv1.3"
    ca = x509.load_pem_x509_certificate(files.ca.read_bytes())
    assert ca.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) == (
        ring.signer("tls").public().pem.encode()
    )


def test_the_ca_stays_when_the_server_certificate_is_renewed(files: TlsFiles, tmp_path: Path) -> None:
    assert files.ca is not None
    before = files.ca.read_bytes()
    renewed = create_server_certificate(CA, tmp_path / "tls", NAMES, NOW + timedelta(days=80))
    assert files.ca.read_bytes() == before
    assert renewed.fingerprint != files.fingerprint


@pytest.mark.parametrize("content", [b"", b"garbage", b"other"])
def test_a_ca_certificate_that_is_not_ours_is_replaced(files: TlsFiles, tmp_path: Path, content: bytes) -> None:
    assert files.ca is not None
    if content == b"other":
        other = create_server_certificate(LocalSigner(ECDSA_P256, b"\2" * 32), tmp_path / "other", NAMES, NOW)
        assert other.ca is not None
        content = other.ca.read_bytes()
    files.ca.write_bytes(content)
    again = create_server_certificate(CA, tmp_path / "tls", NAMES, NOW)
    assert again.ca is not None
    assert shake_hands(again, again.ca, "localhost") == "TLSv1.3"


def test_the_ca_is_renewed_before_a_server_certificate_could_outlive_it(files: TlsFiles, tmp_path: Path) -> None:
    assert files.ca is not None
    before = files.ca.read_bytes()
    create_server_certificate(CA, tmp_path / "tls", NAMES, NOW + timedelta(days=3650 - 800), days=825)
    assert files.ca.read_bytes() != before


def test_certificate_and_ca_are_for_servers_only(files: TlsFiles) -> None:
    assert files.ca is not None
    ca = x509.load_pem_x509_certificate(files.ca.read_bytes())
    leaf = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    limits = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (limits.critical, limits.value.ca, limits.value.path_length) == (True, True, 0)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.SERVER_AUTH
    ]
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_cert_sign) == (True, False)


def test_the_private_key_is_ours_only(files: TlsFiles) -> None:
    assert files.key.stat().st_mode & 0o777 == 0o600
    assert files.key.parent.stat().st_mode & 0o777 == 0o700
    assert timedelta(days=89) < files.expires_at - NOW <= timedelta(days=90)
    assert files.names == ("localhost", "models.example.org", "127.0.0.1", "::1")


@pytest.mark.parametrize("days", [0, -1, 826])
def test_no_certificate_lives_longer_than_clients_accept(tmp_path: Path, days: int) -> None:
    with pytest.raises(InvalidInput, match="1 to 825"):
        create_server_certificate(CA, tmp_path / "tls", NAMES, NOW, days=days)


@pytest.mark.parametrize(
    "name", ["", "a b", "UPPER.example", "-x.org", "x..org", "http://x", "x" * 64, "*.*.org", "a\n", "*", "münchen.de"]
)
def test_a_name_clients_could_not_match_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="host name"):
        create_server_certificate(CA, tmp_path / "tls", [name], NOW)
    assert not (tmp_path / "tls" / "server.key").exists()


def test_a_server_needs_a_name_and_a_p256_ca(tmp_path: Path) -> None:
    for names in ([], ["a", "a"]):
        with pytest.raises(InvalidInput, match="each once"):
            create_server_certificate(CA, tmp_path / "tls", names, NOW)
    with pytest.raises(InvalidInput, match="branch 'tls'"):
        create_server_certificate(LocalSigner(ED25519, b"\1" * 32), tmp_path / "tls", NAMES, NOW)


def test_a_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir(mode=0o755)
    with pytest.raises(Refused, match="chmod 700"):
        create_server_certificate(CA, tmp_path / "tls", NAMES, NOW)


# ---- real certificate files


def test_real_files_are_accepted_also_behind_links(tmp_path: Path) -> None:
    """Certificate tools keep the current files behind links."""
    certificate, key = made(tmp_path, names=("models.example.org", "*.example.net"))
    (tmp_path / "live-cert").symlink_to(certificate)
    (tmp_path / "live-key").symlink_to(key)
    files = load_server_certificate(
        tmp_path / "live-cert", tmp_path / "live-key", now=NOW, names=["MODELS.example.org", "a.example.net"]
    )
    assert (files.ca, files.names) == (None, ("models.example.org", "*.example.net"))
    assert shake_hands(files, certificate, "models.example.org") == "TLSv1.3"


@pytest.mark.parametrize("mode", [0o640, 0o644, 0o604, 0o660])
def test_a_tls_key_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    certificate, key = made(tmp_path)
    key.chmod(mode)
    with pytest.raises(KeyFileUnsafe, match="chmod 600"):
        load_server_certificate(certificate, key, now=NOW)


def test_a_missing_key_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    certificate, _ = made(tmp_path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "gone", tmp_path, tmp_path / "pipe"):
        with pytest.raises(KeyFileUnsafe):
            load_server_certificate(certificate, path, now=NOW)
    for path in (tmp_path / "gone", tmp_path):
        with pytest.raises(InvalidInput, match="cannot be opened"):
            load_server_certificate(path, tmp_path / "key.pem", now=NOW)


def test_a_key_of_another_certificate_is_refused(tmp_path: Path, files: TlsFiles) -> None:
    certificate, _ = made(tmp_path)
    with pytest.raises(Refused, match="does not belong"):
        load_server_certificate(certificate, files.key, now=NOW)


def test_an_expired_or_future_certificate_is_refused(tmp_path: Path) -> None:
    certificate, key = made(tmp_path)
    load_server_certificate(certificate, key, now=NOW)
    with pytest.raises(Refused, match="expired at"):
        load_server_certificate(certificate, key, now=NOW + timedelta(days=30))
    with pytest.raises(Refused, match="valid only from"):
        load_server_certificate(certificate, key, now=NOW - timedelta(days=2))


def test_a_certificate_for_something_else_is_refused(tmp_path: Path) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"usage": ExtendedKeyUsageOID.CLIENT_AUTH}, "not for servers"),
        ({"names": ()}, "names no host"),
        ({"ca": True}, "CA certificate"),
        ({"key": rsa.generate_private_key(65537, 1024)}, "at least 2048"),
    ]
    for options, why in cases:
        certificate, key = made(tmp_path, **options)
        with pytest.raises(InvalidInput, match=why):
            load_server_certificate(certificate, key, now=NOW)


def test_a_wanted_name_must_be_covered(tmp_path: Path) -> None:
    certificate, key = made(tmp_path, names=("models.example.org", "*.example.net"))
    for name in ("other.example.org", "a.b.example.net", "example.net", "127.0.0.1"):
        with pytest.raises(InvalidInput, match=f"does not cover {name}"):
            load_server_certificate(certificate, key, now=NOW, names=[name])


def test_an_encrypted_or_broken_key_is_explained(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate, path = made(tmp_path, key=key)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pw")))
    with pytest.raises(InvalidInput, match="without a passphrase"):
        load_server_certificate(certificate, path, now=NOW)
    path.write_bytes(b"junk")
    with pytest.raises(InvalidInput, match="not a PEM private key"):
        load_server_certificate(certificate, path, now=NOW)
    certificate.write_bytes(b"junk")
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(InvalidInput, match="not a PEM certificate"):
        load_server_certificate(certificate, path, now=NOW)


def test_a_chain_out_of_order_is_refused(tmp_path: Path, files: TlsFiles) -> None:
    assert files.ca is not None
    leaf, ca = files.certificate.read_bytes(), files.ca.read_bytes()
    chain = tmp_path / "chain.pem"
    chain.write_bytes(leaf + ca)
    load_server_certificate(chain, files.key, now=NOW)
    chain.write_bytes(leaf + leaf)
    with pytest.raises(InvalidInput, match="not in order"):
        load_server_certificate(chain, files.key, now=NOW)
    chain.write_bytes(ca + leaf)
    with pytest.raises(Refused, match="does not belong"):
        load_server_certificate(chain, files.key, now=NOW)


def test_an_expired_intermediate_is_refused(tmp_path: Path, files: TlsFiles) -> None:
    assert files.ca is not None
    chain = tmp_path / "chain.pem"
    (tmp_path / "old").mkdir()
    old, _ = made(tmp_path / "old", end=NOW - timedelta(hours=1))
    chain.write_bytes(files.certificate.read_bytes() + old.read_bytes())
    with pytest.raises(Refused, match="expired"):
        load_server_certificate(chain, files.key, now=NOW)
