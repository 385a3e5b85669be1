"""The keys folder: made complete or not at all, opened whole or not at all.

Answers: do the wrapped secrets on disk belong together, and what does an opened keyring hold of them?
Does not answer: what they are used for. That is `keyring`; adding and destroying versions is `key_rotation`; which file
holds what is `key_files`.

Opening unwraps the branches that encrypt. Those that sign stay wrapped: the signer opens them (`signing.vault`).
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sealwright.kernel import Conflict, InvalidInput, check_name, fsync_folder, private_folder, write_atomically
from sealwright.trust.followed_root import FollowedRoot
from sealwright.trust.key_files import (
    ROOT_FILE,
    branch_versions,
    check_trust,
    key_path,
    open_branch,
    open_root,
    place_of,
    read_trust,
    signing_key_of,
    write_branch,
    write_trust,
)
from sealwright.trust.key_journal import steady
from sealwright.trust.keyring import SEALING_BRANCHES, Keyring
from sealwright.trust.sealing_branches import SealingBranches
from sealwright.trust.signers import LocalSigner, new_secret
from sealwright.trust.signing.errors import SignerRefused, SignerUnavailable
from sealwright.trust.signing.link import SignerLink
from sealwright.trust.signing.opening import Opening
from sealwright.trust.signing.where import read_elsewhere
from sealwright.trust.signing_rotation import follow_signer
from sealwright.trust.trust_chain import TRUST_CHAIN
from sealwright.trust.trust_root import SIGNING_BRANCHES, TrustRoot
from sealwright.trust.unlock import RecoveredRoot, Unlock
from sealwright.trust.wrapping import wrap

__all__ = ["check_keys", "create_keyring", "open_keyring"]

_BRANCHES = (*SEALING_BRANCHES, *SIGNING_BRANCHES)


class Checked(NamedTuple):
    """What a keys folder holds, by its own root."""

    trust_root: TrustRoot
    sealing: Mapping[str, Mapping[int, bytes]]  # the branches that encrypt, by version
    placed: Mapping[str, str] | None  # where keys elsewhere are, in words; None: the signer's folder is another one


def create_keyring(folder: Path, workspace: str, unlock: Unlock) -> Keyring:
    """Make all keys of a new workspace in `folder`, which appears complete or not at all.

    This once, the signing keys are in this process; they are dropped when it returns.

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
    BackendUnavailable, BackendRefused
        The device or service that shall hold the key does not wrap it.
    """
    check_name(workspace, what="workspace")
    root = secrets.token_bytes(32)
    wrapped_root, signing_key = wrap(root, key_path(workspace, "root", 1), unlock), signing_key_of(root)
    made = {name: new_secret(SIGNING_BRANCHES.get(name, "")) for name in _BRANCHES}
    public = {name: (LocalSigner(kind, made[name]).public(),) for name, kind in SIGNING_BRANCHES.items()}
    trust_root = TrustRoot(workspace, public)
    draft = private_folder(folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.draft"))
    try:
        write_atomically(draft / ROOT_FILE, wrapped_root)
        for name, secret in made.items():
            write_branch(draft, signing_key if name in SIGNING_BRANCHES else root, workspace, name, 1, secret)
        write_trust(draft, signing_key, trust_root)
        _move(draft, folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    sealing = {name: {1: made[name]} for name in SEALING_BRANCHES}
    return _keyring(folder, unlock, signing_key, Checked(trust_root, sealing, {}))


def open_keyring(folder: Path, unlock: Unlock | RecoveredRoot) -> Keyring:
    """Open the keys in `folder` that encrypt, and check that every file is there and trust.json is ours.

    The signing keys stay wrapped; a changed byte in one is found when the signer opens them, at the first signature.
    Nothing that could open them stays in this process, but for a test's passphrase.

    Raises
    ------
    NotFound
        There are no keys.
    WrongUnlock
        The wrong passphrase or key file.
    KeyFileUnsafe
        A key file we do not use.
    BackendUnavailable, BackendRefused
        The device or service that holds the key does not open it.
    Refused
        Others can enter the folder.
    VerificationFailed
        A file was changed, swapped or cut; `link` names it.
    """
    workspace, root = open_root(folder, unlock)
    ring = _keyring(folder, unlock, signing_key_of(root), check_keys(folder, workspace, root))
    if read_elsewhere(folder) is not None:
        with contextlib.suppress(SignerUnavailable, SignerRefused):  # whoever signs next hears of that
            follow_signer(ring, folder, unlock)
    return ring


def check_keys(folder: Path, workspace: str, root: bytes) -> Checked:
    """The keys of a folder, if everything is there and this root's.

    Raises
    ------
    VerificationFailed
        As `open_keyring`.
    """
    return steady(folder, lambda: _whole(folder, workspace, root))


def _whole(folder: Path, workspace: str, root: bytes) -> Checked:
    trust_root, signing_key = read_trust(folder, workspace), signing_key_of(root)
    check_trust(folder, signing_key, trust_root)
    parted, placed = read_elsewhere(folder) is not None, dict[str, str]()
    for name in () if parted else SIGNING_BRANCHES:
        place = place_of(folder, signing_key, workspace, name, branch_versions(folder, name)[-1])
        if place is not None:
            placed[name] = place.described()
    branches = {
        name: {
            version: open_branch(folder, root, workspace, name, version) for version in branch_versions(folder, name)
        }
        for name in SEALING_BRANCHES
    }
    return Checked(trust_root, branches, None if parted else placed)


def _keyring(
    folder: Path,
    unlock: Unlock | RecoveredRoot,
    signing_key: bytes,
    found: Checked,
) -> Keyring:
    opening, followed = Opening.of(folder, unlock, signing_key), FollowedRoot(found.trust_root, folder / TRUST_CHAIN)
    link = SignerLink(folder, opening, followed, at_once=not opening.may_wait(unlock))
    return Keyring(followed, SealingBranches(folder.resolve(), found.sealing), link, found.placed)


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
