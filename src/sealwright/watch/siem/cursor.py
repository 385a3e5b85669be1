"""How far one receiver has been sent one ledger, durably, and in such a way that another history is noticed.

Answers: which entry comes next for this receiver, and is the ledger still the one it was?
"""

from dataclasses import dataclass
from pathlib import Path

from sealwright.kernel import (
    InvalidInput,
    VerificationFailed,
    canonical_json,
    read_limited,
    strict_json,
    write_atomically,
)

__all__ = ["Cursor", "CursorFile"]

_MOST_BYTES = 4096
_FIELDS = {"format", "type", "origin", "next", "last"}
_TYPE = "sealwright.cursor"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Entries before `next` have arrived; `last` is the digest of the leaf before it, "" at the beginning."""

    origin: str
    next: int = 0
    last: str = ""


class CursorFile:
    """One cursor in one file."""

    def __init__(self, path: Path, origin: str) -> None:
        self._path, self._origin = path, origin

    def read(self) -> Cursor:
        """The cursor as it was kept, or a new one at the beginning.

        Raises
        ------
        VerificationFailed
            The file is damaged or of another ledger. Sending anew from the beginning is decided by a person.
        """
        if not self._path.exists():
            return Cursor(self._origin)
        link = self._path.name
        try:
            value = strict_json(read_limited(self._path, _MOST_BYTES), what=link)
            good = isinstance(value, dict) and set(value) == _FIELDS and (value["format"], value["type"]) == (1, _TYPE)
            if not good or type(value["next"]) is not int or value["next"] < 0 or not isinstance(value["last"], str):
                raise InvalidInput("other fields")
        except InvalidInput as error:
            raise VerificationFailed(
                f"The cursor {link} cannot be read ({error}). Remove it to send everything again; receivers drop what they have.",
                link=link,
            ) from None
        if value["origin"] != self._origin:
            raise VerificationFailed(
                f"The cursor {link} is of {value['origin']}, the ledger is {self._origin}.", link=link
            )
        return Cursor(self._origin, value["next"], value["last"])

    def keep(self, cursor: Cursor) -> None:
        """Write the cursor, durably and at once or not at all."""
        write_atomically(
            self._path,
            canonical_json(
                {"format": 1, "type": _TYPE, "origin": cursor.origin, "next": cursor.next, "last": cursor.last}
            ),
        )
