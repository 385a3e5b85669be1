"""Between ingest and training: declared steps, each a snapshot of its own, every change on record and taken back exactly."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from acting import operator
from sealwright.data import DataSpec, split
from sealwright.kernel import FixedClock, StoppedByPolicy
from sealwright.pipeline import Workspace, create_workspace, ingest, load_project, train
from sealwright.pipeline.incremental import change_data
from sealwright.pipeline.person_rights import Asked, answer_person
from sealwright.pipeline.prepared import undone
from sealwright.pipeline.project import Project
from sealwright.pipeline.snapshots import SnapshotIndex, opened
from sealwright.trust import InsecurePassphraseForTests, Secret

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
ROWS = 240

SPEC: dict[str, Any] = {
    "format": 1,
    "project": "visits",
    "charter": {"purpose": "Estimate who comes back.", "owner": "Head of care", "risk_class": "minimal"},
    "data": {
        "source": "visits.csv",
        "target": "back",
        "positive": "yes",
        "subject": "person",
        "columns": {
            "person": {"type": "text", "class": "personal", "role": "identifier"},
            "town": {"type": "category", "categories": ["Bonn", "bonn", "Ulm"]},
            "sex": {"type": "category", "categories": ["f", "m"], "class": "special", "role": "sensitive"},
            "weight": {"type": "number", "nullable": True, "class": "personal"},
            "seen": {"type": "date"},
            "back": {"type": "category", "categories": ["no", "yes"]},
        },
    },
    "training": {"recipe": "logistic", "seed": 5, "folds": 2, "search": {"trials": 0}},
}
CLEAN = [
    {"do": "map_values", "column": "town", "values": {"bonn": "Bonn"}},
    {"do": "fill_missing", "columns": ["weight"], "by": "median"},
]


def text_of() -> str:
    lines = []
    for n in range(ROWS):
        weight = "" if n % 10 == 0 else f"{50 + (n * 7) % 40 + (20 if n % 3 else 0)}"
        town = ("bonn" if n % 12 == 1 else "Bonn") if n % 2 else "Ulm"
        lines.append(
            f"p{n},{town},{'f' if n % 8 == 0 else 'm'},{weight},2026-01-{1 + n % 28:02},{'yes' if n % 3 else 'no'}"
        )
    return "person,town,sex,weight,seen,back\n" + "\n".join(lines) + "\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    clock = FixedClock(datetime(2026, 3, 2, tzinfo=UTC))
    with create_workspace(tmp_path / "ws", name="Clinic", unlock=UNLOCK, clock=clock) as made:
        yield made


Make = Callable[..., Project]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setattr("sealwright.data.content.BLOCK_ROWS", 80)

    def make(**data: Any) -> Project:
        folder = tmp_path / "visits"
        folder.mkdir(exist_ok=True)
        (folder / "visits.csv").write_text(text_of())
        value = {**SPEC, "data": {**SPEC["data"], **data}}
        (folder / "sealwright.yaml").write_text(yaml.safe_dump(value, sort_keys=False))
        return load_project(folder)

    return make


def kept(workspace: Workspace) -> list[tuple[str, str | None]]:
    known = {one.digest: one.kind for one in SnapshotIndex(workspace.db).of_project("visits")}
    return [(one.kind, known.get(one.parent or "")) for one in SnapshotIndex(workspace.db).of_project("visits")]


def test_a_recipe_makes_a_snapshot_of_its_own_and_is_taken_back_exactly(workspace: Workspace, project: Make) -> None:
    used = ingest(workspace, project(clean=CLEAN), by=operator("ada")).snapshot
    assert kept(workspace) == [("ingest", None), ("clean", "ingest")]
    raw = opened(workspace, used.signed.derivation.parents[0], "visits", by="t", purpose="t").read()  # type: ignore[union-attr]
    table = used.read()
    assert set(table.column("town").to_pylist()) == {"Bonn", "Ulm"}
    assert table.column("weight").null_count == 0
    assert used.manifest["derivation"]["changes"]
    changed = sum(used.manifest["derivation"]["changes"].values())
    differ = sum(
        one != other
        for name in raw.column_names
        for one, other in zip(raw.column(name).to_pylist(), table.column(name).to_pylist(), strict=True)
    )
    assert changed == differ == 24 + 20
    assert undone(used).equals(raw)


def test_training_uses_the_prepared_rows_and_nothing_is_done_twice(workspace: Workspace, project: Make) -> None:
    made = project(clean=CLEAN)
    used = ingest(workspace, made, by=operator("ada")).snapshot
    assert ingest(workspace, made, by=operator("ada")).again
    assert train(workspace, made, by=operator("ada")).record["rows"] == 180
    assert kept(workspace) == [("ingest", None), ("clean", "ingest")]
    (unwrapped,) = {e.subject for e in workspace.ledger.entries() if e.detail.get("purpose") == "training"}
    assert unwrapped == used.digest


def test_the_log_of_changes_names_no_cell_outside_its_encryption_and_loses_a_person_with_them(
    workspace: Workspace, project: Make
) -> None:
    used = ingest(workspace, project(clean=CLEAN), by=operator("ada")).snapshot
    before = sum(table.num_rows for table in used.change_log())
    answer_person(workspace, "visits", "p0", Asked(right="erase"), by=operator("dora"))
    assert [kind for kind, _ in kept(workspace)] == ["redact", "redact"]
    last = opened(workspace, SnapshotIndex(workspace.db).of_project("visits")[-1].digest, "visits", by="t", purpose="t")
    assert last.rows == ROWS - 1
    assert sum(table.num_rows for table in last.change_log()) == before - 1, "p0 had an empty weight"


def test_made_up_rows_are_marked_and_never_tested_on(workspace: Workspace, project: Make) -> None:
    augment = {"method": "synthesiser", "groups": [{"where": {"sex": "f"}, "rows": 20}], "seed": 3}
    made = project(augment=augment, clean=CLEAN)
    used = ingest(workspace, made, by=operator("ada")).snapshot
    assert [kind for kind, _ in kept(workspace)] == ["ingest", "clean", "augment"]
    assert used.synthetic == 20
    assert used.manifest["derivation"]["synthetic"] == 20
    spec: DataSpec = made.spec.data
    rows, test = split(used.read(), spec, 5, synthetic=used.synthetic)
    assert not any(str(name).startswith("synthetic") for name in test.column("person").to_pylist())
    assert sum(str(name).startswith("synthetic") for name in rows.column("person").to_pylist()) == 20
    assert train(workspace, made, by=operator("ada")).record["rows"] == 200


def test_an_increment_is_prepared_like_the_rest(workspace: Workspace, project: Make, tmp_path: Path) -> None:
    made = project(clean=CLEAN)
    ingest(workspace, made, by=operator("ada"))
    (tmp_path / "more.csv").write_text("person,town,sex,weight,seen,back\nq1,bonn,f,,2026-01-05,yes\n")
    done = change_data(workspace, made, "append", tmp_path / "more.csv", by=operator("ada"))
    assert done.used.rows == ROWS + 1
    assert done.used.read(["town", "weight"]).to_pylist()[-1]["town"] == "Bonn"
    assert done.snapshot.read(["town"]).to_pylist()[-1]["town"] == "bonn", "the raw row stays as it came"


def test_stale_data_stops_at_ingest_and_again_at_training(workspace: Workspace, project: Make, tmp_path: Path) -> None:
    with pytest.raises(StoppedByPolicy, match="days old"):
        ingest(workspace, project(relevance={"date": "seen", "stale_after": "20 days"}), by=operator("ada"))
    fresh = project(relevance={"date": "seen", "stale_after": "60 days"})
    ingest(workspace, fresh, by=operator("ada"))
    workspace.clock = FixedClock(datetime(2026, 6, 2, tzinfo=UTC))
    with pytest.raises(StoppedByPolicy, match="days old"):
        train(workspace, fresh, by=operator("ada"))
