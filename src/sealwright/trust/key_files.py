"""What lies in a keys folder, file by file, and how one of them is opened.

Answers: which file holds which secret, and does it hold what it says?
Does not answer: which of them a process opens. `key_folder` opens the branches that encrypt, `signing.vault` those that
sign; no process opens both.

On disk (folder 0700): root.json (wrapped by passphrase, key file, or a key elsewhere), <branch>.v<n>.json, trust.json
(public), trust.seal.json (its digest, so that a trust.json of somebody else's keys is noticed without opening a signing
key), trust-chain.json (how each trust root became the next). signed/ is the signer's own memory.

Branches that encrypt are wrapped under the root secret, those that sign, and the seal, under a key derived from it: the
signer is handed that one and can open nothing that encrypts. Where a key that signs is in a device or service, its file
holds, sealed in the same way, where it is.
"""

import contextlib
import hashlib
import os
import re
import secrets
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
from sealwright.trust.backends.place import KeyPlace
from sealwright.trust.key_journal import finish_changes
from sealwright.trust.sealing import derive_key
from sealwright.trust.trust_root import TrustRoot
from sealwright.trust.unlock import RecoveredRoot, Unlock
from sealwright.trust.wrapping import check_form, path_of, path_under, unwrap, unwrap_under, wrap, wrap_under

__all__ = [
    "ROOT_FILE",
    "SEAL_FILE",
    "TRUST_FILE",
    "branch_file",
    "branch_versions",
    "check_trust",
    "destroy_key",
    "key_path",
    "open_branch",
    "open_root",
    "place_of",
    "placed_branch",
    "read_key_file",
    "read_trust",
    "sealed_trust",
    "signing_key_of",
    "workspace_of",
    "wrap_root",
    "wrapped_branch",
    "write_branch",
    "write_trust",
]

ROOT_FILE = "root.json"
TRUST_FILE = "trust.json"
SEAL_FILE = "trust.seal.json"

_MOST_BYTES = 256 * 1024
_VERSIONED = re.compile(r"[a-z-]+\.v(?P<version>[1-9][0-9]{0,5})\.json")


def open_root(folder: Path, unlock: Unlock | RecoveredRoot) -> tuple[str, bytes]:
    """Workspace and root secret of a keys folder: only to open or add a branch, then to be dropped at once.

    Raises
    ------
    NotFound
        There are no keys.
    WrongUnlock, KeyFileUnsafe
        The wrong passphrase or key file; a key file we do not use.
    BackendUnavailable, BackendRefused
        The device or service that holds the key does not open it.
    Refused
        Others can enter the folder.
    VerificationFailed
        The root key was changed, swapped or cut.
    """
    _enter(folder)
    if isinstance(unlock, RecoveredRoot):
        return read_trust(folder, unlock.workspace).workspace, unlock.secret
    wrapped = read_key_file(folder, ROOT_FILE)
    workspace = _workspace(path_of(wrapped, link=f"keys/{ROOT_FILE}"))
    return workspace, unwrap(wrapped, key_path(workspace, "root", 1), unlock, link=f"keys/{ROOT_FILE}")


def workspace_of(folder: Path) -> str:
    """Whose keys these are, by trust.json: also where root.json is lost. Trust it only after `check_trust`.

    Raises
    ------
    NotFound, Refused, VerificationFailed
        As `open_root`.
    """
    _enter(folder)
    return TrustRoot.from_bytes(read_key_file(folder, TRUST_FILE)).workspace


def signing_key_of(root: bytes) -> bytes:
    """What the branches that sign, and the seal of trust.json, are wrapped under: HKDF-SHA256 of the root secret."""
    return derive_key(root, info=b"sealwright signing branches v1")


def wrap_root(workspace: str, root: bytes, unlock: Unlock) -> bytes:
    """A new root.json, which was seen to open again by `unlock`.

    Raises
    ------
    VerificationFailed
        It opens as something else.
    """
    path = key_path(workspace, "root", 1)
    wrapped = wrap(root, path, unlock)
    if unwrap(wrapped, path, unlock, link="the new root.json") != root:
        raise VerificationFailed(
            "What was just wrapped opens as something else. Nothing was changed.", link=f"keys/{ROOT_FILE}"
        )
    return wrapped


def branch_versions(folder: Path, branch: str) -> list[int]:
    """Versions of a branch on disk, oldest first; the first where there is none, so that its loss is told."""
    found = [_VERSIONED.fullmatch(path.name) for path in folder.glob(f"{branch}.v*.json")]
    return sorted(int(match["version"]) for match in found if match) or [1]


