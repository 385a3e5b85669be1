"""Who asks for what, and may they? The same questions for every request, whichever way it came in.

Answers: which route is this, whose credential is this, does it allow that?
Does not answer: what is in the body. The protocols read that.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from sealwright.serving.places import label_scope, predict_scope
from sealwright.serving.platforms import EVERY_HOST, Platform
from sealwright.serving.problems import Forbidden
from sealwright.serving.routes import Match, Permission, Route, RouteTable
from sealwright.serving.tokens import Caller, TokenCheck

__all__ = ["Reception", "Received"]

_NOBODY = Caller("", "", frozenset())


class Received(NamedTuple):
    """A request that may go on: which route it takes, for whom."""

    match: Match
    caller: Caller
    model: str  # the project whose model it is about; "" where that is nobody's


class Reception:
    """Receives for the models of one server."""

    def __init__(
        self,
        projects: Iterable[str],
        hosts: Sequence[str],
        tokens: TokenCheck,
        routes: Sequence[Route],
        *,
        platform: Platform | None = None,
    ) -> None:
        self._scopes = {project: frozenset((predict_scope(project), label_scope(project))) for project in projects}
        self._only = next(iter(self._scopes))  # of a platform's container, which holds one model
        self._platform = platform
        own = frozenset(host.lower().encode() for host in hosts)
        self.hosts: Collection[bytes] = own if platform is None else EVERY_HOST
        self._tokens = tokens
        self.table = RouteTable(routes)
        # Found once: the addresses nearly every request goes to.
        self._usual = {
            (route.method, path.encode()): Match(route, {"model": project})
            for route in self.table.routes
            if route.path.count("{") == route.path.count("{model}") == 1
            for project in self._scopes
            for path in [route.path.replace("{model}", project)]
        }

    def usual(self, method: str, path: bytes) -> Match | None:
        """The entry of a usual address of ours; None: look it up."""
        return self._usual.get((method, path))

    def receive(self, method: str, path: bytes, authorization: bytes | None, thumbprint: str) -> Received:
        """The route of a request, and its caller.

        Parameters
        ----------
        path : bytes
            As it was sent, never percent-decoded.
        thumbprint : str
            Of the client certificate shown on this connection, "" if none.

        Raises
        ------
        NoSuchRoute, MethodNotAllowed, Unauthenticated, Forbidden, NotReady
        """
        match = self.usual(method, path) or self.table.find(method, path.decode("latin-1"))
        return self.let_in(match, authorization, thumbprint)

    def let_in(self, match: Match, authorization: bytes | None, thumbprint: str) -> Received:
        """The caller of a route that was found. Raises as `receive`."""
        if match.route.permission is Permission.OPEN:
            return Received(match, _NOBODY, "")
        if match.route.permission is Permission.PLATFORM and self._platform is not None:
            return Received(match, self._platform.caller(predict_scope(self._only)), self._only)
        caller = self._tokens.caller(authorization, thumbprint)
        return Received(match, caller, self.asked_for(caller, match.values.get("model", "")))

    def caller(self, authorization: bytes | None, thumbprint: str) -> Caller:
        """Who asks. Raises `Unauthenticated`, `NotReady`."""
        return self._tokens.caller(authorization, thumbprint)

    def asked_for(self, caller: Caller, model: str) -> str:
        """The model that is asked for, if this caller may; where none is named, one that they may ask.

        Raises
        ------
        Forbidden
            The same words whether another project's model exists or not.
        """
        scopes = self._scopes.get(model)
        if not model:
            model = next(self.may_ask(caller), "")
        elif scopes is None or scopes.isdisjoint(caller.scopes):  # how much they are told: `disclosure`
            model = ""
        if not model:
            raise Forbidden(reason="auth.scope")
        return model

    def may_ask(self, caller: Caller) -> Iterator[str]:
        """The models that a caller may ask."""
        return (model for model, scopes in self._scopes.items() if not scopes.isdisjoint(caller.scopes))
