"""Syslog messages (RFC 5424), framed for TLS by octet counting (RFC 5425).

Facility 13 (log audit). MSGID is the action; the element `meta` carries the index as sequenceId; the message is JSON or CEF.
We have no private enterprise number, so only the elements that IANA registered are used.
"""

import re
from datetime import UTC

from sealwright.kernel import VERSION
from sealwright.watch.seen import Seen

__all__ = ["frame", "syslog_of"]

_AUDIT = 13
_NOTICE, _WARNING = 5, 4
_MOST_SEQUENCE = 2**31 - 1  # RFC 5424, section 7.3.1
_NOT_ASCII = re.compile(r"[^\x21-\x7e]")
_BOM = b"\xef\xbb\xbf"


def syslog_of(seen: Seen, text: str, *, host: str) -> bytes:
    """One syslog message with `text` as its content."""
    priority = _AUDIT * 8 + (_NOTICE if seen.outcome == "done" else _WARNING)
    at = seen.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    sequence = seen.index % _MOST_SEQUENCE + 1
    data = f'[meta sequenceId="{sequence}"][origin software="sealwright" swVersion="{_parameter(VERSION)}"]'
    head = f"<{priority}>1 {at} {_name(host, 255)} sealwright - {_name(seen.action, 32)} {data} "
    return head.encode("ascii") + _BOM + text.encode("utf-8", "replace")


def frame(message: bytes) -> bytes:
    """A message as it goes over a connection: its length in octets, a space, the message."""
    return b"%d %b" % (len(message), message)


def _name(text: str, longest: int) -> str:
    return _NOT_ASCII.sub("_", text)[:longest] or "-"


def _parameter(text: str) -> str:
    """RFC 5424, section 6.3.3: quotation mark, backslash and closing bracket are escaped."""
    return re.sub(r'(["\\\]])', r"\\\1", _NOT_ASCII.sub("_", text))
