"""Reading a URL into exactly one destination, or not at all.

Answers: which host, port and path does this text name? One reading: there is no second parser behind this one.
Does not answer: may a request go there? That is `outbound`.

Refused is whatever two programs could read differently: user names, backslashes, control characters, percent signs or
Unicode in the host (write it as xn--…), trailing dots, zone ids, and IPv4 addresses in decimal, hex, octal or short form.
"""

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from sealwright.engines.addresses import Address
from sealwright.engines.outbound_errors import OutboundRefused

__all__ = ["Destination", "read_destination", "read_host"]

_LONGEST = 2048
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^#]*)")
_VISIBLE = re.compile(r"[\x21-\x7e]*")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]{1,5}))?")
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a request goes. The path is not shown: addresses of webhooks carry secrets there."""

    scheme: str  # "https" or "http"
    host: str  # lower case; an address without brackets
    port: int
    target: str = field(repr=False)  # path and query
    literal: Address | None = None  # if the URL names an address instead of a host

    @property
    def authority(self) -> str:
        """The Host header: the host, in brackets if IPv6, and the port unless it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def read_destination(url: str) -> Destination:
    """The one destination a URL names.

    Raises
    ------
    OutboundRefused
        "outbound.url": it could be read in more than one way, or is no https:// or http:// URL.
    """
    if len(url) > _LONGEST or not _VISIBLE.fullmatch(url) or "\\" in url:
        raise _refused("it must be at most 2,048 visible ASCII characters, without backslash; write hosts as xn--…")
    parts = _URL.fullmatch(url)
    scheme = parts[1].lower() if parts else ""
    if parts is None or scheme not in _PORTS:
        raise _refused("it must look like https://host/path, without a fragment")
    if "@" in parts[2]:
        raise _refused("it must not hold a user name or password")
    authority = _AUTHORITY.fullmatch(parts[2])
    if authority is None:
        raise _refused("its host is not a plain host name or address")
    host, literal = read_host(authority[1])
    port = int(authority[2]) if authority[2] else _PORTS[scheme]
    if not 1 <= port <= 65535:
        raise _refused("its port is not between 1 and 65535")
    target = parts[3] if parts[3].startswith("/") else f"/{parts[3]}"
    return Destination(scheme, host, port, target, literal)


def read_host(text: str) -> tuple[str, Address | None]:
    """A host in its one spelling, and the address if it is one: an IPv6 address stands in brackets in `text`.

    Raises
    ------
    OutboundRefused
        "outbound.url": neither a plain ASCII name nor an address as it is usually written.
    """
    host = text.lower()
    try:
        if host.startswith("["):
            six = IPv6Address(host.removeprefix("[").removesuffix("]"))
            return str(six), six
        if _NUMBER.fullmatch(host.rpartition(".")[2]):
            four = IPv4Address(host)
            return str(four), four
    except ValueError:
        raise _refused("its host is an address in an unusual spelling; write 192.0.2.7 or [2001:db8::7]") from None
    if not _NAME.fullmatch(host):
        raise _refused("its host is not a plain host name: letters, digits, dashes and dots, no dot at the end")
    return host, None


def _refused(why: str) -> OutboundRefused:
    return OutboundRefused("url", f"This address cannot be used: {why}.")
