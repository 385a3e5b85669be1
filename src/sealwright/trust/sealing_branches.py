"""The secrets of the branches that encrypt, by version: those on disk, and one that is about to be.

Answers: which versions are there, and from which moment on does a new one count?
Does not answer: where they come from. `key_folder` opened them; `handing_over` brings the next.

A version that was handed over waits for its file in the keys folder, and counts from the moment that very file is there: a rotation
that died before leaves nothing that others could not open.
"""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sealwright.kernel import Conflict, NotFound
from sealwright.trust.key_files import branch_file

__all__ = ["Handed", "SealingBranches", "file_digest", "is_on_disk"]


@dataclass(frozen=True, slots=True)
class Handed:
    """One version of a branch, or of what is derived from it, and the digest of the file that holds it."""

    version: int
    key: bytes = field(repr=False)
    file: bytes = field(repr=False)


class SealingBranches:
    """The branches of one workspace. Safe to use from many threads."""

    def __init__(self, folder: Path, branches: Mapping[str, Mapping[int, bytes]]) -> None:
        self._folder, self._alone = folder, threading.Lock()
        self._known = {name: dict(sorted(found.items())) for name, found in branches.items()}
        self._waiting: dict[str, Handed] = {}

    def of(self, branch: str) -> Mapping[int, bytes]:
        """Every version that counts, oldest first; the last one is in use."""
        if branch in self._waiting:
            self._take_up(branch)
        return self._known[branch]

    def hold(self, branch: str, handed: Handed) -> None:
        """Keep the next version until its file is there; another one that waited is forgotten.

        Raises
        ------
        Conflict
            It is not the version after the newest.
        """
        newest = max(self.of(branch))
        if handed.version != newest + 1:
            raise Conflict(f"Version {handed.version} of {branch!r} was handed over; version {newest} is in use.")
        with self._alone:
            self._waiting[branch] = handed

    def handed(self, branch: str, version: int) -> Handed:
        """A version and the digest of its file, whether that is there or about to be.

        Raises
        ------
        NotFound
            There is no such version.
        """
        waiting = self._waiting.get(branch)
        if waiting is not None and waiting.version == version:
            return waiting
        secret, digest = self.of(branch).get(version), file_digest(self._folder, branch, version)
        if secret is None or digest is None:
            raise NotFound(f"There is no version {version} of the key branch {branch!r}.")
        return Handed(version, secret, digest)

    def is_behind(self, branch: str) -> bool:
        """Whether a newer version is on disk, and neither known nor waiting."""
        newest = max(self.of(branch))
        return branch not in self._waiting and branch_file(self._folder, branch, newest + 1).exists()

    def clear(self) -> None:
        """Forget everything."""
        with self._alone:
            self._known.clear()
            self._waiting.clear()

    def __bool__(self) -> bool:
        return bool(self._known)

    def _take_up(self, branch: str) -> None:
        """Put the version to use that waits, if its file is there; forget it if the file is another's."""
        with self._alone:
            waiting = self._waiting.get(branch)
            found = None if waiting is None else is_on_disk(self._folder, branch, waiting)
            if waiting is None or found is None:
                return
            del self._waiting[branch]
            if found:
                self._known[branch] = {**self._known[branch], waiting.version: waiting.key}


def is_on_disk(folder: Path, branch: str, handed: Handed) -> bool | None:
    """Whether the file of a version is the one that was announced; None while there is none."""
    digest = file_digest(folder, branch, handed.version)
    return None if digest is None else digest == handed.file


def file_digest(folder: Path, branch: str, version: int) -> bytes | None:
    """SHA-256 of the file of a version; None where there is none."""
    try:
        return hashlib.sha256(branch_file(folder, branch, version).read_bytes()).digest()
    except OSError:
        return None
