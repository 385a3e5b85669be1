"""E-mail addresses, also written `name (at) host (dot) tld`."""

import re
from collections.abc import Iterator

from sealwright.data.personal.model import Span
from sealwright.data.personal.reading import Reading

__all__ = ["find"]

_LOCAL = re.compile(r"(?<![\w.!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}\Z")
_TRIM = ".'`{|}=*/&-"
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})")
_FILES = frozenset(
    [
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "bmp",
        "ico",
        "js",
        "ts",
        "css",
        "pdf",
        "txt",
        "csv",
        "json",
        "xml",
        "zip",
    ]
)
_SPELT = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}\s?[\[({<]\s?(?:at|arroba|chiocciola)\s?[\])}>]\s?"
    r"[\w-]{1,63}(?:(?:\.|\s?[\[({<]\s?(?:dot|punkt|punto|point)\s?[\])}>]\s?)[\w-]{2,63}){1,5}",
    re.IGNORECASE,
)
_MARK = re.compile(r"[\[({<]\s?(?:at|arroba|chiocciola)\s?[\])}>]", re.IGNORECASE)


def find(reading: Reading) -> Iterator[Span]:
    """Every `@` with a name before it and a host with a top-level domain after it (RFC 5321 lengths)."""
    text = reading.text
    place = text.find("@")
    while place >= 0:
        start = _start_of_local(text, place)
        domain = _DOMAIN.match(text, place + 1)
        if start < place and domain and domain[0].rpartition(".")[2].lower() not in _FILES:
            yield Span(start, domain.end(), "email", "low" if _is_remote(text, start, domain.end()) else "high")
        place = text.find("@", place + 1)
    if _MARK.search(text):
        for match in _SPELT.finditer(text):
            yield Span(match.start(), match.end(), "email", "medium")


def _start_of_local(text: str, at: int) -> int:
    found = _LOCAL.search(text[max(0, at - 64) : at])
    return at if found is None else at - len(found[0].lstrip(_TRIM))


def _is_remote(text: str, start: int, end: int) -> bool:
    """`git@host.tld:path` names a machine, nobody."""
    return text[start : start + 4] == "git@" and text[end : end + 1] in {":", "/"}
