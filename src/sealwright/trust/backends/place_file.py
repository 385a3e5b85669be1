"""The file by which an operator says into which device or service a signing key goes: TOML, and nothing secret in it.

    method = "pkcs11"
    library = "/usr/lib/softhsm/libsofthsm2.so"
    token = "prod"
    pin_file = "pin"

As the file that opens a workspace (`unlock_file`), but for three things: `key` is left out to have a new pair made, or
names one that is there; the secret is in a file, since every signer reads it anew; and `variables` are what a maker's library reads from
the environment. The signer reads this file itself, and only if nobody but its own user could have written it: it
says which library is loaded.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from sealwright.kernel import InvalidInput
from sealwright.trust.backends.place import KeyHome
from sealwright.trust.backends.secret_source import SECRET_OF
from sealwright.trust.backends.unlock_file import unlock_from
from sealwright.trust.private_file import read_private

__all__ = ["read_place_file"]

_MOST_BYTES = 16_384
_MOST_SECONDS = 10.0  # several calls are made for one request, and who asked waits for thirty
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_OURS = ("LD_", "PYTHON", "SEALWRIGHT_")
_PATHS = ("library", "ca")


def read_place_file(path: Path) -> tuple[KeyHome, str | None]:
    """The home a place file describes, and the name of the pair to take there; None: a new one. Nothing is asked of it yet.

    Raises
    ------
    KeyFileUnsafe
        It is missing, a link, somebody else's, or others could change it.
    InvalidInput
        Not such a file. Nothing of its content is repeated if it is no TOML.
    """
    said = _read(path)
    name, variables = said.pop("key", None), _variables(path, said.pop("variables", {}))
    if name is not None and (not isinstance(name, str) or not name):
        raise InvalidInput(f"{path}: key must be the name of a key pair that is there, or be left out.")
    unlock_from(path, {**said, "key": name or "new"})  # refuses what is missing or odd
    method = said.pop("method")
    secret = f"{SECRET_OF[method]}_file"
    if f"{SECRET_OF[method]}_descriptor" in said:
        raise InvalidInput(f"{path} must name a {secret}: every signer reads it anew, and a descriptor is read once.")
    if variables and method == "vault":
        raise InvalidInput(f"{path}: vault reads no variables.")
    seconds = float(said.get("seconds", _MOST_SECONDS))
    if seconds > _MOST_SECONDS:
        raise InvalidInput(f"{path}: seconds must be at most {_MOST_SECONDS:g} for a key that signs.")
    paths = {name: str(path.parent.absolute() / said[name]) for name in (*_PATHS, secret) if name in said}
    return KeyHome(method=method, fields={**said, **paths, "seconds": seconds}, variables=variables), name


def _read(path: Path) -> dict[str, Any]:
    data = read_private(path, _MOST_BYTES, what="The place file", secret=False)
    try:
        return tomllib.loads(data.decode("utf-8") if len(data) <= _MOST_BYTES else "=")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise InvalidInput(f"{path} is not TOML, or longer than {_MOST_BYTES:,} bytes.") from None


def _variables(path: Path, said: object) -> dict[str, str]:
    good = isinstance(said, dict) and all(
        isinstance(text, str) and _VARIABLE.fullmatch(name) and not name.startswith(_OURS)
        for name, text in said.items()
    )
    if not isinstance(said, dict) or not good:
        raise InvalidInput(f"{path}: variables must be texts, by names such as SOFTHSM2_CONF; none of the loader's.")
    return said
