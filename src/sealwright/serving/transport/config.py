"""The one transport configuration of every server of ours. What would weaken it does not start.

Answers: where is it listened, for which names, with which certificate, for which clients, within which limits?
Does not answer: who asks, and what may they do. There is no setting that means "less secure": TLS is 1.3 everywhere, plain
HTTP exists on loopback only, a half-given setting is refused, and so is one we do not know.
"""

import ipaddress
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sealwright.kernel import InvalidInput, Refused
from sealwright.serving.transport.limits import TransportLimits
from sealwright.serving.transport.tls_context import SecureContext, open_context

__all__ = ["ContainerTransport", "Transport", "allowed_hosts", "is_loopback", "read_transport"]

_EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised here, not bound
_LOCAL = ("localhost", "127.0.0.1", "::1")
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_MOST_HOSTS = 100


class Transport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a server meets the network. Paths are absolute."""

    host: str = "127.0.0.1"  # the address to listen on
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8443
    hosts: list[str]  # names and addresses a Host header may hold
    tls: Literal["1.3"] = "1.3"  # nothing older is spoken, and the setting exists to say so
    tls_certificate: str | None = None  # PEM; None: plain HTTP, on loopback only
    tls_key: str | None = None
    client_certificates: Literal["off", "optional", "required"] = "off"
    client_ca: str | None = None  # PEM: whose certificates clients show; one CA or more
    client_crl: str | None = None  # PEM: which of them were taken back; a list of each
    limits: TransportLimits = TransportLimits()

    def checked(self) -> "Transport":
        """The same configuration, if its settings fit together. Files are not looked at.

        Raises
        ------
        InvalidInput
            A path, address or host name is not usable.
        Refused
            It asks for less than is safe, or for half of something.
        """
        _check_hosts(self.host, self.hosts)
        for path in (self.tls_certificate, self.tls_key, self.client_ca, self.client_crl):
            if path is not None and not Path(path).is_absolute():
                raise InvalidInput(f"{path}: files handed to a server are named by their absolute path.")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise Refused("TLS needs a certificate and its key; only one of them was given.")
        if self.tls_certificate is None and not self.plain_allowed:
            raise Refused(
                f"Without TLS the server only listens on this machine, not on {self.host}.\n"
                "Give it a certificate, or the address 127.0.0.1."
            )
        self._check_clients()
        return self

    @property
    def plain_allowed(self) -> bool:
        """Whether plain HTTP may be spoken on its address."""
        return is_loopback(self.host)

    def _check_clients(self) -> None:
        given = [name for name in (self.client_ca, self.client_crl) if name is not None]
        if self.client_certificates == "off" and given:
            raise Refused(
                "A CA or revocation list for clients is given, but client certificates are off.\n"
                "Set client_certificates to required or optional, or leave the files out: nothing may look checked that is not."
            )
        if self.client_certificates != "off" and (self.tls_certificate is None or len(given) < 2):
            raise Refused(
                "Client certificates need TLS, the CA that issues them and its revocation list (an empty one will do).\n"
                "Without the CA nobody could be checked; without the list a certificate taken back would still open."
            )

    @property
    def files(self) -> tuple[Path, ...]:
        """What `open` reads."""
        named = (self.tls_certificate, self.tls_key, self.client_ca, self.client_crl)
        return tuple(Path(path) for path in named if path is not None)

    def open(
        self, now: datetime, client_keys: Callable[[], Collection[str]] | None = None, *, speaks: str = "http/1.1"
    ) -> SecureContext | None:
        """Read and check every file, and make the TLS context of them; None where HTTP stays on loopback.

        Parameters
        ----------
        client_keys : callable, optional
            The keys of the CAs that count at this moment, where the CA of the clients is the workspace's own.

        Raises
        ------
        InvalidInput, Refused, KeyFileUnsafe
            A file is missing, open to others, out of date, weak, or does not belong to the rest.
        """
        self.checked()
        if self.tls_certificate is None or self.tls_key is None:
            return None
        return open_context(
            certificate=Path(self.tls_certificate),
            key=Path(self.tls_key),
            names=[name for name in self.hosts if name not in _LOCAL],
            client_ca=None if self.client_ca is None else Path(self.client_ca),
            client_crl=None if self.client_crl is None else Path(self.client_crl),
            every_client=self.client_certificates == "required",
            client_keys=client_keys,
            now=now,
            speaks=speaks,
        )


class ContainerTransport(Transport, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Inside a container whose platform ends TLS and checks callers in front of it: plain HTTP on every address.

    It weakens what `Transport` holds, so no settings file can ask for it: only `ServeConfig` makes it, of two settings that agree.
    """

    @property
    def plain_allowed(self) -> bool:
        return True


def read_transport(settings: Mapping[str, object]) -> Transport:
    """A configuration from settings somebody wrote; unknown ones are refused, not skipped.

    Raises
    ------
    InvalidInput, Refused
        A setting that does not exist, of another type or out of bounds; or as `Transport.checked`.
    """
    try:
        return msgspec.convert(dict(settings), Transport).checked()
    except msgspec.ValidationError as error:
        raise InvalidInput(f"The server's settings cannot be used: {error}.") from None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def allowed_hosts(host: str, extra: list[str] | tuple[str, ...]) -> list[str]:
    """The names a caller may use: the address itself, or this machine's own where it is loopback or all; and `extra`."""
    own = list(_LOCAL) if is_loopback(host) or host in _EVERY_ADDRESS else [host]
    return list(dict.fromkeys([*own, *extra]))


def _check_hosts(host: str, hosts: list[str]) -> None:
    if host != "localhost":
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise InvalidInput(
                f"{host[:80]!r} is no address to listen on. Give one such as 127.0.0.1, or 0.0.0.0 for all."
            ) from None
    if not hosts:
        raise InvalidInput("No host name is allowed, so nobody could ask. Name at least one.")
    if len(hosts) > _MOST_HOSTS or len(set(hosts)) != len(hosts):
        raise InvalidInput(f"At most {_MOST_HOSTS} host names are allowed, each once.")
    for name in hosts:
        number = name.startswith("0x") or name.rpartition(".")[2].isdigit()  # what some readers take for an address
        if name in _EVERY_ADDRESS or not (_is_address(name) or (_NAME.fullmatch(name) and not number)):
            raise InvalidInput(
                f"{name[:80]!r} is no host name a caller may use. Write each in full and in lower case, without a port or a star."
            )


def _is_address(name: str) -> bool:
    try:
        return str(ipaddress.ip_address(name)) == name
    except ValueError:
        return False
