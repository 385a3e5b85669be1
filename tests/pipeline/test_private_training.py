"""A private training spends from the budget of its dataset before it begins: refused, crashed, killed, all at once, again."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from acting import operator
from sealwright.data import Step
from sealwright.data.dp import PrivacyBudgetChanged, PrivacyBudgetMissing, PrivacyBudgetSpent, Query
from sealwright.data.privacy_budget import millionths
from sealwright.evidence import StatementStore, verify_any
from sealwright.kernel import InvalidInput, MissingExtra
from sealwright.pipeline import (
    Workspace,
    assess,
    create_workspace,
    ingest,
    load_project,
    open_workspace,
    run_way,
    train,
)
from sealwright.pipeline.alternatives import compare
from sealwright.pipeline.desk import Desk, evidence_of
from sealwright.pipeline.explainer import explainer_of
from sealwright.pipeline.privacy_budget import budget_of, set_budget
from sealwright.pipeline.private_release import release_private
from sealwright.pipeline.private_training import reserve, rows_learned_from
from sealwright.pipeline.project import Project
from sealwright.pipeline.rewriting import made_by
from sealwright.pipeline.snapshots import SnapshotIndex, opened
from sealwright.pipeline.variants_privacy import privacy_variants
from sealwright.training import TrainingLimit
from sealwright.trust import InsecurePassphraseForTests, LedgerUnavailable, Secret

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
PRIVATE: dict[str, Any] = {"recipe": "naive_bayes", "privacy": {"epsilon": 2.0, "delta": 1.0e-5}}
ONE_TRAINING = {"epsilon": 2.5, "training_delta": 2.0e-5}
COLUMNS: dict[str, Any] = {
    "person": {"type": "text", "class": "personal", "role": "identifier"},
    "income": {"type": "integer", "min": 0, "max": 100_000},
    "branch": {"type": "category", "categories": ["north", "south"]},
    "repaid": {"type": "category", "categories": ["yes", "no"]},
}


def lines(seed: int = 1, rows: int = 240) -> list[str]:
    draw = random.Random(seed)
    return [
        f"p{place // 3},{draw.randint(0, 100_000)},{draw.choice(['north', 'south'])},{draw.choice(['yes', 'no'])}"
        for place in range(rows)
    ]


Make = Callable[..., Project]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A project with its data: its name, how it trains, and what its data section says besides."""

    def project(
        name: str = "loans",
        training: dict[str, Any] = PRIVATE,
        columns: dict[str, Any] = COLUMNS,
        serving: dict[str, Any] | None = None,
        **data: Any,
    ) -> Project:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "loans.csv").write_text("\n".join(["person,income,branch,repaid", *lines()]) + "\n")
        said = {"source": "loans.csv", "target": "repaid", "positive": "yes", "privacy_budget": ONE_TRAINING, **data}
        charter = {"purpose": "Estimate repayment.", "owner": "Head of credit", "risk_class": "minimal"}
        kept = {key: value for key, value in said.items() if value is not None}
        spec = {
            "format": 1,
            "project": name,
            "charter": charter,
            "data": {**kept, "columns": columns},
            "training": training,
            "assurance": {"suites": ["performance"]},
            "serving": serving or {},
        }
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


def count(workspace: Workspace, project: Project, epsilon: str) -> None:
    release_private(workspace, project, Query(kind="count", epsilon=millionths(epsilon)), by=operator("ada"))


def spends(workspace: Workspace) -> list[Any]:
    return [one for one in workspace.ledger.entries() if one.action == "data.privacy_spent"]


def trained(workspace: Workspace, project: Project) -> bool:
    run = Desk(workspace, project).runs.latest(project.name)
    return run is not None and run.has("train")


# --- one training


def test_reasons_that_a_private_training_could_not_give_cost_no_budget(workspace: Workspace, make: Make) -> None:
    reasons = {
        name: {"code": f"R{place}", "text": f"Because of {name}."} for place, name in enumerate(("income", "branch"))
    }
    project = taken(workspace, make(serving={"reasons": reasons}))
    with pytest.raises(InvalidInput, match="there would be none"):
        train(workspace, project, by=operator("ada"))
    assert not trained(workspace, project)
    assert spends(workspace) == []


