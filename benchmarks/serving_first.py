"""How fast the fully secured path answers: token, contract, model, sealed durable record, receipt, TLS 1.3.

    python benchmarks/serving_first.py [--json] [--seconds 3] [--rounds 3] [--folder DIR]

One serving process, rows like German credit (20 features, a small ONNX model made here), and a load
generator in a process of its own on the same machine, which on two cores competes with the server.
Each answer was on disk before it left. Server CPU per request is read from /proc and is the steadiest
figure: it moves little when other work shares the machine. Figures are medians over rounds.
"""

import argparse
import asyncio
import contextlib
import importlib.util
import json
import multiprocessing
import os
import platform
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

from sealwright.serving import Limits, Running

Figures = dict[str, tuple[float, str, str]]  # name -> (median, unit, what it is)

_ROWS = 1000


class Caller(asyncio.Protocol):
    """One connection that asks again as soon as it was answered."""

    def __init__(self, request: bytes, until: float, took: list[float], wrong: list[bytes]) -> None:
        self._request, self._until, self._took, self._wrong = request, until, took, wrong
        self._had = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport  # uvloop's TLS transport is no subclass of asyncio's
        self._ask()

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._had += data
        end = self._had.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self._had.find(b"content-length: ") + 16
        if len(self._had) < end + 4 + int(self._had[at : self._had.find(b"\r", at)]):
            return
        if not self._had.startswith(b"HTTP/1.1 200"):
            self._wrong.append(bytes(self._had[:200]))
        self._took.append(time.perf_counter() - self._asked)
        self._had.clear()
        if time.perf_counter() < self._until:
            self._ask()
        else:
            self._transport.close()


def load(job: dict[str, Any]) -> dict[str, Any]:
    """Ask for some seconds over some connections; runs in a process of its own."""
    took: list[float] = []
    wrong: list[bytes] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        tls = ssl.create_default_context(cafile=job["ca"]) if job["ca"] else None
        name = "localhost" if tls else None
        until = time.perf_counter() + job["seconds"]
        for _ in range(job["connections"]):
            await loop.create_connection(
                lambda: Caller(job["request"], until, took, wrong),
                "127.0.0.1",
                job["port"],
                ssl=tls,
                server_hostname=name,
            )
        await asyncio.sleep(until + 0.3 - time.perf_counter())

    before = _cpu(job["pid"])
    uvloop.run(run())
    spent = _cpu(job["pid"]) - before
    took.sort()
    if wrong or not took:
        raise SystemExit(f"the server did not answer well: {wrong[:1]}")
    return {
        "rate": len(took) / job["seconds"],
        "p50": took[len(took) // 2],
        "p99": took[int(len(took) * 0.99)],
        "cpu": spent / len(took),
    }


def _cpu(pid: int) -> float:
    """Seconds of processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _house_module() -> Any:
    """The tests' workspace: a real sealed, released package without a training library."""
    path = Path(__file__).resolve().parents[1] / "tests" / "serving" / "house.py"
    spec = importlib.util.spec_from_file_location("serving_house", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["serving_house"] = module
    spec.loader.exec_module(module)
    return module


def _request(house: Any, body: bytes) -> bytes:
    return (
        f"POST /v1/models/{house.project}/predict HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {house.token()}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode() + body


def _asked(running: Running, house: Any, body: bytes, connections: int, seconds: float, *, tls: bool) -> dict[str, Any]:
    job = {
        "port": running.port,
        "pid": running.pid,
        "ca": str(house.tls.ca) if tls else None,
        "request": _request(house, body),
        "connections": connections,
        "seconds": seconds,
    }
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found: dict[str, Any] = pool.apply(load, (job,))
    return found


def measure(folder: Path, seconds: float, rounds: int) -> Figures:
    module = _house_module()
    row = module.credit_row()
    one = json.dumps({"row": row}).encode()
    many = json.dumps({"rows": [row] * _ROWS}).encode()
    figures: Figures = {}
    with contextlib.closing(module.House(folder / "home")) as house:
        house.release()
        started = []
        for _ in range(rounds):
            begun = time.perf_counter()
            with house.launch(limits=Limits(), stderr=subprocess.DEVNULL):
                started.append(time.perf_counter() - begun)
        figures["start to ready"] = (statistics.median(started) * 1e3, "ms", "package, pointer and ledger verified")
        for tls in (True, False):
            name = "TLS 1.3" if tls else "plain HTTP"
            with house.launch(tls=tls, limits=Limits(), stderr=subprocess.DEVNULL) as running:
                _asked(running, house, one, 4, 0.5, tls=tls)  # the token is then known, the caches warm
                for connections in (1, 16, 64) if tls else (16,):
                    found = [_asked(running, house, one, connections, seconds, tls=tls) for _ in range(rounds)]
                    _add(figures, f"{name}, {connections} connections", found)
                found = [_asked(running, house, many, 2, seconds, tls=tls) for _ in range(rounds)]
                rate = statistics.median(each["rate"] for each in found)
                figures[f"{name}, {_ROWS} rows a request"] = (rate * _ROWS, "rows/s", "2 connections")
                if tls:
                    figures["memory of the process"] = (_memory(running.pid), "MiB", "after all of that")
    return figures


def _add(figures: Figures, name: str, found: list[dict[str, Any]]) -> None:
    middle = {key: statistics.median(each[key] for each in found) for key in found[0]}
    figures[name] = (middle["rate"], "requests/s", "one row each, recorded before the answer")
    figures[f"{name}, p50"] = (middle["p50"] * 1e6, "us", "")
    figures[f"{name}, p99"] = (middle["p99"] * 1e6, "us", "")
    figures[f"{name}, server CPU"] = (middle["cpu"] * 1e6, "us/request", "all threads")


def _memory(pid: int) -> float:
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--seconds", type=float, default=3.0, help="of load for each figure and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="measure on this disk (default: the temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures = measure(Path(folder), options.seconds, options.rounds)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    if options.json:
        rows = {name: {"median": value, "unit": unit, "note": note} for name, (value, unit, note) in figures.items()}
        json.dump({"benchmark": "serving_first", "machine": machine, "figures": rows}, sys.stdout, indent=2)
        print()
        return
    print(f"serving on {machine}")
    for name, (value, unit, note) in figures.items():
        print(f"  {name:<40} {value:>12,.0f} {unit:<11} {note}".rstrip())


if __name__ == "__main__":
    main()
