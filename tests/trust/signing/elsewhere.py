"""Keys that sign in a device or service, as the signer's tests need them: the homes of the battery, and place files."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import key_homes as homes
import pytest

from sealwright.kernel import NotFound
from sealwright.trust import Event, TrustRoot, rotate_signing

if TYPE_CHECKING:
    from .conftest import Place


@pytest.fixture
def token(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A home in a real SoftHSM token, with a library in front that can be made to fail."""
    hsm = request.getfixturevalue("hsm")
    made = homes.pkcs11_home(hsm, tmp_path)
    yield made
    if hsm.mode is not None:
        hsm.mode.write_text("")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Any]:
    """A home in the stand-in for a transit engine."""
    with homes.vault_home(tmp_path) as made:
        yield made


@pytest.fixture(params=["pkcs11", "kms", "vault"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Each home a signing key can be in: a real token, and two fakes of services."""
    if request.param == "kms":
        with homes.kms_home(request.getfixturevalue("moto_port"), tmp_path) as made:
            yield made
    else:
        yield request.getfixturevalue("token" if request.param == "pkcs11" else "engine")


@pytest.fixture(params=["pkcs11", "vault"])
def either(request: pytest.FixtureRequest) -> Any:
    """Each home that has every algorithm but ML-DSA: a real token, and a fake of a service."""
    return request.getfixturevalue("token" if request.param == "pkcs11" else "engine")


def place_file(home: Any, folder: Path, **changes: Any) -> Path:
    """A place file for a home; a value of None leaves the field out."""
    said = {**_fields(home), **changes}
    variables = said.pop("variables", None)
    lines = [f"{name} = {json.dumps(value)}" for name, value in said.items() if value is not None]
    if variables:
        lines += ["[variables]", *(f"{name} = {json.dumps(value)}" for name, value in variables.items())]
    made = folder / f"place-{len(list(folder.glob('place-*')))}.toml"
    made.write_text("\n".join(lines) + "\n")
    made.chmod(0o600)
    return made


def _fields(home: Any) -> dict[str, Any]:
    unlock = home.unlock
    if home.name == "pkcs11":
        names = ("SOFTHSM2_CONF", "FAULTY_PKCS11_REAL", "FAULTY_PKCS11_MODE")
        return {
            "method": "pkcs11", "library": str(unlock.library), "token": unlock.token, "pin_file": str(unlock.pin.path),
            "seconds": unlock.seconds, "variables": {name: os.environ[name] for name in names if name in os.environ},
        }  # fmt: skip
    if home.name == "kms":
        return {
            "method": "aws-kms", "region": unlock.region, "endpoint": unlock.endpoint,
            "credentials_file": str(unlock.credentials.path), "seconds": unlock.seconds,
        }  # fmt: skip
    return {"method": "vault", "url": unlock.url, "token_file": str(unlock.token.path), "seconds": unlock.seconds}


class Kept:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def record(self, event: Event) -> None:
        self.events.append(event)


def rotated(place: "Place", branch: str, at: Path | None = None, *, audit: Any = None) -> TrustRoot:
    """A branch's next key, asked for by a command of its own."""
    with place.open() as ring:
        return rotate_signing(ring, place.keys, place.unlock, branch, audit=audit or Kept(), by="ada", at=at)


@dataclass
class Family:
    """The processes of one signer: itself, its dispatcher, its couriers."""

    signer: int

    @property
    def dispatcher(self) -> int:
        (found,) = _children(self.signer)
        return found

    @property
    def couriers(self) -> list[int]:
        return _children(self.dispatcher)

    @property
    def all(self) -> list[int]:
        return [self.signer, self.dispatcher, *self.couriers]


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        raise NotFound(f"no process {pid}") from None


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def another_token(hsm: Any, folder: Path, label: str = "first") -> Path:
    """The configuration of another SoftHSM store, in which a token bears the same name."""
    (folder / "tokens").mkdir(parents=True)
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    tool = shutil.which("softhsm2-util")
    assert tool is not None
    subprocess.run(
        [tool, "--init-token", "--free", "--label", label, "--so-pin", "87654321", "--pin", homes.PIN],
        check=True, capture_output=True, env={"PATH": os.defpath, "SOFTHSM2_CONF": str(conf)},
    )  # fmt: skip
    return conf
