"""Whatever kills the process or fails the disk: what was acknowledged stays, what was not is never half there.

The processes, kills, full disks and read-only disks here are real; only the failing fdatasync is put in by hand.
"""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sealwright.kernel import FixedClock, OperationFailed, VerificationFailed, digest_of
from sealwright.trust import (
    Entry,
    Ledger,
    LedgerReport,
    LedgerUnavailable,
    LocalSigner,
    open_checkpoint,
    verify_extension,
    verify_ledger,
    verify_proof,
)
from sealwright.trust.ledger_file import checkpoint_records

CHILD = Path(__file__).with_name("ledger_child.py")
ORIGIN = "example.org/ws_1/crash"
SIGNER = LocalSigner("ed25519", b"\x01" * 32)
KEYS = [SIGNER.public()]
START = datetime(2026, 11, 22, 15, 4, 5, tzinfo=UTC)
KILLS = 16


def open_ledger(folder: Path, signer: object = SIGNER) -> Ledger:
    return Ledger.open(folder, origin=ORIGIN, signer=signer, clock=FixedClock(START), create=True)  # type: ignore[arg-type]


def made(number: int, attachment: bytes | None = None) -> Entry:
    return Entry(action="test.made", subject=f"s{number}", detail={"n": number}, attachment=attachment)


def child(*arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(CHILD), *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )


def may_mount() -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    test = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    return test.returncode == 0


needs_mount = pytest.mark.skipif(
    not may_mount(), reason="this user may not mount a file system: not tried on a real one"
)


# ---- kill -9