def test_a_training_and_releases_draw_on_one_budget_and_doing_it_again_costs_again(
    workspace: Workspace, make: Make
) -> None:
    project = taken(workspace, make())
    count(workspace, project, "0.25")
    done = train(workspace, project, by=operator("ada"))

    first, spent = spends(workspace)
    assert (spent.detail["kind"], spent.detail["epsilon"], spent.detail["training_delta"]) == ("training", "2", "1e-05")
    ada = workspace.discretion.name_of("ada")
    assert (spent.detail["recipe"], spent.detail["purpose"], spent.actor) == ("naive_bayes", done.run.id, ada)
    assert spent.detail["columns"] == ["income", "branch", "repaid"]
    assert spent.subject == first.subject

    said = done.record["privacy"]["budget"]
    assert (said["ledger_entry"], said["cost"]) == (spent.index, {"epsilon": "2", "delta": 1e-5})
    assert (said["spent"], said["left"], said["unit"]) == ("2.25", "0.25", "row")
    assert any("2.25 of 2.5 were spent" in note for note in done.record["notes"])
    provenance = StatementStore(workspace.db).get(done.run.product("train")["statements"]["provenance"])
    statement = verify_any(provenance.envelope, workspace.trust_root)
    assert statement.predicate["buildDefinition"]["internalParameters"]["privacy"]["budget"] == said
    assert provenance.ledger_index > spent.index

    view = budget_of(workspace, project, by=operator("ada")).to_json()
    assert (view["spent"], view["releases"], view["trainings"]) == ("2.25", 1, 1)
    assert [one["kind"] for one in view["spends"]] == ["count", "training"]
    assert view["spends"][1]["purpose"] == f"naive_bayes, {done.run.id}"

    # exact counts of leaves, or means of columns, would undo what the noise in the model protects
    assert "explainer" not in done.run.product("train")
    assert "privacy budget" in done.record["no_reasons"]
    assert explainer_of(Desk(workspace, project), done.run) is None

    again = train(workspace, project, by=operator("ada"))  # nothing it was made from changed: the model that is kept
    assert (again.again, again.model) == (True, done.model)
    assert train(workspace, make(privacy_budget={**ONE_TRAINING, "epsilon": 3}), by=operator("ada")).again
    assert len(spends(workspace)) == 2

    with pytest.raises(PrivacyBudgetSpent, match=r"count of rows would cost epsilon 0\.5; 0\.25 is left of 2\.5"):
        count(workspace, project, "0.5")
    ingest(workspace, project, by=operator("ada"), fresh=True)  # a new run: a new model with new noise
    with pytest.raises(PrivacyBudgetSpent, match=r"would cost epsilon 2; 0\.25 is left of 2\.5"):
        train(workspace, project, by=operator("ada"))
    other = taken(workspace, make("other"))  # the same file under another name
    with pytest.raises(PrivacyBudgetSpent, match="shared by the projects loans, other"):
        train(workspace, other, by=operator("ada"))
    assert len(spends(workspace)) == 2


def test_with_a_subject_a_person_is_protected_and_no_more_of_their_rows_are_learned_from(
    workspace: Workspace, make: Make
) -> None:
    budget = {"epsilon": 2, "training_delta": 1e-4, "most_rows_per_person": 2}
    training = {"recipe": "naive_bayes", "privacy": {"epsilon": 0.5, "delta": 1e-5}}
    project = taken(workspace, make(training=training, subject="person", privacy_budget=budget))
    done = train(workspace, project, by=operator("ada"))
    said = done.record["privacy"]["budget"]
    assert (said["unit"], said["rows_per_unit"], said["cost"]["epsilon"]) == ("person", 2, "1")
    assert 1e-5 * 2.64 < said["cost"]["delta"] < 1e-5 * 2.65, "1 + e^0.5"

    snapshot = opened(workspace, done.run.product("ingest")["snapshot"], "loans", by="x", purpose="x")
    kept = rows_learned_from(workspace, project, project.spec.training, snapshot.read())
    counts = kept.column("person").value_counts().to_pylist()
    assert {one["counts"] for one in counts} == {2}
    assert len(counts) == 80
    assert done.record["rows"] < 180, "three quarters of 240, without what is too much of one person"
    usual = project.spec.training.model_copy(update={"recipe": "logistic", "privacy": None})
    assert rows_learned_from(workspace, project, usual, snapshot.read()).num_rows == 240
    assert train(workspace, project, by=operator("ada")).again
    judged = assess(workspace, project, by=operator("ada")).suites["performance"]["findings"]
    (score,) = [one for one in judged if one["check"] == "performance.train_score"]
    assert score["n"] == done.record["rows"], "judged on the rows it learned from, not on those that were left out"
    looser = make(training=training, subject="person", privacy_budget={**budget, "most_rows_per_person": 3})
    with pytest.raises(PrivacyBudgetSpent, match=r"would cost epsilon 1\.5; 1 is left"):
        train(workspace, looser, by=operator("ada"))  # other rows, so another model


# --- refused: nothing trained, nothing spent, no package


