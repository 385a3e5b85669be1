"""How a workspace and its identity provider know each other, and which groups there are which roles here.

Answers: whom do we believe, with which algorithms, and what is a group worth?
Does not answer: is the provider there? Nothing here asks the network. `oidc_configured` reads these from a file.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, get_args

from sealwright.engines import read_destination
from sealwright.kernel import InvalidInput
from sealwright.trust.principal import RoleGrant
from sealwright.trust.unlock import Secret

__all__ = ["OIDC_ALGORITHMS", "GroupRole", "OidcSettings"]

OIDC_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "Ed25519")
"""What an ID token may be signed with, if the settings pin it. All are asymmetric."""

ClientAuth = Literal["client_secret_basic", "client_secret_post", "none"]

_TEXT = re.compile(r"[\x21-\x7e]{1,256}")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]+")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class GroupRole:
    """Members of a group at the provider hold a role here, in one project or in every one."""

    group: str
    grant: RoleGrant


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """What is agreed with one provider. Nothing is taken from the provider that is not pinned here."""

    issuer: str  # exactly as the provider writes it
    client_id: str
    redirect_uri: str  # registered at the provider, where `OidcLogin.finish` is called
    roles: tuple[GroupRole, ...]
    client_secret: Callable[[], Secret] | None = field(
        default=None, repr=False
    )  # asked each time, so it can be changed
    client_auth: ClientAuth = "client_secret_basic"
    groups_claim: str = "groups"
    scopes: tuple[str, ...] = ("openid",)
    algorithms: tuple[str, ...] = ("RS256",)
    strong_acr: frozenset[str] = frozenset()  # values of `acr` that mean a second factor was shown
    strong_amr: frozenset[str] = frozenset()  # values of `amr` that mean it, e.g. "mfa"
    strong_within: timedelta = timedelta(minutes=10)  # so recently it must have been shown
    unknown: Literal["refuse", "enrol"] = "refuse"  # an account nobody here is linked to

    def __post_init__(self) -> None:
        texts = (self.client_id, self.groups_claim, *self.scopes)
        wrong = {
            "The issuer begins with https:// and has no question mark.": not _is_safe(self.issuer)
            or "?" in self.issuer,
            "The redirect URI begins with https://.": not _is_safe(self.redirect_uri),
            "client_id, groups_claim and scopes are visible ASCII characters.": not all(map(_TEXT.fullmatch, texts)),
            "openid is among the scopes.": "openid" not in self.scopes,
            f"algorithms are among: {', '.join(OIDC_ALGORITHMS)}.": not self.algorithms
            or not set(self.algorithms) <= set(OIDC_ALGORITHMS),
            f"client_auth is one of: {', '.join(get_args(ClientAuth))}.": self.client_auth not in get_args(ClientAuth),
            "A client has a secret, or client_auth is none.": (self.client_auth == "none") is bool(self.client_secret),
            "unknown is refuse or enrol.": self.unknown not in ("refuse", "enrol"),
            "A second factor counts for up to 12 hours.": not timedelta(0) < self.strong_within <= timedelta(hours=12),
        }
        reasons = [reason for reason, holds in wrong.items() if holds]
        if reasons:
            raise InvalidInput("The settings of the identity provider cannot be used:\n  " + "\n  ".join(reasons))

    def secret(self) -> str:
        """The client's secret as it is now; "" for a client without one.

        Raises
        ------
        InvalidInput
            In HTTP Basic it would need escapes that providers read differently.
        """
        if self.client_secret is None:
            return ""
        text = self.client_secret().reveal()
        plain = _UNRESERVED.fullmatch(text) and _UNRESERVED.fullmatch(self.client_id)
        if self.client_auth == "client_secret_basic" and not plain:
            raise InvalidInput(
                "The client's id or secret holds characters that providers read differently. Use client_secret_post."
            )
        return text


def _is_safe(url: str) -> bool:
    destination = read_destination(url)
    return destination.scheme == "https" or destination.host in _LOOPBACK
