"""Signing in takes both halves, and says nothing to whoever lacks one."""

import pytest

from sealwright.trust import LoginRefused, TotpCode


def test_both_halves_right_make_a_session(house) -> None:
    house.person("ada", "security_officer", "auditor")
    new = house.sign_in()
    principal = house.identity.sessions.principal(new.id.reveal())
    assert (principal.kind, principal.name, principal.proof, principal.strong) == ("person", "ada", "session", True)
    assert principal.roles_in("credit") == {"security_officer", "auditor"}


def test_x(house) -> None:
    house.person()
    t=house.begin(password="wrong wrong wrong")
    with pytest.raises(LoginRefused):
        house.identity.login.complete(t, TotpCode(house.code()), source="192.0.2.7")
    print([ (e.action, dict(e.detail)) for e in house.entries()])
