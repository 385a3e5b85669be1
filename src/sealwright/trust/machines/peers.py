"""The other end of a mutual TLS connection: which service is it, and may it call this?

Answers: is this certificate of our CA, for this use, valid now, not revoked, and whose is it?
Does not answer: did the peer hold the key? The TLS handshake proved that; these contexts let no other peer through.
"""

import hashlib
import ssl
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from sealwright.kernel import InvalidInput, OperationFailed, Refused, VerificationFailed, check_name, read_limited
from sealwright.trust.machines.model import service_uri
from sealwright.trust.principal import Principal
from sealwright.trust.strict_base64 import encode_base64url
from sealwright.trust.tls_authority import authority_of, key_text
from sealwright.trust.tls_clients import read_lists, signed_by

__all__ = [
    "CallRefused",
    "PeerVerifier",
    "ServiceCalls",
    "ServiceIdentity",
    "certificate_thumbprint",
    "mutual_client_context",
    "mutual_server_context",
    "take_revocations",
]

_MOST_BYTES = 4 << 20
_USES = {"client": ExtendedKeyUsageOID.CLIENT_AUTH, "server": ExtendedKeyUsageOID.SERVER_AUTH}


class CallRefused(Refused):
    """This service is known, and may not call that."""

    code = "service.not_allowed"


@dataclass(frozen=True, slots=True)
class ServiceIdentity:
    """Whom a certificate names."""

    name: str
    thumbprint: str  # RFC 8705 x5t#S256
    serial: str

    def principal(self) -> Principal:
        """As who it acts. What it may do stands in `ServiceCalls`, not in the certificate."""
        return Principal(kind="service", name=self.name, proof="certificate")


class PeerVerifier:
    """Checks certificates of peers against the CAs that count and the newest revocation list of each."""

    def __init__(
        self, ca: Path, revocations: Path, workspace: str, keys: Callable[[], Collection[str]] | None = None
    ) -> None:
        """`keys`: of the CAs that count at this moment, as PEM texts; left out: all in the file."""
        self._ca, self._revocations, self._workspace = ca, revocations, workspace
        self._keys = keys

    def identity(self, certificate: bytes, now: datetime, *, use: Literal["client", "server"]) -> ServiceIdentity:
        """The service a DER certificate is for.

        Raises
        ------
        VerificationFailed
            Another issuer, use or workspace, not valid now, revoked, or the revocation list cannot be relied on.
        """
        try:
            found, among = x509.load_der_x509_certificate(certificate), _authorities(self._ca)
        except (ValueError, InvalidInput):
            raise _not_ours("it is not issued by this workspace") from None
        authority = authority_of(found, among)
        if authority is None or (self._keys is not None and key_text(authority.public_key()) not in self._keys()):
            raise _not_ours("it is not issued by this workspace")
        if not found.not_valid_before_utc <= now < found.not_valid_after_utc:
            raise _not_ours("it is not valid now")
        if _list_of(self._revocations, authority, now).get_revoked_certificate_by_serial_number(found.serial_number):
            raise _not_ours("it was revoked")
        return ServiceIdentity(self._name(found, use), certificate_thumbprint(certificate), f"{found.serial_number:X}")

    def __call__(self, certificate: bytes, now: datetime) -> tuple[str, str]:
        """Name and thumbprint of a client, as the token endpoint asks for them."""
        found = self.identity(certificate, now, use="client")
        return found.name, found.thumbprint

    def _name(self, found: x509.Certificate, use: Literal["client", "server"]) -> str:
        try:
            uses = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (x509.ExtensionNotFound, ValueError):
            raise _not_ours("it does not say what it is for") from None
        if list(uses) != [_USES[use]]:
            raise _not_ours(f"it is not for a {use}")
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        head, _, name = (uris[0] if len(uris) == 1 else "").rpartition("/")
        try:
            check_name(name, what="service")
        except InvalidInput:
            raise _not_ours("it names no service") from None
        if f"{head}/{name}" != service_uri(self._workspace, name):
            raise _not_ours("it is of another workspace")
        return name


