"""Load by `wrk`: one thread, keep-alive, one request repeated; and a single request for checking.

The request, which may hold a token, is handed over in a private file, never as an argument.
"""

import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Answered", "Request", "Unavailable", "ask", "need_wrk", "wrk", "wrk_version"]

_SCRIPT = """
local function read(path) local f = assert(io.open(path, "rb")); local text = f:read("*a"); f:close(); return text end
wrk.method = "POST"
wrk.body = read("{body}")
for line in io.lines("{headers}") do
  local name, value = line:match("^([^:]+): (.*)$")
  wrk.headers[name] = value
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'SEEN {{"requests": %d, "us": %d, "p50": %.1f, "p99": %.1f, "refused": %d, "broken": %d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), e.status,
    e.connect + e.read + e.write + e.timeout))
end
"""


class Unavailable(Exception):
    """This server cannot be measured here; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One POST. `ca` is the certificate that checks a TLS server; wrk itself checks none."""

    port: int
    path: str
    headers: dict[str, str]
    body: bytes
    ca: Path | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.ca else 'http'}://127.0.0.1:{self.port}{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What one run of wrk saw."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    errors: int  # answers outside 2xx and 3xx, and connections that broke or waited too long


def need_wrk() -> None:
    """End the program where wrk is missing."""
    if shutil.which("wrk") is None:
        sys.exit("The load generator wrk is not installed. On Debian or Ubuntu: apt-get install wrk")


def wrk_version() -> str:
    """Its name and version as it says them."""
    said = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False).stdout
    return " ".join(said.split()[:2])


def wrk(request: Request, folder: Path, *, connections: int, seconds: float, cores: Iterable[int]) -> Answered:
    """Ask for some time. wrk counts in whole seconds, and one at least.

    Raises
    ------
    Unavailable
        wrk ended without a result.
    """
    body, headers, script = (folder / name for name in ("body", "headers", "load.lua"))
    body.write_bytes(request.body)
    headers.touch(mode=0o600)
    headers.write_text("".join(f"{name}: {value}\n" for name, value in request.headers.items()))
    script.write_text(_SCRIPT.format(body=body, headers=headers))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "20s", "-s", str(script)]
    done = subprocess.run(
        ["taskset", "-c", ",".join(map(str, sorted(cores))), *command, request.url],
        capture_output=True,
        text=True,
        check=False,
        env=_bare(),
    )
    seen = next((line[5:] for line in done.stdout.splitlines() if line.startswith("SEEN ")), None)
    if seen is None:
        raise Unavailable(f"wrk gave no result: {done.stdout}{done.stderr}")
    facts = json.loads(seen)
    return Answered(
        requests=facts["requests"],
        seconds=facts["us"] / 1e6,
        p50_ms=facts["p50"] / 1e3,
        p99_ms=facts["p99"] / 1e3,
        errors=facts["refused"] + facts["broken"],
    )


def ask(request: Request, *, seconds: float = 60.0) -> tuple[int, bytes]:
    """One request on a connection of its own.

    Returns
    -------
    tuple
        Status and body; status 0 where the server closed without a word.
    """
    if request.ca:
        context = ssl.create_default_context(cafile=str(request.ca))
        link: http.client.HTTPConnection = http.client.HTTPSConnection(
            "127.0.0.1", request.port, context=context, timeout=seconds
        )
    else:
        link = http.client.HTTPConnection("127.0.0.1", request.port, timeout=seconds)
    try:
        link.request("POST", request.path, request.body, request.headers)
        answer = link.getresponse()
        return answer.status, answer.read()
    except ConnectionRefusedError:
        raise
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        link.close()


def _bare() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}
