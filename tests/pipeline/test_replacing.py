"""A snapshot gives way for the sake of a person whole or not at all, never against a hold, wherever the power goes."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from acting import operator
from sealwright.data import Step, disposal, dispose_snapshot
from sealwright.kernel import FixedClock, Refused
from sealwright.pipeline import Workspace, create_workspace, ingest, load_project, rewriting
from sealwright.pipeline.consent_withdrawal import withdraw_consent
from sealwright.pipeline.data_consent import consents_of, name_in
from sealwright.pipeline.data_requests import requests_of
from sealwright.pipeline.data_retention import dispose_past_limit, holds_of
from sealwright.pipeline.person_rights import Asked, answer_person
from sealwright.pipeline.project import Project
from sealwright.pipeline.rewriting import replace_snapshot
from sealwright.pipeline.runs import RunStore
from sealwright.pipeline.snapshots import SnapshotIndex, opened, subject_keys_of
from sealwright.trust import InsecurePassphraseForTests, Ledger, Secret, raw_pseudonym

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
PERSONS = 8
SPEC: dict[str, Any] = {
    "format": 1,
    "project": "loans",
    "charter": {
        "purpose": "Estimate repayment to help an officer.",
        "purpose_id": "credit-decision",
        "owner": "Head of credit",
        "risk_class": "minimal",
    },
    "data": {
        "source": "loans.csv",
        "target": "repaid",
        "positive": "yes",
        "subject": "person",
        "columns": {
            "person": {"type": "text", "class": "personal", "role": "identifier"},
            "income": {"type": "integer", "class": "personal", "min": 0, "max": 1_000_000},
            "repaid": {"type": "category", "categories": ["yes", "no"]},
        },
        "basis": {
            "dataset": "loans",
            "controller": {"name": "Bank", "contact": "data@bank.example"},
            "lawful_basis": "consent",
            "purposes": {"credit-decision": "Deciding on loans"},
            "source": {"from": "applications", "collected_from": "2026-01-01"},
            "subjects": ["applicants"],
            "recipients": [],
            "transfers": [],
            "retention": {"keep": "3 years"},
        },
    },
}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def workspace(db_url: str, tmp_path: Path, clock: FixedClock) -> Iterator[Workspace]:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK, clock=clock, database=db_url) as made:
        for who in range(PERSONS):
            name = name_in(made, "loans", f"p{who}")
            consents_of(made).give(
                "loans", name, "credit-decision", text_version="1", text=b"I agree.", channel="web", by="form"
            )
        clock.advance(timedelta(days=1))
        yield made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "loans"
    folder.mkdir()
    lines = [f"p{n % PERSONS},{1000 + n},{'yes' if n % 3 else 'no'}" for n in range(3 * PERSONS)]
    (folder / "loans.csv").write_text("person,income,repaid\n" + "\n".join(lines) + "\n")
    (folder / "sealwright.yaml").write_text(yaml.safe_dump(SPEC, sort_keys=False))
    return load_project(folder)


@pytest.fixture
def snapshot(workspace: Workspace, project: Project) -> str:
    return ingest(workspace, project, by=operator("ada")).snapshot.digest


def erase(workspace: Workspace, **more: Any) -> Any:
    return answer_person(workspace, "loans", "p7", Asked(right="erase", **more), by=operator("dora"))


def correct(workspace: Workspace, **more: Any) -> Any:
    asked = Asked(right="correct", values={"income": "4242"}, **more)
    return answer_person(workspace, "loans", "p7", asked, by=operator("dora"))


def withdraw(workspace: Workspace, **_request: Any) -> Any:
    return withdraw_consent(workspace, "loans", "p7", None, channel="letter", by=operator("dora"))


VERBS: dict[str, Callable[..., Any]] = {"erase": erase, "correct": correct, "withdraw": withdraw}


def kept_rows(workspace: Workspace) -> list[list[dict[str, Any]]]:
    return [
        opened(workspace, one.digest, "loans", by="test", purpose="test").read().to_pylist()
        for one in SnapshotIndex(workspace.db).of_project("loans")
    ]


def incomes(workspace: Workspace) -> set[int]:
    """What is known of p7, in every snapshot that is kept."""
    return {row["income"] for rows in kept_rows(workspace) for row in rows if row["person"] == "p7"}


def folders(workspace: Workspace) -> set[str]:
    """The digests of all folders of snapshots, whatever the table says; and whatever else lies there."""
    return {f"sha256:{path.name}" for path in workspace.folder("snapshots").iterdir()}


def entries(workspace: Workspace, subject: str) -> list[str]:
    found = [one for one in workspace.ledger.entries() if one.subject == subject]
    return [one.action for one in found if one.action in {"data.redacted", "data.corrected", "data.disposed"}]


def run_snapshot(workspace: Workspace) -> str:
    run = RunStore(workspace.db, workspace.folder("runs"), workspace.clock).latest("loans")
    assert run is not None
    return str(run.product("ingest")["snapshot"])


def held(workspace: Workspace, scope: str, snapshot: str) -> str:
    target = {"project": "", "snapshot": snapshot, "subject": name_in(workspace, "loans", "p7")}[scope]
    return (
        holds_of(workspace)
        .add("loans", scope=scope, target=target, reason="Case 77/2026, the court asked for it", by="lena")  # type: ignore[arg-type]
        .id
    )


# --- holds


@pytest.mark.parametrize("scope", ["project", "snapshot", "subject"])
@pytest.mark.parametrize("right", ["erase", "correct"])
def test_a_hold_of_any_kind_stops_whatever_would_replace_the_snapshot_before_anything_happens(
    workspace: Workspace, snapshot: str, right: str, scope: str
) -> None:
    hold = held(workspace, scope, snapshot)
    with pytest.raises(Refused, match=f"{hold}.: nothing was {'erased' if right == 'erase' else 'corrected'}"):
        VERBS[right](workspace)
    assert folders(workspace) == {snapshot}
    assert incomes(workspace) == {1007, 1015, 1023}
    assert raw_pseudonym(name_in(workspace, "loans", "p7")) in subject_keys_of(workspace, "loans").existing()
    (waiting,) = requests_of(workspace).open()
    holds_of(workspace).lift(hold, reason="The case was settled", by="lena")
    assert VERBS[right](workspace, request=waiting.id).request.state == "answered"


@pytest.mark.parametrize("scope", ["project", "snapshot", "subject"])
def test_a_withdrawal_is_recorded_under_a_hold_of_any_kind_and_rewrites_nothing(
    workspace: Workspace, snapshot: str, scope: str
) -> None:
    hold = held(workspace, scope, snapshot)
    done = withdraw(workspace)
    assert (done.left, done.rewritten) == ((snapshot,), ())
    assert hold in done.why_left
    assert folders(workspace) == {snapshot}
    holds_of(workspace).lift(hold, reason="The case was settled", by="lena")
    assert [one.before for one in withdraw(workspace).rewritten] == [snapshot]


def test_a_hold_on_one_of_two_snapshots_stops_the_other_one_too(
    workspace: Workspace, project: Project, snapshot: str
) -> None:
    source = project.folder / "loans.csv"
    source.write_text(source.read_text() + "p1,7,yes\n")
    second = ingest(workspace, project, by=operator("ada")).snapshot.digest
    hold = held(workspace, "snapshot", second)
    for verb in (erase, correct):
        with pytest.raises(Refused, match=hold):
            verb(workspace)
    assert folders(workspace) == {snapshot, second}
    assert withdraw(workspace).left == (snapshot, second)


def test_a_hold_on_somebody_else_or_on_another_snapshot_stops_nobody(workspace: Workspace, snapshot: str) -> None:
    other = name_in(workspace, "loans", "p1")
    holds_of(workspace).add("loans", scope="subject", target=other, reason="Case 12/26", by="lena")
    holds_of(workspace).add("loans", scope="snapshot", target="sha256:" + "1" * 64, reason="Case 13/26", by="lena")
    assert erase(workspace).request.state == "answered"


def test_no_caller_replaces_a_snapshot_on_hold_even_if_it_never_asks(workspace: Workspace, snapshot: str) -> None:
    hold = held(workspace, "snapshot", snapshot)
    with pytest.raises(Refused, match=hold):
        replaced(workspace, snapshot)
    assert folders(workspace) == {snapshot}


def test_a_hold_that_is_set_while_the_new_snapshot_is_made_keeps_the_old_one(
    workspace: Workspace, snapshot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = rewriting.made_by

    def meanwhile(*known: Any, **more: Any) -> Any:
        held(workspace, "snapshot", snapshot)
        return real(*known, **more)

    monkeypatch.setattr(rewriting, "made_by", meanwhile)
    with pytest.raises(Refused, match="legal hold"):
        replaced(workspace, snapshot)
    assert snapshot in folders(workspace)
    assert SnapshotIndex(workspace.db).find(snapshot).state == "kept"


def replaced(workspace: Workspace, snapshot: str) -> str | None:
    return replace_snapshot(
        workspace,
        "loans",
        snapshot,
        lambda _snapshot: Step(kind="redact", why="test"),
        subject=name_in(workspace, "loans", "p7"),
        action="data.redacted",
        purpose="test",
        by="dora",
    )


# --- kills

STEPS = {
    "made": (rewriting, "made_by"),
    "noted": (SnapshotIndex, "remember"),
    "filed": (rewriting, "evidence_of"),
    "said": (SnapshotIndex, "end"),
    "out of sight": (disposal, "fsync_folder"),
    "removed": (disposal, "_remove"),
    "disposed of": (rewriting, "dispose_snapshot"),
    "proved": (Ledger, "append"),
    "pointed": (RunStore, "finish"),
}


def killed_at(patch: pytest.MonkeyPatch, step: str, snapshot: str, *, late: bool) -> None:
    """The process dies before a step on this snapshot, or right after it."""
    place, name = STEPS[step]
    real = getattr(place, name)

    def kill(*known: Any, **more: Any) -> Any:
        if name == "append" and not (known[2] == snapshot and known[1] in {"data.redacted", "data.corrected"}):
            return real(*known, **more)
        if late:
            real(*known, **more)
        raise KeyboardInterrupt

    patch.setattr(place, name, kill)


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("verb", "step"),
    [*product(("erase", "correct"), STEPS), *product(("withdraw",), ("said", "removed", "pointed"))],
)
def test_a_kill_at_any_step_leaves_nothing_of_the_old_snapshot_once_the_command_is_repeated(
    workspace: Workspace, snapshot: str, monkeypatch: pytest.MonkeyPatch, verb: str, step: str, late: bool
) -> None:
    with monkeypatch.context() as patch:
        killed_at(patch, step, snapshot, late=late)
        with pytest.raises(KeyboardInterrupt):
            VERBS[verb](workspace)
    open_now = requests_of(workspace).open()
    VERBS[verb](workspace, **({"request": open_now[0].id} if open_now else {}))
    assert incomes(workspace) == ({4242} if verb == "correct" else set())
    kept = SnapshotIndex(workspace.db).of_project("loans")
    assert folders(workspace) == {one.digest for one in kept}, "nothing lies here that nobody finds"
    (rows,) = kept_rows(workspace)
    assert len(rows) == 3 * (PERSONS if verb == "correct" else PERSONS - 1)
    gone = SnapshotIndex(workspace.db).find(snapshot)
    assert gone.state == "replaced"
    assert set(entries(workspace, snapshot)) == {"data.corrected" if verb == "correct" else "data.redacted"}
    assert run_snapshot(workspace) == kept[0].digest, "training goes on from what is left"


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["said", "removed", "disposed of", "proved"])
def test_a_kill_while_the_only_person_is_taken_out_leaves_nothing_once_it_is_repeated(
    workspace: Workspace, project: Project, monkeypatch: pytest.MonkeyPatch, step: str, late: bool
) -> None:
    (project.folder / "loans.csv").write_text("person,income,repaid\np7,1,yes\np7,2,no\n")
    snapshot = ingest(workspace, project, by=operator("ada")).snapshot.digest
    with monkeypatch.context() as patch:
        killed_at(patch, step, snapshot, late=late)
        with pytest.raises(KeyboardInterrupt):
            erase(workspace)
    (waiting,) = requests_of(workspace).open()
    erase(workspace, request=waiting.id)
    assert folders(workspace) == set()
    known = SnapshotIndex(workspace.db).find(snapshot)
    assert (known.state, known.successor) == ("replaced", None)
    assert set(entries(workspace, snapshot)) == {"data.redacted"}


def test_a_kill_before_the_files_go_is_answered_with_all_that_was_taken_out(
    workspace: Workspace, snapshot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        killed_at(patch, "said", snapshot, late=True)
        with pytest.raises(KeyboardInterrupt):
            erase(workspace)
    (waiting,) = requests_of(workspace).open()
    (rewritten,) = erase(workspace, request=waiting.id).detail["erased"]["rewritten"]
    assert (rewritten["before"], rewritten["rows"]) == (snapshot, 3)


def test_a_person_is_still_answered_after_a_kill_in_somebody_elses_erasure(
    workspace: Workspace, snapshot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        killed_at(patch, "proved", snapshot, late=False)
        with pytest.raises(KeyboardInterrupt):
            erase(workspace)
    asked = Asked(right="access")
    copy = answer_person(workspace, "loans", "p1", asked, by=operator("dora")).copy
    assert copy is not None
    assert [len(one["rows"]) for one in copy["held"]] == [3]


# --- what earlier versions left behind


@pytest.fixture
def orphan(workspace: Workspace, snapshot: str, tmp_path: Path) -> str:
    """A snapshot that was replaced, and whose folder with its keys and rows is there all the same."""
    folder = workspace.folder("snapshots") / snapshot.partition(":")[2]
    shutil.copytree(folder, tmp_path / "copy")
    answer_person(workspace, "loans", "p3", Asked(right="correct", values={"income": "3"}), by=operator("dora"))
    shutil.copytree(tmp_path / "copy", folder)
    assert snapshot in folders(workspace)
    return snapshot


@pytest.mark.parametrize("verb", VERBS)
def test_what_was_left_behind_goes_before_anything_is_said_to_be_done(
    workspace: Workspace, orphan: str, verb: str
) -> None:
    VERBS[verb](workspace)
    assert folders(workspace) == {one.digest for one in SnapshotIndex(workspace.db).of_project("loans")}
    assert entries(workspace, orphan) == ["data.corrected", "data.disposed"]


def test_what_was_left_behind_goes_with_the_retention_job_and_its_proof_is_on_file(
    workspace: Workspace, orphan: str
) -> None:
    assert dispose_past_limit(workspace, by=operator("job")) == []
    assert orphan not in folders(workspace)
    (entry,) = [one for one in workspace.ledger.entries() if one.action == "data.disposed"]
    assert (entry.subject, entry.detail["why"]) == (orphan, "left behind")
    assert "keys.json" in json.dumps(entry.detail["proof"])
    size = workspace.ledger.size
    dispose_past_limit(workspace, by=operator("job"))
    assert workspace.ledger.size == size, "once"


def test_what_was_left_out_of_sight_goes_too(workspace: Workspace, orphan: str) -> None:
    folder = workspace.folder("snapshots") / orphan.partition(":")[2]
    folder.rename(folder.with_name(f".disposed-{folder.name}"))
    erase(workspace)
    assert folders(workspace) == {one.digest for one in SnapshotIndex(workspace.db).of_project("loans")}


@pytest.mark.parametrize("scope", ["project", "snapshot", "subject"])
def test_what_was_left_behind_stays_while_a_hold_stands(workspace: Workspace, orphan: str, scope: str) -> None:
    hold = held(workspace, scope, orphan)
    dispose_past_limit(workspace, by=operator("job"))
    assert orphan in folders(workspace)
    with pytest.raises(Refused, match=hold):
        erase(workspace)
    assert orphan in folders(workspace)


def test_another_projects_snapshots_are_left_alone(workspace: Workspace, orphan: str) -> None:
    dispose_past_limit(workspace, by=operator("job"), project="cards")
    assert orphan in folders(workspace)
    dispose_snapshot(orphan, snapshots=workspace.folder("snapshots"))
