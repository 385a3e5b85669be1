"""The four homes of keys as the battery sees them: a backend, and the ways to break it."""

import os
import secrets
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sealwright.trust import KeyFile, Unlock, create_key_file
from sealwright.trust.backends.file import FileBackend
from sealwright.trust.backends.port import KeyBackend
from sealwright.trust.backends.secret_source import SecretFile
from sealwright.trust.backends.unlocks import KmsUnlock, Pkcs11Unlock, VaultUnlock

from .fake_transit import FakeTransit
from .faulty_http import FaultyHttp

__all__ = ["KMS_SECRET", "PIN", "Home", "SoftHsm", "file_home", "kms_home", "pkcs11_home", "soft_hsm", "vault_home"]

PIN = "493817"
KMS_SECRET = "wJalrXUtnFEMI-of-the-fake"
SECONDS = 1.5  # the deadline in these tests


def written(path: Path, text: str) -> SecretFile:
    path.write_text(text + "\n")
    path.chmod(0o600)
    return SecretFile(path)


@dataclass
class Home(ABC):
    """One home. What it cannot do says so where a test asks for it."""

    name: str
    backend: KeyBackend
    unlock: Unlock
    mark: str = field(default_factory=lambda: secrets.token_hex(4))

    def own(self, name: str) -> str:
        """A key name that no other test uses: a token and a service outlive one test."""
        return f"{name}-{self.mark}"

    @abstractmethod
    def another(self) -> KeyBackend:
        """The same key, over a connection of its own."""

    @abstractmethod
    def stranger(self) -> KeyBackend:
        """The same kind of home with another root key."""

    def fault(self, kind: str, *, on: bool = True) -> None:
        """Switch "down", "slow" or "lie" on or off."""
        pytest.skip(f"{self.name}: cannot be made {kind}, {on}")

    def end_old_versions(self) -> None:
        """Make the first version of the root key unusable, the way an operator of this home would."""
        pytest.skip(f"{self.name}: has no versions")

    @abstractmethod
    def remove_signing_key(self, name: str) -> None:
        """Take a key away the way an operator of this home would."""

    def with_wrong_secret(self) -> KeyBackend:
        """Opened with a wrong PIN or token."""
        pytest.skip(f"{self.name}: has no PIN or token")


class FileHome(Home):
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = create_key_file(folder / "root.key")
        super().__init__("file", FileBackend(self.key, folder / "signing"), self.key)

    def another(self) -> KeyBackend:
        return FileBackend(self.key, self.folder / "signing")

    def stranger(self) -> KeyBackend:
        return FileBackend(create_key_file(self.folder / "other.key"), self.folder / "signing-2")

    def fault(self, kind: str, *, on: bool = True) -> None:
        if kind != "down":
            pytest.skip(f"file: cannot be made {kind}")
        away = self.folder / "away"
        (self.key.path.rename(away) if on else away.rename(self.key.path)) and None

    def remove_signing_key(self, name: str) -> None:
        (self.folder / "signing" / f"{name}.signing.json").unlink()

    def with_wrong_secret(self) -> KeyBackend:
        wrong = self.folder / "wrong.key"
        wrong.write_bytes(secrets.token_bytes(32))
        wrong.chmod(0o600)
        return FileBackend(KeyFile(wrong), self.folder / "signing")


@dataclass
class SoftHsm:
    """A real SoftHSM 2, with a library in front that can be made to fail where a C compiler is there."""

    library: Path
    mode: Path | None
    folder: Path


class Pkcs11Home(Home):
    def __init__(self, hsm: SoftHsm, folder: Path) -> None:
        self.hsm, self.folder, self.label = hsm, folder, f"root-{secrets.token_hex(4)}"
        unlock = self.settings(self.label)
        super().__init__("pkcs11", unlock.open(), unlock)
        self.backend.make_root_key()

    def settings(self, key: str, pin: str = PIN, token: str = "first") -> Pkcs11Unlock:
        source = written(self.folder / f"pin-{secrets.token_hex(3)}", pin)
        return Pkcs11Unlock(library=self.hsm.library, token=token, key=key, pin=source, seconds=SECONDS)

    def another(self) -> KeyBackend:
        return self.settings(self.label).open()

    def stranger(self) -> KeyBackend:
        made = self.settings(self.label, token="second").open()
        made.make_root_key()
        return made

    def fault(self, kind: str, *, on: bool = True) -> None:
        if self.hsm.mode is None:
            pytest.skip("pkcs11: no C compiler here, so the token cannot be made to fail")
        self.hsm.mode.write_text(kind if on else "")

    def end_old_versions(self) -> None:
        self._destroy(self.label, id=b"\0\1")

    def remove_signing_key(self, name: str) -> None:
        self._destroy(name)

    def with_wrong_secret(self) -> KeyBackend:
        return self.settings(self.label, pin="000000").open()

    def _destroy(self, label: str, **more: Any) -> None:
        import pkcs11

        wanted = {pkcs11.Attribute.LABEL: label}
        if more:
            wanted[pkcs11.Attribute.ID] = more["id"]
        with pkcs11.lib(str(self.hsm.library)).get_token(token_label="first").open(rw=True, user_pin=PIN) as session:
            for one in list(session.get_objects(wanted)):
                one.destroy()


