"""Text from outside, made harmless where it is shown: in a terminal, and in a page."""

import html
from typing import Any

__all__ = ["safe", "safe_html"]

_MARK = "\N{REPLACEMENT CHARACTER}"
_TURNS = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))  # would show later text in another order


def safe(value: Any) -> str:
    """Text that cannot steer a terminal: control characters become a mark."""
    return "".join(c if c.isprintable() or c == "\n" else _MARK for c in str(value))


def safe_html(value: Any) -> str:
    """Text that cannot become a tag, an attribute's end or an entity; what no page may hold becomes a mark."""
    return html.escape("".join(_MARK if _unfit(c) else c for c in str(value)), quote=True)


def _unfit(c: str) -> bool:
    return c in _TURNS or "\ud800" <= c <= "\udfff" or (c < " " and c not in "\t\n\r") or "\x7f" <= c <= "\x9f"
