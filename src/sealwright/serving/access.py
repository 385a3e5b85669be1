"""The access list as the serving process holds it: what was taken back, and which API keys hold.

How it fails, on purpose:

- At start, a list that does not verify, or is older than one seen before, means no start.
- While serving, a list that goes missing, back or bad changes nothing for 30 seconds: the one in force was verified, and
  somebody may be copying the file in place. The server reports itself not ready at once, so that traffic goes elsewhere.
- After that nobody is let in: what was taken back meanwhile cannot be known.

A look costs one `lstat`; reading and verifying is done on a thread, only when the file has changed.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sealwright.kernel import Clock, SealwrightError, VerificationFailed, read_limited
from sealwright.serving.problems import NotReady
from sealwright.serving.state import Remembered
from sealwright.trust import EMPTY_ACCESS, AccessList, PublicKey, verify_access_list

__all__ = ["GRACE_SECONDS", "AccessWatch"]

GRACE_SECONDS = 30.0

_MOST_BYTES = 32 << 20
_Note = Callable[[str, str, Mapping[str, object]], None]


class AccessWatch:
    """Watches one file. `refresh` runs on one thread at a time; `current` on another."""

    def __init__(
        self,
        path: Path,
        keys: Callable[[], Sequence[PublicKey]],
        workspace: str,
        *,
        state: Remembered,
        clock: Clock,
        note: _Note,
        at_least: int = 0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keys`: those of branch "tokens" at this moment. `at_least`: the sequence that whoever starts the server knows of."""
        self._path, self._keys, self._workspace = path, keys, workspace
        self._state, self._clock, self._note, self._monotonic = state, clock, note, monotonic
        self._at_least = at_least
        self._list = EMPTY_ACCESS
        self._why, self._bad_since = "", 0.0
        self._seen: object = None

    def start(self) -> None:
        """Take the list there is.

        Raises
        ------
        VerificationFailed
            It does not verify, is older than one seen before, or is gone.
        """
        self._seen = _mark(self._path)
        self._list = self._read()

    def changed(self) -> bool:
        """Is there something to read? Cheap."""
        return bool(self._why) or _mark(self._path) != self._seen

    def refresh(self) -> None:
        """Read the file again. Never raises for what it finds."""
        self._seen = _mark(self._path)
        before = self._why
        try:
            found = self._read()
        except (SealwrightError, OSError) as error:
            if not before:
                self._bad_since = self._monotonic()
            code = error.code if isinstance(error, SealwrightError) else "the state cannot be written"
            self._why = f"{code} access"
            if self._why != before:
                self._note("serving.access_refused", "", {"reason": self._why, "sequence": self._list.sequence})
            return
        if found.sequence != self._list.sequence:
            self._note("serving.access_taken", "", {"sequence": found.sequence})
        self._list, self._why = found, ""

    def current(self) -> AccessList:
        """The list that counts now; another object whenever it changed.

        Raises
        ------
        NotReady
            It could not be relied on for longer than the grace.
        """
        if self._why and self._monotonic() - self._bad_since > GRACE_SECONDS:
            raise NotReady
        return self._list

    def not_ready(self) -> str:
        """Why traffic should go elsewhere, or ""."""
        return self._why

    def _read(self) -> AccessList:
        """Verify the list, and remember its sequence before acting on it."""
        least = max(self._state.now.access, self._at_least)
        if least == 0 and not self._path.exists():
            return EMPTY_ACCESS  # nothing was ever listed here
        try:
            data = read_limited(self._path, _MOST_BYTES)
        except SealwrightError as error:
            raise VerificationFailed(str(error), link="access") from None
        found = verify_access_list(data, self._keys(), self._workspace, at_least=least, clock=self._clock)
        self._state.change(access=found.sequence)
        return found


def _mark(path: Path) -> object:
    try:
        found = path.lstat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
