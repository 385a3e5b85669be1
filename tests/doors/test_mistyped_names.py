"""A project, snapshot or channel that is not there is refused before anything is signed, handed out or called fine."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from sealwright.pipeline import open_workspace
from sealwright.pipeline.runs import RunStore
from sealwright.trust import KeyFile
from whole_way import PROJECT, Home

CARA = ("--as", "cara", "--person-key", "cara.key")  # the compliance officer
WHY = ("--reason", "Case 12/26 at the county court")
NO_SNAPSHOT = "sha256:" + "f" * 64


@pytest.fixture(scope="module")
def shared(sealed: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One home for all that must change nothing in it."""
    root = tmp_path_factory.mktemp("shared") / "home"
    shutil.copytree(sealed, root)
    return Home(root)


def ledger(home: Home) -> bytes:
    return (home.workspace / "ledger" / "entries.log").read_bytes()


@pytest.mark.parametrize(
    "arguments",
    [
        ("data", "hold", "add", "nosuch", *WHY, *CARA),
        ("data", "hold", "add", "nosuch", "--snapshot", NO_SNAPSHOT, *WHY, *CARA),
        ("data", "hold", "add", "nosuch", "--subject", "A0007", *WHY, *CARA),
        ("data", "request", "open", "access", "A0007", "--project", "nosuch", *CARA),
        *(
            ("data", "subject", "A0007", right, "--project", "nosuch", *CARA)
            for right in ("access", "erase", "restrict")
        ),
        ("decisions", "keep", "nosuch", "--days", "5", *CARA),
        ("decisions", "end", "nosuch", "--keep-days", "5", *CARA),
        ("decisions", "check", "nosuch"),
        ("decisions", "seal", "nosuch"),
        ("decisions", "list", "nosuch", *WHY, *CARA),
        ("decisions", "show", "nosuch", "dec_1", *WHY, *CARA),
        ("decisions", "export", "nosuch", "--to", "never.jsonl", *WHY, *CARA),
        ("versions", "nosuch"),
        ("history", "nosuch"),
        ("token", "nosuch", "--for", "till"),
        ("api-key", "make", "nosuch", "--for", "till"),
        ("client", "add", "till", "--project", PROJECT, "--project", "nosuch"),
    ],
    ids=" ".join,
)
def test_a_project_that_is_not_there_is_refused_and_those_that_are_there_are_named(
    shared: Home, arguments: tuple[str, ...]
) -> None:
    before = ledger(shared)
    refused = shared.inside(*arguments, "--json", expect=2)
    assert (refused.out, refused.error["error"]) == ("", "not_found")
    assert "There is no project nosuch here" in refused.error["message"]
    assert f"There are: {PROJECT}." in refused.error["message"]
    assert ledger(shared) == before
    assert not (shared.root / "never.jsonl").exists()


def test_a_snapshot_that_is_not_there_is_not_put_on_hold(shared: Home) -> None:
    (snapshot,) = ("sha256:" + one.name for one in (shared.workspace / "snapshots").iterdir())
    refused = shared.inside("data", "hold", "add", PROJECT, "--snapshot", NO_SNAPSHOT, *WHY, *CARA, "--json", expect=2)
    assert refused.error["error"] == "not_found"
    assert snapshot in refused.error["message"]
    malformed = shared.inside("data", "hold", "add", PROJECT, "--snapshot", "sha256:f", *WHY, *CARA, "--json", expect=2)
    assert malformed.error["error"] == "input.invalid"


@pytest.mark.parametrize(
    "arguments",
    [
        ("decisions", "check", PROJECT, "--channel", "lvie"),
        ("decisions", "list", PROJECT, "--channel", "lvie", *WHY, *CARA),
        ("history", PROJECT, "--channel", "lvie"),
    ],
    ids=" ".join,
)
def test_a_channel_that_is_not_there_is_refused_and_those_that_are_there_are_named(
    shared: Home, arguments: tuple[str, ...]
) -> None:
    refused = shared.inside(*arguments, "--json", expect=2)
    assert refused.error["error"] == "not_found"
    assert "There are: live." in refused.error["message"]
    assert shared.inside("decisions", "check", PROJECT, "--channel", "live.scored", "--json").json["hours"] == 0


def test_a_project_that_was_only_begun_counts(home: Home) -> None:
    begun(home, "loans")
    assert home.inside("versions", "loans", "--json").json == []
    assert home.inside("decisions", "check", "loans", "--json").json["hours"] == 0
    home.inside("token", "loans", "--for", "till")


