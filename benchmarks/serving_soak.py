"""Whether a serving process grows: days of traffic in every protocol, compressed in time, over a real server.

    python benchmarks/serving_soak.py [--minutes 5] [--speed 300] [--json]

The process's clock runs `speed` times as fast as the wall's, so that days change, tokens end and keys of a day are derived anew. Beside
the requests, good and bad, over kept connections and new ones: every hour of that clock, records of decisions that are over are taken
out of the ledger as sealing does it, and the server's certificate is replaced under it.

Answers: does memory, or the number of open files, go up and up? The slope over the second half is what to look at.
"""

import argparse
import contextlib
import http.client
import io
import json
import random
import ssl
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).resolve().parents[1] / "tests" / "serving"
sys.path.insert(0, str(_TESTS))

from fire import Process, nursery_of  # noqa: E402 - what the tests use, too
from grpc_caller import GrpcCaller  # noqa: E402
from house import House, credit_interface, credit_row  # noqa: E402

from sealwright.serving import ServingSpec, decision_ledger_folder  # noqa: E402
from sealwright.trust import create_server_certificate, release_attachments  # noqa: E402

_PLENTY = {"rows_per_second": 1e7, "burst_rows": 10_000_000, "concurrent": 4096, "rows_per_day": 10**12}
_SPEC = {"limits": {"per_client": _PLENTY, "per_principal": _PLENTY}}
_SAMPLES = 40
_LINKS = 6
_JSON = "application/json"


@dataclass(slots=True)
class Seen:
    """What a run saw. Memory in kilobytes, one sample after another."""

    requests: int = 0
    hours: float = 0.0  # of the server's clock
    statuses: Counter[int] = field(default_factory=Counter)
    held: list[int] = field(default_factory=list)  # memory of its own, as the kernel counts it
    files: list[int] = field(default_factory=list)
    sealed: int = 0  # records taken out of the ledger
    renewed: int = 0  # certificates

    def slope(self) -> float:
        """Kilobytes that a thousand requests add, over the second half, by least squares."""
        half = self.held[len(self.held) // 2 :]
        step = self.requests / len(self.held) / 1000
        middle, mean = (len(half) - 1) / 2, sum(half) / len(half)
        above = sum((at - middle) * (kb - mean) for at, kb in enumerate(half))
        return above / sum((at - middle) ** 2 for at in range(len(half))) / step

    def told(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "hours": round(self.hours, 1),
            "statuses": dict(sorted(self.statuses.items())),
            "records_sealed": self.sealed,
            "certificates_renewed": self.renewed,
            "own_memory_kb": self.held,
            "open_files": self.files,
            "kb_per_1000_requests": round(self.slope(), 2),
        }


def asked(project: str, row: dict[str, Any]) -> list[tuple[str, str, str, bytes, dict[str, str]]]:
    """Requests of every kind: name, method, path, body, headers that differ from the usual."""
    named, oip = f"/v1/models/{project}/predict", f"/v2/models/{project}/infer"
    tensors = [
        {"name": name, "shape": [3, 1], "datatype": _datatype(value), "data": [value] * 3}
        for name, value in row.items()
    ]
    columns = {name: [value] * 20 for name, value in row.items()}
    return [
        ("one row", "POST", named, json.dumps({"row": row}).encode(), {}),
        ("rows", "POST", named, json.dumps({"rows": [row] * 50}).encode(), {}),
        ("many rows", "POST", named, json.dumps({"rows": [row] * 500}).encode(), {}),
        ("columns", "POST", named, json.dumps({"columns": columns}).encode(), {}),
        ("tensors", "POST", oip, json.dumps({"inputs": tensors}).encode(), {}),
        ("a table", "POST", named, _table(row), {"Content-Type": "application/vnd.apache.arrow.stream"}),
        ("a person", "POST", named, json.dumps({"row": row}).encode(), {"Sealwright-Person": "p-17"}),
        ("metadata", "GET", f"/v2/models/{project}", b"", {}),
        ("description", "GET", f"/v1/models/{project}/openapi.json", b"", {}),
        ("ready", "GET", "/v2/health/ready", b"", {}),
        ("no token", "POST", named, json.dumps({"row": row}).encode(), {"Authorization": "Bearer none"}),
        ("a value outside", "POST", named, json.dumps({"row": row | {"age": -5}}).encode(), {}),
        ("no JSON", "POST", named, b"\x80\x04K\x2a.", {}),
        ("nowhere", "POST", "/v1/models/other/predict", b"{}", {}),
    ]


def soak(house: House, folder: Path, *, minutes: float, speed: float) -> Seen:
    """Ask for so long."""
    with nursery_of(house, folder) as nursery:
        process = nursery.start(speed=speed, tls=True, grpc_port=0, spec=ServingSpec.model_validate(_SPEC))
        try:
            return _soaked(house, process, minutes=minutes, speed=speed)
        finally:
            process.kill()


def _soaked(house: House, process: Process, *, minutes: float, speed: float) -> Seen:
    (port, grpc_port), seen, begun = process.ports(), Seen(), time.monotonic()
    kinds, chance = asked(house.project, credit_row()), random.Random(20261127)
    callers = _Callers(house, port, grpc_port or 0, speed)
    hours, every = 0, minutes * 60 / _SAMPLES
    with contextlib.closing(callers):
        while (spent := time.monotonic() - begun) < minutes * 60:
            for _ in range(50):
                _name, method, path, body, changed = chance.choice(kinds)
                seen.statuses[callers.ask(method, path, body, changed)] += 1
            seen.statuses[callers.over_grpc(credit_row())] += 1
            seen.requests += 51
            if spent * speed / 3600 > hours + 1:
                hours += 1
                seen.sealed += _sealed(house, hours)
                _renew(house)
                seen.renewed += 1
                callers.anew()
            if spent > every * (len(seen.held) + 1):
                seen.held.append(_own_memory(process.pid))
                seen.files.append(len(list(Path(f"/proc/{process.pid}/fd").iterdir())))
        seen.hours = spent * speed / 3600
    return seen


class _Callers:
    """A few kept connections, of which one is new now and then, and one over gRPC."""

    def __init__(self, house: House, port: int, grpc_port: int, speed: float) -> None:
        self._house, self._port, self._grpc_port, self._speed = house, port, grpc_port, speed
        self._signer, self._begun, self._from, self._turn = (
            house.stolen("tokens"),
            time.monotonic(),
            datetime.now(UTC),
            0,
        )
        self._links: list[http.client.HTTPSConnection] = []
        self.anew()

    def anew(self) -> None:
        """Other connections, with a token that is good for some hours of the server's clock."""
        self.close()
        passed = timedelta(seconds=(time.monotonic() - self._begun) * self._speed)
        now = self._from + passed - timedelta(minutes=1)
        self._token = self._house.token(now=now, lifetime=timedelta(hours=12), signer=self._signer)
        self._links = [self._link() for _ in range(_LINKS)]
        self._grpc = GrpcCaller(self._house, self._grpc_port, self._token)

    def ask(self, method: str, path: str, body: bytes, changed: dict[str, str]) -> int:
        """One request, on the connection whose turn it is; the status."""
        self._turn = (self._turn + 1) % _LINKS
        link = self._links[self._turn]
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": _JSON} | changed
        try:
            link.request(method, path, body or None, headers)
            answer = link.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):  # refused connections are closed; that is an answer, too
            link.close()
            self._links[self._turn] = self._link()
            return 0

    def over_grpc(self, row: dict[str, Any]) -> int:
        """200 where an answer came."""
        return 200 if self._grpc.infer(row) else 0

    def close(self) -> None:
        for link in self._links:
            link.close()
        if self._links:
            self._grpc.close()

    def _link(self) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cafile=str(self._house.tls.ca))
        return http.client.HTTPSConnection("localhost", self._port, context=context, timeout=20)