def branch_file(folder: Path, branch: str, version: int) -> Path:
    return folder / f"{branch}.v{version}.json"


def wrapped_branch(key: bytes, workspace: str, branch: str, version: int, secret: bytes) -> bytes:
    """One version of a branch as it lies on disk."""
    return wrap_under(key, secret, key_path(workspace, branch, version))


def placed_branch(key: bytes, workspace: str, branch: str, version: int, place: KeyPlace) -> bytes:
    """One version of a branch whose key is elsewhere, as it lies on disk: where it is, sealed like a key."""
    return wrap_under(key, place.to_bytes(), _place_path(workspace, branch, version))


def place_of(folder: Path, key: bytes, workspace: str, branch: str, version: int) -> KeyPlace | None:
    """Where one version of a signing branch is; None: in its file, wrapped, and nobody opened it here.

    Raises
    ------
    VerificationFailed
        Missing, changed, or another branch's.
    """
    name, path = branch_file(folder, branch, version).name, _place_path(workspace, branch, version)
    data, link = read_key_file(folder, name), f"keys/{name}"
    if path_under(data, link=link) != path:
        check_form(data, key_path(workspace, branch, version), link=link)
        return None
    return KeyPlace.from_bytes(unwrap_under(key, data, path, link=link), link=link)


def write_branch(folder: Path, key: bytes, workspace: str, branch: str, version: int, secret: bytes) -> None:
    """Put one version of a branch on disk, wrapped under the root, or, if it signs, under `signing_key_of` it."""
    write_atomically(branch_file(folder, branch, version), wrapped_branch(key, workspace, branch, version, secret))


def open_branch(folder: Path, key: bytes, workspace: str, branch: str, version: int) -> bytes:
    """The secret of one version of a branch. `key` as for `write_branch`.

    Raises
    ------
    VerificationFailed
        Missing, changed, or another branch's.
    """
    name = branch_file(folder, branch, version).name
    return unwrap_under(key, read_key_file(folder, name), key_path(workspace, branch, version), link=f"keys/{name}")


def destroy_key(path: Path) -> None:
    """Overwrite a wrapped key and remove it. What a backup, an SSD or a snapshot keeps elsewhere survives this."""
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        file.write(secrets.token_bytes(size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def read_trust(folder: Path, workspace: str) -> TrustRoot:
    """trust.json, which must be of `workspace`. Whether it lists our keys, `check_trust` says."""
    trust_root = TrustRoot.from_bytes(read_key_file(folder, TRUST_FILE))
    if trust_root.workspace != workspace:
        raise VerificationFailed(
            f"trust.json is of {trust_root.workspace}, the keys are of {workspace}.", link=f"keys/{TRUST_FILE}"
        )
    return trust_root


def sealed_trust(signing_key: bytes, trust_root: TrustRoot) -> bytes:
    """The seal of a trust.json."""
    return wrap_under(signing_key, _digest(trust_root), key_path(trust_root.workspace, "trust", 1))


def write_trust(folder: Path, signing_key: bytes, trust_root: TrustRoot) -> None:
    """Put trust.json and its seal on disk."""
    write_atomically(folder / TRUST_FILE, trust_root.to_bytes())
    write_atomically(folder / SEAL_FILE, sealed_trust(signing_key, trust_root))


def check_trust(folder: Path, signing_key: bytes, trust_root: TrustRoot) -> None:
    """Return if trust.json is the one that was sealed.

    Raises
    ------
    VerificationFailed
        The seal is missing, was changed, or is of another trust.json.
    """
    link = f"keys/{SEAL_FILE}"
    sealed = read_key_file(folder, SEAL_FILE)
    path = key_path(trust_root.workspace, "trust", 1)
    if unwrap_under(signing_key, sealed, path, link=link) != _digest(trust_root):
        raise VerificationFailed(
            "trust.json lists another key than the one it was sealed with.\n"
            "One of the two was replaced; restore the whole keys folder from one backup.",
            link=f"keys/{TRUST_FILE}",
        )


def key_path(workspace: str, branch: str, version: int) -> str:
    """What a wrapped key is bound to."""
    return f"sealwright/{workspace}/{branch}/v{version}"


def _place_path(workspace: str, branch: str, version: int) -> str:
    """What the description of a key elsewhere is bound to: never that of a key."""
    return f"{key_path(workspace, branch, version)}/place"


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


def _enter(folder: Path) -> None:
    """The folder is there, ours alone, and what a crash cut off in it is finished."""
    if not folder.is_dir():
        raise NotFound(f"There are no keys at {folder}.\nMake a workspace with: sealwright workspace create")
    private_folder(folder)
    finish_changes(folder)


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
