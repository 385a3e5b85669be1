"""A room hands out what it imports as itself, each name loaded when it is first asked for."""

import compileall
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from sealwright.kernel import MissingExtra

Make = Callable[..., ModuleType]

DOOR = """
from typing import TYPE_CHECKING
from sealwright.kernel import Needs, front_door
if TYPE_CHECKING:
    from collections.abc import Callable
    from {name}.red import RED as RED
    from {name}.red import _INSIDE
    from {name}.deep.blue import blue as blue
    from {name}.broken import lost as lost
else:
    __getattr__, __dir__, __all__ = front_door(__name__, Needs("Painting", extra="build", libraries=("{library}",)))
"""


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes a room `painted` with three files and imports it."""
    monkeypatch.syspath_prepend(tmp_path)

    def made(*, library: str = "no_such_library", prepare: Callable[[Path], None] = lambda _: None) -> ModuleType:
        room = tmp_path / "painted"
        (room / "deep").mkdir(parents=True)
        (room / "__init__.py").write_text(DOOR.format(name="painted", library=library))
        (room / "red.py").write_text("RED = object()\n_INSIDE = 1\n")
        (room / "deep" / "__init__.py").touch()
        (room / "deep" / "blue.py").write_text("def blue() -> None: ...\n")
        (room / "broken.py").write_text("from no_such_library.part import lost\n")
        prepare(room)
        return importlib.import_module("painted")

    yield made
    for name in [one for one in sys.modules if one.partition(".")[0] == "painted"]:
        del sys.modules[name]


def test_a_name_loads_its_file_and_no_other_and_only_once(make: Make) -> None:
    room = make()
    assert "painted.red" not in sys.modules
    red = room.RED
    assert red is sys.modules["painted.red"].RED
    assert "painted.deep.blue" not in sys.modules
    sys.modules["painted.red"].RED = "another"  # type: ignore[attr-defined]
    assert room.RED is red
    assert room.blue is importlib.import_module("painted.deep.blue").blue


def test_what_is_not_imported_as_itself_is_not_handed_out(make: Make) -> None:
    room = make()
    assert room.__all__ == dir(room) == ["RED", "blue", "lost"]
    for name in ("_INSIDE", "Callable", "green"):
        with pytest.raises(AttributeError, match=f"painted has no '{name}'"):
            getattr(room, name)


def test_a_library_that_is_not_installed_is_named_by_its_extra(make: Make) -> None:
    with pytest.raises(MissingExtra, match=r"(?s)Painting.*sealwright\[build\]"):
        _ = make().lost


def test_a_library_that_no_extra_brings_is_named_as_python_does(make: Make) -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        _ = make(library="another").lost


def test_a_room_without_its_source_says_so(make: Make) -> None:
    def leave_bytecode(room: Path) -> None:
        compileall.compile_dir(room, quiet=1, legacy=True)
        for file in room.rglob("*.py"):
            file.unlink()

    with pytest.raises(ImportError, match="painted came without its source"):
        make(prepare=leave_bytecode)
