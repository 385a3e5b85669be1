"""A name alone proves nobody: what an enrolled person, a session and whoever opens the workspace may do at the doors."""

import json
import sqlite3
from pathlib import Path

import pytest

from whole_way import PROJECT, Home

WHY = ("--reason", "Released for the autumn")


@pytest.fixture
def staffed(home: Home) -> Home:
    """The sealed home, with an ML engineer and a security officer."""
    for name, role in (("mia", "ml_engineer"), ("sofia", "security_officer")):
        home.inside("people", "add", name, "--role", role, "--person-key", f"{name}.key")
    return home


def session_file(home: Home) -> Path:
    (file,) = (home.workspace / "sessions").iterdir()
    return file


def refusals(home: Home) -> list[str]:
    """The actions that were refused, as the ledger has them."""
    lines = (home.workspace / "ledger" / "entries.log").read_bytes().split(b"\n")
    entries = [json.JSONDecoder().raw_decode(line.decode())[0] for line in lines if line.startswith(b"{")]
    return [one["action"] for one in entries if one.get("detail", {}).get("outcome") == "refused"]


def test_where_nobody_is_enrolled_whoever_opens_the_workspace_does_everything_but_sign(empty_home: Home) -> None:
    empty_home.inside("workspace", "create")
    me = empty_home.inside("whoami", "--json").json
    assert me == {"name": "ops", "proof": "machine_account", "roles": [], "second_factor": False}
    for action, thing in (("model.promote", "credit/1"), ("people.enrol", "ben"), ("data.erase", "credit")):
        if action != "model.promote":
            found = empty_home.inside("who-can", action, thing, "--json").json
            assert (found["operator"], found["staffed"], found["people"]) == (True, False, [])
    empty_home.inside("people", "add", "ben", "--role", "business_owner", "--person-key", "ben.key")
    assert empty_home.inside("who-can", "data.read_clear", "credit", "--json").json["operator"] is False


def test_the_name_of_somebody_enrolled_takes_their_key(staffed: Home) -> None:
    refused = staffed.inside("promote", PROJECT, 1, *WHY, "--as", "mia", "--json", expect=3)
    assert refused.error["error"] == "permission.not_proven"
    assert "sealwright login mia" in refused.error["message"]
    wrong = staffed.inside("promote", PROJECT, 1, *WHY, "--as", "mia", "--person-key", "bob.key", "--json", expect=2)
    assert wrong.error["error"] == "keys.wrong_unlock"
    done = staffed.inside("promote", PROJECT, 1, *WHY, "--as", "mia", "--person-key", "mia.key", "--json").json
    assert done["by"] == "mia"
    staffed.variables["SEALWRIGHT_ACTOR"] = "mia"
    assert (
        staffed.inside("token", PROJECT, "--for", "till-1", "--json", expect=3).error["error"]
        == "permission.not_proven"
    )


def test_what_somebody_holds_a_role_for_the_operator_does_no_more(staffed: Home) -> None:
    refused = staffed.inside("promote", PROJECT, 1, *WHY, "--json", expect=3)
    assert refused.error["error"] == "permission.denied"
    assert "this takes the role ml_engineer" in refused.error["message"]
    assert "Who may: mia." in refused.error["message"]
    for command in (
        ("rollback", PROJECT, "--to", 1, *WHY),
        ("revoke", PROJECT, 1, *WHY),
        ("token", PROJECT, "--for", "till-1"),
        ("people", "end", "bob", *WHY),
        ("data", "rotate"),
        ("data", "consent", "show", "17", "--project", PROJECT),
        ("data", "hold", "add", PROJECT, *WHY),
    ):
        assert staffed.inside(*command, "--json", expect=3).error["error"] == "permission.denied", command
    assert set(refusals(staffed)) >= {"model.promote", "model.revoke", "token.issue", "people.revoke", "hold.set"}
    staffed.inside("export", PROJECT, 1, "--to", "out3")  # showing is still theirs
    staffed.inside(
        "people", "add", "eve", "--role", "auditor", "--person-key", "eve.key"
    )  # nobody administers people yet
    staffed.inside("people", "add", "zoe", "--role", "administrator", "--person-key", "zoe.key")
    staffed.inside("people", "add", "eva", "--role", "auditor", "--person-key", "eva.key", expect=3)
    staffed.inside(
        "people", "add", "eva", "--role", "auditor", "--person-key", "eva.key", "--as", "zoe", "--own-key", "zoe.key"
    )


