"""How long a signature takes, by where the branch's key is: a file, a PKCS#11 token, AWS KMS, the transit engine of Vault.

    python benchmarks/trust_key_places.py [--json] [--rounds 200]

Asked for as a command asks: over the socket of a signer of its own, rules and memory of the branch included. The token is SoftHSM 2, a
program; a hardware module has its own time for a signature, and its session and login are asked for each time, as here. KMS is moto and
Vault a stand-in, both over loopback: add the way to yours. "first" is what a command waits for once: its signer, and the courier.
"""

import argparse
import importlib.util
import json
import logging
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sealwright.trust import (
    Event,
    KeyFile,
    Keyring,
    Ledger,
    create_key_file,
    create_keyring,
    make_statement,
    open_keyring,
    rotate_signing,
    sign_model_files,
    sign_statement,
)

SOFT_HSM = Path("/usr/lib/softhsm/libsofthsm2.so")
FAKES = Path(__file__).resolve().parents[1] / "tests" / "trust" / "backends"
Figures = dict[str, tuple[float, float]]  # name -> (p50, p95) in ms


class Unrecorded:
    """The ledger is measured by itself."""

    def record(self, event: Event) -> None:
        assert event


def secret(folder: Path, text: str) -> Path:
    made = folder / f"secret-{len(list(folder.glob('secret-*')))}"
    made.write_text(text + "\n")
    made.chmod(0o600)
    return made


def place(folder: Path, text: str) -> Path:
    made = folder / f"place-{len(list(folder.glob('place-*')))}.toml"
    made.write_text(text)
    made.chmod(0o600)
    return made


def token(folder: Path) -> Path | None:
    """A place file of a fresh SoftHSM token."""
    tool = shutil.which("softhsm2-util")
    if tool is None or not SOFT_HSM.exists():
        return None
    (folder / "tokens").mkdir()
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    command = [tool, "--init-token", "--free", "--label", "bench", "--so-pin", "87654321", "--pin", "493817"]
    subprocess.run(command, check=True, capture_output=True, env={"PATH": os.defpath, "SOFTHSM2_CONF": str(conf)})
    return place(
        folder,
        f'method = "pkcs11"\nlibrary = "{SOFT_HSM}"\ntoken = "bench"\npin_file = "{secret(folder, "493817")}"\n'
        f'[variables]\nSOFTHSM2_CONF = "{conf}"\n',
    )


@contextmanager
def kms(folder: Path) -> Iterator[Path | None]:
    """A place file of moto's KMS."""
    try:
        from moto.server import ThreadedMotoServer
    except ImportError:
        yield None
        return
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server: Any = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    credentials = secret(folder, "AKIAFAKE\nof-the-fake")
    yield place(
        folder,
        f'method = "aws-kms"\nregion = "eu-central-1"\nendpoint = "{address}"\ncredentials_file = "{credentials}"\n',
    )
    server.stop()


@contextmanager
def vault(folder: Path) -> Iterator[Path]:
    """A place file of the stand-in for a transit engine."""
    spec = importlib.util.spec_from_file_location("fake_transit", FAKES / "fake_transit.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.FakeTransit() as engine:
        yield place(folder, f'method = "vault"\nurl = "{engine.url}"\ntoken_file = "{secret(folder, engine.token)}"\n')


def milliseconds(work: Callable[[int], Any], rounds: int) -> tuple[float, float]:
    found = []
    for at in range(rounds):
        begun = time.perf_counter()
        work(at)
        found.append((time.perf_counter() - begun) * 1000)
    return statistics.median(found), sorted(found)[int(len(found) * 0.95)]


def statement(ring: Keyring, at: int) -> None:
    made = make_statement([("x", "sha256:" + "1" * 64)], "https://slsa.dev/provenance/v1", {"n": at})
    sign_statement(made, ring.signer("statements"))


def measure(home: Path, unlock: KeyFile, name: str, rounds: int) -> Figures:
    """Where the branches are now: the first signature of a command, and each one after."""
    figures: Figures = {}
    first = []
    for at in range(5):
        with open_keyring(home / "keys", unlock) as ring:
            begun = time.perf_counter()
            sign_model_files("m", {"model.onnx": bytes([at])}, ring.signer("models"))
            first.append((time.perf_counter() - begun) * 1000)
    figures[f"{name}, first of a command"] = (statistics.median(first), max(first))
    with open_keyring(home / "keys", unlock) as ring:
        models = ring.signer("models")
        figures[f"{name}, a model (P-256)"] = milliseconds(
            lambda at: sign_model_files("m", {"model.onnx": at.to_bytes(4, "big")}, models), rounds
        )
        if name != "KMS":
            figures[f"{name}, a statement (Ed25519, and ML-DSA from a file)"] = milliseconds(
                lambda at: statement(ring, at), rounds
            )
            origin = f"sealwright/{ring.trust_root.workspace}/ledger"
            signer, keys = ring.signer("checkpoints"), ring.trust_root.keys_of("checkpoints")
            folder = home / "ledger"
            with Ledger.open(folder, origin=origin, signer=signer, keys=keys, create=not folder.exists()) as ledger:
                figures[f"{name}, an entry of the ledger (Ed25519)"] = milliseconds(
                    lambda at: ledger.append("bench.entry", "x", {"n": at}), rounds
                )
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rounds", type=int, default=200, help="signatures of a kind that are timed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as held:
        folder = Path(scratch)
        home = folder / "home"
        home.mkdir(mode=0o700)
        unlock = create_key_file(folder / "root.key")
        create_keyring(home / "keys", "ws_bench", unlock).close()
        figures = measure(home, unlock, "file", options.rounds)
        homes = {
            "SoftHSM": token(folder),
            "KMS": held.enter_context(kms(folder)),
            "Vault": held.enter_context(vault(folder)),
        }
        for name, file in homes.items():
            if file is None:
                print(f"{name} is not installed here, and was not measured", file=sys.stderr)
                continue
            for branch in ("models",) if name == "KMS" else ("models", "statements", "checkpoints"):
                with open_keyring(home / "keys", unlock) as ring:
                    rotate_signing(ring, home / "keys", unlock, branch, audit=Unrecorded(), by="bench", at=file)
            figures |= measure(home, unlock, name, options.rounds)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    if options.json:
        rows = {name: {"p50": p50, "p95": p95, "unit": "ms"} for name, (p50, p95) in figures.items()}
        json.dump({"benchmark": "trust_key_places", "machine": machine, "figures": rows}, sys.stdout, indent=2)
        print()
        return
    print(f"trust_key_places on {machine}")
    for name, (p50, p95) in figures.items():
        print(f"  {name:<58} p50 {p50:>8.2f} ms   p95 {p95:>8.2f} ms")


if __name__ == "__main__":
    main()
