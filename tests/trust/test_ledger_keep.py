"""What a ledger promised outlives the process, the machine and the disk's tricks, and is under a checkpoint soon."""

import errno
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.kernel import Refused, VerificationFailed, system_clock
from sealwright.trust import (
    PROMISE_SECONDS,
    Ledger,
    LedgerUnavailable,
    LocalSigner,
    Prepared,
    Promised,
    ledger_hand,
    prepare_decision,
    verify_ledger,
    verify_promise,
)
from sealwright.trust.ledger_entry import Entry, prepare
from sealwright.trust.ledger_file import LedgerPaths
from sealwright.trust.ledger_journal import Journal, journaled_lines
from sealwright.trust.ledger_keep import KeepingWriter

ORIGIN = "example.org/ws_1/decisions"
SIGNER = LocalSigner("ed25519", b"\x01" * 32)
KEYS = [SIGNER.public()]


def entry(name: str, size: int = 40) -> Prepared:
    return prepare_decision(
        decision=name,
        model="credit",
        package="sha256:" + "c" * 64,
        request=b"{}",
        answer=b"{}",
        salt=b"s" * 32,
        sealed=os.urandom(size),
    )


def opened(folder: Path) -> Ledger:
    return Ledger.open(folder, origin=ORIGIN, signer=SIGNER, create=not folder.exists())


def crashed(folder: Path, to: Path, *, cut: int | None = None, since: Path | None = None) -> Path:
    """The folder as a power cut leaves it: of entries.log only `cut` bytes reached the disk, the journal did.

    `since`: the folder as it was some time before; of what came later, only the journal reached the disk.
    """
    to.mkdir(mode=0o700)
    for name in ("entries.log", "checkpoints.log", "checkpoint", "journal"):
        found = (since if since is not None and name != "journal" else folder) / name
        if found.exists():
            shutil.copy(found, to / name)
    if cut is not None:
        os.truncate(to / "entries.log", cut)
    return to


def names(folder: Path) -> list[str]:
    with opened(folder) as ledger:
        ledger.append("tests.end", "", {})
        return [one.detail["decision"] for one in ledger.entries() if one.action == "decision"]


