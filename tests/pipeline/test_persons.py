"""A person is found everywhere, answered, corrected and erased, on every engine, with real files."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from acting import operator
from sealwright.data import open_snapshot, quarantine_of
from sealwright.kernel import Conflict, FixedClock, InvalidInput, NotFound, Refused
from sealwright.pipeline import Workspace, create_workspace, ingest, load_project, open_workspace
from sealwright.pipeline.data_consent import consents_of, name_in
from sealwright.pipeline.data_requests import requests_of
from sealwright.pipeline.data_retention import holds_of
from sealwright.pipeline.person_rights import Asked, answer_person
from sealwright.pipeline.person_search import find_person
from sealwright.pipeline.project import Project
from sealwright.pipeline.snapshots import SnapshotIndex, opened, subject_keys_of
from sealwright.trust import InsecurePassphraseForTests, Secret, raw_pseudonym

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
CANARY = "Kanari Müller 7719"
PERSONS = 40


def text_of() -> str:
    """Three rows for each of 40 persons; person p7 has names to look for; two bad rows, one of them p7's."""
    lines = []
    for n in range(3 * PERSONS):
        who = n % PERSONS
        name = f"{CANARY}-{n}" if who == 7 else f"name {n}"
        lines.append(f"p{who},{name},{1000 + n},{'yes' if n % 3 else 'no'}")
    lines += [f"p7,{CANARY}-bad,not a number,yes", "p8,other,not a number,no", f"p7;{CANARY}-ragged"]
    return "person,name,income,repaid\n" + "\n".join(lines) + "\n"


SPEC: dict[str, Any] = {
    "format": 1,
    "project": "loans",
    "charter": {
        "purpose": "Estimate repayment to help an officer.",
        "owner": "Head of credit",
        "risk_class": "minimal",
    },
    "data": {
        "source": "loans.csv",
        "target": "repaid",
        "positive": "yes",
        "subject": "person",
        "quarantine": {"at_most_share": 0.2},
        "columns": {
            "person": {"type": "text", "class": "personal", "role": "identifier"},
            "name": {"type": "text", "class": "personal", "role": "identifier"},
            "income": {"type": "integer", "class": "personal", "min": 0, "max": 1_000_000},
            "repaid": {"type": "category", "categories": ["yes", "no"]},
        },
    },
}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def workspace(db_url: str, tmp_path: Path, clock: FixedClock) -> Iterator[Workspace]:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK, clock=clock, database=db_url) as made:
        yield made


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr("sealwright.data.content.BLOCK_ROWS", 40)
    folder = tmp_path / "loans"
    folder.mkdir()
    (folder / "loans.csv").write_text(text_of())
    (folder / "sealwright.yaml").write_text(yaml.safe_dump(SPEC, sort_keys=False))
    return load_project(folder)


@pytest.fixture
def snapshot(workspace: Workspace, project: Project) -> str:
    return ingest(workspace, project, by=operator("ada")).snapshot.digest


def rows_of(workspace: Workspace, digest: str) -> pa.Table:
    return opened(workspace, digest, "loans", by="test", purpose="test").read()


def everything_readable(workspace: Workspace) -> str:
    """What somebody with every key can get out of the workspace, as one text."""
    parts = []
    for known in SnapshotIndex(workspace.db).all():
        if known.state == "kept":
            snapshot = opened(workspace, known.digest, known.project, by="test", purpose="test")
            parts.append(str(snapshot.read().to_pylist()))
            parts += [f"{row.cells} {row.line}" for row in quarantine_of(snapshot, workspace.keyring)]
    return "\n".join(parts)


# --- finding


def test_a_workspace_with_one_project_knows_which_is_meant(
    workspace: Workspace, project: Project, tmp_path: Path
) -> None:
    index = SnapshotIndex(workspace.db)
    with pytest.raises(InvalidInput, match="no data yet"):
        index.only_project()
    ingest(workspace, project, by=operator("ada"))
    assert index.only_project() == "loans"
    other = tmp_path / "cards"
    shutil.copytree(tmp_path / "loans", other)
    (other / "sealwright.yaml").write_text(yaml.safe_dump({**SPEC, "project": "cards"}, sort_keys=False))
    ingest(workspace, load_project(other), by=operator("ada"))
    with pytest.raises(InvalidInput, match="--project cards, or loans"):
        index.only_project()


