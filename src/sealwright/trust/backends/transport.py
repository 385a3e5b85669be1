"""Which address a service that holds keys may have: TLS, or this very machine."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from sealwright.kernel import InvalidInput

__all__ = ["checked_address"]


def checked_address(url: str, *, what: str) -> str:
    """`url`, if what is sent there cannot be read on the way.

    Raises
    ------
    InvalidInput
        Not https (plain http is for loopback only), or with a user, password, query or fragment in it.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidInput(f"The address of {what} must be like https://vault.example.org:8200; got {url[:100]!r}.")
    if parts.scheme == "https" or (parts.scheme == "http" and _loopback(host)):
        return url.rstrip("/")
    raise InvalidInput(f"{what} must be reached over https; got {url[:100]!r}. Plain http is for this machine only.")


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
