"""A pattern of ours in the words of Python's regular expressions.

Answers: which Python pattern finds the same texts as this RE2 pattern, and where is the difference if there is one?
Does not answer: anything about Python patterns on their way in. What RE2 cannot read is refused by RE2 itself.
"""

import re
import warnings
from collections.abc import Iterator

__all__ = ["for_python"]

_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
_PART = re.compile(r"\\.|\[\^?\]?|.", re.DOTALL)


def for_python(pattern: str) -> tuple[str | None, str]:
    """The same pattern for Python, and what is different about it.

    Returns
    -------
    pattern, difference
        None if Python cannot say it. ASCII classes are written out, since Python's reach beyond ASCII.
    """
    translated = "".join(_translated(pattern))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(translated)
    except (re.error, Warning, OverflowError, RecursionError):
        return None, "Python reads it otherwise"
    said = []
    if re.search(r"(?<!\\)(?:\\\\)*\$", pattern):
        said.append("$ also matches before a line break at the end of a text")
    if re.search(r"(?<!\\)(?:\\\\)*\\[bB]", pattern):
        said.append(r"\b also knows letters beyond ASCII")
    if re.search(r"\[[^]]*\\[DWS]", pattern):
        said.append("classes such as \\W inside brackets also know letters and digits beyond ASCII")
    return translated, "; ".join(said)


def _translated(pattern: str) -> Iterator[str]:
    inside = False
    for found in _PART.finditer(pattern):
        part = found[0]
        if part[0] == "\\" and part[1:] in _CLASSES:
            yield _CLASSES[part[1:]] if inside else f"[{_CLASSES[part[1:]]}]"
        elif part[0] == "\\" and part[1:].lower() in _CLASSES and not inside:
            yield f"[^{_CLASSES[part[1:].lower()]}]"
        else:
            if part.startswith("[") and not inside:
                inside = True
            elif part == "]":
                inside = False
            yield part
