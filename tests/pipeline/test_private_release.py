"""A dataset gives out what its budget allows and no more: after a restart, in a copy, under another name, all at once."""

import json
import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from acting import operator
from sealwright.data import Step
from sealwright.data.dp import (
    BoundsMissing,
    PrivacyBookBroken,
    PrivacyBudgetChanged,
    PrivacyBudgetMissing,
    PrivacyBudgetSpent,
    Query,
)
from sealwright.data.privacy_budget import millionths
from sealwright.evidence import StatementStore, verify_any
from sealwright.kernel import InvalidInput, NotFound
from sealwright.pipeline import Workspace, create_workspace, ingest, load_project, open_workspace
from sealwright.pipeline.desk import evidence_of
from sealwright.pipeline.privacy_budget import budget_of, set_budget
from sealwright.pipeline.private_release import PRIVATE_RELEASE_TYPE, PrivateRelease, release_private
from sealwright.pipeline.project import Project
from sealwright.pipeline.rewriting import made_by
from sealwright.pipeline.snapshots import SnapshotIndex, opened
from sealwright.trust import InsecurePassphraseForTests, LedgerUnavailable, Secret

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
COLUMNS: dict[str, Any] = {
    "person": {"type": "text", "class": "personal", "role": "identifier"},
    "income": {"type": "integer", "min": 0, "max": 100_000},
    "rate": {"type": "number"},
    "branch": {"type": "category", "categories": ["north", "south"]},
    "repaid": {"type": "category", "categories": ["yes", "no"]},
}


def lines(rows: int = 300, seed: int = 1) -> list[str]:
    draw = random.Random(seed)
    return [
        f"p{place // 3},{draw.randint(0, 100_000)},{draw.uniform(0, 9):.4f},{draw.choice(['north', 'south'])},"
        f"{draw.choice(['yes', 'no'])}"
        for place in range(rows)
    ]


