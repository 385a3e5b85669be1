"""The front door of the room: everything it names is there, and it opens without the heavy libraries."""

import subprocess
from collections.abc import Callable

import pytest

import sealwright.data

Child = Callable[..., subprocess.CompletedProcess[str]]


def test_every_name_is_there() -> None:
    for name in sealwright.data.__all__:
        assert getattr(sealwright.data, name) is not None
    assert dir(sealwright.data) == sorted(sealwright.data.__all__)
    with pytest.raises(AttributeError, match="has no 'nothing'"):
        _ = sealwright.data.nothing


def test_contracts_are_read_without_loading_a_table_library(run_child: Child) -> None:
    ended = run_child(
        "import sys\nfrom sealwright.data import DataSpec\n"
        "assert not {'pyarrow', 'numpy', 'sqlalchemy'} & set(sys.modules), 'heavy'"
    )
    assert ended.returncode == 0, ended.stderr


def test_a_csv_is_read_without_loading_a_database_library(run_child: Child) -> None:
    ended = run_child("import sys\nfrom sealwright.data import open_source\nassert 'sqlalchemy' not in sys.modules")
    assert ended.returncode == 0, ended.stderr


def test_reading_data_without_the_build_extra_says_what_to_install(run_child: Child) -> None:
    ended = run_child("import sys\nsys.modules['pyarrow'] = None\nfrom sealwright.data import ingest")
    assert "MissingExtra" in ended.stderr
    assert "sealwright[build]" in ended.stderr
