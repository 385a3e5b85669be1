"""SQL and commands where a text belongs (T-29, T-36): over the network, in names of files, in what a command is told."""

import ast
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import sealwright

SOURCE = Path(sealwright.__file__).parent
SQL = (
    "' OR '1'='1",
    "'; DROP TABLE versions;--",
    "1; DELETE FROM people WHERE 1=1",
    '" OR ""="',
    "') UNION SELECT name, sql, 1 FROM sqlite_master--",
    "1) OR 1=(SELECT COUNT(*) FROM pg_sleep(5))--",
    "x' AND randomblob(100000000) --",
    "admin'/*",
    "%27%20OR%201=1--",
    "$.a' OR json_extract('{}','$')",
    "name ASC; SELECT 1",
    "\\'; SELECT 1; --",
    '{"$gt": ""}',
)
TALK = (
    "sql",
    "sqlite",
    "postgres",
    "psycopg",
    "syntax error",
    'near "',
    "traceback",
    "operationalerror",
    "column",
    "relation",
)
COMMANDS = ("$(touch CANARY)", "`touch CANARY`", "x; touch CANARY", "x\ntouch CANARY", "x && touch CANARY", "x | touch CANARY", "-x", "--to=CANARY", "$IFS$(touch${IFS}CANARY)")  # fmt: skip


def _tables(database: Path) -> list[tuple[str, int]]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY name")]
        return [(name, db.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0]) for name in names]


def _says_nothing(reply: Any, sent: str) -> None:
    assert 400 <= reply.status < 500, (sent, reply)
    said = reply.body.decode().lower().replace(sent.lower(), "")
    assert not [word for word in TALK if word in said], (sent, said)


def _header(text: str) -> str:
    return text.replace("\n", " ")


@pytest.mark.parametrize("text", SQL)
def test_sql_in_every_text_of_a_prediction_is_a_plain_refusal_t29(
    predict: Any, house: Any, row: Any, text: str
) -> None:
    before = _tables(house.home / "db.sqlite")
    body = json.dumps({"row": row}).encode()
    for bearer in (text, f"{predict.token}{text}", f"sw_{text}"):
        headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
        _says_nothing(predict.ask("POST", f"/v1/models/{house.project}/predict", body, headers), text)
    _says_nothing(predict.ask("POST", f"/v1/models/{quote(text, safe='')}/predict", body), text)
    asked = predict.ask("GET", f"/v2/models/{house.project}?order={quote(text)}", None)
    assert asked.body == predict.ask("GET", f"/v2/models/{house.project}").body  # a query is read by nothing
    _says_nothing(predict.predict(row | {"c1": text}), text)
    _says_nothing(predict.predict(row | {text: 1}), text)
    assert _tables(house.home / "db.sqlite") == before
    assert predict.predict(row).status == 200


@pytest.mark.parametrize("text", SQL)
def test_sql_in_every_text_of_the_control_server_is_a_plain_refusal_t29(control: Any, place: Any, text: str) -> None:
    database = next(place.home.glob("*.sqlite*"))
    before = _tables(database)
    for authorization in (f"Bearer {text}", f"Basic {text}", text, f"Bearer {place.token}{text}"):
        _says_nothing(control.ask("GET", "/api/v1/ledger", None, {"Authorization": _header(authorization)}), text)
    for address in (f"/api/v1/ledger/entries/{quote(text, safe='')}", f"/projects/{quote(text, safe='')}"):
        _says_nothing(control.program("GET", address), text)
    _says_nothing(control.ask("GET", "/api/v1/me", None, {"Cookie": f"__Host-session={quote(text)}"}), text)
    _says_nothing(control.program("POST", "/api/v1/things", json.dumps({"name": 1, text: text}).encode()), text)
    form = f"form_token={quote(text)}&{quote(text)}={quote(text)}".encode()
    kind = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": control.origin,
        "Cookie": control.cookies["cara"],
    }
    _says_nothing(control.ask("POST", "/ledger/verify", form, kind), text)
    assert _tables(database) == before
    assert control.program("GET", "/api/v1/ledger").status == 200


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_no_statement_is_put_together_and_no_shell_is_started_t29_t36() -> None:
    """Beside the rules of tools/semgrep: SQL is fixed text, and a program is started from a list of words."""
    found = []
    for path in SOURCE.rglob("*.py"):
        for call in _calls(ast.parse(path.read_text())):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            made = call.args and isinstance(call.args[0], ast.JoinedStr | ast.BinOp)
            if name in {"exec_driver_sql", "executescript"} and made:
                found.append(f"{path.name}:{call.lineno} {name}")
            if (
                isinstance(call.func, ast.Attribute)
                and getattr(call.func.value, "id", "") == "tx"
                and name == "run"
                and made
            ):
                found.append(f"{path.name}:{call.lineno} tx.run")
            of = getattr(call.func.value, "id", "") if isinstance(call.func, ast.Attribute) else ""
            shell = (of, name) in {("os", "system"), ("os", "popen"), ("subprocess", "getoutput")}
            if shell or any(word.arg == "shell" for word in call.keywords) or (name == "Popen" and made):
                found.append(f"{path.name}:{call.lineno} {of}.{name}")
    assert found == []


@pytest.mark.parametrize("text", COMMANDS)
def test_commands_in_names_run_nothing_t36(empty_home: Any, text: str) -> None:
    """As a workspace's name, a person, a project, a role, a service, and as the name of a file of data."""
    home, canary = empty_home, empty_home.root / "CANARY"
    home.inside("workspace", "create", "--name", "Example Bank")
    (home.root / "data").mkdir()
    file = home.root / "data" / (text.replace("/", "_") + ".csv")
    file.write_text("a,b\n" + "1,yes\n2,no\n" * 40)
    for command in (
        ("people", "add", "--role", "reviewer", "--person-key", "p.key", "--", text),
        ("people", "add", "bob", "--role", text, "--person-key", "q.key"),
        ("clients", "add", "--", text),
        ("token", "--for", "till", "--", text),
        ("versions", "--", text),
        ("verify", "--", text),
        ("gate", "--", text),
    ):
        done = home.inside(*command, expect=None)
        assert done.code != 0, command
    done = home.inside("init", "project", f"--data=data/{file.name}", "--target", "b", "--positive", "yes", expect=None)
    if done.code == 0:
        home.inside("data", "check", "project", expect=None)
    assert not canary.exists()
    assert not list(home.root.rglob("CANARY"))
