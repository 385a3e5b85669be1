"""Fetching evidence from an address a person typed: over TLS, one document, no redirect, with limits."""

import ssl
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from sealwright.kernel import InvalidInput, OperationFailed, Refused

__all__ = ["fetch"]

_MOST_BYTES = 256 << 20
_SECONDS = 30


def fetch(address: str, *, ca: Path | None = None) -> bytes:
    """The document at an https:// address.

    Raises
    ------
    Refused
        Not https, or a redirect, which could lead anywhere.
    InvalidInput
        Not an address, or the server says no.
    OperationFailed
        It cannot be reached, its certificate is not believed, or the document is too large.
    """
    parts = urlsplit(address)
    if parts.scheme != "https":
        raise Refused("Evidence is fetched over https only. Download it another way and verify the file.")
    if not parts.hostname or parts.username or parts.password:
        raise InvalidInput("Give an address like https://host/path, without a user name in it.")
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = HTTPSConnection(parts.hostname, parts.port or 443, timeout=_SECONDS, context=context)
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        if 300 <= answer.status < 400:
            raise Refused("The address answers with a redirect. Give the address of the document itself.")
        if answer.status != 200:
            raise InvalidInput(f"The server answered {answer.status} instead of the document.")
        data = answer.read(_MOST_BYTES + 1)
    except (OSError, HTTPException) as error:
        raise OperationFailed(f"The address cannot be read: {error}.") from None
    finally:
        connection.close()
    if len(data) > _MOST_BYTES:
        raise OperationFailed(f"The document is larger than {_MOST_BYTES:,} bytes.")
    return data