def test_a_person_is_found_in_rows_and_quarantine(workspace: Workspace, snapshot: str) -> None:
    found = find_person(workspace, "loans", "p7", by="dora", purpose="test")
    assert [(one.known.digest, one.rows, one.set_aside) for one in found.snapshots] == [(snapshot, 3, 2)]
    assert found.subject == name_in(workspace, "loans", "p7")
    assert "p7" not in json.dumps(found.to_json())
    assert not find_person(workspace, "loans", "nobody", by="dora", purpose="test").any


def test_looking_somebody_up_is_on_record(workspace: Workspace, snapshot: str) -> None:
    before = workspace.ledger.size
    find_person(workspace, "loans", "p7", by="dora", purpose="curiosity")
    entries = [entry for entry in workspace.ledger.entries(before) if entry.action == "data.key_unwrapped"]
    assert {(entry.actor, entry.subject, entry.detail["purpose"]) for entry in entries} == {
        (workspace.discretion.name_of("dora"), snapshot, "curiosity")
    }
    assert {key for entry in entries for key in entry.detail["keys"]} == {"footer/v1", "subject/v1", "quarantine/v1"}


def test_data_that_names_no_persons_says_so(workspace: Workspace, project: Project) -> None:
    path = project.folder / "sealwright.yaml"
    path.write_text(path.read_text().replace("  subject: person\n", ""))
    ingest(workspace, load_project(path), by=operator("ada"))
    with pytest.raises(InvalidInput, match=r"Set data\.subject"):
        find_person(workspace, "loans", "p7", by="dora", purpose="test")


# --- the rights, one by one


def ask(workspace: Workspace, right: str, person: str = "p7", **more: Any) -> Any:
    return answer_person(workspace, "loans", person, Asked(right=right, **more), by=operator("dora"))  # type: ignore[arg-type]


def test_access_gives_everything_and_says_on_what_basis(workspace: Workspace, snapshot: str, tmp_path: Path) -> None:
    answered = ask(workspace, "access", to=tmp_path / "copy.json")
    copy = json.loads((tmp_path / "copy.json").read_text())
    assert (tmp_path / "copy.json").stat().st_mode & 0o777 == 0o600
    (held,) = copy["held"]
    assert [row["income"] for row in held["rows"]] == [1007, 1047, 1087]
    assert len(held["set_aside"]) == 2
    assert copy["how_decisions_are_made"]["purpose"] == SPEC["charter"]["purpose"]
    assert copy["how_decisions_are_made"]["models"] == []
    assert answered.request.state == "answered"
    assert answered.request.due.isoformat() == "2026-04-02"
    assert CANARY not in str([entry.detail for entry in workspace.ledger.entries()])


def test_export_gives_the_rows_of_the_newest_snapshot(workspace: Workspace, snapshot: str) -> None:
    rows = ask(workspace, "export").copy["rows"]
    assert {row["name"] for row in rows} == {f"{CANARY}-{n}" for n in (7, 47, 87)}
    assert ask(workspace, "export", "nobody").copy["rows"] == []


def test_a_correction_is_everywhere_and_the_old_value_nowhere(workspace: Workspace, snapshot: str) -> None:
    answered = ask(workspace, "correct", values={"name": "Right Name", "income": "4242"})
    after = answered.detail["snapshots"][snapshot]
    table = rows_of(workspace, after)
    assert [row for row in table.to_pylist() if row["person"] == "p7"] == [
        {"person": "p7", "name": "Right Name", "income": 4242, "repaid": repaid} for repaid in ("yes", "yes", "no")
    ]
    assert table.num_rows == 3 * PERSONS
    with pytest.raises(NotFound):
        rows_of(workspace, snapshot)
    manifest = opened(workspace, after, "loans", by="t", purpose="t").manifest
    assert manifest["derivation"]["changes"] == {"income": 3, "name": 3}
    assert "p7" not in json.dumps(manifest)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "Say what is right"),
        ({"person": "p8"}, "names the person"),
        ({"wage": "1"}, "no column 'wage'"),
        ({"income": "-5"}, "smaller than the contract's min"),
        ({"repaid": "maybe"}, "not one of the contract's categories"),
    ],
)
def test_a_correction_keeps_to_the_contract(
    workspace: Workspace, snapshot: str, values: dict[str, str], reason: str
) -> None:
    with pytest.raises(InvalidInput, match=reason):
        ask(workspace, "correct", values=values)
    assert rows_of(workspace, snapshot).num_rows == 3 * PERSONS


