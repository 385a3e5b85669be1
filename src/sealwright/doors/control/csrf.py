"""Requests that change something must come from a page of ours: where from, and with the token of their session.

Answers: did this browser mean it? Does not answer: who sits there.

Two looks, and both must hold (OWASP, cross-site request forgery). Where from: Sec-Fetch-Site, which no page can set, and
Origin; a request that shows neither is refused. The token: HMAC-SHA256 of the session's name under a key of this server, in
the form or in a header, so that a form of another session or another server opens nothing. A page that was loaded before a rotation
of that key is sent after it like any other.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence

from sealwright.doors.control.refusals import CrossSite, TokenMissing

__all__ = ["FORM_FIELD", "HEADER", "SAFE_METHODS", "FormTokens", "need_same_origin"]

FORM_FIELD = "form_token"
HEADER = "x-form-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def need_same_origin(headers: Mapping[str, str], *, scheme: str) -> None:
    """Refuse what another site sent, or what does not say which site sent it.

    Parameters
    ----------
    headers : mapping
        Names in lower case; Host is one of ours already.

    Raises
    ------
    CrossSite
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is None:
        raise CrossSite("It says neither Origin nor Sec-Fetch-Site. Use a browser of this decade, or the API.")
    if site is not None and site != "same-origin":
        raise CrossSite
    if origin is not None and origin != f"{scheme}://{headers['host']}".lower():
        raise CrossSite


class FormTokens:
    """Tokens that bind forms to sessions."""

    def __init__(self, keys: Callable[[], Sequence[bytes]]) -> None:
        """`keys` gives 32 bytes that only servers of this workspace know, under each version of the branch, the newest first."""
        self._keys = keys

    def of(self, session: str) -> str:
        """The token of a session, the same until the session's name or the key changes."""
        return _token(self._keys()[0], session)

    def need(self, session: str, shown: str) -> None:
        """Refuse a token that is not this session's.

        Raises
        ------
        TokenMissing
        """
        given = shown.encode("utf-8", "replace")
        found = [hmac.compare_digest(_token(key, session).encode(), given) for key in self._keys()]
        if not session or not any(found):
            raise TokenMissing("Go back, load the page again, and send the form once more.")


def _token(key: bytes, session: str) -> str:
    return urlsafe_b64encode(hmac.digest(key, b"form\0" + session.encode(), "sha256")).decode().rstrip("=")
