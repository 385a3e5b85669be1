"""Server certificates from a small CA of the workspace, for servers without a public certificate.

Answers: which certificate and key does the server use? Does not answer: does a client trust the CA?
The client is given `TlsFiles.ca`.
The CA's key is the branch "tls", held by the signer; its certificate is made once per folder and kept, so
that clients who trust it go on doing so. It may sign server certificates only (no further CA).
"""

import ipaddress
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from sealwright.kernel import InvalidInput, private_folder, write_atomically
from sealwright.trust.certificate_form import (
    BACKDATED,
    CA_DAYS,
    LONGEST_DAYS,
    MOST_NAMES,
    ca_name,
    ca_public_key,
    key_usage,
    named,
    sign_certificate,
)
from sealwright.trust.keyring import Keyring
from sealwright.trust.public_keys import Signer
from sealwright.trust.tls_files import TlsFiles, load_server_certificate

__all__ = ["create_server_certificate"]

_RENEW_CA_BEFORE = timedelta(days=LONGEST_DAYS)
_HOST = re.compile(
    r"(?=.{1,253}$)(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)


def create_server_certificate(
    ca: Keyring | Signer, folder: Path, names: Sequence[str], now: datetime, days: int = 90
) -> TlsFiles:
    """A fresh key and a certificate for `names` in `folder` (private), signed by the workspace's CA.

    Parameters
    ----------
    ca : Keyring or Signer
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
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"A server certificate is valid for 1 to {LONGEST_DAYS} days; got {days}.")
    private_folder(folder)
    authority = _authority(signer, folder / "ca.pem", now)
    key = generate_private_key(SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(named("Sealwright server"))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_public_key(signer.public())), critical=False
        )
    )
    certificate = sign_certificate(builder, signer)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_atomically(folder / "server.key", pem)
    write_atomically(folder / "server.pem", certificate.public_bytes(Encoding.PEM))
    return load_server_certificate(
        folder / "server.pem", folder / "server.key", now=now, names=names, ca=folder / "ca.pem"
    )


def _authority(signer: Signer, path: Path, now: datetime) -> x509.Certificate:
    """The CA certificate at `path` if it is this signer's and lasts, else a new one there."""
    key = ca_public_key(signer.public())
    with suppress(OSError, ValueError):
        found = x509.load_pem_x509_certificate(path.read_bytes())
        with suppress(InvalidSignature, TypeError):
            found.verify_directly_issued_by(found)
            lasts = found.not_valid_before_utc <= now and now + _RENEW_CA_BEFORE < found.not_valid_after_utc
            if _spki(found.public_key()) == _spki(key) and lasts:
                return found
    builder = (
        x509.CertificateBuilder()
        .subject_name(ca_name(signer.key_id))
        .issuer_name(ca_name(signer.key_id))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
    certificate = sign_certificate(builder, signer)
    write_atomically(path, certificate.public_bytes(Encoding.PEM), mode=0o644)
    return certificate


def _alternatives(names: Sequence[str]) -> list[x509.GeneralName]:
    if not 1 <= len(names) <= MOST_NAMES or len(set(names)) != len(names):
        raise InvalidInput(f"A server certificate is for 1 to {MOST_NAMES} names, each once.")
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


def _spki(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
