"""The ledger keeps what it acknowledged, in order, proves each entry, and never signs two histories."""

import asyncio
import json
import os
import threading
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.kernel import FixedClock, InvalidInput, NotFound, Refused, VerificationFailed, from_rfc3339
from sealwright.trust import (
    Appended,
    Entry,
    Ledger,
    LedgerInUse,
    LocalSigner,
    leaf_hash,
    open_checkpoint,
    verify_extension,
    verify_ledger,
    verify_proof,
)
from sealwright.trust import ledger_open as opening
from sealwright.trust.ledger_file import checkpoint_records

ORIGIN = "example.org/ws_1/control"
SIGNER = LocalSigner("ed25519", b"\x01" * 32)
OTHER = LocalSigner("ed25519", b"\x02" * 32)
KEYS = [SIGNER.public()]
START = datetime(2026, 11, 22, 15, 4, 5, tzinfo=UTC)


def open_ledger(folder: Path, **changes: object) -> Ledger:
    options: dict[str, object] = {"origin": ORIGIN, "signer": SIGNER, "clock": FixedClock(START), "create": True}
    return Ledger.open(folder, **{**options, **changes})  # type: ignore[arg-type]


def entry(number: int, **changes: object) -> Entry:
    return Entry(**{"action": "test.made", "subject": f"s{number}", "detail": {"n": number}, **changes})  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


def filled(folder: Path, count: int = 40, batch: int = 1) -> Path:
    with open_ledger(folder) as ledger:
        for start in range(0, count, batch):
            ledger.append_many([entry(number) for number in range(start, min(start + batch, count))])
    return folder


# ---- recording and proving


