"""The few files a page loads. Each is served under a name with its digest in it, so it may be kept and is never stale."""

import hashlib
from base64 import b64encode
from pathlib import Path
from types import MappingProxyType

__all__ = ["STATIC_FILES", "STATIC_INTEGRITY", "STATIC_NAMES"]

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


def _named() -> dict[str, tuple[str, bytes, str]]:
    found = {}
    for path in sorted((Path(__file__).parent / "static").iterdir()):
        data = path.read_bytes()
        name = f"{path.stem}-{hashlib.sha256(data).hexdigest()[:16]}{path.suffix}"
        found[path.name] = (name, data, _TYPES[path.suffix])
    return found


_FILES = _named()
STATIC_NAMES = MappingProxyType({plain: f"/static/{name}" for plain, (name, _, _) in _FILES.items()})
"""Address of each file by its plain name, e.g. "console.css"."""
STATIC_FILES = MappingProxyType({name: (data, kind) for name, data, kind in _FILES.values()})
"""Bytes and media type by the name in the address. A request chooses among these and names no path."""
STATIC_INTEGRITY = MappingProxyType(
    {
        plain: f"sha384-{b64encode(hashlib.sha384(data).digest()).decode()}"
        for plain, (_, data, _) in _FILES.items()
        if plain.endswith(".js")
    }
)
"""Digest of each script by its plain name: a browser runs exactly these bytes or nothing."""
