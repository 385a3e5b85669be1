"""The verifier finds every change, says where it first breaks, and says what it could not see.

Every attack is tried at the start, in the middle and at the end; where a change also shows at opening, opening refuses.
"""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sealwright.kernel import FixedClock, Refused, VerificationFailed, digest_of
from sealwright.trust import (
    EMPTY_ROOT,
    Checkpoint,
    Entry,
    Frontier,
    Ledger,
    LedgerReport,
    LocalSigner,
    leaf_hash,
    open_checkpoint,
    verify_extension,
    verify_ledger,
)
from sealwright.trust.ledger_file import checkpoint_records
from sealwright.trust.notes import NoteSigner

ORIGIN = "example.org/ws_1/control"
SIGNER = LocalSigner("ed25519", b"\x01" * 32)
THIEF = LocalSigner("ed25519", b"\x02" * 32)
KEYS = [SIGNER.public()]
START = datetime(2026, 11, 22, 15, 4, 5, tzinfo=UTC)
COUNT = 30
LAST = COUNT - 1


def open_ledger(folder: Path, clock: FixedClock | None = None) -> Ledger:
    return Ledger.open(folder, origin=ORIGIN, signer=SIGNER, clock=clock or FixedClock(START), create=True)


def fill(folder: Path, batch: int, count: int = COUNT, word: str = "s") -> list[bytes]:
    """A ledger with an attachment at every third entry; gives the checkpoint of every commit."""
    notes = []
    clock = FixedClock(START)
    with open_ledger(folder, clock) as ledger:
        clock.advance(timedelta(minutes=ledger.size))
        for start in range(ledger.size, count, batch):
            clock.advance(timedelta(seconds=3))
            entries = [
                Entry(
                    action="test.made",
                    subject=f"{word}{number}",
                    detail={"n": number},
                    attachment=b"%d" % number if number % 3 == 0 else None,
                )
                for number in range(start, min(start + batch, count))
            ]
            notes.append(ledger.append_many(entries)[-1].checkpoint)
    return notes


@pytest.fixture(scope="module", params=[1, 7, COUNT], ids=["one a commit", "seven a commit", "one commit"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "ledger"
    fill(folder, request.param)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "ledger"))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    fill(tmp_path / "ledger", 2, count=4)
    return tmp_path / "ledger"


def refused(folder: Path, **options: object) -> VerificationFailed:
    with pytest.raises(VerificationFailed) as caught:
        verify_ledger(folder, KEYS, ORIGIN, **options)  # type: ignore[arg-type]
    return caught.value


