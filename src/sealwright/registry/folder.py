"""Read a folder of plain files once, and trust only the bytes that were read.

Answers: what are the bytes of every file here, now, read through handles that no link can
redirect? Everything later (digests, signatures, the model session) works on these bytes,
so a file swapped afterwards changes nothing.
Does not answer: whether the bytes are the right ones. `verify_package` does.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sealwright.kernel import VerificationFailed
from sealwright.registry.names import shown

__all__ = ["ReadLimits", "open_trusted_files"]

_MODES = (0o644, 0o600, 0o444)
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """What a folder may hold at most, in bytes and counts."""

    files: int = 500
    depth: int = 4
    file_bytes: int = 512 << 20
    total_bytes: int = 768 << 20


def open_trusted_files(path: Path, limits: ReadLimits | None = None) -> Mapping[str, bytes]:
    """Every file of a folder, by its relative name, each read exactly once.

    Parameters
    ----------
    path : Path
        The folder. It may not itself be a link.
    limits : ReadLimits, optional
        Counts and sizes; checked while reading, before memory is taken.

    Returns
    -------
    Mapping[str, bytes]
        "statements/gate.json" -> its bytes, sorted by name.

    Raises
    ------
    VerificationFailed
        A link (symbolic or hard), a device, a socket, an executable or setuid file, a mode
        other than 644, 600 or 444, an empty folder, too many or too large files, a file that
        changed while it was read, or a folder that cannot be read. `link` names it.
    """
    limits = limits or ReadLimits()
    try:
        root = os.open(path, _OPEN | os.O_DIRECTORY)
    except OSError as error:
        raise VerificationFailed(
            f"{path} is not a folder we can read: {error.strerror}. Expected the folder of a sealed package, not a link.",
            link="package",
        ) from None
    found: dict[str, bytes] = {}
    try:
        _read_folder(root, "", 1, found, limits)
    except OSError as error:
        raise VerificationFailed(f"{path} could not be read completely: {error.strerror}.", link="package") from None
    finally:
        os.close(root)
    return dict(sorted(found.items()))


def _read_folder(folder: int, prefix: str, depth: int, found: dict[str, bytes], limits: ReadLimits) -> None:
    if depth > limits.depth:
        _refuse(prefix, f"folders are nested deeper than {limits.depth} levels")
    with os.scandir(folder) as listing:
        # one more than allowed is enough to refuse; a folder of a billion names is never listed whole
        names = [entry.name for entry, _ in zip(listing, range(limits.files + 1), strict=False)]
    if not names:
        _refuse(prefix, "is an empty folder, which no signature covers")
    if len(names) + len(found) > limits.files:
        _refuse(prefix, f"holds more than {limits.files} files")
    for name in sorted(names):
        inner = prefix + name
        if not name.isascii() or not name.isprintable():
            _refuse(inner, "has a name outside plain ASCII")
        kind = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(kind.st_mode):
            handle = os.open(name, _OPEN | os.O_DIRECTORY, dir_fd=folder)
            try:
                _read_folder(handle, inner + "/", depth + 1, found, limits)
            finally:
                os.close(handle)
        else:
            left = limits.total_bytes - sum(map(len, found.values()))
            found[inner] = _read_file(folder, name, inner, min(limits.file_bytes, left))


def _read_file(folder: int, name: str, inner: str, most: int) -> bytes:
    try:
        handle = os.open(name, _OPEN, dir_fd=folder)
    except OSError as error:
        _refuse(inner, f"is not a plain file we can open ({error.strerror})")
    with os.fdopen(handle, "rb", buffering=0) as stream:
        before = os.fstat(stream.fileno())
        if not stat.S_ISREG(before.st_mode):
            _refuse(inner, "is not a regular file")
        if before.st_nlink != 1:
            _refuse(inner, f"has {before.st_nlink} names on this disk (hard links); copy the folder instead")
        mode = stat.S_IMODE(before.st_mode)
        if mode not in _MODES:
            _refuse(inner, f"has mode {mode:o}; plain data files have 644, 600 or 444 (set it with chmod 644)")
        if before.st_size > most:
            _refuse(inner, f"is {before.st_size:,} bytes; at most {most:,} are read here")
        data = _read_exactly(stream.fileno(), before.st_size)
        after = os.fstat(stream.fileno())
    if len(data) != before.st_size or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        _refuse(inner, "changed while it was read")
    return data


def _read_exactly(handle: int, size: int) -> bytes:
    """`size` bytes, or what there is; one byte more is asked for so that growth shows."""
    pieces: list[bytes] = []
    wanted = size + 1
    while wanted and (piece := os.read(handle, min(wanted, 1 << 24))):
        pieces.append(piece)
        wanted -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _refuse(name: str, why: str) -> NoReturn:
    shown_name = shown(name.rstrip("/")) or "the folder"
    raise VerificationFailed(
        f"{shown_name} {why}. Use the package exactly as it was sealed.", link=f"package/{shown(name)}"
    )
