"""Looking through the doors: every command that opens a workspace asks who acts, and shows nobody another's project."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import typer

import sealwright as sw
from sealwright.doors.cli.app import app
from sealwright.kernel import digest_of
from sealwright.pipeline import open_workspace
from sealwright.pipeline.runs import RunStore
from sealwright.trust import KeyFile, PermissionDenied
from whole_way import PROJECT, Home

ASKS_NOBODY = {
    "workspace create": "there is no workspace yet, and nobody to ask",
    "login": "opens the own key of whom it names: that is who acts",
    "logout": "ends one's own session",
    "signer": "starts a process of the machine for whoever opens the workspace; what it signs it asks its own rules",
    "signer part": "moves the signing keys out of the workspace, for whoever opens it and owns the machine",
    "control": "starts a process of the machine; whoever comes in through it is asked there",
    "up": "starts processes of the machine; the prediction server among them asks",
}
"""Commands that open a workspace and do not say who acts, each with the reason."""

OF_A_PROJECT: dict[tuple[str, ...], str] = {
    ("gate", "credit"): "project.view",
    ("report", "credit", "--to", "seen.html"): "project.view",
    ("versions", PROJECT): "project.view",
    ("history", PROJECT): "project.view",
    ("history", PROJECT, "--at", "2026-01-01T00:00:00Z"): "project.view",
    ("export", PROJECT, "1", "--to", "seen"): "project.view",
    ("data", "basis", "credit"): "project.view",
    ("data", "ropa"): "project.view",
    ("data", "ropa", "--project", PROJECT): "project.view",
    ("data", "retention"): "project.view",
    ("data", "retention", "--project", PROJECT): "project.view",
    ("data", "models"): "project.view",
    ("data", "models", "--project", PROJECT): "project.view",
    ("data", "lineage", PROJECT): "project.view",
    ("data", "card", PROJECT, "--to", "seen.json"): "project.view",
    ("data", "report", "credit", "--to", "seen.html"): "data.examine",
    ("data", "requests"): "requests.view",
    ("data", "requests", "--project", PROJECT): "requests.view",
    ("data", "request", "show", "REQUEST"): "requests.view",
    ("data", "hold", "list"): "requests.view",
    ("data", "hold", "list", "--project", PROJECT): "requests.view",
    ("data", "consent", "show", "17", "--project", PROJECT): "consent.view",
    ("data", "consent", "check"): "ledger.read",
    ("break-glass", "list"): "project.view",
    ("break-glass", "list", "--project", PROJECT): "project.view",
    ("client", "list"): "project.view",
    ("client", "list", "--project", PROJECT): "project.view",
    ("api-key", "list"): "project.view",
    ("api-key", "list", "--project", PROJECT): "project.view",
    ("alerts",): "ledger.read",
    ("ledger", "show"): "ledger.read",
    ("ledger", "search"): "ledger.read",
}
"""Views of one project or of all of them, and what they ask for."""

OF_THE_WORKSPACE: tuple[tuple[str, ...], ...] = (
    ("workspace", "show"),
    ("people", "list"),
    ("keys", "list"),
    ("certificate", "list"),
    ("whoami",),
    ("who-can", "project.view", PROJECT),
)
DAN = ("--as", "dan", "--person-key", "dan.key")


def commands(group: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command of the program, and every group that does something by itself."""
    for name, command in group.commands.items():
        path = (*before, name)
        if hasattr(command, "commands"):
            yield from commands(command, path)
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield " ".join(path), command


def options(command: Any) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


def test_every_command_that_opens_a_workspace_asks_who_acts() -> None:
    found = dict(commands(typer.main.get_command(app)))
    assert len(found) > 100
    opening = {name: options(command) for name, command in found.items() if "--key-file" in options(command)}
    silent = {
        name for name, known in opening.items() if not ("--as" in known and known & {"--person-key", "--own-key"})
    }
    assert silent == set(ASKS_NOBODY)
    for words in (*OF_A_PROJECT, *OF_THE_WORKSPACE):
        assert any(" ".join(words).startswith(name) for name in opening), words


@pytest.fixture
def guarded(home: Home) -> Home:
    """The sealed home; dan holds roles in another project only, of which there is nothing yet but a run."""
    with open_workspace(home.workspace, KeyFile(home.key)) as workspace:
        RunStore(workspace.db, workspace.folder("runs"), workspace.clock).start("loans", digest_of(b""), "dan")
    roles = ("--role", "compliance_officer@loans", "--role", "auditor@loans", "--role", "data_scientist@loans")
    home.inside("people", "add", "dan", *roles, "--person-key", "dan.key")
    return home


@pytest.fixture
def request_of_a_person(guarded: Home) -> str:
    cara = ("--as", "cara", "--person-key", "cara.key")
    return str(
        guarded.inside("data", "request", "open", "access", "17", "--project", PROJECT, *cara, "--json").json["id"]
    )


def entries(home: Home) -> list[dict[str, Any]]:
    lines = (home.workspace / "ledger" / "entries.log").read_bytes().split(b"\n")
    return [json.JSONDecoder().raw_decode(line.decode())[0] for line in lines if line.startswith(b"{")]


@pytest.mark.parametrize("proof", ["key", "session"])
def test_who_acts_in_another_project_only_is_shown_nothing_of_this_one_t14(
    guarded: Home, request_of_a_person: str, proof: str
) -> None:
    if proof == "session":
        guarded.inside("login", "dan", "--person-key", "dan.key")
    for words, action in OF_A_PROJECT.items():
        command = [request_of_a_person if word == "REQUEST" else word for word in words]
        refused = guarded.inside(*command, *(DAN if proof == "key" else ()), "--json", expect=3)
        assert (refused.out, refused.error["error"]) == ("", "permission.denied"), words
        last = entries(guarded)[-1]
        assert (last["action"], last["detail"]["outcome"]) == (action, "refused"), words
        assert last["detail"]["request"].startswith("req_")
    assert not list(guarded.root.glob("seen*"))


