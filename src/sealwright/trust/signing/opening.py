"""What a new signer process is told once, over a pipe: which keys folder, and what opens the signing keys in it.

Answers: how does a signer open its keys without a person, and without the root secret?
A key file it reads itself. In every other case it is handed the key that the signing branches are wrapped under, which was
derived from the root (`key_files.signing_key_of`): so no passphrase, PIN or token travels, none is asked for twice, and the
signer of a command can open nothing that encrypts. It never stands in an argument, an environment variable or a file, and
its repr shows nothing.
"""

from pathlib import Path
from typing import Literal

import msgspec

from sealwright.kernel import InvalidInput
from sealwright.trust.unlock import InsecurePassphraseForTests, KeyFile, RecoveredRoot, Unlock

__all__ = ["MOST_OPENING_BYTES", "Opening"]

MOST_OPENING_BYTES = 32 << 10  # fits a pipe's buffer, so handing it over never blocks
_KEY = 32


class Opening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Paths are absolute. `how` is the path of the key file, or the 32-byte signing key."""

    folder: str
    kind: Literal["key-file", "signing-key"]
    how: bytes

    def __repr__(self) -> str:
        return f"Opening({self.folder!r}, {self.kind}, <hidden>)"

    __str__ = __repr__

    @staticmethod
    def of(folder: Path, unlock: Unlock | RecoveredRoot, signing_key: bytes) -> "Opening":
        """What opens the signing keys in `folder`, ready to be handed over."""
        place = str(folder.resolve())
        if isinstance(unlock, KeyFile):
            return Opening(folder=place, kind="key-file", how=str(unlock.path.absolute()).encode())
        return Opening(folder=place, kind="signing-key", how=signing_key)

    def may_wait(self, unlock: Unlock | RecoveredRoot) -> bool:
        """Whether this may be kept until the first signature is asked for: a key would lie in memory all the while."""
        return self.kind == "key-file" or isinstance(unlock, InsecurePassphraseForTests)

    @property
    def key_file(self) -> KeyFile | None:
        """What opens the root, where the signer opens it itself."""
        return KeyFile(Path(self.how.decode())) if self.kind == "key-file" else None

    def to_bytes(self) -> bytes:
        """The bytes for the pipe.

        Raises
        ------
        InvalidInput
            They would not fit.
        """
        data = msgspec.msgpack.encode(self)
        if len(data) > MOST_OPENING_BYTES:
            raise InvalidInput("The path of the keys or of the key file is too long to hand over.")
        return data

    @staticmethod
    def from_bytes(data: bytes) -> "Opening":
        """Read what `to_bytes` wrote.

        Raises
        ------
        InvalidInput
            It is not that. The message repeats nothing of it.
        """
        try:
            found = _DECODER.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            found = None
        if found is None or (found.kind == "signing-key" and len(found.how) != _KEY):
            raise InvalidInput("What was handed to the signer cannot be read.")
        return found


_DECODER = msgspec.msgpack.Decoder(Opening)
