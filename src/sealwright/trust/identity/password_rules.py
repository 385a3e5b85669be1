"""Which passwords we take: long ones that are not among the first guesses. NIST SP 800-63B-4, section 3.1.1.2.

Answers: would somebody who knows what people usually choose, and whose account it is, guess this early?
Does not answer: is it in a breach somewhere? We ask no service; a person may have used it elsewhere.
There are no rules about kinds of characters and no expiry: both make passwords worse.
"""

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

from sealwright.trust.identity.common_passwords import COMMON_PARTS
from sealwright.trust.identity.errors import PasswordUnsuitable
from sealwright.trust.identity.password_hash import MOST_CHARACTERS
from sealwright.trust.unlock import Secret

__all__ = ["FEWEST_CHARACTERS", "check_password"]

FEWEST_CHARACTERS = 12
_FEWEST_LEFT = 6  # characters that remain when common parts, runs and repeats are taken out
_LONGEST_PART = max(map(len, COMMON_PARTS))
_LEET = str.maketrans("013457@$!|", "oleastasil")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop", "yxcvbnm", "abcdefghijklmnopqrstuvwxyz")
_YEAR = re.compile(r"(?:19|20)\d\d")
_SHORTEST_RUN = 3


def check_password(password: Secret, *, around: Iterable[str] = ()) -> None:
    """Return if this may be somebody's password.

    Parameters
    ----------
    around : iterable of str
        What is known about the account: the person's name, the workspace's name.

    Raises
    ------
    PasswordUnsuitable
        Shorter than 12 or longer than 256 characters (of the NFC form), not valid text, or mostly made of what
        everybody guesses first.
    """
    text = unicodedata.normalize("NFC", password.reveal()[: 4 * MOST_CHARACTERS])
    if not FEWEST_CHARACTERS <= len(text) <= MOST_CHARACTERS:
        raise PasswordUnsuitable(
            f"A password has {FEWEST_CHARACTERS} to {MOST_CHARACTERS} characters of any kind; this one has {len(text)}."
        )
    if any(unicodedata.category(character) in ("Cs", "Cc") for character in text):
        raise PasswordUnsuitable("This password holds characters that are not valid text. Type it again.")
    parts = COMMON_PARTS | _parts_of(around)
    if _left_over(text.casefold(), parts) < _FEWEST_LEFT:
        raise PasswordUnsuitable(
            "This password is one of the first that are tried: it is made of common words, names, years, or rows of keys.\n"
            "Four or five unrelated words are easy to keep and hard to guess."
        )


def _parts_of(around: Iterable[str]) -> frozenset[str]:
    """The words in names of people and workspaces that are long enough to be taken out."""
    words = (word for name in around for word in (name, *re.split(r"[^\w]+|_", name)))
    return frozenset(word.casefold() for word in words if len(word) >= _SHORTEST_RUN)


def _left_over(text: str, parts: frozenset[str]) -> int:
    """How many characters no common part covers, at the cover that leaves fewest; each repeat of a chunk counts as covered."""
    plain = text.translate(_LEET)
    longest = max(_LONGEST_PART, *map(len, parts))
    fewest = [0] * (len(text) + 1)
    for end in range(1, len(text) + 1):
        best = fewest[end - 1] + (0 if text[end - 1].isspace() or text[end - 1] in "-_.,!?*#+&" else 1)
        for start in range(max(0, end - longest), end - _SHORTEST_RUN + 1):
            if fewest[start] < best and _is_common(text[start:end], plain[start:end], parts):
                best = fewest[start]
        for size in range(1, end // 2 + 1):  # said again what was said just before
            if text[end - size : end] == text[end - 2 * size : end - size]:
                best = min(best, fewest[end - size])
        fewest[end] = best
    return fewest[len(text)]


def _is_common(chunk: str, plain: str, parts: frozenset[str]) -> bool:
    return chunk in parts or plain in parts or _is_run(chunk) or bool(_YEAR.fullmatch(chunk))


def _is_run(chunk: str) -> bool:
    """Digits or letters in a row, up or down, on the keyboard or in the alphabet: 4567, 9876, rewq, efgh."""
    if chunk.isascii() and chunk.isdigit():
        steps = {(int(b) - int(a)) % 10 for a, b in pairwise(chunk)}
        return steps in ({1}, {9}, {0})
    return any(chunk in row or chunk in row[::-1] for row in _ROWS)
