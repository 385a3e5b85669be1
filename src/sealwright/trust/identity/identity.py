"""Everything about how people sign in, put together: what a door holds.

identity = open_identity(db, audit, keyring, rules, enrolled=register, clock=clock)
link = identity.links.make_first("ada")
...
needed = identity.login.begin("ada", password, source=address)
signed_in = identity.login.complete(needed.ticket.reveal(), TotpCode("123456"), source=address)
principal = identity.sessions.principal(cookie)
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sealwright.engines import Database
from sealwright.kernel import Clock, rfc3339, system_clock
from sealwright.trust.audit import Audit
from sealwright.trust.identity.accounts import Accounts
from sealwright.trust.identity.challenges import Challenges
from sealwright.trust.identity.devices import Devices
from sealwright.trust.identity.enrolment_links import EnrolmentLinks
from sealwright.trust.identity.first_factor import FirstFactors
from sealwright.trust.identity.flood import FloodGate
from sealwright.trust.identity.key_approvals import KeyApprovals
from sealwright.trust.identity.keys import IdentityKeys
from sealwright.trust.identity.login import Login
from sealwright.trust.identity.means import Enrolled, Means
from sealwright.trust.identity.passkey_questions import PasskeyQuestions
from sealwright.trust.identity.passkeys import Passkeys
from sealwright.trust.identity.password_hash import PasswordHasher
from sealwright.trust.identity.proofs import Proofs
from sealwright.trust.identity.recovery_codes import RecoveryCodes
from sealwright.trust.identity.rules import IdentityRules
from sealwright.trust.identity.sessions import Sessions
from sealwright.trust.identity.step_up import StepUp
from sealwright.trust.identity.totp import Totp
from sealwright.trust.keyring import Keyring

__all__ = ["Identity", "open_identity"]

_FORGET_BUCKETS_MS = 3 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The verbs of signing in, by what they are about. Safe to share between threads."""

    links: EnrolmentLinks
    login: Login
    step_up: StepUp
    sessions: Sessions
    accounts: Accounts
    totp: Totp
    passkeys: Passkeys
    recovery: RecoveryCodes
    approvals: KeyApprovals
    flood: FloodGate
    means: Means

    def tidy(self) -> None:
        """Remove what is over, and write the summaries that are due. A server calls it every few minutes."""
        self.flood.close_windows()
        self.sessions.end_all_expired()
        with self.means.db.write() as tx:
            now = rfc3339(self.means.clock())
            tx.run("DELETE FROM identity_challenges WHERE expires_at <= :now", now=now)
            tx.run("DELETE FROM identity_devices WHERE expires_at <= :now", now=now)
            tx.run("DELETE FROM identity_links WHERE expires_at <= :now", now=now)
            tx.run(
                "DELETE FROM identity_throttles WHERE at_ms <= :long_ago",
                long_ago=self.means.now_ms() - _FORGET_BUCKETS_MS,
            )


def open_identity(
    db: Database,
    audit: Audit,
    keyring: Keyring,
    rules: IdentityRules,
    *,
    enrolled: Enrolled,
    clock: Clock = system_clock,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> Identity:
    """Put the parts together.

    Parameters
    ----------
    enrolled : callable
        The roles of a person by their signed enrolment, or None. Asked at every use of a session, so it must be quick;
        what it answers is never kept.
    """
    means = Means(
        db=db, audit=audit, keys=IdentityKeys(keyring), rules=rules, enrolled=enrolled, clock=clock, random=random
    )
    hasher = PasswordHasher(
        rules.cost,
        floor=rules.floor,
        slots=rules.hash_slots,
        queue=rules.hash_queue,
        wait_s=rules.hash_wait.total_seconds(),
        random=random,
    )
    sessions, challenges, flood = Sessions(means), Challenges(means), FloodGate(means)
    accounts, questions = Accounts(means, hasher, sessions), PasskeyQuestions(means, challenges)
    totp = Totp(means, accounts, sessions, challenges)
    passkeys = Passkeys(means, accounts, sessions, questions)
    codes = RecoveryCodes(means, accounts, sessions)
    proofs = Proofs(totp, passkeys, codes)
    first = FirstFactors(means, totp=totp, passkeys=passkeys, questions=questions, challenges=challenges)
    return Identity(
        links=EnrolmentLinks(means, accounts=accounts, first=first, codes=codes, flood=flood),
        login=Login(
            means,
            accounts=accounts,
            sessions=sessions,
            challenges=challenges,
            devices=Devices(means),
            hasher=hasher,
            questions=questions,
            proofs=proofs,
            flood=flood,
        ),
        step_up=StepUp(means, sessions, questions, proofs),
        sessions=sessions,
        accounts=accounts,
        totp=totp,
        passkeys=passkeys,
        recovery=codes,
        approvals=KeyApprovals(means, sessions, passkeys, questions),
        flood=flood,
        means=means,
    )