def test_a_role_is_not_enough_without_the_right_one(staffed: Home) -> None:
    refused = staffed.inside("promote", PROJECT, 1, *WHY, "--as", "bob", "--person-key", "bob.key", expect=3)
    assert "bob holds business_owner there" in refused.err
    why = staffed.inside("why-not", "bob", "model.promote", f"{PROJECT}/1", "--json", expect=3).json
    assert [one["code"] for one in why["reasons"]] == ["engine.no_policy_allows", "proof.second_factor"]
    assert why["others"] == ["mia"]
    assert staffed.inside("why-not", "mia", "model.promote", f"{PROJECT}/1", "--json").json["policies"] == [
        "role.ml_engineer"
    ]
    staffed.inside("why-not", "nobody", "model.promote", f"{PROJECT}/1", expect=2)


def test_who_can_says_through_which_role_and_what_is_still_needed(staffed: Home) -> None:
    found = staffed.inside("who-can", "model.promote", f"{PROJECT}/1", "--json").json
    assert (found["roles"], found["operator"], found["staffed"]) == (["ml_engineer"], False, True)
    (mia,) = found["people"]
    assert (mia["name"], mia["may"], mia["roles"]) == ("mia", True, ["ml_engineer"])
    assert "second factor" in mia["needs"][0]
    approvers = staffed.inside("who-can", "model.approve", "credit", "--json").json["people"]
    barred = {one["name"]: one["barred"] for one in approvers}
    assert "whoever trained the model does not sign for it" in barred["ada"]
    assert barred["sofia"] == []
    assert "Not yet staffed" in staffed.inside("who-can", "people.enrol", "somebody").out


def test_logged_in_once_commands_are_ones_own_until_logged_out(staffed: Home) -> None:
    staffed.inside("login", "mia", "--person-key", "mia.key")
    assert session_file(staffed).stat().st_mode & 0o777 == 0o600
    me = staffed.inside("whoami", "--json").json
    assert (me["name"], me["proof"], me["roles"], me["second_factor"]) == ("mia", "session", ["ml_engineer"], True)
    assert staffed.inside("promote", PROJECT, 1, *WHY, "--json").json["by"] == "mia"
    assert staffed.inside("promote", PROJECT, 1, *WHY, "--as", "mia", "--json").json["by"] == "mia"
    assert staffed.inside("whoami", "--as", "sofia", expect=3).err  # somebody else's session proves nothing
    assert staffed.inside("whoami", "--as", "cron", "--json").json["proof"] == "machine_account"
    kept = session_file(staffed).read_bytes()
    staffed.inside("logout")
    assert staffed.inside("whoami", "--json").json["name"] == "ops"
    (staffed.workspace / "sessions" / session_name(staffed)).write_bytes(kept)
    (staffed.workspace / "sessions" / session_name(staffed)).chmod(0o600)
    assert staffed.inside("whoami", "--json").json["name"] == "ops"  # the file from before opens nothing


def session_name(home: Home) -> str:
    import os

    workspace = json.loads((home.workspace / "workspace.json").read_text())["id"]
    return f"{workspace}-{os.getuid()}.session"


def test_a_forged_session_file_logs_nobody_in(staffed: Home) -> None:
    staffed.inside("login", "mia", "--person-key", "mia.key")
    file = session_file(staffed)
    name, _, secret = file.read_text().partition(".")
    for forged in (f"{name}.{'0' * len(secret)}", name, "", "ses_x.y", "\x00\xff", "x" * 900):
        file.write_text(forged, encoding="latin-1")
        assert staffed.inside("whoami", "--json").json["name"] == "ops"
    file.write_text(f"{name}.{secret}")
    assert staffed.inside("whoami", "--json").json["name"] == "mia"
    file.chmod(0o644)
    assert "not a private file" in staffed.inside("whoami", expect=2).err
    file.rename(staffed.root / "elsewhere")
    file.symlink_to(staffed.root / "elsewhere")
    assert "not a private file" in staffed.inside("whoami", expect=2).err


