"""Fetching evidence from an address a person typed: over TLS, one document, no redirect, with limits."""

from pathlib import Path

from sealwright.engines import Outbound, OutboundRules, read_destination
from sealwright.kernel import InvalidInput

__all__ = ["fetch"]

_MOST_BYTES = 256 << 20
_CONNECT_SECONDS, _TOTAL_SECONDS = 30.0, 600.0


def fetch(address: str, *, ca: Path | None = None) -> bytes:
    """The document at an https:// address. Who typed it may mean a host inside, on any port.

    Raises
    ------
    OutboundRefused
        Not https, an address that could be read in two ways, a metadata service, or a redirect, which could lead anywhere.
    InvalidInput
        The server says no.
    OutboundFailed
        It cannot be reached, its certificate is not believed, or the document is too large.
    """
    typed = read_destination(address)
    host = f"[{typed.host}]" if ":" in typed.host else typed.host
    rules = OutboundRules(
        hosts=frozenset({host}),
        only=frozenset({host}),
        ports=frozenset({typed.port}),
        ca_file=ca,
        connect_seconds=_CONNECT_SECONDS,
        total_seconds=_TOTAL_SECONDS,
        most_bytes=_MOST_BYTES,
    )
    answer = Outbound(rules).request(address, headers={"Accept": "application/json"})
    if answer.status != 200:
        raise InvalidInput(f"The server answered {answer.status} instead of the document.")
    return answer.body
