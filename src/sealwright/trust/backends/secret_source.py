"""Where a PIN or token comes from: a file only we can read, or an open file descriptor. Never argv or environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sealwright.kernel import InvalidInput
from sealwright.trust.errors import KeyFileUnsafe
from sealwright.trust.private_file import read_private
from sealwright.trust.unlock import Secret

__all__ = ["SECRET_OF", "SecretDescriptor", "SecretFile", "SecretSource"]

SECRET_OF: Mapping[str, str] = {"pkcs11": "pin", "aws-kms": "credentials", "vault": "token"}
"""The kinds of home, and what each calls the secret that opens it."""

_MOST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A 0600 file of ours with one secret in it. Line breaks at its end do not count."""

    path: Path

    def read(self) -> Secret:
        """The secret.

        Raises
        ------
        KeyFileUnsafe
            Missing, a link, not ours, open to others, or empty.
        """
        return _secret(read_private(self.path, _MOST_BYTES, what="The secret file"), f"The secret file {self.path}")


@dataclass(frozen=True, slots=True)
class SecretDescriptor:
    """An open file descriptor, read once to its end."""

    number: int

    def read(self) -> Secret:
        """The secret.

        Raises
        ------
        InvalidInput
            The descriptor is not open for reading.
        KeyFileUnsafe
            It is empty, too long or not text.
        """
        data = b""
        try:
            while len(data) <= _MOST_BYTES and (more := os.read(self.number, _MOST_BYTES)):
                data += more
        except OSError:
            raise InvalidInput(
                f"File descriptor {self.number} is not open for reading; open it for this command."
            ) from None
        return _secret(data, f"What came through file descriptor {self.number}")


SecretSource = SecretFile | SecretDescriptor


def _secret(data: bytes, what: str) -> Secret:
    try:
        text = data.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        text = ""
    if not text or len(data) > _MOST_BYTES:
        raise KeyFileUnsafe(f"{what} must hold one secret: text of 1 to {_MOST_BYTES:,} bytes.")
    return Secret(text)