def test_whoever_rewrites_the_database_logs_in_as_nobody_else(staffed: Home) -> None:
    staffed.inside("login", "mia", "--person-key", "mia.key")
    with sqlite3.connect(staffed.workspace / "db.sqlite") as db:
        db.execute("UPDATE local_sessions SET person = 'sofia'")
    assert staffed.inside("whoami", "--json").json["name"] == "ops"


def test_an_enrolment_that_ends_ends_the_session(staffed: Home) -> None:
    staffed.inside("login", "mia", "--person-key", "mia.key")
    staffed.inside("people", "end", "mia", "--reason", "left the company", "--as", "sofia", "--own-key", "sofia.key")
    assert staffed.inside("whoami", "--json").json["name"] == "ops"
    staffed.inside("login", "mia", "--person-key", "mia.key", expect=3)


def test_a_wrong_key_logs_nobody_in_and_is_on_record(staffed: Home) -> None:
    assert (
        staffed.inside("login", "mia", "--person-key", "bob.key", "--json", expect=2).error["error"]
        == "keys.wrong_unlock"
    )
    staffed.inside("login", "nobody", "--person-key", "bob.key", expect=2)
    assert "login" in refusals(staffed)


def test_taking_people_out_of_the_database_gives_the_operator_nothing_t85(staffed: Home) -> None:
    with sqlite3.connect(staffed.workspace / "db.sqlite") as db:
        db.execute("DELETE FROM people WHERE name = 'mia'")
    refused = staffed.inside("promote", PROJECT, 1, *WHY, "--json", expect=4)
    assert "not on file any more" in refused.error["message"]


def test_the_trainer_is_known_by_what_was_signed_not_by_a_row_t17(home: Home) -> None:
    with sqlite3.connect(home.workspace / "db.sqlite") as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(runs)")]
        for column in columns:
            db.execute(
                f"UPDATE runs SET {column} = REPLACE({column}, '\"ada\"', '\"zoe\"') WHERE typeof({column}) = 'text'"
            )
            db.execute(
                f"UPDATE runs SET {column} = 'zoe' WHERE {column} = 'ada'"
            )  # and no digest that happens to hold it
        assert not [row for row in db.execute("SELECT * FROM runs") if '"ada"' in json.dumps(row)]
    refused = home.inside(
        "approve", "credit", "--as", "ada", "--role", "business_owner", "--reason", "I am sure of it",
        "--person-key", "ada.key", expect=3,
    )  # fmt: skip
    assert "whoever trained the model does not sign for it" in refused.err
    assert "alert.raise" in (home.workspace / "ledger" / "entries.log").read_text(errors="replace")


def test_in_an_emergency_two_people_give_a_third_a_role(staffed: Home) -> None:
    opened = (
        "break-glass",
        "request",
        PROJECT,
        "--for",
        "bob",
        "--role",
        "ml_engineer",
        "--reason",
        "Mia is ill and it answers wrongly",
    )
    staffed.inside(*opened, expect=3)  # not whoever opens the workspace
    asked = staffed.inside(*opened, "--as", "sofia", "--person-key", "sofia.key", "--json").json
    promote = ("promote", PROJECT, 1, *WHY, "--as", "bob", "--person-key", "bob.key")
    staffed.inside(*promote, expect=3)
    staffed.inside("break-glass", "confirm", asked["id"], "--as", "sofia", "--person-key", "sofia.key", expect=3)
    staffed.inside("break-glass", "confirm", asked["id"], "--as", "cara", "--person-key", "cara.key")
    staffed.inside(*promote)
    staffed.inside("break-glass", "end", asked["id"], "--as", "bob", "--person-key", "bob.key")
    staffed.inside(*promote, expect=3)
    assert [one["state"] for one in staffed.inside("break-glass", "list", "--json").json] == ["ended"]
    staffed.inside("verify", "ws/ledger")
