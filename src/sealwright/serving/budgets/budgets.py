"""Callers' budgets on the path of a request: whether it may be answered, and what its caller is told.

Answers: may this caller ask this now, by the limits of its credential and by those of its principal?
Does not answer: whether it may ask at all. Tokens and scopes decide that, before.

A request is paid out of two purses that this process filled ahead of time, so on most requests nobody is asked. Where a purse
is short, `enter` asks counters in memory itself and leaves files and servers to `ask`, which waits for them beside the event
loop. Counters that do not answer refuse (503) whatever is not in the purses: it fails closed.
"""

import asyncio
import time
from collections.abc import Callable

from sealwright.engines import Amount, Counters
from sealwright.kernel import InvalidInput
from sealwright.serving.budgets.account import Account, Pair
from sealwright.serving.budgets.credentials import Credentials
from sealwright.serving.budgets.drawing import Drawing
from sealwright.serving.budgets.limits import BudgetLimits
from sealwright.serving.budgets.purse import Purse
from sealwright.serving.budgets.reached import CallersFull, TooCostly, raise_if
from sealwright.serving.tokens import Caller

__all__ = ["Admitted", "Budgets"]

_AT_A_TIME = 100  # accounts looked at without letting requests in between
_REFILLED_AGAIN = 0.02  # seconds; a bucket that is empty is not asked for each request

_Header = tuple[bytes, bytes]


class Admitted:
    """A request under way. `leave` ends it; a second time does nothing."""

    __slots__ = ("pair", "under_way")

    def __init__(self, pair: Pair) -> None:
        self.pair, self.under_way = pair, True


