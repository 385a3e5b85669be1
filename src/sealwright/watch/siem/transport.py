"""Syslog over TLS (RFC 5425) to one receiver, which is proven, and to which we prove ourselves.

Answers: did everything that was written arrive? Syslog has no answer of its own: a connection that is simply closed can lose
its last hundreds of messages without any error. So an exchange ends with TLS's own farewell in both directions, and only
what was written before a farewell that the receiver returned counts as arrived.
Does not answer: did the receiver keep it. What it has twice it tells by `metadata.uid`.
"""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from sealwright.kernel import InvalidInput, OperationFailed

__all__ = ["Receiver", "SendFailed", "TlsSender"]

_BUFFER = 64 * 1024
_Result = TypeVar("_Result")


class SendFailed(OperationFailed):
    """The receiver was not reached, not proven, or did not say farewell: nothing counts as arrived."""

    code = "siem.send_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where events go. `ca` proves the receiver; certificate and key prove us."""

    host: str
    port: int = 6514  # RFC 5425
    ca: Path
    certificate: Path
    key: Path
    oldest_tls: str = "1.3"  # "1.2" for receivers that know no better
    seconds: float = 10.0  # for a connection, a write, a farewell

    def __post_init__(self) -> None:
        if self.oldest_tls not in ("1.2", "1.3"):
            raise InvalidInput(f"The oldest TLS is 1.2 or 1.3; got {self.oldest_tls[:20]!r}.")
        for path in (self.ca, self.certificate, self.key):
            if not path.is_file():
                raise InvalidInput(
                    f"There is no file {path}. A receiver is proven, and so are we: both need their files."
                )

    def context(self) -> ssl.SSLContext:
        """TLS with the receiver's certificate required and checked against the name, and ours at hand.

        Raises
        ------
        InvalidInput
            A file is not what it should be.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # requires a certificate and checks the host name
        context.minimum_version = ssl.TLSVersion.TLSv1_3 if self.oldest_tls == "1.3" else ssl.TLSVersion.TLSv1_2
        try:
            context.load_verify_locations(cafile=self.ca)
            context.load_cert_chain(self.certificate, self.key, password=_no_passphrase)
        except (OSError, ssl.SSLError, ValueError):
            raise InvalidInput(
                f"{self.ca.name}, {self.certificate.name} and {self.key.name} cannot be used together: not PEM, or key and certificate "
                "do not belong together."
            ) from None
        return context


class TlsSender:
    """One connection. What was written has arrived once `farewell` has returned.

    TLS over memory, so that the farewell is ours to look at: `SSLSocket.unwrap` takes a fatal alert ("I do not know your
    certificate") for a proper end.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver, self._who = receiver, f"{receiver.host}:{receiver.port}"
        self._buffer = bytearray()
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = receiver.context().wrap_bio(self._in, self._out, server_hostname=receiver.host)
        try:
            self._socket = socket.create_connection((receiver.host, receiver.port), timeout=receiver.seconds)
        except OSError as error:
            raise SendFailed(f"{self._who} does not answer: {error.strerror or error}.") from None
        try:
            self._until(self._tls.do_handshake)
        except (OSError, ssl.SSLError) as error:
            self.close()
            raise SendFailed(f"{self._who} could not be proven: {_short(error)}.") from None

    def write(self, frames: Iterable[bytes]) -> None:
        """Send frames, gathered into larger writes.

        Raises
        ------
        SendFailed
            The receiver takes no more.
        """
        for frame in frames:
            self._buffer += frame
            if len(self._buffer) >= _BUFFER:
                self._flush()

    def farewell(self) -> None:
        """End the exchange in both directions.

        Raises
        ------
        SendFailed
            The receiver did not return it: none of this exchange counts as arrived.
        """
        self._flush()
        with contextlib.suppress(ssl.SSLWantReadError):  # ours is on its way; nothing of theirs was looked at yet
            self._tls.unwrap()
        try:
            while True:  # what a receiver says is not for us; only its farewell ends this
                self._until(lambda: self._tls.read(_BUFFER))
        except ssl.SSLZeroReturnError:
            return
        except (OSError, ssl.SSLError) as error:
            raise SendFailed(f"{self._who} did not end the connection properly: {_short(error)}.") from None

    def close(self) -> None:
        """Drop the connection; nothing that was written since the last farewell counts."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def _flush(self) -> None:
        try:
            while self._buffer:
                del self._buffer[: self._tls.write(self._buffer)]
                self._socket.sendall(self._out.read())
        except (OSError, ssl.SSLError) as error:
            raise SendFailed(f"{self._who} takes no more: {_short(error)}.") from None

    def _until(self, step: Callable[[], _Result]) -> _Result:
        """Take a step of TLS, giving it what it waits for."""
        while True:
            try:
                result = step()
                self._socket.sendall(self._out.read())
            except ssl.SSLWantReadError:
                self._socket.sendall(self._out.read())
            else:
                return result
            if data := self._socket.recv(_BUFFER):
                self._in.write(data)
            else:
                self._in.write_eof()  # the next step ends with an error: an end without a farewell is none

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _no_passphrase() -> str:
    """A key that is wrapped by a passphrase is refused instead of a question on the terminal."""
    raise ValueError("the key file asks for a passphrase")


def _short(error: BaseException) -> str:
    """What went wrong, without addresses in memory or file lines of OpenSSL."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return (error.reason or "TLS failed").lower().replace("_", " ")
    return str(error) or type(error).__name__
