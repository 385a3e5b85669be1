"""Who gets which arm: a keyed hash of whom a request is about, so that the same person always gets the same one.

Answers: which of up to three arms is it for this person, or for this request where nobody is named?
Does not answer: how large the parts are. The signed pointer says so.

The first challenger has the places from 0 upward, the second those from the top downward, the champion what lies between.
So a challenger whose part grows takes from the champion only: whoever has a challenger already keeps it.
"""

import hashlib
from collections.abc import Sequence

from sealwright.trust import WHOLE

__all__ = ["Split"]

_DIGEST_BYTES = 8  # 2**64 is no multiple of 10,000: the places differ in likelihood by less than 10**-15


class Split:
    """The arms of one pointer by their shares. `arm_of` takes about a microsecond; of a body, one more for each kilobyte."""

    __slots__ = ("_first", "_of_bodies", "_of_persons", "_second")

    def __init__(self, salt: bytes, shares: Sequence[int]) -> None:
        """`shares`: of the champion, then of up to two challengers, in 1/10,000; they add up to 10,000."""
        self._first = shares[1] if len(shares) > 1 else 0
        self._second = WHOLE - (shares[2] if len(shares) > 2 else 0)
        self._of_persons = hashlib.blake2b(key=salt, digest_size=_DIGEST_BYTES, person=b"arm of person")
        self._of_bodies = hashlib.blake2b(key=salt, digest_size=_DIGEST_BYTES, person=b"arm of body")

    def arm_of(self, person: str, body: bytes) -> int:
        """0 for the champion, 1 and 2 for the challengers. `person`: "" where the caller names nobody."""
        if person:
            found = self._of_persons.copy()
            found.update(person.encode())
        else:
            found = self._of_bodies.copy()
            found.update(body)
        place = int.from_bytes(found.digest(), "big") % WHOLE
        return 1 if place < self._first else 2 if place >= self._second else 0