Make = Callable[..., Project]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A project with its data: its name, rows, columns, and what its data section says besides."""

    def project(
        name: str = "loans",
        rows: list[str] | None = None,
        columns: dict[str, Any] = COLUMNS,
        header: str = "person,income,rate,branch,repaid",
        **data: Any,
    ) -> Project:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "loans.csv").write_text("\n".join([header, *(lines() if rows is None else rows)]) + "\n")
        said = {"source": "loans.csv", "target": "repaid", "positive": "yes", "privacy_budget": {"epsilon": 1.0}}
        charter = {"purpose": "Estimate repayment.", "owner": "Head of credit", "risk_class": "minimal"}
        spec = {"format": 1, "project": name, "charter": charter, "data": {**said, "columns": columns, **data}}
        spec["data"] = {key: value for key, value in spec["data"].items() if value is not None}
        (folder / "sealwright.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
        return load_project(folder)

    return project


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK) as made:
        yield made


def taken(workspace: Workspace, project: Project) -> Project:
    ingest(workspace, project, by=operator("ada"))
    return project


def count(workspace: Workspace, project: Project, epsilon: str = "0.1", **more: Any) -> PrivateRelease:
    return ask(workspace, project, "count", epsilon, **more)


def ask(workspace: Workspace, project: Project, kind: Any, epsilon: str = "0.1", **more: Any) -> PrivateRelease:
    snapshot = more.pop("snapshot", None)
    asked = Query(kind=kind, epsilon=millionths(epsilon), **more)
    return release_private(workspace, project, asked, by=operator("ada"), snapshot=snapshot)


def left(workspace: Workspace, project: Project) -> str:
    return str(budget_of(workspace, project, by=operator("ada")).to_json()["left"])


# --- one release


@pytest.mark.parametrize("db_url", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_a_release_is_signed_with_its_numbers_cost_and_accuracy(db_url: str, tmp_path: Path, make: Make) -> None:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK, database=db_url) as workspace:
        project = taken(workspace, make())
        done = count(workspace, project, "0.2")
        filed = StatementStore(workspace.db).get(done.statement)
        statement = verify_any(filed.envelope, workspace.trust_root)
        assert statement.predicate_type == PRIVATE_RELEASE_TYPE
        said = statement.predicate
        assert said == done.said
        assert (said["unit"], said["rows_per_unit"]) == ("row", 1)
        assert said["privacy"]["epsilon"] == "0.2"
        assert abs(said["numbers"]["value"] - 300) < 300
        assert said["accuracy"]["lower"] <= max(0, said["numbers"]["value"]) <= said["accuracy"]["upper"]
        assert said["budget"]["left"] == "0.8"
        assert said["noise"]["scale"] == 5.0
        assert "with 95 % confidence" in done.words
        assert left(workspace, project) == "0.8"


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("count", {"where": (("branch", "north"),)}),
        ("mean", {"column": "income"}),
        ("mean", {"column": "rate", "lower": "0", "upper": "9"}),
        ("histogram", {"column": "branch"}),
        ("histogram", {"column": "income", "bins": 4}),
        ("quantile", {"column": "income", "at": 0.5}),
    ],
)
def test_every_kind_of_release_costs_what_it_says(workspace: Workspace, make: Make, kind: str, more: Any) -> None:
    project = taken(workspace, make())
    done = ask(workspace, project, kind, "0.25", **more)
    json.dumps(done.to_json(), allow_nan=False)
    assert left(workspace, project) == "0.75"


def test_neither_statement_nor_spend_tells_apart_two_datasets_that_differ_in_one_row(
    workspace: Workspace, make: Make
) -> None:
    """No digest of rows, no exact number of rows, in what is published; no result in the ledger."""
    project = taken(workspace, make())
    snapshot = SnapshotIndex(workspace.db).of_project("loans")[-1]
    start = workspace.ledger.size
    done = ask(workspace, project, "mean", "0.3", column="income", where=(("branch", "north"),))
    published = json.dumps(done.to_json())
    assert snapshot.digest.removeprefix("sha256:") not in published
    assert set(done.said) == {
        "format", "project", "release", "at", "query", "unit", "rows_per_unit", "bounds", "privacy", "numbers", "accuracy",
        "mechanism", "noise", "budget",
    }  # fmt: skip
    assert set(done.said["numbers"]) == {"value", "rows"}
    (spent,) = [one for one in workspace.ledger.entries(start) if one.action == "data.privacy_spent"]
    assert spent.actor == workspace.discretion.name_of("ada")
    assert spent.subject == snapshot.digest
    assert spent.detail["columns"] == ["income", "branch"]
    assert (spent.detail["epsilon"], spent.detail["rho"], spent.detail["delta"]) == ("0.3", "0.045", "0.0")
    assert set(spent.detail) == {
        "project", "release", "kind", "columns", "epsilon", "delta", "rho", "unit", "rows_per_unit",
        "permission", "policies",
    }  # fmt: skip
    assert "north" not in str(spent.detail)


def test_the_cost_is_in_the_ledger_before_the_statement(workspace: Workspace, make: Make) -> None:
    project = taken(workspace, make())
    done = count(workspace, project)
    spent = workspace.ledger.entry(done.said["budget"]["ledger_entry"])
    assert (spent.action, spent.detail["release"]) == ("data.privacy_spent", done.said["release"])
    assert StatementStore(workspace.db).get(done.statement).ledger_index > spent.index


def test_made_up_rows_are_not_counted(workspace: Workspace, make: Make) -> None:
    project = taken(workspace, make(privacy_budget={"epsilon": 20}))
    parent = opened(workspace, SnapshotIndex(workspace.db).of_project("loans")[-1].digest, "loans", by="x", purpose="x")
    rows = parent.read().slice(0, 250).combine_chunks().to_batches()
    after = made_by(workspace, "loans", parent, Step(kind="augment", add=rows, synthetic=True))
    SnapshotIndex(workspace.db).remember(after, "loans")
    evidence_of(workspace).file_statement(after.statement, project="loans")
    assert after.rows == 550
    done = count(workspace, project, "10", snapshot=after.digest)
    assert abs(int(done.said["numbers"]["value"]) - 300) < 10


# --- persons


def test_with_a_subject_a_person_is_protected_and_counted_with_so_many_rows(workspace: Workspace, make: Make) -> None:
    project = taken(workspace, make(subject="person", privacy_budget={"epsilon": 60, "most_rows_per_person": 2}))
    done = count(workspace, project, "20")
    assert (done.said["unit"], done.said["rows_per_unit"]) == ("person", 2)
    assert "one person, counted with at most 2 rows" in done.protection.words
    assert done.said["noise"] == {"scale": 0.1, "sensitivity": 2}
    assert abs(int(done.said["numbers"]["value"]) - 200) < 3, "100 persons with three rows each, two of them counted"
    assert "p1" not in json.dumps(done.to_json())


def test_rows_once_released_by_row_are_not_released_by_person(workspace: Workspace, make: Make) -> None:
    count(workspace, taken(workspace, make()))
    project = taken(workspace, make(subject="person"))
    with pytest.raises(PrivacyBudgetChanged, match="protect each row"):
        count(workspace, project)


def test_a_snapshot_without_the_persons_the_contract_names_has_to_be_made_again(
    workspace: Workspace, make: Make
) -> None:
    taken(workspace, make())
    with pytest.raises(InvalidInput, match="ingest"):
        count(workspace, make(subject="person"))


# --- refusals


def test_a_spent_budget_refuses_and_goes_on_refusing_after_a_restart(tmp_path: Path, make: Make) -> None:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK) as workspace:
        project = taken(workspace, make())
        for _ in range(3):
            count(workspace, project, "0.3")
        size = workspace.ledger.size
        with pytest.raises(PrivacyBudgetSpent, match=r"would cost epsilon 0\.3; 0\.1 is left of 1"):
            count(workspace, project, "0.3")
        assert "data.privacy_spent" not in {one.action for one in workspace.ledger.entries(size)}
        count(workspace, project, "0.1")
    for _ in range(2):
        with open_workspace(tmp_path / "ws", UNLOCK) as again, pytest.raises(PrivacyBudgetSpent, match="0 is left"):
            count(again, project, "0.000002")


def test_without_a_budget_nothing_is_released(workspace: Workspace, make: Make) -> None:
    project = taken(workspace, make(privacy_budget=None))
    with pytest.raises(PrivacyBudgetMissing, match=r"data\.privacy_budget"):
        count(workspace, project)


def test_without_data_or_bounds_nothing_is_spent(workspace: Workspace, make: Make) -> None:
    with pytest.raises(NotFound, match="sealwright ingest"):
        count(workspace, make())
    project = taken(workspace, make())
    with pytest.raises(BoundsMissing):
        ask(workspace, project, "mean", column="rate")
    with pytest.raises(InvalidInput):
        count(workspace, project, where=(("branch", "east"),))
    assert left(workspace, project) == "1"


def test_when_the_ledger_cannot_write_nothing_is_drawn(
    workspace: Workspace, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk at the very moment the cost is written down."""
    from sealwright.data.dp import mechanisms
    from sealwright.trust.ledger_file import AppendFile

    project = taken(workspace, make())
    count(workspace, project)
    drawn, append = [], AppendFile.append
    count_mechanism = mechanisms._count

    def watched(*given: Any) -> Any:
        draw = count_mechanism(*given)
        return lambda values: drawn.append(1) or draw(values)  # type: ignore[func-returns-value]

    def full(self: AppendFile, data: bytes) -> None:
        if b"data.privacy_spent" in data:
            raise OSError(28, "No space left on device")
        append(self, data)

    monkeypatch.setattr(mechanisms, "_count", watched)
    monkeypatch.setattr(AppendFile, "append", full)
    with pytest.raises(LedgerUnavailable, match="Nothing was recorded"):
        count(workspace, project)
    assert drawn == []
    monkeypatch.setattr(AppendFile, "append", append)
    assert left(workspace, project) == "0.9"
    count(workspace, project)
    assert drawn == [1]


