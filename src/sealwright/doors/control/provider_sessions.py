"""Sessions of people who came by the identity provider: their roles are those their groups gave them when they came.

Answers: which roles does this session have? Kept in this process only. When it ends, these sessions end, and people come
by the provider again; so nothing written anywhere gives somebody a role.
"""

import threading
from dataclasses import replace
from datetime import datetime, timedelta

from sealwright.kernel import Clock
from sealwright.trust import Principal, RoleGrant

__all__ = ["ProviderSessions"]

_NEWCOMER = "sso-"  # how `OidcLogin` names accounts that are linked to nobody


class ProviderSessions:
    """Who came by the provider, by the handle of their session. Safe to use from many threads."""

    def __init__(self, clock: Clock, life: timedelta) -> None:
        """`life`: the absolute limit of a session."""
        self._clock, self._life, self._lock = clock, life, threading.Lock()
        self._kept: dict[str, tuple[str, frozenset[RoleGrant], datetime]] = {}

    def keep(self, handle: str, principal: Principal) -> None:
        """Remember who came."""
        now = self._clock()
        with self._lock:
            self._kept = {key: one for key, one in self._kept.items() if one[2] > now}
            self._kept[handle] = (principal.name, principal.grants, now + self._life)

    def principal(self, handle: str, known: Principal) -> Principal | None:
        """The person of a session with the roles they came with; None if nobody here saw them come."""
        with self._lock:
            found = self._kept.get(handle)
        if found is None or found[0] != known.name or found[2] <= self._clock():
            return None
        return replace(known, grants=found[1])

    def grants(self, name: str) -> frozenset[RoleGrant] | None:
        """The roles of somebody who is enrolled by the provider alone, while a session of theirs is kept.

        Nothing for anybody else: where an enrolment was ended here, the provider does not keep it alive.
        """
        if not name.startswith(_NEWCOMER):
            return None
        now = self._clock()
        with self._lock:
            found = [grants for who, grants, until in self._kept.values() if who == name and until > now]
        return frozenset().union(*found) if found else None
