"""The TLS side of a server: one context made of checked files, replaced as a whole when they are renewed.

Answers: what do new handshakes use? Does not answer: are the files good; `trust` says so when they are read.

`SecureContext` is what the event loop keeps. Each handshake asks it anew, so that a renewed certificate and a new revocation
list count from the next handshake on while open connections stay; tickets of the old context open nothing in the new one.
"""

import ssl
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sealwright.kernel import OperationFailed
from sealwright.trust import ClientTrust, load_client_trust, load_server_certificate

__all__ = ["SecureContext", "open_context"]


class SecureContext(ssl.SSLContext):
    """Hands every handshake to the context in force."""

    _now: ssl.SSLContext
    _make: Callable[[datetime], ssl.SSLContext]
    with_clients: bool

    @classmethod
    def of(cls, make: Callable[[datetime], ssl.SSLContext], now: datetime, *, with_clients: bool) -> "SecureContext":
        """A context made now, and again by `renew`."""
        self = cls(ssl.PROTOCOL_TLS_SERVER)
        self._make, self._now, self.with_clients = make, make(now), with_clients
        return self

    def renew(self, now: datetime) -> None:
        """Read the files again; what is in force stays if they are not good.

        Raises
        ------
        SealwrightError
            As when they were read first.
        """
        self._now = self._make(now)

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        """What event loops call for each connection."""
        return self._now.wrap_bio(*arguments, **named)

    def wrap_socket(self, *arguments: Any, **named: Any) -> ssl.SSLSocket:
        """For callers without an event loop."""
        return self._now.wrap_socket(*arguments, **named)


def open_context(
    *,
    certificate: Path,
    key: Path,
    names: Sequence[str],
    client_ca: Path | None,
    client_crl: Path | None,
    now: datetime,
    every_client: bool = True,
) -> SecureContext:
    """Check the files and make a context of them.

    Parameters
    ----------
    names : sequence of str
        What the certificate must cover; for a server on loopback only, nothing.
    client_ca, client_crl : Path, optional
        Both: a client's certificate must be of that CA and not taken back by the list.
    every_client : bool
        Whether a client without a certificate is turned away, too.

    Raises
    ------
    InvalidInput, Refused, KeyFileUnsafe
        A file that cannot be used, and why.
    OperationFailed
        The TLS library refuses what we accept.
    """

    def make(at: datetime) -> ssl.SSLContext:
        load_server_certificate(certificate, key, now=at, names=names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(certificate, key)
            if client_ca is not None and client_crl is not None:
                _ask_clients(context, load_client_trust(client_ca, client_crl, now=at), every=every_client)
        except (OSError, ssl.SSLError):
            raise OperationFailed(
                "The server's certificate and key cannot be used: missing, unreadable, or not belonging together."
            ) from None
        return context

    return SecureContext.of(make, now, with_clients=client_ca is not None)


def _ask_clients(context: ssl.SSLContext, trusted: ClientTrust, *, every: bool) -> None:
    context.load_verify_locations(cafile=trusted.ca)
    context.load_verify_locations(cafile=trusted.crl)
    context.verify_mode = ssl.CERT_REQUIRED if every else ssl.CERT_OPTIONAL
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF | ssl.VERIFY_X509_STRICT
    context.num_tickets = 0  # a resumed session would skip the revocation list