def here(ledger: Ledger, entries: list[Prepared]) -> Promised:
    """Kept by this thread; the ledger's own may be writing a checkpoint just now."""
    until = time.monotonic() + 10.0
    while time.monotonic() < until:
        kept = ledger.keep_here(entries)
        if kept is not None:
            return kept
        time.sleep(0.002)
    raise TimeoutError


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No checkpoint comes by itself, so what was kept stays in the journal."""
    monkeypatch.setattr(ledger_hand, "_PUBLISH_AFTER", 300.0)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with opened(tmp_path / "ledger") as made:
        yield made


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.floats(0.0, 1.0), st.booleans())
def test_a_power_cut_at_any_byte_loses_nothing_that_was_promised(
    tmp_path_factory: pytest.TempPathFactory, batches: list[int], share: float, gap: bool
) -> None:
    folder = tmp_path_factory.mktemp("power") / "ledger"
    promised: list[str] = []
    with pytest.MonkeyPatch.context() as patch, opened(folder) as ledger:
        synced = watch_syncs(patch)
        ledger.append("tests.begin", "", {})
        for at, count in enumerate(batches):
            wanted = [f"dec_{at}_{place}" for place in range(count)]
            here(ledger, [entry(name) for name in wanted])
            promised += wanted
        with ledger._hand._hand:  # nothing is signed meanwhile, and the journal stays
            end = (folder / "entries.log").stat().st_size
            cut = synced[-1] + int((end - synced[-1]) * share)
            left = crashed(folder, folder.with_name("left"), cut=cut)
        if gap:  # the file system gave the length back, and zeros
            os.truncate(left / "entries.log", end)
    assert names(left) == promised
    verify_ledger(left, KEYS)


def watch_syncs(patch: pytest.MonkeyPatch) -> list[int]:
    """How long entries.log was each time it began to be brought to disk."""
    sync, found = os.fdatasync, [0]

    def synced(handle: int) -> None:
        size = os.fstat(handle).st_size
        sync(handle)
        if Path(f"/proc/self/fd/{handle}").readlink().name == "entries.log":
            found.append(size)

    patch.setattr(os, "fdatasync", synced)
    return found


def test_what_a_killed_process_had_promised_is_there_without_the_journal(ledger: Ledger, tmp_path: Path) -> None:
    here(ledger, [entry("dec_1"), entry("dec_2")])
    ledger.keep([entry("dec_3")], on_disk=False).result()
    left = crashed(tmp_path / "ledger", tmp_path / "left")
    (left / "journal").unlink()
    assert names(left) == ["dec_1", "dec_2", "dec_3"]


@pytest.mark.usefixtures("unhurried")
def test_a_torn_journal_gives_back_whole_entries_only(ledger: Ledger, tmp_path: Path) -> None:
    before = crashed(tmp_path / "ledger", tmp_path / "before")
    here(ledger, [entry("dec_1", 3000)])
    here(ledger, [entry("dec_2", 3000)])
    journal = (tmp_path / "ledger" / "journal").read_bytes()
    for place, (at, kept) in enumerate([(journal.index(b"dec_2") + 1500, ["dec_1"]), (100, [])]):
        left = crashed(tmp_path / "ledger", tmp_path / f"left{place}", since=before)
        (left / "journal").write_bytes(journal[:at] + bytes(len(journal) - at))
        assert names(left) == kept
        verify_ledger(left, KEYS)


def test_a_journal_of_an_earlier_round_gives_nothing_back(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    with opened(folder) as ledger:
        here(ledger, [entry(f"dec_{at}", 2000) for at in range(5)])
    with opened(folder) as ledger:
        here(ledger, [entry("dec_9")])  # written over the beginning of the first round
        left = crashed(folder, tmp_path / "left")
    assert names(left) == [*(f"dec_{at}" for at in range(5)), "dec_9"]
    with opened(left) as again:
        assert again.entry(again.size - 1).action == "tests.end"


def test_entries_that_somebody_planted_in_the_journal_are_no_history_of_ours(ledger: Ledger, tmp_path: Path) -> None:
    """They do not follow from the last entry: the ledger does not open as if nothing was."""
    here(ledger, [entry("dec_1")])
    left = crashed(tmp_path / "ledger", tmp_path / "left")
    planted = Journal(left / "journal")
    line = entry("dec_evil").leaf(1, "sha256:" + "0" * 64, "2026-11-27T00:00:00.000Z") + entry("x").line_end
    planted.keep(1, line)
    planted.close()
    with pytest.raises(VerificationFailed, match="another predecessor"):
        opened(left)


def test_a_promise_holds_offline_and_a_checkpoint_follows_whoever_wrote(ledger: Ledger) -> None:
    ours, theirs = here(ledger, [entry("dec_1")]), ledger.keep([entry("dec_2")]).result()
    for promised in (ours, theirs):
        ((leaf,), (promise,)) = promised.leaves, promised.promises()
        index, found = verify_promise(leaf, promise, KEYS, ORIGIN)
        assert (index, found.on_disk) == (promised.first, True)
        with pytest.raises(VerificationFailed):
            verify_promise(leaf + b" ", promise, KEYS, ORIGIN)
    until = time.monotonic() + PROMISE_SECONDS + 5.0
    while ledger.size < 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert ledger.size == 2


def test_many_threads_and_both_ways_make_one_ledger(ledger: Ledger, tmp_path: Path) -> None:
    kept: list[Promised] = []

    def work(who: int) -> None:
        for at in range(40):
            name = f"dec_{who}_{at}"
            if at % 3 == 0:
                kept.append(here(ledger, [entry(name)]))
            elif at % 3 == 1:
                kept.append(ledger.keep([entry(name)]).result())
            else:
                ledger.append("tests.between", str(at), {})

    threads = [threading.Thread(target=work, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.append("tests.end", "", {})
    for one in kept:
        assert [ledger.entry(one.first + at).leaf for at in range(one.count)] == one.leaves
    verify_ledger(tmp_path / "ledger", KEYS)


def test_a_full_journal_goes_on_with_the_entries_themselves(ledger: Ledger, tmp_path: Path) -> None:
    ledger.prepare_to_keep(small=True)
    for at in range(12):
        here(ledger, [entry(f"dec_{at}", 200_000)])
    left = crashed(tmp_path / "ledger", tmp_path / "left")
    assert names(left) == [f"dec_{at}" for at in range(12)]


@pytest.mark.usefixtures("unhurried")
def test_a_small_journal_gives_back_both_of_its_halves_and_grows_when_more_is_wanted(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    with opened(folder) as ledger:
        ledger.prepare_to_keep(small=True)
        before = crashed(folder, tmp_path / "before")
        for at in range(8):
            here(ledger, [entry(f"dec_{at}", 100_000)])
        left = crashed(folder, tmp_path / "left", since=before)
        assert (left / "journal").stat().st_size == 2 << 20
    assert names(left) == [f"dec_{at}" for at in range(8)]
    with opened(folder) as ledger:
        ledger.prepare_to_keep()
    assert (folder / "journal").stat().st_size == 32 << 20
    with opened(folder) as ledger:
        ledger.prepare_to_keep(small=True)  # the large one is there, and is used as it is
    assert (folder / "journal").stat().st_size == 32 << 20


def test_where_the_journal_cannot_be_laid_out_nothing_is_promised(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "ledger" / "journal.new").mkdir()
    with pytest.raises(LedgerUnavailable, match="journal"):
        here(ledger, [entry("dec_1")])
    (tmp_path / "ledger" / "journal.new").rmdir()
    assert here(ledger, [entry("dec_2")]).first == 0


def test_a_signer_that_refuses_leaves_no_promise_and_the_next_one_holds(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_text: str) -> None:
        raise Refused("not today")

    with monkeypatch.context() as patched:
        patched.setattr(ledger._hand.writer._signer, "begin_promise", refuse)
        with pytest.raises(LedgerUnavailable, match="not promised"):
            here(ledger, [entry("dec_1")])
    promised = here(ledger, [entry("dec_2")])
    assert promised.first == 1  # the first stays: it was written
    assert verify_promise(promised.leaves[0], promised.promises()[0], KEYS, ORIGIN)[0] == 1


def test_a_ledger_that_is_closed_or_only_read_keeps_nothing(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger")
    here(ledger, [entry("dec_1")])
    ledger.close()
    for keep in (ledger.keep, ledger.keep_here):
        with pytest.raises(Refused, match="closed"):
            keep([entry("dec_2")])
    with Ledger.open(tmp_path / "ledger", origin=ORIGIN, signer=None, keys=KEYS) as reader:
        assert reader.size == 1  # closing signed what was promised
        for keep in (reader.keep, reader.keep_here):
            with pytest.raises(Refused, match="opened to read"):
                keep([entry("dec_2")])


def test_a_journal_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert list(journaled_lines(tmp_path / "journal", 0)) == []


def test_what_was_promised_outlives_a_disk_that_failed_to_sync_and_no_later_success_hides_the_failure(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Linux does: a failed sync is told of once, and what it was about is not tried again."""
    sync, failed = os.fdatasync, []

    def fails_once(handle: int) -> None:
        if "entries.log" in str(Path(f"/proc/self/fd/{handle}").readlink()) and not failed:
            failed.append((tmp_path / "ledger" / "entries.log").stat().st_size)
            raise OSError(errno.EIO, "Input/output error")
        sync(handle)

    ledger.append("tests.begin", "", {})
    before = (tmp_path / "ledger" / "entries.log").stat().st_size
    monkeypatch.setattr(os, "fdatasync", fails_once)
    kept = here(ledger, [entry("one"), entry("two")])
    with pytest.raises(LedgerUnavailable, match="Input/output error"):
        for _ in range(400):  # the thread that writes meets it within half a second
            ledger.keep([entry("three")]).result(10)
            time.sleep(0.01)
    assert (tmp_path / "ledger" / "entries.log").stat().st_size == before
    monkeypatch.undo()
    ledger.append("tests.tried", "", {})
    assert [ledger.entry(index).leaf for index in (kept.first, kept.first + 1)] == kept.leaves
    verify_ledger(tmp_path / "ledger", KEYS, ORIGIN)


