"""Server certificates from a small CA of the workspace, for servers without a public certificate.

Answers: which certificate and key does the server use? Does not answer: does a client trust the CA?
The client is given `TlsFiles.ca`.
Certificates that name a service, for mutual TLS, are made by `machines.certificates`; both hang on the CA of `tls_authority`.
"""

import ipaddress
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from sealwright.kernel import InvalidInput, private_folder, write_atomically
from sealwright.trust.certificate_form import (
    BACKDATED,
    LONGEST_DAYS,
    MOST_NAMES,
    ca_public_key,
    key_usage,
    named,
    sign_certificate,
)
from sealwright.trust.keyring import Keyring
from sealwright.trust.public_keys import Signer
from sealwright.trust.tls_authority import authority_certificate
from sealwright.trust.tls_files import TlsFiles, load_server_certificate

__all__ = ["alternatives_of", "create_server_certificate"]

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
    alternatives = alternatives_of(names)
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"A server certificate is valid for 1 to {LONGEST_DAYS} days; got {days}.")
    private_folder(folder)
    authority = authority_certificate(signer, folder / "ca.pem", now)
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


def alternatives_of(names: Sequence[str]) -> list[x509.GeneralName]:
    """Host names and addresses as a certificate lists them."""
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
