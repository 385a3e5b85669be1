"""Server certificates: from a small CA of the workspace, or real ones brought as files.

Answers: which certificate and key does the server use, and do they fit each other, the names and
the day? Does not answer: is the CA trusted by a client? The client is given `TlsFiles.ca`.
The CA's key is the branch "tls" of the keyring; its certificate is made once per folder and kept, so
that clients who trust it go on doing so. It may sign server certificates only (no further CA).
"""

import ipaddress
import os
import re
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sealwright.kernel import InvalidInput, Refused, digest_of, private_folder, rfc3339, write_atomically
from sealwright.trust.errors import KeyFileUnsafe
from sealwright.trust.keyring import Keyring
from sealwright.trust.public_keys import ECDSA_P256
from sealwright.trust.signers import LocalSigner

__all__ = ["TlsFiles", "create_server_certificate", "load_server_certificate"]

_LONGEST_DAYS = 825  # what TLS clients accept of a private CA
_CA_DAYS = 3650
_RENEW_CA_BEFORE = timedelta(days=_LONGEST_DAYS)
_BACKDATED = timedelta(minutes=5)  # clients whose clock runs behind
_MOST_BYTES = 256 * 1024
_MOST_NAMES = 100
_HOST = re.compile(
    r"(?=.{1,253}$)(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """What a TLS server is started with. Made by the two functions below, which check it."""

    certificate: Path  # PEM: the server's certificate, then intermediates
    key: Path  # PEM, readable by us only
    ca: Path | None  # PEM to hand to clients; None if the certificate is from a public CA
    names: tuple[str, ...]  # host names and addresses it is for
    expires_at: datetime
    fingerprint: str  # digest of the DER certificate


def create_server_certificate(
    ca: Keyring | LocalSigner, folder: Path, names: Sequence[str], now: datetime, days: int = 90
) -> TlsFiles:
    """A fresh key and a certificate for `names` in `folder` (private), signed by the workspace's CA.

    Parameters
    ----------
    ca : Keyring or LocalSigner
        The keyring, or its signer "tls".
    names : sequence of str
        Host names and IP addresses, e.g. ["localhost", "127.0.0.1"].
    days : int
        How long it is valid, 1 to 825.

    Raises
    ------
    InvalidInput
        A name or number of days that cannot be used.
    Refused
        The folder is open to others.
    """
    signer = ca.signer("tls") if isinstance(ca, Keyring) else ca
    alternatives = _alternatives(names)
    if not 1 <= days <= _LONGEST_DAYS:
        raise InvalidInput(f"A server certificate is valid for 1 to {_LONGEST_DAYS} days; got {days}.")
    private_folder(folder)
    authority = _authority(signer, folder / "ca.pem", now)
    key = generate_private_key(SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name("Sealwright server"))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(_authority_key(signer).public_key()), critical=False
        )
        .sign(_authority_key(signer), SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_atomically(folder / "server.key", pem)
    write_atomically(folder / "server.pem", certificate.public_bytes(Encoding.PEM))
    found = load_server_certificate(folder / "server.pem", folder / "server.key", now=now, names=names)
    return TlsFiles(
        certificate=found.certificate,
        key=found.key,
        ca=folder / "ca.pem",
        names=found.names,
        expires_at=found.expires_at,
        fingerprint=found.fingerprint,
    )


def load_server_certificate(
    certificate: Path, key: Path, *, now: datetime, names: Sequence[str] = (), ca: Path | None = None
) -> TlsFiles:
    """Check the files of a real certificate before a server is started with them. Links are followed.

    Parameters
    ----------
    names : sequence of str
        Names the certificate must cover, if given.
    ca : Path, optional
        What to hand to clients, if the certificate is from a CA of yours.

    Raises
    ------
    InvalidInput
        Not PEM, an encrypted key, a weak key or hash, a CA's or client's certificate, a chain out of
        order, or a wanted name not covered.
    KeyFileUnsafe
        The key file is missing, not a regular file, or open to others.
    Refused
        The key is another one's, or the certificate is not valid at `now`.
    """
    pem_key = _read_key(key)
    chain = _read_chain(certificate)
    leaf = chain[0]
    _check_fits(leaf, pem_key, certificate, key)
    _check_time(chain, certificate, now)
    _check_kind(leaf, certificate)
    for child, parent in zip(chain, chain[1:], strict=False):
        try:
            child.verify_directly_issued_by(parent)
        except (ValueError, TypeError, InvalidSignature):
            raise InvalidInput(
                f"{certificate}: the certificates are not in order. Put the server's first, then each one's issuer."
            ) from None
    covered = _covered(leaf, certificate)
    missing = [name for name in names if not any(_matches(name.lower(), pattern) for pattern in covered)]
    if missing:
        raise InvalidInput(f"{certificate} is for {', '.join(covered)}; it does not cover {', '.join(missing)}.")
    return TlsFiles(
        certificate=certificate,
        key=key,
        ca=ca,
        names=covered,
        expires_at=leaf.not_valid_after_utc,
        fingerprint=digest_of(leaf.public_bytes(Encoding.DER)),
    )


def _authority(signer: LocalSigner, path: Path, now: datetime) -> x509.Certificate:
    """The CA certificate at `path` if it is this signer's and lasts, else a new one there."""
    key = _authority_key(signer)
    with suppress(OSError, ValueError):
        found = x509.load_pem_x509_certificate(path.read_bytes())
        with suppress(InvalidSignature, TypeError):
            found.verify_directly_issued_by(found)
            lasts = found.not_valid_before_utc <= now and now + _RENEW_CA_BEFORE < found.not_valid_after_utc
            if _spki(found.public_key()) == _spki(key.public_key()) and lasts:
                return found
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(f"Sealwright local CA {signer.key_id[:16]}"))
        .issuer_name(_name(f"Sealwright local CA {signer.key_id[:16]}"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=_CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    write_atomically(path, certificate.public_bytes(Encoding.PEM), mode=0o644)
    return certificate


def _authority_key(signer: LocalSigner) -> EllipticCurvePrivateKey:
    key = signer.private_key()
    if signer.algorithm != ECDSA_P256 or not isinstance(key, EllipticCurvePrivateKey):
        raise InvalidInput(f"Certificates are signed with P-256; this signer is {signer.algorithm}. Use branch 'tls'.")
    return key


def _alternatives(names: Sequence[str]) -> list[x509.GeneralName]:
    if not 1 <= len(names) <= _MOST_NAMES or len(set(names)) != len(names):
        raise InvalidInput(f"A server certificate is for 1 to {_MOST_NAMES} names, each once.")
    result: list[x509.GeneralName] = []
    for name in names:
        try:
            result.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            if not _HOST.fullmatch(name):
                raise InvalidInput(
                    f"{name[:80]!r} is neither an IP address nor a host name in lower case, such as models.example.org."
                ) from None
            result.append(x509.DNSName(name))
    return result


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _spki(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _read_key(path: Path) -> bytes:
    """The bytes of a private key file that nobody else can read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise KeyFileUnsafe(f"The TLS key file {path} cannot be opened: {error.strerror}.") from None
    with os.fdopen(handle, "rb") as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise KeyFileUnsafe(f"The TLS key file {path} is not a regular file.")
        if found.st_mode & 0o077:
            raise KeyFileUnsafe(
                f"The TLS key file {path} can be read by others (mode {found.st_mode & 0o777:o}).\n"
                f"Close it with: chmod 600 {path}"
            )
        return stream.read(_MOST_BYTES)


def _read_chain(path: Path) -> list[x509.Certificate]:
    try:
        with path.open("rb") as stream:
            chain = x509.load_pem_x509_certificates(stream.read(_MOST_BYTES))
    except OSError as error:
        raise InvalidInput(f"The certificate {path} cannot be opened: {error.strerror}.") from None
    except ValueError:
        raise InvalidInput(f"{path} is not a PEM certificate.") from None
    return chain


def _check_fits(leaf: x509.Certificate, pem_key: bytes, certificate: Path, key: Path) -> None:
    try:
        private = load_pem_private_key(pem_key, password=None)
    except TypeError:
        raise InvalidInput(
            f"{key} is encrypted. Give the server a key without a passphrase, readable by us only."
        ) from None
    except ValueError:
        raise InvalidInput(f"{key} is not a PEM private key.") from None
    public = leaf.public_key()
    if isinstance(public, RSAPublicKey) and public.key_size < 2048:
        raise InvalidInput(f"{certificate} holds an RSA key of {public.key_size} bits; at least 2048 are needed.")
    if isinstance(leaf.signature_hash_algorithm, SHA1):
        raise InvalidInput(f"{certificate} is signed with SHA-1, which clients refuse. Get a new one.")
    own = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if own != _spki(public):
        raise Refused(
            f"The key {key} does not belong to the certificate {certificate}. Give the two that were made together."
        )


def _check_time(chain: Sequence[x509.Certificate], path: Path, now: datetime) -> None:
    for certificate in chain:
        if now < certificate.not_valid_before_utc:
            raise Refused(f"{path} is valid only from {rfc3339(certificate.not_valid_before_utc)}. Compare the clocks.")
        if now >= certificate.not_valid_after_utc:
            raise Refused(f"{path} expired at {rfc3339(certificate.not_valid_after_utc)}. Renew it.")


def _check_kind(leaf: x509.Certificate, path: Path) -> None:
    with suppress(x509.ExtensionNotFound):
        if leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            raise InvalidInput(f"{path} starts with a CA certificate. Put the server's certificate first.")
    with suppress(x509.ExtensionNotFound):
        if ExtendedKeyUsageOID.SERVER_AUTH not in leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value:
            raise InvalidInput(f"{path} is not for servers (no serverAuth in its extended key usage).")


def _covered(leaf: x509.Certificate, path: Path) -> tuple[str, ...]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise InvalidInput(f"{path} names no host (no subject alternative name). Clients would refuse it.") from None
    hosts = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
    return (*hosts, *(str(address) for address in names.get_values_for_type(x509.IPAddress)))


def _matches(name: str, pattern: str) -> bool:
    """Is host or address `name` covered by `pattern`? A leading "*." stands for one label."""
    if pattern.startswith("*."):
        return "." in name and name.split(".", 1)[1] == pattern[2:]
    return name == pattern
