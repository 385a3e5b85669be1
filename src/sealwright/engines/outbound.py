"""The one way a request leaves: to a name that was looked up once, at an address that may be asked.

Answers: may a request go to this URL, and what did the other side say?
Does not answer: who wanted it, and what is it for? Callers record that.

https only; the port from a list; every address of the name public, or opened by the rules; the connection goes to the
address that was checked, with TLS for the name. No redirect is followed, no proxy setting of the environment is read, no
cookie is kept, no compressed answer is opened.
"""

import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path

from sealwright.engines.addresses import Address, Network, Special, forbidden
from sealwright.engines.destinations import Destination, read_destination, read_host
from sealwright.engines.outbound_errors import OutboundFailed, OutboundRefused
from sealwright.engines.pinned_exchange import Answer, Deadline, exchange, open_socket, tls_context
from sealwright.engines.resolving import Resolver, resolve_within, system_resolver
from sealwright.kernel import InvalidInput

__all__ = ["Outbound", "OutboundRules", "Pinned"]

_METHODS = ("GET", "POST")
_OURS = {"host", "accept-encoding", "connection", "content-length", "transfer-encoding", "cookie", "expect", "upgrade"}
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,8192}")
_WIDEST = {4: 8, 6: 7}  # 10.0.0.0/8, fc00::/7
_MOST_TRIED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundRules:
    """What may be asked besides the public internet on 443 and 8443: nothing, unless it is listed here.

    Hosts are names, or addresses (IPv6 in brackets), as in a URL.
    """

    hosts: frozenset[str] = frozenset()  # may have private or loopback addresses
    networks: tuple[Network, ...] = ()  # opened whatever the name; never link-local, multicast or metadata
    only: frozenset[str] | None = None  # if given, no other host may be asked
    plain_hosts: frozenset[str] = frozenset()  # may be asked by http://, if all their addresses are loopback
    ports: frozenset[int] = frozenset({443, 8443})
    ca_file: Path | None = None  # trusted instead of the system's authorities
    connect_seconds: float = 5.0
    total_seconds: float = 15.0
    most_bytes: int = 1 << 20

    def __post_init__(self) -> None:
        for name in ("hosts", "plain_hosts", "only"):
            listed = getattr(self, name)
            if listed is not None:
                object.__setattr__(self, name, frozenset(read_host(host)[0] for host in listed))
        object.__setattr__(self, "networks", tuple(ip_network(network) for network in self.networks))
        if any(network.prefixlen < _WIDEST[network.version] for network in self.networks):
            raise InvalidInput("An opened network is at most as wide as 10.0.0.0/8 or fc00::/7. List smaller ones.")
        if not 0 < self.connect_seconds <= self.total_seconds or self.most_bytes < 1:
            raise InvalidInput("Time limits and sizes are above nothing, and connecting is part of the whole time.")


@dataclass(frozen=True, slots=True)
class Pinned:
    """A destination with the addresses that were checked. A request goes to these and no others."""

    destination: Destination
    addresses: tuple[Address, ...]


