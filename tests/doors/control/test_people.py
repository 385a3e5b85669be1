"""People come in: from the link on the terminal to a session that is over. A real server, real TLS, forms as browsers send them."""

import re
from typing import Any

import pytest
from people_house import WORDS, Bank, Browser, field, options_in, people_table
from soft_authenticator import SoftAuthenticator

UNSAFE = [one for one in people_table() if one.method != "GET" and one.kind == "page"]
SESSION = "__Host-session"


def test_the_whole_way_of_the_first_person_t09_t12(tmp_path: Any) -> None:
    """Nobody is enrolled: the link makes the administrator; then log in, look, prove again, log out, and the cookie is dead."""
    with Bank(tmp_path / "home", people=False).running("--first", "ada") as bank:
        assert bank.join("ada", bank.first_link).headers["cache-control"] == "no-store"
        assert bank.browser().get(bank.first_link).status_code == 403  # once
        browser = bank.browser()
        browser.http.cookies.set(SESSION, "planted" * 6, domain="localhost.local")
        page = browser.begin("ada", to="/account")
        used = bank.fresh_code("ada")
        done = browser.second(page, code=used)
        assert (done.status_code, done.headers["location"]) == (303, "/account")
        header = next(one for one in done.headers.get_list("set-cookie") if one.startswith(SESSION))
        assert all(word in header for word in ("HttpOnly", "Secure", "Path=/", "SameSite=lax"))
        first = browser.cookies[SESSION]
        assert first != "planted" * 6
        account = browser.get("/account")
        assert "administrator" in account.text
        other = bank.browser()
        assert other.second(other.begin("ada"), code=used).status_code == 401  # a code counts once
        step = browser.get("/step-up?next=/keys")
        proven = browser.send(step, "/step-up", {"code": bank.fresh_code("ada"), "next": field(step, "next")})
        assert (proven.status_code, proven.headers["location"]) == (303, "/keys")
        second = browser.cookies[SESSION]
        assert second != first
        assert _with(bank, first).get("/account").status_code == 401
        assert browser.get("/keys").status_code == 200
        assert browser.send(browser.get("/account"), "/logout").status_code == 303
        assert _with(bank, second).get("/account").status_code == 401
        assert browser.get("/account").status_code == 401
    done_actions = [one.action for one in bank.ledger() if one.detail.get("outcome") == "done"]
    assert [one for one in done_actions if one in ("enrol.link", "enrol.use", "login", "step_up", "logout")] == [
        "enrol.link", "enrol.use", "login", "step_up", "logout",
    ]  # fmt: skip
    with bank.running():
        assert bank.first_link == ""  # there is an account now


def _with(bank: Bank, cookie: str) -> Browser:
    browser = bank.browser()
    browser.http.headers["cookie"] = f"{SESSION}={cookie}"
    return browser


def test_everything_wrong_reads_the_same_t07(bank: Bank) -> None:
    """A name nobody has, a wrong password, a wrong code: neither half says which."""
    pages, refusals = set(), set()
    for name, password in (("nobody", WORDS), ("cara", "wrong horse battery staple"), ("cara", WORDS), ("<b>", "x")):
        browser = bank.browser()
        first = browser.begin(name, password)
        pages.add((first.status_code, re.sub(r'(value|data-options)="[^"]*"', "", first.text)))
        second = browser.second(first, code="000000")
        refusals.add((second.status_code, re.sub(r'value="[^"]*"', "", second.text)))
    assert len(pages) == len(refusals) == 1
    assert refusals.pop()[0] == 401


# ---- meant by its sender, and nothing more than asked for


