"""The trust root as it moves on while a program runs: step by signed step, and never back.

Answers: which keys does this workspace have now, to somebody who trusted it when the program began?
Does not answer: which of them were withdrawn. `key_revocation.heed` takes those away.

A chain that is missing, cut, older or forged changes nothing: what was believed before still is. A look costs one `stat`.
"""

import contextlib
import threading
from pathlib import Path

from sealwright.kernel import SealwrightError
from sealwright.trust.trust_chain import follow_chain, read_chain
from sealwright.trust.trust_root import TrustRoot

__all__ = ["FollowedRoot"]


class FollowedRoot:
    """A trust root and the file with the steps from it. Safe to use from many threads."""

    def __init__(self, trust_root: TrustRoot, chain: Path) -> None:
        self._root, self._chain = trust_root, chain
        self._alone = threading.Lock()
        self._seen: tuple[int, int, int] | None = None

    @property
    def now(self) -> TrustRoot:
        """The newest trust root that follows from the one before."""
        mark = self._mark()
        if mark != self._seen:
            with self._alone:  # whoever comes meanwhile waits: what it was seen to be is said once it is known
                if mark != self._seen:
                    with contextlib.suppress(SealwrightError, OSError):
                        self._root = follow_chain(self._root, read_chain(self._chain))[0]
                    self._seen = mark
        return self._root

    def _mark(self) -> tuple[int, int, int] | None:
        try:
            found = self._chain.lstat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