def test_what_fails_after_the_cost_was_written_stays_spent(
    workspace: Workspace, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sealwright.evidence import Evidence

    project = taken(workspace, make())

    def fails(*_given: Any, **_more: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken, pytest.raises(OSError, match="No space"):
        broken.setattr(Evidence, "file_statement", fails)
        count(workspace, project, "0.4")
    assert left(workspace, project) == "0.6"


def test_a_snapshot_of_another_project_is_not_read(workspace: Workspace, make: Make) -> None:
    taken(workspace, make())
    other = taken(workspace, make("other", lines(seed=9)))
    (theirs,) = SnapshotIndex(workspace.db).of_project("loans")
    with pytest.raises(NotFound, match="other has no snapshot"):
        count(workspace, other, snapshot=theirs.digest)


# --- no fresh budget under another name


def spent_in(workspace: Workspace, project: Project) -> None:
    count(workspace, taken(workspace, project), "0.9")


def refused(workspace: Workspace, project: Project) -> None:
    ingest(workspace, project, by=operator("ada"))
    with pytest.raises(PrivacyBudgetSpent, match=r"0\.1 is left"):
        count(workspace, project, "0.2")


def test_the_same_file_in_another_project_has_no_fresh_budget(workspace: Workspace, make: Make) -> None:
    spent_in(workspace, make())
    refused(workspace, make("other", privacy_budget={"epsilon": 50}))


def test_a_copy_in_another_order_has_no_fresh_budget(workspace: Workspace, make: Make) -> None:
    spent_in(workspace, make())
    mixed = lines()
    random.Random(5).shuffle(mixed)
    refused(workspace, make("other", mixed))


def test_a_copy_with_some_rows_gone_and_some_added_has_no_fresh_budget(workspace: Workspace, make: Make) -> None:
    spent_in(workspace, make())
    refused(workspace, make("other", [*lines()[60:], *lines(90, seed=7)]))


def test_a_copy_under_another_contract_has_no_fresh_budget(workspace: Workspace, make: Make) -> None:
    spent_in(workspace, make())
    other = {
        "who": {"type": "text", "role": "ignore"},
        "earns": {"type": "number", "min": -5, "max": 200_000},
        "branch": {"type": "category", "categories": ["south", "north"], "class": "public"},
        "repaid": {"type": "category", "categories": ["no", "yes"]},
    }
    rows = [",".join(line.split(",")[place] for place in (0, 1, 3, 4)) for line in reversed(lines())]
    refused(workspace, make("other", rows, columns=other, header="who,earns,branch,repaid"))


def test_new_data_in_the_same_project_has_no_fresh_budget(workspace: Workspace, make: Make) -> None:
    spent_in(workspace, make())
    refused(workspace, make(rows=lines(seed=9)))


def test_a_snapshot_made_from_it_has_no_fresh_budget_even_where_its_parent_is_gone(
    workspace: Workspace, make: Make
) -> None:
    from sealwright.data import dispose_snapshot

    project = taken(workspace, make())
    index = SnapshotIndex(workspace.db)
    first = index.of_project("loans")[-1].digest
    count(workspace, project, "0.9")
    parent = opened(workspace, first, "loans", by="x", purpose="x")

    def nearly_all_new(table: pa.Table, _before: int) -> pa.Table:
        place = table.column_names.index("income")
        return table.set_column(place, table.schema.field(place), [pa.array(range(table.num_rows), pa.int64())])

    after = made_by(workspace, "elsewhere", parent, Step(kind="clean", change=nearly_all_new))
    index.remember(after, "elsewhere")
    evidence_of(workspace).file_statement(after.statement, project="elsewhere")
    dispose_snapshot(first, snapshots=workspace.folder("snapshots"))
    other = make("elsewhere")
    with pytest.raises(PrivacyBudgetSpent, match=r"0\.1 is left"):
        count(workspace, other, "0.2")


def test_other_data_in_another_project_has_a_budget_of_its_own(workspace: Workspace, make: Make) -> None:
    spent_in(workspace, make())
    other = taken(workspace, make("other", lines(seed=9)))
    count(workspace, other, "0.9")
    assert left(workspace, other) == "0.1"


# --- the budget itself


def test_a_budget_that_grew_in_the_project_file_alone_does_not_count(workspace: Workspace, make: Make) -> None:
    count(workspace, taken(workspace, make()), "0.9")
    grown = make(privacy_budget={"epsilon": 5.0, "delta": 1e-6})
    with pytest.raises(PrivacyBudgetSpent, match=r"0\.1 is left of 1"):
        count(workspace, grown, "0.2")
    shrunk = make(privacy_budget={"epsilon": 0.95})
    assert left(workspace, shrunk) == "0.05"


def test_more_needs_a_reason_and_less_is_free(workspace: Workspace, make: Make) -> None:
    project = taken(workspace, make(privacy_budget={"epsilon": 5.0}))
    assert set_budget(workspace, project, epsilon="1", reason="", by=operator("ada")).to_json()["left"] == "1"
    count(workspace, project, "0.9")
    with pytest.raises(PrivacyBudgetChanged, match="--reason"):
        set_budget(workspace, project, epsilon="2", reason=" so  ", by=operator("ada"))
    with pytest.raises(PrivacyBudgetSpent):
        count(workspace, project, "0.2")
    found = set_budget(
        workspace, project, epsilon="2", reason="The council asked for one more table.", by=operator("dora")
    )
    assert (found.to_json()["left"], found.to_json()["fixed"]) == ("1.1", "2")
    count(workspace, project, "0.2")
    entries = [one for one in workspace.ledger.entries() if one.action == "data.privacy_budget_set"]
    told = workspace.discretion
    assert [(one.detail["epsilon"], one.actor) for one in entries] == [
        ("1", told.name_of("ada")),
        ("2", told.name_of("dora")),
    ]
    assert told.words_of(entries[-1]) == "The council asked for one more table."


def test_a_raised_budget_counts_only_as_far_as_the_project_file_says(workspace: Workspace, make: Make) -> None:
    project = taken(workspace, make())
    count(workspace, project, "0.9")
    found = set_budget(
        workspace, project, epsilon="9", reason="One more table for the council.", by=operator("ada")
    ).to_json()
    assert (found["declared"], found["fixed"], found["left"]) == ("1", "9", "0.1")
    assert left(workspace, make(privacy_budget={"epsilon": 2})) == "1.1"


@pytest.mark.parametrize(
    ("epsilon", "delta"), [("0", None), ("-3", None), ("x", None), ("1e9", None), ("1", 0.5), ("1", -1.0)]
)
def test_a_budget_that_is_none_is_refused(workspace: Workspace, make: Make, epsilon: str, delta: float | None) -> None:
    project = taken(workspace, make())
    with pytest.raises(InvalidInput):
        set_budget(workspace, project, epsilon=epsilon, delta=delta, reason="good reasons", by=operator("ada"))


def test_with_a_delta_many_small_releases_cost_less(workspace: Workspace, make: Make) -> None:
    project = taken(workspace, make(privacy_budget={"epsilon": 0.45, "delta": 1e-3}))
    done = [count(workspace, project, "0.02") for _ in range(24)]
    assert done[-1].said["budget"]["composition"] == "basic or zCDP at delta 0.001, the smaller"
    assert float(done[-1].said["budget"]["spent"]) <= 0.45 < 24 * 0.02
    assert 0 < float(done[-1].said["budget"]["left"]) < 0.2


# --- copies and old copies


def test_a_copy_of_the_workspace_knows_what_was_spent(tmp_path: Path, make: Make) -> None:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK) as workspace:
        project = taken(workspace, make())
        count(workspace, project, "0.9")
    shutil.copytree(tmp_path / "ws", tmp_path / "copy")
    with open_workspace(tmp_path / "copy", UNLOCK) as copy, pytest.raises(PrivacyBudgetSpent):
        count(copy, project, "0.2")


def test_an_old_ledger_is_noticed(tmp_path: Path, make: Make) -> None:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK) as workspace:
        project = taken(workspace, make())
    shutil.copytree(tmp_path / "ws" / "ledger", tmp_path / "old")
    with open_workspace(tmp_path / "ws", UNLOCK) as workspace:
        count(workspace, project, "0.9")
    shutil.rmtree(tmp_path / "ws" / "ledger")
    shutil.copytree(tmp_path / "old", tmp_path / "ws" / "ledger")
    shutil.rmtree(tmp_path / "ws" / "keys" / "signed")  # else the signer would not sign for the old copy at all
    with open_workspace(tmp_path / "ws", UNLOCK) as workspace:
        with pytest.raises(PrivacyBookBroken, match="old copy"):
            count(workspace, project, "0.2")
        for place in range(30):  # and as long as before, but with other entries
            workspace.ledger.append("note.made", f"note {place}", {})
        with pytest.raises(PrivacyBookBroken, match="old copy"):
            budget_of(workspace, project, by=operator("ada"))


