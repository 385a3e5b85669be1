"""What an answer carries, whoever asked and whatever came out: headers, and nothing that helps an attacker."""

import re
from typing import Any

import pytest
from control_house import CANARY, UNSAFE, address, table

_TRACES = ("Traceback", 'File "', ".py", "/work/", "/usr/", "/tmp", "uvicorn", "starlette", "FastAPI", "Python", "site-packages", "RuntimeError", CANARY)  # fmt: skip


def every_answer(control: Any) -> list[tuple[str, Any]]:
    """Each route as a stranger, a person and a program, and the refusals that no route gives."""
    found = []
    for access in table():
        path = address(access)
        body = None if access.method == "GET" else b"{}"
        for headers in (
            {"Accept": "text/html"},
            {"Accept": "application/json"},
            {"Accept": "text/html", "Cookie": control.cookies["cara"], "Origin": control.origin},
            {"Cookie": control.cookies["ada"], "Origin": control.origin, "X-Form-Token": control.form_token("ada")},
            {"Authorization": f"Bearer {control.place.token}"},
        ):
            reply = control.ask(
                access.method, path, body, headers | ({"Content-Type": "application/json"} if body else {})
            )
            found.append((access.name, reply))
    found.append(("unknown", control.ask("GET", "/nowhere")))
    found.append(("unknown page", control.browser("cara", "/nowhere")))
    found.append(("other method", control.ask("DELETE", "/ledger", None, {"Cookie": control.cookies["cara"]})))
    found.append(("odd address", control.ask("GET", "/%2e%2e/x")))
    found.append(("other host", control.ask("GET", "/", None, {"Host": "evil.example", "Accept": "text/html"})))
    found.append(("other body", control.ask("POST", "/ledger/verify", b"x", {"Content-Type": "text/xml"})))
    return found


@pytest.fixture(scope="module")
def answers(control: Any) -> list[tuple[str, Any]]:
    return every_answer(control)


def test_every_answer_has_the_headers_t79_t80(answers: list[tuple[str, Any]]) -> None:
    assert len(answers) > 100
    for name, reply in answers:
        headers = reply.headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'"), name
        assert "frame-ancestors 'none'" in policy, name
        assert "unsafe" not in policy, name
        assert "script-src" not in policy, name
        assert headers["x-content-type-options"] == "nosniff", name
        assert headers["x-frame-options"] == "DENY", name
        assert headers["referrer-policy"] == "no-referrer", name
        assert headers["cross-origin-opener-policy"] == "same-origin", name
        assert headers["cross-origin-resource-policy"] == "same-origin", name
        assert headers["cross-origin-embedder-policy"] == "require-corp", name
        assert "camera=()" in headers["permissions-policy"], name
        assert headers["cache-control"] == "no-store", name
        assert re.fullmatch(r"req_[0-9a-f]{24}", headers["x-request-id"]), name
        assert "server" not in headers, name
        assert "x-powered-by" not in headers, name
        assert "set-cookie" not in headers, name


def test_only_static_files_may_be_kept_t79(control: Any) -> None:
    page = control.browser("cara", "/ledger").body.decode()
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(set(files)) == 2
    for file in files:
        reply = control.ask("GET", file)
        assert reply.status == 200
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert reply.headers["content-type"].startswith(("text/css", "image/svg"))
        assert control.ask("GET", f"{file}?x=1").body == reply.body
    for path in (
        "/static/console.css",
        "/static/x",
        "/static/ledger.html.j2",
        "/ledger/x.css",
        "/ledger;x.css",
        "/ledger.css",
    ):
        reply = control.browser("cara", path)
        assert reply.status in (400, 404), path  # a page is never dressed as a file
        assert reply.headers["cache-control"] == "no-store"


