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
    start = _start(key, f"pseudonym/{domain}")
    names = []
    for value in values:
        mac = start.copy()
        mac.update(value.encode())
        names.append(prefix + mac.hexdigest()[:length])
    if len(set(names)) != len(names):
        raise InvalidInput(
            f"Two of {len(names):,} values got the same pseudonym of {length} hex digits. Set `length` to 32."
        )
    return names


def shift_of(key: bytes, subject: str, days: int) -> int:
    """By how many days the dates of a person move: -days to days, never 0, all equally likely."""
    mac = _start(key, f"shift/{days}")
    mac.update(subject.encode())
    drawn = int.from_bytes(mac.digest()[:16], "big") % (2 * days) - days
    return drawn if drawn < 0 else drawn + 1


def _start(key: bytes, what: str) -> hmac.HMAC:
    """An HMAC that has taken in what it is for, with its length, so that no two uses can be confused."""
    if len(key) != _KEY:
        raise InvalidInput(f"A key for pseudonyms is {_KEY} bytes; got {len(key)}.")
    said = what.encode()
    return hmac.new(key, len(said).to_bytes(4, "big") + said, "sha256")
