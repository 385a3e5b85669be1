"""A ledger verified by many workers gives the very report, or the very failure, that one alone would give."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealwright.engines import Serial
from sealwright.kernel import FixedClock, VerificationFailed, canonical_json, digest_of
from sealwright.trust import Entry, Frontier, Ledger, LedgerReport, LocalSigner, erase_attachments, verify_ledger
from sealwright.trust import ledger_pieces as pieces
from sealwright.trust import ledger_verify as verifying
from sealwright.trust.merkle import leaf_hash
from sealwright.trust.notes import Checkpoint, NoteSigner

ORIGIN = "example.org/ws_1/pieces"
SIGNER = LocalSigner("ed25519", b"\x01" * 32)
KEYS = [SIGNER.public()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About 200 entries in batches of several sizes, with attachments, an erased one, and a clock set back."""
    folder, rng = tmp_path_factory.mktemp("whole") / "ledger", random.Random(7)
    clock = FixedClock(datetime(2026, 11, 22, 15, tzinfo=UTC))
    with Ledger.open(folder, origin=ORIGIN, signer=SIGNER, clock=clock, create=True) as ledger:
        while ledger.size < 200:
            clock.advance(timedelta(hours=-1 if 80 < ledger.size < 90 else 1))
            ledger.append_many([made(rng, number) for number in range(rng.randrange(1, 12))])
    erase_attachments(folder, [next(index for index, line in enumerate(lines(folder)) if b"\t" in line)])
    return folder


def made(rng: random.Random, number: int) -> Entry:
    content = rng.randbytes(50) if rng.random() < 0.2 else None
    return Entry(
        action="a.b", subject=f"s{number}", detail={"n": number, "x": 0.5 if number == 3 else 1}, attachment=content
    )


def lines(folder: Path) -> list[bytes]:
    return (folder / "entries.log").read_bytes().splitlines(keepends=True)


def outcome(folder: Path, *, workers: bool, **more: object) -> object:
    try:
        return verify_ledger(folder, KEYS, ORIGIN, workers=workers, **more)  # type: ignore[arg-type]
    except VerificationFailed as error:
        return str(error), error.link


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_PIECE_BYTES", 3000)
    monkeypatch.setattr(pieces, "_NOTES", 7)


def test_processes_find_the_same_as_one_alone(whole: Path, small_pieces: None, tmp_path: Path) -> None:
    walked = []
    report = verify_ledger(whole, KEYS, ORIGIN, workers=True, progress=lambda line, share: walked.append((line, share)))
    assert isinstance(report, LedgerReport)
    assert report == outcome(whole, workers=False)
    assert any("clock was set back" in line for line in report.remarks)
    assert any("1 erased" in line for line in report.not_checked)
    assert walked[-1] == ("verifying the ledger", 1.0)
    assert len(walked) > 5
    broken = copy(whole, tmp_path / "broken", b"".join(lines(whole)).replace(b'"n":1,', b'"n":2,', 1))
    assert outcome(broken, workers=True) == outcome(broken, workers=False) != report


def copy(folder: Path, to: Path, entries: bytes | None = None, checkpoints: bytes | None = None) -> Path:
    to.mkdir(mode=0o700)
    for name, data in (("entries.log", entries), ("checkpoints.log", checkpoints)):
        (to / name).write_bytes((folder / name).read_bytes() if data is None else data)
    return to


_kinds = st.sampled_from(["flip", "drop", "repeat", "swap", "cut", "junk", "notes", "zero"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_kinds, st.integers(0, 10**9), st.integers(0, 10**9))
def test_whatever_was_changed_the_failure_is_the_same_t57(
    whole: Path, small_pieces: None, tmp_path_factory: pytest.TempPathFactory, kind: str, one: int, two: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "Processes", lambda _cores: Serial())  # the same work, without starting programs
        gone = lines(whole)
        notes = (whole / "checkpoints.log").read_bytes()
        data = b"".join(gone)
        first, second = one % len(gone), two % len(gone)
        if kind == "drop":
            data = b"".join(gone[:first] + gone[first + 1 :])
        elif kind == "repeat":
            data = b"".join([*gone[:first], gone[second], *gone[first:]])
        elif kind == "swap":
            gone[first], gone[second] = gone[second], gone[first]
            data = b"".join(gone)
        elif kind == "notes":
            place = one % len(notes)
            notes = notes[:place] + bytes([notes[place] ^ (1 << two % 8)]) + notes[place + 1 :]
        else:
            place = one % len(data)
            flipped = bytes([data[place] ^ (1 << two % 8)])
            data = {
                "flip": data[:place] + flipped + data[place + 1 :],
                "cut": data[:place],
                "junk": data + data[: two % 700],
                "zero": data[:place] + bytes(two % 50) + data[place:],
            }[kind]
        folder = copy(whole, tmp_path_factory.mktemp("changed") / "ledger", data, notes)
        assert outcome(folder, workers=True) == outcome(folder, workers=False)


def test_a_witnessed_checkpoint_is_compared_between_pieces(
    whole: Path, small_pieces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "Processes", lambda _cores: Serial())
    kept = list((whole / "checkpoints.log").read_bytes().split(b"\n\n" + ORIGIN.encode()))
    note = ORIGIN.encode() + kept[len(kept) // 2] + b"\n"
    found = outcome(whole, workers=True, witnessed=[note])
    assert isinstance(found, LedgerReport)
    assert any("kept elsewhere" in line for line in found.checked)


@pytest.mark.parametrize("change", [{"prev": "sha256:" + "1" * 64}, {"at": "2020-01-01T00:00:00.000Z"}, {"i": 3}])
@pytest.mark.parametrize("piece", [1, 900, 3000])
def test_a_joint_that_does_not_fit_is_found_though_the_tree_was_signed(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], piece: int
) -> None:
    """Whoever has the key signs a tree over lines that do not follow each other, at every place in turn."""
    monkeypatch.setattr(pieces, "Processes", lambda _cores: Serial())
    monkeypatch.setattr(pieces, "_PIECE_BYTES", piece)
    for place in range(4, 24):
        these = lines(whole)[:30]
        for later in range(place, len(these) if "at" in change else place + 1):  # the rest is made to follow, or not
            leaf, tab, tail = these[later].rstrip(b"\n").partition(b"\t")
            before = digest_of(these[later - 1].rstrip(b"\n").partition(b"\t")[0])
            fields = {"prev": before} | (change if later == place else {})
            these[later] = canonical_json(json.loads(leaf) | fields) + tab + tail + b"\n"
        leaves = [leaf_hash(line.rstrip(b"\n").partition(b"\t")[0]) for line in these]
        head = Checkpoint(ORIGIN, len(these), Frontier().extend(leaves).frontier().root())
        note = NoteSigner(ORIGIN, SIGNER).sign(head.text()) + b"\n"
        folder = copy(whole, tmp_path / str(place), b"".join(these), note)
        assert outcome(folder, workers=True) == outcome(folder, workers=False)
        assert isinstance(outcome(folder, workers=True), tuple)


def test_where_no_worker_can_be_started_one_alone_does_it(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nonexistent")
    assert isinstance(outcome(whole, workers=True), LedgerReport)


def test_a_small_ledger_starts_no_programs(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(verifying, "walk_pieces", never)
    monkeypatch.setattr(verifying, "notes_hold", never)
    verify_ledger(whole, KEYS, ORIGIN)
