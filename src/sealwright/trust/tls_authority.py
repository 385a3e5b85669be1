"""The certificates of the workspace's small certificate authority: one, or while its key changes, several.

Answers: which CAs do clients and servers of this workspace trust?
Does not answer: who gets a certificate. `tls` makes those of servers, `machines.certificates` those of services.
A CA's key is one of the branch "tls", held by the signer; its certificate is made once and kept, so that who trusts it goes on doing
so. It may sign leaf certificates and revocation lists only (no further CA).

The file that is handed out holds the newest first. An older one stays there as long as `machines.ca_files` gets a revocation list
of it.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealwright.kernel import write_atomically
from sealwright.trust.ca_keys import CaKeys
from sealwright.trust.certificate_form import (
    BACKDATED,
    CA_DAYS,
    LONGEST_DAYS,
    ca_name,
    ca_public_key,
    key_usage,
    sign_certificate,
)
from sealwright.trust.public_keys import Signer

__all__ = ["authorities", "authority_of", "key_text", "write_authorities"]

_RENEW_CA_BEFORE = timedelta(days=LONGEST_DAYS)


def authorities(keys: CaKeys, path: Path, now: datetime) -> tuple[x509.Certificate, ...]:
    """The CA certificates at `path` that are of these keys and in force, newest first. That of the newest key is made where
    it is missing or would not last; whoever asks writes it there, with `write_authorities`."""
    found = _found(path, now)
    kept = [found[text] for one in keys.older if (text := one.public().pem) in found]
    newest = found.get(keys.newest.public().pem)
    if newest is None or newest.not_valid_after_utc <= now + _RENEW_CA_BEFORE:
        newest = _made(keys.newest, now)
    return (newest, *kept)


def write_authorities(path: Path, certificates: tuple[x509.Certificate, ...]) -> None:
    """Hand these CAs out, newest first; a file that holds them already stays as it is."""
    data = b"".join(one.public_bytes(Encoding.PEM) for one in certificates)
    with suppress(OSError):
        if path.read_bytes() == data:
            return
    write_atomically(path, data, mode=0o644)


def authority_of(leaf: x509.Certificate, among: tuple[x509.Certificate, ...]) -> x509.Certificate | None:
    """The CA that issued a certificate; None if none of these did."""
    for one in among:
        with suppress(InvalidSignature, TypeError, ValueError):
            leaf.verify_directly_issued_by(one)
            return one
    return None


def key_text(key: CertificatePublicKeyTypes) -> str:
    """The key of a certificate in the spelling of `PublicKey.pem`."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def _found(path: Path, now: datetime) -> Mapping[str, x509.Certificate]:
    """What lies at `path`, by key: certificates that sign themselves and are in force."""
    with suppress(OSError, ValueError):
        return {
            key_text(one.public_key()): one
            for one in x509.load_pem_x509_certificates(path.read_bytes())
            if authority_of(one, (one,)) and one.not_valid_before_utc <= now < one.not_valid_after_utc
        }
    return {}


def _made(signer: Signer, now: datetime) -> x509.Certificate:
    key = ca_public_key(signer.public())
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
    return sign_certificate(builder, signer)
