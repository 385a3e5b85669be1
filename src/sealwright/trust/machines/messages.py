"""What comes to the OAuth endpoints and what goes back, without any web library.

Answers: which parameters does this request carry, each at most once (RFC 6749 §3.2)? How is an error written (§5.2)?
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

__all__ = ["OAuthAnswer", "OAuthError", "OAuthRequest", "answer", "form_of", "refusal"]

_FORM = "application/x-www-form-urlencoded"
_MOST_BYTES = 16 * 1024
_MOST_PARAMETERS = 32
_ALWAYS = {"cache-control": "no-store", "pragma": "no-cache", "content-type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthRequest:
    """One POST to an endpoint, as any transport can hand it over."""

    body: bytes = field(repr=False)
    content_type: str = _FORM
    authorization: str = field(default="", repr=False)  # the header, "" if there is none
    certificate: bytes = field(default=b"", repr=False)  # DER; of a client whose TLS handshake verified
    source: str = ""  # network address of the caller
    request: str = ""  # id of the request


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthAnswer:
    """What to send back, as it is. `body` holds a token where one was given."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class OAuthError(Exception):
    """A refusal in the words of RFC 6749 §5.2; `reason` is for our records and never sent."""

    def __init__(self, error: str, description: str, *, reason: str, client: str = "") -> None:
        self.error, self.description, self.reason, self.client = error, description, reason, client
        super().__init__(error)

    @property
    def status(self) -> int:
        return 401 if self.error == "invalid_client" else 400


def answer(
    value: Mapping[str, Any] | None, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> OAuthAnswer:
    """A JSON answer that nobody keeps; None is an empty body."""
    body = b"" if value is None else json.dumps(value).encode()
    return OAuthAnswer(status=status, headers={**_ALWAYS, **(headers or {})}, body=body)


def refusal(error: OAuthError) -> OAuthAnswer:
    """The error as its RFC writes it."""
    challenge = {"www-authenticate": 'Basic realm="sealwright"'} if error.error == "invalid_client" else {}
    return answer(
        {"error": error.error, "error_description": error.description}, status=error.status, headers=challenge
    )


def form_of(request: OAuthRequest) -> dict[str, str]:
    """The parameters of the body. One without a value counts as left out.

    Raises
    ------
    OAuthError
        invalid_request: another content type, a parameter twice, too much of it, or not UTF-8.
    """
    if request.content_type.partition(";")[0].strip().lower() != _FORM:
        raise _invalid(f"The body must be {_FORM}.")
    parts = request.body.split(b"&") if request.body else []
    if len(request.body) > _MOST_BYTES or len(parts) > _MOST_PARAMETERS:
        raise _invalid("The body is larger than any request of ours.")
    found: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition(b"=")
        key = _text(name)
        if key in found:
            raise _invalid("A parameter stands there twice.")
        found[key] = _text(value)
    return {name: value for name, value in found.items() if value}


def _text(raw: bytes) -> str:
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise _invalid("A parameter is not UTF-8 text.") from None
    if any(ord(c) < 0x20 or ord(c) == 0x7F for c in text):
        raise _invalid("A parameter holds control characters.")
    return text


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_request", description, reason="oauth.invalid_request")
