"""The head of a request, byte by byte: what two HTTP readers could read differently is no request of ours.

Answers: is this exactly one request head in one spelling, and how long is the body after it?
Does not answer: what the header values mean. The application asks that.

One regular expression decides (RFC 9112): CR LF ends every line and stands nowhere else, no line is folded, no space
before a colon, no control character, an address that begins with a slash; Host stands there once, Content-Length at most
once and as a number. Chunked bodies are not read, because nobody sends us a body of unknown size. Request smuggling
lives on what two readers take differently, so there is one reading. It costs about a microsecond.
"""

import re
from typing import NamedTuple

from sealwright.serving.problems import BadRequest, LengthRequired

__all__ = ["QuickHead", "could_become_a_head", "measured_head", "quick_head"]

_HEAD = re.compile(
    rb"""
    [A-Z]{1,20} [ ] / [!-~]*+ [ ] HTTP/1\.[01] \r\n                   # method, an address of ours, version
    (?:
      (?i:host):              (?(1)(?!)) ()                                  [\t -~\x80-\xff]*+ \r\n  # (?(1)(?!)): not again
    | (?i:content-length):    (?(2)(?!)) [\t ]*+ ([0-9]{1,15}) [\t ]*+                      \r\n
    | (?i:transfer-encoding): (?(3)(?!)) [\t ]*+ (chunked)    [\t ]*+                      \r\n
    | (?! (?i:host|content-length|transfer-encoding): )
      [!\#$%&'*+.^_`|~0-9A-Za-z-]++:                                       [\t -~\x80-\xff]*+ \r\n
    )++
    \r\n
    """,
    re.VERBOSE,
)


_QUICK = re.compile(
    rb"""
    POST [ ] (/[!-~]*+) [ ] HTTP/1\.1 \r\n
    (?:
      (?i:host):                (?(2)(?!)) [ ]? ([!-~]++)                            \r\n
    | (?i:content-length):      (?(3)(?!)) [ ]? ([0-9]{1,7})                         \r\n
    | (?i:authorization):       (?(4)(?!)) [ ]? ([!-~]++(?:[ ][!-~]++)*+)            \r\n
    | (?i:content-type):        (?(5)(?!)) [ ]? (application/json)                   \r\n
    | (?i:sealwright-person):   (?(6)(?!)) [ ]? ([!-~]++)                            \r\n
    | (?i:connection):                     [ ]? (?i:keep-alive)                      \r\n
    | (?! (?i: host | content- | authorization | sealwright- | connection | transfer-encoding | expect | upgrade | te
             | trailer | inference-header- | sec-gpc | accept:[^\r]*(?:arrow|csv) ) )
      [!\#$%&'*+.^_`|~0-9A-Za-z-]++:                        [\t -~\x80-\xff]*+ \r\n
    )++
    \r\n
    """,
    re.VERBOSE,
)
"""The heads of nearly all predictions, a part of what `_HEAD` lets through, taken apart in the same microsecond."""


class QuickHead(NamedTuple):
    """What a usual request announces; the values as they were sent, without the spaces around them."""

    path: bytes
    host: bytes
    length: int
    authorization: bytes
    person: bytes  # b"" where it is not named


def quick_head(data: bytes, end: int) -> QuickHead | None:
    """The head in `data[:end]`, if it is that of a usual prediction: JSON, on a connection that goes on. None: look closer."""
    found = _QUICK.fullmatch(data, 0, end)
    if found is None:
        return None
    path, host, length, authorization, kind, person = found.groups()
    if host is None or length is None or authorization is None or kind is None:
        return None
    return QuickHead(path, host, int(length), authorization, person or b"")


def measured_head(head: bytes) -> int:
    """How many bytes of body follow a head, which ends with an empty line.

    Raises
    ------
    BadRequest
        It is not one head in one spelling.
    LengthRequired
        It is, and announces a chunked body.
    """
    found = _HEAD.fullmatch(head)
    if found is None or found[1] is None:
        raise BadRequest
    if found[3] is not None:
        raise (
            BadRequest
            if found[2] is not None
            else LengthRequired("Chunked bodies are not read. Send a Content-Length.")
        )
    return int(found[2] or 0)


def could_become_a_head(begun: bytes) -> bool:
    """Whether more bytes can make a head of what came so far. Only a look, so that nonsense need not be waited for."""
    return begun[:1].isupper() and begun.count(b"\n") == begun.count(b"\r\n")
