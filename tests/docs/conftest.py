"""The folder of the tutorial, made once by doing the tutorial, and copies of it for the pages that go on from there."""

import contextlib
import importlib.util
import io
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

for _name in ("pages", "reader"):
    _spec = importlib.util.spec_from_file_location(f"docs_{_name}", Path(__file__).with_name(f"{_name}.py"))
    assert _spec is not None
    assert _spec.loader is not None
    _module = importlib.util.module_from_spec(_spec)
    sys.modules[f"docs_{_name}"] = _module
    _spec.loader.exec_module(_module)

from docs_pages import DOCS, ROOT, Block, blocks_of  # noqa: E402
from docs_reader import script  # noqa: E402

from warm import Warm  # noqa: E402

FIRST_MODEL = DOCS / "tutorial" / "first-model.md"


class Shown(NamedTuple):
    """One block of Python, what the page says it prints, and what it printed."""

    block: Block
    want: str
    got: str


class Tutorial(NamedTuple):
    """The tutorial, done."""

    folder: Path
    shown: list[Shown]


@pytest.fixture(scope="session")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Tutorial:
    """Every block of the first tutorial, in order, in one Python, in a folder with nothing in it but the data."""
    folder = tmp_path_factory.mktemp("tutorial")
    folder.chmod(0o700)
    shutil.copy(ROOT / "examples" / "german-credit" / "german_credit.csv", folder)
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(folder):
        for name in ("SEALWRIGHT_HOME", "SEALWRIGHT_KEY_FILE", "SEALWRIGHT_ACTOR"):
            patch.delenv(name, raising=False)
        patch.setenv("HOME", str(folder))
        return Tutorial(folder, list(_done(blocks_of(FIRST_MODEL))))


def _done(blocks: list[Block]) -> Iterator[Shown]:
    names: dict[str, Any] = {"__name__": "__main__"}
    for place, block in enumerate(blocks):
        if block.language != "python":
            continue
        after = blocks[place + 1] if place + 1 < len(blocks) else None
        want = after.text if after is not None and after.language == "text" else ""
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(block.text, block.where, "exec"), names)
        yield Shown(block, want, said.getvalue())


@pytest.fixture
def copy(tutorial: Tutorial, tmp_path: Path) -> Path:
    """The folder as the tutorial left it, for one page alone."""
    folder = tmp_path / "reader"
    shutil.copytree(tutorial.folder, folder)
    return folder


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `sealwright` and `python` in it, as an installation would put them on the path."""
    folder = tmp_path_factory.mktemp("tools")
    script(folder / "python", f'exec {sys.executable} "$@"')
    script(folder / "sealwright", f"exec {sys.executable} -c 'from sealwright.doors.cli import main; main()' \"$@\"")
    return folder


@pytest.fixture(scope="session")
def warm_tools(tools: Path, warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a program that is started already: pages have 150 commands, and nothing to say about its start."""
    folder = tmp_path_factory.mktemp("warm-tools")
    (folder / "python").symlink_to(tools / "python")
    warm.write_program(folder / "sealwright")
    return folder


@pytest.fixture
def free_port() -> Callable[[], int]:
    import socket

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find
