"""The keys folder: made complete or not at all, opened whole or not at all.

Answers: which wrapped secrets lie on disk, and do they belong together?
Does not answer: what they are used for. That is `keyring`; adding and destroying versions is `key_rotation`.

On disk (folder 0700): root.json (wrapped by passphrase or key file), <branch>.v<n>.json (wrapped under
the root; more than one only while a rotation is under way), trust.json (public).
"""

import contextlib
import os
import re
import secrets
import shutil
from pathlib import Path

from sealwright.kernel import (
    Conflict,
    InvalidInput,
    NotFound,
    VerificationFailed,
    check_name,
    fsync_folder,
    private_folder,
    read_limited,
    write_atomically,
)
from sealwright.trust.key_journal import finish_changes
from sealwright.trust.keyring import SEALING_BRANCHES, Keyring
from sealwright.trust.signers import LocalSigner, new_secret
from sealwright.trust.trust_root import SIGNING_BRANCHES, TrustRoot
from sealwright.trust.unlock import Unlock
from sealwright.trust.wrapping import path_of, unwrap, unwrap_under, wrap, wrap_under

__all__ = [
    "branch_file",
    "branch_versions",
    "create_keyring",
    "keyring_of",
    "open_keyring",
    "open_root",
    "workspace_of",
    "wrap_root",
    "wrapped_branch",
    "write_branch",
]

_MOST_BYTES = 256 * 1024
_BRANCHES = (*SEALING_BRANCHES, *SIGNING_BRANCHES)
_ROOT = "root.json"
_TRUST = "trust.json"
_VERSIONED = re.compile(r"[a-z-]+\.v(?P<version>[1-9][0-9]{0,5})\.json")


