"""A small bank: one person in each role that matters."""

from datetime import UTC, datetime

import pytest

from acting import Kept, person
from sealwright.trust.permissions.permissions import Permissions
from sealwright.trust.permissions.roster import Member, Roster

PEOPLE = {
    "mia": "ml_engineer",
    "sofia": "security_officer",
    "cora": "compliance_officer",
    "ben": "business_owner",
    "dan": "data_scientist",
}


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def roster() -> Roster:
    return Roster([Member(name=name, grants=person(name, role).grants) for name, role in PEOPLE.items()])


@pytest.fixture
def permissions(kept: Kept, roster: Roster) -> Permissions:
    return Permissions(roster, kept, clock=lambda: datetime(2026, 11, 26, 9, 0, tzinfo=UTC))