def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing(answers: list[tuple[str, Any]]) -> None:
    for name, reply in answers:
        if reply.headers["content-type"].startswith("text/html"):
            text = reply.body.decode()
            assert re.findall(r"(?:src|href|action)=\"(?!/)[^#\"]", text) == [], name
            assert re.findall(r"<script|<style|style=|\son[a-z]+=|javascript:", text) == [], name
            assert '<html lang="en">' in text, name
            assert text.count("<h1") == 1, name


@pytest.mark.parametrize(
    "origin",
    ["null", "https://evil.example", "https://localhost", "http://localhost", "https://localhost.evil.example", "https://evillocalhost",
     "https://localhost:1", "file://", "chrome-extension://abc", "https://127.0.0.1", "*"],
)  # fmt: skip
def test_no_other_origin_reads_anything_t78(control: Any, origin: str) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    for method in ("GET", "OPTIONS", *UNSAFE):
        for path in ("/", "/ledger", "/api/v1/ledger", "/health/live", "/api/v1/things"):
            reply = control.program(method, path, None if method == "GET" else b"{}", **asked)
            assert [name for name in reply.headers if name.startswith("access-control")] == [], (method, path)


@pytest.mark.parametrize(
    "path",
    ["/../etc/passwd", "/..", "/./ledger", "/ledger/..", "/ledger/../keys", "/%2e%2e/etc/passwd", "/%2E%2E%2Fetc", "/%252e%252e/x", "/..;/keys",
     "/ledger;x", "/ledger;x/../keys", "/..\\..\\x", "/%5c..%5c", "/ledger%00", "/ledger%00.css", "//etc/passwd", "/ledger//", "/ledger/",
     "//evil.example/", "/\\evil.example", "/static/%2e%2e%2fapp.py", "/static/..%2fapp.py", "/static/../app.py", "/static/%252e%252e%252fapp.py",
     "/static/....//app.py", "/static/..;/app.py", "/static//app.py", "/static/.hidden", "/static/~root", "/static/C:/x", "/static/x%0d%0aSet-Cookie:a",
     "/api/v1/artefacts/..%2f..%2fx", "/api/v1/artefacts/%2fetc%2fpasswd", "/api/v1/artefacts/a%23b", "/api/v1/artefacts/a%3fb", "/api/v1/artefacts/.ssh",
     "/api/v1/ledger/entries/-1", "/api/v1/ledger/entries/1e3", "/api/v1/ledger/entries/%D9%A1", "/api/v1/ledger/entries/99999999999999999999",
     "/api/v1/ledger/entries/0x1", "/ledger%2fverify", "/%6cedger"],
)  # fmt: skip
def test_an_address_holds_names_and_never_paths_t76(control: Any, path: str) -> None:
    for headers in ({"Cookie": control.cookies["cara"]}, {"Authorization": f"Bearer {control.place.token}"}):
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        answer = control.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}\r\n".encode())
        assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.1 404")), (path, answer[:60])
        if not path.startswith("/api/") or b"Bearer" in lines.encode():
            assert not answer.startswith(b"HTTP/1.1 401") or "Bearer" in lines, path
        assert b"root:" not in answer


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("report.svg", "report.svg"), ("page.html", "page.html"), ("x.js", "x.js"), ("feed.xml", "feed.xml"), ("notes.txt", "notes.txt"),
    ],
)  # fmt: skip
def test_a_stored_artefact_is_kept_and_never_shown_t77(control: Any, name: str, shown: str) -> None:
    reply = control.program("GET", f"/api/v1/artefacts/{name}")
    assert reply.status == 200
    assert reply.headers["content-disposition"] == f'attachment; filename="{shown}"'
    assert reply.headers["content-security-policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-type"].partition(";")[0] in ("application/octet-stream", "text/plain")


@pytest.mark.parametrize(
    "name", ['a"b.txt', "a\r\nSet-Cookie: x", "../../x", "é.txt", "", ".htaccess", "a;b", "x" * 500, "a\\b", "a\0b"]
)
def test_a_file_name_cannot_leave_its_header_t77(name: str) -> None:
    from sealwright.doors.control.answers import attachment

    headers = attachment(b"x", name=name, media_type="text/html").headers
    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9][A-Za-z0-9._-]{0,99}"', headers["content-disposition"])
    assert headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("path", ["/api/v1/fault", "/fault"])
