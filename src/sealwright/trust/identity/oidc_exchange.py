"""The two steps at the provider, by Authlib: sending a person there, and exchanging the code they come back with.

Authlib words the requests (RFC 6749, PKCE of RFC 7636 with S256, the client's authentication); they leave by our guard, and
the answer is read strictly. Its own checks of ID tokens are not used: see `oidc_token`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]
from authlib.oauth2.auth import ClientAuth  # type: ignore[import-untyped]
from authlib.oauth2.client import OAuth2Client  # type: ignore[import-untyped]

from sealwright.engines import Answer, Outbound, OutboundFailed, OutboundRefused
from sealwright.kernel import InvalidInput, strict_json
from sealwright.trust.identity.oidc_errors import OidcRefused, OidcUnavailable
from sealwright.trust.identity.oidc_provider import ProviderMetadata
from sealwright.trust.identity.oidc_settings import OidcSettings

__all__ = ["Tokens", "authorization_url", "exchange_code"]

_MOST_BYTES = 256 * 1024
_MOST_CODE = 4096


@dataclass(frozen=True, slots=True)
class Tokens:
    """What came back for a code. The access token is only compared with the ID token, then forgotten."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)


def authorization_url(
    settings: OidcSettings,
    metadata: ProviderMetadata,
    *,
    state: str,
    nonce: str,
    verifier: str,
    extra: Mapping[str, str],
) -> str:
    """Where a person is sent to sign in: a code is asked for, bound to `state`, `nonce` and the hash of `verifier`."""
    client = _client(settings, session=None, secret="")
    url, _ = client.create_authorization_url(
        metadata.authorization_endpoint, state=state, code_verifier=verifier, nonce=nonce, **extra
    )
    return str(url)


def exchange_code(
    settings: OidcSettings, metadata: ProviderMetadata, outbound: Outbound, *, code: str, verifier: str
) -> Tokens:
    """The tokens for a code.

    Raises
    ------
    OidcRefused
        "oidc.code": the provider does not accept the code, the verifier or the client, or its answer has another form.
    OidcUnavailable
        It does not answer.
    """
    if not code or len(code) > _MOST_CODE:
        raise OidcRefused("code", "it sent back no code")
    client = _client(settings, session=_GuardedSession(outbound), secret=settings.secret())
    try:
        said = client.fetch_token(
            metadata.token_endpoint, grant_type="authorization_code", code=code, code_verifier=verifier
        )
        return _tokens(said)
    except (OutboundRefused, OutboundFailed) as error:
        raise OidcUnavailable(error.reason, f"the code cannot be exchanged. {error}") from None
    except OAuth2Error as error:
        known = error.error if isinstance(error.error, str) and error.error.isidentifier() else "an error"
        raise OidcRefused("code", f"it did not accept the code and answered {known[:40]}") from None
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise OidcRefused("code", "its answer to the code cannot be read") from None


def _client(settings: OidcSettings, *, session: object, secret: str) -> OAuth2Client:
    return OAuth2Client(
        session,
        client_id=settings.client_id,
        client_secret=secret,
        token_endpoint_auth_method=settings.client_auth,
        scope=" ".join(settings.scopes),
        redirect_uri=settings.redirect_uri,
        code_challenge_method="S256",
    )


def _tokens(said: Mapping[str, Any]) -> Tokens:
    kind, id_token, access_token = said.get("token_type"), said.get("id_token"), said.get("access_token")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise OidcRefused("code", "its access token is of a kind we do not know")
    if not isinstance(id_token, str) or not isinstance(access_token, str) or not access_token.isascii():
        raise OidcRefused("code", "it sent no ID token and access token")
    return Tokens(id_token, access_token)


class _GuardedSession:
    """What Authlib takes for an HTTP session: a POST that leaves by our guard."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: ClientAuth) -> "_Reply":
        where, sent, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        answer = self._outbound.request(where, "POST", headers=sent, body=body.encode("ascii"), most_bytes=_MOST_BYTES)
        return _Reply(answer)


class _Reply:
    """What Authlib takes for an answer."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.status_code = answer.status

    def json(self) -> Any:
        try:
            return strict_json(self._answer.body, what="The answer")
        except InvalidInput as error:
            raise ValueError(str(error)) from None

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise OidcUnavailable("oidc.status", f"it answers {self.status_code} instead of a token")
