"""What a serving process is told when it starts: one checked document, handed over a pipe.

It holds the decision key, so it never stands in an argument list, an environment variable or a file, and its repr
shows nothing. No key that signs is in it: tree heads are signed over a socket to the signer, which is inherited.
"""

import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sealwright.kernel import InvalidInput, Refused, check_name

__all__ = ["MOST_CONFIG_BYTES", "Limits", "ServeConfig"]

MOST_CONFIG_BYTES = 60_000  # fits a pipe's buffer, so handing it over never blocks

_EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised here, not bound
_Seconds = Annotated[float, Meta(gt=0, le=3600)]
_Count = Annotated[int, Meta(ge=1, le=1_000_000)]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one caller, one connection and the whole process may use. Seconds and bytes."""

    body_bytes: Annotated[int, Meta(ge=1024, le=4 << 20)] = 1 << 20
    rows: Annotated[int, Meta(ge=1, le=10_000)] = 1000
    header_bytes: Annotated[int, Meta(ge=1024, le=65_536)] = 16_384
    connections: _Count = 1024
    connections_per_client: _Count = 512
    waiting: _Count = 512  # decisions between decode and answer; more are refused with 503
    handshake_seconds: _Seconds = 5.0
    header_seconds: _Seconds = 10.0
    idle_seconds: _Seconds = 30.0
    body_seconds: _Seconds = 10.0
    answer_seconds: _Seconds = 30.0
    drain_seconds: _Seconds = 20.0  # for answers under way after SIGTERM
    watch_seconds: _Seconds = 1.0  # between looks at pointer and revocations
    token_cache_seconds: Annotated[float, Meta(ge=0, le=60)] = 60.0


class ServeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the serving process knows. Paths are absolute; keys are hex text."""

    format: Literal[1] = 1
    workspace: str
    project: str
    channel: str
    home: str
    trust_root: str  # the JSON text of trust.TrustRoot
    decision_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    person_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]  # makes pseudonyms of this project
    token_issuer: str
    token_audience: str
    host: str
    port: Annotated[int, Meta(ge=0, le=65_535)]
    hosts: list[str]
    tls_certificate: str | None
    tls_key: str | None
    limits: Limits = Limits()
    lifeline: bool = False  # stop when the other end of the pipe closes
    signer_fd: Annotated[int, Meta(ge=-1, le=1 << 20)] = -1  # the inherited socket to the signer

    def __repr__(self) -> str:
        return f"ServeConfig({self.project!r}, channel={self.channel!r}, keys=<hidden>)"

    __str__ = __repr__

    @property
    def folder(self) -> Path:
        """Where this channel keeps its decision ledger and its state."""
        return Path(self.home) / "serving" / self.project / self.channel

    @property
    def key_bytes(self) -> bytes:
        return bytes.fromhex(self.decision_key)

    def checked(self) -> "ServeConfig":
        """The same document, if it is safe to start with.

        Raises
        ------
        InvalidInput
            A name, path or host is not usable.
        Refused
            It asks for plain HTTP on an address other machines can reach, or for half of TLS.
        """
        check_name(self.project, what="project")
        check_name(self.channel, what="channel")
        if not Path(self.home).is_absolute():
            raise InvalidInput("The workspace path handed to the server must be absolute.")
        if not self.hosts:
            raise InvalidInput("No host name is allowed, so nobody could ask. Name at least one.")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise Refused("TLS needs a certificate and its key; only one of them was given.")
        if self.tls_certificate is None and not _is_loopback(self.host):
            raise Refused(
                f"Without TLS the server only listens on this machine, not on {self.host}.\n"
                "Give it a certificate, or the address 127.0.0.1."
            )
        return self

    def to_bytes(self) -> bytes:
        """The JSON to hand over.

        Raises
        ------
        InvalidInput
            It would not fit a pipe.
        """
        data = msgspec.json.encode(self)
        if len(data) > MOST_CONFIG_BYTES:
            raise InvalidInput(
                f"The server's settings take {len(data):,} bytes; {MOST_CONFIG_BYTES:,} can be handed over."
            )
        return data

    @staticmethod
    def from_bytes(data: bytes) -> "ServeConfig":
        """Read and check what `to_bytes` wrote.

        Raises
        ------
        InvalidInput
            Not such a document. The message holds no value of it.
        """
        try:
            return _DECODER.decode(data).checked()
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise InvalidInput("The settings handed to the server cannot be read.") from None


_DECODER = msgspec.json.Decoder(ServeConfig)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def allowed_hosts(host: str, extra: Sequence[str]) -> list[str]:
    """The names a caller may use: the address itself, or this machine's own where it is loopback or all; and `extra`."""
    own = ["localhost", "127.0.0.1", "::1"] if _is_loopback(host) or host in _EVERY_ADDRESS else [host]
    return list(dict.fromkeys([*own, *extra]))
