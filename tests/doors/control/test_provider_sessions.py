"""What the door makes of a session by the identity provider, for as long as that session lasts."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest

from acting import Kept, person
from sealwright.doors.control.authenticator import OneProof
from sealwright.doors.control.cookies import SESSION
from sealwright.doors.control.provider_sessions import ProviderSessions
from sealwright.doors.control.seams import Asked
from sealwright.engines import Database
from sealwright.kernel import FixedClock
from sealwright.trust import (
    Identity,
    IdentityRules,
    InsecurePassphraseForTests,
    Principal,
    RoleGrant,
    Secret,
    TotpCode,
    create_keyring,
    insecure_cost_for_tests,
    open_identity,
)

BY_GROUPS = frozenset({RoleGrant("auditor", "credit")})
BY_ENROLMENT = frozenset({RoleGrant("administrator")})
WORDS = "lantern okapi velvet 7 rivers"


class Door:
    """Accounts, the sessions the provider brought, and who asks."""

    def __init__(self, identity: Identity, clock: FixedClock) -> None:
        self.identity, self.clock = identity, clock
        self.restart()

    def restart(self) -> None:
        nothing: Any = None
        self.provider = ProviderSessions(self.clock, timedelta(hours=12))
        self.proof = OneProof(
            self.identity, self.provider, nothing, lambda: (), nothing, Kept(), issuer="x", audience="y"
        )

    def who(self, cookie: str) -> Principal | None:
        asked = Asked(method="GET", path="/", request="req_1", source="192.0.2.7", cookies={SESSION: cookie})
        found = self.proof.caller(asked)
        return found.principal if found else None

    def join(self) -> str:
        """ada's account with an app; returns the app's secret."""
        link = self.identity.links.make("ada", by="root", anywhere=True).token.reveal()
        offer = self.identity.links.open(link, source="192.0.2.7")
        secret = offer.totp.secret.reveal()
        code = TotpCode(pyotp.TOTP(secret).at(self.clock()))
        self.identity.links.use(link, Secret(WORDS), (offer.totp.ticket.reveal(), code), source="192.0.2.7")
        return secret

    def brought(self) -> str:
        new = self.identity.sessions.begin_by_provider("ada", strong=True)
        self.provider.keep(new.session.handle, person("ada", "auditor@credit"))
        return new.id.reveal()


@pytest.fixture
def door(db: Database, tmp_path: Path) -> Iterator[Door]:
    clock, cost = FixedClock(datetime(2026, 11, 26, 9, 0, tzinfo=UTC)), insecure_cost_for_tests()
    ring = create_keyring(tmp_path / "keys", "ws_test", InsecurePassphraseForTests(Secret("a passphrase for tests")))
    rules = IdentityRules(origin="https://c.example.org", cost=cost, cost_floor=cost)
    enrolled = {"ada": BY_ENROLMENT}.get
    yield Door(open_identity(db, Kept(), ring, rules, enrolled=enrolled, clock=clock), clock)
    ring.close()


def test_a_step_up_gives_a_session_by_the_provider_no_role_of_the_enrolment(door: Door) -> None:
    secret, cookie = door.join(), door.brought()
    came = door.who(cookie)
    assert came is not None
    assert came.grants == BY_GROUPS
    for _ in range(3):
        door.clock.advance(timedelta(minutes=11))
        code = TotpCode(pyotp.TOTP(secret).at(door.clock()))
        cookie = door.identity.step_up.prove(cookie, code).id.reveal()
        found = door.who(cookie)
        assert found is not None
        assert (found.grants, found.strong) == (BY_GROUPS, True)


def test_after_a_step_up_it_still_ends_when_the_server_does(door: Door) -> None:
    secret, cookie = door.join(), door.brought()
    door.clock.advance(timedelta(minutes=1))
    code = TotpCode(pyotp.TOTP(secret).at(door.clock()))
    cookie = door.identity.step_up.prove(cookie, code).id.reveal()
    assert door.who(cookie)
    door.restart()
    assert door.who(cookie) is None
    assert door.who(cookie) is None
