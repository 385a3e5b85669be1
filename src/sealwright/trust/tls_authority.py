"""The workspace's small certificate authority: its own certificate, and its key wherever that is kept.

Answers: which certificate do clients and servers of this workspace trust?
Does not answer: who gets a certificate. `tls` makes those of servers, `machines.certificates` those of services.
The CA's key is the branch "tls" of the keyring; its certificate is made once per folder and kept, so that who trusts it goes
on doing so. It may sign leaf certificates and revocation lists only (no further CA).
"""

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurve,
    EllipticCurvePrivateKey,
    EllipticCurvePrivateNumbers,
    EllipticCurvePublicKey,
    EllipticCurveSignatureAlgorithm,
)
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from cryptography.x509.oid import NameOID

from sealwright.kernel import InvalidInput, write_atomically
from sealwright.trust.public_keys import ECDSA_P256, Signer

__all__ = ["BACKDATED", "LONGEST_DAYS", "AuthorityKey", "authority_certificate", "common_name", "key_usage"]

LONGEST_DAYS = 825  # what TLS clients accept of a private CA
BACKDATED = timedelta(minutes=5)  # for peers whose clock runs behind
_CA_DAYS = 3650
_RENEW_CA_BEFORE = timedelta(days=LONGEST_DAYS)


class AuthorityKey(EllipticCurvePrivateKey):
    """A `Signer` in the shape the certificate builder asks for: it signs, and nothing else can be had from it."""

    def __init__(self, signer: Signer) -> None:
        public = load_pem_public_key(signer.public().pem.encode())
        if signer.algorithm != ECDSA_P256 or not isinstance(public, EllipticCurvePublicKey):
            raise InvalidInput(
                f"Certificates are signed with P-256; this signer is {signer.algorithm}. Use branch 'tls'."
            )
        self._signer, self._public = signer, public

    def sign(self, data: bytes, signature_algorithm: EllipticCurveSignatureAlgorithm) -> bytes:  # type: ignore[override]
        if not isinstance(signature_algorithm, ECDSA) or not isinstance(signature_algorithm.algorithm, SHA256):
            raise InvalidInput("Certificates are signed with ECDSA over SHA-256.")
        return self._signer.sign(bytes(data))

    def public_key(self) -> EllipticCurvePublicKey:
        return self._public

    @property
    def curve(self) -> EllipticCurve:
        return SECP256R1()

    @property
    def key_size(self) -> int:
        return 256

    def exchange(self, *_: object, **__: object) -> NoReturn:
        raise InvalidInput("This key signs certificates, nothing else.")

    def private_numbers(self) -> EllipticCurvePrivateNumbers:
        raise InvalidInput("The key of the CA is not handed out.")

    def private_bytes(self, *_: object, **__: object) -> NoReturn:
        raise InvalidInput("The key of the CA is not handed out.")

    def __copy__(self) -> "AuthorityKey":
        return self

    def __deepcopy__(self, memo: object) -> "AuthorityKey":
        return self


def authority_certificate(signer: Signer, path: Path, now: datetime) -> x509.Certificate:
    """The CA certificate at `path` if it is this signer's and lasts, else a new one there."""
    key = AuthorityKey(signer)
    with suppress(OSError, ValueError):
        found = x509.load_pem_x509_certificate(path.read_bytes())
        with suppress(InvalidSignature, TypeError):
            found.verify_directly_issued_by(found)
            lasts = found.not_valid_before_utc <= now and now + _RENEW_CA_BEFORE < found.not_valid_after_utc
            if _spki(found.public_key()) == _spki(key.public_key()) and lasts:
                return found
    name = common_name(f"Sealwright local CA {signer.key_id[:16]}")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=_CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    write_atomically(path, certificate.public_bytes(Encoding.PEM), mode=0o644)
    return certificate


def common_name(common: str) -> x509.Name:
    """A name of one part."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def key_usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    """What the key of a certificate may do; everything else is off."""
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
