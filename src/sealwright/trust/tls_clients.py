"""Whose certificates the clients of a TLS server must show: a CA, and what it took back.

Answers: can these two files be relied on to let clients in, today?
Does not answer: what may a client do whose certificate is good? That follows from its names.
"""

import os
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from sealwright.kernel import InvalidInput, Refused, rfc3339
from sealwright.trust.errors import KeyFileUnsafe

__all__ = ["ClientTrust", "load_client_trust"]

_MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTrust:
    """Checked files. Made by `load_client_trust`."""

    ca: Path
    crl: Path
    next_update: datetime  # from then on the list is stale, and no client gets in


def load_client_trust(ca: Path, crl: Path, *, now: datetime) -> ClientTrust:
    """Check a CA and its revocation list before a server relies on them.

    Raises
    ------
    InvalidInput
        Missing, empty, not PEM, no CA at all among the certificates, or a list of another CA.
    KeyFileUnsafe
        Others may write one of the files, and so let themselves in.
    Refused
        The CA or the list is not valid at `now`.
    """
    authorities = _authorities(ca)
    for one in authorities:
        if not one.not_valid_before_utc <= now < one.not_valid_after_utc:
            raise Refused(f"{ca} holds a CA that is valid only until {rfc3339(one.not_valid_after_utc)}. Renew it.")
    found = _revocations(crl)
    if len(authorities) != 1 or not _signed_by(found, authorities[0]):
        raise InvalidInput(f"{crl} must be the revocation list of the one CA in {ca}, signed by it.")
    until = found.next_update_utc
    if until is None or until <= now or found.last_update_utc > now:
        raise Refused(
            f"{crl} is not in force now: it is for the time from {rfc3339(found.last_update_utc)}"
            f" to {'nowhen' if until is None else rfc3339(until)}. Publish a new one."
        )
    return ClientTrust(ca=ca, crl=crl, next_update=until)


def _authorities(path: Path) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(_read(path))
    except ValueError:
        raise InvalidInput(f"{path} holds no PEM certificate, so no client could be checked.") from None
    for one in found:
        try:
            is_ca = one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except x509.ExtensionNotFound:
            is_ca = False
        if not is_ca:
            raise InvalidInput(f"{path} holds a certificate that is no CA. Put only the CA of your clients there.")
    return found


def _revocations(path: Path) -> x509.CertificateRevocationList:
    try:
        return x509.load_pem_x509_crl(_read(path))
    except ValueError:
        raise InvalidInput(f"{path} is not a PEM revocation list.") from None


def _signed_by(found: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    key = authority.public_key()
    try:
        return found.issuer == authority.subject and found.is_signature_valid(key)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def _read(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be opened: {error.strerror}.") from None
    with os.fdopen(handle, "rb") as stream:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise InvalidInput(f"{path} is not a regular file.")
        if found.st_mode & 0o022:
            raise KeyFileUnsafe(
                f"Others may write {path} (mode {found.st_mode & 0o777:o}), and so let themselves in.\n"
                f"Close it with: chmod go-w {path}"
            )
        return stream.read(_MOST_BYTES)
