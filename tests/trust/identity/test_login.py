"""Signing in takes both halves, and says nothing to whoever lacks one."""

import secrets
import time
from datetime import timedelta

import pytest
from house import AWAY, HERE, WORDS, House, at_once

from sealwright.trust import (
    HashCost,
    LoginRefused,
    PasskeyAnswer,
    RecoveryCode,
    Secret,
    SignInBusy,
    TooManyTries,
    TotpCode,
)


def test_both_halves_right_make_a_session(house: House) -> None:
    house.person("ada", "security_officer", "auditor")
    new = house.sign_in()
    principal = house.identity.sessions.principal(new.id.reveal())
    assert (principal.kind, principal.name, principal.proof, principal.strong) == ("person", "ada", "session", True)
    assert principal.roles_in("credit") == {"security_officer", "auditor"}
    assert [entry.detail["outcome"] for entry in house.entries("login")] == ["done"]
    assert house.entries("login")[0].actor == house.audit.name_of("ada")


def refused(house: House, name: str, password: str, code: str) -> str:
    """What a stranger sees of a login that fails: everything but the ticket."""
    needed = house.identity.login.begin(name, Secret(password), source=HERE)
    options = dict(house.identity.login.passkey_options(needed.ticket.reveal()))
    options.pop("challenge")
    with pytest.raises(LoginRefused) as error:
        house.identity.login.complete(needed.ticket.reveal(), TotpCode(code), source=HERE)
    return f"{needed.expires_at} {len(needed.ticket.reveal())} {options} {error.value} {error.value.status}"


def test_every_way_to_fail_looks_the_same_t06(house: House) -> None:
    house.person("ada")
    house.person("bob")
    house.person("cy")
    house.identity.accounts.lock("bob", by="ada", reason="the laptop was stolen")
    del house.enrolled["cy"]
    house.enrolled["dora"] = house.enrolled["ada"]  # enrolled, but without an account
    house.clock.advance(timedelta(minutes=5))
    seen = {
        refused(house, name, password, code)
        for name, password, code in [
            ("ada", "wrong wrong wrong", "000000"),
            ("ada", WORDS, "000000"),
            ("bob", WORDS, house.code("bob", fresh=False)),
            ("cy", WORDS, house.code("cy", fresh=False)),
            ("dora", WORDS, "000000"),
            ("nobody", WORDS, "000000"),
            ("ada", "x" * 100_000, "000000"),
            ("Not A Name\u202e", WORDS, "123"),
            ("", "", ""),
        ]
    }
    assert len(seen) == 1


def test_the_password_is_no_oracle_even_when_it_is_right_t06(house: House) -> None:
    house.person()
    good = house.identity.login.begin("ada", Secret(WORDS), source=AWAY)
    bad = house.identity.login.begin("ada", Secret("wrong wrong wrong"), source=AWAY)
    assert type(good) is type(bad)
    assert good.expires_at == bad.expires_at
    with house.db.read() as tx:
        rows = tx.run("SELECT LENGTH(payload) AS n, purpose, bound FROM identity_challenges WHERE purpose = 'login'")
    assert {(row["purpose"], row["bound"]) for row in rows} == {("login", "")}


def test_200_tries_are_throttled_and_the_right_one_among_them_gains_nothing_t06(house: House) -> None:
    house.person()
    throttled = 0
    for n in range(200):
        try:
            house.begin(password=WORDS if n == 150 else f"guess number {n}")
        except TooManyTries:
            throttled += 1
    assert throttled == 180
    with pytest.raises(TooManyTries) as refusal:
        house.begin()
    assert (refusal.value.status, refusal.value.retry_after >= 1) == (429, True)
    assert len(house.entries("login")) <= 2 * house.rules.flood_per_source + 1


CASES = {"unknown": ("nobody", WORDS), "wrong": ("ada", "wrong wrong wrong"), "right": ("ada", WORDS)}
PROOFS = {
    "a code": TotpCode("000000"),
    "a recovery code": RecoveryCode("aaaa-bbbb-cccc-dddd"),
    "a passkey": PasskeyAnswer({}),
}


@pytest.mark.slow
@pytest.mark.parametrize("proof", PROOFS.values(), ids=PROOFS)
def test_the_time_of_an_answer_does_not_tell_who_exists_or_which_half_was_right_t06(house: House, proof) -> None:
    """Two-sample Kolmogorov-Smirnov test over the times of both halves, the cases in turns."""
    from scipy.stats import ks_2samp

    cost = HashCost(algorithm="argon2id", passes=2, memory_kib=1024, lanes=1)
    house.identity = house.opened(cost=cost, cost_floor=cost)
    house.person()
    began: dict[str, list[float]] = {case: [] for case in CASES}
    ended: dict[str, list[float]] = {case: [] for case in CASES}
    for n in range(80):
        for case in sorted(CASES, key=lambda _: secrets.randbits(32)):
            name, password = CASES[case]
            source = f"198.{n}.{secrets.randbelow(250)}.{secrets.randbelow(250)}"
            start = time.perf_counter()
            ticket = house.identity.login.begin(name, Secret(password), source=source).ticket.reveal()
            began[case].append(time.perf_counter() - start)
            start = time.perf_counter()
            with pytest.raises(LoginRefused):
                house.identity.login.complete(ticket, proof, source=source)
            ended[case].append(time.perf_counter() - start)
    for times in (began, ended):
        for one, other in (("unknown", "wrong"), ("unknown", "right"), ("wrong", "right")):
            assert ks_2samp(times[one], times[other]).pvalue > 1e-4, (one, other)


