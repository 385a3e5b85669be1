"""Of one log no two heads are ever signed that contradict each other: not after a crash, not by two signers (T-59)."""

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sealwright.trust import Keyring, Ledger, LedgerUnavailable, SignerRefused, verify_ledger
from sealwright.trust.merkle import consistency_path
from sealwright.trust.notes import Checkpoint, Descent, NoteSigner
from sealwright.trust.signing.client import HeadIsBehind, Line, narrow
from sealwright.trust.signing.memory_heads import HeadMemory, Heads
from sealwright.trust.signing.messages import Signature, SignHead
from sealwright.trust.signing.remote import RemoteSigner
from sealwright.trust.signing.rules_heads import sign_next_head

from .conftest import DECISIONS, LEDGER, WS, Place, Tree

A, B = Tree("a", 40), Tree("b", 40)


def sign(ring: Keyring, tree: Tree, size: int, *, after: int = 0, note: bytes = b"", origin: str = LEDGER) -> bytes:
    """Ask for the head of the first `size` leaves, as somebody whose last published head has `after` of them."""
    branch = "decision-checkpoints" if origin == DECISIONS else "checkpoints"
    signer = ring.signer(branch)
    assert isinstance(signer, RemoteSigner)
    descent = Descent(after, note, lambda old: [] if old > size else consistency_path(old, size, _node(tree, size)))
    return signer.sign_head(tree.head(size, origin).text().encode(), descent)


def _node(tree: Tree, size: int) -> Any:
    def node(level: int, index: int) -> bytes:
        assert (index + 1) << level <= size
        return tree.growth.node(level, index)

    return node


def refused(ring: Keyring, reason: str, tree: Tree, size: int, **more: Any) -> None:
    with pytest.raises(SignerRefused) as error:
        sign(ring, tree, size, **more)
    assert error.value.reason == reason


def begin(ring: Keyring, size: int, origin: str = LEDGER) -> None:
    """Sign the empty head, and then one of `size` leaves."""
    sign(ring, A, 0, origin=origin)
    if size:
        sign(ring, A, size, origin=origin)


def test_a_log_grows_and_the_same_head_is_signed_again(ring: Keyring) -> None:
    begin(ring, 0)
    for before, size in ((0, 1), (1, 7), (7, 8), (8, 40)):
        first = sign(ring, A, size, after=before)
        assert sign(ring, A, size, after=before) == first == sign(ring, A, size, after=size)
        ring.trust_root.keys_of("checkpoints")[0].verify(first, A.head(size).text().encode())


def test_two_heads_of_one_size_are_never_both_signed_t59(ring: Keyring, place: Place) -> None:
    begin(ring, 7)
    refused(ring, "checkpoint.contradicts", B, 7, after=7)
    with place.open() as again:
        refused(again, "checkpoint.contradicts", B, 7, after=7)


def test_a_smaller_head_is_never_signed_t59(ring: Keyring) -> None:
    begin(ring, 7)
    for size in (0, 1, 6):
        refused(ring, "checkpoint.smaller", A, size)


def test_a_larger_head_of_another_history_is_not_signed_t59(ring: Keyring) -> None:
    begin(ring, 7)
    for after in (0, 3, 7, 9):
        refused(ring, "checkpoint.contradicts", B, 20, after=after)


def test_whoever_is_behind_is_told_and_shows_it_from_there(ring: Keyring) -> None:
    """As after a crash between signing and publishing."""
    begin(ring, 7)
    assert sign(ring, A, 20, after=3)


def test_an_unknown_log_begins_empty_or_from_a_head_we_signed(ring: Keyring, place: Place) -> None:
    refused(ring, "checkpoint.unknown_past", A, 7)
    stranger = NoteSigner(LEDGER, place.stolen("decision-checkpoints")).sign(A.head(5).text())
    refused(ring, "checkpoint.note", A, 7, after=5, note=stranger)
    published = NoteSigner(LEDGER, place.stolen("checkpoints")).sign(A.head(5).text())
    assert sign(ring, A, 7, after=5, note=published)
    refused(ring, "checkpoint.contradicts", B, 8, after=7)


def test_a_published_head_that_is_newer_than_what_is_remembered_counts(ring: Keyring, place: Place) -> None:
    """As when the keys folder came from an older backup than the log."""
    begin(ring, 3)
    published = NoteSigner(LEDGER, place.stolen("checkpoints")).sign(A.head(9).text())
    assert sign(ring, A, 12, after=9, note=published)
    contradicting = NoteSigner(LEDGER, place.stolen("checkpoints")).sign(B.head(12).text())
    with place.open() as again:
        refused(again, "checkpoint.contradicts", B, 13, after=12, note=contradicting)


