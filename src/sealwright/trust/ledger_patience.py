"""Waiting for the checkpoint that a writer owes: within `PROMISE_SECONDS` it covers what was promised.

Answers: may what was answered a moment ago be looked up now? After this wait, yes.
Does not answer: who reads a ledger whose writer is gone. Then no checkpoint comes, and the newest one counts.
"""

import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

from sealwright.kernel import SealwrightError
from sealwright.trust.ledger_file import LedgerPaths
from sealwright.trust.ledger_open import newest_checkpoint
from sealwright.trust.ledger_packed import open_entries
from sealwright.trust.promises import PROMISE_SECONDS
from sealwright.trust.public_keys import PublicKey

__all__ = ["wait_for_checkpoint"]

_CHUNK = 64 << 10
_LOOK_SECONDS = 0.02
_INDEX = re.compile(rb'"i":([0-9]{1,17}),"prev":"sha256:')


def wait_for_checkpoint(
    folder: Path, *, origin: str, keys: Sequence[PublicKey], seconds: float = 2 * PROMISE_SECONDS
) -> bool:
    """Wait until the newest checkpoint covers every whole entry that the ledger in `folder` has now.

    Returns
    -------
    bool
        Whether it does; False after `seconds` without it.

    Raises
    ------
    VerificationFailed
        The newest checkpoint does not hold.
    """
    paths = LedgerPaths(folder)
    wanted, until = _entries_in(paths.entries), time.monotonic() + seconds
    while True:
        newest, _ = newest_checkpoint(paths, keys, origin)
        if newest is not None and newest.head.size >= wanted:
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(_LOOK_SECONDS)


def _entries_in(path: Path) -> int:
    """How many whole entries the file has, as its last one says."""
    try:
        with open_entries(path, buffer=_CHUNK) as file:
            end = file.seek(0, os.SEEK_END)
            tail = b""
            while end and tail.count(b"\n") < 2 + (not tail.endswith(b"\n")):
                start = max(0, end - max(_CHUNK, len(tail)))
                file.seek(start)
                tail, end = file.read(end - start) + tail, start
    except (OSError, SealwrightError):
        return 0
    lines = tail[: tail.rfind(b"\n") + 1].split(b"\n")
    found = _INDEX.search(lines[-2].partition(b"\t")[0]) if len(lines) > 1 else None
    return int(found[1]) + 1 if found else 0
