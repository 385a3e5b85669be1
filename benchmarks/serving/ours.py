"""Our side of the comparison: the model sealed and released in a real workspace, served as `sealwright serve` does.

Answers: where does ours answer, with which token, behind which certificate, in which processes?
`sealwright-fast` and `sealwright-2-workers` are started once the product's serving settings offer them.
"""

import contextlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from load import Request
from made import Made
from processes import children, on_cores, pin

from sealwright.serving import Running, ServingSpec

__all__ = ["Workspace", "offered"]

_ENOUGH = {"rows_per_second": 1e7, "burst_rows": 10_000_000, "concurrent": 4096, "rows_per_day": 10**12}
_PLENTY = {"per_client": _ENOUGH, "per_principal": _ENOUGH}  # one caller who asks more than a hundred do
_TWO = {"workers": 2}
_WANTED: dict[str, dict[str, Any]] = {
    "sealwright-fast": {"durability": "fast"},
    "sealwright-granian": {"server": "granian"},
    "sealwright-2-workers": _TWO,
    "sealwright-on-2-cores": _TWO,
}


def offered(name: str) -> str:
    """Why a form of ours cannot be started, or ""."""
    if name == "sealwright-granian" and importlib.util.find_spec("granian") is None:
        return "granian is not installed; install the extra `granian`"
    missing = sorted(set(_WANTED.get(name, {})) - set(ServingSpec.model_fields))
    return f"this release has no serving setting {', '.join(missing)}" if missing else ""


class Workspace:
    """A workspace with the released model. Its signer runs until `close`."""

    def __init__(self, home: Path, made: Made) -> None:
        module = _house_module()
        before = set(children(os.getpid()))
        self._house = module.House(home)
        self._signers = sorted(set(children(os.getpid())) - before)
        self._house.release(made.model, made.features | {"project": self._house.project})

    def close(self) -> None:
        self._house.close()

    @property
    def signers(self) -> list[int]:
        """The processes beside the server that work for it."""
        return self._signers

    @contextlib.contextmanager
    def serving(self, name: str, cores: set[int]) -> Iterator[Running]:
        """One of our forms, with all its processes on these cores."""
        pin(self._signers, cores)
        with on_cores(cores):
            running = self._house.launch(
                tls=name == "sealwright-tls",
                spec=ServingSpec.model_validate(_WANTED.get(name, {}) | {"limits": _PLENTY}),
                stderr=subprocess.DEVNULL,
            )
        with running:
            yield running

    def request(self, name: str, port: int, path: str, body: bytes) -> Request:
        """A request with a fresh token."""
        headers = {"content-type": "application/json", "authorization": f"Bearer {self._house.token()}"}
        ca = self._house.tls.ca if name == "sealwright-tls" else None
        return Request(
            port=port, path=path.format(project=self._house.project), headers=headers, body=body, ca=ca
        )  # fmt: skip


def _house_module() -> Any:
    """The tests' workspace: real keys, ledger, registry; no training library."""
    path = Path(__file__).resolve().parents[2] / "tests" / "serving" / "house.py"
    spec = importlib.util.spec_from_file_location("serving_house", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["serving_house"] = module
    spec.loader.exec_module(module)
    return module
