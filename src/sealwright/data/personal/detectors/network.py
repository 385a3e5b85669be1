"""Addresses of machines and of accounts on them: IP, hardware addresses, web addresses with a user or password."""

import ipaddress
import re
from collections.abc import Iterator

from sealwright.data.personal.model import Span
from sealwright.data.personal.reading import Reading

__all__ = ["find"]

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_V4 = re.compile(rf"(?<![\w.])(?:{_OCTET}\.){{3}}{_OCTET}(?![\w]|\.\d)", re.ASCII)
_V6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}+(?:(?<=:)(?:\d{1,3}\.){3}\d{1,3})?(?:%\w{1,16})?(?![\w:])", re.ASCII)
_MAC = re.compile(
    r"(?<![\w:-])(?:[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4})(?![\w:-])",
    re.ASCII,
)
_USER_INFO = re.compile(
    r"(?<![a-z0-9])[a-z][a-z0-9+.-]{1,20}://[^\s/@:?#]{1,100}(?::[^\s/@]{0,200})?@[\w.\-\[\]:]{1,260}", re.IGNORECASE
)
_SECRET = re.compile(
    r"(?<![a-z0-9])https?://[^\s?#]{1,500}[?&](?:[\w.-]{1,40}=[^\s&#]{0,200}&){0,10}"
    r"(?:user(?:name|id)?|login|email|e-mail|pass(?:word|wd)?|pwd|token|session(?:id)?|api_?key|access_token|auth)=[^\s&#]{1,500}",
    re.IGNORECASE,
)
_VERSION = re.compile(
    r"(?:\bv|version|release|build|firmware|ver\.?|rev(?:ision)?\.?|section|§|clause|chapter)[\s:=]{0,3}$"
)


def find(reading: Reading) -> Iterator[Span]:
    text = reading.text
    if text.count(".") >= 3:
        yield from _v4(reading)
    if text.count(":") >= 2:
        yield from _v6(text)
    if text.count(":") >= 5 or text.count("-") >= 5 or text.count(".") >= 2:
        yield from (Span(*match.span(), kind="mac_address") for match in _MAC.finditer(text))
    if "://" in text:
        if "@" in text:
            yield from (Span(*match.span(), kind="url_credentials") for match in _USER_INFO.finditer(text))
        if "=" in text:
            yield from (
                Span(*match.span(), kind="url_credentials", confidence="medium") for match in _SECRET.finditer(text)
            )


def _v4(reading: Reading) -> Iterator[Span]:
    """Four octets; unspecified, broadcast and loopback are nobody's, and a version is no address."""
    for match in _V4.finditer(reading.text):
        if match[0].startswith(("0.", "127.")) or match[0] == "255.255.255.255" or match[0].startswith("255.255."):
            continue
        version = _VERSION.search(reading.before(match.start(), 20))
        small = all(len(octet) == 1 for octet in match[0].split("."))
        yield Span(*match.span(), kind="ip_address", confidence="low" if version else "medium" if small else "high")


def _v6(text: str) -> Iterator[Span]:
    for match in _V6.finditer(text):
        found = match[0].rstrip(":") if match[0].endswith(":") and not match[0].endswith("::") else match[0]
        groups = found.count(":")
        if groups < 2 or (groups < 7 and "::" not in found):
            continue
        try:
            address = ipaddress.IPv6Address(found)
        except ValueError:
            continue
        if not address.is_unspecified and not address.is_loopback and len(found) > 4:
            yield Span(match.start(), match.start() + len(found), "ip_address")
