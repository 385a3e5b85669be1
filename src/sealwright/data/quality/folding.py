"""Spellings that mean the same: case, spaces, width, accents typed in two ways, and letters that look alike.

Answers: would a person read these two words as one?
Does not answer: which spelling is right. The most frequent one is proposed.
"""

import re
import unicodedata

__all__ = ["folded", "looks_alike", "mixed_script"]

_SPACES = re.compile(r"[\s_\-./]+")
_LATIN_LIKE = str.maketrans(
    # Cyrillic and Greek letters that look like Latin ones in most typefaces (after Unicode TR39, by hand)
    "аеорсухіјѕԁһӏԛԝвкмнтАВЕКМНОРСТУХІЈЅԌԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορτυχϲ",
    "aeopcyxijsdhlqwbkmhtABEKMHOPCTYXIJSGQWABEZHIKMNOPTYXaikvoptuxc",
)
_SIGNS = str.maketrans(
    {"ı": "i", "ł": "l", "’": "'", "‘": "'", "`": "'", "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-"}
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


def folded(text: str) -> str:
    """A text without what a reader does not see: case, spacing, width (NFKC), invisible characters, look-alikes."""
    plain = looks_alike(unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)))
    return _SPACES.sub(" ", plain.casefold()).strip()


def looks_alike(text: str) -> str:
    """Letters of other scripts that look like Latin ones, written Latin, in words that hold Latin letters as well."""
    signs = text.translate(_SIGNS)
    return signs.translate(_LATIN_LIKE) if mixed_script(signs) else signs


def mixed_script(text: str) -> bool:
    """Whether Latin letters stand beside Cyrillic or Greek ones, or all letters of a text are look-alikes of Latin."""
    scripts = {unicodedata.name(c, "?").split(" ", 1)[0] for c in text if c.isalpha()}
    others = scripts & {"CYRILLIC", "GREEK"}
    return bool(others) and ("LATIN" in scripts)