class Budgets:
    """All callers' budgets of one process. Used on the event loop only."""

    def __init__(
        self,
        limits: BudgetLimits,
        counters: Counters,
        *,
        name_of: Callable[[str], str],
        tell: Callable[..., None],
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        most: int = 10_000,
    ) -> None:
        """Nothing is drawn yet.

        Parameters
        ----------
        name_of : callable
            From a caller or credential to the pseudonym it is counted under, the same in all processes.
        tell : callable
            Takes events: a name, and plain facts.
        most : int
            Credentials whose purses are kept at a time; a purse unused for seconds is given back.
        """
        self._limits, self._name_of, self._tell = limits, name_of, tell
        self._monotonic, self._most, self._full, self._closed = monotonic, most, False, False
        self._credentials = Credentials(most, wall)
        self._pairs: dict[tuple[str, str], Pair] = {}
        self._accounts: dict[str, Account] = {}
        self._drawing = Drawing(counters, tell, monotonic)

    # ---- on the path

    def enter(self, caller: Caller, rows: int, units: int = 1, different: int = 0) -> Admitted | None:
        """Begin a request that costs `rows` times `units`; None if the counters must be asked first: `ask` does.

        Parameters
        ----------
        units : int
            What each row costs: more than 1 with options that take more work.
        different : int
            How many of its rows the caller had not asked before.

        Raises
        ------
        LimitReached
            A limit of this caller; with when to come back.
        TooCostly
            It could never be paid.
        CallersFull
            There is no room for another caller.
        """
        pair = self._pairs.get((caller.subject, caller.token))
        cost = rows * units
        if pair is not None and cost > 0 <= different:
            client, principal, now = pair.client, pair.principal, self._monotonic()
            if (
                client.units >= cost <= principal.units
                and client.free > 0 < principal.free
                and client.extras >= different <= principal.extras
                and client.until > now < principal.until
            ):  # as Pair.has and Pair.pay, without a call: this is what nearly every request takes
                client.units -= cost
                principal.units -= cost
                client.free -= 1
                principal.free -= 1
                client.used = principal.used = True
                if different:
                    client.extras -= different
                    principal.extras -= different
                if client.units < client.low or principal.units < principal.low:
                    self._refill_soon(pair, now)
                return Admitted(pair)
        need = _need(rows, units, different, 1)
        pair = self._pair_of(caller)
        return Admitted(pair) if self._paid(pair, need) else None

    async def ask(self, caller: Caller, rows: int, units: int = 1, different: int = 0) -> Admitted:
        """As `enter`, after asking the counters.

        Raises
        ------
        BudgetsUnknown
            They do not answer.
        HttpRefusal
            As `enter`.
        """
        pair = self._pair_of(caller)
        await self._drawing.pay(pair, _need(rows, units, different, 1))
        return Admitted(pair)

    def more(self, admitted: Admitted, rows: int, units: int = 1, different: int = 0) -> bool:
        """Pay what a request under way costs besides; False if the counters must be asked first: `ask_more` does.

        Raises
        ------
        HttpRefusal
            As `enter`; what was paid before is not returned.
        """
        return self._paid(admitted.pair, _need(rows, units, different, 0))

    async def ask_more(self, admitted: Admitted, rows: int, units: int = 1, different: int = 0) -> None:
        """As `more`, after asking the counters. Raises as `ask`."""
        await self._drawing.pay(admitted.pair, _need(rows, units, different, 0))

    def leave(self, admitted: Admitted) -> None:
        """It was answered, refused or given up."""
        if admitted.under_way:
            admitted.under_way = False
            pair = admitted.pair
            pair.client.free += 1
            pair.principal.free += 1

    def headers(self, admitted: Admitted) -> tuple[_Header, _Header]:
        """What its answer says of its limits. A `LimitReached` has them in its own headers."""
        return admitted.pair.headers()

    # ---- beside the path

    async def look(self) -> None:
        """Settle purses that lapse soon and forget unused ones: every half second. Never raises: they lapse by themselves."""
        for number, (subject, account) in enumerate(list(self._accounts.items())):
            if number % _AT_A_TIME == 0:
                await asyncio.sleep(0)  # requests come between
            if self._closed:
                return
            await self._drawing.settle(account)
            self._forget_unused(subject, account)  # closing may have come between, too, and have forgotten them
        self._full = self._full and len(self._pairs) >= self._most

    async def close(self) -> None:
        """Give everything back. Nothing is admitted after that."""
        self._closed = True
        for account in list(self._accounts.values()):
            await self._drawing.settle(account, all_of_it=True)
        self._pairs.clear()
        self._accounts.clear()
        self._drawing.close()

    def _forget_unused(self, subject: str, account: Account) -> None:
        for token in account.unused():
            del account.pairs[token]
            self._pairs.pop((subject, token), None)
        if account.forgettable:
            self._accounts.pop(subject, None)

    def _paid(self, pair: Pair, need: Amount) -> bool:
        now = self._monotonic()
        _refuse_costly(pair, need)
        if pair.has(need, now):
            pair.pay(need)
            return True
        raise_if(pair.refusal_known(need, now))
        return self._drawing.paid_from_memory(pair, need)

    def _refill_soon(self, pair: Pair, now: float) -> None:
        account = pair.account
        if now >= account.refill_from:
            account.refill_from = now + _REFILLED_AGAIN
            self._drawing.refill(pair)

    def _pair_of(self, caller: Caller) -> Pair:
        """The purses of a caller, empty ones if they are not known here."""
        subject, token = caller.subject, caller.token
        pair = self._pairs.get((subject, token))
        if pair is None:
            self._refuse_newcomer()
            self._credentials.admit(caller)
            levels = self._limits.of(subject)
            account = self._accounts.get(subject)
            if account is None:
                account = Account(Purse("p:" + self._name_of(subject), "principal", levels.per_principal, 0.0))
                self._accounts[subject] = account
            key = "c:" + self._name_of(f"{len(subject)}:{subject}{token}")
            pair = Pair(account, Purse(key, "client", levels.per_client, caller.expires))
            self._pairs[subject, token] = account.pairs[token] = pair
        return pair

    def _refuse_newcomer(self) -> None:
        if len(self._pairs) >= self._most:
            if not self._full:
                self._full = True
                self._tell("budgets_full", credentials=len(self._pairs))
            raise CallersFull(reason=CallersFull.code)


def _need(rows: int, units: int, different: int, slots: int) -> Amount:
    if rows < slots or rows < 0 or units < 1 or different < 0:
        raise InvalidInput(
            f"A request costs at least one row; asked for {rows} rows of {units} units, {different} different."
        )
    return Amount(rows * units, different, slots)


def _refuse_costly(pair: Pair, need: Amount) -> None:
    most = min(pair.client.quota.burst, pair.principal.quota.burst)
    if need.units > most:
        raise TooCostly(need.units, most)
