"""Devices and services that keys can live in, as the tests of their homes and those of the signer use them.

`import key_homes` is backends/homes.py for every test of this room.
"""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from .backends import homes

sys.modules["key_homes"] = homes


@pytest.fixture(scope="session")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> homes.SoftHsm:
    """A real SoftHSM token."""
    return homes.soft_hsm(tmp_path_factory.mktemp("softhsm"))


@pytest.fixture(scope="session")
def moto_port() -> Iterator[int]:
    """The port of moto's KMS server: a fake that does not enforce the state of keys."""
    pytest.importorskip("moto", reason="moto is not installed: keys in KMS were not tried")
    from moto.server import ThreadedMotoServer

    server: Any = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()