def test_a_fault_is_one_sentence_and_an_id_t62(control: Any, log: Any, wait_until: Any, path: str) -> None:
    page = path == "/fault"
    reply = control.browser("cara", path) if page else control.program("GET", path)
    assert reply.status == 500
    text = reply.body.decode()
    assert not any(trace in text for trace in _TRACES), text
    assert reply.headers["x-request-id"] in text
    wait_until(lambda: reply.headers["x-request-id"] in log.read_text())
    assert CANARY not in log.read_text()


def test_no_refusal_tells_how_the_server_is_made_t62(answers: list[tuple[str, Any]]) -> None:
    for name, reply in answers:
        if reply.status >= 400:
            assert not any(trace in reply.body.decode() for trace in _TRACES), (name, reply.body)
            if not reply.headers["content-type"].startswith("text/html"):
                assert reply.headers["content-type"] == "application/problem+json", name
                assert reply.json["status"] == reply.status
                assert reply.json["type"].startswith("urn:sealwright:problem:")


def test_security_txt_names_whom_to_tell(control: Any, new_place: Any, start: Any) -> None:
    assert control.ask("GET", "/.well-known/security.txt").status == 404
    with start(new_place(), security_contact="mailto:security@example.org") as other:
        reply = other.ask("GET", "/.well-known/security.txt")
    assert reply.status == 200
    assert reply.body.decode().startswith("Contact: mailto:security@example.org\nExpires: 20")


def test_hsts_is_said_to_names_that_others_reach_and_not_to_this_machine() -> None:
    from sealwright.doors.control.headers import security_headers

    def said(host: bytes, *, secured: bool = True) -> bool:
        return any(
            name == b"strict-transport-security"
            for name, _ in security_headers(None, status=200, secured=secured, host=host)
        )

    assert said(b"control.example.org")
    assert said(b"10.0.0.5:8444")
    assert not said(b"control.example.org", secured=False)
    assert not any(said(host) for host in (b"localhost:8444", b"127.0.0.1", b"[::1]:8444"))


def test_text_can_be_read_in_light_and_in_dark() -> None:
    """WCAG 2.2: 4.5 for text, 3 for the edges of fields; computed from the style sheet itself."""
    from sealwright.doors.control.statics import STATIC_FILES

    sheet = next(data.decode() for data, kind in STATIC_FILES.values() if kind.startswith("text/css"))
    themes = [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{(.*?)\}", sheet, re.DOTALL)
    ]
    assert len(themes) == 2

    def brightness(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def contrast(one: str, other: str) -> float:
        low, high = sorted((brightness(one), brightness(other)))
        return (high + 0.05) / (low + 0.05)

    for theme in themes:
        for text in ("ink", "soft", "accent", "good", "wait", "stop"):
            for ground in ("paper", "wash"):
                assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground, theme)
        assert contrast(theme["on-accent"], theme["accent"]) >= 4.5
        assert contrast(theme["edge"], theme["paper"]) >= 3


def test_the_reference_page_names_every_limit_and_every_header() -> None:
    from pathlib import Path

    from msgspec.structs import fields

    from sealwright.doors.control.headers import security_headers
    from sealwright.serving import Transport, TransportLimits

    page = (Path(__file__).parents[3] / "docs" / "reference" / "transport.md").read_text(encoding="utf-8")
    for one in fields(TransportLimits):
        assert f"| `{one.name}` | {int(one.default):,} |" in page, one.name
    for one in fields(Transport):
        assert f"`{one.name}`" in page, one.name
    for name, _ in security_headers(None, status=200, secured=True, host=b"x.example.org"):
        assert f"`{name.decode()}`" in page, name
