"""Under a flood, whoever is let in is answered in the time there is for waiting; the others hear at once that they are not."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from greedy_models import greedy

from sealwright.serving import Limits, Running
from sealwright.serving.waiting import Line

_WAIT = 0.5
_CALLERS = 150


def test_in_a_flood_those_who_are_let_in_are_answered_in_time_and_probes_too(
    new_house: Callable[..., Any], start: Callable[..., Running], row: dict[str, Any], model_bytes: bytes
) -> None:
    """A model of which one row takes milliseconds, and ten times as many callers as it can serve."""
    house = new_house(released=False)
    house.release(greedy(model_bytes, "operator", size=3000))
    port = start(house, tls=False, limits=Limits(wait_seconds=_WAIT, watch_seconds=0.1)).port
    body = json.dumps({"row": row}).encode()
    head = f"POST /v1/models/{house.project}/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    asked = [
        f"{head}Authorization: Bearer {house.token(subject=f'caller-{at}')}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
        for at in range(4)
    ]
    probe = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    took: dict[str, list[float]] = {}

    async def flood(seconds: float, callers: int) -> None:
        took.clear()
        end = time.perf_counter() + seconds
        await asyncio.gather(
            *(_asks(port, asked[at % 4], took, end) for at in range(callers)), _asks(port, probe, took, end)
        )

    asyncio.run(flood(1.0, 4))  # so that it knows what one takes
    alone = sorted(took["POST 200"])[len(took["POST 200"]) // 2]
    asyncio.run(flood(2.5, _CALLERS))
    answered, refused = sorted(took["POST 200"]), sorted(took["POST 503"])
    assert answered[int(len(answered) * 0.99)] < 2 * _WAIT + 5 * alone + 0.5
    assert refused[len(refused) // 2] < 0.2
    assert max(took["GET 200"]) < 1.0
    assert len(answered) > 20


async def _asks(port: int, request: bytes, took: dict[str, list[float]], end: float) -> None:
    """Again and again on one connection, and a little later where it was refused."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < end:
        begun = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
        status = int(head[9:12])
        took.setdefault(f"{request[:4].decode().strip()} {status}", []).append(time.perf_counter() - begun)
        if status != 200 or request.startswith(b"GET"):
            await asyncio.sleep(0.2)
    writer.close()


def test_a_line_is_measured_by_the_time_it_takes_not_by_its_length() -> None:
    quick, slow = Line(1.0), Line(1.0)
    quick.took(0.05, 500)
    slow.took(0.05)
    assert not quick.too_long(500)
    assert not slow.too_long(19)
    assert slow.too_long(21)


def test_one_slow_request_among_many_refuses_nobody_and_a_line_that_was_slow_opens_again() -> None:
    line = Line(1.0)
    line.took(0.05, 500)
    line.took(0.5)
    assert not line.too_long(100)
    line.took(60.0)
    assert line.too_long(100)
    for _ in range(60):
        line.took(0.001, 4)
    assert not line.too_long(100)
    assert not Line(1.0).too_long(10_000)  # nothing is known yet
