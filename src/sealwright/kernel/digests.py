"""SHA-256 digests, always written "sha256:<64 hex>"."""

import hashlib
import re
from pathlib import Path

from sealwright.kernel.errors import InvalidInput

__all__ = ["Sha256", "digest_of", "digest_of_file", "hex_of"]

_WANTED = "a digest looks like sha256:<64 lower-case hex digits>; got {0!r}"
_SHAPE = re.compile(r"sha256:[0-9a-f]{64}")
_CHUNK = 1 << 20


class Sha256:
    """A running digest, for what does not fit in memory."""

    def __init__(self) -> None:
        self._state = hashlib.sha256()

    def update(self, data: bytes | memoryview) -> None:
        self._state.update(data)

    def digest(self) -> str:
        return "sha256:" + self._state.hexdigest()


def digest_of(data: bytes) -> str:
    """Digest of `data` as "sha256:<hex>"."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest_of_file(path: Path) -> str:
    """Digest of a file's bytes, read in chunks.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    running = Sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            running.update(chunk)
    return running.digest()


def hex_of(digest: str) -> str:
    """The 64 hex digits of a digest.

    Raises
    ------
    InvalidInput
        Not "sha256:" followed by 64 lower-case hex digits.
    """
    if not _SHAPE.fullmatch(digest):
        raise InvalidInput(_WANTED.format(digest[:80]))
    return digest[7:]
