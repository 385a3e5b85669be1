"""Names people choose, and ids we make."""

import re
import secrets
import unicodedata
from collections.abc import Callable

from sealwright.kernel.errors import InvalidInput

__all__ = ["check_name", "new_id", "new_ids"]

_RANDOM = 12  # bytes of an id
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")


def new_id(prefix: str, random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """An id such as "run_6f0c…": the prefix and 96 random bits in hex."""
    return f"{prefix}_{random(_RANDOM).hex()}"


def new_ids(prefix: str, count: int) -> list[str]:
    """As many ids, from one draw: the kernel is asked once, which is most of what an id costs."""
    drawn = secrets.token_bytes(_RANDOM * count).hex()
    return [f"{prefix}_{drawn[at : at + 2 * _RANDOM]}" for at in range(0, len(drawn), 2 * _RANDOM)]


def check_name(name: str, *, what: str) -> str:
    """Return `name` if it is safe in paths, URLs and terminals.

    Raises
    ------
    InvalidInput
        Not 1 to 64 of a-z, 0-9, dot, dash, underscore, starting and ending with a letter or digit.
    """
    if _NAME.fullmatch(name) and ".." not in name:
        return name
    shown = "".join(c if unicodedata.category(c)[0] != "C" else "?" for c in name[:80])
    raise InvalidInput(
        f"{shown!r} is not a usable {what} name.\n"
        "Use 1 to 64 of a-z, 0-9, dot, dash and underscore, starting and ending with a letter or digit."
    )
