"""Which keys of a workspace count at this moment, for a program that goes on for days.

Answers: by which keys must something be signed, which CAs count, now that some were replaced or withdrawn since the start?
Does not answer: what was signed. Whoever asks checks that.
"""

import contextlib
import threading
import time

from sealwright.kernel import VerificationFailed
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import KEY_LIST, TrustRoot, standing_cas

__all__ = ["StandingKeys"]

_TRIES, _BETWEEN = 4, 0.05  # a rotation of the authority replaces two files, one after the other


class StandingKeys:
    """The keys without those that were withdrawn; read again when a key was replaced or withdrawn. For many threads."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._alone = workspace, threading.Lock()
        self._seen: tuple[TrustRoot, object] | None = None
        self._standing: TrustRoot | None = None

    def root(self) -> TrustRoot:
        """By which keys something must be signed that is believed now.

        Raises
        ------
        VerificationFailed
            The list of revoked keys is missing, older than one seen before, or not ours.
        """
        found = self._now()
        return self._workspace.standing_root if found is None else found

    def cas(self) -> frozenset[str]:
        """The keys of the CAs, as PEM texts; none where that cannot be known, so that no certificate opens anything."""
        found = self._now()
        return frozenset() if found is None else standing_cas(found)

    def _now(self) -> TrustRoot | None:
        """None where it cannot be known."""
        with self._alone:
            root, listed = self._workspace.trust_root, self._listed()
            if self._seen is None or self._seen[0] is not root or self._seen[1] != listed:
                self._standing, self._seen = self._read(), (root, listed)
            return self._standing

    def _listed(self) -> object:
        """What tells, when it changes, that there is another list of revoked keys."""
        with contextlib.suppress(OSError):
            found = (self._workspace.home / KEY_LIST).stat()
            return found.st_mtime_ns, found.st_size, found.st_ino
        return None

    def _read(self) -> TrustRoot | None:
        for _ in range(_TRIES):
            with contextlib.suppress(VerificationFailed):
                return self._workspace.standing_root
            time.sleep(_BETWEEN)
        return None
