"""What somebody who can write our disk might do to a snapshot, and that none of it is read."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sealwright.data import DataSpec, Snapshot, encryption, ingest, open_snapshot, open_source, quarantine_of
from sealwright.data.drafting import key_names_of
from sealwright.data.manifest import SNAPSHOT_TYPE
from sealwright.kernel import InvalidInput, NotFound, OperationFailed, Refused, VerificationFailed
from sealwright.trust import Keyring, LocalSigner, TrustRoot, make_statement, sign_statement, verify_statement

MARKERS = {
    "secret-column-name": "c-mark-6f1d0a",
    "text": "t-mark-93ab77c1",
    "category": "k-mark-51ce02",
    "bad": "b-mark-0d12fe8",
    "ragged": "r-mark-77aa31b",
}


def text_of(rows: int) -> str:
    lines = [f"{n},{MARKERS['text']}{n},{MARKERS['category']},{n / 8},true" for n in range(rows)]
    lines += [f"{MARKERS['bad']},x,{MARKERS['category']},1,true", MARKERS["ragged"]]
    return f"i,t,k,{MARKERS['secret-column-name']},y\n" + "\n".join(lines) + "\n"


@pytest.fixture
def spec(contract: Callable[..., DataSpec]) -> DataSpec:
    columns = {
        "i": {"type": "integer", "class": "public"},
        "t": {"type": "text", "role": "identifier", "class": "personal"},
        "k": {"type": "category", "categories": [MARKERS["category"]], "class": "special", "role": "sensitive"},
        MARKERS["secret-column-name"]: {"type": "number", "class": "confidential"},
    }
    return contract(columns, quarantine={"at_most_share": 0.9})


@pytest.fixture
def snapshot(take_in: Callable[..., Snapshot], spec: DataSpec) -> Snapshot:
    """40 rows in several files, and 2 rows in quarantine."""
    return take_in(text_of(40), spec, part_bytes=1)


@pytest.fixture
def several(take_in: Callable[..., Snapshot], spec: DataSpec, monkeypatch: pytest.MonkeyPatch) -> Snapshot:
    """A snapshot of three row files and two of the quarantine."""
    monkeypatch.setattr("sealwright.data.content.BLOCK_ROWS", 20)
    monkeypatch.setattr("sealwright.data.sources.csv_file.BLOCK", 1 << 10)
    found = take_in(text_of(60) + "x,x,x,x,x\n" * 20, spec, part_bytes=1)
    assert len(files_of(found)) == 5
    return found


def files_of(snapshot: Snapshot) -> list[Path]:
    return sorted(snapshot.folder.glob("*.parquet"))


def reopen(snapshot: Snapshot, keyring: Keyring) -> Snapshot:
    return open_snapshot(
        snapshot.digest, snapshots=snapshot.folder.parent, trust_root=keyring.trust_root, keyring=keyring
    )


# --- nothing in the clear


def test_no_planted_marker_is_in_any_data_file(
    take_in: Callable[..., Snapshot], spec: DataSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written without compression, which would hide a marker as well as encryption does."""
    plain = partial(pq.ParquetWriter)

    def uncompressed(*where: Any, **settings: Any) -> Any:
        return plain(*where, **{**settings, "compression": "none", "compression_level": None, "use_dictionary": False})

    monkeypatch.setattr(encryption.pq, "ParquetWriter", uncompressed)
    found = take_in(text_of(40), spec)
    assert len(files_of(found)) == 2
    for path in files_of(found):
        data = path.read_bytes()
        assert data[:4] == data[-4:] == b"PARE"
        for marker in MARKERS.values():
            assert marker.encode() not in data, (path.name, marker)
    for marker in (MARKERS["text"], MARKERS["bad"], MARKERS["ragged"]):
        assert marker.encode() not in found.statement
    control = pa.BufferOutputStream()
    uncompressed(control, found.read().schema).write_table(found.read())
    assert MARKERS["text"].encode() in control.getvalue().to_pybytes(), "without encryption the test would see it"


def test_a_data_file_does_not_open_without_keys(snapshot: Snapshot) -> None:
    for path in files_of(snapshot):
        with pytest.raises(OSError, match=r"[Ee]ncrypted"):
            pq.ParquetFile(path)


def test_a_column_without_a_key_is_never_written(keyring: Keyring) -> None:
    schema = pa.schema([("c0", pa.int64()), ("c1", pa.int64())])
    with pytest.raises(ValueError, match="every column needs a key"):
        encryption.encrypted_writer(pa.BufferOutputStream(), schema, {"c0": "class/public/v1"}, keyring)


def test_files_and_folders_are_private(snapshot: Snapshot) -> None:
    assert snapshot.folder.stat().st_mode & 0o777 == 0o700
    assert snapshot.folder.parent.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in snapshot.folder.iterdir()} == {0o600}


