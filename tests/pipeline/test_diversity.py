"""A workspace answers who is in its data, reads no more than it must, and makes rows up from training rows only."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from acting import operator
from sealwright.data import Step, split
from sealwright.data.augment import refuse_too_close
from sealwright.kernel import InvalidInput, NotFound
from sealwright.pipeline import Project, Workspace, create_workspace, load_project
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.diversity import augmentation_of, diversity_of
from sealwright.pipeline.made_up import made_up
from sealwright.pipeline.rewriting import made_by
from sealwright.pipeline.snapshots import SnapshotIndex
from sealwright.pipeline.take_in import ingest, snapshot_of
from sealwright.trust import InsecurePassphraseForTests, Secret

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
REFERENCE = {"source": "A register", "date": 2024, "shares": {"sex": {"f": 0.5, "m": 0.5}}}
DATA: dict[str, Any] = {
    "source": "people.csv",
    "target": "y",
    "positive": "yes",
    "diversity": {"attributes": ["sex", {"age": [40]}], "reference": REFERENCE},
    "augment": {"method": "synthesiser", "folds": 2, "groups": [{"where": {"sex": "f"}, "rows": 30}]},
    "columns": {
        "person": {"type": "text", "role": "identifier"},
        "sex": {"type": "category", "categories": ["f", "m"], "role": "sensitive"},
        "age": {"type": "integer", "min": 18, "max": 90, "role": "sensitive"},
        "pay": {"type": "number", "min": 0},
        "y": {"type": "category", "categories": ["no", "yes"]},
    },
}
CHARTER = {"purpose": "A test.", "owner": "Nobody", "risk_class": "limited"}
Make = Callable[..., Project]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with create_workspace(tmp_path / "ws", name="Test", unlock=UNLOCK) as made:
        yield made


@pytest.fixture
def project(tmp_path: Path) -> Make:
    """The project with other settings of `data`; None takes one out."""
    rng, lines = np.random.default_rng(3), ["person,sex,age,pay,y"]
    for row in range(400):
        age, rich = int(rng.integers(18, 91)), rng.normal()
        sex, y = "f" if row % 4 == 0 else "m", "yes" if rich + rng.normal() > 0 else "no"
        lines.append(f"p{row},{sex},{age},{round(float(np.exp(rich) * 100), 2)},{y}")

    def make(**more: Any) -> Project:
        data = {name: value for name, value in {**DATA, **more}.items() if value is not None}
        folder = tmp_path / "project"
        folder.mkdir(exist_ok=True)
        (folder / "people.csv").write_text("\n".join(lines) + "\n")
        said = {"format": 1, "project": "people", "charter": CHARTER, "data": data}
        (folder / "sealwright.yaml").write_text(yaml.safe_dump(said, sort_keys=False))
        return load_project(folder)

    return make


def test_the_newest_snapshot_is_held_against_the_reference(workspace: Workspace, project: Make) -> None:
    wanted = project()
    with pytest.raises(NotFound, match="Nothing was done yet"):
        diversity_of(workspace, wanted, by=operator("ada"))
    taken = ingest(workspace, wanted, by=operator("ada"))
    view = diversity_of(workspace, wanted, by=operator("ada"))
    women = view.report.margin("sex").groups[0]
    assert view.declared
    assert view.report.source == "A register"
    assert (women.rows, women.state, women.to_limit) == (100, "under", 100)  # (100 + 100) / 500 = 0.8 x 0.5
    assert view.to_json()["snapshot"] == SnapshotIndex(workspace.db).of_project("people")[-1].digest
    assert taken.snapshot.rows >= 400


def test_only_the_columns_that_are_needed_are_unlocked(workspace: Workspace, project: Make) -> None:
    columns = {name: {**column, "class": "confidential"} for name, column in DATA["columns"].items()}
    columns |= {name: {**DATA["columns"][name], "class": "internal"} for name in ("sex", "age", "y")}
    wanted = project(columns=columns, augment=None)
    ingest(workspace, wanted, by=operator("ada"))
    diversity_of(workspace, wanted, by=operator("eve"))
    eve = workspace.discretion.name_of("eve")
    entries = [
        entry for entry in workspace.ledger.entries() if entry.action == "data.key_unwrapped" and entry.actor == eve
    ]
    keys = {key for entry in entries for key in entry.detail["keys"]}
    assert entries
    assert not [key for key in keys if "confidential" in key]


def test_without_a_declaration_the_groups_of_assurance_and_the_sensitive_columns_are_counted(
    workspace: Workspace, project: Make
) -> None:
    wanted = project(diversity=None, augment=None)
    ingest(workspace, wanted, by=operator("ada"))
    view = diversity_of(workspace, wanted, by=operator("ada"))
    assert not view.declared
    assert view.report.attributes == ("sex",)
    assert any("Not looked at: age" in note for note in view.report.notes)
    plain = {
        name: {**column, "role": "feature"} for name, column in DATA["columns"].items() if name not in {"person", "y"}
    }
    nobody = project(diversity=None, augment=None, columns={**DATA["columns"], **plain})
    with pytest.raises(InvalidInput, match="Nothing says which columns tell who people are"):
        diversity_of(workspace, nobody, by=operator("ada"))


def test_rows_are_made_up_from_training_rows_and_nothing_is_kept(workspace: Workspace, project: Make) -> None:
    plain = project(augment=None)
    ingest(workspace, plain, by=operator("ada"))
    wanted = project()
    before = [known.digest for known in SnapshotIndex(workspace.db).of_project("people")]
    found = augmentation_of(workspace, wanted, by=operator("ada"))
    assert found.train_rows == 300
    assert found.found.made.table.num_rows == 30
    assert found.found.made.groups[0].real < 100  # women who are kept apart to test are not learned from
    assert [known.digest for known in SnapshotIndex(workspace.db).of_project("people")] == before
    assert found.to_json() == augmentation_of(workspace, wanted, by=operator("ada")).to_json()
    with pytest.raises(InvalidInput, match="says nothing about made-up rows"):
        augmentation_of(workspace, plain, by=operator("ada"))


def test_made_up_rows_fit_a_snapshot_and_are_counted_for_nobody_and_learned_from_by_nobody(
    workspace: Workspace, project: Make
) -> None:
    """What a caller that keeps the rows does: a derived snapshot whose manifest marks them."""
    plain = project(augment=None)
    ingest(workspace, plain, by=operator("ada"))
    wanted = project()
    desk = Desk(workspace, wanted)
    raw = snapshot_of(desk, SnapshotIndex(workspace.db).of_project("people")[-1].digest, by="ada", purpose="augment")
    first = made_up(desk, raw)
    refuse_too_close(first.found)
    step = Step(kind="augment", add=first.found.made.table.to_batches(), synthetic=True)
    after = made_by(workspace, "people", raw, step)
    SnapshotIndex(workspace.db).remember(after, "people")
    assert (after.rows, after.synthetic) == (430, 30)
    view = diversity_of(workspace, wanted, by=operator("ada"))
    assert (view.report.rows, view.report.synthetic) == (400, 30)
    assert view.report.margin("sex").groups[0].rows == 100
    again = made_up(desk, after)
    assert (again.train_rows, again.found.made.groups[0].real) == (first.train_rows, first.found.made.groups[0].real)
    names = [str(name) for one in (first, again) for name in one.found.made.table["person"].to_pylist()]
    assert len(set(names)) == 60
    _, test = split(after.read(), wanted.spec.data, wanted.spec.training.seed, synthetic=after.synthetic)
    assert not [name for name in test["person"].to_pylist() if name.startswith("synthetic-")]
