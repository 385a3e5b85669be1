"""The TLS side of a server: one context made of checked files, replaced as a whole when they are renewed.

Answers: what do new handshakes use? Does not answer: are the files good; `trust` says so when they are read.

`SecureContext` is what the event loop keeps. Each handshake asks it anew, so that a renewed certificate and a new revocation
list count from the next handshake on while open connections stay; tickets of the old context open nothing in the new one.

Files that are not good leave the context in force as it is, but for one case: where it lets in clients of a CA that was withdrawn
meanwhile, no client's certificate opens anything until the files are good again.
"""

import os
import ssl
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sealwright.kernel import OperationFailed, SealwrightError
from sealwright.trust import ClientTrust, load_client_trust, load_server_certificate

__all__ = ["SecureContext", "open_context"]


_Keys = Callable[[], Collection[str]]


class SecureContext(ssl.SSLContext):
    """Hands every handshake to the context in force."""

    _now: ssl.SSLContext
    _files: "_Files"
    _trusted: Collection[str]  # keys of the CAs whose clients are let in
    with_clients: bool

    @classmethod
    def of(cls, files: "_Files", now: datetime) -> "SecureContext":
        """A context made now, and again by `renew`."""
        self = cls(ssl.PROTOCOL_TLS_SERVER)
        self._files, self.with_clients = files, files.client_ca is not None
        self._take(files.read(now))
        return self

    def renew(self, now: datetime) -> None:
        """Read the files again; what is in force stays if they are not good.

        Raises
        ------
        SealwrightError
            As when they were read first.
        """
        try:
            self._take(self._files.read(now))
        except SealwrightError:
            count = self._files.client_keys
            if count is not None and not frozenset(self._trusted) <= frozenset(count()):
                self._take((self._files.server_side(now), ClientTrust(authorities=(), lists=())))
            raise

    def _take(self, made: "tuple[ssl.SSLContext, ClientTrust | None]") -> None:
        context, trusted = made
        if trusted is not None:
            _ask_clients(context, trusted, every=self._files.every_client)
        self._now, self._trusted = context, () if trusted is None else trusted.keys

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        """What event loops call for each connection."""
        return self._now.wrap_bio(*arguments, **named)

    def wrap_socket(self, *arguments: Any, **named: Any) -> ssl.SSLSocket:
        """For callers without an event loop."""
        return self._now.wrap_socket(*arguments, **named)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """What a context is made of."""

    certificate: Path
    key: Path
    names: Sequence[str]
    client_ca: Path | None
    client_crl: Path | None
    client_keys: _Keys | None
    every_client: bool
    speaks: str

    def read(self, now: datetime) -> "tuple[ssl.SSLContext, ClientTrust | None]":
        """A context for the server's own side, and whose clients are let in; None where none is asked."""
        context = self.server_side(now)
        if self.client_ca is None or self.client_crl is None:
            return context, None
        count = None if self.client_keys is None else self.client_keys()
        return context, load_client_trust(self.client_ca, self.client_crl, now=now, keys=count)

    def server_side(self, now: datetime) -> ssl.SSLContext:
        load_server_certificate(self.certificate, self.key, now=now, names=self.names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3
        context.set_alpn_protocols([self.speaks])
        try:
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError):
            raise OperationFailed(
                "The server's certificate and key cannot be used: missing, unreadable, or not belonging together."
            ) from None
        return context


def open_context(
    *,
    certificate: Path,
    key: Path,
    names: Sequence[str],
    client_ca: Path | None,
    client_crl: Path | None,
    now: datetime,
    every_client: bool = True,
    client_keys: _Keys | None = None,
    speaks: str = "http/1.1",
) -> SecureContext:
    """Check the files and make a context of them.

    Parameters
    ----------
    names : sequence of str
        What the certificate must cover; for a server on loopback only, nothing.
    client_ca, client_crl : Path, optional
        Both: a client's certificate must be of one of these CAs and not taken back by its list.
    every_client : bool
        Whether a client without a certificate is turned away, too.
    client_keys : callable, optional
        The keys of the CAs that count at this moment, in the spelling of `PublicKey.pem`; left out: all in the file.
    speaks : str
        The protocol that is agreed on in the handshake (ALPN).

    Raises
    ------
    InvalidInput, Refused, KeyFileUnsafe
        A file that cannot be used, and why.
    OperationFailed
        The TLS library refuses what we accept.
    """
    files = _Files(
        certificate=certificate,
        key=key,
        names=names,
        client_ca=client_ca,
        client_crl=client_crl,
        client_keys=client_keys,
        every_client=every_client,
        speaks=speaks,
    )
    return SecureContext.of(files, now)


def _ask_clients(context: ssl.SSLContext, trusted: ClientTrust, *, every: bool) -> None:
    """Ask for certificates of these CAs: exactly of what was read and checked, whatever the files hold by now."""
    try:
        if trusted.authorities:
            context.load_verify_locations(cadata=trusted.authorities_pem)
            _load_lists(context, trusted.lists_pem)
    except (OSError, ssl.SSLError):
        raise OperationFailed("The CAs of the clients and their revocation lists cannot be used.") from None
    context.verify_mode = ssl.CERT_REQUIRED if every else ssl.CERT_OPTIONAL
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF | ssl.VERIFY_X509_STRICT
    context.num_tickets = 0  # a resumed session would skip the revocation list


def _load_lists(context: ssl.SSLContext, pem: bytes) -> None:
    """OpenSSL takes revocation lists from a file only; this one is in memory."""
    handle = os.memfd_create("revocations", os.MFD_CLOEXEC)
    try:
        os.write(handle, pem)
        context.load_verify_locations(cafile=f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)
