"""Groups give the roles that the settings name and no others; a second factor counts when it was shown, and only then."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.trust import GroupRole, OidcRefused, OidcSettings, RoleGrant
from sealwright.trust.identity.oidc_groups import grants_of, shown_recently

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ROLES = (
    GroupRole("ml-team", RoleGrant("ml_engineer", "credit")),
    GroupRole("ml-team", RoleGrant("data_scientist", "hiring")),
    GroupRole("audit", RoleGrant("auditor")),
)
SETTINGS = OidcSettings(
    issuer="https://idp.example.org",
    client_id="sealwright",
    redirect_uri="https://sealwright.example.org/oidc/callback",
    roles=ROLES,
    client_auth="none",
    strong_acr=frozenset({"urn:gold"}),
    strong_amr=frozenset({"mfa"}),
)


def test_a_group_may_give_several_roles_each_in_its_project() -> None:
    assert grants_of({"groups": ["ml-team"]}, SETTINGS) == {
        RoleGrant("ml_engineer", "credit"),
        RoleGrant("data_scientist", "hiring"),
    }


@given(st.lists(st.text() | st.sampled_from(["ml-team", "audit"])))
def test_what_is_held_is_what_the_map_says_of_these_groups(groups: list[str]) -> None:
    wanted = {row.grant for row in ROLES if row.group in groups}
    if wanted:
        assert grants_of({"groups": groups}, SETTINGS) == wanted
    else:
        with pytest.raises(OidcRefused, match="groups"):
            grants_of({"groups": groups}, SETTINGS)


@pytest.mark.parametrize(
    "groups",
    [[], ["everyone"], ["ML-TEAM"], ["ml-team "], ["ml-team,audit"], "ml-team", None, 7, [7], ["ml-team", 7],
     [["ml-team"]], {"ml-team": True}, ["ml-team"] * 2001],
)  # fmt: skip
def test_no_known_group_or_another_form_gives_nothing(groups: object) -> None:
    with pytest.raises(OidcRefused, match="groups"):
        grants_of({"groups": groups}, SETTINGS)


def test_a_missing_claim_gives_nothing_even_if_another_one_has_groups() -> None:
    with pytest.raises(OidcRefused, match="no list of groups"):
        grants_of({"roles": ["ml-team"], "Groups": ["ml-team"]}, SETTINGS)


@pytest.mark.parametrize(
    ("claims", "strong"),
    [
        ({"amr": ["pwd", "mfa"]}, True),
        ({"acr": "urn:gold"}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": "mfa"}, False),
        ({"amr": [["mfa"]]}, False),
        ({"amr": {"mfa": 1}}, False),
        ({"acr": ["urn:gold"]}, False),
        ({"acr": "urn:silver"}, False),
        ({}, False),
        ({"amr": ["mfa"], "auth_time": None}, False),
        ({"amr": ["mfa"], "auth_time": "now"}, False),
        ({"amr": ["mfa"], "auth_time": True}, False),
        ({"amr": ["mfa"], "auth_time": SECONDS - 601}, False),
        ({"amr": ["mfa"], "auth_time": SECONDS - 599}, True),
        ({"amr": ["mfa"], "auth_time": SECONDS + 600}, False),
    ],
)
def test_a_second_factor_counts_as_agreed_and_when_it_was_shown(claims: dict[str, object], strong: bool) -> None:
    assert shown_recently({"auth_time": SECONDS - 5, **claims}, SETTINGS, NOW) is strong


def test_without_a_time_no_second_factor_counts() -> None:
    assert not shown_recently({"amr": ["mfa"], "acr": "urn:gold"}, SETTINGS, NOW)