def test_who_acts_in_another_project_sees_that_one_and_leaves_no_entry(guarded: Home) -> None:
    before = entries(guarded)
    assert guarded.inside("versions", "loans", *DAN, "--json").json == []
    guarded.inside("history", "loans", *DAN)
    guarded.inside("data", "lineage", "loans", *DAN, expect=2)  # nothing was ingested
    for words in (("data", "requests"), ("data", "hold", "list"), ("data", "models"), ("data", "retention")):
        guarded.inside(*words, "--project", "loans", *DAN)
    for words in (("data", "ropa"), ("break-glass", "list"), ("client", "list"), ("api-key", "list")):
        guarded.inside(*words, "--project", "loans", *DAN)
    assert entries(guarded) == before


def test_programs_of_another_project_are_not_listed_t14(guarded: Home) -> None:
    guarded.inside("client", "add", "till", "--project", PROJECT, "--project", "loans", "--to", "till.secret")
    guarded.inside("client", "add", "desk", "--project", PROJECT, "--to", "desk.secret")
    for name in (PROJECT, "loans"):
        guarded.inside("api-key", "make", name, "--for", "till", "--to", f"{name}.key")
    (client,) = guarded.inside("client", "list", "--project", "loans", *DAN, "--json").json
    assert (client["client"], client["scopes"]) == ("till", ["predict:loans"])
    (key,) = guarded.inside("api-key", "list", "--project", "loans", *DAN, "--json").json
    assert key["project"] == "loans"
    assert (
        len(guarded.inside("client", "list", "--json").json)
        == len(guarded.inside("api-key", "list", "--json").json)
        == 2
    )


def test_looking_by_an_emergency_is_on_record_and_shows_that_project_alone_t14(guarded: Home) -> None:
    for name, role in (("sofia", "security_officer"), ("zoe", "administrator")):
        guarded.inside("people", "add", name, "--role", role, "--person-key", f"{name}.key")
    asked = guarded.inside(
        "break-glass", "request", "loans", "--for", "zoe", "--role", "compliance_officer",
        "--reason", "Dan is ill and a person waits", "--as", "sofia", "--person-key", "sofia.key", "--json",
    ).json  # fmt: skip
    guarded.inside("break-glass", "confirm", asked["id"], "--as", "dan", "--person-key", "dan.key")
    zoe = ("--as", "zoe", "--person-key", "zoe.key")
    guarded.inside("versions", "loans", *zoe)
    assert [one["action"] for one in entries(guarded)[-2:]] == ["break_glass.use", "alert.raise"]
    guarded.inside("versions", PROJECT, *zoe, expect=3)


def test_whoever_is_known_sees_what_is_of_the_workspace(guarded: Home) -> None:
    for words in OF_THE_WORKSPACE:
        own = ("--as", "dan", "--own-key", "dan.key") if words[0] == "people" else DAN
        seen = guarded.inside(*words, *own)
        assert (bool(seen.out), seen.err) == (True, ""), words


def test_a_name_alone_sees_nothing_at_all(guarded: Home) -> None:
    for words in (*OF_A_PROJECT, *OF_THE_WORKSPACE):
        refused = guarded.inside(*words, "--as", "cara", "--json", expect=3)
        assert (refused.out, refused.error["error"]) == ("", "permission.not_proven"), words


def test_looking_goes_on_while_another_program_writes_and_leaves_no_entry(
    guarded: Home, request_of_a_person: str
) -> None:
    """As whoever opens the workspace, who may see all of it but what persons agreed to."""
    guarded.inside("alerts", expect=None)  # so that nothing new is to be raised
    before = entries(guarded)
    with open_workspace(guarded.workspace, KeyFile(guarded.key)) as another:
        another.hold_ledger()
        for words in (*OF_A_PROJECT, *OF_THE_WORKSPACE):
            if words[:2] not in {("data", "report"), ("data", "consent")} and "--at" not in words:
                guarded.inside(*(request_of_a_person if word == "REQUEST" else word for word in words))
        guarded.inside("data", "consent", "check")
    assert entries(guarded) == before


def test_the_same_holds_in_python_t14(guarded: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(guarded.root))
    monkeypatch.setenv("SEALWRIGHT_ACTOR", "ops")
    own, folder = guarded.root / "dan.key", guarded.root / "credit"
    with sw.open(guarded.workspace, key_file=guarded.key, actor="dan", person_key=own) as workspace:
        for look in (
            lambda: workspace.gate(folder),
            lambda: workspace.report(folder, guarded.root / "seen.html"),
            lambda: workspace.versions(PROJECT),
            lambda: workspace.history(PROJECT),
        ):
            with pytest.raises(PermissionDenied, match=r"dan may not do project\.view on german-credit"):
                look()
            assert entries(guarded)[-1]["action"] == "project.view"
        assert workspace.versions("loans") == []
    assert not (guarded.root / "seen.html").exists()
    with sw.open(guarded.workspace, key_file=guarded.key) as workspace:
        assert [one.number for one in workspace.versions(PROJECT)] == [1]
        assert [one.number for one in workspace.history(PROJECT)] == [1]
        assert workspace.gate(folder).passed
        assert workspace.report(folder, guarded.root / "seen.html") == guarded.root / "seen.html"
