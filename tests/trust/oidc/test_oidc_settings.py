"""What is agreed with a provider is said in full, or refused with every reason at once."""

from datetime import timedelta
from pathlib import Path

import pytest

from sealwright.engines import OutboundRefused
from sealwright.kernel import InvalidInput
from sealwright.trust import (
    GroupRole,
    KeyFileUnsafe,
    OidcSettings,
    RoleGrant,
    Secret,
    read_oidc_settings,
    secret_in_file,
)

GIVEN = {
    "issuer": "https://idp.example.org/realms/main",
    "client_id": "sealwright",
    "redirect_uri": "https://sealwright.example.org/oidc/callback",
    "roles": [{"group": "ml-team", "role": "ml_engineer", "project": "credit"}],
}


def read(**changes: object) -> OidcSettings:
    said = {name: value for name, value in {**GIVEN, **changes}.items() if value is not ...}
    return read_oidc_settings(said, client_secret=lambda: Secret("s3cr3t-canary"))


def test_settings_are_what_the_file_says_and_strict_where_it_is_silent() -> None:
    got = read(strong_amr=["mfa"], strong_minutes=5, algorithms=["ES256"])
    assert got.roles == (GroupRole("ml-team", RoleGrant("ml_engineer", "credit")),)
    assert (got.strong_amr, got.strong_within, got.algorithms) == ({"mfa"}, timedelta(minutes=5), ("ES256",))
    silent = read()
    assert (silent.algorithms, silent.unknown, silent.strong_amr) == (("RS256",), "refuse", frozenset())
    assert "canary" not in repr(silent)


@pytest.mark.parametrize(
    "change",
    [{"issuer": ...}, {"client_id": ...}, {"redirect_uri": ...}, {"roles": ...}, {"verify": False}, {"client_secret": "x"},
     {"issuer": 7}, {"issuer": "http://idp.example.org"}, {"issuer": "https://idp.example.org/?x=1"},
     {"redirect_uri": "http://sealwright.example.org/"}, {"client_id": "a b"}, {"client_id": ""},
     {"algorithms": []}, {"algorithms": ["none"]}, {"algorithms": ["HS256"]}, {"algorithms": ["RS256", "HS256"]},
     {"algorithms": "RS256"}, {"algorithms": ["RS1"]}, {"scopes": ["profile"]}, {"scopes": ["openid", "a b"]},
     {"client_auth": "private"}, {"client_auth": "none"}, {"unknown": "allow"}, {"strong_minutes": 0},
     {"strong_minutes": "5"}, {"strong_minutes": True}, {"strong_minutes": 721},
     {"roles": {}}, {"roles": [{}]}, {"roles": ["ml-team"]}, {"roles": [{"group": "g", "role": "root", "project": "*"}]},
     {"roles": [{"group": "g", "role": "auditor"}]}, {"roles": [{"group": "", "role": "auditor", "project": "*"}]},
     {"roles": [{"group": "g", "role": "auditor", "project": "../x"}]},
     {"roles": [{"group": "g", "role": "auditor", "project": "*", "also": "x"}]}],
)  # fmt: skip
def test_settings_that_are_unclear_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        read(**change)


@pytest.mark.parametrize(
    "url", ["https://user@idp.example.org", "https://0x7f.1/", "https://idp.example.org#x", "idp.example.org"]
)
def test_an_issuer_that_can_be_read_in_two_ways_is_refused_t33(url: str) -> None:
    with pytest.raises(OutboundRefused):
        read(issuer=url)


def test_every_reason_is_said_at_once() -> None:
    with pytest.raises(InvalidInput) as error:
        read(client_id="a b", algorithms=["none"], unknown="allow")
    assert len(str(error.value).splitlines()) == 4


def test_a_secret_that_providers_read_differently_is_refused_before_it_is_sent() -> None:
    settings = read_oidc_settings(GIVEN, client_secret=lambda: Secret("with:colon+and%"))
    with pytest.raises(InvalidInput, match="client_secret_post"):
        settings.secret()
    posted = read_oidc_settings(
        {**GIVEN, "client_auth": "client_secret_post"}, client_secret=lambda: Secret("with:colon+and%")
    )
    assert posted.secret() == "with:colon+and%"


def test_a_secret_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("first\n")
    path.chmod(0o600)
    settings = read_oidc_settings(GIVEN, client_secret=secret_in_file(path))
    assert settings.secret() == "first"
    path.write_text("second")
    assert settings.secret() == "second"


def test_a_file_of_a_secret_is_ours_alone(tmp_path: Path) -> None:
    path, link, empty = tmp_path / "secret", tmp_path / "link", tmp_path / "empty"
    path.write_text("s3cr3t-canary")
    path.chmod(0o640)
    link.symlink_to(path)
    empty.touch(mode=0o600)
    for bad in (path, link, empty, tmp_path, tmp_path / "missing"):
        with pytest.raises(KeyFileUnsafe) as error:
            secret_in_file(bad)()
        assert "canary" not in str(error.value)
