"""One writer at a time for what signers remember, whichever process they run in."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sealwright.trust.signing.errors import SignerRefused

__all__ = ["alone", "open_locked"]

_PATIENCE = 2.0  # seconds; a change takes one wait for the disk
_LOOK_AGAIN = 0.001


@contextmanager
def alone(handle: int) -> Iterator[None]:
    """Hold the lock on an open file while inside.

    Raises
    ------
    SignerRefused
        "memory.busy": another signer holds it for longer than any change takes.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= until:
                raise SignerRefused(
                    "memory.busy", "Another signer holds the memory of this log or of the releases. Try again."
                ) from None
            time.sleep(_LOOK_AGAIN)
    try:
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)


def open_locked(path: str | os.PathLike[str]) -> int:
    """Open a memory file, made 0600 if there is none."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