class Sudden:
    """A writer whose power goes: of entries.log only what was synced reaches the disk, of the journal everything."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.synced, self.fails = folder, 0, False
        self._sync = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self._synced)
        self.writer = KeepingWriter(LedgerPaths(folder), ORIGIN, SIGNER, system_clock, create=True)
        self.writer.lay_out(small=True)

    def _synced(self, handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").readlink().name == "entries.log":
            if self.fails:
                raise OSError(errno.EIO, "Input/output error")
            self.synced = os.fstat(handle).st_size
        self._sync(handle)

    def keep(self, *names: str) -> None:
        self.writer.keep([entry(name) for name in names], on_disk=True)

    def sign(self, *meanwhile: str) -> None:
        """As the ledger's thread does; `meanwhile`: what others keep while the disk works."""
        self.writer.bring_to_disk(self.writer.turn())
        self.keep(*meanwhile)
        self.writer.sign_kept()
        self.writer.publish()

    def power_cut(self, to: Path, *, zeros: bool = False) -> Path:
        length = (self.folder / "entries.log").stat().st_size
        left = crashed(self.folder, to, cut=self.synced)
        if zeros:  # the file system kept the length
            os.truncate(left / "entries.log", length)
        return left


@pytest.fixture
def sudden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sudden]:
    made = Sudden(tmp_path / "sudden", monkeypatch)
    yield made
    made.fails = False
    with suppress(OSError):  # a test may have closed it
        made.writer.close()