# --- one flipped byte, anywhere


def regions(size: int) -> Iterator[int]:
    """Every byte near both ends, and every 13th between."""
    yield from range(min(48, size))
    yield from range(48, size - 48, 13)
    yield from range(max(48, size - 48), size)


def test_one_flipped_bit_in_any_file_is_refused_by_open_snapshot_t54(snapshot: Snapshot, keyring: Keyring) -> None:
    for path in sorted(snapshot.folder.iterdir()):
        whole = path.read_bytes()
        for place in regions(len(whole)):
            changed = bytearray(whole)
            changed[place] ^= 1 << (place % 8)
            path.write_bytes(changed)
            with pytest.raises(VerificationFailed) as refused:
                opened = reopen(snapshot, keyring)
                opened.read()  # the wrapped keys are bound to the snapshot, and are first opened when it is read
                quarantine_of(opened, keyring)
                opened.keys.of_files(key_names_of(opened.signed.layout))
            named = "statement" if path.name == "statement.json" else path.name
            assert refused.value.link == f"snapshot/{named}"
        path.write_bytes(whole)
    assert reopen(snapshot, keyring).read().num_rows == 40


def test_one_flipped_bit_gives_no_other_rows_even_if_the_manifest_were_not_there_t54(
    snapshot: Snapshot, keyring: Keyring
) -> None:
    """AES-GCM by itself: an error, or (in bytes Parquet does not use) the very same rows."""
    path = files_of(snapshot)[-1]
    whole = path.read_bytes()
    columns = [f"c{place}" for place in range(5)]
    keys = snapshot.keys.of_files(key_names_of(snapshot.signed.layout))
    expected = encryption.read_encrypted(whole, columns, keys, link="x")
    survived = 0
    for place in regions(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << (place % 8)
        try:
            found = encryption.read_encrypted(bytes(changed), columns, keys, link="x")
        except (VerificationFailed, Refused):
            continue
        assert found.equals(expected)
        survived += 1
    assert survived < 12


@pytest.mark.parametrize("keep", [0, 1, 0.5, -1])
def test_a_cut_file_is_refused(snapshot: Snapshot, keyring: Keyring, keep: float) -> None:
    for path in list(snapshot.folder.iterdir()):
        whole = path.read_bytes()
        path.write_bytes(whole[: int(keep if abs(keep) == 1 else keep * len(whole))])
        with pytest.raises(VerificationFailed):
            reopen(snapshot, keyring).read()
        path.write_bytes(whole)


# --- files swapped, dropped, added, older


def test_two_swapped_files_are_refused_t53(several: Snapshot, keyring: Keyring) -> None:
    first, second = files_of(several)[2:4]
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(one)
    with pytest.raises(VerificationFailed, match="is not the file that was signed"):
        reopen(several, keyring)


@pytest.mark.parametrize("which", range(5))
def test_a_dropped_file_is_refused_t53(several: Snapshot, keyring: Keyring, which: int) -> None:
    files_of(several)[which].unlink()
    with pytest.raises(VerificationFailed, match="is missing"):
        reopen(several, keyring)


@pytest.mark.parametrize("name", ["rows-00009.parquet", ".hidden", "statement.json.bak"])
def test_an_added_file_is_refused_t53(snapshot: Snapshot, keyring: Keyring, name: str) -> None:
    shutil.copy(files_of(snapshot)[0], snapshot.folder / name)
    with pytest.raises(VerificationFailed, match="not part of the snapshot"):
        reopen(snapshot, keyring)


def test_a_file_of_an_older_snapshot_is_refused_t53(
    snapshot: Snapshot, take_in: Callable[..., Snapshot], spec: DataSpec, keyring: Keyring
) -> None:
    newer = take_in(text_of(40).replace(",true", ",false", 1), spec, part_bytes=1)
    for path in files_of(snapshot):
        shutil.copy(path, newer.folder / path.name)
        with pytest.raises(VerificationFailed, match="of another snapshot"):
            reopen(newer, keyring)


def test_a_whole_older_snapshot_under_a_newer_name_is_refused_t53(
    snapshot: Snapshot, take_in: Callable[..., Snapshot], spec: DataSpec, keyring: Keyring
) -> None:
    newer = take_in(text_of(41), spec)
    shutil.rmtree(newer.folder)
    shutil.copytree(snapshot.folder, newer.folder)
    with pytest.raises(VerificationFailed, match="is not about snapshot"):
        reopen(newer, keyring)


def test_a_link_in_place_of_a_file_or_folder_is_refused(snapshot: Snapshot, keyring: Keyring, tmp_path: Path) -> None:
    path = files_of(snapshot)[0]
    away = shutil.move(path, tmp_path / "away.parquet")
    path.symlink_to(away)
    with pytest.raises(VerificationFailed, match="is not the file"):
        reopen(snapshot, keyring)
    moved = shutil.move(snapshot.folder, tmp_path / "moved")
    snapshot.folder.symlink_to(moved)
    with pytest.raises(NotFound):
        reopen(snapshot, keyring)


def test_a_file_swapped_after_the_check_is_refused_when_it_is_read_t49_t53(
    snapshot: Snapshot, take_in: Callable[..., Snapshot], spec: DataSpec, keyring: Keyring
) -> None:
    other = take_in(text_of(40).replace(",true", ",false", 1), spec)
    opened = reopen(snapshot, keyring)
    mine, theirs = files_of(opened), files_of(other)
    for path, foreign in zip(mine, theirs, strict=True):
        shutil.copy(foreign, path)
    with pytest.raises(VerificationFailed, match="is not the file that was signed"):
        opened.read()
    with pytest.raises(VerificationFailed, match="is not the file that was signed"):
        quarantine_of(opened, keyring)


# --- statements that lie


def forged(snapshot: Snapshot, keyring: Keyring, **changes: Any) -> bytes:
    """A statement with a good signature over a changed manifest: a bug or a stolen key."""
    predicate = {**snapshot.manifest, **changes}
    statement = make_statement([("snapshot", snapshot.digest)], SNAPSHOT_TYPE, predicate)
    return sign_statement(statement, keyring.signer("statements"))


def test_a_manifest_that_contradicts_itself_is_refused_though_it_is_signed(
    snapshot: Snapshot, keyring: Keyring
) -> None:
    manifest = snapshot.manifest
    contract = [dict(column, contract={**column["contract"], "nullable": True}) for column in manifest["columns"]]
    for changes in (
        {"files": manifest["files"][:-1]},
        {"files": [*manifest["files"], manifest["files"][0]]},
        {"files": [{**manifest["files"][0], "name": "../rows-00001.parquet"}, *manifest["files"][1:]]},
        {"identity": {**manifest["identity"], "rows": 41}},
        {"identity": {**manifest["identity"], "content": "sha256:" + "0" * 64}},
        {"columns": contract},
        {"columns": manifest["columns"][1:]},
        {"more": 1},
        {"encryption": {**manifest["encryption"], "algorithm": "AES_GCM_CTR_V1"}},
        {"format": 2},
    ):
        (snapshot.folder / "statement.json").write_bytes(forged(snapshot, keyring, **changes))
        with pytest.raises(VerificationFailed) as refused:
            reopen(snapshot, keyring)
        assert refused.value.link == "snapshot/statement"


def test_a_statement_by_another_workspace_or_branch_is_refused(
    snapshot: Snapshot, keyring: Keyring, other_keyring: Keyring, stolen: Mapping[str, LocalSigner]
) -> None:
    with pytest.raises(VerificationFailed):
        open_snapshot(snapshot.digest, snapshots=snapshot.folder.parent, trust_root=other_keyring.trust_root)
    statement = verify_statement(snapshot.statement, keyring.trust_root.keys_of("statements"))
    path = snapshot.folder / "statement.json"
    path.write_bytes(sign_statement(statement, stolen["releases"]))
    with pytest.raises(VerificationFailed):
        reopen(snapshot, keyring)
    path.write_bytes(
        sign_statement(
            make_statement([("snapshot", snapshot.digest)], "urn:other", statement.predicate), stolen["statements"]
        )
    )
    with pytest.raises(VerificationFailed):
        reopen(snapshot, keyring)


def test_a_trust_root_without_keys_opens_nothing(snapshot: Snapshot) -> None:
    with pytest.raises(VerificationFailed, match="no key for 'statements'"):
        open_snapshot(snapshot.digest, snapshots=snapshot.folder.parent, trust_root=TrustRoot("ws_test", {}))


# --- keys


def test_who_lacks_the_key_of_a_class_reads_the_others_only(snapshot: Snapshot, keyring: Keyring) -> None:
    where = {"snapshots": snapshot.folder.parent, "trust_root": keyring.trust_root, "keyring": keyring}
    opened = open_snapshot(snapshot.digest, **where, classes={"public", "internal", "confidential"})
    assert opened.read(classes={"public", "internal", "confidential"}).num_columns == 3
    assert opened.read(["i"]).num_rows == 40
    for column in ("t", "k"):
        with pytest.raises(Refused, match=r"no key for (personal|special)"):
            opened.read([column])
    with pytest.raises(Refused, match="no key for personal, special"):
        opened.read()
    with pytest.raises(Refused, match="no key for quarantine"):
        quarantine_of(opened, keyring)


def test_a_key_is_unwrapped_once_and_whoever_wants_to_know_is_told_before(snapshot: Snapshot, keyring: Keyring) -> None:
    told: list[list[str]] = []
    where = {"snapshots": snapshot.folder.parent, "trust_root": keyring.trust_root, "keyring": keyring}
    opened = open_snapshot(snapshot.digest, **where, on_unwrap=lambda names: told.append(list(names)))
    opened.read(["i"])
    opened.read(["i"])
    opened.read(["t"])
    assert told == [["class/public/v1", "footer/v1"], ["class/personal/v1"]]


def test_where_the_unwrapping_cannot_be_noted_nothing_is_read(snapshot: Snapshot, keyring: Keyring) -> None:
    def full(_names: object) -> None:
        raise OperationFailed("the ledger is full")

    where = {"snapshots": snapshot.folder.parent, "trust_root": keyring.trust_root, "keyring": keyring}
    opened = open_snapshot(snapshot.digest, **where, on_unwrap=full)
    for _ in range(2):
        with pytest.raises(OperationFailed, match="ledger is full"):
            opened.read(["i"])


def test_the_keys_of_another_snapshot_open_nothing(
    snapshot: Snapshot, take_in: Callable[..., Snapshot], spec: DataSpec, keyring: Keyring
) -> None:
    other = take_in(text_of(41), spec)
    shutil.copy(other.folder / "keys.json", snapshot.folder / "keys.json")
    with pytest.raises(VerificationFailed, match="of another snapshot"):
        reopen(snapshot, keyring).read(["i"])


def test_another_workspace_key_opens_no_row(snapshot: Snapshot, keyring: Keyring, other_keyring: Keyring) -> None:
    opened = open_snapshot(
        snapshot.digest, snapshots=snapshot.folder.parent, trust_root=keyring.trust_root, keyring=other_keyring
    )
    with pytest.raises(VerificationFailed):
        opened.read()
    with pytest.raises(VerificationFailed):
        quarantine_of(opened, other_keyring)


def test_without_keys_a_snapshot_is_checked_but_not_read(snapshot: Snapshot, keyring: Keyring) -> None:
    opened = open_snapshot(snapshot.digest, snapshots=snapshot.folder.parent, trust_root=keyring.trust_root)
    assert opened.rows == 40
    with pytest.raises(Refused, match="without keys"):
        opened.read()


def test_each_class_and_the_quarantine_have_a_key_of_their_own_in_every_snapshot(
    snapshot: Snapshot, take_in: Callable[..., Snapshot], spec: DataSpec
) -> None:
    other = take_in(text_of(5), spec)
    purposes = {"footer", "quarantine", *(f"class/{name}" for name in ("public", "personal", "special", "internal"))}
    names = {f"{purpose}/v1" for purpose in purposes}
    keys = [one.keys.of_files(names)[name] for one in (snapshot, other) for name in names]
    assert len(set(keys)) == 2 * len(names)


# --- reading


def test_columns_come_in_the_order_asked_for(snapshot: Snapshot) -> None:
    assert snapshot.read(["y", "i"]).column_names == ["y", "i"]
    assert snapshot.read(classes={"special"}).column_names == ["k"]
    with pytest.raises(InvalidInput, match=r"no column 'ii'\. Did you mean"):
        snapshot.read(["i", "ii"])
    with pytest.raises(InvalidInput, match="these names and classes"):
        snapshot.read(["i"], classes={"special"})


def test_several_files_are_one_table_in_order(several: Snapshot, keyring: Keyring) -> None:
    assert several.read(["i"]).column("i").to_pylist() == list(range(60))
    assert sum(part.num_rows for part in several.parts(["i"])) == 60
    assert [row.row for row in quarantine_of(several, keyring)] == list(range(61, 83))


def test_a_snapshot_that_does_not_exist_is_not_found(snapshots: Path, keyring: Keyring) -> None:
    with pytest.raises(NotFound, match="no snapshot"):
        open_snapshot(f"sha256:{'0' * 64}", snapshots=snapshots, trust_root=keyring.trust_root)
    with pytest.raises(InvalidInput):
        open_snapshot("sha256:../../etc", snapshots=snapshots, trust_root=keyring.trust_root)


def test_ingesting_again_does_not_hide_that_the_first_copy_was_changed(
    snapshot: Snapshot, tmp_path: Path, spec: DataSpec, keyring: Keyring
) -> None:
    path = files_of(snapshot)[0]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(VerificationFailed, match="move its folder away"):
        ingest(open_source("data.csv", tmp_path), spec, snapshots=snapshot.folder.parent, keyring=keyring)
    os.rename(snapshot.folder, tmp_path / "aside")  # noqa: PTH104
    again = ingest(open_source("data.csv", tmp_path), spec, snapshots=snapshot.folder.parent, keyring=keyring)
    assert again.digest == snapshot.digest
