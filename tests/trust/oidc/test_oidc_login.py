"""Who comes back from the identity provider is let in with the roles of their groups, once, in the browser that began."""

import threading
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey
from oidc_provider import SECRET

from sealwright.engines import Database
from sealwright.kernel import VerificationFailed
from sealwright.trust import OidcRefused, OidcUnavailable, Principal, RoleGrant


def refused(desk, act) -> str:
    with pytest.raises(OidcRefused) as error:
        act()
    assert (error.value.code, error.value.status) == ("oidc.refused", 401)
    assert desk.events()[-1] == ("oidc.login", "refused", error.value.reason)
    return error.value.reason


def test_a_login_gives_the_roles_of_the_groups(desk) -> None:
    desk.provider.groups = ["ml-team", "everyone", "audit"]
    arrival = desk.arrive()
    who = arrival.principal
    assert who.grants == {RoleGrant("ml_engineer", "credit"), RoleGrant("auditor")}
    assert (who.kind, who.proof, who.strong) == ("person", "session", False)
    assert who.name == f"sso-{arrival.account[:24]}"
    assert desk.events() == [("oidc.link", "done", ""), ("oidc.login", "done", "")]


def test_the_same_account_is_the_same_person_next_time(desk) -> None:
    first = desk.arrive()
    desk.provider.more_claims = {"email": "somebody@else.org", "preferred_username": "root"}
    assert desk.arrive().principal.name == first.principal.name


def test_the_same_address_at_another_account_is_another_person_t04(desk) -> None:
    """Whoever can set their e-mail address at the provider must not become somebody else here."""
    first = desk.arrive()
    desk.provider.subject = "666"
    assert desk.arrive().principal.name != first.principal.name


def test_pkce_is_used_with_a_fresh_verifier_each_time(desk) -> None:
    urls = [desk.login.start().url for _ in range(2)]
    asked = [parse_qs(urlsplit(url).query) for url in urls]
    for name in ("state", "nonce", "code_challenge"):
        (one,), (two,) = asked[0][name], asked[1][name]
        assert one != two
        assert len(one) >= 43
    desk.arrive()
    (verifier,) = desk.provider.verifiers
    assert len(verifier) == 43
    assert not any(verifier in url for url in urls)


def test_neither_secret_nor_verifier_stands_in_the_address(desk) -> None:
    begun = desk.login.start()
    assert SECRET not in begun.url
    assert begun.browser.reveal() not in begun.url
    assert SECRET not in repr(desk.login) + repr(begun)


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS256", RSAKey.generate_key(2048, parameters={"kid": "a"})),
        ("RS512", RSAKey.generate_key(2048, parameters={"kid": "a"})),
        ("PS256", RSAKey.generate_key(2048, parameters={"kid": "a"})),
        ("ES256", ECKey.generate_key("P-256", parameters={"kid": "a"})),
        ("ES384", ECKey.generate_key("P-384", parameters={"kid": "a"})),
        ("Ed25519", OKPKey.generate_key("Ed25519", parameters={"kid": "a"})),
    ],
)
def test_each_pinned_algorithm_works_and_no_other(desk, algorithm: str, key) -> None:
    desk.provider.algorithm, desk.provider.key, desk.provider.published = algorithm, key, [key]
    assert desk.arrive(desk.made(algorithms=(algorithm,)))
    other = "RS256" if algorithm != "RS256" else "ES256"
    desk.provider.change_discovery = lambda said: {**said, "id_token_signing_alg_values_supported": [other]}
    desk.provider.published.append(RSAKey.generate_key(2048) if other == "RS256" else ECKey.generate_key("P-256"))
    assert refused(desk, lambda: desk.arrive(desk.made(algorithms=(other,)))) == "oidc.token_form"


@pytest.mark.parametrize("how", ["client_secret_basic", "client_secret_post"])
def test_the_client_proves_itself_either_way(desk, how: str) -> None:
    assert desk.arrive(desk.made(client_auth=how))


# ---- once, in the same browser, in time


def test_a_state_counts_once_t05(desk) -> None:
    begun = desk.login.start()
    query = desk.provider.sign_in(begun.url)
    desk.login.finish(query, begun.browser.reveal())
    assert refused(desk, lambda: desk.login.finish(query, begun.browser.reveal())) == "oidc.state"


