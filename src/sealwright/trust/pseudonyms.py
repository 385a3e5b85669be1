"""The names persons are kept under: the same person has the same name everywhere in a project, and nobody else can tell whose.

Answers: under which name is this person kept?
Does not answer: who is behind a name. Without the key and the identifier nobody can say; that is the purpose.

HMAC-SHA256 (RFC 2104) of the identifier under a key of the project, cut to 128 bits. Pseudonyms are still personal data
(GDPR, recital 26): whoever holds the key can test whether a name is that of a person they know.
"""

import hmac
from typing import TYPE_CHECKING

from sealwright.kernel import InvalidInput

if TYPE_CHECKING:
    from sealwright.trust.keyring import (
        Keyring,
    )  # brings the signer's side; a server that only keeps names loads none of it

__all__ = ["as_pseudonym", "keyed_name", "person_name_key", "pseudonym_of", "raw_pseudonym"]

_PREFIX = "sub_"
_KEY = 32
_NAME_BYTES = 16


def person_name_key(keyring: "Keyring", project: str) -> bytes:
    """The key that names the persons of a project."""
    return keyring.key("pseudonyms", f"subjects/{project}")


def pseudonym_of(keyring: "Keyring", project: str, subject: str) -> str:
    """The name a person is kept under in a project: "sub_" and 32 hex digits.

    Parameters
    ----------
    subject : str
        The person's identifier exactly as it stands in the data; a whole number as its digits.
    """
    return as_pseudonym(keyed_name(person_name_key(keyring, project), subject))


def keyed_name(key: bytes, value: str) -> bytes:
    """16 bytes that stand for `value` to whoever has no key."""
    if len(key) != _KEY:
        raise InvalidInput(f"A key for names is {_KEY} bytes; got {len(key)}.")
    return hmac.digest(key, value.encode(), "sha256")[:_NAME_BYTES]


def as_pseudonym(raw: bytes) -> str:
    """16 bytes as they stand in files, as they are written for people."""
    return _PREFIX + raw.hex()


def raw_pseudonym(pseudonym: str) -> bytes:
    """The 16 bytes of a written pseudonym.

    Raises
    ------
    InvalidInput
        It is none.
    """
    try:
        raw = bytes.fromhex(pseudonym.removeprefix(_PREFIX))
    except ValueError:
        raw = b""
    if len(raw) != _NAME_BYTES or as_pseudonym(raw) != pseudonym:
        raise InvalidInput(f"{pseudonym[:60]!r} is not a pseudonym. One looks like {_PREFIX}{'0' * 32}.")
    return raw
