"""The front door of a room: its names, each loaded when it is first asked for.

A room writes down once what it hands out, as imports that only type checkers and import-linter follow. What is imported
as itself is handed out (PEP 484):

    if TYPE_CHECKING:
        from sealwright.watch.seen import Seen as Seen
    else:
        __getattr__, __dir__, __all__ = front_door(__name__)

Answers: which file has a name, without importing any of them?
Does not answer: may this room import that one? import-linter does. Why it is so: docs/adr/0026-front-doors.md.
"""

import ast
import importlib
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from sealwright.kernel.errors import MissingExtra

__all__ = ["Needs", "front_door"]


class Needs(NamedTuple):
    """Libraries that a room cannot do without, and the extra they come with."""

    doing: str  # what the room cannot do without them, as a sentence begins: "Reading data"
    extra: str
    libraries: tuple[str, ...]


def front_door(
    room: str, needs: Needs | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a room whose `__init__.py` is just being imported.

    Parameters
    ----------
    room : str
        Its `__name__`.
    needs : Needs, optional
        If a name cannot be had because one of these is not installed, asking for it raises `MissingExtra`.

    Raises
    ------
    ImportError
        The room came without its source, which says what it hands out.
    """
    file_of = _files_of(room)
    loaded = vars(sys.modules[room])

    def load(name: str) -> Any:
        if name not in file_of:
            raise AttributeError(f"{room} has no {name!r}")
        try:
            value = getattr(importlib.import_module(file_of[name]), name)  # noqa: TID251 - what a front door is for
        except ModuleNotFoundError as error:
            if needs and (error.name or "").partition(".")[0] in needs.libraries:
                raise MissingExtra(needs.doing, needs.extra) from None
            raise
        loaded[name] = value  # so that the next one who asks does not come here
        return value

    return load, lambda: sorted(file_of), sorted(file_of)


def _files_of(room: str) -> dict[str, str]:
    """The file of each name that the room imports as itself."""
    source = sys.modules[room].__loader__.get_source(room)  # type: ignore[union-attr]
    if source is None:
        raise ImportError(f"{room} came without its source, which says what it hands out. Install Sealwright's wheel.")
    return {
        name.name: statement.module or ""
        for block in ast.parse(source).body
        if isinstance(block, ast.If)
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for name in statement.names
        if name.asname == name.name
    }
