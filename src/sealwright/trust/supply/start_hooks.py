"""Files that run code whenever this Python starts: `.pth` lines that import, and site customisation.

Answers: would anything run before our first line, and is it expected?
Does not answer: is an expected hook harmless; each one below is listed with its reason and its exact content.

The way a stealer got into a widely used package in March 2026: a `.pth` file in the wheel, run at every start of Python.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["EXPECTED_HOOKS", "StartHook", "start_hooks"]

EXPECTED_HOOKS: Mapping[str, str] = {
    # setuptools: makes `import distutils` find setuptools' copy; imported only where distutils is.
    "distutils-precedence.pth": "2638ce9e2500e572a5e0de7faed6661eb569d1b696fcba07b0dd223da5f5d224",
}
"""SHA-256 of the hooks we know, by file name."""

_CUSTOM = ("sitecustomize.py", "usercustomize.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartHook:
    """Something that runs at start and is not on our list."""

    path: Path
    why: str


def start_hooks(folders: Iterable[str]) -> Iterator[StartHook]:
    """The unexpected start hooks in `folders` (those of `sys.path` that are site directories).

    A `.pth` line that names a folder adds it to the import path and runs nothing; a line that begins with `import`
    is executed (Python's `site` module).
    """
    for folder in dict.fromkeys(folders):
        place = Path(folder)
        if not place.is_dir():
            continue
        for path in sorted(place.glob("*.pth")):
            if (why := _why_unexpected(path)) is not None:
                yield StartHook(path=path, why=why)
        for name in _CUSTOM:
            if (place / name).exists():
                yield StartHook(path=place / name, why="is imported at every start of Python")


def _why_unexpected(path: Path) -> str | None:
    try:
        data = path.read_bytes()
    except OSError:
        return "cannot be read"
    if EXPECTED_HOOKS.get(path.name) == hashlib.sha256(data).hexdigest():
        return None
    lines = data.decode("utf-8", "replace").splitlines()
    if any(line.startswith(("import ", "import\t")) for line in lines):
        return "runs code at every start of Python"
    return None
