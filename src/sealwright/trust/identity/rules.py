"""Limits and times of signing in, in one place. The reason for each stands in docs/reference/identity.md."""

from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from sealwright.kernel import InvalidInput
from sealwright.trust.identity.password_cost import ARGON2ID, HashCost, floor_of
from sealwright.trust.identity.throttle import Limit

__all__ = ["IdentityRules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRules:
    """What holds for everybody in a workspace."""

    origin: str  # where the browser is: "https://models.example.org", or "http://localhost:8000" on one machine
    rp_id: str = ""  # the domain passkeys belong to: the host of `origin` (default) or a parent of it
    workspace: str = "sealwright"  # shown in authenticator apps; refused as a part of passwords

    cost: HashCost = ARGON2ID
    cost_floor: HashCost | None = None  # weakest stored cost that is accepted; left out: the minimum of its kind
    hash_slots: int = 2  # passwords checked at once, in this process
    hash_queue: int = 16  # how many may wait for a slot
    hash_wait: timedelta = timedelta(seconds=4)  # how long

    link_life: timedelta = timedelta(minutes=15)
    login_life: timedelta = timedelta(minutes=5)  # from the password to the second factor
    login_tries: int = 5  # second factors tried after one password
    challenge_life: timedelta = timedelta(minutes=5)
    idle_limit: timedelta = timedelta(minutes=30)
    absolute_limit: timedelta = timedelta(hours=12)
    step_up_window: timedelta = timedelta(minutes=10)
    device_life: timedelta = timedelta(days=90)

    per_source: Limit = field(default=Limit(free=20, leak_ms=30_000, first_ms=1_000, most_ms=300_000))
    per_account: Limit = field(default=Limit(free=5, leak_ms=1_800_000, first_ms=2_000, most_ms=3_600_000))
    flood_window: timedelta = timedelta(minutes=5)
    flood_per_source: int = 5  # refusals recorded one by one in a window
    flood_in_all: int = 50

    def __post_init__(self) -> None:
        parts = urlsplit(self.origin)
        host = parts.hostname or ""
        local = parts.scheme == "http" and host == "localhost"
        if not host or not (parts.scheme == "https" or local) or self.origin != f"{parts.scheme}://{parts.netloc}":
            raise InvalidInput(
                f"The address of the console is like https://models.example.org, without a path; got {self.origin[:80]!r}.\n"
                "Browsers give passkeys to https only, and to http://localhost."
            )
        if parts.username is not None or parts.netloc != parts.netloc.lower():
            raise InvalidInput("The address of the console is in small letters and holds no user name.")
        object.__setattr__(self, "rp_id", self.rp_id or host)
        if host != self.rp_id and not (host.endswith(f".{self.rp_id}") and "." in self.rp_id):
            raise InvalidInput(
                f"Passkeys of {self.rp_id[:80]!r} do not work at {self.origin}: give its host, or a parent."
            )
        if self.cost_floor is None:
            object.__setattr__(self, "cost_floor", floor_of(self.cost.algorithm))
        self.cost.check(self.floor)

    @property
    def floor(self) -> HashCost:
        """The weakest stored cost that is accepted, of the algorithm in use."""
        assert self.cost_floor is not None
        return self.cost_floor
