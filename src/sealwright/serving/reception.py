"""Who asks for what, and may they? The same questions for every request, whichever way it came in.

Answers: which route is this, whose credential is this, does it allow that?
Does not answer: what is in the body. The protocols read that.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sealwright.serving.places import label_scope, predict_scope
from sealwright.serving.platforms import EVERY_HOST, Platform
from sealwright.serving.problems import Forbidden
from sealwright.serving.routes import Match, Permission, Route, RouteTable
from sealwright.serving.tokens import Caller, TokenCheck

__all__ = ["Reception", "Received"]

_NOBODY = Caller("", "", frozenset())


@dataclass(frozen=True, slots=True)
class Received:
    """A request that may go on: which route it takes, for whom."""

    match: Match
    caller: Caller


class Reception:
    """Receives for the model of one project."""

    def __init__(
        self,
        project: str,
        hosts: Sequence[str],
        tokens: TokenCheck,
        routes: Sequence[Route],
        *,
        platform: Platform | None = None,
    ) -> None:
        self._project, self._scope, self._label = project, predict_scope(project), label_scope(project)
        self._platform = platform
        own = frozenset(host.lower().encode() for host in hosts)
        self.hosts: Collection[bytes] = own if platform is None else EVERY_HOST
        self._tokens = tokens
        self.table = RouteTable(routes)
        # Found once: the addresses nearly every request goes to.
        self._usual = {
            (route.method, path.encode()): Match(route, {"model": project})
            for route in self.table.routes
            if route.path.count("{") == route.path.count("{model}")
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
        if match.route.permission is Permission.OPEN:
            return Received(match, _NOBODY)
        if match.route.permission is Permission.PLATFORM and self._platform is not None:
            return Received(match, self._platform.caller(self._scope))
        return Received(match, self.caller(authorization, thumbprint, match.values.get("model", self._project)))

    def caller(self, authorization: bytes | None, thumbprint: str, model: str) -> Caller:
        """Who asks for a model, if they may.

        Raises
        ------
        Unauthenticated, Forbidden, NotReady
        """
        caller = self._tokens.caller(authorization, thumbprint)
        may = self._scope in caller.scopes or self._label in caller.scopes  # how much they are told: `disclosure`
        if not may or model != self._project:
            raise Forbidden(reason="auth.scope")  # the same words whether another project's model exists or not
        return caller
