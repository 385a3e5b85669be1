"""A snapshot made from another one says how, shares what did not change, and leaves the earlier one as it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sealwright.data import DataSpec, Snapshot, open_snapshot
from sealwright.data.derivation import Step, derive
from sealwright.data.disposal import dispose_snapshot
from sealwright.data.file_keys import rewrap_file_keys
from sealwright.data.manifest import FileEntry
from sealwright.data.subject_keys import SubjectKeys
from sealwright.engines import Database
from sealwright.kernel import NotFound, Refused, SealwrightError, VerificationFailed
from sealwright.trust import (
    Keyring,
    create_keyring,
    open_keyring,
    pseudonym_of,
    raw_pseudonym,
    retire_branch,
    rotate_branch,
)

from .conftest import UNLOCK

ROWS = 60


def text_of(rows: int = ROWS) -> str:
    """Three rows for every person, one bad row for each tenth."""
    lines = [f"p{n // 3},{n},name {n},{'north' if n % 2 else 'south'},{n % 3 == 0}".lower() for n in range(rows)]
    lines += [f"p{n // 10},x,bad-{n},north,true" for n in range(0, rows, 10)]
    return "who,n,name,faith,y\n" + "\n".join(lines) + "\n"


@pytest.fixture
def spec(contract: Callable[..., DataSpec]) -> DataSpec:
    columns = {
        "who": {"type": "text", "role": "identifier", "class": "personal"},
        "n": {"type": "integer", "class": "internal"},
        "name": {"type": "text", "role": "identifier", "class": "personal"},
        "faith": {"type": "category", "categories": ["north", "south"], "class": "special", "role": "sensitive"},
    }
    return contract(columns, quarantine={"at_most_share": 0.9}, subject="who")


@pytest.fixture
def persons(db: Database, keyring: Keyring) -> SubjectKeys:
    return SubjectKeys(db, keyring, "credit")


@pytest.fixture
def snapshot(
    take_in: Callable[..., Snapshot], spec: DataSpec, persons: SubjectKeys, monkeypatch: pytest.MonkeyPatch
) -> Snapshot:
    """60 rows of 20 persons in three files, 6 rows in quarantine."""
    monkeypatch.setattr("sealwright.data.content.BLOCK_ROWS", 20)
    return take_in(text_of(), spec, part_bytes=1, subject_keys=persons)


@pytest.fixture
def made(snapshot: Snapshot, keyring: Keyring, persons: SubjectKeys) -> Callable[[Step], Snapshot]:
    def run(step: Step) -> Snapshot:
        where = snapshot.folder.parent
        return derive(snapshot, step, snapshots=where, keyring=keyring, subject_keys=persons, part_bytes=1)

    return run


def reopen(snapshot: Snapshot, keyring: Keyring, persons: SubjectKeys | None = None, **more: Any) -> Snapshot:
    return open_snapshot(
        snapshot.digest,
        snapshots=snapshot.folder.parent,
        trust_root=keyring.trust_root,
        keyring=keyring,
        subject_keys=persons,
        **more,
    )


def without(name: bytes) -> Callable[[Snapshot, FileEntry, int], np.ndarray | None]:
    def keep(parent: Snapshot, entry: FileEntry, _before: int) -> np.ndarray | None:
        theirs = parent.persons_in(entry, [name])
        return ~theirs if theirs.any() else None

    return keep


# --- persons under their own keys


def test_rows_come_back_as_they_went_in(snapshot: Snapshot, keyring: Keyring, persons: SubjectKeys) -> None:
    table = reopen(snapshot, keyring, persons).read()
    assert table.column("who").to_pylist() == [f"p{n // 3}" for n in range(ROWS)]
    assert table.column("name").to_pylist() == [f"name {n}" for n in range(ROWS)]
    assert table.column("n").to_pylist() == list(range(ROWS))
    assert table.column_names == ["y", "who", "n", "name", "faith"]


def test_t56_with_the_key_of_a_person_their_rows_are_gone_in_every_reading(
    snapshot: Snapshot, keyring: Keyring, persons: SubjectKeys
) -> None:
    name = raw_pseudonym(pseudonym_of(keyring, "credit", "p7"))
    assert persons.destroy(name)
    assert not persons.destroy(name)
    opened = reopen(snapshot, keyring, persons)
    left = [n for n in range(ROWS) if n // 3 != 7]
    for columns in (None, ["n"], ["who", "n"], ["faith", "n"]):
        assert opened.read(columns).column("n").to_pylist() == left


def test_without_the_keys_of_persons_nothing_about_them_is_read(snapshot: Snapshot, keyring: Keyring) -> None:
    for columns in (["who"], ["n"]):
        with pytest.raises(Refused, match="under their own keys"):
            reopen(snapshot, keyring).read(columns)


def test_a_role_without_the_special_class_reads_the_rest(
    snapshot: Snapshot, keyring: Keyring, persons: SubjectKeys
) -> None:
    opened = reopen(snapshot, keyring, persons, classes={"internal", "personal"})
    assert opened.read(["name", "n"]).num_rows == ROWS
    with pytest.raises(Refused, match="no key for special"):
        opened.read(["faith"])


def test_a_person_has_one_name_in_a_project_and_another_in_the_next(keyring: Keyring, other_keyring: Keyring) -> None:
    names = {
        pseudonym_of(keyring, "credit", "p7"),
        pseudonym_of(keyring, "jobs", "p7"),
        pseudonym_of(keyring, "credit", "p8"),
        pseudonym_of(other_keyring, "credit", "p7"),
    }
    assert len(names) == 4
    assert pseudonym_of(keyring, "credit", "p7") in names


def test_a_key_of_a_person_moved_to_another_person_opens_nothing(
    snapshot: Snapshot, keyring: Keyring, persons: SubjectKeys, db: Database
) -> None:
    one, other = (pseudonym_of(keyring, "credit", who) for who in ("p1", "p2"))
    with db.write() as tx:
        wrapped = tx.run("SELECT wrapped FROM subject_keys WHERE subject = :s", s=one)[0]["wrapped"]
        tx.run("UPDATE subject_keys SET wrapped = :w WHERE subject = :s", w=wrapped, s=other)
    with pytest.raises(VerificationFailed):
        reopen(snapshot, keyring, SubjectKeys(db, keyring, "credit")).read(["who"])


# --- withheld at the door


def test_rows_of_persons_who_do_not_want_it_never_get_in(
    take_in: Callable[..., Snapshot], spec: DataSpec, persons: SubjectKeys, keyring: Keyring
) -> None:
    no = {
        pseudonym_of(keyring, "credit", "p3"): "consent_withdrawn",
        pseudonym_of(keyring, "credit", "p4"): "erased",
        pseudonym_of(keyring, "credit", "p5"): "erased",
    }
    found = take_in(text_of(), spec, subject_keys=persons, withhold=lambda names: {n: no[n] for n in names if n in no})
    assert found.manifest["withheld"] == {"consent_withdrawn": 3, "erased": 6}
    assert found.rows == ROWS - 9
    assert {"p3", "p4", "p5"}.isdisjoint(found.read(["who"]).column("who").to_pylist())


# --- derived snapshots


def test_taking_rows_out_writes_only_the_files_that_held_them(
    snapshot: Snapshot, made: Callable[[Step], Snapshot], keyring: Keyring
) -> None:
    name = raw_pseudonym(pseudonym_of(keyring, "credit", "p7"))  # rows 21 to 23: in the second file
    after = made(Step(kind="redact", keep=without(name), why="a request"))
    assert after.rows == ROWS - 3
    assert "p7" not in after.read(["who"]).column("who").to_pylist()
    assert snapshot.read(["who"]).num_rows == ROWS
    inodes = [{path.name: path.stat().st_ino for path in one.folder.glob("rows-*")} for one in (snapshot, after)]
    assert {name for name in inodes[0] if inodes[0][name] == inodes[1][name]} == {
        "rows-00001.parquet",
        "rows-00003.parquet",
    }
    assert after.manifest["derivation"] == {
        "kind": "redact", "parents": [snapshot.digest], "recipe": None, "removed": 3, "added": 0, "synthetic": 0,
        "changes": {}, "why": "a request",
    }  # fmt: skip


def test_added_rows_follow_and_made_up_ones_stay_marked(
    snapshot: Snapshot, made: Callable[[Step], Snapshot], spec: DataSpec
) -> None:
    more = snapshot.read().slice(0, 5)
    batches = more.combine_chunks().to_batches()
    appended = made(Step(kind="append", add=batches))
    assert (appended.rows, appended.synthetic) == (ROWS + 5, 0)
    assert appended.read(["n"]).column("n").to_pylist() == [*range(ROWS), *range(5)]
    augmented = made(Step(kind="augment", add=batches, synthetic=True))
    assert (augmented.rows, augmented.synthetic) == (ROWS + 5, 5)
    assert augmented.digest != appended.digest, "the same rows made up are not the same snapshot"


def test_the_same_step_on_the_same_snapshot_gives_the_same_one(
    made: Callable[[Step], Snapshot], keyring: Keyring
) -> None:
    name = raw_pseudonym(pseudonym_of(keyring, "credit", "p1"))
    first, again = (made(Step(kind="redact", keep=without(name))) for _ in range(2))
    assert first.digest == again.digest


def test_changed_cells_are_in_the_new_snapshot_only(snapshot: Snapshot, made: Callable[[Step], Snapshot]) -> None:
    def doubled(table: Any, before: int) -> Any:
        assert table.column("n").to_pylist()[0] == before
        place = table.column_names.index("n")
        twice = pa.array([2 * value for value in table.column("n").to_pylist()], pa.int64())
        return table.set_column(place, table.schema.field("n"), twice)

    after = made(Step(kind="clean", change=doubled, changes={"double n": ROWS}, recipe="sha256:" + "1" * 64))
    assert after.read(["n"]).column("n").to_pylist() == [2 * n for n in range(ROWS)]
    assert snapshot.read(["n"]).column("n").to_pylist() == list(range(ROWS))


def test_the_quarantine_goes_along_and_loses_only_what_it_must(
    snapshot: Snapshot, made: Callable[[Step], Snapshot], keyring: Keyring
) -> None:
    from sealwright.data import quarantine_of

    kept = made(Step(kind="append", add=snapshot.read().slice(0, 1).to_batches()))
    assert len(quarantine_of(kept, keyring)) == 6
    fewer = made(Step(kind="redact", keep_set_aside=lambda row: row.cells is None or row.cells["who"] != "p1"))
    left = [row.cells["who"] for row in quarantine_of(fewer, keyring) if row.cells]
    assert left == ["p0", "p2", "p3", "p4", "p5"]
    assert fewer.quarantined == 5


def test_nothing_left_makes_nothing(snapshot: Snapshot, made: Callable[[Step], Snapshot]) -> None:
    before = sorted(path.name for path in snapshot.folder.parent.iterdir())
    with pytest.raises(SealwrightError, match="No row is left"):
        made(Step(kind="delete", keep=lambda _parent, entry, _seen: np.zeros(entry.rows, dtype=np.bool_)))
    assert sorted(path.name for path in snapshot.folder.parent.iterdir()) == before


def test_a_snapshot_that_was_disposed_of_is_gone_and_its_descendants_stay(
    snapshot: Snapshot, made: Callable[[Step], Snapshot], keyring: Keyring, persons: SubjectKeys
) -> None:
    after = made(Step(kind="append", add=snapshot.read().slice(0, 1).to_batches()))
    gone = dispose_snapshot(snapshot.digest, snapshots=snapshot.folder.parent)
    assert gone.bytes > 0
    assert "keys.json" in gone.files
    with pytest.raises(NotFound):
        reopen(snapshot, keyring, persons)
    with pytest.raises(NotFound):
        dispose_snapshot(snapshot.digest, snapshots=snapshot.folder.parent)
    assert reopen(after, keyring, persons).read().num_rows == ROWS + 1


def test_rows_that_only_stay_are_carried_over_still_sealed(
    snapshot: Snapshot, made: Callable[[Step], Snapshot], keyring: Keyring
) -> None:
    name = raw_pseudonym(pseudonym_of(keyring, "credit", "p7"))
    after = made(Step(kind="redact", keep=without(name)))
    second = [one.signed.of_kind("rows")[1] for one in (snapshot, after)]
    before = snapshot.physical(second[0], ["s-personal"]).column(0).to_pylist()
    now = after.physical(second[1], ["s-personal"]).column(0).to_pylist()
    assert len(before) == 20
    assert now == before[:1] + before[4:], "rows 21 to 23 are those of p7"


# --- rotation


def test_rotation_touches_no_data_and_the_old_key_opens_nothing_afterwards(
    tmp_path: Path, take_in: Callable[..., Snapshot], spec: DataSpec, db: Database
) -> None:
    folder = tmp_path / "ring"
    with create_keyring(folder, "ws_rotates", UNLOCK) as ring:
        persons = SubjectKeys(db, ring, "credit")
        found = take_in(text_of(), spec, keyring=ring, subject_keys=persons)
    data = {path.name: path.read_bytes() for path in found.folder.iterdir()}
    old_keys = [(folder / f"{branch}.v1.json").read_bytes() for branch in ("data", "subjects")]
    rotate_branch(folder, UNLOCK, "data")
    rotate_branch(folder, UNLOCK, "subjects")
    with open_keyring(folder, UNLOCK) as ring:
        persons = SubjectKeys(db, ring, "credit")
        assert reopen(found, ring, persons).read().num_rows == ROWS, "under way, both versions open"
        assert rewrap_file_keys(found.folder, snapshot=found.digest, keyring=ring)
        assert not rewrap_file_keys(found.folder, snapshot=found.digest, keyring=ring)
        assert persons.rewrap() == 20
    retire_branch(folder, "data", 1)
    retire_branch(folder, "subjects", 1)
    after = {path.name: path.read_bytes() for path in found.folder.iterdir()}
    assert {name for name in data if data[name] != after[name]} == {"keys.json"}
    with open_keyring(folder, UNLOCK) as ring:
        assert reopen(found, ring, SubjectKeys(db, ring, "credit")).read().num_rows == ROWS
        (found.folder / "keys.json").write_bytes(data["keys.json"])
        with pytest.raises(NotFound, match="was destroyed"):
            reopen(found, ring, SubjectKeys(db, ring, "credit")).read()
    assert not [path for path in folder.iterdir() if path.read_bytes() in old_keys]