def test_an_entry_is_acknowledged_with_a_proof_that_verifies_offline(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        first = ledger.append("model.approved", "sha256:" + "a" * 64, {"why": "ok"}, b"sealed bytes", "ann")
        second = ledger.append("model.sealed", "sha256:" + "a" * 64, {})
        assert (first.index, second.index, ledger.size) == (0, 1, 2)
    for appended in (first, second):
        assert verify_proof(appended.leaf, appended.proof, KEYS, ORIGIN) == appended.index
    fields = json.loads(first.leaf)
    assert fields["prev"] == "sha256:" + "0" * 64
    assert fields["at"] == "2026-11-22T15:04:05.000Z"
    assert b"sealed bytes" not in first.leaf
    line = (folder / "entries.log").read_bytes().split(b"\n")[0]
    assert line == first.leaf + b"\tc2VhbGVkIGJ5dGVz"


@settings(max_examples=15, deadline=None)
@given(batches=st.lists(st.integers(1, 9), min_size=1, max_size=8), reopen=st.sets(st.integers(0, 7)))
def test_every_proof_of_every_batch_holds_and_all_checkpoints_agree(
    batches: list[int], reopen: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("ledgers") / "ledger"
    ledger, made = open_ledger(folder), []
    for place, count in enumerate(batches):
        done = ledger.append_many([entry(len(made) + number) for number in range(count)])
        assert [item.index for item in done] == list(range(len(made), len(made) + count))
        made += done
        if place in reopen:
            ledger.close()
            ledger = open_ledger(folder)
    for item in made:
        assert verify_proof(item.leaf, item.proof, KEYS, ORIGIN) == item.index
        assert verify_proof(item.leaf, ledger.proof(item.index), KEYS, ORIGIN) == item.index
        head = open_checkpoint(item.checkpoint, KEYS, ORIGIN)
        verify_extension(item.checkpoint, ledger.checkpoint(), ledger.consistency(head.size), KEYS, ORIGIN)
    ledger.close()
    report = verify_ledger(folder, KEYS, ORIGIN, witnessed=[item.checkpoint for item in made])
    assert report.size == sum(batches)
    assert report.checkpoints == len(batches) + 1  # one a commit, and the one over nothing


def test_callers_on_many_threads_share_commits_and_lose_nothing(folder: Path) -> None:
    ledger, done, lock = open_ledger(folder), [], threading.Lock()

    def work(worker: int) -> None:
        for number in range(60):
            appended = ledger.append("test.made", f"{worker}-{number}", {})
            with lock:
                done.append((appended, f"{worker}-{number}"))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(appended.index for appended, _ in done) == list(range(480))
    for appended, subject in done:
        assert ledger.entry(appended.index).subject == subject
        verify_proof(appended.leaf, appended.proof, KEYS, ORIGIN)
    ledger.close()
    report = verify_ledger(folder, KEYS, ORIGIN)
    assert report.size == 480
    assert report.checkpoints < 400  # several entries to a commit


def test_a_batch_handed_in_together_is_one_commit_in_order(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        assert ledger.append_many([]) == []
        done = ledger.append_many([entry(number) for number in range(100)])
        assert len({item.checkpoint for item in done}) == 1
        assert [json.loads(item.leaf)["subject"] for item in done] == [f"s{number}" for number in range(100)]


def test_an_event_loop_waits_for_entries_without_blocking(folder: Path) -> None:
    async def serve(ledger: Ledger) -> list[Appended]:
        return await asyncio.gather(*(asyncio.wrap_future(ledger.submit(entry(number))) for number in range(50)))

    with open_ledger(folder) as ledger:
        done = asyncio.run(serve(ledger))
    assert sorted(item.index for item in done) == list(range(50))


def test_a_future_cancelled_before_its_commit_records_nothing(folder: Path) -> None:
    held, free = threading.Event(), threading.Event()

    def clock() -> datetime:  # holds the writer inside the first commit
        held.set()
        assert free.wait(10)
        return START

    with open_ledger(folder, clock=clock) as ledger:
        first = ledger.submit(entry(0))
        assert held.wait(10)
        second: Future[Appended] = ledger.submit(entry(1))
        assert second.cancel()
        assert not first.cancel()
        free.set()
        assert first.result(10).index == 0
        assert ledger.append("a", "s", {}).index == 1
    assert [item.subject for item in open_ledger(folder, signer=None).entries()] == ["s0", "s"]


def test_a_malformed_entry_is_refused_and_disturbs_nobody(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        for detail in ({"x": float("nan")}, {"x": b"y"}, {"x": "\ud800"}):
            with pytest.raises(InvalidInput):
                ledger.append("a", "s", detail)
        with pytest.raises(InvalidInput, match="action name"):
            ledger.append_many([entry(0), entry(1, action="Bad Name")])
        assert ledger.size == 0
        assert ledger.append("a", "s", {}).index == 0


# ---- reading


def test_entries_are_read_back_from_any_place(folder: Path) -> None:
    filled(folder, 40, batch=7)
    with open_ledger(folder, signer=None, keys=KEYS) as ledger:
        assert [item.index for item in ledger.entries()] == list(range(40))
        assert [item.subject for item in ledger.entries(37)] == ["s37", "s38", "s39"]
        assert list(ledger.entries(40)) == []
        assert ledger.entry(17).detail == {"n": 17}
        for index in (-1, 40):
            with pytest.raises(NotFound, match="has 40"):
                ledger.proof(index)
            with pytest.raises(NotFound, match="has 40"):
                ledger.entry(index)


def test_readers_need_no_lock_and_cannot_write(folder: Path) -> None:
    with open_ledger(folder) as writer:
        done = writer.append_many([entry(number) for number in range(20)])
        with open_ledger(folder, signer=None, keys=KEYS) as reader:
            assert reader.size == 20
            assert verify_proof(done[3].leaf, reader.proof(3), KEYS, ORIGIN) == 3
            with pytest.raises(Refused, match="opened to read"):
                reader.append("a", "s", {})


@pytest.mark.parametrize("damage", ["gone", "short", "wrong nodes", "wrong offsets", "empty"])
def test_a_damaged_cache_costs_time_and_nothing_else(folder: Path, damage: str) -> None:
    filled(folder, 40, batch=9)
    for name in ("nodes", "offsets"):
        path = folder / "cache" / name
        data = path.read_bytes()
        if damage == "gone":
            path.unlink()
        elif damage == "short":
            path.write_bytes(data[:-5])
        elif damage == "empty":
            path.write_bytes(b"")
        elif damage == "wrong " + name:
            path.write_bytes(bytes(byte ^ 1 for byte in data))
    for signer in (None, SIGNER):
        with open_ledger(folder, signer=signer) as ledger:
            for index in (0, 17, 39):
                found = ledger.entry(index)
                assert found.subject == f"s{index}"
                assert verify_proof(found.leaf, ledger.proof(index), KEYS, ORIGIN) == index
            assert [item.subject for item in ledger.entries(38)] == ["s38", "s39"]
            verify_extension(ledger.checkpoint(), ledger.checkpoint(), ledger.consistency(40), KEYS, ORIGIN)
            if signer:
                assert ledger.append("a", "s", {}).index == 40
    verify_ledger(folder, KEYS, ORIGIN)


def test_a_cache_that_breaks_while_open_is_noticed(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        ledger.append_many([entry(number) for number in range(20)])
        for name in ("nodes", "offsets"):
            (folder / "cache" / name).write_bytes(b"\x01" * 4000)
        assert ledger.entry(5).subject == "s5"
        assert verify_proof(ledger.entry(5).leaf, ledger.proof(5), KEYS, ORIGIN) == 5


def test_opening_again_after_a_clean_end_reads_only_the_edges(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(folder, 30, batch=30)

    def slow(*_: object) -> None:
        raise AssertionError("every entry was read again")

    monkeypatch.setattr(opening, "_slow", slow)
    with open_ledger(folder) as ledger:
        assert ledger.append("a", "s", {}).index == 30
    os.utime(folder / "entries.log")  # touched by somebody: now everything is checked
    with pytest.raises(AssertionError, match="read again"):
        open_ledger(folder)


def test_an_entry_changed_under_an_open_ledger_is_not_handed_out(folder: Path) -> None:
    filled(folder, 20, batch=20)
    with open_ledger(folder, signer=None, keys=KEYS) as ledger:
        path = folder / "entries.log"
        path.write_bytes(path.read_bytes().replace(b'"n":5', b'"n":6'))
        with pytest.raises(VerificationFailed) as caught:
            ledger.entry(5)
        assert caught.value.link == "entry 5"
        assert ledger.entry(6).detail == {"n": 6}


def test_a_change_with_its_date_put_back_is_still_noticed_at_opening(folder: Path) -> None:
    filled(folder, 20, batch=20)
    path = folder / "entries.log"
    before = path.stat()
    with path.open("r+b") as stream:
        data = stream.read()
        stream.seek(data.index(b'"n":5') + 4)
        stream.write(b"6")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(VerificationFailed) as caught:
        open_ledger(folder)
    assert caught.value.link == "entry 5"


# ---- opening


def test_one_process_writes_at_a_time(folder: Path) -> None:
    with open_ledger(folder), pytest.raises(LedgerInUse, match="Another process"):
        open_ledger(folder)
    open_ledger(folder).close()


def test_a_refused_opening_leaves_the_ledger_free(folder: Path) -> None:
    filled(folder, 3)
    with pytest.raises(VerificationFailed):
        open_ledger(folder, signer=OTHER)
    open_ledger(folder).close()


def test_a_child_process_cannot_write_with_its_parents_ledger(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        ledger._hand._process += 1
        with pytest.raises(Refused, match="parent process"):
            ledger.append("a", "s", {})
        ledger._hand._process -= 1


def test_a_closed_ledger_records_nothing_and_closing_twice_is_fine(folder: Path) -> None:
    ledger = open_ledger(folder)
    waiting = [ledger.submit(entry(number)) for number in range(30)]
    ledger.close()
    ledger.close()
    assert [future.result(0).index for future in waiting] == list(range(30))
    with pytest.raises(Refused, match="closed"):
        ledger.append("a", "s", {})


def test_there_is_no_ledger_where_none_was_begun(folder: Path) -> None:
    for signer in (SIGNER, None):
        with pytest.raises(NotFound, match="no ledger"):
            open_ledger(folder, signer=signer, create=False)
    folder.mkdir(mode=0o700)
    with pytest.raises(NotFound, match="no ledger"):
        open_ledger(folder, create=False)
    assert open_ledger(folder).size == 0


def test_a_folder_open_to_others_is_refused(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    with pytest.raises(Refused, match="read by others"):
        open_ledger(folder)


@pytest.mark.parametrize("signer", [SIGNER, None])
def test_another_logs_folder_or_another_key_is_refused(folder: Path, signer: LocalSigner | None) -> None:
    filled(folder, 3)
    with pytest.raises(VerificationFailed, match=r"belongs to the log|expected"):
        open_ledger(folder, origin="example.org/ws_2/control", signer=signer, keys=KEYS)
    with pytest.raises(VerificationFailed, match="No trusted key"):
        open_ledger(folder, signer=OTHER if signer else None, keys=[OTHER.public()])
    with pytest.raises(InvalidInput, match="origin"):
        open_ledger(folder, origin="two words")


def test_a_rotated_key_goes_on_where_the_old_one_stopped(folder: Path) -> None:
    filled(folder, 3)
    with open_ledger(folder, signer=OTHER, keys=KEYS) as ledger:
        assert ledger.append("a", "s", {}).index == 3
    both = [SIGNER.public(), OTHER.public()]
    assert verify_ledger(folder, both, ORIGIN).size == 4
    with pytest.raises(VerificationFailed) as caught:
        verify_ledger(folder, KEYS, ORIGIN)
    assert caught.value.link == "checkpoint 4"


def test_the_newest_checkpoint_is_a_file_of_its_own_after_closing(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        ledger.append("a", "s", {})
        newest = ledger.checkpoint()
    assert (folder / "checkpoint").read_bytes() == newest
    assert checkpoint_records((folder / "checkpoints.log").read_bytes())[0][-1] == newest
    for name in ("entries.log", "checkpoints.log", "checkpoint", "lock"):
        assert (folder / name).stat().st_mode & 0o077 == 0


def test_the_newest_checkpoint_file_follows_within_a_second_or_two(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        newest = ledger.append("a", "s", {}).checkpoint
        waited = threading.Event()
        for _ in range(100):
            if (folder / "checkpoint").exists() and (folder / "checkpoint").read_bytes() == newest:
                break
            waited.wait(0.05)
        assert (folder / "checkpoint").read_bytes() == newest


# ---- the clock


def test_a_clock_set_back_is_recorded_and_a_small_step_is_not_visible(folder: Path) -> None:
    clock = FixedClock(START)
    with open_ledger(folder, clock=clock) as ledger:
        ledger.append("a", "first", {})
        clock.advance(timedelta(seconds=-1))
        ledger.append("a", "small step", {})
        clock.advance(timedelta(hours=-1))
        third = ledger.append("a", "big step", {})
        assert third.index == 3
        assert verify_proof(third.leaf, third.proof, KEYS, ORIGIN) == 3
        found = list(ledger.entries())
    assert [item.action for item in found] == ["a", "a", "ledger.clock_set_back", "a"]
    assert found[1].at == found[0].at
    assert from_rfc3339(found[3].at) < from_rfc3339(found[0].at)
    assert found[2].detail == {"from": found[0].at, "to": found[2].at}
    report = verify_ledger(folder, KEYS, ORIGIN)
    assert any("clock was set back" in remark for remark in report.remarks)


def test_leaf_hashes_are_those_of_the_lines(folder: Path) -> None:
    filled(folder, 1)
    line = (folder / "entries.log").read_bytes()[:-1]
    head = open_checkpoint((folder / "checkpoint").read_bytes(), KEYS, ORIGIN)
    assert head.root == leaf_hash(line)
