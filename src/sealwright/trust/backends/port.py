"""What every home of keys can do, in two halves: protect the root secret, and sign.

Every adapter keeps the same promises, and one battery of tests holds all of them to it:

- What was wrapped for one key path does not open for another.
- A key that is gone, disabled or not reachable in time means a refusal. Nothing is ever handed out or written
  down unprotected instead.
- A signature that does not verify is not returned, whoever made it.
"""

from collections.abc import Mapping
from typing import Protocol

from sealwright.trust.public_keys import PublicKey, Signer

__all__ = ["KeyBackend", "RootKey", "SigningKeys"]


class RootKey(Protocol):
    """Half one: a key that wraps the root secret and does not leave its home."""

    @property
    def method(self) -> str:
        """What root.json calls this kind of home, e.g. "pkcs11"."""

    def described(self) -> Mapping[str, str]:
        """Which key it is, for root.json: names only, nothing secret."""

    def make_root_key(self) -> None:
        """Make the wrapping key, or a newer version of it that wraps from now on; older ones still open.

        Raises
        ------
        Refused
            This home makes none, or the one there is can be taken out of it.
        """

    def wrap(self, secret: bytes, path: str) -> bytes:
        """`secret` (up to 1,024 bytes) as it may lie on disk, bound to `path`.

        Raises
        ------
        BackendUnavailable
            Not reachable in time.
        BackendRefused
            The key is gone, disabled or not ours to use.
        """

    def unwrap(self, wrapped: bytes, path: str) -> bytes:
        """The secret of `wrap`.

        Raises
        ------
        WrongUnlock
            Another key wrapped it, or for another path, or a byte was changed.
        BackendUnavailable, BackendRefused
            As `wrap`.
        """

    def rewrap(self, wrapped: bytes, path: str) -> bytes:
        """The same secret under the newest version of the key. Raises as `unwrap`."""

    def destroy(self) -> None:
        """Destroy the wrapping key with all its versions: what it wrapped never opens again.

        Raises
        ------
        Refused
            This home cannot destroy it.
        """


class SigningKeys(Protocol):
    """Half two: keys that sign where they are."""

    @property
    def algorithms(self) -> tuple[str, ...]:
        """What this home can sign with."""

    def make_signing_key(self, name: str, algorithm: str) -> Signer:
        """A fresh key pair called `name`.

        Raises
        ------
        Conflict
            There is one of that name.
        InvalidInput
            An algorithm that is not among `algorithms`.
        """

    def signer(self, name: str, key: PublicKey | None = None) -> Signer:
        """The signer of a key made before. Each of its signatures is verified before it is returned.

        Parameters
        ----------
        key : PublicKey, optional
            Its public half, where it is known: of several versions that one signs, and no other.

        Raises
        ------
        NotFound
            There is none of that name.
        BackendRefused
            The one of that name is another key, or can be taken out of its home.
        """


class KeyBackend(RootKey, SigningKeys, Protocol):
    """Both halves."""

    def close(self) -> None:
        """End the connection, forget the PIN or token."""
