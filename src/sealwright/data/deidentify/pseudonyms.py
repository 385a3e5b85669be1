"""Names in place of values, and one shift of dates for each person: both from a key nobody outside the workspace has.

Answers: which name does a value have, by how many days do a person's dates move?
Does not answer: whose name is this. The way back is `vault`, where the recipe keeps one.

A name is HMAC-SHA256 (RFC 2104) over the domain and the value. Without the key neither a list of all possible values
nor a name from another project helps; with the key anybody can test a guess, so the key stays in the workspace.
"""

import hmac
from collections.abc import Sequence

from sealwright.kernel import InvalidInput

__all__ = ["pseudonyms_of", "shift_of"]

_KEY = 32


def pseudonyms_of(key: bytes, domain: str, values: Sequence[str], *, prefix: str, length: int) -> list[str]:
    """The name of each of some different values.

    Parameters
    ----------
    key : 32 bytes
    domain : str
        Values of another domain have other names.
    values : sequence of str
        Each once.
    length : int
        Hex digits after the prefix; 4 bits each.

    Raises
    ------
    InvalidInput
        Two values would have the same name: `length` is too short for so many.
    """
    head = _head(key, f"pseudonym/{domain}")
    names = [prefix + hmac.digest(key, head + value.encode(), "sha256").hex()[:length] for value in values]
    if len(set(names)) != len(names):
        raise InvalidInput(
            f"Two of {len(names):,} values got the same pseudonym of {length} hex digits. Set `length` to 32."
        )
    return names


def shift_of(key: bytes, subject: str, days: int) -> int:
    """By how many days the dates of a person move: -days to days, never 0, all equally likely."""
    head = _head(key, f"shift/{days}")
    drawn = int.from_bytes(hmac.digest(key, head + subject.encode(), "sha256")[:16], "big") % (2 * days) - days
    return drawn if drawn < 0 else drawn + 1


def _head(key: bytes, what: str) -> bytes:
    """What a name is for, with its length in front of the value, so that no two uses can be confused."""
    if len(key) != _KEY:
        raise InvalidInput(f"A key for pseudonyms is {_KEY} bytes; got {len(key)}.")
    said = what.encode()
    return len(said).to_bytes(4, "big") + said