@pytest.mark.parametrize("zeros", [False, True])
def test_what_was_signed_while_it_was_in_the_journal_alone_outlives_a_power_cut(
    sudden: Sudden, tmp_path: Path, zeros: bool
) -> None:
    sudden.keep("dec_1")
    sudden.sign("dec_2", "dec_3")
    assert sudden.writer.signed.head.size == 3
    left = sudden.power_cut(tmp_path / "left", zeros=zeros)
    assert (left / "entries.log").read_bytes().rstrip(b"\0").count(b"\n") == 1
    assert names(left) == ["dec_1", "dec_2", "dec_3"]
    verify_ledger(left, KEYS)


def test_an_end_that_the_journal_does_not_have_is_missed_and_nothing_is_cut(sudden: Sudden, tmp_path: Path) -> None:
    sudden.keep("dec_1")
    sudden.sign("dec_2")
    left = sudden.power_cut(tmp_path / "left", zeros=True)
    (left / "journal").unlink()
    before = (left / "entries.log").read_bytes()
    with pytest.raises(VerificationFailed):
        opened(left)
    assert (left / "entries.log").read_bytes() == before


def test_a_disk_that_fails_takes_nothing_away_that_was_signed(sudden: Sudden) -> None:
    sudden.keep("dec_1")
    sudden.sign("dec_2")
    sudden.fails = True
    sudden.keep("dec_3")
    with pytest.raises(LedgerUnavailable, match="Input/output error"):
        sudden.sign("dec_4")
    with Ledger.open(sudden.folder, origin=ORIGIN, signer=None, keys=KEYS) as reader:
        assert [one.detail["decision"] for one in reader.entries()] == ["dec_1", "dec_2"]
    sudden.fails = False
    sudden.writer.close()
    assert names(sudden.folder) == ["dec_1", "dec_2", "dec_3", "dec_4"]


