"""The signing keys in a folder of their own, under a root key of their own: commands cannot open them at all.

Answers: where does the signer of a keys folder listen if it is not beside it, and how are the two parted?
After the parting two users can hold the two halves: whoever runs commands has what encrypts, the signer what signs.
"""

import os
import secrets
import shutil
from pathlib import Path

import msgspec

from sealwright.kernel import (
    Conflict,
    fsync_folder,
    private_folder,
    write_atomically,
)
from sealwright.trust.key_files import (
    ROOT_FILE,
    branch_file,
    branch_versions,
    check_trust,
    destroy_key,
    key_path,
    open_branch,
    open_root,
    place_of,
    placed_branch,
    read_trust,
    signing_key_of,
    write_branch,
    write_trust,
)
from sealwright.trust.signing.vault import MEMORY
from sealwright.trust.signing.where import ELSEWHERE, Elsewhere, read_elsewhere
from sealwright.trust.trust_chain import TRUST_CHAIN
from sealwright.trust.trust_root import SIGNING_BRANCHES
from sealwright.trust.unlock import KeyFile, Unlock
from sealwright.trust.wrapping import wrap

__all__ = ["part_signing_keys"]


def part_signing_keys(keys: Path, unlock: Unlock, to: Path, to_unlock: KeyFile, user: int) -> None:
    """Move the signing keys to `to`/keys, wrapped under a new root key, and destroy them in `keys`.

    For this moment they are in this process; run it where nothing else runs. Backups still have the old files. Keys elsewhere
    stay there; the files with what opens those homes have to be given to the signer's user.

    Parameters
    ----------
    to : Path
        The signer's own folder, to be made. Its signer listens in `to`/run.
    to_unlock : KeyFile
        What opens the signer's folder from now on.
    user : int
        The user id the signer runs as. Where root parts the keys, folder and key file become that user's.

    Raises
    ------
    Conflict
        They were parted before, or `to` exists.
    NotFound, WrongUnlock, KeyFileUnsafe, VerificationFailed
        As `open_root`.
    """
    if read_elsewhere(keys) is not None:
        raise Conflict("The signing keys of this workspace were parted from it before.")
    if os.path.lexists(to):
        raise Conflict(f"There is something at {to} already; keys are never overwritten. Choose another folder.")
    workspace, root = open_root(keys, unlock)
    trust_root, new_root = read_trust(keys, workspace), secrets.token_bytes(32)
    old_key, new_key = signing_key_of(root), signing_key_of(new_root)
    check_trust(keys, old_key, trust_root)
    draft = private_folder(private_folder(to.resolve()) / "keys")
    write_atomically(draft / ROOT_FILE, wrap(new_root, key_path(workspace, "root", 1), to_unlock))
    for name in SIGNING_BRANCHES:
        for version in branch_versions(keys, name):
            _copy(keys, old_key, draft, new_key, workspace, name, version)
    write_trust(draft, new_key, trust_root)
    if (keys / TRUST_CHAIN).exists():
        shutil.copyfile(keys / TRUST_CHAIN, draft / TRUST_CHAIN)
    if (keys / MEMORY).exists():
        shutil.copytree(keys / MEMORY, draft / MEMORY)
    write_atomically(draft / "callers.json", msgspec.json.encode({"format": 1, "control": [os.geteuid()]}))
    _hand_over(to, to_unlock, user)
    place = Elsewhere(folder=str(to.resolve() / "run"), user=user)
    write_atomically(keys / ELSEWHERE, msgspec.json.encode(place))
    _destroy(keys)


def _copy(keys: Path, old_key: bytes, draft: Path, new_key: bytes, workspace: str, name: str, version: int) -> None:
    """One branch, wrapped anew: its private key, or where that is."""
    place = place_of(keys, old_key, workspace, name, version)
    if place is not None:
        file = branch_file(draft, name, version)
        write_atomically(file, placed_branch(new_key, workspace, name, version, place))
        return
    secret = open_branch(keys, old_key, workspace, name, version)
    write_branch(draft, new_key, workspace, name, version, secret)


def _hand_over(to: Path, key_file: KeyFile, user: int) -> None:
    """Make everything the signer's, where we may."""
    if os.geteuid() == 0:
        for path in (key_file.path, to, *to.rglob("*")):
            os.chown(path, user, -1, follow_symlinks=False)
        to.chmod(0o711)  # callers pass through to the socket


def _destroy(keys: Path) -> None:
    """Overwrite and remove what signs; what an SSD or a snapshot keeps elsewhere survives this."""
    for name in SIGNING_BRANCHES:
        for version in branch_versions(keys, name):
            destroy_key(branch_file(keys, name, version))
    shutil.rmtree(keys / MEMORY, ignore_errors=True)
    fsync_folder(keys)