def test_kill_9_at_random_points_under_load_loses_no_acknowledged_entry(tmp_path: Path) -> None:
    folder, rng = tmp_path / "ledger", random.Random(20261122)
    acknowledged: dict[int, str] = {}
    notes: list[bytes] = []
    for kill in range(KILLS):
        process = child("load", folder)
        assert process.stdout is not None
        wanted = rng.randrange(1, 400)
        lines = [process.stdout.readline() for _ in range(wanted)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()  # what the dead process had still said
        process.wait()
        process.stdout.close()
        for line in lines:
            said = json.loads(line)
            assert acknowledged.setdefault(said["i"], said["leaf"]) == said["leaf"], (
                f"entry {said['i']} after kill {kill}"
            )
        notes.append(json.loads(lines[-1])["note"].encode())
    with open_ledger(folder) as ledger:  # mends what the last kill left
        for note in notes:  # no two checkpoints that ever left a process contradict each other
            size = open_checkpoint(note, KEYS, ORIGIN).size
            verify_extension(note, ledger.checkpoint(), ledger.consistency(size), KEYS, ORIGIN)
        leaves = [entry.leaf.decode() for entry in ledger.entries()]
    assert len(acknowledged) > 100 * KILLS
    lost = [index for index, leaf in acknowledged.items() if index >= len(leaves) or leaves[index] != leaf]
    assert lost == []
    report = verify_ledger(folder, KEYS, ORIGIN, witnessed=notes)
    assert report.size == len(leaves) >= len(acknowledged)


# ---- every state a crash can leave


def crashed(folder: Path, entries: bytes, checkpoints: bytes) -> Path:
    """A ledger's folder as a crash left it: no clean mark, no fresh `checkpoint`."""
    folder.mkdir(mode=0o700)
    (folder / "entries.log").write_bytes(entries)
    (folder / "checkpoints.log").write_bytes(checkpoints)
    return folder


def test_a_crash_at_any_byte_of_an_append_leaves_a_ledger_that_opens(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "whole") as ledger:
        ledger.append_many([made(number) for number in range(3)])
        before = (
            (tmp_path / "whole" / "entries.log").read_bytes(),
            (tmp_path / "whole" / "checkpoints.log").read_bytes(),
        )
        kept = ledger.checkpoint()
        ledger.append_many([made(3, b"attached"), made(4)])
        entries, checkpoints = [(tmp_path / "whole" / name).read_bytes() for name in ("entries.log", "checkpoints.log")]
    first_new = entries.index(b"\n", len(before[0])) + 1  # where entry 3 is whole
    states = [(entries[:end], before[1]) for end in range(len(before[0]), len(entries) + 1, 19)]
    states += [(entries[:end], before[1]) for end in (first_new, first_new + 1, len(entries) - 1, len(entries))]
    states += [(entries, checkpoints[:end]) for end in range(len(before[1]), len(checkpoints) + 1, 13)]
    for number, (some_entries, some_checkpoints) in enumerate(states):
        folder = crashed(tmp_path / str(number), some_entries, some_checkpoints)
        whole = some_entries.count(b"\n")
        torn_entry = not some_entries.endswith(b"\n")
        torn_note = some_checkpoints not in (before[1], checkpoints)
        with open_ledger(folder) as ledger:
            assert ledger.size == whole + (torn_entry or torn_note)
            if torn_entry or torn_note:
                last = ledger.entry(ledger.size - 1)
                assert (last.action, last.subject) == ("ledger.recovered", "entries.log")
                cut = some_entries[some_entries.rindex(b"\n") + 1 :]
                assert last.detail["entry_bytes_cut"] == len(cut)
                assert last.detail.get("entry_bytes_digest", digest_of(b"")) == digest_of(cut)
            assert ledger.append("a", "s", {}).index == ledger.size - 1
        report = verify_ledger(folder, KEYS, ORIGIN, witnessed=[kept])
        assert bool(report.remarks) is (torn_entry or torn_note)


def test_a_reader_and_the_verifier_see_the_ledger_before_the_crash_is_mended(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger") as ledger:
        ledger.append_many([made(number) for number in range(3)])
    with (tmp_path / "ledger" / "entries.log").open("ab") as stream:
        stream.write(b'{"action":"half')
    with (tmp_path / "ledger" / "checkpoints.log").open("ab") as stream:
        stream.write(b"example.org/ws_1/crash\n9")
    report = verify_ledger(tmp_path / "ledger", KEYS, ORIGIN)
    assert report.size == 3
    assert any("15 bytes of an unfinished entry" in line for line in report.not_checked)
    assert any("24 bytes of an unfinished checkpoint" in line for line in report.not_checked)
    with open_ledger(tmp_path / "ledger", signer=None) as reader:
        assert [entry.subject for entry in reader.entries()] == ["s0", "s1", "s2"]
    assert (tmp_path / "ledger" / "entries.log").read_bytes().endswith(b"half")  # reading mends nothing


@pytest.mark.parametrize("gap", [1, 300, 5000])
def test_a_gap_of_zeros_where_the_disk_had_not_caught_up_counts_as_the_end(tmp_path: Path, gap: int) -> None:
    with open_ledger(tmp_path / "whole") as ledger:
        ledger.append_many([made(number) for number in range(3)])
        before = [(tmp_path / "whole" / name).read_bytes() for name in ("entries.log", "checkpoints.log")]
        ledger.append_many([made(number) for number in range(3, 40)])
        after = [(tmp_path / "whole" / name).read_bytes() for name in ("entries.log", "checkpoints.log")]
    at = len(before[0]) + 20
    hole = after[0][:at] + bytes(gap) + after[0][at + gap :]
    folder = crashed(tmp_path / "entries", hole, before[1])
    with open_ledger(folder) as ledger:
        assert ledger.size == 4
        assert ledger.entry(3).action == "ledger.recovered"
        ledger.append("a", "s", {})
    verify_ledger(folder, KEYS, ORIGIN)
    # in the unsynced end of checkpoints.log
    records, _ = checkpoint_records(after[1])
    at = len(before[1]) + 20
    folder = crashed(
        tmp_path / "notes", after[0], after[1][:at] + bytes(40) + after[1][at + 40 :] + records[-1] + b"\n"
    )
    with open_ledger(folder) as ledger:
        assert ledger.size == 41
        assert ledger.entry(40).detail["entry_bytes_cut"] == 0
        ledger.append("a", "s", {})
    verify_ledger(folder, KEYS, ORIGIN)


def test_a_broken_middle_is_no_crash_and_is_refused_by_name(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "whole") as ledger:
        ledger.append_many([made(number) for number in range(3)])
        notes = (tmp_path / "whole" / "checkpoints.log").read_bytes()
        ledger.append_many([made(number) for number in range(3, 10)])
    lines = (tmp_path / "whole" / "entries.log").read_bytes().splitlines(keepends=True)
    broken = {  # after the last checkpoint that reached the disk
        "entry 5": [*lines[:5], lines[5][:-9] + b"\n", *lines[6:]],
        "entry 6": [*lines[:6], *lines[7:]],
        "entry 8": [*lines[:7], lines[7].replace(b'"n":7', b'"n":8'), *lines[8:]],
    }
    for number, (link, changed) in enumerate(broken.items()):
        folder = crashed(tmp_path / str(number), b"".join(changed), notes)
        with pytest.raises(VerificationFailed) as caught:
            open_ledger(folder)
        assert caught.value.link == link
        assert (folder / "entries.log").read_bytes() == b"".join(changed)  # nothing was cut
    folder = crashed(tmp_path / "notes", b"".join(lines), notes.replace(b"\n\n", b"\n\njunk\n\n", 1))
    with pytest.raises(VerificationFailed) as caught:
        open_ledger(folder)
    assert caught.value.link == "checkpoints.log"


# ---- two inconsistent checkpoints


def test_a_ledger_set_back_behind_its_own_checkpoint_never_signs_again(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    with open_ledger(folder) as ledger:
        ledger.append_many([made(number) for number in range(5)])
        older = (folder / "entries.log").read_bytes()
        ledger.append_many([made(number) for number in range(5, 9)])
    (folder / "entries.log").write_bytes(older)
    before = (folder / "checkpoints.log").read_bytes()
    with pytest.raises(VerificationFailed, match="ends before entry 5"):
        open_ledger(folder)
    (folder / "checkpoints.log").write_bytes(before[: before.rindex(b"\n\n" + ORIGIN.encode()) + 2])
    with pytest.raises(VerificationFailed, match="ends before the checkpoint for 9"):
        open_ledger(folder)  # the file `checkpoint` still knows


def test_starting_again_and_again_signs_one_history(tmp_path: Path) -> None:
    folder, notes = tmp_path / "ledger", []
    rng = random.Random(7)
    for _ in range(30):
        with open_ledger(folder) as ledger:
            notes += [ledger.append("a", "s", {"n": rng.random()}).checkpoint for _ in range(rng.randrange(3))]
            notes.append(ledger.checkpoint())
        if rng.random() < 0.5:  # a crash took the end of the last append or of the last checkpoint
            with (folder / rng.choice(["entries.log", "checkpoints.log"])).open("ab") as stream:
                stream.write(rng.choice([b'{"act', b"example.org", b"\0" * 50]))
    verify_ledger(folder, KEYS, ORIGIN, witnessed=notes)


# ---- disks that fail


def check_filled(folder: Path, said: dict[str, list[list[object]]]) -> LedgerReport:
    assert len(said["refusals"]) >= 2
    with open_ledger(folder) as ledger:
        leaves = [entry.leaf.decode() for entry in ledger.entries()]
    for index, leaf in said["acknowledged"]:
        assert leaves[index] == leaf  # type: ignore[call-overload]
    return verify_ledger(folder, KEYS, ORIGIN)


def test_a_file_that_may_not_grow_refuses_and_goes_on_when_it_may(tmp_path: Path) -> None:
    for number, limit in enumerate((30_000, 12_345)):
        process = child("fill", tmp_path / str(number), limit, "")
        said = json.loads(process.communicate(timeout=60)[0])
        report = check_filled(tmp_path / str(number), said)
        assert any("File too large" in refusal for refusal in said["refusals"])
        assert report.size >= len(said["acknowledged"])
        assert not report.remarks  # nothing torn was left for the next opening to cut


@needs_mount
@pytest.mark.parametrize("kilobytes", [64, 72, 88])
def test_a_full_disk_refuses_and_goes_on_when_there_is_room(tmp_path: Path, kilobytes: int) -> None:
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size={kilobytes}k,mode=700 none {disk} && head -c 16384 /dev/zero > {disk}/ballast"
    script = f"{mount} && {sys.executable} {CHILD} fill {disk}/ledger 0 {disk}/ballast && cp -r {disk}/ledger {kept}"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr.decode()
    said = json.loads(done.stdout)
    assert any("No space left" in refusal for refusal in said["refusals"])
    check_filled(kept, said)


@needs_mount
def test_a_read_only_disk_is_refused_for_writing_and_can_still_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    with open_ledger(folder) as ledger:
        ledger.append("a", "s", {})
    script = f"""
import sys
from pathlib import Path
from sealwright.trust import *
signer = LocalSigner("ed25519", b"\\x01" * 32)
folder = Path({str(folder)!r})
try:
    Ledger.open(folder, origin={ORIGIN!r}, signer=signer)
except LedgerUnavailable as error:
    print("refused:", error)
with Ledger.open(folder, origin={ORIGIN!r}, signer=None, keys=[signer.public()]) as ledger:
    print("read:", ledger.size, verify_ledger(folder, [signer.public()], {ORIGIN!r}).size)
"""
    mount = f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{mount} && exec "$@"', "sh", sys.executable, "-c", script],
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.decode().splitlines() == [
        f"refused: Cannot write in the ledger's folder {folder}: Read-only file system.",
        "read: 1 1",
    ], done.stderr.decode()


def test_a_disk_that_failed_to_sync_is_written_again_from_where_it_was_last_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "ledger"
    ledger = open_ledger(folder)
    done = ledger.append("a", "first", {})

    def fails(_handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fails)
        waiting = [ledger.submit(made(number)) for number in range(5)]
        for future in waiting:
            with pytest.raises(OperationFailed, match=r"Input/output error"):
                future.result(10)
        with pytest.raises(LedgerUnavailable, match="still fails"):
            ledger.append("a", "still not", {})
    assert verify_proof(done.leaf, ledger.proof(0), KEYS, ORIGIN) == 0  # reading goes on
    assert ledger.append("a", "second", {}).index == 1
    ledger.close()
    with open_ledger(folder) as again:
        assert [entry.subject for entry in again.entries()] == ["first", "second"]
    verify_ledger(folder, KEYS, ORIGIN, witnessed=[done.checkpoint])


def test_a_write_that_stops_half_way_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, write, calls = tmp_path / "ledger", os.write, []

    def stops(handle: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, bytes(data)[:50])

    with open_ledger(folder) as ledger:
        ledger.append("a", "first", {})
        whole = (folder / "entries.log").read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", stops)
            with pytest.raises(LedgerUnavailable, match="No space left"):
                ledger.append("a", "second", {})
        assert (folder / "entries.log").read_bytes() == whole
        assert ledger.append("a", "third", {}).index == 1
    verify_ledger(folder, KEYS, ORIGIN)


class FlakySigner:
    """A signer whose process is away for a while."""

    away = False
    key_id, algorithm = SIGNER.key_id, SIGNER.algorithm

    def sign(self, data: bytes) -> bytes:
        if self.away:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        return SIGNER.sign(data)

    def public(self) -> object:
        return SIGNER.public()


def test_without_its_signer_nothing_is_acknowledged_and_nothing_is_lost(tmp_path: Path) -> None:
    signer = FlakySigner()
    with open_ledger(tmp_path / "ledger", signer=signer) as ledger:
        first = ledger.append("a", "first", {})
        signer.away = True
        with pytest.raises(LedgerUnavailable, match="not acknowledged"):
            ledger.append("a", "second", {})
        assert ledger.size == 1
        assert ledger.checkpoint() == first.checkpoint
        signer.away = False
        assert ledger.append("a", "third", {}).index == 2  # the second is kept, and now signed
        assert ledger.entry(1).subject == "second"
    verify_ledger(tmp_path / "ledger", KEYS, ORIGIN, witnessed=[first.checkpoint])


def test_whatever_goes_wrong_in_a_commit_reaches_the_caller(tmp_path: Path) -> None:
    def clock() -> datetime:
        raise ZeroDivisionError

    ledger = Ledger.open(tmp_path / "ledger", origin=ORIGIN, signer=SIGNER, clock=clock, create=True)
    with ledger, pytest.raises(LedgerUnavailable, match="ZeroDivisionError"):
        ledger.append("a", "s", {})
