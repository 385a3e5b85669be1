"""One table: what answers, and what a caller must be allowed to do to reach it.

Deny by default: an address outside the table does not exist, and a table with an entry whose
permission is missing does not start.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from sealwright.kernel import Refused
from sealwright.serving.problems import MethodNotAllowed, NoSuchRoute

if TYPE_CHECKING:
    from sealwright.serving.reply import AskedOf
    from sealwright.serving.served import Served

__all__ = ["Match", "Permission", "Route", "RouteTable"]

_NAME = re.compile(r"[a-z0-9._-]{1,64}")  # what {model} and {version} may hold; the rest is no address of ours
_PATTERN = re.compile(r"/|(?:/(?:[a-z0-9._-]+|\{[a-z]+\}))+")


class Permission(Enum):
    """What a route asks of its caller."""

    OPEN = "open"  # nobody needs to say who they are
    PREDICT = "predict"  # a token with the scope "predict:<project>"
    PLATFORM = "platform"  # whoever the platform around this container let in; exists in that mode only


@dataclass(frozen=True, slots=True)
class Route:
    """One entry of the table; `path` may hold {model} and {version}."""

    method: str
    path: str
    permission: Permission
    handler: Callable[..., Any]
    takes: frozenset[bytes] = frozenset(
        {b"application/json"}
    )  # media types of bodies; b"" where none need be announced
    binary: bool = False  # reads the binary tensor extension
    asked_as: "Callable[[Served], AskedOf] | None" = (
        None  # of a prediction: the protocol its body is in, unless its head says more
    )


@dataclass(frozen=True, slots=True)
class Match:
    """A route and what its braces held."""

    route: Route
    values: dict[str, str]


class RouteTable:
    """Looks up a method and a raw path (never percent-decoded: our names need no escapes)."""

    def __init__(self, routes: Sequence[Route]) -> None:
        """Check the table.

        Raises
        ------
        Refused
            An entry without a permission or a handler, a path we cannot match, or the same entry twice.
        """
        self._by_shape: dict[tuple[str | None, ...], dict[str, Route]] = {}
        for route in routes:
            permission: object = route.permission  # whatever stands there, not what the type says
            if not isinstance(permission, Permission) or not callable(route.handler):
                raise Refused(
                    f"The route {route.method} {route.path} has no permission or no handler. Nothing is served."
                )
            if not _PATTERN.fullmatch(route.path) or not route.method.isupper():
                raise Refused(f"The route {route.method} {route.path} cannot be matched. Nothing is served.")
            shape = tuple(None if part.startswith("{") else part for part in route.path.split("/")[1:])
            methods = self._by_shape.setdefault(shape, {})
            if route.method in methods:
                raise Refused(f"The route {route.method} {route.path} stands in the table twice. Nothing is served.")
            methods[route.method] = route
        self.routes = tuple(routes)

    def find(self, method: str, path: str) -> Match:
        """The entry for a request.

        Raises
        ------
        NoSuchRoute
            No entry has this path.
        MethodNotAllowed
            Some have, but not with this method.
        """
        parts = path.split("/")[1:]
        for shape, methods in self._by_shape.items():
            if len(shape) == len(parts) and all(
                part == wanted or (wanted is None and _NAME.fullmatch(part))
                for part, wanted in zip(parts, shape, strict=True)
            ):
                route = methods.get(method)
                if route is None:
                    raise MethodNotAllowed(list(methods))
                names = [part[1:-1] if part.startswith("{") else "" for part in route.path.split("/")[1:]]
                return Match(route, {name: part for name, part in zip(names, parts, strict=True) if name})
        raise NoSuchRoute
