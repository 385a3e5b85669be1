"""Data grows snapshot by snapshot: what does not change is shared, the contract holds for every row, nothing is lost."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from acting import operator
from sealwright.data import QuarantineFull, derive, quarantine_of
from sealwright.data import ingest as ingest_source
from sealwright.kernel import FixedClock, InvalidInput, NotFound
from sealwright.pipeline import Workspace, create_workspace, ingest, load_project
from sealwright.pipeline.incremental import Increment, change_data
from sealwright.pipeline.project import Project
from sealwright.trust import InsecurePassphraseForTests, Secret

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))

SPEC: dict[str, Any] = {
    "format": 1,
    "project": "orders",
    "charter": {"purpose": "Estimate returns to plan staff.", "owner": "Head of shop", "risk_class": "minimal"},
    "data": {
        "source": "orders.csv",
        "target": "sent_back",
        "positive": "yes",
        "key": ["shop", "order"],
        "quarantine": {"at_most_share": 0.3},
        "columns": {
            "shop": {"type": "category", "categories": ["north", "south"]},
            "order": {"type": "integer", "role": "identifier"},
            "price": {"type": "number", "min": 0},
            "sent_back": {"type": "category", "categories": ["yes", "no"]},
        },
    },
}
HEAD = "shop,order,price,sent_back\n"


def line(n: int, price: float | None = None, shop: str | None = None) -> str:
    return f"{shop or ('north' if n % 2 else 'south')},{n},{n if price is None else price},{'yes' if n % 3 else 'no'}\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    clock = FixedClock(datetime(2026, 3, 2, tzinfo=UTC))
    with create_workspace(tmp_path / "ws", name="Shop", unlock=UNLOCK, clock=clock) as made:
        yield made


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr("sealwright.data.content.BLOCK_ROWS", 20)
    for function in (ingest_source, derive):  # three files of 20 rows
        monkeypatch.setitem(function.__kwdefaults__, "part_bytes", 1)
    folder = tmp_path / "orders"
    folder.mkdir()
    (folder / "orders.csv").write_text(HEAD + "".join(line(n) for n in range(60)))
    (folder / "sealwright.yaml").write_text(yaml.safe_dump(SPEC, sort_keys=False))
    return load_project(folder)


Change = Callable[[Any, str], Increment]


@pytest.fixture
def change(workspace: Workspace, project: Project, tmp_path: Path) -> Change:
    def run(verb: Any, text: str) -> Increment:
        (tmp_path / "more.csv").write_text(text)
        return change_data(workspace, project, verb, tmp_path / "more.csv", by=operator("ada"))

    return run


def orders(done: Increment) -> list[tuple[str, int, float]]:
    table = done.snapshot.read(["shop", "order", "price"])
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def test_appended_rows_follow_and_no_earlier_file_is_copied(
    workspace: Workspace, project: Project, change: Change
) -> None:
    first = ingest(workspace, project, by=operator("ada")).snapshot
    done = change("append", HEAD + "".join(line(n) for n in range(60, 70)))
    assert [order for _, order, _ in orders(done)] == list(range(70))
    assert (done.before, done.added, done.removed) == (first.digest, 10, 0)
    assert done.shared == len(first.signed.files) == 3
    old, new = ({path.stat().st_ino for path in one.folder.glob("rows-*")} for one in (first, done.snapshot))
    assert old < new
    assert first.read().num_rows == 60


def test_appends_go_on_from_each_other_and_training_goes_on_from_the_last(
    workspace: Workspace, project: Project, change: Change
) -> None:
    ingest(workspace, project, by=operator("ada"))
    change("append", HEAD + line(60))
    second = change("append", HEAD + line(61))
    assert second.snapshot.rows == 62
    again = ingest(workspace, project, by=operator("ada"))
    assert again.again
    assert again.snapshot.digest == second.snapshot.digest, "the same source, so the newest data stays the newest"


def test_an_upsert_replaces_by_the_whole_key_and_rewrites_only_what_it_must(
    workspace: Workspace, project: Project, change: Change
) -> None:
    first = ingest(workspace, project, by=operator("ada")).snapshot
    done = change("upsert", HEAD + line(5, 999) + line(7, 888, "south") + line(100, 7))
    found = {(shop, order): price for shop, order, price in orders(done)}
    assert found[("north", 5)] == 999
    assert found[("north", 7)] == 7, "another shop's order 7 is another row"
    assert found[("south", 7)] == 888
    assert len(found) == 62
    assert (done.added, done.removed) == (3, 1)
    assert done.shared == len(first.signed.of_kind("rows")) - 1 == 2


def test_a_delete_takes_out_the_listed_keys_and_unknown_ones_do_nothing(
    workspace: Workspace, project: Project, change: Change
) -> None:
    ingest(workspace, project, by=operator("ada"))
    done = change("delete", "order,shop\n5,north\n6,north\n777,south\n")
    assert done.removed == 1
    assert ("north", 5) not in {(shop, order) for shop, order, _ in orders(done)}


def test_bad_rows_of_an_increment_go_to_the_quarantine_with_the_earlier_ones(
    workspace: Workspace, project: Project, change: Change
) -> None:
    path = project.folder / "orders.csv"
    path.write_text(path.read_text() + "north,x,1,yes\n")
    ingest(workspace, project, by=operator("ada"))
    done = change("append", HEAD + "".join(line(n) for n in range(60, 66)) + "west,66,1,yes\n")
    assert done.set_aside == 1
    raw = [row.cells for row in quarantine_of(done.snapshot, workspace.keyring)]
    assert [(row["shop"], row["order"]) for row in raw if row] == [("north", "x"), ("west", "66")]


@pytest.mark.parametrize(
    ("verb", "text", "error", "reason"),
    [
        ("append", HEAD + "west,1,1,yes\n" * 3 + line(60), QuarantineFull, "at most"),
        ("append", "shop,order\nnorth,1\n", InvalidInput, "columns"),
        ("upsert", HEAD + line(5) + line(5), InvalidInput, "1 rows whose key"),
        ("upsert", HEAD + "north,x,1,yes\n", InvalidInput, "a key the contract refuses"),
        ("delete", "order\n5\n", InvalidInput, "no column 'shop' of the key"),
    ],
)
def test_what_cannot_be_taken_changes_nothing(
    workspace: Workspace, project: Project, change: Change, verb: str, text: str, error: Any, reason: str
) -> None:
    first = ingest(workspace, project, by=operator("ada")).snapshot
    with pytest.raises(error, match=reason):
        change(verb, text)
    assert [path.name for path in workspace.folder("snapshots").iterdir()] == [first.folder.name]
    assert ingest(workspace, project, by=operator("ada")).snapshot.digest == first.digest


def test_without_a_key_or_a_first_ingest_it_says_what_to_do(
    workspace: Workspace, project: Project, change: Change, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match="Begin with"):
        change("append", HEAD + line(60))
    path = project.folder / "sealwright.yaml"
    path.write_text(path.read_text().replace("  key:\n  - shop\n  - order\n", ""))
    keyless = load_project(path)
    ingest(workspace, keyless, by=operator("ada"))
    with pytest.raises(InvalidInput, match=r"Set data\.key"):
        change_data(workspace, keyless, "delete", tmp_path / "more.csv", by=operator("ada"))


def test_a_key_with_a_border_in_it_is_no_other_key() -> None:
    import pyarrow as pa

    from sealwright.data import RowKeys

    keys = RowKeys()
    keys.add(pa.table({"a": ["x\x1fy", "\x1e"], "b": ["z", "\x1e1"]}))
    other = pa.table({"a": ["x", "\x1e\x1e1", "x\x1fy"], "b": ["y\x1fz", "", "z"]})
    assert keys.among(other).tolist() == [False, False, True]


def test_the_file_of_a_portion_is_known_again_where_privacy_is_spent(
    workspace: Workspace, project: Project, change: Change
) -> None:
    from sealwright.data.dp import lineage_of, marks_of

    ingest(workspace, project, by=operator("ada"))
    done = change("append", HEAD + line(60))
    recipe = done.snapshot.signed.derivation.recipe  # type: ignore[union-attr]
    assert f"source/{recipe}" in marks_of("orders", lineage_of(done.snapshot.digest, lambda _: done.snapshot.signed))
