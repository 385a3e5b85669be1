"""The keys of one snapshot's files, kept beside them, each wrapped under the key of its class.

Answers: how can one role read the public columns and not the personal ones, and how are keys rotated without
touching data? A snapshot has random keys of its own, one per class of columns; `keys.json` holds them wrapped. To rotate is
to write that small file anew.
Does not answer: which role may read what. Whoever opens the keys says so, and notes it (`access`).

`keys.json` is not in the signed manifest, since it changes; each wrapped key is bound to snapshot, name and version instead.
"""

import base64
import binascii
import secrets
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from sealwright.data.formats import KEYS_FILE
from sealwright.kernel import (
    InvalidInput,
    SealwrightError,
    VerificationFailed,
    canonical_json,
    read_limited,
    strict_json,
    write_atomically,
)
from sealwright.trust import Keyring, open_sealed, seal

__all__ = [
    "BRANCH",
    "MasterKey",
    "master_keys",
    "new_file_keys",
    "open_file_keys",
    "rewrap_file_keys",
    "wrap_file_keys",
]

BRANCH = "data"

MasterKey = Callable[[str, int], bytes]
"""From the name of a key and the version of the branch to the 32 bytes that wrap it; raises where it is not to be had."""

_MOST_BYTES = 64 * 1024
_LINK = f"snapshot/{KEYS_FILE}"


def master_keys(keyring: Keyring) -> MasterKey:
    """What wraps the keys of files: derived from the branch "data", one per name and version."""
    return lambda name, version: keyring.key(BRANCH, f"file-key/{name}", version=version)


def new_file_keys(names: Collection[str]) -> dict[str, bytes]:
    """Fresh random keys."""
    return {name: secrets.token_bytes(32) for name in sorted(names)}


def wrap_file_keys(folder: Path, keys: Mapping[str, bytes], *, snapshot: str, keyring: Keyring) -> None:
    """Write `keys.json` into a snapshot's folder, wrapped under the newest version of the branch."""
    version, master = keyring.versions(BRANCH)[-1], master_keys(keyring)
    wrapped = {
        name: base64.b64encode(seal(master(name, version), key, aad=_place(snapshot, name, version))).decode()
        for name, key in keys.items()
    }
    write_atomically(folder / KEYS_FILE, canonical_json({"format": 1, "keys": wrapped, "version": version}))


def open_file_keys(folder: Path, names: Collection[str], *, snapshot: str, master: MasterKey) -> dict[str, bytes]:
    """Some keys of a snapshot.

    Raises
    ------
    VerificationFailed
        `keys.json` is missing, changed, or of another snapshot.
    NotFound
        They are wrapped under a version of the branch that was destroyed.
    """
    version, wrapped = _read(folder)
    missing = sorted(set(names) - set(wrapped))
    if missing:
        raise VerificationFailed(
            f"The snapshot's keys lack {missing[0]!r}. Restore {KEYS_FILE} from a backup.", link=_LINK
        )
    try:
        return {
            name: open_sealed(master(name, version), wrapped[name], aad=_place(snapshot, name, version))
            for name in names
        }
    except VerificationFailed:
        raise VerificationFailed(
            "A key of this snapshot does not open: it was changed, is of another snapshot, or of another workspace.",
            link=_LINK,
        ) from None


def rewrap_file_keys(folder: Path, *, snapshot: str, keyring: Keyring) -> bool:
    """Wrap a snapshot's keys under the newest version; False if they are already. No data file is touched.

    Raises
    ------
    VerificationFailed, NotFound
        As `open_file_keys`.
    """
    version, wrapped = _read(folder)
    if version == keyring.versions(BRANCH)[-1]:
        return False
    keys = open_file_keys(folder, list(wrapped), snapshot=snapshot, master=master_keys(keyring))
    wrap_file_keys(folder, keys, snapshot=snapshot, keyring=keyring)
    return True


def _read(folder: Path) -> tuple[int, dict[str, bytes]]:
    """Version and wrapped keys, in the one spelling we write."""
    try:
        data = read_limited(folder / KEYS_FILE, _MOST_BYTES)
        found: Any = strict_json(data, what=KEYS_FILE)
        version, keys = found["version"], found["keys"]
        wrapped = {str(name): base64.b64decode(text, validate=True) for name, text in keys.items()}
        again = {name: base64.b64encode(key).decode() for name, key in wrapped.items()}
        if type(version) is not int or canonical_json({"format": 1, "keys": again, "version": version}) != data:
            raise InvalidInput("not as it is written")
        return version, wrapped
    except (SealwrightError, KeyError, TypeError, AttributeError, ValueError, binascii.Error):
        raise VerificationFailed(
            f"{KEYS_FILE} of the snapshot is missing or not readable. Restore it from a backup; without it the data"
            " cannot be decrypted.",
            link=_LINK,
        ) from None


def _place(snapshot: str, name: str, version: int) -> bytes:
    return f"sealwright/file-key/{snapshot}/{name}/v{version}".encode()
