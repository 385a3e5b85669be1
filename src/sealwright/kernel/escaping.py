"""Text from outside, made harmless where it is shown: in a terminal, in a page, in JSON that a terminal shows.

Answers: how is somebody else's text written so that it is only text there? One function for each place.
Does not answer: for spreadsheets, see `csv_text`.
"""

import html
import json
import re
from typing import Any

__all__ = ["json_text", "page_text", "safe", "safe_html"]

_MARK = "\N{REPLACEMENT CHARACTER}"
_TURNS = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))  # would show later text in another order
_STEERS = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def safe(value: Any) -> str:
    """Text that cannot steer a terminal: control characters become a mark."""
    return "".join(c if c.isprintable() or c == "\n" else _MARK for c in str(value))


def page_text(value: Any) -> str:
    """Text without what no page may hold; `<`, `&` and quotes are still in it, for a template to escape."""
    return "".join(_MARK if _unfit(c) else c for c in str(value))


def safe_html(value: Any) -> str:
    """Text that cannot become a tag, an attribute's end or an entity; what no page may hold becomes a mark."""
    return html.escape(page_text(value), quote=True)


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """JSON in UTF-8 in which what could steer a terminal is written as an escape, so that it reads back the same."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    return _STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _unfit(c: str) -> bool:
    return c in _TURNS or "\ud800" <= c <= "\udfff" or (c < " " and c not in "\t\n\r") or "\x7f" <= c <= "\x9f"