def test_of_twenty_at_once_one_comes_in_t05(desk) -> None:
    begun = desk.login.start()
    query, said, barrier = desk.provider.sign_in(begun.url), [], threading.Barrier(20)

    def come() -> None:
        barrier.wait()
        try:
            said.append(desk.login.finish(query, begun.browser.reveal()).principal.kind)
        except OidcRefused as error:
            said.append(error.reason)

    threads = [threading.Thread(target=come) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["oidc.state"] * 19 + ["person"]


def test_a_state_of_a_refused_login_is_used_up_too(desk) -> None:
    begun = desk.login.start()
    query = desk.provider.sign_in(begun.url)
    assert refused(desk, lambda: desk.login.finish(query, "another browser")) == "oidc.state"
    assert refused(desk, lambda: desk.login.finish(query, begun.browser.reveal())) == "oidc.state"
    assert desk.provider.asked.count("/token") == 0


def test_an_answer_that_another_browser_began_is_refused_t10(desk) -> None:
    """Login CSRF: an attacker's own answer, followed by a victim's browser, must not sign the victim in as the attacker."""
    attacker, victim = desk.login.start(), desk.login.start()
    query = desk.provider.sign_in(attacker.url)
    assert refused(desk, lambda: desk.login.finish(query, victim.browser.reveal())) == "oidc.state"
    assert refused(desk, lambda: desk.login.finish(query, "")) == "oidc.state"


def test_ten_minutes_are_the_limit(desk) -> None:
    begun = desk.login.start()
    query = desk.provider.sign_in(begun.url)
    desk.clock.advance(timedelta(minutes=10))
    assert refused(desk, lambda: desk.login.finish(query, begun.browser.reveal())) == "oidc.state"


@pytest.mark.parametrize("state", ["", "x", "' OR 1=1 --", "a" * 4000, "\ud800", "ä"])
def test_a_state_we_did_not_make_is_refused(desk, state: str) -> None:
    begun = desk.login.start()
    query = [("code", "x"), ("state", state)]
    assert refused(desk, lambda: desk.login.finish(query, begun.browser.reveal())) == "oidc.state"


def test_a_parameter_sent_twice_is_refused(desk) -> None:
    begun = desk.login.start()
    query = desk.provider.sign_in(begun.url)
    for more in (("state", "x"), ("code", "y"), ("iss", desk.provider.issuer)):
        assert (
            refused(desk, lambda more=more: desk.login.finish([*query, more], begun.browser.reveal()))
            == "oidc.parameters"
        )


def test_a_code_that_was_used_elsewhere_is_refused_t05(desk) -> None:
    """The provider takes a code once; whoever comes second with it gets nothing, even in a login of their own."""
    first, second = desk.login.start(), desk.login.start()
    query = desk.provider.sign_in(first.url)
    desk.login.finish(query, first.browser.reveal())
    injected = [query[0], *desk.provider.sign_in(second.url)[1:]]
    assert refused(desk, lambda: desk.login.finish(injected, second.browser.reveal())) == "oidc.code"


def test_a_stolen_code_is_worth_nothing_without_its_verifier_t05(desk) -> None:
    """Code injection: the victim's unused code in the attacker's login. PKCE stops it at the provider."""
    victim, attacker = desk.login.start(), desk.login.start()
    stolen = desk.provider.sign_in(victim.url)[0]
    injected = [stolen, *desk.provider.sign_in(attacker.url)[1:]]
    assert refused(desk, lambda: desk.login.finish(injected, attacker.browser.reveal())) == "oidc.code"


def test_a_person_who_says_no_is_told_so(desk) -> None:
    begun = desk.login.start()
    query = [("error", "access_denied"), *desk.provider.sign_in(begun.url)[1:]]
    assert refused(desk, lambda: desk.login.finish(query, begun.browser.reveal())) == "oidc.denied"


def test_many_logins_under_way_do_not_pile_up(desk) -> None:
    for _ in range(5):
        desk.login.start()
    desk.clock.advance(timedelta(minutes=11))
    desk.login.start()
    with desk.db.read() as tx:
        assert tx.run("SELECT count(*) AS n FROM oidc_logins")[0]["n"] == 1


# ---- groups and strength


@pytest.mark.parametrize("groups", [["everyone"], "ml-team", None])
def test_no_known_group_no_entry(desk, groups) -> None:
    desk.provider.groups = groups
    assert refused(desk, desk.arrive) == "oidc.no_role"


def test_groups_behind_a_link_are_not_fetched_t33(desk, canary) -> None:
    """Some providers send a link instead of many groups; following it would be a request to wherever they say."""
    desk.provider.change_claims = lambda said: {
        **{name: value for name, value in said.items() if name != "groups"},
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": f"https://127.0.0.1:{canary.port}/groups"}},
    }
    assert refused(desk, desk.arrive) == "oidc.no_role"


def test_roles_come_from_the_groups_of_today(desk) -> None:
    desk.provider.groups = ["ml-team", "audit"]
    desk.arrive()
    desk.provider.groups = ["audit"]
    assert desk.arrive().principal.grants == {RoleGrant("auditor")}


def test_a_claim_called_roles_gives_nothing(desk) -> None:
    desk.provider.groups = ["audit"]
    desk.provider.more_claims = {"roles": ["ml_engineer"], "strong": True, "grants": ["*"]}
    assert desk.arrive().principal.grants == {RoleGrant("auditor")}


def test_a_login_is_strong_only_if_the_provider_says_so_as_agreed(desk) -> None:
    desk.provider.more_claims = {"auth_time": int(desk.clock().timestamp()) - 5, "amr": ["pwd", "mfa"]}
    assert desk.arrive(desk.made(strong_amr=frozenset({"mfa"}))).principal.strong
    assert not desk.arrive(desk.made()).principal.strong  # nothing agreed, nothing believed


def test_a_step_up_asks_anew_and_notices_when_nobody_was_asked(desk) -> None:
    login = desk.made(strong_acr=frozenset({"urn:gold"}))
    asked = parse_qs(urlsplit(login.start(fresh=True).url).query)
    assert (asked["max_age"], asked["prompt"], asked["acr_values"]) == (["0"], ["login"], ["urn:gold"])
    now = int(desk.clock().timestamp())
    desk.provider.more_claims = {"auth_time": now, "acr": "urn:gold"}
    assert desk.arrive(login, fresh=True).principal.strong
    for stale in (now - 3600, None, "now", True):
        desk.provider.more_claims = {"auth_time": stale, "acr": "urn:gold"}
        assert refused(desk, lambda: desk.arrive(login, fresh=True)) == "oidc.not_fresh"


# ---- whose account


def test_an_unknown_account_is_refused_unless_the_settings_enrol_it(desk) -> None:
    assert refused(desk, lambda: desk.arrive(desk.made(unknown="refuse"))) == "oidc.not_linked"
    with desk.db.read() as tx:
        assert tx.run("SELECT * FROM oidc_accounts") == []


def test_a_person_links_their_own_account(desk, ada: Principal) -> None:
    login = desk.made(unknown="refuse")
    assert desk.arrive(login, link_to=ada).principal.name == "ada"
    assert desk.arrive(login).principal.name == "ada"
    assert desk.events()[0] == ("oidc.link", "done", "")


def test_linking_needs_a_second_factor_just_now(desk) -> None:
    weak = Principal(kind="person", name="ada", proof="session")
    robot = Principal(kind="service", name="ada", proof="token", strong=True)
    for who in (weak, robot):
        with pytest.raises(OidcRefused, match="second factor"):
            desk.login.start(link_to=who)


def test_an_account_belongs_to_one_person_t17(desk, ada: Principal) -> None:
    desk.arrive(link_to=ada)
    eve = Principal(kind="person", name="eve", proof="session", strong=True)
    assert refused(desk, lambda: desk.arrive(link_to=eve)) == "oidc.linked_elsewhere"
    assert desk.arrive().principal.name == "ada"


def test_who_was_ended_here_does_not_come_in_from_there(desk, ada: Principal) -> None:
    desk.arrive(link_to=ada)
    desk.ended.add("ada")
    assert refused(desk, desk.arrive) == "oidc.not_admitted"


def test_who_may_not_sign_in_is_not_linked_either(desk, ada: Principal) -> None:
    desk.ended.add("ada")
    assert refused(desk, lambda: desk.arrive(link_to=ada)) == "oidc.not_admitted"
    with desk.db.read() as tx:
        assert tx.run("SELECT * FROM oidc_accounts") == []


def test_an_unlinked_account_is_unknown_again(desk, ada: Principal) -> None:
    login = desk.made(unknown="refuse")
    desk.arrive(login, link_to=ada)
    login.unlink("ada", by=ada)
    assert refused(desk, lambda: desk.arrive(login)) == "oidc.not_linked"


def test_a_link_written_into_the_table_is_not_believed(desk, ada: Principal, db: Database) -> None:
    account = desk.arrive(link_to=ada).account
    with db.write() as tx:
        tx.run("UPDATE oidc_accounts SET person = :person WHERE account = :account", person="root", account=account)
    with pytest.raises(VerificationFailed):
        desk.arrive()
    assert desk.events()[-1] == ("oidc.login", "refused", "verification.failed")


def test_a_login_under_way_that_was_changed_is_not_believed(desk, db: Database) -> None:
    begun = desk.login.start()
    query = desk.provider.sign_in(begun.url)
    with db.write() as tx:
        tx.run("UPDATE oidc_logins SET sealed = :sealed", sealed=b"\0" * 80)
    with pytest.raises(VerificationFailed):
        desk.login.finish(query, begun.browser.reveal())


def test_two_providers_keep_their_accounts_apart_t04(open_desk) -> None:
    one, two = open_desk(), open_desk()
    assert one.arrive().principal.name != two.arrive().principal.name


# ---- what is kept, and what is written


def test_tables_and_ledger_hold_nothing_to_sign_in_with_and_no_name(desk, tmp_path, ada: Principal) -> None:
    desk.arrive(link_to=ada)
    begun = desk.login.start()
    secrets = {
        *parse_qs(urlsplit(begun.url).query)["state"],
        *parse_qs(urlsplit(begun.url).query)["nonce"],
        begun.browser.reveal(),
        desk.provider.subject,
        "ada@example.org",
        SECRET,
    }
    with desk.db.read() as tx:
        rows = repr(tx.run("SELECT * FROM oidc_logins")) + repr(tx.run("SELECT * FROM oidc_accounts"))
    files = b"".join(path.read_bytes() for path in (tmp_path / "ledger").rglob("*") if path.is_file())
    for secret in secrets:
        assert secret not in rows
        assert secret.encode() not in files


def test_without_the_ledger_nobody_comes_in(desk) -> None:
    begun = desk.login.start()
    query = desk.provider.sign_in(begun.url)
    desk.ledger.close()
    with pytest.raises(Exception, match="closed"):
        desk.login.finish(query, begun.browser.reveal())
    with desk.db.read() as tx:
        assert tx.run("SELECT * FROM oidc_accounts") == []


def test_a_provider_that_is_away_is_said_plainly_and_only_when_somebody_signs_in(open_desk) -> None:
    desk = open_desk()
    desk.provider.raw["/.well-known/openid-configuration"] = lambda: b""
    login = desk.made()  # making it asks nobody
    assert desk.provider.asked == []
    with pytest.raises(OidcUnavailable, match="Sign in with a password or a passkey") as error:
        login.start()
    assert (error.value.code, error.value.reason) == ("oidc.unavailable", "outbound.protocol")
    desk.provider.raw.clear()
    with pytest.raises(OidcUnavailable, match="a moment ago"):
        login.start()
    assert len(desk.provider.asked) == 1
    desk.clock.advance(timedelta(seconds=10))
    assert desk.arrive(login)  # and it recovers by itself


def test_a_provider_that_goes_away_in_between_is_a_failure_not_a_refusal(desk) -> None:
    begun = desk.login.start()
    query = desk.provider.sign_in(begun.url)
    desk.provider.raw["/token"] = lambda: b""
    with pytest.raises(OidcUnavailable):
        desk.login.finish(query, begun.browser.reveal())
    assert desk.events()[-1] == ("oidc.login", "failed", "outbound.protocol")


def test_description_and_keys_are_fetched_once_an_hour(desk) -> None:
    for _ in range(3):
        desk.arrive()
    assert desk.provider.asked.count("/.well-known/openid-configuration") == 1
    assert desk.provider.asked.count("/jwks") == 1
    desk.clock.advance(timedelta(hours=1))
    desk.arrive()
    assert desk.provider.asked.count("/jwks") == 2


def test_a_new_key_of_the_provider_is_found_and_bad_tokens_do_not_make_us_ask_all_the_time(desk) -> None:
    desk.arrive()
    desk.clock.advance(timedelta(minutes=2))
    fresh = RSAKey.generate_key(2048, parameters={"kid": "k2"})
    desk.provider.key, desk.provider.published = fresh, [fresh]
    assert desk.arrive()
    desk.provider.key = RSAKey.generate_key(2048, parameters={"kid": "k3"})
    before = desk.provider.asked.count("/jwks")
    for _ in range(3):
        assert refused(desk, desk.arrive) == "oidc.unknown_key"
    assert desk.provider.asked.count("/jwks") == before
