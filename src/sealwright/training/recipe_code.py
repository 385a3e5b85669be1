"""The code of a run: which files, and their digest.

Answers: what exactly is executed? Your own recipe's files are read once, here; these bytes are digested, and
these bytes are what the confined process gets. It sees nothing else of the project folder, so neither the data
file nor the hold-out rows in it.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from sealwright.kernel import InvalidInput, canonical_json, digest_of, digest_of_file, read_limited
from sealwright.training.spec import TrainingSpec

__all__ = ["digest_of_code", "files_of_recipe", "our_code"]

_MOST_FILES, _MOST_BYTES = 500, 16 << 20


def files_of_recipe(spec: TrainingSpec, project_dir: Path | None) -> dict[str, bytes]:
    """Every Python file of the project folder and the files the spec names, by path relative to it.

    Hidden folders, virtual environments, workspaces and symbolic links are left out.

    Raises
    ------
    InvalidInput
        There is no project folder or no such module in it, or more than 500 files or 16 MiB.
    """
    if not spec.own_code:
        return {}
    if project_dir is None:
        raise InvalidInput(f"The recipe {spec.recipe} is your own code; say in which project folder it lies.")
    root = project_dir.resolve()
    names = sorted({*_python_files(root), *spec.files})
    if len(names) > _MOST_FILES:
        raise InvalidInput(f"{root} holds {len(names):,} Python files; a recipe has at most {_MOST_FILES}.")
    found: dict[str, bytes] = {}
    for name in names:
        if not (root / name).parent.resolve().is_relative_to(root):
            raise InvalidInput(f"training.files: {name} lies outside the project folder by way of a link.")
        found[name] = read_limited(root / name, _MOST_BYTES)
        if sum(map(len, found.values())) > _MOST_BYTES:
            raise InvalidInput(f"The files of the recipe {spec.recipe} hold more than {_MOST_BYTES >> 20} MiB.")
    module = spec.recipe.partition(":")[0].replace(".", "/")
    if f"{module}.py" not in found and f"{module}/__init__.py" not in found:
        near = ", ".join(sorted(name for name in found if name.endswith(".py"))[:10]) or "no Python file"
        raise InvalidInput(f"The recipe {spec.recipe} needs {module}.py in {root}; found there: {near}.")
    return found


def our_code() -> str:
    """Digest of this room's own files."""
    root = Path(__file__).parent
    found = {path.relative_to(root).as_posix(): digest_of_file(path) for path in sorted(root.rglob("*.py"))}
    return digest_of(canonical_json(found))


def digest_of_code(files: Mapping[str, bytes]) -> str:
    """Digest of a recipe's files, names included."""
    return digest_of(canonical_json({name: digest_of(data) for name, data in files.items()}))


def _python_files(root: Path) -> Iterator[str]:
    for folder, inner, names in os.walk(root):
        here = Path(folder)
        inner[:] = sorted(
            name for name in inner if not name.startswith((".", "__pycache__")) and not _foreign(here / name)
        )
        for name in sorted(names):
            path = here / name
            if name.endswith(".py") and not name.startswith(".") and not path.is_symlink():
                yield path.relative_to(root).as_posix()


def _foreign(folder: Path) -> bool:
    return folder.is_symlink() or (folder / "pyvenv.cfg").exists() or (folder / "workspace.json").exists()
