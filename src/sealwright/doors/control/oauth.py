"""The OAuth endpoints over ASGI: a request becomes plain data, `trust` decides, the answer goes back as it is.

    POST /oauth/token                               client credentials (RFC 6749 §4.4)
    POST /oauth/introspect                          RFC 7662
    POST /oauth/revoke                              RFC 7009
    GET  /oauth/jwks.json                           RFC 7517
    GET  /.well-known/oauth-authorization-server    RFC 8414

The transport in front verifies client certificates (`mutual_server_context`) and puts the DER bytes of a good one under
`scope["state"]["certificate"]`. There is no other way in for them: no header is read for it.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from sealwright.kernel import SealwrightError, new_id
from sealwright.trust import OAuthAnswer, OAuthRequest, TokenService, jwks_document, metadata_document

__all__ = ["CertificateProtocol", "oauth_app", "oauth_endpoints", "oauth_routes"]

_MOST_BODY = 16 * 1024
_KEPT = "public, max-age=300"  # keys and metadata change seldom; a new key is listed before it is used
_UNAVAILABLE = {
    "error": "temporarily_unavailable",
    "error_description": "The request could not be recorded. Try again.",
}

_Endpoint = Callable[[OAuthRequest], OAuthAnswer]
_Handler = Callable[[Request], Awaitable[Response]]


class CertificateProtocol(H11Protocol):
    """uvicorn's protocol, with the client certificate of the connection where handlers find it."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        secured = transport.get_extra_info("ssl_object")
        certificate = secured.getpeercert(binary_form=True) if secured is not None else None
        self.app_state = {**self.app_state, "certificate": certificate or b""}


def oauth_endpoints(service: TokenService) -> list[tuple[str, str, _Handler]]:
    """Method, address and handler of the five."""
    about = metadata_document(service.settings)
    return [
        ("POST", "/oauth/token", _posted(service.token)),
        ("POST", "/oauth/introspect", _posted(service.introspect)),
        ("POST", "/oauth/revoke", _posted(service.revoke)),
        ("GET", "/oauth/jwks.json", _public(lambda: jwks_document(service.keys), "application/jwk-set+json")),
        ("GET", "/.well-known/oauth-authorization-server", _public(lambda: about, "application/json")),
    ]


def oauth_routes(service: TokenService) -> list[Route]:
    """The five routes, to mount in a larger application."""
    return [Route(path, handle, methods=[method]) for method, path, handle in oauth_endpoints(service)]


def oauth_app(service: TokenService) -> Starlette:
    """An application of these routes alone."""
    return Starlette(routes=oauth_routes(service))


def _posted(endpoint: _Endpoint) -> _Handler:
    async def handle(request: Request) -> Response:
        body = await _limited(request)
        if "cookie" in request.headers:  # for programs alone: no browser of somebody else's asks for a token
            return _json(400, {"error": "invalid_request", "error_description": "Cookies have no place here."})
        if body is None or len(request.headers.getlist("authorization")) > 1:
            return _json(400, {"error": "invalid_request", "error_description": "Too large, or two credentials."})
        asked = OAuthRequest(
            body=body,
            content_type=request.headers.get("content-type", ""),
            authorization=request.headers.get("authorization", ""),
            certificate=_certificate(request),
            source=request.client.host if request.client else "",
            request=new_id("req"),
        )
        try:
            found = await run_in_threadpool(endpoint, asked)
        except SealwrightError:  # the ledger or the database does not answer: nothing is given
            return _json(503, _UNAVAILABLE)
        return Response(found.body, found.status, dict(found.headers))

    return handle


def _certificate(request: Request) -> bytes:
    """The verified certificate of the connection, as the two transports put it there."""
    state = request.scope.get("state", {})
    found: bytes = state.get("client_certificate") or state.get("certificate") or b""
    return found


def _public(document: Callable[[], MutableMapping[str, Any]], media: str) -> _Handler:
    """What anybody may read, as it is at each moment."""

    async def handle(_request: Request) -> Response:
        try:
            data = json.dumps(await run_in_threadpool(document)).encode()
        except SealwrightError:
            return _json(503, _UNAVAILABLE)
        return Response(data, 200, {"content-type": media, "cache-control": _KEPT})

    return handle


async def _limited(request: Request) -> bytes | None:
    """The body, or None if it is larger than any request of ours."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BODY:
                return None
    except ClientDisconnect:
        return None
    return body


def _json(status: int, value: MutableMapping[str, Any]) -> Response:
    return Response(
        json.dumps(value).encode(), status, {"content-type": "application/json", "cache-control": "no-store"}
    )
