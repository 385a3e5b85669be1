"""Logging in with the organisation's own identity provider, and linking one's account there.

Answers: where is the browser sent, and is it the one that comes back? `OidcLogin` believes or refuses.
The way there is a link, not a form: browsers hold a form to this server even across redirects.
"""

from functools import partial

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from sealwright.doors.control.answers import page
from sealwright.doors.control.cookies import PROVIDER, SESSION, drop_cookie, put_cookie
from sealwright.doors.control.door import caller_of, source_of
from sealwright.doors.control.forms import NothingForm, read_form
from sealwright.doors.control.provider_sessions import ProviderSessions
from sealwright.doors.control.refusals import CrossSite
from sealwright.doors.control.router import ControlRouter
from sealwright.doors.control.sign_in_pages import signed_in_answer, visitor_page
from sealwright.trust import Identity, OidcLogin, OidcRefused, OidcUnavailable, Principal, Secret

__all__ = ["ProviderPages"]


class ProviderPages:
    """Handlers of one provider."""

    def __init__(self, identity: Identity, login: OidcLogin, sessions: ProviderSessions) -> None:
        self._identity, self._login, self._sessions = identity, login, sessions

    def add_to(self, routes: ControlRouter) -> None:
        """Put the pages into the table."""
        routes.add("GET", "/login/provider", self.leave, kind="page", open_to="anyone")
        routes.add("GET", "/login/provider/back", self.come_back, kind="page", open_to="anyone")
        routes.add("POST", "/account/provider", self.link, kind="page", open_to="logged_in")
        routes.add("POST", "/account/provider/unlink", self.unlink, kind="page", open_to="logged_in")

    async def leave(self, request: Request) -> Response:
        """On to the provider. `fresh` asks it for a proof of now."""
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise CrossSite
        await run_in_threadpool(self._identity.login.count_visit, source_of(request))
        fresh = request.query_params.get("fresh") == "1"
        try:
            begun = await run_in_threadpool(partial(self._login.start, fresh=fresh))
        except OidcUnavailable as error:
            return visitor_page(request, "login", status=503, next="/", error=str(error))
        answer = RedirectResponse(begun.url, 303)
        put_cookie(answer, PROVIDER, begun.browser.reveal())
        return answer

    async def come_back(self, request: Request) -> Response:
        """Back from the provider: a session, or the login page with why not."""
        browser, previous = request.cookies.get(PROVIDER, ""), request.cookies.get(SESSION, "")
        query = request.query_params.multi_items()

        def arrive() -> Secret:
            arrival = self._login.finish(query, browser, source=source_of(request), request=request.state.request_id)
            found = arrival.principal
            new = self._identity.sessions.begin_by_provider(found.name, strong=found.strong, previous=previous)
            self._sessions.keep(new.session.handle, found)
            return new.id

        try:
            session = await run_in_threadpool(arrive)
        except (OidcRefused, OidcUnavailable) as error:
            answer = visitor_page(request, "login", status=error.status, next="/", error=str(error))
        else:
            answer = signed_in_answer(session, "/")
        drop_cookie(answer, PROVIDER)
        return answer

    async def link(self, request: Request) -> Response:
        """Begin to link one's account at the provider."""
        read_form(request, NothingForm)
        principal = await self._freshly(request)
        begun = await run_in_threadpool(partial(self._login.start, link_to=principal))
        answer = page(request, "leave", url=begun.url)
        put_cookie(answer, PROVIDER, begun.browser.reveal())
        return answer

    async def unlink(self, request: Request) -> Response:
        """Forget one's accounts at the provider."""
        read_form(request, NothingForm)
        principal = await self._freshly(request)
        await run_in_threadpool(partial(self._login.unlink, principal.name, by=principal))
        return RedirectResponse("/account", 303)

    async def _freshly(self, request: Request) -> Principal:
        """Who asks, if they have just shown a second factor kept here: which accounts there open this one is theirs to say,
        not the provider's."""
        caller = caller_of(request)
        await run_in_threadpool(self._identity.sessions.fresh, caller.session)
        return caller.principal