def test_unknown_people_cost_a_hash_t06(house: House) -> None:
    """The same as above without a clock: the work is counted."""
    house.person()
    import sealwright.trust.identity.password_hash as module

    derive, costs = module._derive, []

    def counted(password: bytes, salt: bytes, cost: HashCost) -> bytes:
        costs.append(cost)
        return derive(password, salt, cost)

    module._derive = counted  # type: ignore[assignment]
    try:
        for name, password in [
            ("ada", WORDS),
            ("ada", "wrong wrong wrong"),
            ("nobody", WORDS),
            ("?", ""),
            ("ada", "y" * 9999),
        ]:
            house.begin(name, password)
    finally:
        module._derive = derive
    assert costs == [house.rules.cost] * 5


def test_strangers_cannot_lock_a_person_out(house: House) -> None:
    """Thirty networks guess passwords and codes of one account for an hour; the person signs in, from a new browser."""
    house.person()
    for n in range(30):
        source = f"198.51.100.{n}"
        house.clock.advance(timedelta(minutes=2))
        ticket = house.begin(password=f"guess number {n}", source=source)
        for code in ("000000", "111111", "222222"):
            with pytest.raises(LoginRefused):
                house.identity.login.complete(ticket, TotpCode(code), source=source)
    assert house.alive(house.cookie())


def test_who_knows_the_password_cannot_try_codes_without_end_t07(house: House) -> None:
    house.person()
    house.identity = house.opened(flood_per_source=1_000, flood_in_all=10_000)  # so that the ledger has every try
    for n in range(12):
        source = f"198.51.100.{n}"
        ticket = house.begin(source=source)
        for _ in range(5):
            with pytest.raises(LoginRefused):
                house.identity.login.complete(ticket, TotpCode("000000"), source=source)
    reasons = house.reasons("login")
    assert reasons.count("identity.wrong_factor") == house.rules.per_account.free
    assert reasons.count("identity.too_many_tries") == 60 - house.rules.per_account.free
    right = house.begin(source=AWAY)
    with pytest.raises(LoginRefused):  # not even the right code, now: it could be luck
        house.identity.login.complete(right, TotpCode(house.code(fresh=False)), source=AWAY)


def test_a_known_browser_and_a_recovery_code_pass_where_an_account_is_under_attack(house: House) -> None:
    house.person()
    ticket = house.begin()
    known = house.identity.login.complete(ticket, TotpCode(house.code()), source=AWAY).device.reveal()
    for n in range(20):
        ticket = house.begin(source=f"198.51.100.{n}")
        with pytest.raises(LoginRefused):
            house.identity.login.complete(ticket, TotpCode("000000"), source=AWAY)
    ticket = house.begin(device=known)
    assert house.identity.login.complete(ticket, TotpCode(house.code()), source=AWAY, device=known).new
    ticket = house.begin(source="203.0.113.9")
    assert house.identity.login.complete(ticket, RecoveryCode(house.codes["ada"][0]), source="203.0.113.9").new


def test_a_known_browser_is_not_held_up_by_its_network(house: House) -> None:
    house.person()
    known = house.identity.login.complete(house.begin(), TotpCode(house.code()), source=AWAY).device.reveal()
    with pytest.raises(TooManyTries):
        for n in range(100):
            house.begin(name=f"person{n}")
    assert house.identity.login.complete(house.begin(device=known), TotpCode(house.code()), source=AWAY, device=known)
    with pytest.raises(TooManyTries):  # the cookie of another account is worth nothing
        for _ in range(100):
            house.begin(name="bob", device=known)


def test_a_login_does_not_forgive_a_network_its_guesses(house: House) -> None:
    """Else a thief with an account of their own could guess others' without end."""
    house.person()
    for n in range(15):
        house.begin(name="bob", password=f"guess number {n}")
    house.sign_in()
    with pytest.raises(TooManyTries):
        for n in range(10):
            house.begin(name="bob", password=f"other guess {n}")


