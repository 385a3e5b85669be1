"""The keys of a workspace: one root, and under it a branch for each purpose.

Answers: who may sign what, and with which key is what encrypted? A key never serves two purposes.
Does not answer: may this person do this? The keyring is opened by whoever holds the passphrase or
the key file; what they may do with it is decided above.

On disk (folder 0700): root.json (wrapped by passphrase or key file), <branch>.v1.json (wrapped under
the root), trust.json (public). A secret in Python's memory cannot be erased with certainty; `close`
drops the references, and a process that must not hold a key is a process that never opens the ring.
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from sealwright.kernel import (
    Conflict,
    InvalidInput,
    NotFound,
    Refused,
    VerificationFailed,
    check_name,
    fsync_folder,
    private_folder,
    read_limited,
    write_atomically,
)
from sealwright.trust.sealing import derive_key
from sealwright.trust.signers import LocalSigner, export_local_signer, new_secret
from sealwright.trust.trust_root import SIGNING_BRANCHES, TrustRoot
from sealwright.trust.unlock import Unlock
from sealwright.trust.wrapping import path_of, unwrap, unwrap_under, wrap, wrap_under

__all__ = ["SEALING_BRANCHES", "Keyring", "create_keyring", "open_keyring"]

SEALING_BRANCHES = ("data", "decisions", "subjects", "pseudonyms")
"""The branches that encrypt. "subjects" wraps the keys of persons; "pseudonyms" makes the names they are kept under."""

_MOST_BYTES = 256 * 1024
_BRANCHES = (*SEALING_BRANCHES, *SIGNING_BRANCHES)
_ROOT = "root.json"
_TRUST = "trust.json"


class Keyring:
    """An opened set of keys. Use it in a `with` block, or call `close`."""

    def __init__(self, trust_root: TrustRoot, branches: Mapping[str, bytes]) -> None:
        """Take the unwrapped branch secrets; refuse if they are not those of `trust_root`."""
        self._trust_root = trust_root
        self._secrets = dict(branches)
        self._signers = {
            name: LocalSigner(algorithm, self._secrets[name]) for name, algorithm in SIGNING_BRANCHES.items()
        }
        for name, signer in self._signers.items():
            if trust_root.keys_of(name)[-1] != signer.public():
                raise VerificationFailed(
                    f"The trust root lists another key for {name!r} than the keyring holds.\n"
                    "One of the two was replaced; restore the whole keys folder from one backup.",
                    link="keys/trust.json",
                )

    @property
    def trust_root(self) -> TrustRoot:
        """The public half: what verifiers need."""
        return self._trust_root

    def signer(self, branch: str) -> LocalSigner:
        """The signer of a signing branch, e.g. "statements".

        Raises
        ------
        InvalidInput
            No such signing branch.
        Refused
            The keyring is closed.
        """
        self._need(branch, tuple(SIGNING_BRANCHES), "signs")
        return self._signers[branch]

    def key(self, branch: str, purpose: str) -> bytes:
        """32 bytes for one purpose, e.g. ("data", "class/personal/v1"): HKDF-SHA256, RFC 5869, info = purpose.

        Raises
        ------
        InvalidInput
            Not one of `SEALING_BRANCHES`, or an empty purpose.
        Refused
            The keyring is closed.
        """
        self._need(branch, SEALING_BRANCHES, "encrypts")
        if not purpose:
            raise InvalidInput("A derived key needs a purpose, so that no two uses share a key.")
        return derive_key(self._secrets[branch], info=purpose.encode())

    def export_signer(self, branch: str) -> bytes:
        """One signing key in the clear, to hand to a child process over a pipe; read it with `import_signer`.

        Raises
        ------
        InvalidInput
            No such signing branch.
        Refused
            The keyring is closed.
        """
        self._need(branch, tuple(SIGNING_BRANCHES), "signs")
        return export_local_signer(branch, SIGNING_BRANCHES[branch], self._secrets[branch])

    def close(self) -> None:
        """Forget the keys; every later use is refused."""
        self._secrets.clear()
        self._signers.clear()

    def _need(self, branch: str, among: tuple[str, ...], verb: str) -> None:
        if branch not in among:
            raise InvalidInput(f"No key branch {branch!r} {verb}; there are: {', '.join(among)}.")
        if not self._secrets:
            raise Refused("The keyring is closed. Open it again with open_keyring.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Keyring({self._trust_root.workspace}, {'open' if self._secrets else 'closed'})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A keyring is not written out; hand over one signer with export_signer.")


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
    wrapped_root = wrap(root, _path(workspace, "root"), unlock)
    branches = {name: new_secret(SIGNING_BRANCHES.get(name, "")) for name in _BRANCHES}
    public = {name: (LocalSigner(kind, branches[name]).public(),) for name, kind in SIGNING_BRANCHES.items()}
    ring = Keyring(TrustRoot(workspace, public), branches)
    draft = private_folder(folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.draft"))
    try:
        write_atomically(draft / _ROOT, wrapped_root)
        for name, secret in branches.items():
            write_atomically(draft / _file(name), wrap_under(root, secret, _path(workspace, name)))
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
    if not folder.is_dir():
        raise NotFound(f"There are no keys at {folder}.\nMake a workspace with: sealwright init")
    private_folder(folder)
    wrapped = _read(folder, _ROOT)
    workspace = _workspace(path_of(wrapped, link=f"keys/{_ROOT}"))
    root = unwrap(wrapped, _path(workspace, "root"), unlock, link=f"keys/{_ROOT}")
    trust_root = TrustRoot.from_bytes(_read(folder, _TRUST))
    if trust_root.workspace != workspace:
        raise VerificationFailed(
            f"trust.json is of {trust_root.workspace}, the keys are of {workspace}.", link="keys/trust.json"
        )
    branches = {
        name: unwrap_under(root, _read(folder, _file(name)), _path(workspace, name), link=f"keys/{_file(name)}")
        for name in _BRANCHES
    }
    return Keyring(trust_root, branches)


def _path(workspace: str, branch: str) -> str:
    return f"sealwright/{workspace}/{branch}/v1"


def _file(branch: str) -> str:
    return f"{branch}.v1.json"


def _workspace(path: str) -> str:
    """The workspace in a root key path."""
    parts = path.split("/")
    if len(parts) == 4:
        with contextlib.suppress(InvalidInput):
            if path == _path(check_name(parts[1], what="workspace"), "root"):
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
