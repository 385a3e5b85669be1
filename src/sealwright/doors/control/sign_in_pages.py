"""Pages of somebody who is not signed in yet: using an enrolment link, logging in with password and second factor.

Answers: which page comes next? `trust.identity` decides; every refusal reads the same, whoever asks and whatever was wrong.
All of it works without a script; passkeys need the one there is.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from sealwright.doors.control.answers import page
from sealwright.doors.control.cookies import DEVICE, SESSION, VISIT, drop_cookie, put_cookie
from sealwright.doors.control.door import source_of, visit_name
from sealwright.doors.control.forms import EnrolForm, SecondForm, TogetherForm, answer_of, local_path, read_form
from sealwright.doors.control.router import ControlRouter
from sealwright.kernel import Conflict, InvalidInput
from sealwright.trust import (
    FirstPasskey,
    Identity,
    LoginRefused,
    ProofRefused,
    Secret,
    SignedIn,
    SignInBusy,
    TotpCode,
)

__all__ = ["SignInPages", "plain_json", "signed_in_answer"]

Vouch = Callable[[str, Secret], None]
"""Enrols the first person; their own key is opened by the password they chose."""

_DEVICE_SECONDS = 90 * 24 * 3600
_DIFFER = "The two passwords differ. Type the same one twice."


class SignInPages:
    """Handlers that any stranger may reach."""

    def __init__(self, identity: Identity, vouch: Vouch) -> None:
        self._identity, self._vouch = identity, vouch

    def add_to(self, routes: ControlRouter) -> None:
        """Put the pages into the table."""
        shared: dict[str, Any] = {"kind": "page", "open_to": "anyone", "scripts": True}
        routes.add("GET", "/enrol/{token}", self.enrol, **shared)
        routes.add("POST", "/enrol/{token}", self.use_link, **shared)
        routes.add("GET", "/login", self.login, **shared)
        routes.add("POST", "/login", self.begin, **shared)
        routes.add("POST", "/login/second", self.complete, **shared)

    # ---- enrolment

    async def enrol(self, request: Request) -> Response:
        """What a link offers: choose a password, and an authenticator app or a passkey."""
        token = request.path_params["token"]
        offer = await run_in_threadpool(self._identity.links.open, token, source=source_of(request))
        return visitor_page(
            request,
            "enrol",
            who=offer.name,
            ticket=offer.totp.ticket.reveal(),
            secret=offer.totp.secret.reveal(),
            uri=offer.totp.uri.reveal(),
            options=plain_json(offer.passkey),
            error="",
        )

    async def use_link(self, request: Request) -> Response:
        """Password and second factor are set; the recovery codes are shown, once."""
        form, token = read_form(request, EnrolForm), request.path_params["token"]
        if form.password != form.again:
            return await self._enrol_again(request, form, _DIFFER)
        try:
            codes = await run_in_threadpool(self._use, token, form, source_of(request))
        except (ProofRefused, InvalidInput, Conflict, SignInBusy) as error:
            return await self._enrol_again(request, form, str(error))
        return visitor_page(request, "recovery_codes", codes=[code.reveal() for code in codes], enrolled=True)

    def _use(self, token: str, form: EnrolForm, source: str) -> Any:
        password = Secret(form.password)
        factor = (
            FirstPasskey(answer_of(form.answer), form.label or "first passkey")
            if form.answer
            else (form.ticket, TotpCode(form.code))
        )
        return self._identity.links.use(
            token, password, factor, source=source, vouch=lambda name: self._vouch(name, password)
        )

    async def _enrol_again(self, request: Request, form: EnrolForm, error: str) -> Response:
        """The same page once more; the secret in the app stays the one that was shown."""
        token = request.path_params["token"]
        offer = await run_in_threadpool(self._identity.links.open, token, source=source_of(request))
        facts = {"who": offer.name, "ticket": form.ticket, "secret": "", "uri": "", "error": error}
        return visitor_page(request, "enrol", status=422, options=plain_json(offer.passkey), **facts)

    # ---- logging in

    async def login(self, request: Request) -> Response:
        """Name and password."""
        return visitor_page(request, "login", next=local_path(request.query_params.get("next", "")), error="")

    async def begin(self, request: Request) -> Response:
        """The first half. Whatever was typed, the second factor is asked for."""
        form = read_form(request, TogetherForm)

        def ask() -> tuple[str, Mapping[str, Any]]:
            needed = self._identity.login.begin(
                form.name, Secret(form.password), source=source_of(request), device=request.cookies.get(DEVICE, "")
            )
            ticket = needed.ticket.reveal()
            return ticket, self._identity.login.passkey_options(ticket)

        ticket, options = await run_in_threadpool(ask)
        return visitor_page(
            request, "second", ticket=ticket, options=plain_json(options), next=local_path(form.next), error=""
        )

    async def complete(self, request: Request) -> Response:
        """The second half, and the session. Its cookie replaces whatever the browser brought."""
        form = read_form(request, SecondForm)

        def prove() -> SignedIn:
            return self._identity.login.complete(
                form.ticket,
                form.proof(),
                source=source_of(request),
                device=request.cookies.get(DEVICE, ""),
                previous=request.cookies.get(SESSION, ""),
            )

        try:
            found = await run_in_threadpool(prove)
        except LoginRefused as error:
            return visitor_page(request, "login", status=401, next=local_path(form.next), error=str(error))
        answer = signed_in_answer(found.new.id, local_path(form.next))
        put_cookie(answer, DEVICE, found.device.reveal(), seconds=_DEVICE_SECONDS)
        return answer


def visitor_page(request: Request, name: str, *, status: int = 200, **facts: Any) -> Response:
    """A page for somebody unknown; its forms are bound to a cookie of this visit."""
    visit = request.cookies.get(VISIT, "")
    known = bool(visit) and len(visit) <= 100
    if not known:
        visit = secrets.token_urlsafe(32)
    request.state.visit = visit_name(visit)
    answer = page(request, name, status=status, **facts)
    if not known:
        put_cookie(answer, VISIT, visit)
    return answer


def signed_in_answer(session: Secret, to: str) -> Response:
    """The way on after a login or a step-up, with the new session's cookie; the visit is over."""
    answer = RedirectResponse(to, 303)
    put_cookie(answer, SESSION, session.reveal())
    drop_cookie(answer, VISIT)
    return answer


def plain_json(options: Mapping[str, Any]) -> str:
    """Options for the browser's passkey dialog, as the script reads them."""
    return json.dumps(options, separators=(",", ":"))
