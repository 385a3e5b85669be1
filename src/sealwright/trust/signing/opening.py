"""What a new signer process is told once, over a pipe: which keys folder, and what opens it.

It holds a passphrase where one is used, so it never stands in an argument, an environment variable or a file, and its
repr shows nothing.
"""

from pathlib import Path
from typing import Literal

import msgspec

from sealwright.kernel import InvalidInput
from sealwright.trust.unlock import InsecurePassphraseForTests, KeyFile, Passphrase, Secret, Unlock

__all__ = ["MOST_OPENING_BYTES", "Opening"]

MOST_OPENING_BYTES = 32 << 10  # fits a pipe's buffer, so handing it over never blocks


class Opening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Paths are absolute. `text` is the passphrase, or the path of the key file."""

    folder: str
    kind: Literal["passphrase", "passphrase-for-tests", "key-file"]
    text: str

    def __repr__(self) -> str:
        return f"Opening({self.folder!r}, {self.kind}, <hidden>)"

    __str__ = __repr__

    @staticmethod
    def of(folder: Path, unlock: Unlock) -> "Opening":
        """What opens `folder`, ready to be handed over."""
        place = str(folder.resolve())
        if isinstance(unlock, KeyFile):
            return Opening(folder=place, kind="key-file", text=str(unlock.path.absolute()))
        insecure = isinstance(unlock, InsecurePassphraseForTests)
        return Opening(
            folder=place,
            kind="passphrase-for-tests" if insecure else "passphrase",
            text=unlock.text.reveal(),
        )

    @property
    def unlock(self) -> Unlock:
        if self.kind == "key-file":
            return KeyFile(Path(self.text))
        words = Secret(self.text)
        return Passphrase(words) if self.kind == "passphrase" else InsecurePassphraseForTests(words)

    def to_bytes(self) -> bytes:
        """The bytes for the pipe.

        Raises
        ------
        InvalidInput
            They would not fit.
        """
        data = msgspec.msgpack.encode(self)
        if len(data) > MOST_OPENING_BYTES:
            raise InvalidInput("The passphrase or the path of the keys is too long to hand over.")
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
            return _DECODER.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise InvalidInput("What was handed to the signer cannot be read.") from None


_DECODER = msgspec.msgpack.Decoder(Opening)