def test_each_branch_signs_for_its_own_logs(ring: Keyring) -> None:
    begin(ring, 1)
    begin(ring, 1, DECISIONS)
    begin(ring, 1, "sealwright/ws_1/control")
    for branch, origin in (
        ("decision-checkpoints", "sealwright/ws_1/control"),
        ("checkpoints", "sealwright/ws_2/control"),
        ("checkpoints", DECISIONS),
        ("decision-checkpoints", LEDGER),
        ("checkpoints", "sealwright/ws_2/ledger"),
        ("decision-checkpoints", "sealwright/ws_2/decisions/credit/live"),
        ("decision-checkpoints", "sealwright/ws_1/decisions/../live"),
        ("decision-checkpoints", "sealwright/ws_1/decisions/credit/live/x"),
        ("checkpoints", "example.org/other"),
        ("checkpoints", "sealwright/ws_2/control"),
        ("checkpoints", "sealwright/ws_1/control/x"),
        ("decision-checkpoints", "sealwright/ws_1/control"),
    ):
        with pytest.raises(SignerRefused) as error:
            ring.signer(branch).sign(Tree("a", 0).head(0, origin).text().encode())
        assert error.value.reason == "checkpoint.origin"


def test_a_text_that_is_not_exactly_a_checkpoint_is_not_signed(ring: Keyring) -> None:
    text = A.head(0).text().encode()
    for data in (
        text[:-1],
        text + b"\n",
        text + b"extension\n",
        text.replace(b"\n0\n", b"\n00\n"),
        b"\xe2\x80\x94" + text,
    ):
        with pytest.raises(SignerRefused) as error:
            ring.signer("checkpoints").sign(data)
        assert error.value.reason == "checkpoint.malformed"


# ---- what is remembered


def _memory(place: Place) -> Path:
    return next((place.keys / "signed").glob("head-*"))


def test_a_write_that_a_power_cut_tore_leaves_the_head_before(ring: Keyring, place: Place) -> None:
    begin(ring, 3)
    whole = _memory(place).read_bytes()
    sign(ring, A, 9, after=3)
    after = _memory(place).read_bytes()
    newest = 0 if whole[:512] != after[:512] else 512
    torn = after[: newest + 20] + b"\0" * 40 + after[newest + 60 :]
    _memory(place).write_bytes(torn)
    with place.open() as again:
        refused(again, "checkpoint.smaller", A, 2)
        assert sign(again, A, 9, after=3)


def test_a_memory_that_was_changed_signs_nothing(ring: Keyring, place: Place) -> None:
    begin(ring, 3)
    for spoiled in (b"\1" * 1024, b"x"):
        _memory(place).write_bytes(spoiled)
        refused(ring, "memory.broken", A, 9, after=3)


def test_the_memory_of_another_log_in_its_place_is_noticed(ring: Keyring, place: Place) -> None:
    begin(ring, 1, DECISIONS)
    other = _memory(place)
    begin(ring, 3)
    mine = next(path for path in (place.keys / "signed").glob("head-*") if path != other)
    mine.write_bytes(other.read_bytes())
    refused(ring, "memory.broken", A, 9, after=3)


def test_a_memory_that_cannot_be_written_signs_nothing(ring: Keyring, place: Place) -> None:
    begin(ring, 3)
    path = _memory(place)
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(SignerRefused, match=r"memory|written down"):
        sign(ring, A, 9, after=3)


# ---- what was published, beside what is remembered


def _published(place: Place, head: Checkpoint, branch: str = "checkpoints") -> bytes:
    return NoteSigner(head.origin, place.stolen(branch)).sign(head.text())


def test_a_published_head_is_not_believed_over_what_is_remembered_t59(ring: Keyring, place: Place) -> None:
    """Whoever has a copy of the key publishes another, longer history: asking for that head, or for one that extends it."""
    begin(ring, 5)
    note = _published(place, B.head(10))
    for size in (10, 12):
        refused(ring, "checkpoint.contradicts", B, size, after=10, note=note)
    with place.open() as again:
        refused(again, "checkpoint.contradicts", B, 10, after=10, note=note)
        assert sign(again, A, 12, after=5)


def test_a_published_head_alone_shows_nothing_over_a_narrowed_line_t59(ring: Keyring, place: Place) -> None:
    """As a taken-over server asks, which need not go on when it is told where to show it from."""
    begin(ring, 5, DECISIONS)
    line = Line(ring.lend_signer(DECISIONS))
    narrow(line, [DECISIONS])
    head = B.head(10, DECISIONS)
    note, data = _published(place, head, "decision-checkpoints"), head.text().encode()
    for since in (0, 10):
        with pytest.raises(HeadIsBehind) as behind:
            line.ask(SignHead(branch="decision-checkpoints", data=data, since=since, path=[], note=note), Signature)
        assert behind.value.size == 5
    line.close()
    assert sign(ring, A, 10, after=5, origin=DECISIONS)


def test_the_published_head_itself_is_signed_again_once_it_is_shown_to_extend_the_memory(
    ring: Keyring, place: Place
) -> None:
    begin(ring, 3)
    assert sign(ring, A, 9, after=9, note=_published(place, A.head(9)))
    refused(ring, "checkpoint.smaller", A, 8)