def test_a_ticket_works_for_five_minutes_five_tries_and_one_session(house: House) -> None:
    house.person()
    ticket = house.begin()
    for _ in range(5):
        with pytest.raises(LoginRefused):
            house.identity.login.complete(ticket, TotpCode("000000"), source=AWAY)
    with pytest.raises(LoginRefused):
        house.identity.login.complete(ticket, RecoveryCode(house.codes["ada"][0]), source=AWAY)
    house.clock.advance(timedelta(hours=3))
    late = house.begin()
    house.clock.advance(timedelta(minutes=5))
    with pytest.raises(LoginRefused):
        house.identity.login.complete(late, TotpCode(house.code()), source=AWAY)
    once = house.begin()
    house.identity.login.complete(once, TotpCode(house.code()), source=AWAY)
    with pytest.raises(LoginRefused):
        house.identity.login.complete(once, TotpCode(house.code()), source=AWAY)


@pytest.mark.parametrize("ticket", ["", "x", "' OR 1=1 --", "\x00", "é" * 99])
def test_an_invented_ticket_is_refused(house: House, ticket: str) -> None:
    with pytest.raises(LoginRefused):
        house.identity.login.complete(ticket, TotpCode("000000"), source=AWAY)
    with pytest.raises(LoginRefused):
        house.identity.login.passkey_options(ticket)


def test_whoever_is_locked_or_leaves_between_the_halves_does_not_get_in(house: House) -> None:
    house.person("ada")
    ticket = house.begin()
    house.identity.accounts.lock("ada", by="root", reason="left the company")
    with pytest.raises(LoginRefused):
        house.identity.login.complete(ticket, TotpCode(house.code()), source=AWAY)
    house.identity.accounts.unlock("ada", by="root")
    ticket = house.begin()
    grants = house.enrolled.pop("ada")
    with pytest.raises(LoginRefused):
        house.identity.login.complete(ticket, TotpCode(house.code()), source=AWAY)
    house.enrolled["ada"] = grants
    assert house.alive(house.cookie())


def test_what_stood_in_the_ledger_before_says_why(house: House) -> None:
    house.person()
    house.begin(name="nobody")
    house.begin(password="wrong wrong wrong")
    house.identity.accounts.lock("ada", by="root", reason="left the company")
    house.begin()
    assert house.reasons("login") == ["identity.unknown_person", "identity.wrong_password", "identity.barred"]


def test_a_password_row_of_another_person_opens_nothing_and_raises_an_alarm(house: House) -> None:
    """Somebody with the database, but not the key, copies the hash of a password they know."""
    house.person("ada")
    house.person("eve", "auditor", password="eve knows this one well")
    with house.db.write() as tx:
        tx.run(
            "UPDATE identity_accounts SET password = (SELECT password FROM identity_accounts WHERE name = 'eve') WHERE name = 'ada'"
        )
    ticket = house.begin(password="eve knows this one well")
    with pytest.raises(LoginRefused):
        house.identity.login.complete(ticket, TotpCode(house.code("ada")), source=AWAY)
    assert house.reasons("alert.raise") == ["identity.row_changed"]


def test_a_dearer_cost_reaches_a_hash_at_the_next_login(house: House) -> None:
    house.person()
    dearer = HashCost(algorithm="argon2id", passes=2, memory_kib=128, lanes=1)
    house.identity = house.opened(cost=dearer)
    house.sign_in()
    with house.db.read() as tx:
        account = house.identity.accounts.read(tx, "ada")
    assert account is not None
    assert "m=128,t=2" in account.password
    assert len(house.entries("password.rehash")) == 1


def test_the_fips_profile_signs_in_too(house: House) -> None:
    from sealwright.trust import PBKDF2

    house.identity = house.opened(cost=PBKDF2, cost_floor=PBKDF2)
    house.person()
    assert house.alive(house.cookie())


def test_when_the_ledger_cannot_be_written_nobody_signs_in(house: House) -> None:
    house.person()
    ticket = house.begin()
    house.ledger.close()
    with pytest.raises(Exception, match="closed"):
        house.identity.login.complete(ticket, TotpCode(house.code()), source=AWAY)
    with house.db.read() as tx:
        assert tx.run("SELECT * FROM identity_sessions") == []


def test_a_busy_server_says_so_and_counts_no_try(house: House) -> None:
    house.person()
    house.identity = house.opened(hash_queue=0, hash_wait=timedelta(milliseconds=10))
    hasher = house.identity.login._hasher
    with hasher._a_slot(), hasher._a_slot():
        for _ in range(50):
            with pytest.raises(SignInBusy):
                house.begin()
    assert house.begin()


def test_many_at_once_all_get_in(house: House) -> None:
    names = [house.person(f"person{n}", "auditor") for n in range(6)]
    tickets = {name: house.begin(name) for name in names}
    codes = {name: house.code(name, fresh=False) for name in names}
    house.clock.advance(timedelta(seconds=30))
    codes = {name: house.code(name, fresh=False) for name in names}
    done = at_once(
        [lambda n=name: house.identity.login.complete(tickets[n], TotpCode(codes[n]), source=AWAY) for name in names]
    )
    assert [one.new.session.name for one in done] == names
