"""Names of persons told by the e-mail address in the same row: "Schmidt" beside anna.schmidt@…

Answers: which text columns hold what also stands in the local part of the row's address?
Does not answer: names of people whose address is made otherwise.
"""

import re
from collections.abc import Mapping
from typing import Any

from sealwright.data.personal.cells import CellCounts
from sealwright.data.personal.detectors.person import plain_word

__all__ = ["names_in_mail"]

_ENOUGH, _SHARE = 10, 0.2
_MOST_ROWS = 500
_BREAKS = re.compile(r"[^a-z]+")


def names_in_mail(rows: Any, counted: Mapping[str, CellCounts]) -> frozenset[str]:
    """Columns of which at least a fifth of the cells, and ten, have a word of four letters in the row's address."""
    addresses = [name for name, counts in counted.items() if counts.whole["email"] * 2 > max(1, counts.cells)]
    others = [
        name
        for name, counts in counted.items()
        if counts.name_shaped * 2 > max(1, counts.cells) and name not in addresses
    ]
    if not addresses or not others:
        return frozenset()
    part = rows.slice(0, _MOST_ROWS)
    local = [_local(cell) for cell in part.column(addresses[0]).to_pylist()]
    found = set()
    for name in others:
        pairs = [
            (_words(cell), mail)
            for cell, mail in zip(part.column(name).to_pylist(), local, strict=True)
            if cell and mail
        ]
        same = sum(any(word in mail for word in words) for words, mail in pairs)
        if same >= max(_ENOUGH, _SHARE * len(pairs)):
            found.add(name)
    return frozenset(found)


def _local(cell: str | None) -> str:
    return plain_word((cell or "").partition("@")[0]) if "@" in (cell or "") else ""


def _words(cell: str) -> list[str]:
    return [word for word in _BREAKS.split(plain_word(cell)) if len(word) >= 4]
