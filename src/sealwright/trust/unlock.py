"""What opens a wrapped key: a passphrase a person knows, a key file a machine holds, or a key that is elsewhere.

Answers: is this passphrase long enough, is this key file safe to use?
Does not answer: does it open these keys? That is `wrapping`.
"""

import os
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, Protocol

from sealwright.kernel import Conflict, InvalidInput, fsync_folder
from sealwright.trust.errors import KeyFileUnsafe
from sealwright.trust.private_file import read_private

__all__ = [
    "InsecurePassphraseForTests",
    "KeyElsewhere",
    "KeyFile",
    "Passphrase",
    "PassphraseCost",
    "RecoveredRoot",
    "Secret",
    "Unlock",
    "create_key_file",
]

_KEY_BYTES = 32
_FEWEST_CHARACTERS = 12


class Secret:
    """Text that must not be printed, logged, compared or pickled by accident. `reveal()` gives it, on purpose."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Pass it on; do not store or print it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret is not written out; hand it over explicitly with reveal().")


@dataclass(frozen=True, slots=True, kw_only=True)
class PassphraseCost:
    """What one guess costs an attacker (Argon2id, RFC 9106): passes over `memory_kib` KiB in `lanes` lanes."""

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4


@dataclass(frozen=True, slots=True)
class Passphrase:
    """At least 12 characters when a key is created. Stretched by Argon2id: about 0.2 s and 64 MiB a try."""

    text: Secret

    @property
    def cost(self) -> PassphraseCost:
        """Recorded beside the key that is wrapped."""
        return PassphraseCost()

    @property
    def floor(self) -> PassphraseCost:
        """The weakest recorded cost we open: the OWASP minimum for Argon2id."""
        return PassphraseCost(passes=2, memory_kib=19 * 1024, lanes=1)

    def check_strength(self) -> None:
        """Refuse a passphrase too short to protect a key.

        Raises
        ------
        InvalidInput
            Fewer than 12 characters, or fewer than 5 different ones.
        """
        text = self.text.reveal()
        if len(text) < _FEWEST_CHARACTERS or len(set(text)) < 5:
            raise InvalidInput(
                f"The passphrase is too weak: use at least {_FEWEST_CHARACTERS} characters, 5 of them different.\n"
                "Several unrelated words are easy to keep and hard to guess."
            )

    def as_bytes(self) -> bytes:
        """UTF-8 of the NFC form, so that the same words typed on another keyboard give the same bytes.

        Raises
        ------
        InvalidInput
            Not valid Unicode text.
        """
        try:
            return unicodedata.normalize("NFC", self.text.reveal()).encode("utf-8")
        except UnicodeEncodeError:
            raise InvalidInput("The passphrase holds characters that are not valid text. Type it again.") from None


@dataclass(frozen=True, slots=True)
class InsecurePassphraseForTests(Passphrase):
    """A passphrase stretched almost not at all, so that tests run fast. Never for keys that matter.

    What it wraps records its weak cost, and an ordinary `Passphrase` refuses to open that.
    """

    @property
    def cost(self) -> PassphraseCost:
        return PassphraseCost(passes=1, memory_kib=64, lanes=1)

    @property
    def floor(self) -> PassphraseCost:
        return self.cost


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file of 32 random bytes that only we can read: for servers that start without a person.

    Keep it on another disk or in a secret store; beside the keys it opens, it protects nothing.
    """

    path: Path

    def read(self) -> bytes:
        """The 32 bytes, if the file is safe.

        Raises
        ------
        KeyFileUnsafe
            Missing, a link, not a regular file, not ours, open to others, or not 32 bytes.
        """
        data = read_private(self.path, _KEY_BYTES, what="The key file")
        if len(data) != _KEY_BYTES or not any(data):
            raise KeyFileUnsafe(
                f"The key file {self.path} must hold exactly {_KEY_BYTES} random bytes.\n"
                "It was cut, replaced or never written; restore it from your backup."
            )
        return data


class KeyElsewhere(Protocol):
    """A key in a device or a service that wraps the root secret there (`backends`); we never see it."""

    @property
    def method(self) -> str:
        """What root.json calls this kind of home, e.g. "pkcs11"."""

    def described(self) -> Mapping[str, str]:
        """Which key it is: names only."""

    def wrap(self, secret: bytes, path: str) -> bytes:
        """Wrap `secret` there, bound to `path`."""

    def unwrap(self, wrapped: bytes, path: str) -> bytes:
        """The secret of `wrap`, or an error; never anything else."""


Unlock = Passphrase | KeyFile | KeyElsewhere


@dataclass(frozen=True, slots=True)
class RecoveredRoot:
    """The root secret itself, as its shares gave it back: opens a workspace once, to put it under another lock."""

    workspace: str
    secret: bytes = field(repr=False)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A root secret is not written out.")


def create_key_file(path: Path) -> KeyFile:
    """Write 32 fresh random bytes to `path`, readable by us only.

    Raises
    ------
    Conflict
        Something is there already; a key file is never overwritten.
    InvalidInput
        The folder is missing or cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise Conflict(f"{path} exists already; a key file is never overwritten. Choose another name.") from None
    except OSError as error:
        raise InvalidInput(f"Cannot write a key file at {path}: {error.strerror}.") from None
    with os.fdopen(handle, "wb") as stream:
        stream.write(secrets.token_bytes(_KEY_BYTES))
        stream.flush()
        os.fsync(stream.fileno())
    fsync_folder(path.parent)
    return KeyFile(path)
