"""Where a request comes from: which network counts as one source, and which is this machine."""

import ipaddress

__all__ = ["is_loopback", "network_of"]


def network_of(source: str) -> str:
    """What counts as one source: an IPv4 address, or the /64 network of an IPv6 address, which one household has."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source[:64]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))


def is_loopback(source: str) -> bool:
    """Whether a request comes from this machine, by the address of its peer."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
