"""The same project with its facts in PostgreSQL: the same commands, the same answers, the same refusals."""

import json
import secrets
from collections.abc import Iterator
from typing import Any, LiteralString

import pytest

from whole_way import Home, quick, write_table

pytestmark = pytest.mark.postgres


@pytest.fixture
def address(postgres_url: str) -> Iterator[str]:
    """The URL of an empty schema on a real server."""
    import psycopg
    from psycopg import sql

    schema = sql.Identifier(name := f"t_{secrets.token_hex(6)}")
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
    try:
        yield f"{postgres_url}?options=-csearch_path%3D{name}"
    finally:
        with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as admin:
            admin.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(schema))


@pytest.fixture
def home(empty_home: Home, address: str) -> Home:
    """A workspace on PostgreSQL with a project."""
    empty_home.inside("workspace", "create", "--database", address)
    write_table(empty_home.root / "table.csv", rows=240)
    empty_home.inside("init", "project", "--data", "table.csv", "--target", "fits", "--positive", "yes")
    quick(empty_home.root / "project", recipe="logistic")
    return empty_home


def one_row() -> bytes:
    return json.dumps({"row": {"weight": 8.5, "height": 60.0, "colour": "red"}}).encode()


def test_the_whole_way_on_postgres(home: Home, address: str) -> None:
    assert not (home.workspace / "db.sqlite").exists()
    assert home.do("run", "project", "--json").json["version"] == 1
    again = home.inside("run", "project", "--json").json
    assert (again["version"], again["train"]["again"]) == (1, True)
    home.inside("promote", "project", 1, "--reason", "First release")
    with home.serving("project") as client:
        answer = client.ask(one_row())
        assert answer.status_code == 200, answer.text
    (home.root / "answer.json").write_bytes(answer.content)
    (home.root / "request.json").write_bytes(one_row())
    home.inside("verify", "answer.json", "--request", "request.json")
    home.inside("promote", "project", 1, "--reason", "Confirmed")
    assert [one["sequence"] for one in home.inside("history", "project", "--json").json] == [1, 2]
    home.inside("revoke", "project", 1, "--reason", "Wrong labels found")
    home.inside("promote", "project", 1, "--reason", "Again", expect=3)
    home.inside("export", "project", 1, "--to", "out")
    assert home.inside("verify", "out/project-v1.evidence.json", "--json").json["verified"] == "bundle"
    home.inside("verify", "ws/ledger")
    shown = home.inside("workspace", "show", "--json").json
    assert (shown["versions"], shown["projects"]) == (1, ["project"])
    # a second workspace must not move into the same tables
    other = Home(home.root / "elsewhere")
    other.root.mkdir(mode=0o700)
    assert "another workspace" in other.inside("workspace", "create", "--database", address, expect=2).err
    assert not other.workspace.exists()
    # rows taken out behind our back are missed, because the ledger knows them
    take_out(address, "DELETE FROM statements WHERE predicate_type LIKE '%test-result%'")
    refused = home.inside("gate", "project", "--json", expect=None)
    assert refused.code in {2, 3, 4}
    assert "evidence.complete" in refused.out or "on file" in refused.err


def take_out(address: str, what: LiteralString) -> None:
    """What somebody with the database's password could do."""
    import psycopg

    server, _, options = address.replace("+psycopg", "").partition("?options=")
    with psycopg.connect(server, options=options.replace("%3D", "="), autocommit=True) as database:
        database.execute(what)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+psycopg://ada:Kanari-9431@127.0.0.1:5432/test", "password"),
        ("postgresql+psycopg://postgres@127.0.0.1:5432/test?password=Kanari-9431", "password"),
        ("postgresql+psycopg://postgres@127.0.0.1:1/test", "database"),
        ("postgresql+psycopg://nobody-here@127.0.0.1:5432/no_such_database", "database"),
        ("mysql://127.0.0.1/test", "database"),
        ("not a url", "database"),
        ("postgresql://[half", "url"),
        ("", "database"),
    ],
)
def test_a_database_that_cannot_be_used_makes_no_workspace(empty_home: Home, url: str, said: str) -> None:
    refused = empty_home.inside("workspace", "create", "--database", url, "--json", expect=None)
    assert refused.code in {1, 2}, refused
    assert said in refused.error["message"].lower()
    assert "Kanari" not in refused.out + refused.err
    assert "fault in Sealwright" not in refused.err
    assert not empty_home.workspace.exists(), "a workspace was made without its database"


def test_a_database_that_went_away_is_said_plainly(home: Home) -> None:
    about = home.workspace / "workspace.json"
    value: dict[str, Any] = json.loads(about.read_bytes())
    value["database"] = value["database"].replace(":5432", ":1")
    about.write_text(json.dumps(value, sort_keys=True, separators=(",", ":")))
    failed = home.inside("versions", "project", "--json", expect=1)
    assert failed.error["error"] == "operation.failed" or failed.error["error"].startswith("database")
    assert "database" in failed.error["message"].lower()