def test_a_head_below_the_published_one_or_beside_it_is_not_signed_t59(ring: Keyring, place: Place) -> None:
    begin(ring, 3)
    note = _published(place, A.head(9))
    for tree, size, reason in ((A, 8, "checkpoint.smaller"), (B, 9, "checkpoint.contradicts")):
        with place.open() as again:
            refused(again, reason, tree, size, after=3, note=note)


# ---- races and crashes


def test_of_two_racing_writers_with_two_signers_one_history_is_signed_t59(place: Place) -> None:
    """Each has a signer process of its own and another history; they go for the same sizes at the same moment."""
    chance = random.Random(59)
    rings = [place.open() for _ in range(2)]
    begin(rings[0], 0)
    signed: list[tuple[int, int]] = []
    refusals: set[str] = set()
    gate = threading.Barrier(2)

    def race(me: int, tree: Tree) -> None:
        for size in range(1, 30):
            gate.wait(20)
            time.sleep(chance.random() / 1000)
            try:
                sign(rings[me], tree, size, after=size - 1)
            except SignerRefused as error:
                refusals.add(error.reason)
            else:
                signed.append((size, me))

    threads = [threading.Thread(target=race, args=(me, tree)) for me, tree in enumerate((A, B))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for ring in rings:
        ring.close()
    assert len({size for size, _ in signed}) == len(signed) == 29
    assert len({me for _, me in signed}) == 1, "two histories were signed"
    assert refusals <= {"checkpoint.contradicts", "checkpoint.smaller"}


def test_a_head_is_checked_and_written_down_under_one_lock_t59(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The moment between the look at the newest head and its replacement is made long: nobody gets in between."""
    real, signed = HeadMemory.remember, []

    def slowly(self: HeadMemory, head: Any) -> None:
        time.sleep(0.2)
        real(self, head)

    monkeypatch.setattr(HeadMemory, "remember", slowly)
    keys = [place.stolen("checkpoints").public()]

    def ask(tree: Tree) -> None:
        heads = Heads(place.keys / "signed")
        for size in (0, 5):
            asked = SignHead(branch="checkpoints", data=tree.head(size).text().encode(), since=0, path=[])
            with contextlib.suppress(SignerRefused):
                sign_next_head(asked, workspace=WS, keys=keys, heads=heads, sign=lambda _: b"")
                signed.append((size, tree.head(size).root))
        heads.close()

    threads = [threading.Thread(target=ask, args=(tree,)) for tree in (A, B)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({root for size, root in signed if size == 5}) == 1


def test_kills_of_the_signer_leave_one_history_t58_t59(place: Place, wait_until: Callable[..., None]) -> None:
    """The ledger goes on with a new signer after each kill -9, and never has a checkpoint contradicted."""
    chance, acknowledged = random.Random(58), 0
    ring = place.open()
    ledger = Ledger.open(place.home / "ledger", origin=LEDGER, signer=ring.signer("checkpoints"), create=True)
    stop = threading.Event()

    def kill() -> None:
        while not stop.is_set():
            time.sleep(chance.uniform(0.0, 0.01))
            started = ring._link._held.started  # type: ignore[attr-defined]
            if started is not None:
                started.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    failures = 0
    end = time.monotonic() + 20
    while time.monotonic() < end and failures < 40:
        try:
            ledger.append("load.made", "", {"n": acknowledged})
            acknowledged += 1
        except LedgerUnavailable:
            failures += 1
    stop.set()
    killer.join()
    ledger.append("load.ended", "", {})
    said = {entry.detail.get("n") for entry in ledger.entries()}
    ledger.close()
    ring.close()
    assert failures >= 5
    assert set(range(acknowledged)) <= said
    verify_ledger(place.home / "ledger", ring.trust_root.keys_of("checkpoints"), LEDGER)


def test_an_old_copy_of_the_log_put_back_is_not_signed_t50(place: Place) -> None:
    with (
        place.open() as ring,
        Ledger.open(place.home / "ledger", origin=LEDGER, signer=ring.signer("checkpoints"), create=True) as ledger,
    ):
        ledger.append("a.b", "", {})
    saved = {path.name: path.read_bytes() for path in (place.home / "ledger").iterdir() if path.is_file()}
    with (
        place.open() as ring,
        Ledger.open(place.home / "ledger", origin=LEDGER, signer=ring.signer("checkpoints")) as ledger,
    ):
        ledger.append("a.c", "", {})
    for name, data in saved.items():
        (place.home / "ledger" / name).write_bytes(data)
    with (
        place.open() as ring,
        Ledger.open(place.home / "ledger", origin=LEDGER, signer=ring.signer("checkpoints")) as ledger,
    ):
        with pytest.raises(LedgerUnavailable, match=r"older history|does not extend"):
            ledger.append("a.d", "", {})
        with pytest.raises(LedgerUnavailable, match="does not extend"):
            ledger.append("a.e", "", {})
