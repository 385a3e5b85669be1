"""What tests of signing in have at hand: a database, a real ledger, a clock that stands still, people with their apps."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pyotp

from sealwright.engines import Database
from sealwright.kernel import FixedClock, SealwrightError
from sealwright.trust import (
    Identity,
    IdentityRules,
    Keyring,
    Ledger,
    LedgerAudit,
    LedgerEntry,
    NewSession,
    RoleGrant,
    Secret,
    SessionOver,
    TotpCode,
    open_identity,
)

AWAY = "192.0.2.7"
HERE = "127.0.0.1"
ORIGIN = "https://models.example.org"
RP_ID = "models.example.org"
WORDS = "lantern okapi velvet 7 rivers"


@dataclass
class House:
    """What tests of signing in have at hand."""

    db: Database
    ring: Keyring
    ledger: Ledger
    clock: FixedClock
    rules: IdentityRules
    enrolled: dict[str, frozenset[RoleGrant]]
    identity: Identity = field(init=False)
    secrets: dict[str, str] = field(default_factory=dict)  # the authenticator apps
    codes: dict[str, list[str]] = field(default_factory=dict)
    step: int = 0

    def __post_init__(self) -> None:
        self.audit = LedgerAudit(self.ledger, self.ring)
        self.identity = self.opened()

    def opened(self, **changes: object) -> Identity:
        """Another process on the same database."""
        rules = replace(self.rules, **changes) if changes else self.rules
        return open_identity(self.db, self.audit, self.ring, rules, enrolled=self.enrolled.get, clock=self.clock)

    def person(self, name: str = "ada", *roles: str, password: str = WORDS) -> str:
        """Enrol somebody and let them use their link, with an authenticator app."""
        self.enrolled[name] = frozenset(RoleGrant(role) for role in roles or ("security_officer",))
        link = self.identity.links.make(name, by="root", anywhere=True)
        offer = self.identity.links.open(link.token.reveal(), source=AWAY)
        self.secrets[name] = offer.totp.secret.reveal()
        codes = self.identity.links.use(
            link.token.reveal(),
            Secret(password),
            (offer.totp.ticket.reveal(), TotpCode(self.code(name))),
            source=AWAY,
        )
        self.codes[name] = [code.reveal() for code in codes]
        return name

    def code(self, name: str = "ada", *, fresh: bool = True) -> str:
        """The code the app shows; the clock goes on, so that it is one nobody used."""
        if fresh:
            self.clock.advance(timedelta(seconds=30))
        return pyotp.TOTP(self.secrets[name]).at(self.clock())

    def begin(self, name: str = "ada", password: str = WORDS, source: str = AWAY, device: str = "") -> str:
        return self.identity.login.begin(name, Secret(password), source=source, device=device).ticket.reveal()

    def sign_in(self, name: str = "ada", password: str = WORDS, source: str = AWAY, **more: str) -> NewSession:
        ticket = self.begin(name, password, source, more.get("device", ""))
        return self.identity.login.complete(ticket, TotpCode(self.code(name)), source=source, **more).new

    def cookie(self, name: str = "ada") -> str:
        return self.sign_in(name).id.reveal()

    def alive(self, cookie: str) -> bool:
        try:
            self.identity.sessions.look_up(cookie)
        except SessionOver:
            return False
        return True

    def entries(self, action: str = "") -> Sequence[LedgerEntry]:
        return [entry for entry in self.ledger.entries() if action in ("", entry.action)]

    def reasons(self, action: str) -> list[str]:
        return [str(entry.detail.get("reason", "")) for entry in self.entries(action)]


def at_once(works: Sequence[Callable[[], object]]) -> list[object]:
    """Run all at once; the result or the refusal of each."""

    def one(work: Callable[[], object]) -> object:
        try:
            return work()
        except SealwrightError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))
