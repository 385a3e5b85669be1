"""A principal and its credentials in one process: their purses, and one draw for all of them at a time."""

import asyncio

from sealwright.engines import NOTHING, Amount, Ask
from sealwright.serving.budgets.purse import Purse
from sealwright.serving.budgets.reached import LimitReached
from sealwright.serving.problems import HttpRefusal

__all__ = ["Account", "Pair"]

_DRAWN_AGAIN = 2.0  # seconds after which a purse is settled: half of what a lease lasts


_Header = tuple[bytes, bytes]


class Pair:
    """What a request is paid from: the purse of its credential and that of its principal."""

    __slots__ = ("account", "client", "policy", "principal")

    def __init__(self, account: "Account", client: Purse) -> None:
        self.account, self.client, self.principal = account, client, account.principal
        self.policy: _Header = (b"ratelimit-policy", client.policy + b", " + account.principal.policy)

    def has(self, need: Amount, now: float) -> bool:
        """Whether both can pay."""
        return self.client.has(need, now) and self.principal.has(need, now)

    def pay(self, need: Amount) -> None:
        """From both; `has` was asked."""
        self.client.pay(need)
        self.principal.pay(need)

    def is_large(self, need: Amount) -> bool:
        """Whether it takes more than is drawn ahead: the bucket should know at once that this was spent."""
        return need.units > self.client.slice.units or need.units > self.principal.slice.units

    def refusal_known(self, need: Amount, now: float) -> LimitReached | None:
        """A refusal that is known without asking the counters."""
        for purse in (self.client, self.principal):
            if not purse.has(need, now) and (refusal := purse.refusal_known(need, now)):
                return refusal.telling(self.headers())
        return None

    def refusal(self, need: Amount, now: float) -> LimitReached | None:
        """What the last draw was short of."""
        refusal = self.client.refusal(need, now) or self.principal.refusal(need, now)
        return refusal and refusal.telling(self.headers())

    def headers(self) -> tuple[_Header, _Header]:
        """RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-11), for the nearest of its limits on rows."""
        client, principal = self.client, self.principal
        own, together = client.units + client.rest, principal.units + principal.rest
        if own < together:
            return self.policy, (b"ratelimit", client.form % own)
        return self.policy, (b"ratelimit", principal.form % together)


class Account:
    """One principal. Whoever draws for one of its purses holds `lock`."""

    __slots__ = ("filling", "lock", "pairs", "principal", "refill_from", "refilling", "waiting")

    def __init__(self, principal: Purse) -> None:
        self.principal, self.pairs = principal, dict[str, Pair]()
        self.lock, self.refilling, self.refill_from = asyncio.Lock(), False, 0.0
        self.filling: asyncio.Task[HttpRefusal | None] | None = None  # the draw that somebody waits for; one at a time
        self.waiting = 0  # requests and tasks that hold on to one of its purses; none may be forgotten then

    def due(self, now: float, *, all_of_it: bool = False) -> list[tuple[Purse, Ask]]:
        """Draws that settle purses: those in use go on, the others give back all but what is under way."""
        found = []
        for purse in (self.principal, *(pair.client for pair in self.pairs.values())):
            if not purse.empty and (all_of_it or now - purse.drawn >= _DRAWN_AGAIN):
                goes_on = purse.used and not all_of_it
                found.append((purse, purse.ask(NOTHING, now) if goes_on else purse.give_back(now)))
        return found

    def filled(self, _done: "asyncio.Task[HttpRefusal | None]") -> None:
        """That draw is over."""
        self.filling = None

    @property
    def forgettable(self) -> bool:
        """Whether nothing of it is left."""
        return not self.pairs and not self.waiting and self.principal.empty

    def unused(self) -> list[str]:
        """Credentials whose purses hold nothing, and nobody waits for."""
        return [] if self.waiting else [token for token, pair in self.pairs.items() if pair.client.empty]