def create_keyring(folder: Path, workspace: str, unlock: Unlock) -> Keyring:
    """Make all keys of a new workspace in `folder`, which appears complete or not at all.

    Parameters
    ----------
    folder : Path
        The keys folder itself, e.g. <home>/keys. It must not exist, or be empty.
    workspace : str
        Id of the workspace; every key is bound to it.

    Raises
    ------
    Conflict
        There are keys already.
    InvalidInput
        A weak passphrase, or a name that cannot be used.
    KeyFileUnsafe
        A key file we do not use.
    """
    check_name(workspace, what="workspace")
    root = secrets.token_bytes(32)
    wrapped_root = wrap(root, _path(workspace, "root", 1), unlock)
    branches = {name: {1: new_secret(SIGNING_BRANCHES.get(name, ""))} for name in _BRANCHES}
    public = {name: (LocalSigner(kind, branches[name][1]).public(),) for name, kind in SIGNING_BRANCHES.items()}
    ring = Keyring(TrustRoot(workspace, public), branches)
    draft = private_folder(folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.draft"))
    try:
        write_atomically(draft / _ROOT, wrapped_root)
        for name, secrets_of in branches.items():
            write_branch(draft, root, workspace, name, 1, secrets_of[1])
        write_atomically(draft / _TRUST, ring.trust_root.to_bytes())
        _move(draft, folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return ring


def open_keyring(folder: Path, unlock: Unlock) -> Keyring:
    """Open the keys in `folder`, and check that every one is whole and matches trust.json.

    Raises
    ------
    NotFound
        There are no keys.
    WrongUnlock
        The wrong passphrase or key file.
    KeyFileUnsafe
        A key file we do not use.
    Refused
        Others can enter the folder.
    VerificationFailed
        A file was changed, swapped or cut; `link` names it.
    """
    return keyring_of(folder, *open_root(folder, unlock))


def keyring_of(folder: Path, workspace: str, root: bytes) -> Keyring:
    """As `open_keyring`, with the root secret at hand: only where it was recovered from shares."""
    trust_root = TrustRoot.from_bytes(_read(folder, _TRUST))
    if trust_root.workspace != workspace:
        raise VerificationFailed(
            f"trust.json is of {trust_root.workspace}, the keys are of {workspace}.", link="keys/trust.json"
        )
    branches = {
        name: {
            version: _open_branch(folder, root, workspace, name, version) for version in branch_versions(folder, name)
        }
        for name in _BRANCHES
    }
    return Keyring(trust_root, branches)


def open_root(folder: Path, unlock: Unlock) -> tuple[str, bytes]:
    """Workspace and root secret of a keys folder: only to open the branches, and to add one (`key_rotation`)."""
    if not folder.is_dir():
        raise NotFound(f"There are no keys at {folder}.\nMake a workspace with: sealwright init")
    private_folder(folder)
    finish_changes(folder)
    wrapped = _read(folder, _ROOT)
    workspace = _workspace(path_of(wrapped, link=f"keys/{_ROOT}"))
    return workspace, unwrap(wrapped, _path(workspace, "root", 1), unlock, link=f"keys/{_ROOT}")


def wrap_root(workspace: str, root: bytes, unlock: Unlock) -> bytes:
    """A new root.json, which was seen to open again by `unlock`."""
    path = _path(workspace, "root", 1)
    wrapped = wrap(root, path, unlock)
    if unwrap(wrapped, path, unlock, link="the new root.json") != root:
        raise VerificationFailed(
            "What was just wrapped opens as something else. Nothing was changed.", link=f"keys/{_ROOT}"
        )
    return wrapped


def workspace_of(folder: Path) -> str:
    """Whose keys these are, by trust.json: also where root.json is lost. Trust it only after `keyring_of`."""
    if not folder.is_dir():
        raise NotFound(f"There are no keys at {folder}.\nMake a workspace with: sealwright init")
    private_folder(folder)
    finish_changes(folder)
    return TrustRoot.from_bytes(_read(folder, _TRUST)).workspace


def branch_versions(folder: Path, branch: str) -> list[int]:
    """Versions of a branch on disk, oldest first; the first where there is none, so that its loss is told."""
    found = [_VERSIONED.fullmatch(path.name) for path in folder.glob(f"{branch}.v*.json")]
    return sorted(int(match["version"]) for match in found if match) or [1]


def write_branch(folder: Path, root: bytes, workspace: str, branch: str, version: int, secret: bytes) -> None:
    """Put one version of a branch on disk, wrapped under the root."""
    write_atomically(branch_file(folder, branch, version), wrapped_branch(root, workspace, branch, version, secret))


def wrapped_branch(root: bytes, workspace: str, branch: str, version: int, secret: bytes) -> bytes:
    """One version of a branch as it lies on disk."""
    return wrap_under(root, secret, _path(workspace, branch, version))


def branch_file(folder: Path, branch: str, version: int) -> Path:
    return folder / f"{branch}.v{version}.json"


def _open_branch(folder: Path, root: bytes, workspace: str, branch: str, version: int) -> bytes:
    name = branch_file(folder, branch, version).name
    return unwrap_under(root, _read(folder, name), _path(workspace, branch, version), link=f"keys/{name}")


def _path(workspace: str, branch: str, version: int) -> str:
    return f"sealwright/{workspace}/{branch}/v{version}"


def _workspace(path: str) -> str:
    """The workspace in a root key path."""
    parts = path.split("/")
    if len(parts) == 4:
        with contextlib.suppress(InvalidInput):
            if path == _path(check_name(parts[1], what="workspace"), "root", 1):
                return parts[1]
    raise VerificationFailed("root.json does not hold a root key. It was replaced.", link=f"keys/{_ROOT}")


def _read(folder: Path, name: str) -> bytes:
    try:
        return read_limited(folder / name, _MOST_BYTES)
    except InvalidInput as error:
        raise VerificationFailed(
            f"The keys are not complete. {error}\nRestore the whole keys folder from one backup.", link=f"keys/{name}"
        ) from None


def _move(draft: Path, folder: Path) -> None:
    """Put the finished draft in place; an empty folder gives way, anything else stays."""
    try:
        os.rename(draft, folder)  # noqa: PTH104  (Path.rename is the same call; this one says what we rely on)
    except OSError as error:
        if folder.exists() or folder.is_symlink():
            raise Conflict(
                f"{folder} holds something already; keys are never overwritten. Choose another folder."
            ) from None
        raise InvalidInput(f"Cannot create keys at {folder}: {error.strerror}.") from None
    fsync_folder(folder.parent)