def _sealed(house: House, hour: int) -> int:
    """Take the records of decisions that a checkpoint covers out of the ledger, as the sealing of an hour does."""
    folder = decision_ledger_folder(house.home, house.project, "live")
    covered = int((folder / "checkpoint").read_text().split("\n")[1])
    return release_attachments(folder, 0, covered, f"soak-{hour}")


def _renew(house: House) -> None:
    create_server_certificate(house.keyring, house.tls.ca.parent, ["localhost", "127.0.0.1"], house.clock())


def _own_memory(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:"))


def _datatype(value: Any) -> str:
    return {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES", type(None): "FP64"}[type(value)]


def _table(row: dict[str, Any]) -> bytes:
    import pyarrow as pa

    dates = {one["name"] for one in credit_interface()["numbers"] if one["type"] == "date"}
    columns: dict[str, Any] = {}
    for name, value in row.items():
        told = date.fromisoformat(value) if name in dates else value
        columns[name] = pa.nulls(25, pa.float64()) if told is None else [told] * 25
    table, sink = pa.table(columns), io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _lines(seen: Seen) -> Iterator[str]:
    half = len(seen.held) // 2
    yield f"{seen.requests:,} requests in {seen.hours:.0f} h of the server's clock; {seen.sealed:,} records sealed, {seen.renewed} certificates"
    yield f"answers: {', '.join(f'{status} {count:,}' for status, count in sorted(seen.statuses.items()))}"
    yield f"own memory: {seen.held[half]:,} kB after half, {seen.held[-1]:,} kB at the end; {seen.slope():+.1f} kB a thousand requests"
    yield f"open files: {seen.files[half]} after half, {seen.files[-1]} at the end"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--speed", type=float, default=300.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        house = House(Path(place) / "home")
        house.release(days=90)
        seen = soak(house, Path(place), minutes=options.minutes, speed=options.speed)
        house.close()
    print(json.dumps(seen.told()) if options.json else "\n".join(_lines(seen)))


if __name__ == "__main__":
    main()
