"""Each test of the battery runs on every home of keys: one real token, two fakes of services, and files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import homes


@pytest.fixture(params=["file", "pkcs11", "kms", "vault"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """One home of keys with a root key made."""
    if request.param == "file":
        yield homes.file_home(tmp_path)
    elif request.param == "pkcs11":
        hsm = request.getfixturevalue("hsm")
        if hsm.mode is not None:
            hsm.mode.write_text("")
        yield homes.pkcs11_home(hsm, tmp_path)
        if hsm.mode is not None:
            hsm.mode.write_text("")
    elif request.param == "kms":
        with homes.kms_home(request.getfixturevalue("moto_port"), tmp_path) as made:
            yield made
    else:
        with homes.vault_home(tmp_path) as made:
            yield made