@pytest.mark.parametrize("right", ["restrict", "object", "opt-out"])
def test_who_objects_is_kept_but_not_taken_in_again(
    workspace: Workspace, project: Project, snapshot: str, right: str
) -> None:
    ask(workspace, right, signal="gpc" if right == "opt-out" else "request")
    assert find_person(workspace, "loans", "p7", by="d", purpose="t").snapshots[0].rows == 3
    again = ingest(workspace, project, by=operator("ada")).snapshot
    assert again.digest != snapshot
    assert "p7" not in again.read(["person"]).column("person").to_pylist()
    assert sum(again.manifest["withheld"].values()) == 3


# --- erasure


def test_t56_after_an_erasure_nobody_finds_the_person_with_or_without_keys(
    workspace: Workspace, project: Project, snapshot: str, tmp_path: Path
) -> None:
    other = rows_of(workspace, snapshot).to_pylist()
    assert CANARY in everything_readable(workspace), "the test would see it"
    answered = ask(workspace, "erase")
    assert CANARY not in everything_readable(workspace)
    (known,) = SnapshotIndex(workspace.db).of_project("loans")
    assert rows_of(workspace, known.digest).to_pylist() == [row for row in other if row["person"] != "p7"]
    assert raw_pseudonym(answered.found.subject) not in subject_keys_of(workspace, "loans").existing()
    for path in (path for path in workspace.home.rglob("*") if path.is_file()):
        assert CANARY.encode() not in path.read_bytes(), path
    assert answered.detail["erased"]["key_destroyed"]
    assert not find_person(workspace, "loans", "p7", by="d", purpose="t").any


def test_t56_a_copy_of_the_files_from_before_is_unreadable_without_the_persons_key(
    workspace: Workspace, snapshot: str, tmp_path: Path
) -> None:
    """A backup of the snapshots, restored beside today's keys: the others are there, the person is not."""
    backup = tmp_path / "backup"
    shutil.copytree(workspace.folder("snapshots"), backup)
    ask(workspace, "erase")
    restored = open_snapshot(
        snapshot,
        snapshots=backup,
        trust_root=workspace.trust_root,
        keyring=workspace.keyring,
        subject_keys=subject_keys_of(workspace, "loans"),
    )
    table = restored.read()
    assert table.num_rows == 3 * (PERSONS - 1)
    assert CANARY not in str(table.to_pylist())


def test_the_person_does_not_come_back_with_the_same_file(
    workspace: Workspace, project: Project, snapshot: str
) -> None:
    ask(workspace, "erase")
    again = ingest(workspace, project, by=operator("ada"), fresh=True).snapshot
    assert "p7" not in again.read(["person"]).column("person").to_pylist()
    assert dict(again.manifest["withheld"]) == {"suppressed_erased": 3}


def test_the_chain_of_manifests_says_how_much_was_taken_out_and_never_whose(
    workspace: Workspace, snapshot: str
) -> None:
    answered = ask(workspace, "erase")
    (rewritten,) = answered.detail["erased"]["rewritten"]
    manifest = opened(workspace, rewritten["after"], "loans", by="t", purpose="t").manifest
    assert manifest["derivation"]["kind"] == "redact"
    assert manifest["derivation"]["parents"] == [snapshot]
    assert manifest["derivation"]["removed"] == 3
    assert answered.found.subject not in json.dumps(manifest)
    known = SnapshotIndex(workspace.db).find(snapshot)
    assert (known.state, known.successor) == ("replaced", rewritten["after"])