def rewrite(folder: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path = folder / "entries.log"
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def names(link: str, *places: int) -> bool:
    """Whether a link is one of these entries, or a span of entries that one checkpoint covers with one in it."""
    words = link.split()
    if words[0] == "entry":
        return int(words[1]) in places
    return words[0] == "entries" and any(int(words[1]) <= place <= int(words[3]) for place in places)


def rechain(lines: list[bytes], start: int) -> list[bytes]:
    """What somebody without the key can do: make numbers and predecessors fit again from `start`."""
    previous = digest_of(lines[start - 1].split(b"\t")[0].rstrip(b"\n")) if start else "sha256:" + "0" * 64
    for place in range(start, len(lines)):
        leaf, tab, tail = lines[place].rstrip(b"\n").partition(b"\t")
        value = json.loads(leaf)
        value["i"], value["prev"] = place, previous
        leaf = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        lines[place], previous = leaf + tab + tail + b"\n", digest_of(leaf)
    return lines


def test_a_whole_ledger_passes_and_the_report_says_what_was_and_was_not_checked(folder: Path) -> None:
    report = verify_ledger(folder, KEYS, ORIGIN)
    records, torn = checkpoint_records((folder / "checkpoints.log").read_bytes())
    assert (report.size, report.origin, report.checkpoints, torn) == (COUNT, ORIGIN, len(records), 0)
    assert report.root == open_checkpoint(records[-1], KEYS, ORIGIN).root.hex()
    assert any("30 entries" in line for line in report.checked)
    assert any("10 attachments" in line for line in report.checked)
    assert any("no checkpoint kept elsewhere" in line for line in report.not_checked)
    assert verify_ledger(folder, KEYS).root == report.root  # the origin is then the one the checkpoints name


def test_files_from_a_bundle_are_verified_like_a_folder(folder: Path) -> None:
    files = {name: (folder / name).read_bytes() for name in ("entries.log", "checkpoints.log", "checkpoint")}
    assert verify_ledger(files, KEYS, ORIGIN) == verify_ledger(folder, KEYS, ORIGIN)
    for name in ("entries.log", "checkpoints.log"):
        with pytest.raises(VerificationFailed, match="missing"):
            verify_ledger({key: data for key, data in files.items() if key != name}, KEYS, ORIGIN)


def test_without_a_key_nothing_is_called_verified(folder: Path) -> None:
    with pytest.raises(Refused, match="nothing can be verified"):
        verify_ledger(folder, [], ORIGIN)


# ---- entries changed


@pytest.mark.parametrize("place", [0, 16, LAST])
@pytest.mark.parametrize("rechained", [False, True])
def test_an_edited_entry_is_named(folder: Path, place: int, rechained: bool) -> None:
    def edit(lines: list[bytes]) -> list[bytes]:
        lines[place] = lines[place].replace(b'"n":', b'"n":1')
        return rechain(lines, place + 1) if rechained else lines

    rewrite(folder, edit)
    with pytest.raises(VerificationFailed) as caught:
        open_ledger(folder)
    for link in (refused(folder).link, caught.value.link):
        assert names(link, place)
        assert rechained or place == LAST or link == f"entry {place}"  # its successor names it


@pytest.mark.parametrize("place", [0, 16, LAST])
@pytest.mark.parametrize("rechained", [False, True])
def test_a_deleted_entry_is_named(folder: Path, place: int, rechained: bool) -> None:
    def delete(lines: list[bytes]) -> list[bytes]:
        del lines[place]
        return rechain(lines, place) if rechained else lines

    rewrite(folder, delete)
    assert names(refused(folder).link, place, LAST)  # rechained within one commit, only the missing last one shows
    with pytest.raises(VerificationFailed):
        open_ledger(folder)


@pytest.mark.parametrize("place", [0, 16, LAST])
@pytest.mark.parametrize("rechained", [False, True])
def test_an_inserted_entry_is_named(folder: Path, place: int, rechained: bool) -> None:
    def insert(lines: list[bytes]) -> list[bytes]:
        lines.insert(place, lines[place].replace(b'"subject":"s', b'"subject":"forged'))
        return rechain(lines, place) if rechained else lines

    rewrite(folder, insert)
    assert names(refused(folder).link, place, place + 1)
    with pytest.raises(VerificationFailed):
        open_ledger(folder)


@pytest.mark.parametrize("place", [0, 16, LAST - 1])
@pytest.mark.parametrize("rechained", [False, True])
def test_entries_in_another_order_are_named(folder: Path, place: int, rechained: bool) -> None:
    def swap(lines: list[bytes]) -> list[bytes]:
        lines[place], lines[place + 1] = lines[place + 1], lines[place]
        return rechain(lines, place) if rechained else lines

    rewrite(folder, swap)
    assert names(refused(folder).link, place)
    with pytest.raises(VerificationFailed):
        open_ledger(folder)


@pytest.mark.parametrize("kept", [0, 16, LAST])
def test_a_cut_off_end_is_named(folder: Path, kept: int) -> None:
    rewrite(folder, lambda lines: lines[:kept])
    assert names(refused(folder).link, kept)
    for signer in (SIGNER, None):
        with pytest.raises(VerificationFailed, match="ends before entry"):
            Ledger.open(folder, origin=ORIGIN, signer=signer)


@pytest.mark.parametrize("place", [0, 15, 27])
def test_a_changed_attachment_is_named_and_an_erased_one_is_told(folder: Path, place: int) -> None:
    def swap(lines: list[bytes]) -> list[bytes]:
        return [*lines[:place], lines[place].split(b"\t")[0] + b"\tZm9yZ2Vk\n", *lines[place + 1 :]]

    whole = (folder / "entries.log").read_bytes()
    rewrite(folder, swap)
    assert refused(folder).link == f"entry {place}"
    (folder / "entries.log").write_bytes(whole)
    rewrite(folder, lambda lines: [*lines[:place], lines[place].split(b"\t")[0] + b"\n", *lines[place + 1 :]])
    assert refused(folder).link == f"entry {place}"
    (folder / "entries.log").write_bytes(whole)
    rewrite(folder, lambda lines: [*lines[:place], lines[place].split(b"\t")[0] + b"\terased\n", *lines[place + 1 :]])
    assert any("1 erased" in line for line in verify_ledger(folder, KEYS, ORIGIN).not_checked)
    with open_ledger(folder) as ledger:
        assert ledger.entry(place).attachment is None


def test_any_flipped_bit_anywhere_is_noticed(small: Path) -> None:
    files = {name: (small / name).read_bytes() for name in ("entries.log", "checkpoints.log", "checkpoint")}
    verify_ledger(files, KEYS, ORIGIN)
    for name, data in files.items():
        for at in range(len(data)):
            changed = bytearray(data)
            changed[at] ^= 1 << at % 8
            with pytest.raises(VerificationFailed):
                verify_ledger({**files, name: bytes(changed)}, KEYS, ORIGIN)


def test_any_cut_of_the_entries_is_noticed(small: Path) -> None:
    files = {name: (small / name).read_bytes() for name in ("entries.log", "checkpoints.log", "checkpoint")}
    for end in range(0, len(files["entries.log"]), 3):
        with pytest.raises(VerificationFailed):
            verify_ledger({**files, "entries.log": files["entries.log"][:end]}, KEYS, ORIGIN)


def test_forged_entries_after_the_last_checkpoint_are_not_counted(folder: Path) -> None:
    rewrite(folder, lambda lines: rechain([*lines, lines[-1]], COUNT))
    report = verify_ledger(folder, KEYS, ORIGIN)
    assert report.size == COUNT
    assert any("entries 30 to 30" in line for line in report.not_checked)


def test_unchained_entries_after_the_last_checkpoint_are_refused(folder: Path) -> None:
    rewrite(folder, lambda lines: [*lines, lines[-1].replace(b'"i":29', b'"i":30')])
    assert refused(folder).link == "entry 30"


# ---- checkpoints changed


def test_missing_reordered_and_foreign_checkpoints_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    fill(folder, 7)
    path = folder / "checkpoints.log"
    whole = path.read_bytes()
    records, _ = checkpoint_records(whole)

    def attempt(changed: list[bytes]) -> str:
        path.write_bytes(b"".join(record + b"\n" for record in changed))
        return refused(folder).link

    assert attempt([]) == "checkpoints.log"
    assert attempt(records[:-1]) == "checkpoints.log"  # the file `checkpoint` is newer
    assert attempt([records[0], records[2], records[1], *records[3:]]) == "checkpoint 2"
    resigned = NoteSigner(ORIGIN, THIEF).sign(Checkpoint.parse_note(records[3]).text())
    assert attempt([*records[:3], resigned, *records[4:]]) == "checkpoint 3"
    foreign = NoteSigner("elsewhere", SIGNER).sign(Checkpoint("elsewhere", 21, EMPTY_ROOT).text())
    assert attempt([*records[:3], foreign, *records[4:]]) == "checkpoint 3"
    other_root = NoteSigner(ORIGIN, SIGNER).sign(Checkpoint(ORIGIN, 14, EMPTY_ROOT).text())
    assert attempt([*records[:3], other_root, *records[3:]]) == "checkpoint 3 at size 14"
    assert names(attempt([*records[:2], other_root, *records[3:]]), 7)  # alone it contradicts entries 7 to 13
    path.write_bytes(whole.replace(b"\n\n\xe2", b"\n\njunk\n\n\xe2", 1))
    assert "checkpoints.log" in refused(folder).link
    path.write_bytes(whole)
    verify_ledger(folder, KEYS, ORIGIN)


@pytest.mark.parametrize("name", ["entries.log", "checkpoints.log"])
def test_a_missing_file_is_named_and_no_new_history_is_begun(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert refused(folder).link == name
    if name == "checkpoints.log":
        (folder / "checkpoint").unlink()
    for create in (False, True):
        for signer in (SIGNER, None):
            with pytest.raises(VerificationFailed):
                Ledger.open(folder, origin=ORIGIN, signer=signer, create=create)


def test_a_ledger_signed_again_with_another_key_is_refused(folder: Path) -> None:
    records, _ = checkpoint_records((folder / "checkpoints.log").read_bytes())
    signer = NoteSigner(ORIGIN, THIEF)
    again = [signer.sign(Checkpoint.parse_note(record).text()) for record in records]
    (folder / "checkpoints.log").write_bytes(b"".join(note + b"\n" for note in again))
    (folder / "checkpoint").write_bytes(again[-1])
    assert refused(folder).link == "checkpoint 0"
    with pytest.raises(VerificationFailed, match="No trusted key"):
        open_ledger(folder)


def test_signatures_of_older_checkpoints_can_be_left_out_and_that_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    fill(folder, 7)
    report = verify_ledger(folder, KEYS, ORIGIN, every_signature=False)
    assert any("signatures of 5 older checkpoints" in line for line in report.not_checked)
    path = folder / "checkpoints.log"
    records, _ = checkpoint_records(path.read_bytes())
    wrong_root = records[2].replace(
        Checkpoint.parse_note(records[2]).text().encode(), Checkpoint(ORIGIN, 14, EMPTY_ROOT).text().encode()
    )
    path.write_bytes(b"".join(record + b"\n" for record in [*records[:2], wrong_root, *records[3:]]))
    assert names(refused(folder, every_signature=False).link, 7)


# ---- what only a checkpoint kept elsewhere can show


def stolen_key_rewrite(folder: Path, count: int) -> None:
    """The owner of the key, or a thief, writes another history from the first entry on and signs it."""
    shutil.rmtree(folder)
    fill(folder, 7, count=count, word="forged")


def test_a_rewritten_history_shows_only_beside_a_checkpoint_kept_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    kept = fill(folder, 7)
    stolen_key_rewrite(folder, COUNT)
    passes: LedgerReport = verify_ledger(folder, KEYS, ORIGIN)
    assert any("others were shown another history" in line for line in passes.not_checked)
    for note in kept:
        size = open_checkpoint(note, KEYS, ORIGIN).size
        assert refused(folder, witnessed=[note]).link == f"witnessed checkpoint at size {size}"


def test_a_tail_cut_together_with_its_checkpoints_shows_beside_a_kept_one(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    fill(folder, 7, count=14)
    shutil.copytree(folder, tmp_path / "older")
    kept = fill(folder, 7)
    restored = tmp_path / "older"
    verify_ledger(restored, KEYS, ORIGIN)
    assert refused(restored, witnessed=kept[-1:]).link == "witnessed checkpoint at size 30"
    report = verify_ledger(folder, KEYS, ORIGIN, witnessed=kept)
    assert any("kept elsewhere for 30 entries" in line for line in report.checked)
    assert not any("another history" in line for line in report.not_checked)
    partly = verify_ledger(folder, KEYS, ORIGIN, witnessed=kept[:1])
    assert any("after entry" in line for line in partly.not_checked)


def test_a_fork_of_one_log_into_two_is_noticed_from_either_side(tmp_path: Path) -> None:
    left, right = tmp_path / "left", tmp_path / "right"
    fill(left, 7, count=14)
    shutil.copytree(left, right)
    ours, theirs = fill(left, 8), fill(right, 8, word="other")
    for folder, foreign in ((left, theirs), (right, ours)):
        verify_ledger(folder, KEYS, ORIGIN)
        for note in foreign:
            assert refused(folder, witnessed=[note]).link.startswith("witnessed checkpoint")
        with Ledger.open(folder, origin=ORIGIN, signer=None, keys=KEYS) as ledger:
            for note in foreign:
                size = open_checkpoint(note, KEYS, ORIGIN).size
                with pytest.raises(VerificationFailed, match="does not extend"):
                    verify_extension(note, ledger.checkpoint(), ledger.consistency(size), KEYS, ORIGIN)


def test_a_witnessed_checkpoint_by_nobody_or_of_another_log_is_no_comparison(folder: Path) -> None:
    head = Checkpoint.parse_note((folder / "checkpoint").read_bytes())
    for note in (
        NoteSigner(ORIGIN, THIEF).sign(head.text()),
        NoteSigner("elsewhere", SIGNER).sign(Checkpoint("elsewhere", head.size, head.root).text()),
        b"nothing",
    ):
        assert refused(folder, witnessed=[note]).link == "witnessed checkpoint"


def test_a_backdated_entry_is_named_even_if_the_key_was_stolen(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    fill(folder, 7, count=14)

    def backdate(lines: list[bytes]) -> list[bytes]:
        lines[10] = lines[10].replace(b'"at":"2026', b'"at":"2020')
        return rechain(lines, 11)

    rewrite(folder, backdate)
    leaves = [line.rstrip(b"\n").split(b"\t")[0] for line in (folder / "entries.log").read_bytes().splitlines()]
    signer = NoteSigner(ORIGIN, SIGNER)
    notes = []
    for size in (0, 14):
        root = Frontier().extend([leaf_hash(leaf) for leaf in leaves[:size]]).frontier().root()
        notes.append(signer.sign(Checkpoint(ORIGIN, size, root).text()))
    (folder / "checkpoints.log").write_bytes(b"".join(note + b"\n" for note in notes))
    (folder / "checkpoint").write_bytes(notes[-1])
    assert refused(folder).link == "entry 10"
