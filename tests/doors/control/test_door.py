"""Nobody comes in unknown, unmeant or without a permission, and every no is on record. Each over a real connection."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from control_house import UNSAFE, address, table
from fastapi import FastAPI
from people_house import people_table

from sealwright.doors.control.router import PUBLIC, Access, ControlRouter, RouteUnprotected, refuse_other_routes

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(autouse=True)
def _alive_after(control: Any) -> Iterator[None]:
    yield
    assert control.ask("GET", "/health/live").status == 200


# ---- known at all


def test_the_public_addresses_are_these_and_no_more_t13() -> None:
    """Whoever adds one changes this list, and somebody reads the change."""
    assert {
        "GET /",
        "GET /health/live",
        "GET /health/ready",
        "GET /static/{name}",
        "GET /.well-known/security.txt",
        "GET /enrol/{token}",
        "POST /enrol/{token}",
        "GET /login",
        "POST /login",
        "POST /login/second",
        "GET /login/provider",
        "GET /login/provider/back",
        "POST /oauth/token",
        "POST /oauth/introspect",
        "POST /oauth/revoke",
        "GET /oauth/jwks.json",
        "GET /.well-known/oauth-authorization-server",
    } == PUBLIC
    assert {one.name for one in [*table(), *people_table()] if one.open_to == "anyone"} == PUBLIC


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_stranger_gets_the_same_refusal_everywhere_t13(control: Any, accept: str) -> None:
    """Crawled from the router and from OpenAPI; an address that does not exist says nothing else."""
    document = control.program("GET", "/api/v1/openapi.json").json
    described = {
        (method.upper(), path.replace("{project}", "credit").replace("{index}", "0").replace("{artefact}", "a.txt"))
        for path, methods in document["paths"].items()
        for method in methods
    }
    from_table = {(one.method, address(one)) for one in table()}
    assert {one for one in from_table if one[1].startswith("/api/")} <= described
    public = {tuple(name.split(" ")) for name in PUBLIC}
    unknown = {(method, path) for method in ("GET", *UNSAFE) for path in ("/nothing", "/projects", "/admin/users")}
    bodies: dict[bool, set[bytes]] = {True: set(), False: set()}
    for method, path in sorted(from_table | described | unknown):
        if (method, path) in public or path.startswith("/static/"):
            continue
        reply = control.ask(method, path, b"" if method != "GET" else None, {"Accept": accept})
        assert reply.status == 401, (method, path, reply.status)
        bodies[path.startswith("/api/")].add(reply.body)
    assert [len(found) for found in bodies.values()] == [1, 1]


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "TRACE", "PROPFIND"])
def test_other_methods_tell_a_stranger_nothing_t13(control: Any, method: str) -> None:
    assert control.ask(method, "/ledger").status == 401


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer x", "Bearer a.b.c", "Bearer " + "A" * 9000, "Bearer eyJhbGciOiJub25lIn0.e30.", "Negotiate x"],
)  # fmt: skip
def test_what_is_no_token_is_nobody(control: Any, value: str) -> None:
    assert control.ask("GET", "/api/v1/me", None, {"Authorization": value}).status == 401


def test_a_token_for_predictions_opens_nothing_here(control: Any, place: Any) -> None:
    from datetime import UTC, datetime, timedelta

    from sealwright.pipeline import open_workspace
    from sealwright.serving import token_audience, token_issuer
    from sealwright.trust import KeyFile, issue_token

    with open_workspace(place.home, KeyFile(place.key)) as workspace:
        token = issue_token(
            workspace.keyring.signer("tokens"), issuer=token_issuer(place.id), audience=token_audience(place.id),
            subject="till-1", scopes=["control:ledger.read"], lifetime=timedelta(hours=1), now=datetime.now(UTC),
        )  # fmt: skip
    assert control.ask("GET", "/api/v1/ledger", None, {"Authorization": f"Bearer {token}"}).status == 401


def test_a_cookie_is_no_proof_for_the_api_and_none_beside_a_token(control: Any) -> None:
    cookie = {"Cookie": control.cookies["cara"]}
    assert control.ask("GET", "/api/v1/me", None, cookie).status == 401
    both = control.ask("GET", "/ledger", None, cookie | {"Authorization": "Bearer x"})
    assert (both.status, b"one proof, not two" in both.body) == (400, True)
    assert control.program("GET", "/api/v1/me", **cookie).status == 400  # each good by itself
    assert control.ask("GET", "/ledger", None, cookie).status == 200


# ---- meant by its sender


def _sent(control: Any, method: str, path: str, token: str, *, json: bool, **headers: str) -> int:
    body = b"{}" if json else f"form_token={token}".encode()
    kind = {"Content-Type": "application/json", "X-Form-Token": token} if json else _FORM
    usual = {"Cookie": control.cookies["ada"], "Origin": control.origin, "Sec-Fetch-Site": "same-origin", **kind}
    given = {name: value for name, value in (usual | headers).items() if value}
    status: int = control.ask(method, path, body, given).status
    return status


@pytest.mark.parametrize("json", [True, False], ids=["json", "form"])
@pytest.mark.parametrize(
    "access", [one for one in table() if one.method in UNSAFE and one.kind == "page"], ids=lambda one: one.name
)
def test_no_other_site_changes_anything_t10(control: Any, access: Access, json: bool) -> None:
    """Every unsafe route that takes cookies, from the router itself: DELETE and PATCH, too."""
    path, person = address(access), "ada" if "project" in access.path else "cara"
    token = control.form_token(person)
    cookie = {"Cookie": control.cookies[person]}
    before = control.program("GET", "/api/v1/changes").json

    def sent(shown: str = token, **headers: str) -> int:
        return _sent(control, access.method, path, shown, json=json, **(cookie | headers))

    assert sent(Origin="https://evil.example") == 403
    assert sent(Origin="null") == 403
    assert sent(Origin=f"http://localhost:{control.port}") == 403
    assert sent(Origin="https://localhost") == 403  # another port is another origin
    assert sent(Origin=f"https://localhost:{control.port}.evil.example") == 403
    assert sent(**{"Sec-Fetch-Site": "cross-site"}) == 403
    assert sent(**{"Sec-Fetch-Site": "same-site"}) == 403
    assert sent(**{"Sec-Fetch-Site": "none"}) == 403
    assert sent(Origin="", **{"Sec-Fetch-Site": ""}) == 403  # says nothing at all
    assert sent("") == 403
    assert sent("x" * 43) == 403
    assert sent(control.form_token("eve" if person == "ada" else "ada")) == 403  # another session's token
    assert control.program("GET", "/api/v1/changes").json == before
    assert sent() == 200
    assert sent(Origin="") == 200  # Sec-Fetch-Site alone says where from
    assert sent(**{"Sec-Fetch-Site": ""}) == 200  # and so does Origin


def test_every_unsafe_route_is_in_one_of_the_two_tests_t10() -> None:
    unsafe = [one for one in table() if one.method not in ("GET", "HEAD", "OPTIONS")]
    assert {one.method for one in unsafe} == set(UNSAFE)
    assert all(one.kind in ("page", "api") and one.open_to != "anyone" for one in unsafe)


@pytest.mark.parametrize(
    "access", [one for one in table() if one.method in UNSAFE and one.kind == "api"], ids=lambda one: one.name
)
def test_the_api_takes_no_cookie_and_no_other_origin_t10(control: Any, access: Access) -> None:
    path, body = address(access), b'{"name": "x"}'
    for person in ("ada", "cara"):
        token = control.form_token(person)
        headers = {"Cookie": control.cookies[person], "Content-Type": "application/json", "X-Form-Token": token}
        assert control.ask(access.method, path, body, headers | {"Origin": control.origin}).status == 401
    assert control.program(access.method, path, body, Origin="https://evil.example").status == 403
    assert control.program(access.method, path, body).status == 200


# ---- allowed


def test_who_may_not_is_told_so_and_who_is_foreign_is_told_nothing_t14(control: Any) -> None:
    """A project of others and one that does not exist look the same, on every route with a project in it."""
    assert control.browser("ada", "/projects/credit").status == 200
    assert control.browser("cara", "/projects/other").status == 200  # every project
    for access in [one for one in table() if "{project}" in one.path and one.kind == "page"]:
        token = control.form_token("ada")
        replies = []
        for project in ("other", "missing"):
            path = access.path.replace("{project}", project)
            body = None if access.method == "GET" else f"form_token={token}".encode()
            headers = {"Cookie": control.cookies["ada"], "Origin": control.origin, **_FORM}
            replies.append(control.ask(access.method, path, body, headers))
        assert {(reply.status, reply.body) for reply in replies} == {(404, replies[0].body)}, access.name
        assert "nothing here" in replies[0].body.decode()
    unknown = control.browser("ada", "/no/such/page", Accept="application/json")
    assert unknown.body == replies[0].body  # not even an address of ours
    assert control.browser("ada", "/ledger").status == 403


def test_a_token_may_do_what_its_scopes_name(control: Any) -> None:
    assert control.program("GET", "/api/v1/ledger").status == 200
    weak = {"Authorization": f"Bearer {control.place.weak_token}"}
    for access in [one for one in table() if one.action and one.kind == "api"]:
        status = control.ask(
            access.method,
            address(access),
            b"{}" if access.method != "GET" else None,
            weak | {"Content-Type": "application/json"},
        ).status
        assert status == (404 if "{project}" in access.path else 403), access.name


def test_a_field_too_many_is_refused_t16(control: Any) -> None:
    assert control.program("POST", "/api/v1/things", b'{"name": "x"}').json == {"name": "x", "count": 0}
    for field in ("role", "stage", "approved_by", "tenant", "__proto__"):
        reply = control.program("POST", "/api/v1/things", f'{{"name": "x", "{field}": "admin"}}'.encode())
        assert reply.status == 400
        assert b"admin" not in reply.body


# ---- for a name of ours


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "169.254.169.254",
        "",
        "localhost@evil",
        "LOCALHOST.",
        "[::2]",
        "0.0.0.0",
    ],
)
def test_another_host_name_is_not_ours_t11(control: Any, host: str) -> None:
    """DNS rebinding: a page of evil.example reaches our port, and still names itself."""
    cookie = control.cookies["cara"]
    answer = control.raw(f"GET /ledger HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n".encode())
    assert answer.startswith((b"HTTP/1.1 421", b"HTTP/1.1 400")), answer[:100]
    assert b"connection: close" in answer.lower()


# ---- on record


def test_every_refusal_is_an_entry_with_its_request(new_place: Any, start: Any) -> None:
    place = new_place()
    with start(place) as control:
        token = control.form_token("ada")
        asked = {
            ("ledger.read", "control.login_needed"): control.ask("GET", "/ledger"),
            ("request", "control.login_needed"): control.ask("GET", "/nowhere"),
            ("project.change", "control.cross_site"): control.ask(
                "DELETE",
                "/projects/credit/things",
                None,
                {"Cookie": control.cookies["ada"], "Origin": "https://evil.example"},
            ),
            ("project.change", "control.form_token"): control.ask(
                "PATCH", "/projects/credit/things", None, {"Cookie": control.cookies["ada"], "Origin": control.origin}
            ),
            ("project.view", "tests.no_role"): control.browser("eve", "/projects/credit"),
            ("workspace.view", "tests.no_role"): control.browser("eve", "/keys"),
            ("request", "http.misdirected"): control.ask("GET", "/", None, {"Host": "evil.example"}),
        }
        assert token
        before = len(place.refusals())
        assert control.browser("cara", "/ledger").status == 200
        assert len(place.refusals()) == before  # what was allowed to read is no refusal
    found = {(one.action, one.detail["reason"]): one for one in place.refusals()}
    for key, reply in asked.items():
        entry = found[key]
        assert entry.detail["outcome"] == "refused"
        assert entry.detail["request"] == reply.headers["x-request-id"]
        assert entry.detail["source"].startswith("sub_")
    assert found[("project.view", "tests.no_role")].actor.startswith("sub_")
    text = b"".join(one.leaf for one in place.refusals())
    assert b"127.0.0.1" not in text
    assert b"eve" not in text


def test_a_flood_of_refusals_is_counted_instead_of_filling_the_disk(new_place: Any, start: Any) -> None:
    place = new_place()
    with start(place) as control, contextlib.closing(control.connect()) as link:
        one = b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for _ in range(500):
            link.sendall(one)
            while b"login_needed" not in link.recv(65_536):
                continue
    entries = place.refusals()
    assert len(entries) == 301
    assert (entries[-1].detail["reason"], entries[-1].detail["count"]) == ("control.flood", 200)


# ---- a route without protection


@pytest.mark.parametrize(
    "access",
    [
        {},
        {"action": "ledger.read", "open_to": "logged_in"},
        {"open_to": "everyone"},
        {"open_to": "anyone"},
        {"action": "Ledger Read"},
    ],
)
def test_a_route_that_does_not_say_what_it_needs_does_not_start(access: dict[str, Any]) -> None:
    routes = ControlRouter()
    routes.add("GET", "/new", lambda: None, kind="page", **access)
    with pytest.raises(RouteUnprotected):
        routes.build_into(FastAPI(openapi_url=None, docs_url=None, redoc_url=None))


def test_a_route_beside_the_table_does_not_start() -> None:
    for add in (
        lambda app: app.get("/open")(lambda: None),
        lambda app: app.mount("/files", FastAPI()),
        lambda app: app.websocket("/socket")(lambda _: None),
    ):
        app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        add(app)
        with pytest.raises(RouteUnprotected):
            refuse_other_routes(app)
    with pytest.raises(RouteUnprotected):
        refuse_other_routes(FastAPI())  # its own documentation pages