def test_a_spent_budget_refuses_the_whole_way_and_makes_no_package(workspace: Workspace, make: Make) -> None:
    project = taken(workspace, make())
    count(workspace, project, "1")
    for verb in (train, run_way):
        with pytest.raises(
            PrivacyBudgetSpent, match=r"naive_bayes \(run_\w+\) would cost epsilon 2; 1\.5 is left of 2\.5"
        ):
            verb(workspace, project, by=operator("ada"))
    assert not trained(workspace, project)
    assert list(workspace.folder("packages").iterdir()) == []
    assert len(spends(workspace)) == 1
    keys = {one.detail["purpose"] for one in workspace.ledger.entries() if one.action == "data.key_unwrapped"}
    assert "assurance" not in keys


def test_without_a_budget_nothing_is_trained_and_the_line_to_add_is_said(workspace: Workspace, make: Make) -> None:
    project = taken(workspace, make(privacy_budget=None))
    with pytest.raises(PrivacyBudgetMissing, match=r"privacy_budget: \{epsilon: 2, training_delta: 1\.0e-05\}"):
        train(workspace, project, by=operator("ada"))
    with pytest.raises(PrivacyBudgetMissing):
        compare(workspace, project, privacy_variants(project), suites=(), by=operator("ada"))
    assert not trained(workspace, project)


def test_a_budget_for_releases_only_trains_nothing_until_it_says_so_on_record(workspace: Workspace, make: Make) -> None:
    project = taken(workspace, make(privacy_budget={"epsilon": 2.5}))
    count(workspace, project, "0.5")
    with pytest.raises(PrivacyBudgetSpent, match=r"they may add up to 0\..*\n.*training_delta: 1\.0e-05"):
        train(workspace, project, by=operator("ada"))
    grown = make()  # the project file alone is not enough once the budget is fixed
    desk, snapshot = Desk(workspace, grown), _snapshot(workspace)
    with pytest.raises(PrivacyBudgetSpent, match="they may add up to 0"):
        reserve(desk, snapshot, {"run_x": grown.spec.training}, by="ada")
    with pytest.raises(PrivacyBudgetChanged, match="--reason"):
        set_budget(workspace, grown, training_delta=1e-5, reason="", by=operator("ada"))
    found = set_budget(
        workspace, grown, training_delta=1e-5, reason="One model for the branch.", by=operator("ada")
    ).to_json()
    assert (found["fixed"], found["fixed_training_delta"], found["left"]) == ("2.5", 1e-5, "2")
    assert reserve(desk, snapshot, {"run_x": grown.spec.training}, by="ada")["run_x"].standing["left"] == "0"


def test_what_cannot_be_trained_costs_nothing(
    workspace: Workspace, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ended = {**COLUMNS, "income": {"type": "integer"}}
    with pytest.raises(InvalidInput, match="ranges and categories"):
        train(workspace, taken(workspace, make(columns=open_ended)), by=operator("ada"))
    with pytest.raises(InvalidInput, match="no parameter 'c'"):
        train(workspace, taken(workspace, make(training={**PRIVATE, "params": {"c": 1.0}})), by=operator("ada"))
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "opacus", None)  # as if it were not installed
        with pytest.raises(MissingExtra, match="torch"):
            train(workspace, taken(workspace, make(training={**PRIVATE, "recipe": "network"})), by=operator("ada"))
    assert spends(workspace) == []


def test_made_up_rows_are_not_learned_from_privately(workspace: Workspace, make: Make) -> None:
    project = taken(workspace, make())
    parent = _snapshot(workspace)
    rows = parent.read().slice(0, 50).combine_chunks().to_batches()
    after = made_by(workspace, "loans", parent, Step(kind="augment", add=rows, synthetic=True))
    SnapshotIndex(workspace.db).remember(after, "loans")
    evidence_of(workspace).file_statement(after.statement, project="loans")
    with pytest.raises(InvalidInput, match="50 rows of the snapshot were made up"):
        reserve(Desk(workspace, project), after, {"run_x": project.spec.training}, by="ada")
    assert spends(workspace) == []


def test_private_ways_are_compared_all_or_none(workspace: Workspace, make: Make) -> None:
    plain = {"recipe": "logistic", "search": {"trials": 0}}
    project = taken(workspace, make(training=plain))
    ways = privacy_variants(project)
    with pytest.raises(
        PrivacyBudgetSpent, match=r"(?s)The 4 private trainings together would cost epsilon 12\.5;.*--only"
    ):
        compare(workspace, project, ways, suites=(), by=operator("ada"))
    assert spends(workspace) == []
    some = reserve(
        Desk(workspace, project),
        _snapshot(workspace),
        {one.name: project.spec.training.model_validate({**plain, **one.training}) for one in ways[:2]},
        purpose="comparison, ",
        by="ada",
    )
    assert list(some) == ["privacy-0.5", "privacy-1"]
    assert [one.detail["purpose"] for one in spends(workspace)] == ["comparison, privacy-0.5", "comparison, privacy-1"]
    assert {one.standing["spent"] for one in some.values()} == {"1.5"}