@pytest.mark.parametrize("access", UNSAFE, ids=lambda one: one.name)
def test_no_other_site_sends_a_form_of_ours_t10(bank: Bank, access: Any) -> None:
    """Every unsafe page route of accounts, from the router itself, with and without a session."""
    path = access.path.replace("{token}", "x" * 43)
    browser = _ada(bank)
    visitor = access.open_to == "anyone"
    page = browser.get("/login" if visitor else "/account")
    token = field(page, "form_token")
    good = {"origin": bank.base, "sec-fetch-site": "same-origin"}

    def sent(shown: str | None, **headers: str) -> int:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = browser.http.post(path, data={"form_token": shown} if shown is not None else {}, headers=good | given)
        code: int = answer.status_code
        return code

    assert sent(token, origin="https://evil.example") == 403
    assert sent(token, origin="null") == 403
    assert sent(token, sec_fetch_site="cross-site") == 403
    assert sent(token, sec_fetch_site="same-site") == 403
    assert sent(None) == 403
    assert sent("x" * 43) == 403
    other = bank.browser()
    assert sent(field(other.get("/login"), "form_token")) == 403  # of another browser's visit
    assert browser.get("/account").status_code == 200
    as_json = browser.http.post(path, json={"form_token": token}, headers=good)
    assert as_json.status_code in (403, 415)


@pytest.mark.parametrize("access", UNSAFE, ids=lambda one: one.name)
def test_a_field_too_many_is_refused_and_nothing_happens_t16(bank: Bank, access: Any) -> None:
    """Mass assignment: every form of accounts, from the router itself."""
    browser, path = _ada(bank), access.path.replace("{token}", "x" * 43)
    page = browser.get("/login" if access.open_to == "anyone" else "/account")
    before = len(bank.ledger())
    for extra in ("role", "grants", "strong", "name__", "locked", "by"):
        answer = browser.send(page, path, {extra: "administrator"})
        assert answer.status_code == 400, (access.name, answer.text)
        assert "administrator" not in answer.text.partition("<main")[2]
    assert len(bank.ledger()) == before
    assert browser.get("/account").status_code == 200


_KEPT: dict[int, Browser] = {}


def _ada(bank: Bank) -> Browser:
    """One session of ada for all of these."""
    if id(bank) not in _KEPT or _KEPT[id(bank)].get("/account").status_code != 200:
        _KEPT[id(bank)] = bank.signed_in("ada")
    return _KEPT[id(bank)]


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "/a/../b", "javascript:alert(1)", '"><script>']
)
def test_after_the_login_one_stays_here(bank: Bank, to: str) -> None:
    page = bank.browser().get("/login", params={"next": to})
    assert 'name="next" value="/"' in page.text
    assert "evil.example" not in page.text
    assert "<script>" not in page.text
    assert "Example &lt;b&gt;Bank" in page.text


def test_a_stranger_reaches_no_page_of_an_account_t13(bank: Bank) -> None:
    bodies = set()
    for access in people_table():
        if access.open_to != "anyone":
            answer = bank.browser().http.request(access.method, access.path)
            assert answer.status_code == 401, access.name
            bodies.add(answer.text)
    assert len(bodies) == 1


def test_a_session_and_a_token_are_never_taken_together(bank: Bank) -> None:
    browser = _ada(bank)
    assert browser.get("/account", headers={"authorization": "Bearer x"}).status_code == 400
    assert browser.get("/api/v1/me", headers={"authorization": "Bearer x"}).status_code == 400
    assert browser.get("/api/v1/me").status_code == 401  # and by itself a cookie is no proof for programs


# ---- what one signs in with


def test_passkeys_are_added_used_and_taken_away(bank: Bank) -> None:
    key = SoftAuthenticator(origin=bank.base)
    browser = bank.signed_in("cara")
    page = browser.get("/account/passkey")
    assert re.search(r'<script src="/static/passkey-[0-9a-f]{16}.js" integrity="sha384-', page.text)
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "script-src" not in browser.get("/account").headers["content-security-policy"]
    answer = _json(key.make(options_in(page)))
    assert browser.send(page, "/account/passkey", {"answer": answer, "label": "<i>laptop</i>"}).status_code == 303
    assert browser.send(page, "/account/passkey", {"answer": answer, "label": "again"}).status_code == 422
    account = browser.get("/account")
    assert "&lt;i&gt;laptop" in account.text
    again = bank.browser()
    second = again.begin("cara")
    assert again.second(second, answer="[1, 2").status_code == 401
    assert again.second(second, answer=_json(key.get(options_in(second)))).status_code == 303
    assert again.second(second, answer=_json(key.get(options_in(second)))).status_code == 403  # that visit is over
    gone = again.get("/account")
    assert again.send(gone, "/account/app/remove").status_code == 303
    last = again.send(gone, "/account/passkey/remove", {"passkey": field(gone, "passkey")})
    assert last.status_code == 422
    assert "only second factor" in last.text
    offer = again.get("/account/app")
    bank.apps["cara"] = "".join(re.findall(r"<span>([A-Z2-7]{4})</span>", offer.text))
    wrong = again.send(offer, "/account/app", {"ticket": field(offer, "ticket"), "code": "1"})
    assert wrong.status_code == 422
    bank.last_step.pop("cara", None)
    code = bank.fresh_code("cara")
    assert again.send(wrong, "/account/app", {"ticket": field(wrong, "ticket"), "code": code}).status_code == 303
    assert again.send(gone, "/account/passkey/remove", {"passkey": field(gone, "passkey")}).status_code == 303


