"""A person's own account: where they are signed in, and what they sign in with. And proving oneself again.

Answers: what do I hold here, and how do I change it? What changes a way in needs a second factor of the last minutes;
whoever has not shown one is sent to show it, and comes back.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from sealwright.doors.control.answers import page
from sealwright.doors.control.cookies import SESSION, drop_cookie
from sealwright.doors.control.door import caller_of, source_of
from sealwright.doors.control.forms import (
    AppForm,
    EndSessionForm,
    NothingForm,
    PasskeyForm,
    PasskeyGoneForm,
    PasswordForm,
    StepUpForm,
    answer_of,
    local_path,
    read_form,
)
from sealwright.doors.control.refusals import NothingHere
from sealwright.doors.control.router import ControlRouter
from sealwright.doors.control.sign_in_pages import plain_json, signed_in_answer
from sealwright.kernel import Conflict, InvalidInput
from sealwright.trust import FreshProofNeeded, Identity, ProofRefused, Secret

__all__ = ["AccountPages"]

_ACCOUNT = "/account"
_Handler = Callable[["AccountPages", Request], Awaitable[Response]]


def _freshly(handler: _Handler) -> _Handler:
    """Sends whoever needs a fresh proof to the page for that, and back."""

    @wraps(handler)
    async def asked(pages: "AccountPages", request: Request) -> Response:
        try:
            return await handler(pages, request)
        except FreshProofNeeded:
            back = request.url.path if request.method == "GET" else _ACCOUNT
            return RedirectResponse(f"/step-up?next={back}", 303)

    return asked


@dataclass(frozen=True, slots=True)
class AccountPages:
    """Handlers of somebody's own account. Each acts on the session that asked, never on one a form names."""

    identity: Identity
    linking: bool  # an identity provider is set up

    def add_to(self, routes: ControlRouter) -> None:
        """Put the pages into the table."""
        plain: dict[str, Any] = {"kind": "page", "open_to": "logged_in"}
        scripts = plain | {"scripts": True}
        routes.add("POST", "/logout", self.logout, **plain)
        routes.add("GET", "/step-up", self.step_up, **scripts)
        routes.add("POST", "/step-up", self.prove, **scripts)
        routes.add("GET", _ACCOUNT, self.account, **plain)
        routes.add("POST", "/account/sessions/end", self.end_session, **plain)
        routes.add("POST", "/account/sessions/end-others", self.end_others, **plain)
        routes.add("POST", "/account/password", self.password, **plain)
        routes.add("GET", "/account/app", self.offer_app, **plain)
        routes.add("POST", "/account/app", self.add_app, **plain)
        routes.add("POST", "/account/app/remove", self.remove_app, **plain)
        routes.add("GET", "/account/passkey", self.offer_passkey, **scripts)
        routes.add("POST", "/account/passkey", self.add_passkey, **scripts)
        routes.add("POST", "/account/passkey/remove", self.remove_passkey, **plain)
        routes.add("POST", "/account/codes", self.new_codes, **plain)

    async def logout(self, request: Request) -> Response:
        read_form(request, NothingForm)
        await run_in_threadpool(self.identity.sessions.end, _cookie(request))
        answer = RedirectResponse("/", 303)
        drop_cookie(answer, SESSION)
        return answer

    # ---- proving oneself again

    async def step_up(self, request: Request) -> Response:
        return await self._step_up(request, local_path(request.query_params.get("next", "")), "")

    async def prove(self, request: Request) -> Response:
        """A second factor: the session goes on under another id, and one goes back to where one was."""
        form, cookie = read_form(request, StepUpForm), _cookie(request)

        def show() -> Secret:
            return self.identity.step_up.prove(cookie, form.proof(), source=source_of(request)).id

        try:
            fresh = await run_in_threadpool(show)
        except ProofRefused as error:
            return await self._step_up(request, local_path(form.next), str(error))
        return signed_in_answer(fresh, local_path(form.next))

    async def _step_up(self, request: Request, back: str, error: str) -> Response:
        options = await run_in_threadpool(self.identity.step_up.passkey_options, _cookie(request))
        facts = {"next": back, "error": error, "options": plain_json(options)}
        return page(request, "step_up", status=401 if error else 200, **facts)

    # ---- what there is

    async def account(self, request: Request) -> Response:
        return await self._account(request)

    async def _account(self, request: Request, error: str = "", *, status: int = 200) -> Response:
        cookie, identity = _cookie(request), self.identity

        def read() -> Mapping[str, Any]:
            return {
                "here": identity.sessions.look_up(cookie).handle,
                "sessions": identity.sessions.own(cookie),
                "passkeys": identity.passkeys.own(cookie),
                "app": identity.totp.present(cookie),
                "codes_left": identity.recovery.left(cookie),
            }

        facts = await run_in_threadpool(read)
        return page(request, "account", status=status, facts=facts, linking=self.linking, error=error)

    # ---- sessions

    async def end_session(self, request: Request) -> Response:
        form = read_form(request, EndSessionForm)
        await run_in_threadpool(self.identity.sessions.end_one, _cookie(request), form.handle)
        return _back()

    async def end_others(self, request: Request) -> Response:
        read_form(request, NothingForm)
        session = await run_in_threadpool(self.identity.sessions.look_up, _cookie(request))

        def end() -> int:
            name, handle = session.name, session.handle
            return self.identity.sessions.end_all(name, by=name, reason="identity.ended_by_person", keep=handle)

        await run_in_threadpool(end)
        return _back()

    # ---- what one signs in with

    @_freshly
    async def password(self, request: Request) -> Response:
        form = read_form(request, PasswordForm)
        if form.new != form.again:
            return await self._account(request, "The two new passwords differ. Nothing was changed.", status=422)
        change = self.identity.accounts.change_password
        return await self._done(request, lambda: change(_cookie(request), Secret(form.old), Secret(form.new)))

    @_freshly
    async def offer_app(self, request: Request) -> Response:
        offer = await run_in_threadpool(self.identity.totp.offer, _cookie(request))
        secret, uri = offer.secret.reveal(), offer.uri.reveal()
        return page(request, "add_app", ticket=offer.ticket.reveal(), secret=secret, uri=uri, error="")

    @_freshly
    async def add_app(self, request: Request) -> Response:
        form = read_form(request, AppForm)
        try:
            await run_in_threadpool(self.identity.totp.add, _cookie(request), form.ticket, form.code)
        except ProofRefused as error:
            return page(request, "add_app", status=422, ticket=form.ticket, secret="", uri="", error=str(error))
        return _back()

    @_freshly
    async def remove_app(self, request: Request) -> Response:
        read_form(request, NothingForm)
        return await self._done(request, lambda: self.identity.totp.remove(_cookie(request)))

    @_freshly
    async def offer_passkey(self, request: Request) -> Response:
        options = await run_in_threadpool(self.identity.passkeys.offer, _cookie(request))
        return page(request, "add_passkey", options=plain_json(options))

    @_freshly
    async def add_passkey(self, request: Request) -> Response:
        form = read_form(request, PasskeyForm)
        answer = answer_of(form.answer)
        return await self._done(
            request, lambda: self.identity.passkeys.add(_cookie(request), answer, label=form.label or "passkey")
        )

    @_freshly
    async def remove_passkey(self, request: Request) -> Response:
        form = read_form(request, PasskeyGoneForm)
        return await self._done(request, lambda: self.identity.passkeys.remove(_cookie(request), form.passkey))

    @_freshly
    async def new_codes(self, request: Request) -> Response:
        read_form(request, NothingForm)
        codes = await run_in_threadpool(self.identity.recovery.make, _cookie(request))
        return page(request, "recovery_codes", codes=[code.reveal() for code in codes], enrolled=False)

    async def _done(self, request: Request, change: Callable[[], object]) -> Response:
        """Make a change; what is refused is said on the account's page."""
        try:
            await run_in_threadpool(change)
        except (ProofRefused, InvalidInput, Conflict) as error:
            return await self._account(request, str(error), status=422)
        return _back()


def _cookie(request: Request) -> str:
    """The session that asks.

    Raises
    ------
    NothingHere
        A program asks: it has no account.
    """
    session = caller_of(request).session
    if not session:
        raise NothingHere
    return session


def _back() -> Response:
    return RedirectResponse(_ACCOUNT, 303)
