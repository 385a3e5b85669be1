"""What a room hands out: names that load on first use, and never a file of the room in place of what is in it."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import sealwright

ROOMS = [
    module.name
    for module in pkgutil.walk_packages(sealwright.__path__, "sealwright.")
    if module.ispkg and hasattr(importlib.import_module(module.name), "__getattr__")
]


@pytest.mark.parametrize("room", ROOMS)
def test_no_name_of_a_room_is_that_of_one_of_its_files(room: str) -> None:
    """Importing the file would put it in the name's place, for whoever asks later."""
    module = importlib.import_module(room)
    files = {one.name for one in pkgutil.iter_modules(module.__path__)}
    assert files.isdisjoint(module.__all__)


def test_there_are_rooms_to_look_into() -> None:
    assert {"sealwright.trust", "sealwright.pipeline", "sealwright.serving"} <= set(ROOMS)


def test_a_name_is_the_same_whichever_of_its_rooms_files_came_first() -> None:
    code = (
        "import sealwright.pipeline.reading, sealwright.pipeline.version_facts, sealwright.serving.strict_bodies\n"
        "from sealwright.pipeline import facts_of_version, reading_ledger\n"
        "from sealwright.serving import strict_body\n"
        "print(all(map(callable, (facts_of_version, reading_ledger, strict_body))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_all_that_it_hands_out(room: str) -> None:
    module = importlib.import_module(room)
    assert module.__all__
    assert all(getattr(module, name) is not None for name in module.__all__)
