"""Who asks, from where, and may they: looked at for every route, before its body is read.

Answers: does this request come in? In this order: known at all (401), meant by its sender (403), allowed (403, or 404 where
the project is none of theirs), and a body with the token of its session (403). Every no is an entry in the ledger.
"""

from typing import cast

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from sealwright.doors.control.bodies import form_of, is_json, need_strict_json
from sealwright.doors.control.cookies import SESSION, VISIT
from sealwright.doors.control.csrf import FORM_FIELD, HEADER, SAFE_METHODS, FormTokens, need_same_origin
from sealwright.doors.control.refusal_log import RefusalLog
from sealwright.doors.control.refusals import BodyUnsupported, LoginNeeded, NotAllowed, NothingHere, TwoProofs
from sealwright.doors.control.router import Access
from sealwright.doors.control.seams import Asked, Authenticator, Caller, Gate
from sealwright.kernel import SealwrightError
from sealwright.serving import Head, HttpRefusal
from sealwright.trust import Event, Principal

__all__ = ["Door", "caller_of", "source_of", "visit_name"]

_FORBIDDEN = 403
_CERTIFICATE = "client_certificate"


class Door:
    """Lets requests in, or raises why not."""

    def __init__(
        self, authenticator: Authenticator, gate: Gate, refusals: RefusalLog, tokens: FormTokens, *, workspace: str
    ) -> None:
        self._authenticator, self._gate, self._refusals = authenticator, gate, refusals
        self.tokens, self._workspace = tokens, workspace

    async def let_in(self, request: Request, access: Access) -> None:
        """Return if the request may go on; the caller then stands in `caller_of(request)`.

        Raises
        ------
        HttpRefusal
            Why it does not.
        """
        request.scope["sealwright.access"] = access
        try:
            if access.open_to == "anyone":
                await self._visitor(request, access)
                return
            caller = await self.who(request, access)
            if caller is None:
                raise LoginNeeded
            if request.method not in SAFE_METHODS and (access.kind != "api" or "origin" in request.headers):
                need_same_origin(request.headers, scheme=request.url.scheme)
            if access.action:
                await self._need(request, access, caller.principal)
            await self._body(request, access, caller)
        except HttpRefusal as refusal:
            if not isinstance(refusal, _Recorded):
                await self.record(request, refusal)
            raise

    async def who(self, request: Request, access: Access | None) -> Caller | None:
        """Who asks, found once per request. Programs are not known by cookies, and a header is never beside one."""
        state = request.state
        if not hasattr(state, "caller"):
            authorization = request.headers.get("authorization", "")
            if authorization and SESSION in request.cookies:
                raise TwoProofs
            cookies = access is None or access.kind != "api"
            certificate = request.scope["state"].get(_CERTIFICATE)
            asked = Asked(
                method=request.method,
                path=request.url.path,
                request=state.request_id,
                source=source_of(request),
                authorization=authorization,
                cookies=request.cookies if cookies and not authorization else {},
                client_certificate=cast("bytes | None", certificate),
            )
            state.caller = await run_in_threadpool(self._authenticator.caller, asked)
        return cast("Caller | None", state.caller)

    async def record(self, request: Request, refusal: HttpRefusal) -> None:
        """A refusal, as an entry."""
        access: Access | None = request.scope.get("sealwright.access")
        caller: Caller | None = getattr(request.state, "caller", None)
        event = Event(
            action=access.action or "request" if access is not None else "request",
            outcome="refused",
            actor=caller.principal.name if caller is not None else "",
            resource=f"route:{access.name}" if access is not None else "",
            reason=refusal.code,
            request=request.state.request_id,
            source=source_of(request),
        )
        await run_in_threadpool(self._refusals.refused, event)

    async def _need(self, request: Request, access: Access, principal: Principal) -> None:
        resource = (
            access.resource.format_map(request.path_params) if access.resource else f"workspace:{self._workspace}"
        )
        try:
            await run_in_threadpool(
                lambda: self._gate.need(
                    principal, access.action, resource, request=request.state.request_id, source=source_of(request)
                )
            )
        except SealwrightError as error:
            if error.status != _FORBIDDEN:
                raise
            kind, _, name = resource.partition(":")
            seen = kind != "project" or _knows(principal, name)
            raise (_NotAllowed if seen else _NothingHere) from None

    async def _visitor(self, request: Request, access: Access) -> None:
        """A form of somebody who is not known yet: from a page of ours, with the token of this browser's visit."""
        if access.kind != "page" or request.method in SAFE_METHODS:
            return
        need_same_origin(request.headers, scheme=request.url.scheme)
        head: Head = request.state.head
        if is_json(head):
            raise BodyUnsupported
        fields = form_of(await request.body())
        request.state.form = fields
        self.tokens.need(visit_name(request.cookies.get(VISIT, "")), fields.get(FORM_FIELD, ""))

    async def _body(self, request: Request, access: Access, caller: Caller) -> None:
        """Read what there is of a body, strictly, and find the token in it where one is needed."""
        if request.method in SAFE_METHODS:
            return
        head: Head = request.state.head
        body = await request.body()
        if body and is_json(head):
            need_strict_json(body)
        fields = form_of(body) if not is_json(head) else {}
        request.state.form = fields
        if access.kind != "api" or caller.principal.proof == "session":
            self.tokens.need(caller.session, fields.get(FORM_FIELD) or request.headers.get(HEADER, ""))


class _Recorded(HttpRefusal):
    """The gate has recorded it already."""


class _NotAllowed(_Recorded, NotAllowed):
    pass


class _NothingHere(_Recorded, NothingHere):
    pass


def caller_of(request: Request) -> Caller:
    """Who was let in."""
    return cast("Caller", request.state.caller)


def _knows(principal: Principal, project: str) -> bool:
    """Whether a project is any of theirs: a role in it or everywhere, or a scope that names it."""
    return bool(principal.roles_in(project)) or any(scope.endswith(f":{project}") for scope in principal.scopes)


def visit_name(cookie: str) -> str:
    """What a form that comes before a session is bound to; "" without a visit, which opens nothing."""
    return f"visit\0{cookie}" if cookie else ""


def source_of(request: Request) -> str:
    """The network address a request came from."""
    return request.client.host if request.client is not None else ""
