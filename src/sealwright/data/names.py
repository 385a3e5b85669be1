"""Which column names we accept. They end up in reports, terminals, URLs and signed statements.

Answers: is this list of names usable as it stands?
Does not answer: which columns a project wants. That is the contract.
"""

import difflib
import unicodedata
from collections.abc import Iterable, Sequence

from sealwright.data.errors import ColumnsUnusable

__all__ = ["MOST_COLUMNS", "check_column_names", "name_unnamed", "nearest", "printable", "safe", "shown"]

MOST_COLUMNS = 4096
_MOST_CHARACTERS = 200


def check_column_names(names: Sequence[str], *, what: str) -> tuple[str, ...]:
    """Return `names` if each is printable, not too long, and there once.

    Raises
    ------
    ColumnsUnusable
        No or too many columns, a repeated name (also one that only looks the same: NFC), control
        characters, or a name longer than 200 characters. All reasons at once.
    """
    if not names:
        raise ColumnsUnusable(f"{what} has no columns.")
    if len(names) > MOST_COLUMNS:
        raise ColumnsUnusable(f"{what} has {len(names):,} columns; at most {MOST_COLUMNS:,} are read.")
    faults: list[str] = []
    first: dict[str, int] = {}
    for place, name in enumerate(names, start=1):
        same = unicodedata.normalize("NFC", name)
        if same in first:
            faults.append(f"columns {first[same]} and {place} are both called {shown(name)}")
        first.setdefault(same, place)
        if not name or name != name.strip():
            faults.append(f"column {place} ({shown(name)}) is empty or begins or ends with a space")
        if not printable(name):
            faults.append(f"the name of column {place} ({shown(name)}) holds control characters or a line break")
        if len(name) > _MOST_CHARACTERS:
            faults.append(
                f"the name of column {place} has {len(name):,} characters, at most {_MOST_CHARACTERS} are used"
            )
    if faults:
        listed = "\n".join(f"  {fault}" for fault in faults[:20])
        raise ColumnsUnusable(f"{what} has column names we cannot use:\n{listed}\nRename them in the data.")
    return tuple(names)


def name_unnamed(names: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Header cells as names: outer spaces cut, and an empty one at place n called "column_n".

    Returns
    -------
    names, notes
        The names, and one sentence for each that is not as the file has it.
    """
    result: list[str] = []
    notes: list[str] = []
    for place, cell in enumerate(names, start=1):
        name = cell.strip(" \t")
        if not name:
            name = f"column_{place}"
            notes.append(f"column {place} has no name in the file; it is called {name} here")
        elif name != cell:
            notes.append(f"the spaces around the name of column {place} ({shown(name)}) are not part of it")
        result.append(name)
    return tuple(result), tuple(notes)


def printable(text: str) -> bool:
    """No control, format, surrogate or unassigned character, and no line break of any kind."""
    return not any(unicodedata.category(c)[0] == "C" or unicodedata.category(c) in {"Zl", "Zp"} for c in text)


def safe(text: str) -> str:
    """A text with unprintable characters as "?", so that it cannot steer a terminal."""
    return "".join(c if printable(c) else "?" for c in text)


def shown(name: str) -> str:
    """A name as it may appear in a message: quoted, short and safe."""
    return f"'{safe(name[:60])}{'…' if len(name) > 60 else ''}'"


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint ` Did you mean 'x'?`, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {shown(close[0])}?" if close else ""
