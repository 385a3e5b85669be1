"""The certificate of the workspace's small certificate authority.

Answers: which certificate do clients and servers of this workspace trust?
Does not answer: who gets a certificate. `tls` makes those of servers, `machines.certificates` those of services.
The CA's key is the branch "tls", held by the signer; its certificate is made once per folder and kept, so that who trusts it
goes on doing so. It may sign leaf certificates and revocation lists only (no further CA).
"""

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealwright.kernel import write_atomically
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

__all__ = ["authority_certificate"]

_RENEW_CA_BEFORE = timedelta(days=LONGEST_DAYS)


def authority_certificate(signer: Signer, path: Path, now: datetime) -> x509.Certificate:
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


def _spki(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
