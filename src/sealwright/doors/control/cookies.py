"""The cookies of this server. All of them are `__Host-`: only this host set them, over TLS, for every path of it.

SameSite is Lax, not Strict: somebody who comes back from their identity provider is to be known at once. What changes
something does not rest on it (`csrf`).
"""

from starlette.responses import Response

__all__ = ["DEVICE", "PROVIDER", "SESSION", "VISIT", "drop_cookie", "put_cookie"]

SESSION = "__Host-session"  # an id nobody can guess; what it stands for is kept here
DEVICE = "__Host-browser"  # a browser somebody signed in with before
VISIT = "__Host-visit"  # binds forms that come before a session
PROVIDER = "__Host-provider"  # a login at the identity provider that was begun in this browser


def put_cookie(answer: Response, name: str, value: str, *, seconds: int | None = None) -> None:
    """Set a cookie; left out, `seconds` makes it end with the browser."""
    answer.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def drop_cookie(answer: Response, name: str) -> None:
    """Take a cookie away."""
    answer.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")
