"""The library of a token's maker: code that is loaded into our process, so it is looked at first."""

import os
import stat
from pathlib import Path

from sealwright.trust.backends.errors import BackendRefused, BackendUnavailable

__all__ = ["refuse_loose_library"]


def refuse_loose_library(library: Path) -> None:
    """Return if nobody but root and we can change the library.

    Raises
    ------
    BackendUnavailable
        There is none.
    BackendRefused
        Others can write to it, or it belongs to somebody else.
    """
    try:
        found = library.stat()
    except OSError as error:
        raise BackendUnavailable(f"The library {library} of the token is not there ({error.strerror}).") from None
    owned = found.st_uid in (0, os.geteuid())
    if not stat.S_ISREG(found.st_mode) or not owned or found.st_mode & 0o022:
        raise BackendRefused(
            f"The library {library} of the token could be replaced by others: it must be a file of root or ours, and "
            f"writable for nobody else.\nClose it with: chmod go-w {library}"
        )
