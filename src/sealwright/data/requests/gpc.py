"""Global Privacy Control: a browser says for its user that their data may not be sold or shared.

Answers: does this request carry the signal, and how does a site say that it honours it?
Does not answer: who the user is. The door that knows an account suppresses it, too.
W3C, Global Privacy Control: the header `Sec-GPC` with the value 1, and the resource /.well-known/gpc.json.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

__all__ = ["GPC_PATH", "gpc_document", "gpc_opt_out"]

GPC_PATH = "/.well-known/gpc.json"


def gpc_opt_out(headers: Mapping[str, str] | Iterable[tuple[bytes | str, bytes | str]]) -> bool:
    """Whether a request carries the signal: a header Sec-GPC whose value is exactly 1.

    Parameters
    ----------
    headers : mapping or iterable of pairs
        As a dictionary, or as ASGI hands them over. Names in any case; repeated headers are each looked at.
    """
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return any(_text(name).lower() == "sec-gpc" and _text(value) == "1" for name, value in pairs)


def gpc_document(updated: date) -> dict[str, Any]:
    """What /.well-known/gpc.json answers: the signal is honoured here since `updated`."""
    return {"gpc": True, "lastUpdate": updated.isoformat()}


def _text(value: bytes | str) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
