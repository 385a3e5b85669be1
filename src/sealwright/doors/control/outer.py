"""The first and the last to see a request: framing, host, address and kind of body before; headers and faults after.

Answers: is it a request for this server at all, and what does every answer carry?
A plain ASGI layer around everything, so that nothing inside can forget it.
"""

import re
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from fastapi import Request
from starlette.types import ASGIApp

from sealwright.doors.control.answers import fault_answer, refusal_answer
from sealwright.doors.control.bodies import check_kind
from sealwright.doors.control.door import Door
from sealwright.doors.control.headers import security_headers
from sealwright.doors.control.refusals import AddressUnreadable
from sealwright.kernel import new_id
from sealwright.serving import BadRequest, EventLog, HttpRefusal, Misdirected, read_head
from sealwright.trust import as_request

__all__ = ["Outer"]

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]

_ADDRESS = re.compile(rb"/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*|\.well-known)?(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_ONCE = frozenset({b"cookie", b"origin", b"sec-fetch-site", b"x-form-token", b"accept"})


class Outer:
    """Wraps the application of the control server."""

    def __init__(
        self, app: ASGIApp, door: Door, log: EventLog, *, hosts: Collection[str], most_body: int, secured: bool
    ) -> None:
        self._app, self._door, self._log = app, door, log
        self._hosts, self._most_body, self._secured = frozenset(host.encode() for host in hosts), most_body, secured

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            return  # no websockets, no lifespan
        state = scope.setdefault("state", {})
        scope["app"] = self._app
        state["request_id"] = new_id("req")
        answered = False

        async def with_headers(message: _Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                message["headers"] = self._headers(scope, message)
            await send(message)

        request = Request(scope, receive)
        try:
            with as_request(state["request_id"]):
                self._read(scope, state)
                await self._app(scope, receive, with_headers)
        except HttpRefusal as refusal:
            if isinstance(refusal, Misdirected):
                await self._door.record(request, refusal)
            await refusal_answer(request, refusal)(scope, receive, with_headers)
        except Exception as error:  # noqa: BLE001 - the last line: nothing of it may reach the caller
            fault = state["request_id"]
            self._log.fault(fault, error)
            if not answered:
                await fault_answer(request, fault)(scope, receive, with_headers)

    def _read(self, scope: _Message, state: dict[str, Any]) -> None:
        """Refuse what is no request for this server.

        Raises
        ------
        HttpRefusal
        """
        seen: set[bytes] = set()
        for name, _ in scope["headers"]:
            if name in _ONCE:
                if name in seen:
                    raise BadRequest(f"The header {name.decode()} stands there twice.")
                seen.add(name)
        try:
            state["head"] = read_head(scope["headers"], hosts=self._hosts, most_body=self._most_body)
        except Misdirected:
            raise Misdirected("Ask for it by one of the names it was started with.") from None
        if not _ADDRESS.fullmatch(scope["raw_path"]):
            raise AddressUnreadable
        check_kind(scope["method"], state["head"])

    def _headers(self, scope: _Message, message: _Message) -> list[tuple[bytes, bytes]]:
        """The answer's own headers, then ours where it has none of that name."""
        own = [(name.lower(), value) for name, value in message["headers"]]
        names = {name for name, _ in own}
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        ours = security_headers(
            scope.get("sealwright.access"), status=message["status"], secured=self._secured, host=host
        )
        more = [*ours, (b"x-request-id", scope["state"]["request_id"].encode())]
        return [*own, *(pair for pair in more if pair[0] not in names)]
