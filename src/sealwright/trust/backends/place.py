"""Where a signing key is that lives in a device or service: which home, and what it is called there. Nothing secret.

Answers: what stands in the keys folder instead of such a key, and how is its home opened?
Does not answer: does that key sign? Its home is asked for that, and each signature is checked.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sealwright.kernel import VerificationFailed
from sealwright.trust.backends.secret_source import SECRET_OF

if TYPE_CHECKING:
    from sealwright.trust.backends.port import KeyBackend

__all__ = ["KeyHome", "KeyPlace"]

_SHOWN = {"pkcs11": "token", "aws-kms": "region", "vault": "mount"}
_SECONDS = 10.0


class KeyHome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device or service, as a place file describes it: paths are absolute, the secret is the path of a file."""

    method: str
    fields: dict[str, str | float]
    variables: dict[str, str] = {}  # what the library of a maker, or of AWS, reads from the environment

    def open(self) -> "KeyBackend":
        """Connect, and read the secret.

        Raises
        ------
        InvalidInput
            It is not described in form.
        KeyFileUnsafe, MissingExtra
            The secret cannot be read; a library is missing here.
        """
        from sealwright.trust.backends.unlock_file import unlock_from

        said = {"method": self.method, **self.fields, "key": "none"}  # the name of a root key, which is not asked for
        return unlock_from(Path("the description of the key"), said).open()

    def described(self) -> str:
        """For people: "pkcs11, token first"."""
        shown = _SHOWN[self.method]
        return f"{self.method}, {shown} {self.fields.get(shown, 'transit')}"

    @property
    def seconds(self) -> float:
        """The longest one call may take."""
        return float(self.fields.get("seconds", _SECONDS))

    @property
    def secret_file(self) -> Path | None:
        """The file with the PIN, token or credentials; None: the machine's own role."""
        path = self.fields.get(f"{SECRET_OF[self.method]}_file")
        return None if path is None else Path(str(path))

    @property
    def id(self) -> bytes:
        """The same for the same home, described in the same way."""
        return msgspec.json.encode(self, order="deterministic")


class KeyPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One signing key elsewhere. `key_id` is that of its public half, as the trust root lists it."""

    home: KeyHome
    name: str
    key_id: str

    def described(self) -> str:
        """For people: "pkcs11, token first, key ws_1-models-v2-0a1b2c3d"."""
        return f"{self.home.described()}, key {self.name}"

    def to_bytes(self) -> bytes:
        """What is sealed and kept in the keys folder."""
        return msgspec.json.encode(self, order="deterministic")

    @staticmethod
    def from_bytes(data: bytes, *, link: str) -> "KeyPlace":
        """Read what `to_bytes` wrote.

        Raises
        ------
        VerificationFailed
            It is not that.
        """
        try:
            found = _DECODER.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            found = None
        if found is None or found.home.method not in SECRET_OF:
            raise VerificationFailed(f"{link} does not say where the key is in a way we know.", link=link)
        return found


_DECODER = msgspec.json.Decoder(KeyPlace)
