"""Certificate files a TLS server is started with: ours, or real ones somebody brings.

Answers: do certificate and key fit each other, the names and the day, and is the key private?
Does not answer: do clients trust the issuer?
"""

import ipaddress
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.dsa import DSAPublicKey
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import MD5, SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from sealwright.kernel import InvalidInput, Refused, digest_of, rfc3339
from sealwright.trust.errors import KeyFileUnsafe

__all__ = ["TlsFiles", "load_server_certificate"]

_MOST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """What a TLS server is started with. Made by the two functions below, which check it."""

    certificate: Path  # PEM: the server's certificate, then intermediates
    key: Path  # PEM, readable by us only
    ca: Path | None  # PEM to hand to clients; None if the certificate is from a public CA
    names: tuple[str, ...]  # host names and addresses it is for
    expires_at: datetime
    fingerprint: str  # digest of the DER certificate


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
    _check_strength(chain, certificate)
    _check_time(chain, certificate, now)
    _check_kind(leaf, certificate)
    for child, parent in pairwise(chain):
        try:
            child.verify_directly_issued_by(parent)
        except (ValueError, TypeError, InvalidSignature):
            raise InvalidInput(
                f"{certificate}: the certificates are not in order. Put the server's first, then each one's issuer."
            ) from None
    covered = _covered(leaf, certificate)
    missing = [name for name in names if not any(_matches(_canonical(name), pattern) for pattern in covered)]
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


def _read_key(path: Path) -> bytes:
    """The bytes of a private key file that nobody else can read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise KeyFileUnsafe(f"The TLS key file {path} cannot be opened: {error.strerror}.") from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise KeyFileUnsafe(f"The TLS key file {path} is not a regular file.")
        if found.st_mode & 0o077:
            raise KeyFileUnsafe(
                f"The TLS key file {path} can be read by others (mode {found.st_mode & 0o777:o}).\n"
                f"Close it with: chmod 600 {path}"
            )
        return os.read(handle, _MOST_BYTES)
    finally:
        os.close(handle)


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
    own = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if own != public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo):
        raise Refused(
            f"The key {key} does not belong to the certificate {certificate}. Give the two that were made together."
        )


def _check_strength(chain: Sequence[x509.Certificate], path: Path) -> None:
    for certificate in chain:
        public = certificate.public_key()
        if isinstance(public, RSAPublicKey) and public.key_size < 2048:
            raise InvalidInput(f"{path} holds an RSA key of {public.key_size} bits; at least 2048 are needed.")
        if isinstance(public, EllipticCurvePublicKey) and public.key_size < 256:
            raise InvalidInput(f"{path} holds a key on a curve of {public.key_size} bits; at least 256 are needed.")
        if isinstance(public, DSAPublicKey):
            raise InvalidInput(f"{path} holds a DSA key, which TLS 1.3 does not know. Get one with P-256 or RSA.")
        if isinstance(certificate.signature_hash_algorithm, (MD5, SHA1)):
            name = certificate.signature_hash_algorithm.name.upper()
            raise InvalidInput(f"{path} is signed with {name}, which clients refuse. Get a new one.")


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


def _canonical(name: str) -> str:
    """One spelling per host name or address."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.lower()


def _matches(name: str, pattern: str) -> bool:
    """Is host or address `name` covered by `pattern`? A leading "*." stands for one label."""
    if pattern.startswith("*."):
        return "." in name and name.split(".", 1)[1] == pattern[2:]
    return name == pattern