def test_an_erasure_that_was_cut_off_is_finished_by_the_same_command(
    workspace: Workspace, snapshot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_cut(*_args: Any, **_more: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr("sealwright.pipeline.person_erasure.replace_snapshot", power_cut)
        with pytest.raises(RuntimeError, match="power cut"):
            ask(workspace, "erase")
    assert CANARY not in str(rows_of(workspace, snapshot).to_pylist()), "unreadable from the first moment"
    answered = ask(workspace, "erase")
    assert not answered.detail["erased"]["key_destroyed"], "it was gone already"
    assert CANARY not in everything_readable(workspace)


def test_a_legal_hold_stops_an_erasure_before_anything_happens(workspace: Workspace, snapshot: str) -> None:
    holds_of(workspace).add("loans", reason="Case 77/2026, the court asked for it", by="lena")
    with pytest.raises(Refused, match="legal hold"):
        ask(workspace, "erase")
    assert CANARY in everything_readable(workspace)
    assert [one.kind for one in requests_of(workspace).open()] == ["erase"], "the request stays open"


def test_an_erased_person_is_erased_after_a_restart_too(workspace: Workspace, snapshot: str, db_url: str) -> None:
    ask(workspace, "erase")
    home = workspace.home
    workspace.close()
    with open_workspace(home, UNLOCK) as again:
        assert CANARY not in everything_readable(again)


def test_whoever_was_the_only_one_leaves_no_snapshot(workspace: Workspace, project: Project) -> None:
    lines = ["person,name,income,repaid", f"p7,{CANARY},1,yes", f"p7,{CANARY},2,no"]
    (project.folder / "loans.csv").write_text("\n".join(lines) + "\n")
    ingest(workspace, project, by=operator("ada"))
    ask(workspace, "erase")
    assert SnapshotIndex(workspace.db).of_project("loans") == []
    assert list(workspace.folder("snapshots").iterdir()) == []


@pytest.mark.parametrize("right", ["erase", "restrict", "object", "opt-out", "correct"])
@pytest.mark.parametrize("person", ["P7", "p77", "nobody"])
def test_nothing_is_said_to_be_done_for_an_identifier_that_nobody_has(
    workspace: Workspace, snapshot: str, right: str, person: str
) -> None:
    with pytest.raises(NotFound, match="nobody is named so; identifiers count letter by letter"):
        ask(workspace, right, person, values={"income": "1"} if right == "correct" else {})
    assert requests_of(workspace).all() == []
    actions = {entry.action for entry in workspace.ledger.entries()}
    assert not actions & {"subject.erasure_begun", "subject.suppressed", "request.received"}


def test_an_erasure_says_that_a_key_is_destroyed_only_where_there_was_one(workspace: Workspace, snapshot: str) -> None:
    assert ask(workspace, "erase").done.startswith("The person's key is destroyed; taken out: 5 rows of 1 snapshot")
    again = ask(workspace, "erase")
    assert again.done.startswith("The person had no key, or none any more; taken out: 0 rows of 0 snapshots")
    assert again.request.state == "answered"


def test_who_is_known_by_a_consent_alone_is_somebody(workspace: Workspace, snapshot: str) -> None:
    name = name_in(workspace, "loans", "p99")
    consents_of(workspace).give("loans", name, "ads", text_version="1", text=b"I agree.", channel="web", by="form")
    assert ask(workspace, "object", "p99").request.state == "answered"


@pytest.mark.parametrize(
    ("right", "more", "reason"),
    [
        ("access", {"project": "laons"}, "There are: loans"),
        ("erase", {"project": "laons"}, "There are: loans"),
        ("correct", {"values": {"wage": "1"}}, "no column 'wage'"),
        ("correct", {"values": {"income": "-5"}}, "smaller than the contract's min"),
        ("correct", {"values": {}}, "Say what is right"),
    ],
)
def test_what_can_be_seen_to_fail_starts_no_clock(
    workspace: Workspace, snapshot: str, right: Any, more: dict[str, Any], reason: str
) -> None:
    asked = Asked(right=right, values=more.get("values", {}))
    with pytest.raises((InvalidInput, NotFound), match=reason):
        answer_person(workspace, more.get("project", "loans"), "p7", asked, by=operator("dora"))
    assert requests_of(workspace).all() == []


def test_data_that_names_no_persons_starts_no_clock(workspace: Workspace, project: Project) -> None:
    path = project.folder / "sealwright.yaml"
    value = yaml.safe_load(path.read_text())
    del value["data"]["subject"]
    path.write_text(yaml.safe_dump(value, sort_keys=False))
    ingest(workspace, load_project(path), by=operator("ada"))
    for right in ("access", "erase"):
        with pytest.raises(InvalidInput, match="does not say which column names the person"):
            ask(workspace, right)
    assert requests_of(workspace).all() == []


def test_a_request_that_stays_open_is_named_with_how_to_go_on(workspace: Workspace, snapshot: str) -> None:
    hold = holds_of(workspace).add("loans", reason="Case 77/2026, the court asked for it", by="lena")
    with pytest.raises(Refused, match="legal hold") as refused:
        ask(workspace, "erase")
    (waiting,) = requests_of(workspace).open()
    assert f"The request {waiting.id} stays open; it is due on {waiting.due}" in str(refused.value)
    assert f"sealwright data request close {waiting.id} --state refused" in str(refused.value)
    with pytest.raises(Refused, match=waiting.id):
        ask(workspace, "erase", request=waiting.id)
    assert len(requests_of(workspace).open()) == 1
    holds_of(workspace).lift(hold.id, reason="The case was settled", by="lena")
    assert ask(workspace, "erase", request=waiting.id).request.state == "answered"


def test_a_request_on_file_is_answered_once_and_only_for_its_person(workspace: Workspace, snapshot: str) -> None:
    register = requests_of(workspace)
    request = register.receive("access", name_in(workspace, "loans", "p7"), projects=["loans"], law="gdpr", by="d")
    with pytest.raises(Conflict, match="of this person"):
        ask(workspace, "access", "p8", request=request.id)
    assert ask(workspace, "access", request=request.id, identity="ticket 12").request.identity == "ticket 12"
    with pytest.raises(Conflict, match="that is answered"):
        ask(workspace, "access", request=request.id)


# --- consent


def test_a_row_without_consent_never_gets_in_and_a_withdrawn_one_is_not_trained_on(
    workspace: Workspace, project: Project
) -> None:
    path = project.folder / "sealwright.yaml"
    value = yaml.safe_load(path.read_text())
    value["charter"]["purpose_id"] = "credit-decision"
    value["data"]["basis"] = {
        "dataset": "loans", "controller": {"name": "Bank", "contact": "data@bank.example"},
        "lawful_basis": "consent", "purposes": {"credit-decision": "Deciding on loans"},
        "source": {"from": "applications", "collected_from": "2026-01-01"}, "subjects": ["applicants"],
        "recipients": [], "transfers": [], "retention": {"keep": "3 years"},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(value, sort_keys=False))
    consents = consents_of(workspace)
    for who in range(20):
        name = name_in(workspace, "loans", f"p{who}")
        consents.give("loans", name, "credit-decision", text_version="1", text=b"I agree.", channel="web", by="form")
    consents.withdraw("loans", name_in(workspace, "loans", "p7"), "credit-decision", channel="mail", by="form")
    snapshot = ingest(workspace, load_project(path), by=operator("ada")).snapshot
    persons = set(snapshot.read(["person"]).column("person").to_pylist())
    assert persons == {f"p{who}" for who in range(20)} - {"p7"}
    assert dict(snapshot.manifest["withheld"]) == {"consent_withdrawn": 3, "no_consent": 60}


def test_a_suppression_that_vanished_from_the_database_stops_the_next_ingest(
    workspace: Workspace, project: Project, snapshot: str
) -> None:
    from sealwright.kernel import VerificationFailed

    ask(workspace, "object")
    with workspace.db.write() as tx:
        tx.run("DELETE FROM suppressions")
    with pytest.raises(VerificationFailed, match="suppressions and the ledger differ"):
        ingest(workspace, project, by=operator("ada"), fresh=True)
