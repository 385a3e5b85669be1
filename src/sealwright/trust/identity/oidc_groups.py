"""From what a provider says about a person to what they hold here: roles from groups, strength from acr and amr.

Answers: which roles do these groups give, and was a second factor shown recently?
Does not answer: whose account is this? `oidc_accounts` knows. Pure functions.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sealwright.trust.identity.oidc_errors import OidcRefused
from sealwright.trust.identity.oidc_settings import OidcSettings
from sealwright.trust.principal import RoleGrant

__all__ = ["grants_of", "shown_recently"]

_MOST_GROUPS = 2000


def grants_of(claims: Mapping[str, Any], settings: OidcSettings) -> frozenset[RoleGrant]:
    """The roles of the groups that the settings know. Other groups give nothing.

    Raises
    ------
    OidcRefused
        "oidc.no_role": no group that gives a role, no groups at all (some providers send a link instead when there are
        many; it is not followed), or groups in another form than a list of names.
    """
    groups = claims.get(settings.groups_claim)
    if (
        not isinstance(groups, list)
        or len(groups) > _MOST_GROUPS
        or not all(isinstance(group, str) for group in groups)
    ):
        raise OidcRefused("no_role", f"it sent no list of groups in {settings.groups_claim!r}")
    held = set(groups)
    grants = frozenset(row.grant for row in settings.roles if row.group in held)
    if not grants:
        raise OidcRefused(
            "no_role", "none of your groups there has a role here. Ask whoever administers this workspace"
        )
    return grants


def shown_recently(claims: Mapping[str, Any], settings: OidcSettings, now: datetime) -> bool:
    """Whether the provider says that a second factor was shown, in words the settings accept, and when: recently."""
    methods, moment = claims.get("amr"), claims.get("auth_time")
    listed = isinstance(methods, list) and any(isinstance(one, str) and one in settings.strong_amr for one in methods)
    context = claims.get("acr")
    named = isinstance(context, str) and context in settings.strong_acr
    if not (listed or named) or isinstance(moment, bool) or not isinstance(moment, (int, float)):
        return False
    age = now.timestamp() - moment
    return -60 <= age <= settings.strong_within.total_seconds()