class ServiceCalls:
    """Which service may call what, as a process declares it at its start. What is not listed, nobody may call."""

    def __init__(self, allowed: Mapping[str, Collection[str]]) -> None:
        self._allowed = {action: frozenset(names) for action, names in allowed.items()}

    def check(self, service: ServiceIdentity, action: str) -> None:
        """Return if this service may call `action`.

        Raises
        ------
        CallRefused
            It may not.
        """
        if service.name not in self._allowed.get(action, frozenset()):
            raise CallRefused(f"The service {service.name} may not call {action}.")


def certificate_thumbprint(certificate: bytes) -> str:
    """RFC 8705 `x5t#S256` of a DER certificate."""
    return encode_base64url(hashlib.sha256(certificate).digest())


def mutual_server_context(
    certificate: Path, key: Path, ca: Path, revocations: Path, *, now: datetime
) -> ssl.SSLContext:
    """TLS 1.3 that lets only clients of `ca` in, and none that was revoked. There is no way to make it ask for less.

    Sessions are not resumed: a resumed one would skip the check.

    Raises
    ------
    OperationFailed, VerificationFailed
        Any of the files is missing, not what it should be, or the revocation list is not valid now: no server starts.
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER, certificate, key, ca, revocations, now)
    context.num_tickets = 0
    return context


def mutual_client_context(
    certificate: Path, key: Path, ca: Path, revocations: Path, *, now: datetime
) -> ssl.SSLContext:
    """The other end: shows its own certificate, and takes only servers of `ca` under the name it called.

    Raises
    ------
    OperationFailed, VerificationFailed
        As `mutual_server_context`.
    """
    return _context(ssl.PROTOCOL_TLS_CLIENT, certificate, key, ca, revocations, now)


def take_revocations(context: ssl.SSLContext, ca: Path, revocations: Path, *, now: datetime) -> None:
    """Make new handshakes of a live context obey newer lists. Another CA takes another context.

    Raises
    ------
    VerificationFailed
        A list is missing, not by its CA, or not valid now; the context goes on with those it has.
    """
    _check_lists(ca, revocations, now)
    context.load_verify_locations(revocations)


def _context(
    protocol: "ssl._SSLMethod", certificate: Path, key: Path, ca: Path, revocations: Path, now: datetime
) -> ssl.SSLContext:
    try:
        _check_lists(ca, revocations, now)
        context = ssl.SSLContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF | ssl.VerifyFlags.VERIFY_X509_STRICT
        context.load_verify_locations(ca)
        context.load_verify_locations(revocations)
        context.load_cert_chain(certificate, key)
        context.set_alpn_protocols(["http/1.1"])
    except (OSError, ValueError, InvalidInput):
        raise OperationFailed(
            "Mutual TLS needs a certificate with its key, the CA and its revocation list; one is missing or unreadable."
        ) from None
    return context


def _authorities(path: Path) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates(read_limited(path, _MOST_BYTES)))


def _check_lists(ca: Path, revocations: Path, now: datetime) -> None:
    """Return if there is a list of every CA that counts now."""
    for authority in _authorities(ca):
        _list_of(revocations, authority, now)


def _list_of(path: Path, authority: x509.Certificate, now: datetime) -> x509.CertificateRevocationList:
    """The newest revocation list of a CA, if it still counts."""
    try:
        lists = read_lists(read_limited(path, _MOST_BYTES))
    except (InvalidInput, ValueError):
        raise _unreliable("it is missing or unreadable") from None
    own = [one for one in lists if signed_by(one, authority)]
    if not own:
        raise _unreliable("it is not signed by this CA")
    found = max(own, key=lambda one: one.last_update_utc)
    ends = found.next_update_utc
    if ends is None or now >= ends:
        raise _unreliable("it has ended; write a new one with: sealwright certificate publish")
    return found


def _not_ours(why: str) -> VerificationFailed:
    return VerificationFailed(f"The certificate of the other side was refused: {why}.", link="certificate")


def _unreliable(why: str) -> VerificationFailed:
    return VerificationFailed(f"The list of revoked certificates cannot be relied on: {why}.", link="crl")
