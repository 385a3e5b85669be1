"""The head of a request, byte by byte: what two HTTP readers could read differently is no request of ours.

Answers: is this exactly one request head in one spelling, and how long is the body after it?
Does not answer: what the header values mean. The application asks that.

One regular expression decides (RFC 9112): CR LF ends every line and stands nowhere else, no line is folded, no space
before a colon, no control character, an address that begins with a slash; Host stands there once, Content-Length at most
once and as a number. Chunked bodies are not read, because nobody sends us a body of unknown size. Request smuggling
lives on what two readers take differently, so there is one reading. It costs about a microsecond.
"""

import re

from sealwright.serving.problems import BadRequest, LengthRequired

__all__ = ["could_become_a_head", "measured_head"]

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
