"""What is installed in this Python: every distribution, with the digest of its own list of files.

Answers: which packages, which versions, which exact builds; and do their files still have the listed hashes?
Does not answer: were they good when they were installed. `advisories` and the lock file's hashes say something about that.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from sealwright.kernel import digest_of

__all__ = ["Installed", "changed_files", "installed_here", "normal_name"]

_SEPARATORS = re.compile(r"[-_.]+")
_CHUNK = 1 << 20
_INSTALLERS_NOTES = tuple(
    f".dist-info/{name}" for name in ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One distribution. `record` is the digest of its RECORD file: it lists every file with its own hash."""

    name: str  # normalised as PyPA's core metadata asks: lower case, single dashes
    version: str
    record: str = ""  # "sha256:<64 hex>"; "" where it has none, e.g. an editable checkout


def normal_name(name: str) -> str:
    """A project name as package indexes compare it (PyPA, name normalisation)."""
    return _SEPARATORS.sub("-", name).lower()


def installed_here(paths: Iterable[str] | None = None) -> tuple[Installed, ...]:
    """Every distribution on the import path, or under `paths`, by name; the one that would be imported where there are two."""
    found: dict[str, Installed] = {}
    for dist in metadata.distributions() if paths is None else metadata.distributions(path=list(paths)):
        if dist.name:
            name = normal_name(dist.name)
            found.setdefault(name, Installed(name=name, version=dist.version, record=_record_digest(dist)))
    return tuple(found[name] for name in sorted(found))


def changed_files(paths: Iterable[str] | None = None) -> Iterator[tuple[str, str]]:
    """Package and file for each installed file that is missing or no longer has the hash in RECORD.

    Notes
    -----
    Compiled bytecode is not listed with a hash and so not looked at; Python rebuilds it from the source.
    """
    for dist in metadata.distributions() if paths is None else metadata.distributions(path=list(paths)):
        for file in dist.files or ():
            if (
                file.hash is not None
                and file.hash.mode == "sha256"
                and not _is(Path(str(file.locate())), file.hash.value)
            ):
                yield normal_name(dist.name), str(file)


def _record_digest(dist: metadata.Distribution) -> str:
    """The digest of the sorted lines of RECORD: installers write them in different orders."""
    text = dist.read_text("RECORD")
    if text is None:
        return ""
    lines = sorted(line for line in text.splitlines() if not _depends_on_place(line))
    return digest_of("\n".join(lines).encode())


def _depends_on_place(line: str) -> bool:
    """Lines that differ from one installation of the same wheel to the next: scripts, bytecode, the installer's notes."""
    path = line.split(",", 1)[0]
    return path.startswith("../") or "__pycache__" in path or path.endswith(_INSTALLERS_NOTES)


def _is(path: Path, expected: str) -> bool:
    """Whether the file has this hash, as RECORD writes it: base64url without padding."""
    hasher = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                hasher.update(chunk)
    except OSError:
        return False
    return base64.urlsafe_b64encode(hasher.digest()).rstrip(b"=").decode() == expected
