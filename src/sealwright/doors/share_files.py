"""Shares of the root as files: one each, for nobody's eyes but who is given it."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sealwright.kernel import Conflict, InvalidInput, Refused, fsync_folder, private_folder, read_limited
from sealwright.trust import Share, check_together, read_share

__all__ = ["read_shares", "refuse_existing", "write_shares"]

_MOST_BYTES = 4096
_MARK = "sealwright-share-"


def refuse_existing(folder: Path, count: int) -> None:
    """Refuse before anything is split, so that no set of shares is recorded that nobody got."""
    private_folder(folder)
    there = [path.name for path in (folder / _name(index, count) for index in range(1, count + 1)) if path.exists()]
    if there:
        raise Conflict(f"{folder} holds shares already ({', '.join(there)[:200]}); they are never overwritten.")


def write_shares(folder: Path, shares: Sequence[Share]) -> tuple[Path, ...]:
    """One 0600 file per share in a folder of ours (0700).

    Raises
    ------
    Conflict
        A file is there already.
    Refused
        Others can enter the folder.
    """
    private_folder(folder)
    made = []
    for share in shares:
        path = folder / _name(share.index, share.count)
        text = (
            f"# Share {share.index} of {share.count} of the root of workspace {share.workspace}.\n"
            f"# Any {share.needed} of them open every key of it. Keep it away from the workspace and from other shares.\n"
            f"{share.line()}\n"
        )
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            raise Conflict(f"{path} exists already; a share is never overwritten.") from None
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        made.append(path)
    fsync_folder(folder)
    return tuple(made)


def read_shares(names: Sequence[str]) -> tuple[Share, ...]:
    """The shares in files; "-" stands for lines on standard input.

    Raises
    ------
    Refused
        A share itself stands on the command line, where every user of this machine can read it.
    InvalidInput
        A file or line that is no share, or too few of one set.
    """
    if any(name.strip().startswith(_MARK) for name in names):
        raise Refused(
            "A share was given on the command line, where others on this machine can read it and the shell keeps it.\n"
            "Put it into a file, or give - and type it. Treat that share as seen: split again."
        )
    shares: list[Share] = []
    for name in names:
        text = sys.stdin.read() if name == "-" else read_limited(Path(name), _MOST_BYTES).decode("utf-8", "replace")
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        if not lines:
            raise InvalidInput(f"There is no share in {'what was typed' if name == '-' else name}.")
        shares += [read_share(line) for line in lines]
    check_together(shares)
    return tuple(shares)


def _name(index: int, count: int) -> str:
    return f"share-{index}-of-{count}.txt"
