"""A sealing branch gets a new version, and an old version is destroyed for good.

Answers: how does what leaked or grew old stop being a key?
Does not answer: what was sealed under the old one. Whoever keeps wrapped keys ("data", "subjects") wraps them anew in between:
rotate, wrap everything anew, retire. Dying at any point leaves both versions, and the same three steps go on. What names its
version or is tried with each ("decisions", "identity") stays as it is, so older versions are kept to read it.

The names that persons are kept under ("pseudonyms") have no list of what was named: with a new key one person would have two
names, and a search for the one would miss the other. That branch is not rotated.
"""

import hashlib
import secrets
from collections.abc import Callable
from pathlib import Path

from sealwright.kernel import Conflict, InvalidInput, NotFound, fsync_folder, write_atomically
from sealwright.trust.key_files import branch_file, branch_versions, destroy_key, open_root, wrapped_branch
from sealwright.trust.key_journal import changing
from sealwright.trust.sealing_branches import Handed
from sealwright.trust.unlock import Unlock

__all__ = ["KEPT_TO_READ", "retire_branch", "rotate_branch"]

KEPT_TO_READ = ("decisions", "identity")
"""Sealing branches whose older versions stay, for what they sealed."""

_WRAPPED_ANEW = ("data", "subjects")


def rotate_branch(
    folder: Path, unlock: Unlock, branch: str, *, first: Callable[[Handed], None] = lambda _: None
) -> int:
    """Add a version to a branch; returns its number. Keyrings opened before do not have it, unless it is handed over to them.

    Parameters
    ----------
    first : callable
        Called with the new version before it is on disk: the moment to hand it over (`handing_over`).

    Raises
    ------
    InvalidInput
        A branch that cannot be rotated.
    Conflict
        A rotation is under way already: two versions exist.
    NotFound, WrongUnlock, VerificationFailed
        As `open_keyring`.
    """
    _check(branch, (*_WRAPPED_ANEW, *KEPT_TO_READ))
    workspace, root = open_root(folder, unlock)
    with changing(folder):
        versions = branch_versions(folder, branch)
        if len(versions) > 1 and branch in _WRAPPED_ANEW:
            raise Conflict(f"A rotation of {branch!r} is under way: versions {versions} exist. Finish that one first.")
        version, secret = versions[-1] + 1, secrets.token_bytes(32)
        data = wrapped_branch(root, workspace, branch, version, secret)
        first(Handed(version, secret, hashlib.sha256(data).digest()))
        write_atomically(branch_file(folder, branch, version), data)
    return version


def retire_branch(folder: Path, branch: str, version: int) -> None:
    """Destroy an old version: its bytes are overwritten, then the file is removed. It cannot be undone.

    A copy in a backup, or on a disk that writes elsewhere (SSD, snapshots), survives this: destroy those, too.

    Raises
    ------
    InvalidInput
        A branch whose older versions are kept.
    NotFound
        There is no such version.
    Conflict
        It is the newest: what it sealed would be lost.
    """
    _check(branch, _WRAPPED_ANEW)
    versions = branch_versions(folder, branch)
    path = branch_file(folder, branch, version)
    if version not in versions or not path.is_file():
        raise NotFound(f"There is no version {version} of {branch!r}; there are: {versions}.")
    if version == versions[-1]:
        raise Conflict(f"Version {version} of {branch!r} is in use. Rotate first, then retire it.")
    destroy_key(path)
    fsync_folder(folder)


def _check(branch: str, among: tuple[str, ...]) -> None:
    if branch not in among:
        raise InvalidInput(f"The branch {branch!r} is not rotated this way; these are: {', '.join(among)}.")
