"""Settings that would weaken signing in do not exist, or are refused."""

import pytest

from sealwright.kernel import InvalidInput, SealwrightError
from sealwright.trust import ARGON2ID, PBKDF2, HashCost, IdentityRules


def test_the_defaults_are_those_of_the_reference_page() -> None:
    rules = IdentityRules(origin="https://models.example.org")
    assert (rules.rp_id, rules.cost, rules.hash_slots) == ("models.example.org", ARGON2ID, 2)
    minutes = [rules.link_life, rules.login_life, rules.challenge_life, rules.idle_limit, rules.step_up_window]
    assert [life.total_seconds() / 60 for life in minutes] == [15, 5, 5, 30, 10]
    assert rules.absolute_limit.total_seconds() == 12 * 3600


@pytest.mark.parametrize("origin", ["https://a.example.org:8443", "http://localhost:8000", "http://localhost"])
def test_addresses_that_browsers_give_passkeys_to(origin: str) -> None:
    assert IdentityRules(origin=origin).origin == origin


@pytest.mark.parametrize(
    "origin",
    [
        "http://models.example.org",
        "https://models.example.org/",
        "https://M.example.org",
        "models.example.org",
        "",
        "https://u@h.org",
        "http://127.0.0.1:80",
        "file:///etc",
    ],
)
def test_other_addresses_are_refused(origin: str) -> None:
    with pytest.raises(InvalidInput, match="address of the console"):
        IdentityRules(origin=origin)


@pytest.mark.parametrize("rp_id", ["org", "other.org", "dels.example.org", "x.models.example.org"])
def test_a_domain_that_is_no_parent_is_refused(rp_id: str) -> None:
    with pytest.raises(InvalidInput, match="Passkeys of"):
        IdentityRules(origin="https://models.example.org", rp_id=rp_id)


def test_a_parent_domain_is_taken_and_so_is_the_fips_profile() -> None:
    rules = IdentityRules(origin="https://models.example.org", rp_id="example.org", cost=PBKDF2)
    assert rules.floor == PBKDF2


def test_a_cost_below_the_minimum_is_refused() -> None:
    with pytest.raises(SealwrightError, match="is accepted"):
        IdentityRules(
            origin="https://a.example.org", cost=HashCost(algorithm="argon2id", passes=1, memory_kib=64, lanes=1)
        )
