"""Outcomes of checks, kept until their assessment is complete, so that one that was killed goes on where it was.

Answers: what did this check find, asked in exactly this way, by exactly this code?
Does not answer: once the statements are signed; then they are the record, and nothing stays here.
Outcomes are aggregates, as statements are. They are sealed all the same: what is read back gets signed, so nobody without the
workspace's key may have written it.
"""

import shutil
from contextlib import suppress
from pathlib import Path

from sealwright.kernel import (
    InvalidInput,
    VerificationFailed,
    canonical_json,
    digest_of,
    digest_of_file,
    hex_of,
    private_folder,
    read_limited,
    write_atomically,
)
from sealwright.trust import open_sealed, seal

__all__ = ["KeptOutcomes"]

_MOST_BYTES = 64 << 20


class KeptOutcomes:
    """One private folder; a file for each check, named by the digest of all its outcome depends on."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder, self._key, self._code = folder, key, _code()

    def get(self, key: str) -> bytes | None:
        """What was kept; None where nothing was, or where it was changed: the check is carried out again."""
        place = self._place(key)
        try:
            return open_sealed(self._key, read_limited(place, _MOST_BYTES), aad=place.name.encode())
        except (InvalidInput, VerificationFailed):
            return None

    def put(self, key: str, data: bytes) -> None:
        place = self._place(key)
        private_folder(self._folder)
        write_atomically(place, seal(self._key, data, aad=place.name.encode()))

    def clear(self) -> None:
        """The assessment is on file: forget what it was made from."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self._folder)

    def _place(self, key: str) -> Path:
        return self._folder / hex_of(digest_of(canonical_json([key, self._code])))


def _code() -> str:
    """Digest of all our code: a check that was mended is carried out again."""
    root = Path(__file__).parents[1]
    return digest_of(
        canonical_json([[str(one.relative_to(root)), digest_of_file(one)] for one in sorted(root.rglob("*.py"))])
    )
