"""The front door of the room gives every name it promises, and costs nothing until one is used."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sealwright import trust


def test_every_promised_name_is_there_and_none_is_a_module() -> None:
    """A submodule named like a function would hide it."""
    for name in trust.__all__:
        assert not isinstance(getattr(trust, name), ModuleType), name
    modules = {path.stem for path in Path(str(trust.__file__)).parent.glob("*.py")}
    assert not modules & set(trust.__all__)
    assert dir(trust) == sorted(trust.__all__)


def test_an_unknown_name_is_an_ordinary_error() -> None:
    with pytest.raises(AttributeError, match="no 'verify_everything'"):
        trust.verify_everything  # noqa: B018


def test_importing_the_room_loads_no_cryptography() -> None:
    program = (
        "import sys, sealwright.trust; print([m for m in ('cryptography', 'joserfc', 'argon2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
