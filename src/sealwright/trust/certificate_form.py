"""The form of the certificates of the workspace's own CA, and how one is signed without its key at hand.

Answers: what is the CA called, for how long may a certificate hold, and how does a finished builder become a certificate
through a `Signer`?
Does not answer: for whom is one made? `tls` and its neighbours decide; the signer checks the bounds.

A certificate library wants the key itself. So it is given a key made for the moment: the part that is signed comes out
the same whoever signs it, because it names the issuer and not the key. That part goes to the signer, and its signature
takes the place of the one that nobody keeps (RFC 5280 section 4.1).
"""

from datetime import timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509.oid import NameOID

from sealwright.kernel import InvalidInput, VerificationFailed
from sealwright.trust.public_keys import ECDSA_P256, PublicKey, Signer

__all__ = [
    "BACKDATED",
    "CA_DAYS",
    "LONGEST_DAYS",
    "LONGEST_LIST_DAYS",
    "MOST_NAMES",
    "assembled",
    "ca_name",
    "ca_public_key",
    "key_usage",
    "named",
    "sign_certificate",
    "sign_revocation_list",
]

LONGEST_DAYS = 825  # what TLS clients accept of a private CA
LONGEST_LIST_DAYS = 90
CA_DAYS = 3650
MOST_NAMES = 100
BACKDATED = timedelta(minutes=5)  # clients whose clock runs behind

_ECDSA_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")


def ca_name(key_id: str) -> x509.Name:
    """The name of the CA whose key has this id."""
    return named(f"Sealwright local CA {key_id[:16]}")


def named(common: str) -> x509.Name:
    """A name of one part."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def ca_public_key(key: PublicKey) -> EllipticCurvePublicKey:
    """The CA's key as the certificate library wants it.

    Raises
    ------
    InvalidInput
        It is not of P-256.
    """
    loaded = load_pem_public_key(key.pem.encode("ascii"))
    if key.algorithm != ECDSA_P256 or not isinstance(loaded, EllipticCurvePublicKey):
        raise InvalidInput(f"Certificates are signed with P-256; this signer is {key.algorithm}. Use branch 'tls'.")
    return loaded


def key_usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    """Exactly these uses of a key."""
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


def sign_certificate(builder: x509.CertificateBuilder, signer: Signer) -> x509.Certificate:
    """The certificate of a finished builder, signed by branch "tls".

    Raises
    ------
    InvalidInput
        The signer is not of P-256.
    SignerRefused
        The certificate is outside the bounds of our CA.
    """
    body = builder.sign(generate_private_key(SECP256R1()), SHA256()).tbs_certificate_bytes
    return x509.load_der_x509_certificate(assembled(body, _signed(body, signer)))


def sign_revocation_list(
    builder: x509.CertificateRevocationListBuilder, signer: Signer
) -> x509.CertificateRevocationList:
    """The revocation list of a finished builder, signed by branch "tls". Raises as `sign_certificate`."""
    body = builder.sign(generate_private_key(SECP256R1()), SHA256()).tbs_certlist_bytes
    return x509.load_der_x509_crl(assembled(body, _signed(body, signer)))


def assembled(body: bytes, signature: bytes) -> bytes:
    """The DER of a signed object: SEQUENCE { body, ecdsa-with-SHA256, BIT STRING signature }."""
    return _tagged(0x30, body + _ECDSA_WITH_SHA256 + _tagged(0x03, b"\0" + signature))


def _signed(body: bytes, signer: Signer) -> bytes:
    public = ca_public_key(signer.public())
    signature = signer.sign(body)
    try:
        public.verify(signature, body, ECDSA(SHA256()))
    except InvalidSignature:
        raise VerificationFailed("The signer's signature over a certificate does not hold.", link="tls") from None
    return signature


def _tagged(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
