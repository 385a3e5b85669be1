"""Whose certificates the clients of a TLS server must show: those of one or more CAs, and what each of them took back.

Answers: can these two files be relied on to let clients in, today?
Does not answer: what may a client do whose certificate is good? That follows from its names.

Every CA needs a list of its own: without one nobody could tell which of its certificates were taken back, so nothing is let in.
"""

import os
import re
import stat
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.kernel import InvalidInput, Refused, rfc3339
from sealwright.trust.errors import KeyFileUnsafe
from sealwright.trust.tls_authority import key_text

__all__ = ["ClientTrust", "load_client_trust", "read_lists", "signed_by"]

_MOST_BYTES = 4 << 20
_BEGIN = re.compile(rb"-----BEGIN ([^\n-]*)-----")
_LIST = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTrust:
    """What was read and checked. Made by `load_client_trust`."""

    authorities: tuple[x509.Certificate, ...]  # none of them, if none counts: then no client gets in
    lists: tuple[x509.CertificateRevocationList, ...]  # one of each, in the same order

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the CAs, in the spelling of `PublicKey.pem`."""
        return frozenset(key_text(one.public_key()) for one in self.authorities)

    @property
    def authorities_pem(self) -> str:
        return b"".join(one.public_bytes(Encoding.PEM) for one in self.authorities).decode("ascii")

    @property
    def lists_pem(self) -> bytes:
        return b"".join(one.public_bytes(Encoding.PEM) for one in self.lists)


def load_client_trust(ca: Path, crl: Path, *, now: datetime, keys: Collection[str] | None = None) -> ClientTrust:
    """Check CAs and their revocation lists before a server relies on them.

    Parameters
    ----------
    keys : collection of str, optional
        The keys of the CAs that count, in the spelling of `PublicKey.pem`; others in the file are left out. Not given: all count.

    Raises
    ------
    InvalidInput
        Missing, empty, not PEM, no CA at all among the certificates, or a CA without a list that it signed.
    KeyFileUnsafe
        Others may write one of the files, and so let themselves in.
    Refused
        A CA or a list is not valid at `now`.
    """
    authorities = [one for one in _authorities(ca) if keys is None or key_text(one.public_key()) in keys]
    for one in authorities:
        if not one.not_valid_before_utc <= now < one.not_valid_after_utc:
            raise Refused(f"{ca} holds a CA that is valid only until {rfc3339(one.not_valid_after_utc)}. Renew it.")
    try:
        lists = read_lists(_read(crl))
    except ValueError:
        raise InvalidInput(f"{crl} is not a PEM revocation list, or holds something besides.") from None
    own = [_list_of(one, lists, ca, crl) for one in authorities]
    for found in own:
        _check_in_force(found, crl, now)
    return ClientTrust(authorities=tuple(authorities), lists=tuple(own))


def read_lists(data: bytes) -> list[x509.CertificateRevocationList]:
    """The revocation lists in a PEM text.

    Raises
    ------
    ValueError
        There is none, or something else besides: a certificate among lists would be one more CA to some readers.
    """
    found, labels = _LIST.findall(data), _BEGIN.findall(data)
    if not found or labels != [b"X509 CRL"] * len(found):
        raise ValueError("not revocation lists alone")
    return [x509.load_pem_x509_crl(one) for one in found]


def signed_by(found: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    """Whether this is the list of that CA."""
    key = authority.public_key()
    try:
        return found.issuer == authority.subject and found.is_signature_valid(key)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def _list_of(
    authority: x509.Certificate, lists: list[x509.CertificateRevocationList], ca: Path, crl: Path
) -> x509.CertificateRevocationList:
    own = [one for one in lists if signed_by(one, authority)]
    if not own:
        name = authority.subject.rfc4514_string()
        raise InvalidInput(
            f"{crl} must hold the revocation list of every CA in {ca}; of {name[:100]} there is none that it signed."
        )
    return max(own, key=lambda one: one.last_update_utc)


def _check_in_force(found: x509.CertificateRevocationList, crl: Path, now: datetime) -> None:
    until = found.next_update_utc
    if until is None or until <= now or found.last_update_utc > now:
        raise Refused(
            f"{crl} is not in force now: it is for the time from {rfc3339(found.last_update_utc)}"
            f" to {'nowhen' if until is None else rfc3339(until)}. Publish a new one."
        )


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
