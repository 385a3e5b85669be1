"""Which files a model package may hold, so that all systems agree what lies where.

Answers: can these names stand together, and what bytes are in this folder? Refuses what another file system would read as another name, what git tools and the public signing
tool leave out, and what climbs out of the folder. Nothing is cleaned up: the package is refused whole.
"""

import stat
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from sealwright.kernel import InvalidInput, VerificationFailed, read_limited

__all__ = ["GIT_NAMES", "check_file_names", "read_model_folder"]

GIT_NAMES = (".git", ".gitattributes", ".github", ".gitignore")
"""What OMS v1.0 leaves unsigned at the top of a model; we refuse them anywhere."""

_UNSIGNED_ELSEWHERE = {*GIT_NAMES, ".gitmodules"}  # the Go implementation leaves this one out too
_MOST_FILES = 10_000
_MOST_NAME = 512
_MOST_FILE = 8 << 30
_FORBIDDEN_MODE = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX | 0o111 | stat.S_IWOTH


def check_file_names(names: Iterable[str]) -> None:
    """Return if these relative names can stand together in a package.

    Raises
    ------
    VerificationFailed
        None at all, too many, or a name that is absolute, climbs, is a git name, holds a backslash
        or control character, is not in Unicode NFC, or differs from another only in case.
    """
    spelt: dict[str, str] = {}  # every file and folder: case-folded -> as it is written
    files: set[str] = set()
    for name in names:
        problem = _problem(name)
        if problem:
            raise VerificationFailed(
                f"The file name {_shown(name)} cannot be in a package: {problem}.", link=_shown(name)
            )
        parts = name.split("/")
        for path in ("/".join(parts[:depth]) for depth in range(1, len(parts) + 1)):
            twin = spelt.setdefault(path.casefold(), path)
            if twin != path:
                raise VerificationFailed(f"The names {twin!r} and {path!r} differ only in case.", link=name)
        files.add(name)
        if len(files) > _MOST_FILES:
            raise VerificationFailed(f"A package holds at most {_MOST_FILES:,} files.")
    if not files:
        raise VerificationFailed("A package holds at least one file.")
    folders = {name[:at] for name in files for at, character in enumerate(name) if character == "/"}
    if clash := sorted(folders & files):
        raise VerificationFailed(f"{clash[0]!r} is both a file and a folder.", link=clash[0])


def read_model_folder(folder: Path, signature_name: str = "model.sig") -> dict[str, bytes]:
    """Every file of a package by relative name, each read once, the signature included.

    Raises
    ------
    VerificationFailed
        A link, a device, an executable or world-writable file, an empty folder, or a name a package may not hold.
    """
    found: dict[str, bytes] = {}
    _collect(folder, "", found)
    check_file_names(name for name in found if name != signature_name)
    return found


def _problem(name: str) -> str:
    if not 1 <= len(name) <= _MOST_NAME:
        return f"it must be 1 to {_MOST_NAME} characters"
    if any(unicodedata.category(character)[0] == "C" for character in name) or "\\" in name:
        return "it holds a backslash or a character that does not print"
    if not unicodedata.is_normalized("NFC", name):
        return "it is not in Unicode normal form C"
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "it must be relative, with no empty, '.' or '..' part"
    if any(part.casefold() in _UNSIGNED_ELSEWHERE for part in parts):
        return "git files stay unsigned in the public format, so they are not allowed"
    if any(part != part.strip() or part.endswith(".") for part in parts) or ":" in parts[0]:
        return "a part starts or ends with a space, ends with a dot, or names a drive"
    return ""


def _collect(folder: Path, prefix: str, found: dict[str, bytes]) -> None:
    """Read `folder` and all below it into `found`."""
    entries = sorted(folder.iterdir())
    if not entries:
        raise VerificationFailed(f"{prefix or folder.name} is an empty folder, which no signature covers.", link=prefix)
    for entry in entries:
        name, mode = prefix + entry.name, entry.lstat().st_mode
        if stat.S_ISDIR(mode):
            _collect(entry, f"{name}/", found)
        elif not stat.S_ISREG(mode):
            raise VerificationFailed(f"{name} is a link or a device; a package holds plain files only.", link=name)
        elif mode & _FORBIDDEN_MODE:
            raise VerificationFailed(
                f"{name} is executable or writable by everybody (mode {stat.S_IMODE(mode):o}); set it to 644.",
                link=name,
            )
        else:
            try:
                found[name] = read_limited(entry, _MOST_FILE)
            except InvalidInput as error:
                raise VerificationFailed(f"{name} cannot be read as a plain file: {error}", link=name) from None


def _shown(name: object) -> str:
    return repr(str(name)[:80])
