"""Keys in encrypted files: what a workspace has without any device or service. The default.

The root secret is wrapped by a passphrase or a key file (`wrapping`); signing keys lie wrapped the same way in a
folder. Both are in this process's memory while they are used, which is what the other homes of keys avoid.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from sealwright.kernel import (
    Conflict,
    InvalidInput,
    NotFound,
    Refused,
    check_name,
    fsync_folder,
    private_folder,
    read_limited,
    write_atomically,
)
from sealwright.trust.backends.verified_signer import VerifiedSigner, refuse_other
from sealwright.trust.errors import WrongUnlock
from sealwright.trust.public_keys import ECDSA_P256, ED25519, ML_DSA_65, PublicKey, Signer
from sealwright.trust.signers import LocalSigner, new_secret
from sealwright.trust.unlock import KeyFile, Passphrase
from sealwright.trust.wrapping import path_of, unwrap, wrap

__all__ = ["FileBackend"]

_MOST_BYTES = 8192


class FileBackend:
    """Implements `KeyBackend` over a passphrase or key file and a folder (0700)."""

    algorithms = (ED25519, ECDSA_P256, ML_DSA_65)
    method = "file"

    def __init__(self, unlock: Passphrase | KeyFile, folder: Path) -> None:
        self._unlock, self._folder = unlock, private_folder(folder)

    def described(self) -> Mapping[str, str]:
        """Nothing: the salt beside the wrapped secret is all there is to say."""
        return {}

    def make_root_key(self) -> None:
        """A key file is made with `create_key_file`, a passphrase by a person."""
        raise Refused("A key file or passphrase is not made here. Make one with: sealwright keys protect")

    def wrap(self, secret: bytes, path: str) -> bytes:
        """As `RootKey.wrap`."""
        return wrap(secret, path, self._unlock)

    def unwrap(self, wrapped: bytes, path: str) -> bytes:
        """As `RootKey.unwrap`."""
        if path_of(wrapped, link="the wrapped secret") != path:
            raise WrongUnlock(f"This was wrapped for another key path than {path!r}.")
        return unwrap(wrapped, path, self._unlock, link="the wrapped secret")

    def rewrap(self, wrapped: bytes, path: str) -> bytes:
        """Under a fresh salt and today's cost."""
        return self.wrap(self.unwrap(wrapped, path), path)

    def destroy(self) -> None:
        """Overwrite the key file and remove it. Copies elsewhere, and old blocks of an SSD, survive that.

        Raises
        ------
        Refused
            A passphrase, which a person would have to forget.
        """
        if not isinstance(self._unlock, KeyFile):
            raise Refused("A passphrase cannot be destroyed. Move to a key that can: sealwright keys protect")
        size = len(self._unlock.read())
        with self._unlock.path.open("r+b") as file:
            file.write(secrets.token_bytes(size))
            file.flush()
            os.fsync(file.fileno())
        self._unlock.path.unlink()
        fsync_folder(self._unlock.path.parent)

    def make_signing_key(self, name: str, algorithm: str) -> Signer:
        """As `SigningKeys.make_signing_key`."""
        if algorithm not in self.algorithms:
            raise InvalidInput(f"Files hold keys of {', '.join(self.algorithms)}; not of {algorithm[:40]!r}.")
        file = self._file(name)
        if file.exists():
            raise Conflict(f"There is a signing key {name!r} already; a key is never overwritten.")
        secret = algorithm.encode() + b"\0" + new_secret(algorithm)
        write_atomically(file, wrap(secret, f"sealwright/signing/{name}", self._unlock))
        return self.signer(name)

    def signer(self, name: str, key: PublicKey | None = None) -> Signer:
        """As `SigningKeys.signer`. The key is unwrapped for each signature, so that a destroyed key file ends it."""
        public = self._open(name).public()
        refuse_other(public, key, where="The folder", name=name)
        return VerifiedSigner(public, lambda data: self._open(name).sign(data), where=f"The key file {name!r}")

    def close(self) -> None:
        """Nothing is held."""

    def _open(self, name: str) -> LocalSigner:
        file = self._file(name)
        if not file.exists():
            raise NotFound(f"There is no signing key {name!r}. Make it first.")
        secret = unwrap(
            read_limited(file, _MOST_BYTES),
            f"sealwright/signing/{name}",
            self._unlock,
            link=f"the signing key {name!r}",
        )
        algorithm, _, key = secret.partition(b"\0")
        return LocalSigner(algorithm.decode(), key)

    def _file(self, name: str) -> Path:
        return self._folder / f"{check_name(name, what='key')}.signing.json"