class KmsHome(Home):
    def __init__(self, proxy: FaultyHttp, folder: Path) -> None:
        self.proxy, self.folder, self.alias = proxy, folder, f"alias/root-{secrets.token_hex(4)}"
        unlock = self.settings(self.alias)
        super().__init__("kms", unlock.open(), unlock)
        self.backend.make_root_key()

    def settings(self, key: str) -> KmsUnlock:
        credentials = written(self.folder / f"aws-{secrets.token_hex(3)}", f"AKIAFAKE\n{KMS_SECRET}")
        return KmsUnlock(
            key=key, region="eu-central-1", endpoint=self.proxy.url, credentials=credentials, seconds=SECONDS
        )

    def another(self) -> KeyBackend:
        return self.settings(self.alias).open()

    def stranger(self) -> KeyBackend:
        made = self.settings(self.alias + "-2").open()
        made.make_root_key()
        return made

    def fault(self, kind: str, *, on: bool = True) -> None:
        values = {"down": on, "slow": 4.0 if on else 0.0, "lie": on}
        setattr(self.proxy, "seconds" if kind == "slow" else kind, values[kind])

    def end_old_versions(self) -> None:
        client = self.backend._client  # type: ignore[attr-defined]
        client.disable_key(KeyId=client.describe_key(KeyId=self.alias)["KeyMetadata"]["KeyId"])

    def remove_signing_key(self, name: str) -> None:
        client = self.backend._client  # type: ignore[attr-defined]
        key = client.describe_key(KeyId=f"alias/sealwright-{name}")["KeyMetadata"]["KeyId"]
        client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)


class VaultHome(Home):
    def __init__(self, engine: FakeTransit, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        unlock = self.settings("root")
        super().__init__("vault", unlock.open(), unlock)
        self.backend.make_root_key()

    def settings(self, key: str, token: str | None = None) -> VaultUnlock:
        source = written(self.folder / f"token-{secrets.token_hex(3)}", token or self.engine.token)
        return VaultUnlock(url=self.engine.url, key=key, token=source, seconds=SECONDS)

    def another(self) -> KeyBackend:
        return self.settings("root").open()

    def stranger(self) -> KeyBackend:
        made = self.settings("other").open()
        made.make_root_key()
        return made

    def fault(self, kind: str, *, on: bool = True) -> None:
        values = {"down": on, "slow": 4.0 if on else 0.0, "lie": on}
        setattr(self.engine, "seconds" if kind == "slow" else kind, values[kind])

    def end_old_versions(self) -> None:
        self.engine.keys["root"].least = 2

    def remove_signing_key(self, name: str) -> None:
        del self.engine.keys[name]

    def with_wrong_secret(self) -> KeyBackend:
        return self.settings("root", token="not-the-token").open()


def file_home(folder: Path) -> Home:
    return FileHome(folder)


def pkcs11_home(hsm: SoftHsm, folder: Path) -> Home:
    return Pkcs11Home(hsm, folder)


@contextmanager
def kms_home(port: int, folder: Path) -> Iterator[Home]:
    with FaultyHttp(port) as proxy:
        yield KmsHome(proxy, folder)


@contextmanager
def vault_home(folder: Path) -> Iterator[Home]:
    with FakeTransit() as engine:
        yield VaultHome(engine, folder)


_REAL = Path("/usr/lib/softhsm/libsofthsm2.so")
_made: list[SoftHsm] = []  # a process reads the library's configuration once


def soft_hsm(folder: Path) -> SoftHsm:
    """Two fresh tokens, "first" and "second"; in one process always the same ones."""
    if _made:
        return _made[0]
    _made.append(_soft_hsm(folder))
    return _made[0]


def _soft_hsm(folder: Path) -> SoftHsm:
    if not _REAL.exists() or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM 2 is not installed (Debian: softhsm2): the PKCS#11 half of the battery was not run")
    pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed: the PKCS#11 half of the battery was not run")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    for label in ("first", "second"):
        subprocess.run(
            ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "87654321", "--pin", PIN],
            check=True,
            capture_output=True,
        )
    compiler = shutil.which("cc")
    if compiler is None:
        return SoftHsm(_REAL, None, folder)
    shim, mode = folder / "faulty.so", folder / "mode"
    source = Path(__file__).with_name("faulty_pkcs11.c")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", str(shim), str(source), "-ldl"], check=True, capture_output=True
    )
    os.environ |= {"FAULTY_PKCS11_REAL": str(_REAL), "FAULTY_PKCS11_MODE": str(mode)}
    return SoftHsm(shim, mode, folder)