def _json(value: Any) -> str:
    import json

    return json.dumps(value)


def test_a_changed_password_ends_every_other_session_t09(bank: Bank) -> None:
    mine = bank.signed_in("cara")
    page = mine.get("/account")
    codes = mine.send(page, "/account/codes")
    bank.codes["cara"] = re.findall(r"<li>([a-z2-7-]{19})</li>", codes.text)
    theirs, new = bank.browser(), "another lantern okapi 8"
    second = theirs.begin("cara")
    assert theirs.second(second, code=bank.fresh_code("cara")).status_code == 303
    assert mine.get("/account").text.count("this one") == 1
    assert mine.get("/account").text.count("/account/sessions/end-others") == 1
    wrong = mine.send(page, "/account/password", {"old": "not it at all", "new": new, "again": new})
    assert (wrong.status_code, "not right" in wrong.text) == (422, True)
    differ = mine.send(page, "/account/password", {"old": WORDS, "new": new, "again": "x"})
    assert differ.status_code == 422
    weak = mine.send(page, "/account/password", {"old": WORDS, "new": "short", "again": "short"})
    assert weak.status_code == 422
    assert theirs.get("/account").status_code == 200
    assert mine.send(page, "/account/password", {"old": WORDS, "new": new, "again": new}).status_code == 303
    assert theirs.get("/account").status_code == 401
    assert mine.get("/account").status_code == 200
    assert mine.send(page, "/account/password", {"old": new, "new": WORDS, "again": WORDS}).status_code == 303


def test_roles_are_those_of_the_enrolment_and_their_end_is_at_once_t12(bank: Bank) -> None:
    bank.join("dan", bank.link_for("dan"))
    auditor, administrator = bank.signed_in("dan"), _ada(bank)
    assert auditor.get("/ledger").status_code == 200
    assert administrator.get("/ledger").status_code == 403
    as_ada = ("--as", "ada", "--own-key", str(bank.root / "ada.key"))
    done = bank.command("people", "end", "dan", "--reason", "left the bank", *as_ada)
    assert done.returncode == 0, done.stderr
    assert auditor.get("/ledger").status_code == 401  # the very next click
    assert administrator.get("/account").status_code == 200


# ---- beside the server, and against it


def test_commands_record_while_the_server_runs_and_records_itself(bank: Bank) -> None:
    browser = _ada(bank)
    before = len(bank.ledger())
    for number in range(3):
        assert browser.get("/ledger").status_code == 403  # the policies record that
        wanted = ("--audience", "urn:till", "--scope", "till.read")
        done = bank.command("client", "add", f"till-{number}", *wanted, "--owner", "ops", "--to", f"s{number}")
        assert done.returncode == 0, done.stderr
    actions = [one.action for one in bank.ledger()[before:]]
    assert actions.count("client.register") == 3
    assert actions.count("ledger.read") == 3


def test_a_flood_of_logins_waits_and_does_not_fill_the_ledger_t08(tmp_path: Any) -> None:
    with Bank(tmp_path / "home").running() as bank:
        bank.join("ada", bank.first_link)
        before, browser, seen = len(bank.ledger()), bank.browser(), []
        page = browser.get("/login")
        for _ in range(60):
            answer = browser.send(page, "/login", {"name": "ada", "password": "wrong horse battery", "next": "/"})
            seen.append(answer.status_code)
        assert seen[:20] == [200] * 20
        assert seen[-1] == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["content-type"].startswith("text/html")
        assert len(bank.ledger()) - before <= 12