def test_a_database_put_back_does_not_bring_the_budget_back(tmp_path: Path, make: Make) -> None:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK) as workspace:
        project = taken(workspace, make())
    shutil.copy(tmp_path / "ws" / "db.sqlite", tmp_path / "old.sqlite")
    with open_workspace(tmp_path / "ws", UNLOCK) as workspace:
        count(workspace, project, "0.9")
    for name in ("db.sqlite-wal", "db.sqlite-shm"):
        (tmp_path / "ws" / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "old.sqlite", tmp_path / "ws" / "db.sqlite")
    with open_workspace(tmp_path / "ws", UNLOCK) as workspace, pytest.raises(PrivacyBudgetSpent):
        count(workspace, project, "0.2")


# --- all at once


def granted(workspace: Workspace) -> int:
    return sum(
        millionths(one.detail["epsilon"]) for one in workspace.ledger.entries() if one.action == "data.privacy_spent"
    )


def test_threads_together_get_no_more_than_the_budget(workspace: Workspace, make: Make) -> None:
    project = taken(workspace, make())
    answers: list[str] = []
    start = threading.Barrier(8)

    def many() -> None:
        start.wait()
        for _ in range(3):
            try:
                count(workspace, project, "0.15")
                answers.append("released")
            except PrivacyBudgetSpent:
                answers.append("refused")

    threads = [threading.Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 24
    assert answers.count("released") == 6
    assert granted(workspace) == millionths("0.9")


_CHILD = """
import sys
from pathlib import Path
from sealwright.data.dp import PrivacyBudgetSpent, Query
from sealwright.pipeline import load_project, open_workspace
from sealwright.pipeline.private_release import release_private
from sealwright.trust import InsecurePassphraseForTests, LedgerInUse, Principal, Secret

ada = Principal(kind="person", name="ada", proof="machine_account")
unlock = InsecurePassphraseForTests(Secret("correct horse battery staple"))
project, said = load_project(Path(sys.argv[2])), []
for _ in range(2):
    try:
        with open_workspace(Path(sys.argv[1]), unlock) as workspace:
            release_private(workspace, project, Query(kind="count", epsilon=300_000), by=ada)
        said.append("released")
    except PrivacyBudgetSpent:
        said.append("refused")
    except LedgerInUse:
        said.append("busy")
print(" ".join(said))
"""


def test_programs_together_get_no_more_than_the_budget(tmp_path: Path, make: Make) -> None:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK) as workspace:
        project = taken(workspace, make())
        other = taken(workspace, make("other"))  # the same file under another name draws on the same budget
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(tmp_path / "ws"), str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        for folder in (project.folder, other.folder, project.folder)
    ]
    said = []
    for child in children:
        out, err = child.communicate(timeout=120)
        assert child.returncode == 0, err
        said += out.split()
    assert len(said) == 6
    with open_workspace(tmp_path / "ws", UNLOCK) as workspace:
        assert granted(workspace) == said.count("released") * millionths("0.3")
        assert 0 < granted(workspace) <= millionths("1")
        assert said.count("released") == 3 or "busy" in said