def test_a_disk_that_fails_while_a_ledger_is_opened_leaves_it_as_it_was(sudden: Sudden, tmp_path: Path) -> None:
    sudden.keep("dec_1")
    sudden.sign("dec_2")
    left = crashed(sudden.folder, tmp_path / "left")
    before = (left / "entries.log").read_bytes()
    sudden.fails = True
    with pytest.raises(LedgerUnavailable, match="Input/output error"):
        opened(left)
    assert (left / "entries.log").read_bytes() == before
    sudden.fails = False
    assert names(left) == ["dec_1", "dec_2"]


def test_a_batch_too_large_for_the_journal_is_written_once_whatever_the_disk_does_next(sudden: Sudden) -> None:
    sudden.writer.keep([entry("dec_1", 900_000)], on_disk=True)
    sudden.fails = True
    with pytest.raises(LedgerUnavailable, match="Input/output error"):
        sudden.writer.commit([prepare(Entry(action="tests.end", subject="", detail={}))])
    sudden.fails = False
    assert sudden.writer.commit([prepare(Entry(action="tests.end", subject="", detail={}))]).first == 1
    verify_ledger(sudden.folder, KEYS)


def left_in(journal: Path) -> int:
    """Bytes of a journal that are not zero."""
    data = journal.read_bytes()
    return len(data) - data.count(0)


def test_what_is_brought_to_disk_is_not_kept_in_the_journal_as_well(ledger: Ledger, tmp_path: Path) -> None:
    """Or an erased decision could still be read there."""
    journal = tmp_path / "ledger" / "journal"
    ledger.prepare_to_keep(small=True)
    seen = 0
    for at in range(300):
        here(ledger, [entry(f"dec_{at}", 4_000)])
        seen = max(seen, left_in(journal) if at % 50 == 0 else 0)
    assert seen > 1_000
    until = time.monotonic() + 20.0
    while left_in(journal) and time.monotonic() < until:
        time.sleep(0.05)
    assert left_in(journal) == 0
    here(ledger, [entry("dec_300")])
    left = crashed(tmp_path / "ledger", tmp_path / "left")
    ledger.close()
    assert left_in(journal) == 0
    assert left_in(left / "journal") > 0
    assert names(left) == [f"dec_{at}" for at in range(301)]  # a process that is killed leaves it to the next
    assert left_in(left / "journal") == 0


def test_an_area_that_is_written_less_far_than_before_keeps_nothing_of_the_round_before(sudden: Sudden) -> None:
    journal = sudden.folder / "journal"
    sudden.writer.keep([entry("dec_long", 400_000)], on_disk=True)
    for at in range(4):
        sudden.sign(f"dec_{at}")  # never idle: something always comes while the disk works
        while sudden.writer.tidy():
            pass
    assert b"dec_long" not in journal.read_bytes()
    assert 0 < left_in(journal) < 10_000


@pytest.mark.usefixtures("unhurried")
def test_a_torn_batch_does_not_come_back_after_another_took_its_place(ledger: Ledger, tmp_path: Path) -> None:
    before = crashed(tmp_path / "ledger", tmp_path / "before")
    here(ledger, [entry(f"dec_{at}", 3_000) for at in range(4)])
    left = crashed(tmp_path / "ledger", tmp_path / "left", since=before)
    journal = bytearray((left / "journal").read_bytes())
    at = journal.index(b"dec_1") + 1_000
    journal[at : at + 100] = bytes(100)
    (left / "journal").write_bytes(journal)
    assert names(left) == ["dec_0"]
    os.utime(left / "entries.log")  # as erasing does: it is looked at whole
    assert names(left) == ["dec_0"]
