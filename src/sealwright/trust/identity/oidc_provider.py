"""What an identity provider says about itself: its endpoints (OpenID Connect Discovery 1.0) and its keys.

Answers: where is a person sent, where is a code exchanged, and which keys sign?
Does not answer: is a token good? That is `oidc_token`.
Everything is fetched by the guard for outbound requests, so an endpoint at an inner address is never asked. What was
fetched is kept for an hour; new keys are looked for once a minute at most, and a provider that failed is left alone for ten
seconds, so that strangers at the sign-in page cannot make us ask it all the time.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sealwright.engines import Outbound, OutboundFailed, OutboundRefused
from sealwright.kernel import Clock, InvalidInput, strict_json
from sealwright.trust.identity.oidc_errors import OidcUnavailable
from sealwright.trust.identity.oidc_keys import ProviderKey, read_key_set
from sealwright.trust.identity.oidc_settings import OidcSettings

__all__ = ["Provider", "ProviderMetadata"]

_KEPT = timedelta(hours=1)
_REFRESHED_EVERY = timedelta(minutes=1)
_QUIET_AFTER_FAILURE = timedelta(seconds=10)
_MOST_METADATA = 256 * 1024
_MOST_KEYS = 256 * 1024


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """What we use of the discovery document."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    names_itself: bool  # adds `iss` to its answers (RFC 9207)


class Provider:
    """One provider, asked when needed. Safe to share between threads."""

    def __init__(self, settings: OidcSettings, outbound: Outbound, clock: Clock) -> None:
        self._settings = settings
        self._outbound = outbound
        self._clock = clock
        self._lock = threading.Lock()
        self._metadata: tuple[datetime, ProviderMetadata] | None = None
        self._keys: tuple[datetime, tuple[ProviderKey, ...]] | None = None
        self._failed: tuple[datetime, str] | None = None

    def metadata(self) -> ProviderMetadata:
        """Its endpoints, checked.

        Raises
        ------
        OidcUnavailable
            It does not answer, its document cannot be used, or it is about another issuer.
        """
        with self._lock:
            if self._metadata is None or self._clock() - self._metadata[0] >= _KEPT:
                if self._failed is not None and self._clock() - self._failed[0] < _QUIET_AFTER_FAILURE:
                    raise OidcUnavailable(self._failed[1], "it failed a moment ago")
                address = f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
                try:
                    self._metadata = (
                        self._clock(),
                        self._read(self._fetch(address, _MOST_METADATA, "its description")),
                    )
                except OidcUnavailable as error:
                    self._failed = (self._clock(), error.reason)
                    raise
            return self._metadata[1]

    def keys(self, *, again: bool = False) -> tuple[ProviderKey, ...]:
        """Its keys; `again` asks anew unless that was done within the last minute.

        Raises
        ------
        OidcUnavailable
            It does not answer, or its keys cannot be used.
        """
        address = self.metadata().jwks_uri
        with self._lock:
            oldest = _REFRESHED_EVERY if again else _KEPT
            if self._keys is None or self._clock() - self._keys[0] >= oldest:
                data = self._fetch(address, _MOST_KEYS, "its keys")
                try:
                    self._keys = (self._clock(), read_key_set(data, self._settings.algorithms))
                except InvalidInput as error:
                    raise OidcUnavailable("oidc.keys", f"its keys cannot be used. {error}") from None
            return self._keys[1]

    def _fetch(self, address: str, most_bytes: int, what: str) -> bytes:
        try:
            answer = self._outbound.request(address, headers={"Accept": "application/json"}, most_bytes=most_bytes)
        except (OutboundRefused, OutboundFailed) as error:
            raise OidcUnavailable(error.reason, f"{what} cannot be fetched. {error}") from None
        if answer.status != 200:
            raise OidcUnavailable("oidc.status", f"it answers {answer.status} instead of {what}")
        return answer.body

    def _read(self, data: bytes) -> ProviderMetadata:
        """The document, if it is about exactly our issuer and offers what we need."""
        try:
            said = strict_json(data, what="The description")
            if not isinstance(said, dict) or said.get("issuer") != self._settings.issuer:
                raise InvalidInput("It is about another issuer than the one in the settings, letter by letter.")
            self._check_offers(said)
            endpoints = {}
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                address = said.get(name)
                if not isinstance(address, str):
                    raise InvalidInput(f"It does not say its {name}.")
                self._outbound.check_url(address)
                endpoints[name] = address
        except InvalidInput as error:
            raise OidcUnavailable("oidc.metadata", f"what it says about itself cannot be used. {error}") from None
        except OutboundRefused as error:
            raise OidcUnavailable(error.reason, f"an endpoint it names may not be asked. {error}") from None
        names_itself = said.get("authorization_response_iss_parameter_supported", False)
        return ProviderMetadata(**endpoints, names_itself=names_itself is not False)

    def _check_offers(self, said: Mapping[str, Any]) -> None:
        settings = self._settings
        wanted: dict[str, set[str]] = {
            "response_types_supported": {"code"},
            "code_challenge_methods_supported": {"S256"},
            "id_token_signing_alg_values_supported": set(settings.algorithms),
            "token_endpoint_auth_methods_supported": {settings.client_auth},
        }
        for name, needed in wanted.items():
            offered = said.get(name)
            if offered is None and name not in ("response_types_supported", "id_token_signing_alg_values_supported"):
                continue  # these two may be left out; the others may not
            if not isinstance(offered, list) or not needed & {one for one in offered if isinstance(one, str)}:
                raise InvalidInput(f"Its {name} holds none of: {', '.join(sorted(needed))}.")