class Outbound:
    """Sends requests by one set of rules. Keeps nothing between requests; safe to share between threads."""

    def __init__(self, rules: OutboundRules | None = None, *, resolver: Resolver = system_resolver) -> None:
        self._rules = rules or OutboundRules()
        self._resolver = resolver

    def check_url(self, url: str) -> Destination:
        """The destination of a URL as far as it can be judged without looking up its name.

        Raises
        ------
        OutboundRefused
            "outbound.url", "outbound.scheme", "outbound.port", "outbound.host", "outbound.address".
        """
        destination, rules = read_destination(url), self._rules
        host = destination.host
        if destination.scheme != "https" and host not in rules.plain_hosts:
            raise OutboundRefused("scheme", f"{host} is asked over https only. Give an https:// address.")
        if destination.port not in rules.ports:
            allowed = ", ".join(map(str, sorted(rules.ports)))
            raise OutboundRefused("port", f"Port {destination.port} is not asked; ports are: {allowed}.")
        if rules.only is not None and host not in rules.only:
            raise OutboundRefused("host", f"{host} is not among the hosts that may be asked.")
        if destination.literal is None and "." not in host and not self._named(host):
            raise OutboundRefused("host", f"{host} is a local name. Use its full name, or list it among the hosts.")
        if destination.literal is not None:
            self._refuse_addresses(destination, (destination.literal,))
        return destination

    def check(self, url: str) -> Pinned:
        """Look up the name of a URL, once, and check every address it has.

        Raises
        ------
        OutboundRefused
            As `check_url`; one refused address among several refuses them all.
        OutboundFailed
            "outbound.resolve".
        """
        destination = self.check_url(url)
        if destination.literal is not None:
            return Pinned(destination, (destination.literal,))
        seconds = self._rules.connect_seconds
        addresses = resolve_within(self._resolver, destination.host, destination.port, seconds)
        self._refuse_addresses(destination, addresses)
        return Pinned(destination, addresses)

    def send(
        self,
        pinned: Pinned,
        method: str = "GET",
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        most_bytes: int | None = None,
    ) -> Answer:
        """One request to the addresses that `check` found, tried in order until one answers.

        Parameters
        ----------
        headers : mapping, optional
            Besides Host, Connection, Accept-Encoding and those about the body, which are ours.
        most_bytes : int, optional
            The largest answer; left out: that of the rules.

        Raises
        ------
        OutboundRefused
            "outbound.redirect", "outbound.encoding".
        OutboundFailed
            "outbound.connect", "outbound.certificate", "outbound.timeout", "outbound.too_large", "outbound.protocol".
        """
        given = _checked(method, headers or {})
        deadline = Deadline(self._rules.total_seconds)
        connection = self._connect(pinned, deadline)
        with connection:
            limit = most_bytes or self._rules.most_bytes
            return exchange(connection, pinned.destination, method, given, body, deadline, limit)

    def request(
        self,
        url: str,
        method: str = "GET",
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        most_bytes: int | None = None,
    ) -> Answer:
        """`check`, then `send`, with the same errors and options."""
        return self.send(self.check(url), method, headers=headers, body=body, most_bytes=most_bytes)

    def _connect(self, pinned: Pinned, deadline: Deadline) -> socket.socket:
        destination, seconds = pinned.destination, self._rules.connect_seconds
        context = self._tls if destination.scheme == "https" else None
        for address in pinned.addresses[:_MOST_TRIED]:
            try:
                return open_socket(destination, address, context, deadline, seconds)
            except ssl.SSLError as error:
                what = (
                    "its certificate is not accepted"
                    if isinstance(error, ssl.SSLCertVerificationError)
                    else "TLS failed"
                )
                raise OutboundFailed("certificate", f"{destination.host} is not asked: {what}.") from None
            except OSError:
                continue
        raise OutboundFailed("connect", f"{destination.host} cannot be reached. Check that it runs, then try again.")

    def _refuse_addresses(self, destination: Destination, addresses: tuple[Address, ...]) -> None:
        """Refuse unless all may be asked. The message names the kind of network, never the address that was found."""
        if destination.scheme != "https" and not all(address.is_loopback for address in addresses):
            raise OutboundRefused(
                "scheme", f"{destination.host} is not on this machine, so it is asked over https only."
            )
        named, networks = self._named(destination.host), self._rules.networks
        found: list[Special | None] = [forbidden(address, named=named, networks=networks) for address in addresses]
        for special in filter(None, found):
            raise OutboundRefused(
                "address",
                f"{destination.host} is not asked: it has an address of the kind {special.what!r}.\n"
                "Only public addresses are asked, unless the rules for outbound requests open them.",
            )

    def _named(self, host: str) -> bool:
        return host in self._rules.hosts or host in self._rules.plain_hosts

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return tls_context(self._rules.ca_file)


def _checked(method: str, headers: Mapping[str, str]) -> dict[str, str]:
    if method not in _METHODS:
        raise InvalidInput(f"An outbound request is one of: {', '.join(_METHODS)}.")
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value) or name.lower() in _OURS:
            raise InvalidInput(f"The header {name[:64]!r} cannot be set: printable ASCII, and not one of ours.")
    return dict(headers)