def test_who_may_see_one_project_learns_the_names_of_no_others_t14(home: Home) -> None:
    begun(home, "loans")
    roles = ("--role", "auditor@loans", "--role", "auditor@nosuch", "--person-key", "dan.key")
    home.inside("people", "add", "dan", *roles)
    dan = ("--as", "dan", "--person-key", "dan.key", "--json")
    refused = home.inside("versions", "nosuch", *dan, expect=2).error["message"]
    assert "There are: loans." in refused
    assert PROJECT not in refused
    assert home.inside("versions", "other", *dan, expect=3).error["error"] == "permission.denied"


def test_a_role_in_a_project_that_is_not_there_yet_is_given_and_said(home: Home) -> None:
    said = home.inside("people", "add", "dan", "--role", "auditor@nosuch", "--person-key", "dan.key")
    assert "there is no project nosuch here yet" in said.err
    assert PROJECT in said.err
    assert "sealwright people renew dan --role ROLE@PROJECT" in said.err
    assert not home.inside("people", "renew", "dan", "--role", f"auditor@{PROJECT}").err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("serve", "nosuch", "--port", "0"), "promote nosuch NUMBER --reason"),
        (("serve", PROJECT, "--also", "nosuch", "--port", "0"), "promote nosuch NUMBER --reason"),
        (("serve", PROJECT, "--channel", "test", "--port", "0"), f"promote {PROJECT} NUMBER --channel test --reason"),
        (("up", "nosuch", "--control-port", "0", "--predict-port", "0"), "promote nosuch NUMBER --reason"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else None,
)
def test_to_serve_what_is_not_released_is_no_tampering_and_says_what_comes_first(
    shared: Home, arguments: tuple[str, ...], named: str
) -> None:
    refused = shared.inside(*arguments, "--json", expect=2)
    assert (refused.out, refused.error["error"]) == ("", "not_found")
    assert "Nothing is released for" in refused.error["message"]
    assert named in refused.error["message"]


def test_a_pointer_that_was_there_and_is_gone_is_still_refused_as_that(home: Home) -> None:
    (home.workspace / "pointers" / PROJECT / "live.json").unlink()
    assert home.inside("serve", PROJECT, "--port", "0", "--json", expect=4).error["error"] != "not_found"


def test_the_next_step_of_a_refusal_is_one_that_whoever_is_refused_can_take(home: Home) -> None:
    """Somebody who is not enrolled cannot be asked about with why-not."""
    nobody = home.inside("data", "rotate", "--json", expect=None)
    assert nobody.code == 0  # nobody is enrolled for it
    held = home.inside("data", "hold", "add", PROJECT, *WHY, "--json", expect=3).error["message"]
    step = _last_command(held)
    assert step == ["who-can", "hold.set", PROJECT]
    assert "cara" in home.inside(*step).out
    for person in ("ada", "bob", "cara"):
        home.inside("people", "end", person, "--reason", "Left the bank")
    refused = home.inside("decisions", "list", PROJECT, *WHY, "--json", expect=3).error["message"]
    assert "Nobody holds such a role. Enrol somebody: sealwright people add NAME --role " in refused
    assert "why-not" not in refused


def test_a_list_of_holds_says_which_stand_and_which_are_over(home: Home) -> None:
    until = ("--until", "2099-06-30")
    ids = [home.inside("data", "hold", "add", PROJECT, *WHY, *CARA, *more, "--json").json["id"] for more in ((), until)]
    home.inside("data", "hold", "lift", ids[0], *WHY, *CARA)
    listed: list[dict[str, Any]] = home.inside("data", "hold", "list", "--all", "--json").json
    lifted = str(listed[0]["lifted_at"])[:10]
    assert [one["state"] for one in listed] == [f"lifted {lifted}", "stands"]
    table = home.inside("data", "hold", "list", "--all").out
    assert f"lifted {lifted}" in table
    assert "2099-06-30" in table
    assert [one["id"] for one in home.inside("data", "hold", "list", "--json").json] == ids[1:]


def begun(home: Home, project: str) -> None:
    """A project of which there is nothing yet but a run."""
    with open_workspace(home.workspace, KeyFile(home.key)) as workspace:
        RunStore(workspace.db, workspace.folder("runs"), workspace.clock).start(project, NO_SNAPSHOT, "ada")


def _last_command(message: str) -> list[str]:
    return message.rpartition("sealwright ")[2].split()
