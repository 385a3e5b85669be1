"""What the branch "tls" signs: its own CA certificate, certificates of servers and clients, lists of revoked ones.

Answers: is this a certificate our CA may issue? It never makes another CA, and nothing outlives its bounds. A CA that was
replaced issues nothing more: it only says which of its certificates were taken back.
Does not answer: is it for whom it says? Whoever asks made sure of that.
"""

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

from sealwright.trust.certificate_form import (
    BACKDATED,
    CA_DAYS,
    LONGEST_DAYS,
    LONGEST_LIST_DAYS,
    MOST_NAMES,
    assembled,
    ca_name,
    ca_public_key,
    key_usage,
)
from sealwright.trust.public_keys import PublicKey
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.rules_releases import CLOCK_SKEW

__all__ = ["check_certificate"]

_NO_SIGNATURE = b"\x30\x06\x02\x01\x01\x02\x01\x01"
_SLACK = BACKDATED + timedelta(minutes=1)
_PURPOSES = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
_NAMES = (x509.DNSName, x509.IPAddress, x509.UniformResourceIdentifier)
_OF_LEAF: AbstractSet[type[object]] = {
    x509.BasicConstraints,
    x509.KeyUsage,
    x509.ExtendedKeyUsage,
    x509.SubjectAlternativeName,
    x509.SubjectKeyIdentifier,
    x509.AuthorityKeyIdentifier,
}
_OF_CA: AbstractSet[type[object]] = {x509.BasicConstraints, x509.KeyUsage, x509.SubjectKeyIdentifier}
_OF_LIST: AbstractSet[type[object]] = {x509.AuthorityKeyIdentifier, x509.CRLNumber}


def check_certificate(data: bytes, key: PublicKey, now: datetime, *, lists_only: bool = False) -> datetime | None:
    """When the certificate ends whose part to be signed is in `data`; None for the CA's own, and for a revocation list.

    Parameters
    ----------
    key : PublicKey
        The CA's own.
    lists_only : bool
        The CA was replaced: it signs revocation lists, and no certificate.

    Raises
    ------
    SignerRefused
        "certificate.malformed", "certificate.issuer", "certificate.form", "certificate.time" or "certificate.replaced".
    """
    whole = assembled(data, _NO_SIGNATURE)
    try:
        listed = _revocation_list(whole)
        if listed is not None:
            _check_list(listed, key, now)
            return None
        found = x509.load_der_x509_certificate(whole)
        if lists_only:
            raise _refused("replaced", "this CA was replaced; ask the one in use, with the key that signs now")
        _check_one(found, key, now)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, UnsupportedAlgorithm) as error:
        raise _refused("malformed", f"it cannot be read ({type(error).__name__})") from None
    return None if found.subject == found.issuer else found.not_valid_after_utc


def _revocation_list(whole: bytes) -> x509.CertificateRevocationList | None:
    try:
        return x509.load_der_x509_crl(whole)
    except ValueError:
        return None


def _check_one(found: x509.Certificate, key: PublicKey, now: datetime) -> None:
    own = ca_public_key(key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    public = found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    _check_issuer(found.issuer, found.signature_algorithm_oid, key)
    is_ca = found.subject == found.issuer
    if is_ca != (public == own) or found.version is not x509.Version.v3:
        raise _refused("form", "a CA certificate is for the CA's own key and name, and no other is")
    if is_ca:
        _check_extensions(found.extensions, _OF_CA)
        _expect(found, x509.BasicConstraints(ca=True, path_length=0), key_usage(key_cert_sign=True, crl_sign=True))
    else:
        _check_extensions(found.extensions, _OF_LEAF)
        _expect(found, x509.BasicConstraints(ca=False, path_length=None), key_usage(digital_signature=True))
        _check_purpose_and_names(found)
        _check_authority(found.extensions, key)
    days = CA_DAYS if is_ca else LONGEST_DAYS
    _check_times(found.not_valid_before_utc, found.not_valid_after_utc, days, now)


def _check_list(found: x509.CertificateRevocationList, key: PublicKey, now: datetime) -> None:
    _check_issuer(found.issuer, found.signature_algorithm_oid, key)
    _check_extensions(found.extensions, _OF_LIST)
    _check_authority(found.extensions, key)
    if found.next_update_utc is None:
        raise _refused("time", "a revocation list says when the next one comes")
    _check_times(found.last_update_utc, found.next_update_utc, LONGEST_LIST_DAYS, now)


def _check_issuer(issuer: x509.Name, algorithm: x509.ObjectIdentifier, key: PublicKey) -> None:
    if issuer != ca_name(key.key_id) or algorithm != SignatureAlgorithmOID.ECDSA_WITH_SHA256:
        raise _refused("issuer", "it is another CA's, or signed in another way")


def _check_extensions(found: x509.Extensions, wanted: AbstractSet[type[object]]) -> None:
    if {type(one.value) for one in found} != wanted:
        raise _refused("form", "it holds other extensions than ours do")


def _expect(found: x509.Certificate, constraints: x509.BasicConstraints, usage: x509.KeyUsage) -> None:
    has = found.extensions.get_extension_for_class(x509.BasicConstraints)
    use = found.extensions.get_extension_for_class(x509.KeyUsage)
    if (has.critical, has.value, use.critical, use.value) != (True, constraints, True, usage):
        raise _refused("form", "its constraints or its key usage are not those we issue")


def _check_purpose_and_names(found: x509.Certificate) -> None:
    purposes = set(found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    names = list(found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    if not purposes or not purposes <= _PURPOSES:
        raise _refused("form", "it is for something else than a TLS server or client")
    if not 1 <= len(names) <= MOST_NAMES or not all(isinstance(name, _NAMES) for name in names):
        raise _refused("form", f"it names 1 to {MOST_NAMES} hosts, addresses or URIs, and nothing else")


def _check_authority(found: x509.Extensions, key: PublicKey) -> None:
    own = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_public_key(key))
    if found.get_extension_for_class(x509.AuthorityKeyIdentifier).value != own:
        raise _refused("issuer", "it names another key as its issuer's")


def _check_times(begins: datetime, ends: datetime, days: int, now: datetime) -> None:
    if begins > now + CLOCK_SKEW:
        raise _refused("time", "it begins later than now; compare the clocks")
    if not timedelta(0) < ends - begins <= timedelta(days=days) + _SLACK:
        raise _refused("time", f"it holds for more than {days} days")


def _refused(word: str, why: str) -> SignerRefused:
    return SignerRefused(f"certificate.{word}", f"Our CA does not sign this certificate: {why}.")
