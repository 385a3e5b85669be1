"""Which network addresses a request may go to.

Answers: is this address on the public internet, and if not, what is it and what could open it?
Does not answer: which address a name has. `resolving` asks that, once.

An own table, because `ipaddress.is_global` says yes to NAT64, 6to4 and multicast addresses, behind which any address can
hide. Sources: the IANA special-purpose registries (RFC 6890 and its updates), RFC 4291, RFC 6052, RFC 8215, RFC 9637,
and the metadata addresses that cloud providers document.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Literal

__all__ = ["SPECIAL", "Address", "Network", "Special", "forbidden", "special_range"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

Opens = Literal["name", "network", "never"]


@dataclass(frozen=True, slots=True)
class Special:
    """A range that is not the public internet.

    `opens` is what lifts the refusal: "name" (the host or its network is listed), "network" (its network is listed),
    or "never".
    """

    network: Network
    what: str
    opens: Opens


def _range(network: str, what: str, opens: Opens) -> Special:
    return Special(ip_network(network), what, opens)


SPECIAL = (
    _range("0.0.0.0/8", "this network", "never"),
    _range("10.0.0.0/8", "private", "name"),
    _range("100.64.0.0/10", "shared behind carrier NAT", "name"),
    _range("100.100.100.200/32", "cloud metadata", "never"),
    _range("127.0.0.0/8", "loopback", "name"),
    _range("168.63.129.16/32", "cloud metadata", "never"),
    _range("169.254.0.0/16", "link-local, cloud metadata", "never"),
    _range("172.16.0.0/12", "private", "name"),
    _range("192.0.0.0/24", "protocol assignments, cloud metadata", "never"),
    _range("192.0.2.0/24", "documentation", "network"),
    _range("192.88.99.0/24", "6to4 relays", "never"),
    _range("192.168.0.0/16", "private", "name"),
    _range("198.18.0.0/15", "benchmarks", "network"),
    _range("198.51.100.0/24", "documentation", "network"),
    _range("203.0.113.0/24", "documentation", "network"),
    _range("224.0.0.0/4", "multicast", "never"),
    _range("240.0.0.0/4", "reserved, broadcast", "never"),
    _range("::/128", "unspecified", "never"),
    _range("::1/128", "loopback", "name"),
    _range("::/96", "IPv4 inside IPv6 (compatible)", "never"),
    _range("::ffff:0:0/96", "IPv4 inside IPv6 (mapped)", "never"),
    _range("::ffff:0:0:0/96", "IPv4 inside IPv6 (translated)", "never"),
    _range("64:ff9b::/96", "IPv4 inside IPv6 (NAT64)", "network"),
    _range("64:ff9b:1::/48", "IPv4 inside IPv6 (local NAT64)", "never"),
    _range("100::/64", "discarded", "never"),
    _range("2001::/32", "IPv4 inside IPv6 (Teredo)", "never"),
    _range("2001::/23", "protocol assignments", "network"),
    _range("2001:10::/28", "identifiers, not addresses (ORCHID)", "never"),
    _range("2001:20::/28", "identifiers, not addresses (ORCHID)", "never"),
    _range("2001:db8::/32", "documentation", "network"),
    _range("2002::/16", "IPv4 inside IPv6 (6to4)", "never"),
    _range("3fff::/20", "documentation", "network"),
    _range("5f00::/16", "segment routing", "never"),
    _range("fc00::/7", "private (unique local)", "name"),
    _range("fd00:ec2::/32", "cloud metadata", "never"),
    _range("fd20:ce::254/128", "cloud metadata", "never"),
    _range("fe80::/10", "link-local", "never"),
    _range("fec0::/10", "private (site-local)", "network"),
    _range("ff00::/8", "multicast", "never"),
)
"""The table. Where ranges overlap, the narrowest counts. IPv6 outside 2000::/3 is refused whether listed or not."""

_NARROWEST_FIRST = tuple(sorted(SPECIAL, key=lambda special: -special.network.prefixlen))
_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_UNASSIGNED = Special(IPv6Network("::/0"), "outside the assigned unicast range", "network")


def special_range(address: Address) -> Special | None:
    """The range that makes an address special; None for one on the public internet."""
    for special in _NARROWEST_FIRST:
        if address.version == special.network.version and address in special.network:
            return special
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return _UNASSIGNED
    return None


def forbidden(address: Address, *, named: bool, networks: Sequence[Network]) -> Special | None:
    """Why no request may go to an address; None if one may.

    Parameters
    ----------
    named : bool
        The rules list the host this address was found for.
    networks : sequence of networks
        The networks that the rules open. A NAT64 address is opened by its network only as far as the IPv4 address in
        it could be asked directly.
    """
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return Special(IPv6Network("fe80::/10"), "bound to one interface", "never")
    special = special_range(address)
    if special is None or special.opens == "never":
        return special
    if any(address.version == network.version and address in network for network in networks):
        if isinstance(address, IPv6Address) and address in _NAT64:
            return forbidden(IPv4Address(int(address) & 0xFFFF_FFFF), named=named, networks=networks)
        return None
    return None if named and special.opens == "name" else special
