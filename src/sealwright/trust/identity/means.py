"""What every verb of signing in works with."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sealwright.engines import Database
from sealwright.kernel import Clock, rfc3339
from sealwright.trust.audit import Audit
from sealwright.trust.identity.keys import IdentityKeys
from sealwright.trust.identity.rules import IdentityRules
from sealwright.trust.principal import RoleGrant
from sealwright.trust.strict_base64 import encode_base64url
from sealwright.trust.unlock import Secret

__all__ = ["Enrolled", "Means"]

Enrolled = Callable[[str], Collection[RoleGrant] | None]
"""The roles of a person by their signed enrolment as it stands now; None for somebody who is not enrolled, or no longer,
and for any text at all that names nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Database, ledger, keys, limits, the register of people, time and randomness."""

    db: Database
    audit: Audit
    keys: IdentityKeys
    rules: IdentityRules
    enrolled: Enrolled
    clock: Clock
    random: Callable[[int], bytes]

    def now(self) -> str:
        """Now, as rows have it."""
        return rfc3339(self.clock())

    def now_ms(self) -> int:
        """Now, in milliseconds since 1970."""
        return round(self.clock().timestamp() * 1000)

    def after(self, life: timedelta) -> datetime:
        """When something that begins now is over."""
        return self.clock() + life

    def secret(self) -> Secret:
        """256 random bits, as 43 characters that are safe in a URL and a cookie."""
        return Secret(encode_base64url(self.random(32)))
