"""What lies in a keys folder, file by file, and how one of them is opened.

Answers: which file holds which secret, and does it hold what it says?
Does not answer: which of them a process opens. `key_folder` opens the branches that encrypt, `signing.vault` those that
sign; no process opens both.

On disk (folder 0700): root.json (wrapped by passphrase or key file), <branch>.v<n>.json (wrapped under the root; more
than one only while a rotation is under way), trust.json (public), trust.seal.json (its digest under the root, so that a
trust.json of somebody else's keys is noticed without opening a signing key). signed/ is the signer's own memory.
"""

import contextlib
import hashlib
import re
from pathlib import Path

from sealwright.kernel import (
    InvalidInput,
    NotFound,
    VerificationFailed,
    check_name,
    private_folder,
    read_limited,
    write_atomically,
)
from sealwright.trust.trust_root import TrustRoot
from sealwright.trust.unlock import Unlock
from sealwright.trust.wrapping import path_of, unwrap, unwrap_under, wrap_under

__all__ = [
    "ROOT_FILE",
    "SEAL_FILE",
    "TRUST_FILE",
    "branch_file",
    "branch_versions",
    "check_trust",
    "key_path",
    "open_branch",
    "open_root",
    "read_key_file",
    "read_trust",
    "write_branch",
    "write_trust",
]

ROOT_FILE = "root.json"
TRUST_FILE = "trust.json"
SEAL_FILE = "trust.seal.json"

_MOST_BYTES = 256 * 1024
_VERSIONED = re.compile(r"[a-z-]+\.v(?P<version>[1-9][0-9]{0,5})\.json")


def open_root(folder: Path, unlock: Unlock) -> tuple[str, bytes]:
    """Workspace and root secret of a keys folder: only to open or add a branch, then to be dropped at once.

    Raises
    ------
    NotFound
        There are no keys.
    WrongUnlock, KeyFileUnsafe
        The wrong passphrase or key file; a key file we do not use.
    Refused
        Others can enter the folder.
    VerificationFailed
        The root key was changed, swapped or cut.
    """
    if not folder.is_dir():
        raise NotFound(f"There are no keys at {folder}.\nMake a workspace with: sealwright init")
    private_folder(folder)
    wrapped = read_key_file(folder, ROOT_FILE)
    workspace = _workspace(path_of(wrapped, link=f"keys/{ROOT_FILE}"))
    return workspace, unwrap(wrapped, key_path(workspace, "root", 1), unlock, link=f"keys/{ROOT_FILE}")


def branch_versions(folder: Path, branch: str) -> list[int]:
    """Versions of a branch on disk, oldest first; the first where there is none, so that its loss is told."""
    found = [_VERSIONED.fullmatch(path.name) for path in folder.glob(f"{branch}.v*.json")]
    return sorted(int(match["version"]) for match in found if match) or [1]


def branch_file(folder: Path, branch: str, version: int) -> Path:
    return folder / f"{branch}.v{version}.json"


def write_branch(folder: Path, root: bytes, workspace: str, branch: str, version: int, secret: bytes) -> None:
    """Put one version of a branch on disk, wrapped under the root."""
    wrapped = wrap_under(root, secret, key_path(workspace, branch, version))
    write_atomically(branch_file(folder, branch, version), wrapped)


def open_branch(folder: Path, root: bytes, workspace: str, branch: str, version: int) -> bytes:
    """The secret of one version of a branch.

    Raises
    ------
    VerificationFailed
        Missing, changed, or another branch's.
    """
    name = branch_file(folder, branch, version).name
    return unwrap_under(root, read_key_file(folder, name), key_path(workspace, branch, version), link=f"keys/{name}")


def read_trust(folder: Path, workspace: str) -> TrustRoot:
    """trust.json, which must be of `workspace`. Whether it lists our keys, `check_trust` or the signer says."""
    trust_root = TrustRoot.from_bytes(read_key_file(folder, TRUST_FILE))
    if trust_root.workspace != workspace:
        raise VerificationFailed(
            f"trust.json is of {trust_root.workspace}, the keys are of {workspace}.", link=f"keys/{TRUST_FILE}"
        )
    return trust_root


def write_trust(folder: Path, root: bytes, trust_root: TrustRoot) -> None:
    """Put trust.json on disk, and its digest under the root beside it. Whoever changes the one writes both."""
    sealed = wrap_under(root, _digest(trust_root), key_path(trust_root.workspace, "trust", 1))
    write_atomically(folder / TRUST_FILE, trust_root.to_bytes())
    write_atomically(folder / SEAL_FILE, sealed)


def check_trust(folder: Path, root: bytes, trust_root: TrustRoot) -> bool:
    """True if trust.json is the one that was written under this root; False where no seal says so (older folders).

    Raises
    ------
    VerificationFailed
        The seal was changed, or is of another trust.json.
    """
    path = folder / SEAL_FILE
    if not path.exists() and not path.is_symlink():
        return False
    link = f"keys/{SEAL_FILE}"
    sealed = read_key_file(folder, SEAL_FILE)
    if unwrap_under(root, sealed, key_path(trust_root.workspace, "trust", 1), link=link) != _digest(trust_root):
        raise VerificationFailed(
            "trust.json lists another key than the one it was sealed with.\n"
            "One of the two was replaced; restore the whole keys folder from one backup.",
            link=f"keys/{TRUST_FILE}",
        )
    return True


def key_path(workspace: str, branch: str, version: int) -> str:
    """What a wrapped key is bound to."""
    return f"sealwright/{workspace}/{branch}/v{version}"


def read_key_file(folder: Path, name: str) -> bytes:
    """One file of the folder.

    Raises
    ------
    VerificationFailed
        It is not there, or not a plain file; `link` names it.
    """
    try:
        return read_limited(folder / name, _MOST_BYTES)
    except InvalidInput as error:
        raise VerificationFailed(
            f"The keys are not complete. {error}\nRestore the whole keys folder from one backup.", link=f"keys/{name}"
        ) from None


def _digest(trust_root: TrustRoot) -> bytes:
    return hashlib.sha256(trust_root.to_bytes()).digest()


def _workspace(path: str) -> str:
    """The workspace in a root key path."""
    parts = path.split("/")
    if len(parts) == 4:
        with contextlib.suppress(InvalidInput):
            if path == key_path(check_name(parts[1], what="workspace"), "root", 1):
                return parts[1]
    raise VerificationFailed("root.json does not hold a root key. It was replaced.", link=f"keys/{ROOT_FILE}")
