"""The keys of an hour's file: random, and wrapped beside it under the branch "decisions".

Answers: with what is the file of one hour encrypted, and with what does it open?
Does not answer: who may open it. Whoever has the keyring's branch does.
"""

import base64
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sealwright.data import FOOTER_KEY
from sealwright.kernel import VerificationFailed, canonical_json, read_limited, strict_json, write_atomically
from sealwright.pipeline.decision_hours import KEYS, Hour
from sealwright.trust import Keyring, open_sealed, seal

__all__ = ["CONTENT_KEY", "PLAIN_KEY", "new_keys", "opened_keys", "wrap_keys"]

PLAIN_KEY, CONTENT_KEY = "decisions/v1", "content/v1"

_PURPOSE = "sealwright/decision-hours/v1"
_MOST_BYTES = 1 << 20


def new_keys() -> dict[str, bytes]:
    """Fresh random keys of one file."""
    return {name: secrets.token_bytes(32) for name in (FOOTER_KEY, PLAIN_KEY, CONTENT_KEY)}


def wrap_keys(keyring: Keyring, hour: Hour, keys: Mapping[str, bytes], folder: Path) -> None:
    """Write `keys.json`, wrapped under the newest version of the branch."""
    version = keyring.versions("decisions")[-1]
    master = keyring.key("decisions", _PURPOSE, version=version)
    wrapped = {
        name: base64.b64encode(seal(master, key, aad=_place(hour, name, version))).decode()
        for name, key in keys.items()
    }
    write_atomically(folder / KEYS, canonical_json({"format": 1, "keys": wrapped, "version": version}))


def opened_keys(keyring: Keyring, hour: Hour) -> dict[str, bytes]:
    """The keys of an hour's file.

    Raises
    ------
    VerificationFailed
        `keys.json` is missing, changed, or of another hour.
    """
    try:
        said: Any = strict_json(read_limited(hour.folder / KEYS, _MOST_BYTES), what=KEYS)
        version = said["version"]
        master = keyring.key("decisions", _PURPOSE, version=version)
        return {
            name: open_sealed(master, base64.b64decode(text, validate=True), aad=_place(hour, name, version))
            for name, text in said["keys"].items()
        }
    except (OSError, KeyError, TypeError, AttributeError, ValueError, VerificationFailed):
        raise VerificationFailed(
            f"The keys of the hour {hour.hour} are missing or of another hour. Restore keys.json from a backup.",
            link=f"{hour.link}/{KEYS}",
        ) from None


def _place(hour: Hour, name: str, version: int) -> bytes:
    return f"sealwright/decision-hour/{hour.project}/{hour.channel}/{hour.name}/{name}/v{version}".encode()
