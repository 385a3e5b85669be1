"""Each test of the battery runs on every home of keys: one real token, two fakes of services, and files."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def _beside(name: str) -> Any:
    """A module of this folder, under a name that no other test folder uses; the signer's tests load them, too."""
    if f"backends_{name}" in sys.modules:
        return sys.modules[f"backends_{name}"]
    spec = importlib.util.spec_from_file_location(f"backends_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[f"backends_{name}"] = module
    spec.loader.exec_module(module)
    return module


fake_transit: Any = _beside("fake_transit")
faulty_http: Any = _beside("faulty_http")
homes: Any = _beside("homes")


@pytest.fixture(scope="session")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return homes.soft_hsm(tmp_path_factory.mktemp("softhsm"))


@pytest.fixture(scope="session")
def moto_port() -> Iterator[int]:
    """The port of moto's KMS server: a fake that does not enforce the state of keys."""
    pytest.importorskip("moto", reason="moto is not installed: the KMS half of the battery was not run")
    from moto.server import ThreadedMotoServer

    server: Any = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


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