def _snapshot(workspace: Workspace, project: str = "loans") -> Any:
    return opened(workspace, SnapshotIndex(workspace.db).of_project(project)[-1].digest, project, by="x", purpose="x")


# --- what goes wrong


def test_when_the_ledger_cannot_write_nothing_is_trained(
    workspace: Workspace, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sealwright.trust.ledger_file import AppendFile

    project, append = taken(workspace, make()), AppendFile.append

    def full(self: AppendFile, data: bytes) -> None:
        if b"data.privacy_spent" in data:
            raise OSError(28, "No space left on device")
        append(self, data)

    monkeypatch.setattr(AppendFile, "append", full)
    with pytest.raises(LedgerUnavailable, match="Nothing was recorded"):
        train(workspace, project, by=operator("ada"))
    assert not trained(workspace, project)


def test_a_training_that_fails_after_it_began_stays_spent(workspace: Workspace, make: Make) -> None:
    project = taken(workspace, make(training={**PRIVATE, "limits": {"seconds": 0.01}}))
    with pytest.raises(TrainingLimit):
        train(workspace, project, by=operator("ada"))
    assert not trained(workspace, project)
    assert budget_of(workspace, project, by=operator("ada")).to_json()["left"] == "0.5"
    with pytest.raises(PrivacyBudgetSpent, match=r"0\.5 is left"):
        train(workspace, make(), by=operator("ada"))


_CHILD = """
import sys
from pathlib import Path
from sealwright.data.dp import PrivacyBudgetSpent
from sealwright.pipeline import load_project, open_workspace, train
from sealwright.trust import InsecurePassphraseForTests, LedgerInUse, Principal, Secret

ada = Principal(kind="person", name="ada", proof="machine_account")
unlock = InsecurePassphraseForTests(Secret("correct horse battery staple"))
try:
    with open_workspace(Path(sys.argv[1]), unlock) as workspace:
        train(workspace, load_project(Path(sys.argv[2])), by=ada)
    print("trained")
except PrivacyBudgetSpent:
    print("refused")
except LedgerInUse:
    print("busy")
"""


def _child(home: Path, project: Project) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(home), str(project.folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )


def test_a_training_that_is_killed_stays_spent(tmp_path: Path, make: Make) -> None:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK) as workspace:
        project = taken(workspace, make())
    log = tmp_path / "ws" / "ledger" / "entries.log"
    child = _child(tmp_path / "ws", project)
    until = time.monotonic() + 120
    while b"data.privacy_spent" not in log.read_bytes():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < until
        time.sleep(0.005)
    child.send_signal(signal.SIGKILL)
    out, _ = child.communicate(timeout=60)
    assert out == "", "it had not come to its end"
    with open_workspace(tmp_path / "ws", UNLOCK) as workspace:
        assert not trained(workspace, project)
        assert [one.detail["kind"] for one in spends(workspace)] == ["training"]
        assert budget_of(workspace, project, by=operator("ada")).to_json()["left"] == "0.5"
        with pytest.raises(PrivacyBudgetSpent):
            train(workspace, project, by=operator("ada"))


# --- all at once


def test_two_threads_cannot_both_take_what_is_left(workspace: Workspace, make: Make) -> None:
    projects = [taken(workspace, make(name)) for name in ("loans", "other")]  # the same file, so one budget
    answers: list[str] = []
    start = threading.Barrier(2)

    def go(project: Project) -> None:
        start.wait()
        try:
            train(workspace, project, by=operator("ada"))
            answers.append("trained")
        except PrivacyBudgetSpent:
            answers.append("refused")

    threads = [threading.Thread(target=go, args=(one,)) for one in projects]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["refused", "trained"]
    assert len(spends(workspace)) == 1
    assert [trained(workspace, one) for one in projects].count(True) == 1


def test_two_programs_cannot_both_take_what_is_left(tmp_path: Path, make: Make) -> None:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK) as workspace:
        projects = [taken(workspace, make(name)) for name in ("loans", "other")]
    said = []
    for child in [_child(tmp_path / "ws", one) for one in projects]:
        out, err = child.communicate(timeout=240)
        assert child.returncode == 0, err
        said.append(out.strip())
    with open_workspace(tmp_path / "ws", UNLOCK) as workspace:
        assert len(spends(workspace)) == 1
        assert said.count("trained") == 1
        assert set(said) <= {"trained", "refused", "busy"}
