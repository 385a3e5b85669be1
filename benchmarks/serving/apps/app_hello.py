"""An empty ASGI app: the ceiling of whatever runs it."""

from typing import Any

_HEAD = {
    "type": "http.response.start", "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"2")],
}  # fmt: skip
_BODY = {"type": "http.response.body", "body": b"{}"}


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise RuntimeError("no lifespan")
    while (await receive()).get("more_body"):
        pass
    await send(_HEAD)
    await send(_BODY)
